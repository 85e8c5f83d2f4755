/* Packed weights: they change no bit, and are forgotten when reuse is switched off. */
#include "check.h"
#include "tapeloom.h"
#include "autograd/for_kernels.h"
#include "../tensor/numbers.h"
#include "tensor/product.h"

static tl_tensor filled(tl_shape shape) {
    tl_tensor t = tl_tensor_of(malloc((size_t)tl_shape_numel(shape) * sizeof(tl_real)), shape);
    fill(t.data, (size_t)tl_numel(t), 1);
    return t;
}

/* ---- the product ---- */

/* c = a·b (+ bias), with b packed or not */
static void multiply(tl_tensor c, tl_tensor a, tl_tensor b, const tl_real *bias,
                     tl_matmul_precision precision, bool packed) {
    tl_workspace w = {0};
    tl_real *panels =
        aligned_alloc(64, ((size_t)tl_product_packed_numel(b, precision) * sizeof *panels + 64) / 64 * 64);
    tl_product_packed p = tl_product_prepack(panels, b, precision);
    const tl_product_options options = {.bias = bias, .precision = precision, .packed = packed ? &p : NULL};
    must(tl_product(c, a, b, &options, &w));
    tl_workspace_free(&w);
    free(panels);
}

/* The number of elements that differ between the products with and without packed b. */
static long different(long m, long n, long k, bool b_transposed, bool c_transposed, bool with_bias,
                      tl_matmul_precision precision) {
    tl_tensor a = filled(TL_SHAPE(m, k)), b = filled(b_transposed ? TL_SHAPE(n, k) : TL_SHAPE(k, n)),
              bias = filled(TL_SHAPE(n)), c[2], whole_b = b;
    if (b_transposed) b = tl_tensor_transpose(b, 0, 1);
    long count = 0;
    for (int packed = 0; packed < 2; packed++) {
        c[packed] = filled(c_transposed ? TL_SHAPE(n, m) : TL_SHAPE(m, n));
        multiply(c_transposed ? tl_tensor_transpose(c[packed], 0, 1) : c[packed], a, b,
                 with_bias ? bias.data : NULL, precision, packed);
    }
    for (long i = 0; i < m * n; i++) count += memcmp(c[0].data + i, c[1].data + i, sizeof(tl_real)) != 0;
    free(a.data), free(whole_b.data), free(bias.data), free(c[0].data), free(c[1].data);
    return count;
}

static void try_forms(long m, long n, long k) {
    for (int form = 0; form < 8; form++)
        for (int p = TL_HIGHEST; p <= TL_MEDIUM; p++)
            must_msg(different(m, n, k, form & 1, form & 2, form & 4, (tl_matmul_precision)p) == 0,
                     "%ld x %ld x %ld, form %d, precision %d", m, n, k, form, p);
}

START_TEST(packing_changes_no_bit) {
    static const long rows[] = {1, 7, 13, 40}, columns[] = {1, 5, 16, 31, 33, 100}, inner[] = {1, 8, 100};
    for (int m = 0; m < 4; m++)
        for (int n = 0; n < 6; n++)
            for (int k = 0; k < 3; k++) try_forms(rows[m], columns[n], inner[k]);
    try_forms(3, 33, 257); /* k in several blocks … */
    try_forms(2, 50, 1300);
    try_forms(300, 40, 20); /* … and rows, and columns */
    try_forms(2, 1000, 70);
}
END_TEST

/* Panels are not used for a batch of b or for another matrix. */
START_TEST(panels_that_do_not_fit_are_not_used) {
    tl_tensor a = filled(TL_SHAPE(2, 3, 8)), b = filled(TL_SHAPE(2, 8, 40)), c = filled(TL_SHAPE(2, 3, 40)),
              wanted = filled(TL_SHAPE(2, 3, 40));
    tl_workspace w = {0};
    tl_tensor other = filled(TL_SHAPE(8, 40));
    tl_real *panels = aligned_alloc(64, 1 << 14);
    tl_product_packed p = tl_product_prepack(panels, other, TL_HIGHEST);
    must(tl_product(wanted, a, b, NULL, &w));
    must(tl_product(c, a, b, &(tl_product_options){.packed = &p}, &w));
    must(memcmp(c.data, wanted.data, (size_t)tl_numel(c) * sizeof(tl_real)) == 0);
    p.k = 4; /* the header now says another size: [4,40] */
    must(tl_product(tl_at(c, 0), tl_at(a, 0), tl_at(b, 0), &(tl_product_options){.packed = &p}, &w));
    must(memcmp(c.data, wanted.data, (size_t)(3 * 40) * sizeof(tl_real)) == 0);
    free(a.data), free(b.data), free(c.data), free(wanted.data), free(other.data), free(panels);
    tl_workspace_free(&w);
}
END_TEST

/* ---- the tape ---- */

typedef struct model {
    tl_params *params;
    tl_param *weight;
    tl_tape *tape;
} model;
static model begin(void) {
    model m = {.params = tl_params_new(3), .tape = tl_tape_new()};
    m.weight = tl_params_add(m.params, "w", TL_SHAPE(50, 20), (tl_init){TL_INIT_XAVIER, 0});
    return m;
}
static void end(model *m) {
    tl_tape_free(m->tape);
    tl_params_free(m->params);
}

/* x times rows [from, to) of the weight, its first element */
static tl_real first_of(model *m, long from, long to) {
    static tl_real ones[20];
    for (int i = 0; i < 20; i++) ones[i] = 1;
    tl_var w = tl_slice(tl_use(m->tape, m->weight), 0, from, to);
    tl_var y = tl_linear(tl_constant(m->tape, tl_tensor_of(ones, TL_SHAPE(1, 20))), w, TL_NO_VAR);
    assert_no_error(tl_tape_error(m->tape));
    return tl_value(y).data[0];
}

START_TEST(weights_are_packed_once_until_switched_off) {
    model m = begin();
    const tl_real before = first_of(&m, 0, 50), third = first_of(&m, 2, 40);
    tl_real *w = tl_param_value(m.weight).data;
    ck_assert(!tl_tape_set_reuse_weights(m.tape, true));
    tl_mark mark = tl_tape_mark(m.tape);
    ck_assert(first_of(&m, 0, 50) == before);
    tl_tape_release(m.tape, mark);
    w[0] += 1, w[40] += 1;                    /* forbidden, but it shows that the panels are used */
    ck_assert(first_of(&m, 0, 50) == before); /* from the packed copy, though its step was released */
    ck_assert(first_of(&m, 2, 40) != third);  /* a part of the weight is another matrix: packed now */
    tl_tape_reset(m.tape);
    ck_assert(first_of(&m, 0, 50) == before);
    const long allocations = tl_tape_stats_of(m.tape).allocations;
    tl_params_changed(m.params); /* after writing to a parameter: packed again, in the same memory */
    ck_assert(fabs((double)(first_of(&m, 0, 50) - before) - 1) < 1e-5);
    ck_assert_int_eq(tl_tape_stats_of(m.tape).allocations, allocations);
    w[0] += 1;
    ck_assert(fabs((double)(first_of(&m, 0, 50) - before) - 1) < 1e-5);
    ck_assert(tl_tape_set_reuse_weights(m.tape, false));
    ck_assert(fabs((double)(first_of(&m, 0, 50) - before) - 2) < 1e-5);
    w[0] -= 4;
    tl_tape_set_reuse_weights(m.tape, true);
    ck_assert(fabs((double)(first_of(&m, 0, 50) - before) + 2) < 1e-5); /* packed again */
    end(&m);
}
END_TEST

START_TEST(computed_weights_are_never_packed) {
    model m = begin();
    tl_tape_set_reuse_weights(m.tape, true);
    tl_var w = tl_use(m.tape, m.weight);
    ck_assert_ptr_nonnull(tl_tape_packed(w));
    ck_assert_ptr_nonnull(tl_tape_packed(tl_slice(w, 0, 10, 30)));
    ck_assert_ptr_null(tl_tape_packed(tl_scale(w, 2)));
    ck_assert_ptr_null(tl_tape_packed(TL_NO_VAR));
    tl_tape_set_limit(m.tape, 1 << 30); /* with a limit there is no memory for copies */
    ck_assert_ptr_null(tl_tape_packed(w));
    tl_tape_set_limit(m.tape, 0);
    tl_tape_set_reuse_weights(m.tape, false);
    ck_assert_ptr_null(tl_tape_packed(w));
    end(&m);
}
END_TEST

/* More weights than the table's first size. */
START_TEST(many_weights) {
    model m = begin();
    tl_tape_set_reuse_weights(m.tape, true);
    tl_var w = tl_use(m.tape, m.weight);
    ck_assert_ptr_nonnull(tl_tape_packed(w));
    first_of(&m, 0, 50);
    for (long i = 0; i < 49; i++)
        for (long j = i + 1; j <= 50; j += 7) ck_assert_ptr_nonnull(tl_tape_packed(tl_slice(w, 0, i, j)));
    ck_assert_int_eq(tl_tape_packed(w)->n, 50);
    ck_assert_int_eq(tl_tape_packed(tl_slice(w, 0, 0, 15))->n, 15);
    long allocations = tl_tape_stats_of(m.tape).allocations;
    tl_tape_set_reuse_weights(m.tape, false);
    tl_tape_reset(m.tape);
    tl_tape_set_reuse_weights(m.tape, true);
    first_of(&m, 0, 50);
    ck_assert_int_eq(tl_tape_stats_of(m.tape).allocations, allocations);
    end(&m);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, packing_changes_no_bit);
    tcase_add_test(tc, panels_that_do_not_fit_are_not_used);
    tcase_add_test(tc, weights_are_packed_once_until_switched_off);
    tcase_add_test(tc, computed_weights_are_never_packed);
    tcase_add_test(tc, many_weights);
}
TL_TEST_MAIN("autograd: packed weights")
