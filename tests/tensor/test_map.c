/* The drivers: broadcasting, strides, copies and sums against plain loops over indices; the same bits for any number of
 * threads and any strides. test_map_kernels.c tests the kernels; here the expected number is the kernel's own result
 * for one element. */
#include "check.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"
#include "layouts.h"

/* ---- shapes of all kinds; laid_out gives them their strides ---- */

static const tl_shape shapes[] = {
    TL_DIMS(1),
    TL_DIMS(5),
    TL_DIMS(2, 3),
    TL_DIMS(7, 1, 33),
    TL_DIMS(3, 130),
    TL_DIMS(4, 6, 10),
    TL_DIMS(2, 3, 4, 5),
    TL_DIMS(3, 1100, 2),
    TL_DIMS(2, 2, 700, 1),
    TL_DIMS(2, 1, 2, 3, 2, 17),
    TL_DIMS(64, 40),
    TL_DIMS(0, 3),
    {0, {0}},
    TL_DIMS(5, 600),
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Every number of the pool that is not an element of t must be unchanged. */
static void must_leave_the_rest(tl_tensor t, tl_real *changed, const tl_real *before, long used) {
    for (long i = 0; i < tl_numel(t); i++) *at(t, i) = before[at(t, i) - changed];
    must(!memcmp(changed, before, (size_t)used * sizeof *changed));
}

/* ---- one and two operands ---- */

START_TEST(one_operand) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    tl_real *x_data = pool(1), *dy_data = pool(2), *y_data = pool(3), *before = pool(3), one, d;
    for (int k = 0; k < LAYOUTS * LAYOUTS * 2; k += 3) {
        tl_shape shape = shapes[_i];
        bool add = k % 2;
        tl_tensor x = laid_out(x_data, shape, k / 2 % LAYOUTS), y = laid_out(y_data, shape, k / 2 / LAYOUTS);
        tl_tensor dy = laid_out(dy_data, shape, (k + 1) % LAYOUTS);
        tl_map1(y, x, map->scale, 3);
        for (long i = 0; i < tl_numel(y); i++) must(*at(y, i) == 3 * *at(x, i));
        must_leave_the_rest(y, y_data, before, 20000);
        tl_map1_grad(y, dy, x, dy, map->relu_grad, 0, add);
        for (long i = 0; i < tl_numel(y); i++) {
            map->relu_grad(1, &d, at(dy, i), at(x, i), at(dy, i), 0, false);
            must(*at(y, i) == (add ? before[at(y, i) - y_data] + d : d));
        }
        must_leave_the_rest(y, y_data, before, 20000);
        tl_map1_grad(y, dy, dy, x, map->tanh_grad, 0, add);
        for (long i = 0; i < tl_numel(y); i++) {
            map->tanh_grad(1, &d, at(dy, i), &one, at(x, i), 0, false);
            must(*at(y, i) == (add ? before[at(y, i) - y_data] + d : d));
        }
        must_leave_the_rest(y, y_data, before, 20000);
    }
    tl_tensor t = tl_tensor_of(y_data, TL_SHAPE(3, 500)); /* in place */
    tl_map1(t, t, map->neg, 0);
    for (long i = 0; i < 1500; i++) must(y_data[i] == -before[i]);
    free(x_data), free(dy_data), free(y_data), free(before);
}
END_TEST

/* Pairs that broadcast to a common shape. */
static const tl_shape pairs[][2] = {
    {TL_DIMS(3, 17), TL_DIMS(3, 17)},      {TL_DIMS(3, 17), TL_DIMS(17)},
    {TL_DIMS(3, 1), TL_DIMS(2, 1, 4)},     {{0, {0}}, TL_DIMS(5, 7)},
    {TL_DIMS(2, 3, 600), TL_DIMS(3, 1)},   {TL_DIMS(2, 3, 600), TL_DIMS(1, 1, 600)},
    {TL_DIMS(1), TL_DIMS(2000)},           {TL_DIMS(4, 1, 5, 1), TL_DIMS(3, 1, 6)},
    {TL_DIMS(9, 1100), TL_DIMS(9, 1)},     {TL_DIMS(0, 3), TL_DIMS(1, 3)},
    {TL_DIMS(40, 1), TL_DIMS(1, 40)},      {{0, {0}}, {0, {0}}},
    {TL_DIMS(2, 700, 3), TL_DIMS(700, 1)},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

START_TEST(two_operands_broadcast) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    tl_real *x_data = pool(1), *y_data = pool(2), *z_data = pool(3), *before = pool(3), *dy_data = pool(4),
            value;
    for (int k = 0; k < LAYOUTS * LAYOUTS * 2; k += 3) {
        tl_shape shape;
        must(tl_shape_broadcast(pairs[_i][0], pairs[_i][1], &shape));
        tl_tensor x = laid_out(x_data, pairs[_i][k % 2], k / 2 % LAYOUTS);
        tl_tensor y = laid_out(y_data, pairs[_i][1 - k % 2], k / 2 / LAYOUTS);
        tl_tensor z = laid_out(z_data, shape, k % LAYOUTS);
        tl_tensor wide_x = tl_tensor_expand(x, shape), wide_y = tl_tensor_expand(y, shape);
        tl_map2(z, x, y, map->sub);
        for (long i = 0; i < tl_numel(z); i++) must(*at(z, i) == *at(wide_x, i) - *at(wide_y, i));
        must_leave_the_rest(z, z_data, before, 20000);
        tl_tensor dy = laid_out(dy_data, shape, (k + 2) % LAYOUTS);
        for (int add = 0; add < 2; add++) {
            tl_map2_grad(z, dy, x, y, map->div_grad_y, add);
            for (long i = 0; i < tl_numel(z); i++) {
                map->div_grad_y(1, &value, at(dy, i), at(wide_x, i), 1, at(wide_y, i), 1, false);
                must(*at(z, i) == (add ? before[at(z, i) - z_data] + value : value));
            }
            must_leave_the_rest(z, z_data, before, 20000);
        }
    }
    free(x_data), free(y_data), free(z_data), free(before), free(dy_data);
}
END_TEST

START_TEST(three_operands_broadcast) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    static const tl_shape of[][3] = {{TL_DIMS(7, 1, 33), TL_DIMS(5, 1), TL_DIMS(33)},
                                     {TL_DIMS(3, 1100), {0, {0}}, TL_DIMS(3, 1)},
                                     {TL_DIMS(4), TL_DIMS(2, 3, 1), TL_DIMS(1, 3, 4)}};
    tl_real *data[3] = {pool(1), pool(2), pool(4)}, *w_data = pool(3), *before = pool(3), value;
    for (int k = 0; k < 3 * LAYOUTS * LAYOUTS; k++) {
        tl_shape shape = of[k % 3][0];
        tl_tensor in[3], wide[3];
        for (int i = 0; i < 3; i++) {
            must(tl_shape_broadcast(shape, of[k % 3][i], &shape));
            in[i] = laid_out(data[i], of[k % 3][i], (k / 3 + i * (k / 3 / LAYOUTS)) % LAYOUTS);
        }
        tl_tensor w = laid_out(w_data, shape, k % LAYOUTS);
        for (int i = 0; i < 3; i++) wide[i] = tl_tensor_expand(in[i], shape);
        tl_map3(w, in[0], in[1], in[2], map->binary_cross_entropy);
        for (long i = 0; i < tl_numel(w); i++) {
            map->binary_cross_entropy(1, &value, at(wide[0], i), 1, at(wide[1], i), 1, at(wide[2], i), 1);
            must(*at(w, i) == value);
        }
        must_leave_the_rest(w, w_data, before, 20000);
    }
    for (int i = 0; i < 3; i++) free(data[i]);
    free(w_data), free(before);
}
END_TEST

START_TEST(dropout_counts_in_row_major_order) {
    tl_real *x_data = pool(1), *y_data = pool(2), *before = pool(2);
    tl_rng_key key = tl_rng_key_of(5, "d");
    for (int s = 0; s < SHAPES; s++)
        for (int k = 0; k < LAYOUTS * LAYOUTS * 2; k += 3) {
            bool add = k % 2;
            tl_tensor x = laid_out(x_data, shapes[s], k / 2 % LAYOUTS);
            tl_tensor y = laid_out(y_data, shapes[s], k / 2 / LAYOUTS);
            tl_map_dropout(y, x, 0.3, key, add);
            for (long i = 0; i < tl_numel(y); i++) {
                bool keep = tl_rng_bits(key, (uint64_t)i) >= 0.3 * 0x1p32;
                tl_real value = keep ? (tl_real)(1 / (1 - 0.3)) * *at(x, i) : 0;
                must(*at(y, i) == (add ? before[at(y, i) - y_data] + value : value));
            }
            must_leave_the_rest(y, y_data, before, 20000);
        }
    free(x_data), free(y_data), free(before);
}
END_TEST

/* ---- copies ---- */

START_TEST(copies) {
    tl_real *x_data = pool(1), *y_data = pool(2), *before = pool(2);
    for (int k = 0; k < LAYOUTS * LAYOUTS; k++) {
        tl_tensor from = laid_out(x_data, shapes[_i], k % LAYOUTS),
                  to = laid_out(y_data, shapes[_i], k / LAYOUTS);
        must(tl_tensor_copy(to, from));
        for (long i = 0; i < tl_numel(to); i++) must(*at(to, i) == *at(from, i));
        must_leave_the_rest(to, y_data, before, 20000);
        must(tl_tensor_accumulate(to, from));
        for (long i = 0; i < tl_numel(to); i++) must(*at(to, i) == before[at(to, i) - y_data] + *at(from, i));
        must_leave_the_rest(to, y_data, before, 20000);
    }
    free(x_data), free(y_data), free(before);
}
END_TEST

START_TEST(copies_of_views_and_broadcasts) {
    tl_real *x_data = pool(1), *y_data = pool(2), *before = pool(2);
    tl_tensor btd = tl_tensor_of(x_data, TL_SHAPE(5, 70, 6, 33)); /* [B,T,H,dk] */
    tl_tensor from[] = {
        tl_tensor_transpose(btd, 1, 2),                                        /* split heads */
        tl_tensor_transpose(tl_tensor_transpose(btd, 1, 2), 2, 3),             /* and keys transposed */
        tl_tensor_transpose(btd, 0, 3),                                        /* */
        tl_tensor_expand(tl_tensor_of(x_data, TL_SHAPE(33)), TL_SHAPE(9, 33)), /* a row, repeated */
        tl_tensor_expand(tl_tensor_of(x_data, TL_SHAPE(33, 1)), TL_SHAPE(2, 33, 9)),
        tl_tensor_expand(tl_tensor_of(x_data, TL_SCALAR_SHAPE), TL_SHAPE(70000)),
        tl_tensor_of(x_data, TL_SHAPE(100003)),
    };
    for (int k = 0; k < 7; k++)
        for (int threads = 1; threads <= 3; threads++) {
            tl_set_threads(threads);
            tl_tensor to = tl_tensor_of(y_data, tl_shape_of(from[k]));
            must(tl_tensor_copy(to, from[k]));
            for (long i = 0; i < tl_numel(to); i++) must(y_data[i] == *at(from[k], i));
            memcpy(y_data, before, POOL * sizeof *y_data);
            must(tl_tensor_accumulate(to, from[k]));
            for (long i = 0; i < tl_numel(to); i++) must(y_data[i] == before[i] + *at(from[k], i));
            memcpy(y_data, before, POOL * sizeof *y_data);
        }
    must(!tl_tensor_accumulate(tl_tensor_of(y_data, TL_SHAPE(3)), tl_tensor_of(x_data, TL_SHAPE(4))));
    must(!tl_tensor_accumulate((tl_tensor){0}, tl_tensor_of(x_data, TL_SHAPE(4))));
    free(x_data), free(y_data), free(before);
}
END_TEST

/* ---- sums ---- */

static const tl_shape sums[][2] = {
    /* to, from */
    {TL_DIMS(7, 33), TL_DIMS(5, 7, 33)},    /* [B,T,D] -> [T,D] */
    {TL_DIMS(33), TL_DIMS(5, 7, 33)},       /* -> [D] */
    {{0, {0}}, TL_DIMS(5, 7, 33)},          /* -> scalar */
    {TL_DIMS(5, 7, 1), TL_DIMS(5, 7, 33)},  /* last axis, kept */
    {TL_DIMS(5, 1, 33), TL_DIMS(5, 7, 33)}, /* middle axis */
    {TL_DIMS(1, 7, 1), TL_DIMS(5, 7, 33)},  /* outer two */
    {TL_DIMS(3, 1, 4, 1, 5), TL_DIMS(3, 6, 4, 7, 5)},
    {TL_DIMS(1, 6, 1, 7, 1), TL_DIMS(3, 6, 4, 7, 5)},
    {TL_DIMS(1), TL_DIMS(20001)},       /* long */
    {TL_DIMS(1500), TL_DIMS(12, 1500)}, /* wide */
    {TL_DIMS(3), TL_DIMS(2000, 3)},     /* narrow */
    {TL_DIMS(2, 1), TL_DIMS(2, 5000)},  /* long rows */
    {TL_DIMS(4, 5), TL_DIMS(4, 5)},     /* nothing to sum */
    {TL_DIMS(1, 1), TL_DIMS(1, 1, 1)},
    {TL_DIMS(1, 3), TL_DIMS(0, 3)}, /* a sum without terms is 0 */
    {TL_DIMS(0, 1), TL_DIMS(0, 3)},
};
enum { SUMS = sizeof sums / sizeof *sums };

START_TEST(sums_against_a_plain_loop) {
    tl_real *from_data = pool(1), *to_data = pool(2), *before = pool(2);
    static tl_real kept[2][2000];
    const tl_shape *shape = sums[_i];
    bool chains = shape[0].rank > 0 && shape[0].dim[shape[0].rank - 1] > 1; /* the last axis stays */
    for (int k = 0; k < LAYOUTS * LAYOUTS * 2; k++) {
        bool add = k % 2;
        tl_tensor from = laid_out(from_data, sums[_i][1], k / 2 % LAYOUTS);
        tl_tensor to = laid_out(to_data, sums[_i][0], k / 2 / LAYOUTS);
        long double exact[2000] = {0};
        double size[2000] = {0};
        tl_real numbers[2000];
        for (long i = 0; i < tl_numel(to); i++) numbers[i] = (tl_real)i;
        tl_tensor where = tl_tensor_expand(tl_tensor_of(numbers, sums[_i][0]), sums[_i][1]);
        for (long i = 0; i < tl_numel(from); i++) { /* the same numbers in every layout */
            *at(from, i) = (tl_real)((double)(i * 7919 % 1999) / 1024 - 0.9);
            long j = (long)*at(where, i);
            exact[j] += *at(from, i);
            size[j] += fabs((double)*at(from, i));
        }
        for (long i = 0; i < tl_numel(to); i++) *at(to, i) = (tl_real)(0.25 * (double)(i % 7));
        must(tl_tensor_sum_to(to, from, add));
        for (long j = 0; j < tl_numel(to); j++) {
            long double should = exact[j] + (add ? 0.25L * (j % 7) : 0);
            /* the most roundings that a summand goes through; each is at most half a unit of the sum's last place */
            long terms = tl_numel(from) / tl_numel(to), roundings = terms < 120 || chains ? terms + 1 : 120;
            double slack = (size[j] + 2) * (double)roundings * (sizeof(tl_real) == 4 ? 0x1p-24 : 0x1p-53);
            must_msg(fabsl(*at(to, j) - should) <= slack, "element %ld: %.9g, should be %.9Lg", j,
                     (double)*at(to, j), should);
            if (k < 2) kept[add][j] = *at(to, j);
            must(*at(to, j) == kept[add][j]); /* the same bits from every layout */
        }
        for (long i = 0; i < tl_numel(to); i++) *at(to, i) = before[at(to, i) - to_data];
        must(!memcmp(to_data, before, 20000 * sizeof *before));
    }
    free(from_data), free(to_data), free(before);
}
END_TEST

START_TEST(column_sums_are_chains_in_row_order) {
    tl_real *from_data = pool(1), *to_data = pool(2);
    const long colss[] = {3, 70, 600, 1500};
    for (int k = 0; k < 4; k++) {
        long cols = colss[k];
        tl_tensor from = tl_tensor_of(from_data, TL_SHAPE(150, cols));
        must(tl_tensor_sum_to(tl_tensor_of(to_data, TL_SHAPE(cols)), from, false));
        for (long c = 0; c < cols; c++) {
            tl_real sum = 0;
            for (long r = 0; r < 150; r++) sum += from_data[r * cols + c];
            must(to_data[c] == sum);
        }
    }
    free(from_data), free(to_data);
}
END_TEST

START_TEST(row_sums_do_not_see_padding) {
    tl_real *data = pool(1), alone, padded;
    for (long n = 1; n < 9000; n = n * 3 / 2 + 1) {
        must(tl_tensor_sum_to(tl_tensor_of(&alone, TL_SHAPE(1)), tl_tensor_of(data, TL_SHAPE(n)), false));
        tl_real *longer = calloc((size_t)n + 5000, sizeof *longer);
        memcpy(longer, data, (size_t)n * sizeof *data);
        must(tl_tensor_sum_to(tl_tensor_of(&padded, TL_SHAPE(1)), tl_tensor_of(longer, TL_SHAPE(n + 5000)),
                              false));
        must(alone == padded);
        free(longer);
    }
    free(data);
}
END_TEST

START_TEST(a_row_among_rows_has_the_sum_it_has_alone) {
    tl_real *data = pool(1), alone, together[5];
    for (long n = 1; n < 9000; n = n * 3 / 2 + 1) {
        must(tl_tensor_sum_to(tl_tensor_of(together, TL_SHAPE(5, 1)), tl_tensor_of(data, TL_SHAPE(5, n)),
                              false));
        for (long r = 0; r < 5; r++) {
            must(tl_tensor_sum_to(tl_tensor_of(&alone, TL_SHAPE(1)), tl_tensor_of(data + r * n, TL_SHAPE(n)),
                                  false));
            must(alone == together[r]);
        }
    }
    free(data);
}
END_TEST

START_TEST(sums_of_many_blocks) {
    enum { N = 1200007 };
    tl_real *data = malloc(N * sizeof *data), total[2];
    double exact = 0;
    for (long i = 0; i < N; i++) exact += data[i] = (tl_real)(i % 13);
    for (int threads = 1; threads <= 5; threads++) {
        tl_set_threads(threads);
        tl_tensor sum = tl_tensor_of(&total[threads > 1], TL_SCALAR_SHAPE);
        must(tl_tensor_sum_to(sum, tl_tensor_of(data, TL_SHAPE(N)), false));
        must(total[threads > 1] == total[0] && total[0] == (tl_real)exact);
    }
    free(data);
}
END_TEST

START_TEST(sums_that_do_not_fit) {
    tl_real a[12], b[4] = {1, 2, 3, 4};
    must(!tl_tensor_sum_to(tl_tensor_of(b, TL_SHAPE(4)), tl_tensor_of(a, TL_SHAPE(4, 3)), false));
    must(!tl_tensor_sum_to(tl_tensor_of(b, TL_SHAPE(1, 4)), tl_tensor_of(a, TL_SHAPE(4)), false));
    must(!tl_tensor_sum_to((tl_tensor){0}, tl_tensor_of(a, TL_SHAPE(4)), false));
    must(b[0] == 1 && b[3] == 4);
}
END_TEST

/* ---- threads ---- */

typedef struct results {
    tl_real *map, *grad, *drop, *copy, *sum[5];
} results;

static void run_all(results *r, tl_real *data, tl_real *other) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    enum { B = 33, T = 21, D = 130 };
    tl_shape shape = TL_SHAPE(B, T, D);
    long n = tl_shape_numel(shape);
    tl_tensor x = tl_tensor_of(data, shape), dy = tl_tensor_of(other, shape);
    tl_real **all = (tl_real **)r;
    for (int i = 0; i < 9; i++) all[i] = malloc((size_t)n * sizeof(tl_real));
    tl_map1(tl_tensor_of(r->map, shape), x, map->gelu, 0);
    tl_map2(tl_tensor_of(r->map, shape), tl_tensor_of(r->map, shape), tl_at(x, 0, 0), map->mul);
    memcpy(r->grad, other, (size_t)n * sizeof(tl_real));
    tl_map1_grad(tl_tensor_of(r->grad, shape), dy, x, x, map->gelu_grad, 0, true);
    tl_map_dropout(tl_tensor_of(r->drop, shape), x, 0.1, tl_rng_key_of(1, "t"), false);
    tl_tensor_copy(tl_tensor_of(r->copy, TL_SHAPE(D, T, B)), tl_tensor_transpose(x, 0, 2));
    const tl_shape to[] = {TL_DIMS(T, D), TL_DIMS(D), {0, {0}}, TL_DIMS(B, T, 1), TL_DIMS(1, T, 1)};
    for (int i = 0; i < 5; i++) {
        memset(r->sum[i], 0, (size_t)n * sizeof(tl_real));
        tl_tensor_sum_to(tl_tensor_of(r->sum[i], to[i]), x, false);
    }
}

START_TEST(threads_change_nothing) {
    enum { N = 33 * 21 * 130 };
    tl_real *data = pool(1), *other = pool(2);
    const int counts[] = {1, 2, 3, 5};
    results one;
    for (int k = 0; k < 4; k++) {
        results now;
        tl_set_threads(counts[k]);
        run_all(&now, data, other);
        if (k == 0) {
            one = now;
            continue;
        }
        tl_real **a = (tl_real **)&one, **b = (tl_real **)&now;
        for (int i = 0; i < 9; i++) {
            must_msg(i >= 4 || !memcmp(a[i], b[i], N * sizeof(tl_real)), "result %d, %d threads", i,
                     counts[k]);
            must_msg(!memcmp(a[i], b[i], 33 * 21 * sizeof(tl_real)), "result %d, %d threads", i, counts[k]);
            free(b[i]);
        }
    }
    for (int i = 0; i < 9; i++) free(((tl_real **)&one)[i]);
    free(data), free(other);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, one_operand, 0, SHAPES);
    tcase_add_loop_test(tc, two_operands_broadcast, 0, PAIRS);
    tcase_add_test(tc, three_operands_broadcast);
    tcase_add_test(tc, dropout_counts_in_row_major_order);
    tcase_add_loop_test(tc, copies, 0, SHAPES);
    tcase_add_test(tc, copies_of_views_and_broadcasts);
    tcase_add_loop_test(tc, sums_against_a_plain_loop, 0, SUMS);
    tcase_add_test(tc, column_sums_are_chains_in_row_order);
    tcase_add_test(tc, row_sums_do_not_see_padding);
    tcase_add_test(tc, a_row_among_rows_has_the_sum_it_has_alone);
    tcase_add_test(tc, sums_of_many_blocks);
    tcase_add_test(tc, sums_that_do_not_fit);
    tcase_add_test(tc, threads_change_nothing);
}
TL_TEST_MAIN("tensor: maps, copies, sums")
