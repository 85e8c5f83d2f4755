/* Operations and the tape with sizes whose products overflow, impossible shapes, and NULL arrays. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

#include <limits.h>

static tl_tape *tape;
static tl_real number = 2;

static tl_var wide(long rows, long columns) { /* one number, broadcast */
    return tl_constant(tape,
                       tl_tensor_expand(tl_tensor_of(&number, TL_SCALAR_SHAPE), TL_SHAPE(rows, columns)));
}
static tl_var wide4(long b, long h, long t, long d) {
    return tl_constant(tape, tl_tensor_expand(tl_tensor_of(&number, TL_SCALAR_SHAPE), TL_SHAPE(b, h, t, d)));
}

static void fails(tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
}

#define M (1L << 31)

START_TEST(results_that_no_memory_holds) {
    tape = tl_tape_new();
    const tl_var tall = wide(M, 1), flat = wide(1, M);
    const char *more = "has more elements than memory can hold";
    fails(tl_add(tall, flat),
          "add: the result: [2147483648,2147483648] has more elements than memory can hold");
    fails(tl_sub(tall, flat), more);
    fails(tl_mul(tall, flat), more);
    fails(tl_div(tall, flat), more);
    fails(tl_maximum(tall, flat), more);
    fails(tl_minimum(tall, flat), more);
    fails(tl_where(tall, flat, flat), more);
    fails(tl_matmul(tall, flat), more);
    fails(tl_linear(tall, tall, TL_NO_VAR), more);
    const tl_var huge = wide(1L << 58, 1);
    tl_var many[64];
    for (int i = 0; i < 64; i++) many[i] = huge;
    fails(tl_concat(many, 64, 0), "concat: the result");
    fails(tl_stack(many, 64, 0), more);
    fails(tl_scaled_dot_product_attention(wide4(1, 1, M, 1), wide4(1, 1, M, 1), wide4(1, 1, M, 1), TL_NO_VAR,
                                          NULL, 0, 0),
          "more scores than memory can hold");
    static const int zeros[64];
    fails(tl_linear_cross_entropy(wide(64, 1), huge, TL_NO_VAR, zeros, NULL, NULL),
          "more logits than can be counted");
    tl_tape_free(tape);
}
END_TEST

START_TEST(shapes_that_are_none) {
    static const struct {
        tl_shape shape;
        const char *says;
    } none[] = {{{1, {-3}}, "has an axis of negative size"},
                {{2, {1L << 40, 1L << 40}}, "has more elements than memory can hold"},
                {{-1, {0}}, "[rank -1] is of no rank that a tensor can have"},
                {{TL_MAX_RANK + 1, {1, 1, 1, 1, 1, 1}}, "[rank 7] is of no rank"}};
    tape = tl_tape_new();
    const tl_shape s = none[_i].shape;
    tl_tensor t = {.data = &number, .rank = s.rank};
    memcpy(t.dim, s.dim, sizeof t.dim);
    fails(tl_zeros(tape, s), none[_i].says);
    fails(tl_full(tape, s, 1), none[_i].says);
    fails(tl_constant(tape, t), none[_i].says);
    fails(tl_variable(tape, t), none[_i].says);
    fails(tl_constant_copy(tape, t), none[_i].says);
    fails(tl_use_leaf(tape, &(tl_leaf){.name = "w", .value = t}), none[_i].says);
    fails(tl_embedding(wide(2, 2), (const int[]){0}, s), none[_i].says);
    fails(tl_reshape(wide(2, 2), s), "reshape: [2,2] has 4 elements");
    fails(tl_gather(wide(2, 2), 0, (const int[]){0}, s), "gather: ids are");
    ck_assert_ptr_null(tl_tape_tensor(tape, s).data);
    assert_contains(tl_tape_error(tape), none[_i].says);
    ck_assert_ptr_null(tl_tape_tensor(NULL, s).data);
    tl_tape_free(tape);
}
END_TEST

START_TEST(sizes_that_only_seem_to_fit) {
    tape = tl_tape_new();
    const tl_var four = wide(2, 2);
    fails(tl_reshape(four, TL_SHAPE(5, 0x3333333333333334)), "do not fill"); /* wraps to 4 in 64 bits */
    fails(tl_reshape(four, TL_SHAPE(-1, 1L << 32, 1L << 32)), "do not fill");
    fails(tl_reshape(four, TL_SHAPE(-1, -1)), "do not fill");
    fails(tl_reshape(four, TL_SHAPE(-1, LONG_MIN)), "do not fill");
    fails(tl_slice(four, 0, LONG_MIN, LONG_MAX), "slice: [2,2] has no [");
    fails(tl_split_heads(wide4(1, 1, 1, 4), 2), "does not split");
    fails(tl_split_heads(tl_reshape(four, TL_SHAPE(1, 1, 4)), INT_MIN), "does not split");
    fails(tl_sum(four, (tl_axes){7, {0, 1, 0, 1, 0, 1}}, false), "7 axes are given");
    fails(tl_mean(four, (tl_axes){-1, {0}}, false), "-1 axes are given");
    fails(tl_permute(four, (tl_axes){7, {0}}), "the order must name each axis");
    fails(tl_max(wide(1, 1L << 40), 1, false), "longer than can be counted");
    fails(tl_transpose(four, INT_MAX, INT_MIN), "has no axes");
    fails(tl_softmax(four, INT_MIN), "has no axis");
    tl_tape_free(tape);
}
END_TEST

START_TEST(arrays_that_are_not_there) {
    tape = tl_tape_new();
    const tl_var x = wide(2, 2);
    fails(tl_embedding(x, NULL, TL_SHAPE(3)), "embedding: ids are NULL, should be [3]");
    fails(tl_gather(x, 0, NULL, TL_SHAPE(1, 2)), "gather: ids are NULL");
    fails(tl_cross_entropy(x, NULL, NULL, NULL), "cross_entropy: targets are NULL, should be 2 classes");
    fails(tl_linear_cross_entropy(x, x, TL_NO_VAR, NULL, NULL, NULL), "targets are NULL");
    ck_assert(tl_ok(tl_embedding(x, NULL, TL_SHAPE(0)))); /* none are read */
    static const int zero[1];
    fails(tl_embedding(x, zero, TL_SHAPE(1, 1, 1, 1, 1, 1)), "[1,1,1,1,1,1] have too many axes, at most 5");
    tl_var pair[] = {x, wide(3, 2)};
    fails(tl_concat(pair, 2, 1), "concat: [2,2] and [3,2] (input 1) do not fit along axis 1");
    fails(tl_concat(pair, 2, 2), "concat: [2,2] has no axis 2");
    pair[1] = wide4(1, 1, 2, 2);
    fails(tl_concat(pair, 2, 0), "concat: [2,2] and [1,1,2,2] (input 1) do not fit along axis 0");
    fails(tl_use_leaf(tape, NULL), "parameter: there is none");
    fails(tl_use_leaf(tape, &(tl_leaf){0}), "parameter: the tensor has no data");
    ck_assert(!tl_backward_from(x, (tl_tensor){0}));
    tl_tape_clear_error(tape);
    tl_scope_enter(tape, NULL);
    ck_assert(!tl_ok(tl_tape_fail(tape, NULL)));
    ck_assert(tl_ok(tl_label(x, NULL)));
    tl_rng_key key;
    ck_assert(!tl_tape_next_key(tape, NULL) && !tl_tape_next_key(NULL, &key));
    ck_assert_ptr_null(tl_tape_memory(NULL, 1));
    tl_tape_print(tape, NULL);
    tl_tape_dot(tape, NULL, 0);
    tl_tape_find_nonfinite(tape, NULL);
    tl_tape_find_nonfinite_grad(NULL, NULL);
    ck_assert_ptr_nonnull(tl_ops(NULL));
    ck_assert(!tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(masks_at_the_end_of_numbers) { /* no sum or product of the arguments may overflow */
    const long far = LONG_MAX - 1;
    ck_assert(tl_mask_shows(NULL, far, far, 0, 0, 1, 1));
    ck_assert(tl_mask_shows(&(tl_mask){.causal = true}, far, far, far - 1, far - 1, far, far));
    ck_assert(!tl_mask_shows(&(tl_mask){.causal = true}, far, far, 0, 1, far, far));
    const uint8_t attend[4] = {1, 0, 0, 1};
    const tl_mask array = {.attend = attend, .attend_dim = {1, 1, 2, 2}};
    ck_assert(tl_mask_shows(&array, far, far, 1, 1, 2, 2) && !tl_mask_shows(&array, far, far, 1, 0, 2, 2));
    const int lengths[2] = {1, 2};
    const tl_mask cut = {.key_lengths = lengths};
    ck_assert(!tl_mask_shows(&cut, 0, far, 0, 1, 1, 2) && tl_mask_shows(&cut, 1, far, 0, 1, 1, 2));
}
END_TEST

/* No sentences, or no hidden numbers: an empty result, and a weight's gradient of zeros. */
START_TEST(an_lstm_of_nothing) {
    static const long sizes[][2] = {{0, 3}, {2, 0}, {0, 0}}; /* B, hidden */
    for (int i = 0; i < 3; i++) {
        const long b = sizes[i][0], n = sizes[i][1];
        tl_real numbers[64], dy[1] = {0};
        for (int k = 0; k < 64; k++) numbers[k] = 1;
        tape = tl_tape_new();
        const tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(b, 2, 4 * n))),
                     w = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(4 * n, n))),
                     h = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(b, n))),
                     y = tl_lstm_steps(x, w, TL_NO_VAR, h, h, NULL, false);
        assert_no_error(tl_tape_error(tape));
        ck_assert(tl_shape_equal(tl_shape_of_var(y), TL_SHAPE(2, b, 2, n)));
        ck_assert(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(2, b, 2, n))));
        for (long k = 0; k < 4 * n * n; k++) ck_assert(tl_grad(w).data[k] == 0);
        tl_tape_free(tape);
    }
}
END_TEST

/* ---- axes of size 0 and 1 ---- */

static tl_var softmax_last(const tl_var *x) { return tl_softmax(x[0], -1); }
static tl_var softmax_first(const tl_var *x) { return tl_softmax(x[0], 0); }
static tl_var log_softmax_last(const tl_var *x) { return tl_log_softmax(x[0], -1); }
static tl_var log_softmax_first(const tl_var *x) { return tl_log_softmax(x[0], 0); }
static tl_var normed(const tl_var *x) { return tl_layer_norm(x[0], x[1], TL_NO_VAR, 1e-5); }
static tl_var rms_normed(const tl_var *x) { return tl_rms_norm(x[0], x[1], 1e-5); }
static tl_var joined(const tl_var *x) { return tl_concat(x, 2, 1); }
static tl_var summed(const tl_var *x) { return tl_sum(x[0], TL_AXES(1), false); }
static tl_var product(const tl_var *x) { return tl_mul(x[0], x[1]); }

/* Backward where an axis has no elements, or one: each gradient has its input's shape; where `zero` it is 0, although
 * the memory that it gets held NaN before. */
START_TEST(backward_of_nothing_and_of_one) {
    const struct {
        const char *what;
        tl_var (*f)(const tl_var *x);
        int inputs;
        tl_shape shape[2];
        bool zero;
    } cases[] = {{"softmax over nothing", softmax_last, 1, {TL_SHAPE(2, 0)}, true},
                 {"softmax over nothing, first axis", softmax_first, 1, {TL_SHAPE(0, 3)}, true},
                 {"no softmax", softmax_first, 1, {TL_SHAPE(2, 0)}, true},
                 {"log_softmax over nothing", log_softmax_last, 1, {TL_SHAPE(2, 0)}, true},
                 {"log_softmax over nothing, first axis", log_softmax_first, 1, {TL_SHAPE(0, 3)}, true},
                 {"layer_norm over nothing", normed, 2, {TL_SHAPE(2, 0), TL_SHAPE(0)}, true},
                 {"no layer_norm", normed, 2, {TL_SHAPE(0, 3), TL_SHAPE(3)}, true},
                 {"rms_norm over nothing", rms_normed, 2, {TL_SHAPE(2, 0), TL_SHAPE(0)}, true},
                 {"no rms_norm", rms_normed, 2, {TL_SHAPE(0, 3), TL_SHAPE(3)}, true},
                 {"nothing beside something", joined, 2, {TL_SHAPE(2, 0), TL_SHAPE(2, 3)}, false},
                 {"a sum of nothing", summed, 1, {TL_SHAPE(2, 0)}, true},
                 {"nothing times one", product, 2, {TL_SHAPE(2, 0), TL_SHAPE(2, 1)}, true},
                 {"softmax of one", softmax_last, 1, {TL_SHAPE(3, 1)}, true},
                 {"softmax of one, first axis", softmax_first, 1, {TL_SHAPE(1, 3)}, true},
                 {"log_softmax of one", log_softmax_last, 1, {TL_SHAPE(3, 1)}, true},
                 {"log_softmax of one, first axis", log_softmax_first, 1, {TL_SHAPE(1, 3)}, true}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tape = tl_tape_new();
        for (int turn = 0; turn < 2; turn++) { /* the first turn leaves NaN in the gradients' memory */
            tl_real numbers[8], dy[8];
            tl_var x[2];
            for (int i = 0; i < 8; i++) numbers[i] = (tl_real)(i + 1), dy[i] = turn == 0 ? (tl_real)NAN : 1;
            tl_tape_reset(tape);
            for (int i = 0; i < cases[k].inputs; i++)
                x[i] = tl_variable(tape, tl_tensor_of(numbers, cases[k].shape[i]));
            const tl_var y = cases[k].f(x);
            ck_assert_msg(tl_ok(y), "%s: %s", cases[k].what, tl_tape_error(tape));
            ck_assert_msg(tl_backward_from(y, tl_tensor_of(dy, tl_shape_of_var(y))), "%s", cases[k].what);
            for (int i = 0; turn == 1 && i < cases[k].inputs; i++) {
                const tl_tensor grad = tl_grad(x[i]);
                ck_assert_msg(tl_shape_equal(tl_shape_of(grad), cases[k].shape[i]), "%s", cases[k].what);
                for (long e = 0; cases[k].zero && e < tl_numel(grad); e++)
                    ck_assert_msg(grad.data[e] == 0, "%s: input %d, element %ld: %g", cases[k].what, i, e,
                                  (double)grad.data[e]);
            }
        }
        tl_tape_free(tape);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, backward_of_nothing_and_of_one);
    tcase_add_test(tc, results_that_no_memory_holds);
    tcase_add_test(tc, an_lstm_of_nothing);
    tcase_add_loop_test(tc, shapes_that_are_none, 0, 4);
    tcase_add_test(tc, sizes_that_only_seem_to_fit);
    tcase_add_test(tc, arrays_that_are_not_there);
    tcase_add_test(tc, masks_at_the_end_of_numbers);
}
TL_TEST_MAIN("autograd: sizes")
