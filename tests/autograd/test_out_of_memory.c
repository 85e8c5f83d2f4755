/* Every operation without memory, in each of its gradient cases: on a tape that may have 64 bytes, 128, … until there is
 * enough; and going backward, where each request fails in turn. Either the tape says so, or the results are those that
 * there would be otherwise; afterwards the tape computes as before. The cases come from the list of operations. */
#include "refuse.h"

#include "autograd/for_kernels.h"
#include <tapeloom.h>
#include <tapeloom/op.h>

enum { STEP = 64 /* what a request is rounded up to */, MOST = 4000 };

typedef struct results {
    tl_real loss, grad[TL_CASE_INPUTS][MOST];
} results;

/* Records the case; the loss is the sum of what it computes. */
static tl_var record(tl_tape *tape, const tl_grad_case *c, tl_var x[TL_CASE_INPUTS]) {
    static tl_real number[TL_CASE_INPUTS][MOST];
    const bool usual = c->low == 0 && c->high == 0;
    const double low = usual ? -1 : c->low, high = usual ? 1 : c->high;
    tl_tape_reset(tape);
    tl_tape_set_training(tape, c->train ? 1 : 0);
    for (int i = 0; i < c->inputs; i++) {
        const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(3, "input"), (uint64_t)i);
        const long n = tl_shape_numel(c->shape[i]);
        ck_assert_int_le(n, MOST);
        for (long k = 0; k < n; k++)
            number[i][k] = (tl_real)(low + (high - low) * tl_rng_uniform(key, (uint64_t)k));
        x[i] = tl_variable(tape, tl_tensor_of(number[i], c->shape[i]));
    }
    return tl_sum(c->f(x), TL_ALL_AXES, false);
}

static void take(results *r, const tl_grad_case *c, tl_var loss, const tl_var *x) {
    memset(r, 0, sizeof *r);
    r->loss = tl_item(tl_value(loss));
    for (int i = 0; i < c->inputs; i++) {
        const tl_tensor grad = tl_grad(x[i]);
        if (grad.data) memcpy(r->grad[i], grad.data, (size_t)tl_numel(grad) * sizeof(tl_real));
    }
}

/* Forward and backward. False if the tape has failed. */
static bool run(tl_tape *tape, const tl_grad_case *c, results *r) {
    tl_var x[TL_CASE_INPUTS];
    const tl_var loss = record(tape, c, x);
    const bool ok = tl_backward(loss);
    if (ok) take(r, c, loss, x);
    return ok;
}

static void run_undisturbed(const tl_grad_case *c, results *r) {
    tl_tape *tape = tl_tape_new();
    must_msg(run(tape, c, r), "%s: %s", c->what, tl_tape_error(tape));
    tl_tape_free(tape);
}

/* ---- a tape with a limit ---- */

START_TEST(under_every_limit) {
    static results right, found;
    const tl_op_entry *e = &tl_ops(NULL)[_i];
    for (const tl_grad_case *c = e->cases; c->f; c++) {
        run_undisturbed(c, &right);
        bool enough = false;
        for (size_t limit = STEP; !enough; limit += STEP) {
            must_msg(limit < 1 << 18, "%s, %s: no end", e->name, c->what);
            tl_tape *tape = tl_tape_new();
            tl_tape_set_limit(tape, limit);
            enough = run(tape, c, &found);
            if (!enough) {
                must_msg(strstr(tl_tape_error(tape), "out of memory"), "%s, %s, %zu bytes: %s", e->name,
                         c->what, limit, tl_tape_error(tape));
                tl_tape_set_limit(tape, 0);
                tl_tape_clear_error(tape);
                must_msg(run(tape, c, &found), "%s, %s, after %zu bytes: %s", e->name, c->what, limit,
                         tl_tape_error(tape));
            }
            must_msg(!memcmp(&right, &found, sizeof right), "%s, %s, %zu bytes: other results", e->name,
                     c->what, limit);
            tl_tape_free(tape);
        }
    }
}
END_TEST

/* ---- backward without memory ---- */

/* Takes of the memory that the tape has requested already all but some `leave` bytes. */
static void fill(tl_tape *tape, size_t leave) {
    const long before = tl_tape_stats_of(tape).allocations;
    for (long n = 1 << 16; n >= 4; n /= 2)
        for (;;) {
            const tl_tape_stats s = tl_tape_stats_of(tape);
            if (s.allocations != before || s.reserved - s.used < leave + (size_t)n * sizeof(tl_real) + 256)
                break;
            tl_zeros(tape, TL_SHAPE(n));
        }
}

/* Backward begins without memory to borrow, with `leave` bytes of the tape's, and has `granted` requests granted. Returns
 * whether one was refused. */
static bool run_backward_without(tl_tape *tape, const tl_grad_case *c, size_t leave, long granted,
                                 results *r) {
    tl_var x[TL_CASE_INPUTS];
    const tl_var loss = record(tape, c, x);
    must_msg(tl_ok(loss), "%s: %s", c->what, tl_tape_error(tape));
    tl_workspace_free(tl_tape_workspace(tape));
    fill(tape, leave);
    refuse_after(granted, false);
    const bool ok = tl_backward(loss), refused = grant_again();
    ck_assert_int_eq(ok, !tl_tape_error(tape));
    if (ok) take(r, c, loss, x);
    return refused;
}

START_TEST(backward_without_memory) {
    static results right, found;
    const tl_op_entry *e = &tl_ops(NULL)[_i];
    if (!CAN_REFUSE) {
        if (_i == 0) TL_SKIP("requests for memory cannot be refused in this build");
        return;
    }
    for (const tl_grad_case *c = e->cases; c->f; c++) {
        run_undisturbed(c, &right);
        for (size_t leave = 0; leave < 20000; leave = 2 * leave + 128) {
            bool refused = true;
            for (long granted = 0; refused; granted++) {
                const long before = alive;
                tl_tape *tape = tl_tape_new(); /* a new one has taken no memory for gradients yet */
                refused = run_backward_without(tape, c, leave, granted, &found);
                const char *error = tl_tape_error(tape);
                if (error) {
                    must_msg(refused, "%s, %s: %s", e->name, c->what, error);
                    assert_contains(error, "out of memory");
                    tl_tape_clear_error(tape);
                    must_msg(run(tape, c, &found), "%s, %s: %s", e->name, c->what, tl_tape_error(tape));
                }
                must_msg(!memcmp(&right, &found, sizeof right), "%s, %s: other results, request %ld refused",
                         e->name, c->what, granted);
                tl_tape_free(tape);
                must_msg(alive == before, "%s, %s: %ld pieces are left, request %ld refused", e->name,
                         c->what, alive - before, granted);
            }
        }
    }
}
END_TEST

static void add_tests(TCase *tc) {
    int count;
    tl_ops(&count);
    tcase_add_loop_test(tc, under_every_limit, 0, count);
    tcase_add_loop_test(tc, backward_without_memory, 0, count);
}

TL_TEST_MAIN("autograd: out of memory")
