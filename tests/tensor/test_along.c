/* Max, top k and gather along an axis, for tensors of any strides, against plain loops over indices. */
#include "check.h"
#include "tensor/along.h"
#include "layouts.h"

START_TEST(max_along_an_axis) {
    tl_real *data = pool(1), y[300], dx_data[600];
    int32_t index[300];
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int axis = 0; axis < 3; axis++) {
            tl_tensor x = laid_out(data, TL_SHAPE(4, 6, 10), layout),
                      dx = tl_tensor_of(dx_data, tl_shape_of(x));
            tl_shape left = tl_shape_of(x);
            left.dim[axis] = 1;
            tl_tensor_max(tl_tensor_of(y, left), index, x, axis);
            tl_tensor_fill(dx, 0);
            tl_tensor_max_grad(dx, tl_tensor_of(y, left), index, axis);
            long hits = 0;
            for (long i = 0; i < 240; i++) {
                long rest[3] = {i / 60, i / 10 % 6, i % 10}, place = rest[axis];
                long o = 0; /* the element of the result */
                for (int j = 0; j < 3; j++) o = o * left.dim[j] + (j == axis ? 0 : rest[j]);
                must(*at(x, i) <= y[o]);
                must(index[o] != place || *at(x, i) == y[o]);
                must(dx_data[i] == (index[o] == place ? y[o] : 0));
                hits += index[o] == place;
            }
            must(hits == tl_shape_numel(left));
        }
    tl_real ties[] = {1, 3, 3, 2, 9, (tl_real)NAN, (tl_real)NAN, 10};
    tl_tensor_max(tl_tensor_of(y, TL_SHAPE(2)), index, tl_tensor_of(ties, TL_SHAPE(2, 4)), 1);
    must(index[0] == 1 && y[0] == 3 && index[1] == 1 && isnan(y[1]));
    free(data);
}
END_TEST

/* ---- argmax, top k ---- */

/* Element i of x's line through `place` in the order of top k: NaN first, then larger numbers, ties by index. */
static bool first_of(double a, long i, double b, long j) {
    if (isnan(a) != isnan(b)) return isnan(a);
    return a > b || (!(b > a) && i < j);
}

/* Checks every id and value of a top k by counting the elements that come before it. */
static void check_top(tl_tensor x, int axis, long k) {
    static int ids[700];
    static tl_real values[700];
    tl_shape shape = tl_shape_of(x);
    const long n = shape.dim[axis];
    shape.dim[axis] = k;
    must(tl_top_k(x, axis - x.rank, k, ids, values));
    for (long i = 0; i < tl_shape_numel(shape); i++) {
        tl_tensor line = x; /* the elements along the axis, at i's place */
        long rest = i, rank_of_i = 0;
        for (int a = x.rank - 1; a >= 0; a--) {
            if (a == axis)
                rank_of_i = rest % k;
            else
                line.data += rest % shape.dim[a] * x.stride[a];
            rest /= shape.dim[a];
        }
        const long step = x.stride[axis];
        long before = 0;
        const double v = (double)line.data[ids[i] * step];
        for (long j = 0; j < n; j++) before += first_of((double)line.data[j * step], j, v, ids[i]);
        must_msg(before == rank_of_i, "axis %d, k %ld, element %ld: id %d is number %ld", axis, k, i, ids[i],
                 before);
        must(!memcmp(&values[i], &line.data[ids[i] * step], sizeof *values));
    }
}

START_TEST(top_k_of_any_strides) {
    tl_real *data = pool(3);
    /* few values, so many ties */
    for (long i = 0; i < POOL; i++) data[i] = (tl_real)floor(8 * (double)data[i]) / 8;
    for (long i = 0; i < POOL; i += 37) data[i] = (tl_real)NAN;
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int axis = 0; axis < 3; axis++)
            for (long k = 1; k <= (axis == 0 ? 4 : axis == 1 ? 6 : 17); k++)
                check_top(laid_out(data, TL_SHAPE(4, 6, 17), layout), axis, k);
    free(data);
}
END_TEST

START_TEST(ties_and_nan) {
    tl_real x[] = {2, 5, (tl_real)NAN, 5, -INFINITY, (tl_real)NAN, INFINITY, 5};
    tl_real values[8];
    int ids[8], best;
    ck_assert(tl_top_k(tl_tensor_of(x, TL_SHAPE(8)), 0, 8, ids, values));
    const int order[8] = {2, 5, 6, 1, 3, 7, 0, 4};
    for (int i = 0; i < 8; i++) ck_assert_int_eq(ids[i], order[i]);
    ck_assert(isnan(values[0]) && isnan(values[1]) && values[2] == INFINITY && values[7] == -INFINITY);
    ck_assert(tl_argmax(tl_tensor_of(x, TL_SHAPE(8)), -1, &best) && best == 2);
    ck_assert(tl_argmax(tl_tensor_of(x, TL_SHAPE(2, 1)), 0, &best) && best == 1);
    tl_real same[3] = {1, 1, 1};
    ck_assert(tl_argmax(tl_tensor_of(same, TL_SHAPE(3)), 0, &best) && best == 0);
}
END_TEST

START_TEST(top_k_that_is_not_there) {
    tl_real x[6] = {0};
    int ids[6] = {7, 7, 7, 7, 7, 7};
    tl_tensor t = tl_tensor_of(x, TL_SHAPE(2, 3)), none = tl_tensor_of(x, TL_SHAPE(0, 3));
    ck_assert(!tl_top_k(t, 2, 1, ids, NULL) && !tl_top_k(t, -3, 1, ids, NULL));
    ck_assert(!tl_top_k(t, 1, 4, ids, NULL) && !tl_top_k(t, 1, -1, ids, NULL));
    ck_assert(!tl_argmax((tl_tensor){0}, 0, ids) && !tl_argmax(none, 0, ids));
    ck_assert(tl_top_k(t, 1, 0, ids, NULL) && tl_argmax(none, 1, ids));
    for (int i = 0; i < 6; i++) ck_assert_int_eq(ids[i], 7);
}
END_TEST

/* ---- gather ---- */

static long place(tl_shape s, const long *index) {
    long i = 0;
    for (int a = 0; a < s.rank; a++) i = i * s.dim[a] + index[a];
    return i;
}

START_TEST(gather_and_its_gradient) {
    tl_real *data = pool(1), *dx_data = pool(2), *before = pool(2), y[800], dy[800];
    static int ids[800];
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int axis = 0; axis < 3; axis++) {
            tl_tensor x = laid_out(data, TL_SHAPE(4, 6, 10), layout),
                      dx = laid_out(dx_data, TL_SHAPE(4, 6, 10), (layout + 2) % LAYOUTS);
            tl_shape s = TL_SHAPE(3, 5, 10);
            s.dim[axis] = 13; /* more than x's size along the axis */
            for (long i = 0; i < 800; i++) ids[i] = (int)(i * 31 % 17 % x.dim[axis]), dy[i] = data[9000 + i];
            memcpy(dx_data, before, POOL * sizeof *before);
            tl_tensor_gather(tl_tensor_of(y, s), x, axis, ids);
            tl_tensor_gather_grad(dx, tl_tensor_of(dy, s), axis, ids);
            double sum[240] = {0};
            for (long i = 0; i < tl_shape_numel(s); i++) {
                long index[3] = {i / (s.dim[1] * s.dim[2]), i / s.dim[2] % s.dim[1], i % s.dim[2]};
                index[axis] = ids[i];
                const long from = place(TL_SHAPE(4, 6, 10), index);
                must(y[i] == *at(x, from));
                sum[from] += (double)dy[i];
            }
            for (long i = 0; i < 240; i++) {
                tl_real *to = at(dx, i);
                must(fabs((double)*to - (double)before[to - dx_data] - sum[i]) < 1e-5);
                *to = before[to - dx_data];
            }
            must(!memcmp(dx_data, before, POOL * sizeof *before)); /* nothing else has changed */
        }
    free(data), free(dx_data), free(before);
}
END_TEST

START_TEST(threads_change_nothing) {
    enum { ROWS = 300, N = 100, K = 40 };
    tl_real *data = pool(5), *y[2], *dx[2], *values[2];
    int *ids[2], *from = malloc(ROWS * K * sizeof *from);
    tl_tensor x = tl_tensor_transpose(tl_tensor_of(data, TL_SHAPE(N, ROWS)), 0, 1);
    for (long i = 0; i < ROWS * K; i++) from[i] = (int)(i * 7919 % N % 9);
    for (int t = 0; t < 2; t++) {
        tl_set_threads(t ? 3 : 1);
        y[t] = calloc(ROWS * K, sizeof **y), values[t] = calloc(ROWS * K, sizeof **y);
        dx[t] = calloc(ROWS * N, sizeof **dx), ids[t] = calloc(ROWS * K, sizeof **ids);
        ck_assert(tl_top_k(x, 1, K, ids[t], values[t]));
        tl_tensor_gather(tl_tensor_of(y[t], TL_SHAPE(ROWS, K)), x, 1, from);
        tl_tensor_gather_grad(tl_tensor_of(dx[t], TL_SHAPE(ROWS, N)),
                              tl_tensor_of(values[t], TL_SHAPE(ROWS, K)), 1, from);
    }
    ck_assert(!memcmp(y[0], y[1], ROWS * K * sizeof **y) && !memcmp(ids[0], ids[1], ROWS * K * sizeof **ids));
    ck_assert(!memcmp(dx[0], dx[1], ROWS * N * sizeof **dx));
    for (int t = 0; t < 2; t++) free(y[t]), free(dx[t]), free(values[t]), free(ids[t]);
    free(data), free(from);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, max_along_an_axis);
    tcase_add_test(tc, top_k_of_any_strides);
    tcase_add_test(tc, ties_and_nan);
    tcase_add_test(tc, top_k_that_is_not_there);
    tcase_add_test(tc, gather_and_its_gradient);
    tcase_add_test(tc, threads_change_nothing);
}
TL_TEST_MAIN("tensor: along an axis")
