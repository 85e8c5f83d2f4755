/* Shapes that no tensor can have, tensors that callers have put together wrongly, NULL pointers: each is refused, and
 * nothing is read or written. */
#define _POSIX_C_SOURCE 200809L
#include "nothing.h"
#include "tapeloom/tensor.h"

#include <limits.h>

#define BIG (1L << 40)

/* Negative sizes, impossible ranks, or so many elements that their number or their bytes would wrap. */
static const tl_shape none[] = {
    {-1, {0}},
    {TL_MAX_RANK + 1, {1, 1, 1, 1, 1, 1}},
    {INT_MAX, {0}},
    {INT_MIN, {0}},
    {1, {-1}},
    {2, {3, LONG_MIN}},
    {1, {LONG_MAX}},
    {2, {BIG, BIG}},
    {2, {5, 0x3333333333333334}}, /* their product is 4 modulo 2^64 */
    {4, {1L << 16, 1L << 16, 1L << 16, 1L << 16}},
    {3, {BIG, BIG, 0}}, /* no elements, but strides that would not fit */
    {3, {0, BIG, BIG}},
};
enum { NONE = sizeof none / sizeof *none };

START_TEST(shapes_that_are_none) {
    tl_real x[4] = {1, 2, 3, 4};
    const tl_tensor t = tl_tensor_of(x, TL_SHAPE(4));
    tl_tensor out = t;
    tl_shape y = TL_SHAPE(7);
    char text[TL_SHAPE_TEXT];
    ck_assert_int_eq(tl_shape_numel(none[_i]), -1);
    ck_assert_ptr_null(tl_tensor_of(x, none[_i]).data);
    ck_assert_ptr_null(tl_tensor_expand(tl_tensor_of(x, TL_SCALAR_SHAPE), none[_i]).data);
    ck_assert(!tl_tensor_reshape(t, none[_i], &out));
    ck_assert(out.rank == 1 && out.dim[0] == 4);
    ck_assert(!tl_shape_broadcast(none[_i], TL_SCALAR_SHAPE, &y));
    ck_assert(!tl_shape_broadcast(TL_SCALAR_SHAPE, none[_i], &y));
    ck_assert(tl_shape_equal(y, TL_SHAPE(7)));
    ck_assert_uint_lt(strlen(tl_shape_text(none[_i], text)), TL_SHAPE_TEXT);
}
END_TEST

/* A tensor is an open struct: one that is put together wrongly is refused. */
START_TEST(tensors_that_are_none) {
    tl_real x[4] = {1, 2, 3, 4}, y[4] = {0};
    int ids[4] = {7, 7, 7, 7};
    tl_tensor t = {.data = x, .rank = none[_i].rank}, out = {.data = y};
    memcpy(t.dim, none[_i].dim, sizeof t.dim);
    ck_assert_int_eq(tl_numel(t), 0);
    ck_assert_ptr_null(tl_at(t, 0).data);
    ck_assert_int_eq(tl_numel(tl_tensor_transpose(t, 0, 0)), 0);
    ck_assert_ptr_null(tl_tensor_slice(t, 0, 0, 0).data);
    ck_assert_ptr_null(tl_tensor_expand(t, TL_SHAPE(1, 1, 1, 1, 1, 1)).data);
    ck_assert(!tl_tensor_reshape(t, TL_SHAPE(0), &out));
    tl_tensor_fill(t, 9);
    ck_assert(!tl_tensor_copy(t, tl_tensor_of(y, TL_SHAPE(4))));
    ck_assert(!tl_tensor_copy(tl_tensor_of(y, TL_SHAPE(4)), t));
    ck_assert(isnan(tl_item(t)));
    ck_assert_double_eq(tl_tensor_norm(t), 0);
    ck_assert(!tl_top_k(t, 0, 1, ids, NULL) && !tl_argmax(t, 0, ids));
    FILE *f = tmpfile();
    tl_print(t, f);
    rewind(f);
    char line[32] = "";
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    ck_assert_str_eq(line, "no tensor\n");
    fclose(f);
    for (int i = 0; i < 4; i++) ck_assert(x[i] == i + 1 && y[i] == 0 && ids[i] == 7);
}
END_TEST

/* Large sizes that fit are accepted, also those of broadcast axes. tl_shape_broadcast may give a shape that does not
 * fit. */
START_TEST(what_fits_fits) {
    tl_real x = 3;
    tl_shape y;
    ck_assert_int_eq(tl_shape_numel(TL_SHAPE(1L << 31, 1)), 1L << 31);
    ck_assert_int_eq(tl_shape_numel(TL_SHAPE(0, BIG)), 0);
    tl_tensor wide = tl_tensor_expand(tl_tensor_of(&x, TL_SCALAR_SHAPE), TL_SHAPE(1L << 31, 1));
    ck_assert_ptr_nonnull(wide.data);
    ck_assert_int_eq(tl_numel(wide), 1L << 31);
    ck_assert_ptr_nonnull(tl_at(wide, (1L << 31) - 1, 0).data);
    ck_assert(tl_shape_broadcast(TL_SHAPE(1L << 31, 1), TL_SHAPE(1, 1L << 31), &y)); /* a shape … */
    ck_assert_int_eq(tl_shape_numel(y), -1); /* … that no tensor has */
}
END_TEST

START_TEST(pointers_that_are_not_there) {
    tl_real x[4] = {4, 3, 2, 1};
    const tl_tensor t = tl_tensor_of(x, TL_SHAPE(2, 2));
    ck_assert_ptr_null(tl_at_n(t, 1, NULL).data);
    ck_assert_ptr_nonnull(tl_at_n(t, 0, NULL).data);
    ck_assert(!tl_tensor_reshape(t, TL_SHAPE(4), NULL));
    ck_assert(!tl_shape_broadcast(TL_SHAPE(2), TL_SHAPE(2), NULL));
    ck_assert(!tl_top_k(t, 0, 1, NULL, x) && !tl_argmax(t, 0, NULL));
    ck_assert_ptr_null(tl_tensor_of(NULL, TL_SHAPE(1)).data);
    tl_print(t, NULL);
    tl_rng_shuffle(tl_rng_key_of(1, NULL), 4, NULL);
    tl_matmul_precision precision = TL_HIGH;
    ck_assert(!tl_matmul_precision_of(NULL, &precision) && !tl_matmul_precision_of("medium", NULL));
    ck_assert_str_eq(tl_matmul_precision_name((tl_matmul_precision)7), "none");
    tl_error error = {""};
    ck_assert(!tl_set_isa(NULL, &error) && !tl_set_isa("none such", NULL));
    ck_assert(tl_failed(&error) && tl_failed(NULL));
    ck_assert(!tl_error_set(NULL, "x"));
    tl_error_clear(NULL);
    for (int i = 0; i < 4; i++) ck_assert(x[i] == 4 - i);
    ck_assert_ptr_null(tl_shape_text(TL_SHAPE(2), NULL));
    ck_assert(!tl_is_contiguous((tl_tensor){0}) || tl_numel((tl_tensor){0}) == 0);
}
END_TEST

START_TEST(numbers_at_their_ends) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(UINT64_MAX, ""), UINT64_MAX);
    long items[3] = {0, 1, 2};
    const long few[] = {1, 0, -1, LONG_MIN};
    for (int i = 0; i < 4; i++) {
        tl_rng_shuffle(key, few[i], items);
        ck_assert_int_eq(tl_rng_below(key, 0, few[i]), 0);
    }
    ck_assert(items[0] == 0 && items[1] == 1 && items[2] == 2);
    const long below = tl_rng_below(key, UINT64_MAX, LONG_MAX);
    ck_assert(below >= 0 && below < LONG_MAX);
    ck_assert(tl_rng_uniform(key, UINT64_MAX) < 1 && isfinite(tl_rng_normal(key, UINT64_MAX)));
    ck_assert(tl_rng_bits(key, 0) != tl_rng_bits(key, (uint64_t)1 << 32));
    const int threads = tl_threads();
    tl_set_threads(0), tl_set_threads(-1), tl_set_threads(INT_MIN);
    ck_assert(tl_threads() == threads && threads >= 1 && tl_processors() >= 1);
    tl_set_threads(INT_MAX);
    ck_assert(tl_threads() >= 1 && tl_threads() <= (tl_processors() > 64 ? tl_processors() : 64));
    tl_set_threads(1);
    ck_assert(tl_build_text() && tl_shape_of((tl_tensor){.rank = INT_MIN}).rank == INT_MIN);
}
END_TEST

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/tensor.h", "tests/tensor/test_sizes.c");
    every_function_is_called("include/tapeloom/base.h", "tests/tensor/test_sizes.c");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, shapes_that_are_none, 0, NONE);
    tcase_add_loop_test(tc, tensors_that_are_none, 0, NONE);
    tcase_add_test(tc, what_fits_fits);
    tcase_add_test(tc, pointers_that_are_not_there);
    tcase_add_test(tc, numbers_at_their_ends);
    tcase_add_test(tc, no_function_is_forgotten);
}
TL_TEST_MAIN("tensor: sizes and pointers")
