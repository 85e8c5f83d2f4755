/* Every operation under every limit of memory: its gradient cases, forward and backward, on a tape that may have 64
 * bytes, 128, … until there is enough. Below that the tape says so; with more memory it then computes the same bits as
 * a tape that never had too little. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

enum { STEP = 64 }; /* what a request is rounded up to */

typedef struct inputs {
    tl_leaf leaf[TL_CASE_INPUTS];
    tl_real *numbers[TL_CASE_INPUTS]; /* values, then gradients */
} inputs;

static inputs inputs_of(const tl_grad_case *c) {
    static const char *const names[TL_CASE_INPUTS] = {"a", "b", "c", "d"};
    inputs in = {0};
    for (int i = 0; i < c->inputs; i++) {
        const long n = tl_shape_numel(c->shape[i]);
        const double high = c->low == 0 && c->high == 0 ? 1 : c->high,
                     low = c->low == 0 && c->high == 0 ? -1 : c->low;
        in.numbers[i] = calloc((size_t)(2 * n) + 1, sizeof(tl_real));
        ck_assert_ptr_nonnull(in.numbers[i]);
        const tl_rng_key key = tl_rng_key_of(3, names[i]);
        for (long k = 0; k < n; k++)
            in.numbers[i][k] = (tl_real)(low + (high - low) * tl_rng_uniform(key, (uint64_t)k));
        in.leaf[i] = (tl_leaf){
            .name = names[i], .value = tl_tensor_of(in.numbers[i], c->shape[i]), .grad = in.numbers[i] + n};
    }
    return in;
}

/* Forward and backward of the sum of all results. False if the tape has failed; else the loss. */
static bool run(tl_tape *tape, const tl_grad_case *c, inputs *in, tl_real *loss) {
    tl_var x[TL_CASE_INPUTS];
    tl_tape_reset(tape);
    tl_tape_set_training(tape, c->train ? 1 : 0);
    for (int i = 0; i < c->inputs; i++) {
        const long n = tl_shape_numel(c->shape[i]);
        if (n > 0) memset(in->leaf[i].grad, 0, (size_t)n * sizeof(tl_real));
        x[i] = tl_use_leaf(tape, &in->leaf[i]);
    }
    const tl_var sum = tl_sum(c->f(x), TL_ALL_AXES, false);
    const bool ok = tl_backward(sum);
    if (ok) *loss = tl_item(tl_value(sum));
    return ok;
}

static void under_every_limit(const char *name, const tl_grad_case *c) {
    inputs in = inputs_of(c);
    tl_real loss = 0, expected = 0, *grad[TL_CASE_INPUTS];
    tl_tape *plenty = tl_tape_new();
    must_msg(run(plenty, c, &in, &expected), "%s, %s: %s", name, c->what, tl_tape_error(plenty));
    for (int i = 0; i < c->inputs; i++) {
        const size_t bytes = (size_t)tl_shape_numel(c->shape[i]) * sizeof(tl_real);
        grad[i] = memcpy(malloc(bytes + 1), in.leaf[i].grad, bytes);
    }
    bool enough = false;
    for (size_t limit = STEP; !enough; limit += STEP) {
        must_msg(limit < 1 << 18, "%s, %s: no end", name, c->what);
        tl_tape *tape = tl_tape_new();
        tl_tape_set_limit(tape, limit);
        enough = run(tape, c, &in, &loss);
        if (!enough) {
            must_msg(strstr(tl_tape_error(tape), "out of memory"), "%s, %s, %zu bytes: %s", name, c->what,
                     limit, tl_tape_error(tape));
            tl_tape_set_limit(tape, 0);
            tl_tape_clear_error(tape);
            must_msg(run(tape, c, &in, &loss), "%s, %s, after %zu bytes: %s", name, c->what, limit,
                     tl_tape_error(tape));
        }
        must_msg(memcmp(&loss, &expected, sizeof loss) == 0, "%s, %s, %zu bytes: another loss", name, c->what,
                 limit);
        for (int i = 0; i < c->inputs; i++)
            must_msg(
                memcmp(grad[i], in.leaf[i].grad, (size_t)tl_shape_numel(c->shape[i]) * sizeof(tl_real)) == 0,
                "%s, %s, %zu bytes: another gradient of input %d", name, c->what, limit, i);
        tl_tape_free(tape);
    }
    for (int i = 0; i < c->inputs; i++) free(grad[i]), free(in.numbers[i]);
    tl_tape_free(plenty);
}

START_TEST(operation) {
    int count;
    const tl_op_entry *e = &tl_ops(&count)[_i];
    for (const tl_grad_case *c = e->cases; c->f; c++) under_every_limit(e->name, c);
}
END_TEST

static void add_tests(TCase *tc) {
    int count;
    tl_ops(&count);
    tcase_add_loop_test(tc, operation, 0, count);
}

TL_TEST_MAIN("autograd: out of memory")
