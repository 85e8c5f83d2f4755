/* Shapes, views, printing, build text. */
#include "check.h"
#include "tapeloom/tensor.h"

enum { N = 120 };

/* 0, 1, 2, …: an element's value is its place in memory */
static tl_tensor counting(tl_real *data, tl_shape shape) {
    for (long i = 0; i < tl_shape_numel(shape); i++) data[i] = (tl_real)i;
    return tl_tensor_of(data, shape);
}

#define assert_shape(t, ...)                                                         \
 ck_assert_msg(tl_shape_equal(tl_shape_of(t), TL_SHAPE(__VA_ARGS__)), "shape is %s", \
               tl_shape_text(tl_shape_of(t), (char[TL_SHAPE_TEXT]){0}))

START_TEST(shapes) {
    char text[TL_SHAPE_TEXT];
    ck_assert_str_eq(tl_shape_text(TL_SHAPE(2, 5, 16), text), "[2,5,16]");
    ck_assert_str_eq(tl_shape_text(TL_SCALAR_SHAPE, text), "[]");
    tl_shape huge = {TL_MAX_RANK, {0}};
    for (int i = 0; i < TL_MAX_RANK; i++) huge.dim[i] = INT64_MIN;
    ck_assert_uint_lt(strlen(tl_shape_text(huge, text)), TL_SHAPE_TEXT);
    ck_assert_int_eq(tl_shape_numel(TL_SHAPE(2, 5, 16)), 160);
    ck_assert_int_eq(tl_shape_numel(TL_SCALAR_SHAPE), 1);
    ck_assert_int_eq(tl_shape_numel(TL_SHAPE(3, 0, 2)), 0);
    ck_assert(!tl_shape_equal(TL_SHAPE(2, 3), TL_SHAPE(2, 3, 1)));
    ck_assert(!tl_shape_equal(TL_SHAPE(2, 3), TL_SHAPE(2, 4)));
}
END_TEST

START_TEST(broadcasting_of_shapes) {
    tl_shape y;
    ck_assert(tl_shape_broadcast(TL_SHAPE(3, 1), TL_SHAPE(2, 1, 4), &y));
    ck_assert(tl_shape_equal(y, TL_SHAPE(2, 3, 4)));
    ck_assert(tl_shape_broadcast(TL_SCALAR_SHAPE, TL_SHAPE(2, 3), &y));
    ck_assert(tl_shape_equal(y, TL_SHAPE(2, 3)));
    ck_assert(tl_shape_broadcast(TL_SHAPE(0, 3), TL_SHAPE(1, 3), &y));
    ck_assert(tl_shape_equal(y, TL_SHAPE(0, 3)));
    y = TL_SHAPE(7);
    ck_assert(!tl_shape_broadcast(TL_SHAPE(2, 3), TL_SHAPE(4, 3), &y));
    ck_assert(tl_shape_equal(y, TL_SHAPE(7)));
}
END_TEST

START_TEST(views) {
    tl_real data[N];
    tl_tensor t = counting(data, TL_SHAPE(4, 5, 6));
    ck_assert(tl_is_contiguous(t));
    ck_assert_int_eq(tl_numel(t), N);
    tl_tensor row = tl_at(t, 2, 3);
    assert_shape(row, 6);
    ck_assert(row.data[5] == 2 * 30 + 3 * 6 + 5);
    ck_assert(tl_item(tl_at(t, 3, 4, 5)) == 119);
    tl_tensor turned = tl_tensor_transpose(t, 0, -1);
    assert_shape(turned, 6, 5, 4);
    ck_assert(tl_item(tl_at(turned, 5, 4, 3)) == 119 && !tl_is_contiguous(turned));
    tl_tensor s = tl_tensor_slice(t, 1, 1, 4);
    assert_shape(s, 4, 3, 6);
    ck_assert(tl_item(tl_at(s, 2, 0, 1)) == 2 * 30 + 6 + 1 && !tl_is_contiguous(s));
    tl_tensor of_views = tl_tensor_slice(tl_tensor_transpose(s, 1, 2), -2, 2, 3);
    assert_shape(of_views, 4, 1, 3);
    ck_assert(tl_item(tl_at(of_views, 3, 0, 2)) == 3 * 30 + 3 * 6 + 2);
    tl_tensor wide = tl_tensor_expand(tl_at(t, 0, 0), TL_SHAPE(7, 6));
    ck_assert(tl_item(tl_at(wide, 6, 4)) == 4 && tl_numel(wide) == 42);
    ck_assert(tl_is_contiguous(tl_tensor_slice(t, 0, 1, 3)) && tl_is_contiguous(tl_tensor_slice(t, 0, 2, 2)));
}
END_TEST

START_TEST(outside_gives_no_tensor) {
    tl_real data[N];
    tl_tensor t = counting(data, TL_SHAPE(4, 5, 6)), none = {0};
    ck_assert_ptr_null(tl_at(t, 4).data);
    ck_assert_ptr_null(tl_at(t, -1).data);
    ck_assert_ptr_null(tl_at(t, 0, 0, 0, 0).data);
    ck_assert_ptr_null(tl_tensor_transpose(t, 0, 3).data);
    ck_assert_ptr_null(tl_tensor_transpose(t, -4, 0).data);
    ck_assert_ptr_null(tl_tensor_slice(t, 1, 2, 6).data);
    ck_assert_ptr_null(tl_tensor_slice(t, 1, 3, 2).data);
    ck_assert_ptr_null(tl_tensor_expand(t, TL_SHAPE(4, 5, 7)).data);
    ck_assert_ptr_null(tl_tensor_expand(t, TL_SHAPE(5, 6)).data);
    tl_tensor y = counting(data, TL_SHAPE(2, 2));
    ck_assert(!tl_tensor_reshape(t, TL_SHAPE(7, 17), &y));
    ck_assert(tl_shape_equal(tl_shape_of(y), TL_SHAPE(2, 2)));
    ck_assert_ptr_null(tl_at(none, 0).data);
    ck_assert_ptr_null(tl_tensor_slice(none, 0, 0, 0).data);
    ck_assert_ptr_null(tl_tensor_transpose(none, 0, 0).data);
    ck_assert(isnan(tl_item(none)) && isnan(tl_item(t)) && tl_numel(none) == 0 && tl_tensor_norm(none) == 0);
    ck_assert(!tl_tensor_copy(none, t) && !tl_tensor_copy(t, none));
    tl_tensor_fill(none, 1);
    ck_assert_ptr_null(tl_tensor_of(NULL, TL_SHAPE(2)).data);
}
END_TEST

/* The same elements in the same order, by a plain loop. */
static tl_real element(tl_tensor t, long i) {
    long offset = 0;
    for (int axis = t.rank - 1; axis >= 0; axis--) {
        offset += i % t.dim[axis] * t.stride[axis];
        i /= t.dim[axis];
    }
    return t.data[offset];
}
static bool reshapes(tl_tensor t, tl_shape shape) {
    tl_tensor y;
    if (!tl_tensor_reshape(t, shape, &y)) return false;
    ck_assert(tl_shape_equal(tl_shape_of(y), shape));
    for (long i = 0; i < tl_numel(t); i++) ck_assert(element(t, i) == element(y, i));
    return true;
}

START_TEST(reshape_where_strides_allow) {
    tl_real data[N];
    tl_tensor t = counting(data, TL_SHAPE(4, 5, 6));
    ck_assert(reshapes(t, TL_SHAPE(120)) && reshapes(t, TL_SHAPE(2, 3, 20)) &&
              reshapes(t, TL_SHAPE(1, 120, 1)));
    tl_tensor s = tl_tensor_slice(t, 1, 1, 4); /* [4,3,6], rows of 18 with gaps */
    ck_assert(reshapes(s, TL_SHAPE(4, 18)) && reshapes(s, TL_SHAPE(2, 2, 9, 2)) &&
              reshapes(s, TL_SHAPE(4, 1, 18, 1)));
    ck_assert(!reshapes(s, TL_SHAPE(72)) && !reshapes(s, TL_SHAPE(8, 9)) && !reshapes(s, TL_SHAPE(3, 24)));
    tl_tensor turned = tl_tensor_transpose(t, 0, 2); /* [6,5,4] */
    ck_assert(reshapes(turned, TL_SHAPE(2, 3, 5, 2, 2)) && reshapes(turned, TL_SHAPE(3, 2, 1, 5, 4)));
    ck_assert(!reshapes(turned, TL_SHAPE(30, 4)) && !reshapes(turned, TL_SHAPE(6, 20)));
    tl_tensor heads = tl_tensor_transpose(tl_tensor_of(data, TL_SHAPE(2, 5, 3, 4)), 1, 2); /* split heads */
    ck_assert(reshapes(heads, TL_SHAPE(2, 3, 5, 2, 2)) && !reshapes(heads, TL_SHAPE(6, 20)));
    ck_assert(reshapes(tl_tensor_transpose(heads, 1, 2), TL_SHAPE(2, 5, 12))); /* merged again */
    tl_tensor same = tl_tensor_expand(tl_at(t, 0, 0), TL_SHAPE(4, 5, 6));      /* strides 0,0,1 */
    ck_assert(reshapes(same, TL_SHAPE(20, 6)) && reshapes(same, TL_SHAPE(10, 2, 3, 2)) &&
              !reshapes(same, TL_SHAPE(120)));
    ck_assert(reshapes(tl_at(t, 1, 2, 3), TL_SHAPE(1, 1)) &&
              reshapes(tl_tensor_slice(turned, 1, 2, 2), TL_SHAPE(0, 3)));
}
END_TEST

START_TEST(fill_and_copy) {
    tl_real data[N], other[N];
    tl_tensor t = counting(data, TL_SHAPE(4, 5, 6));
    tl_tensor_fill(tl_tensor_slice(tl_tensor_transpose(t, 0, 2), 1, 2, 4), -1);
    for (long i = 0; i < N; i++) ck_assert(data[i] == (i / 6 % 5 == 2 || i / 6 % 5 == 3 ? -1 : (tl_real)i));
    counting(data, TL_SHAPE(N));
    tl_tensor y = tl_tensor_of(other, TL_SHAPE(6, 5, 4));
    ck_assert(tl_tensor_copy(y, tl_tensor_transpose(t, 0, 2)));
    for (long i = 0; i < N; i++) ck_assert(other[i] == i % 4 * 30 + i / 4 % 5 * 6 + i / 20);
    ck_assert(tl_tensor_copy(y, tl_at(t, 0, 0, 3)));
    ck_assert(other[0] == 3 && other[N - 1] == 3);
    ck_assert(!tl_tensor_copy(y, t));
    ck_assert(other[N - 1] == 3);
}
END_TEST

START_TEST(norm) {
    enum { LONG = 100003 };
    tl_real *data = malloc(LONG * sizeof *data);
    double exact = 0;
    for (long i = 0; i < LONG; i++) {
        data[i] = (tl_real)((i * 37 % 101 - 50) * 0.01);
        exact += (double)data[i] * (double)data[i];
    }
    tl_tensor t = tl_tensor_of(data, TL_SHAPE(LONG));
    ck_assert_double_eq_tol(tl_tensor_norm(t), sqrt(exact), 1e-11 * sqrt(exact));
    double one = 0;
    for (int threads = 1; threads <= 5; threads++) {
        tl_set_threads(threads);
        double now = tl_tensor_norm(t);
        if (threads == 1) one = now;
        ck_assert(now == one);
    }
    tl_tensor odd = {data, 2, {1000, 50}, {100, 2}};
    exact = 0;
    for (long i = 0; i < 1000; i++)
        for (long j = 0; j < 50; j++) exact += (double)data[i * 100 + j * 2] * (double)data[i * 100 + j * 2];
    ck_assert_double_eq_tol(tl_tensor_norm(odd), sqrt(exact), 1e-11 * sqrt(exact));
    data[777] = (tl_real)INFINITY;
    ck_assert(isinf(tl_tensor_norm(t)));
    data[777] = (tl_real)NAN;
    ck_assert(isnan(tl_tensor_norm(t)));
    tl_real large[] = {(tl_real)3e30, (tl_real)4e30}; /* squares overflow float */
    ck_assert_double_eq_tol(tl_tensor_norm(tl_tensor_of(large, TL_SHAPE(2))), 5e30, 1e24);
    free(data);
}
END_TEST

static void assert_prints(tl_tensor t, const char *expected) {
    char text[4096] = {0};
    FILE *out = tmpfile();
    tl_print(t, out);
    rewind(out);
    size_t n = fread(text, 1, sizeof text - 1, out);
    fclose(out);
    text[n] = 0;
    ck_assert_str_eq(text, expected);
}

START_TEST(printing) {
    tl_real data[] = {1, 0.5, -2, 0, 0.25, (tl_real)NAN};
    assert_prints(tl_tensor_of(data, TL_SHAPE(2, 3)),
                  "[2,3]\n[[ 1.0000  0.5000 -2.0000]\n [ 0.0000  0.2500     nan]]\n");
    tl_real tiny[] = {(tl_real)0.00001, -(tl_real)INFINITY};
    assert_prints(tl_tensor_of(tiny, TL_SHAPE(2)), "[2]\n[1.0000e-05       -inf]\n");
    tl_real many[N * N];
    tl_tensor t = counting(many, TL_SHAPE(N, N));
    assert_prints(tl_at(t, 0, 7), "[]\n7\n");
    assert_prints(tl_tensor_slice(tl_tensor_slice(t, 0, 0, 2), 1, 0, 2), "[2,2]\n[[  0   1]\n [120 121]]\n");
    assert_prints(tl_tensor_slice(t, 1, 0, 10), "[120,10]\n[[    0     1     2 ...     7     8     9]\n"
                                                " [  120   121   122 ...   127   128   129]\n"
                                                " [  240   241   242 ...   247   248   249]\n ...\n"
                                                " [14040 14041 14042 ... 14047 14048 14049]\n"
                                                " [14160 14161 14162 ... 14167 14168 14169]\n"
                                                " [14280 14281 14282 ... 14287 14288 14289]]\n");
    assert_prints(tl_tensor_of(many, TL_SHAPE(2, 1, 2)), "[2,1,2]\n[[[0 1]]\n\n [[2 3]]]\n");
    assert_prints((tl_tensor){0}, "no tensor\n");
    assert_prints(tl_tensor_of(data, TL_SHAPE(0)), "[0]\n[]\n");
}
END_TEST

START_TEST(build_text_and_threads) {
    assert_contains(tl_build_text(), sizeof(tl_real) == 4 ? "float, " : "double, ");
#ifdef TL_SANITIZED
    assert_contains(tl_build_text(), ", sanitizers");
#else
    ck_assert_ptr_null(strstr(tl_build_text(), "sanitizers"));
#endif
#ifdef TL_CHECKING /* DEBUG=1 */
    assert_contains(tl_build_text(), ", checking");
#else
    ck_assert_ptr_null(strstr(tl_build_text(), "checking"));
#endif
#ifdef _OPENMP
    tl_set_threads(3);
    ck_assert_int_eq(tl_threads(), 3);
    assert_contains(tl_build_text(), "OpenMP 3 threads");
    tl_set_threads(0);
    ck_assert_int_eq(tl_threads(), 3);
    ck_assert_int_ge(tl_processors(), 1);
#else
    ck_assert_int_eq(tl_threads(), 1);
    assert_contains(tl_build_text(), "without OpenMP");
#endif
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, shapes);
    tcase_add_test(tc, broadcasting_of_shapes);
    tcase_add_test(tc, views);
    tcase_add_test(tc, outside_gives_no_tensor);
    tcase_add_test(tc, reshape_where_strides_allow);
    tcase_add_test(tc, fill_and_copy);
    tcase_add_test(tc, norm);
    tcase_add_test(tc, printing);
    tcase_add_test(tc, build_text_and_threads);
}
TL_TEST_MAIN("tensor: shapes and views")
