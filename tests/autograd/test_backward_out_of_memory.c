/* Backward of every operation without memory: in each of its gradient cases, each request that backward makes fails in
 * turn. Either the tape says so, or the gradients are those that there would be otherwise. Afterwards the tape
 * computes as before. The cases come from the list of operations. */
#include "refuse.h"

#include "autograd/for_kernels.h"
#include <tapeloom.h>
#include <tapeloom/op.h>

enum { MOST = 4000 };
typedef struct gradients {
    tl_real of[TL_CASE_INPUTS][MOST];
} gradients;

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

/* Runs a case on the tape. Backward begins without memory to borrow, with `leave` bytes of the tape's, and has
 * `granted` requests granted, or all if that is negative. Returns whether one was refused. */
static bool run(tl_tape *tape, const tl_grad_case *c, size_t leave, long granted, gradients *g) {
    static tl_real number[TL_CASE_INPUTS][MOST];
    tl_var x[TL_CASE_INPUTS];
    const double low = c->low == 0 && c->high == 0 ? -1 : c->low,
                 high = c->low == 0 && c->high == 0 ? 1 : c->high;
    tl_tape_reset(tape);
    tl_tape_set_training(tape, c->train ? 1 : 0);
    memset(g, 0, sizeof *g);
    for (int i = 0; i < c->inputs; i++) {
        const long n = tl_shape_numel(c->shape[i]);
        ck_assert_int_le(n, MOST);
        for (long e = 0; e < n; e++)
            number[i][e] = (tl_real)(low + (high - low) * tl_rng_uniform(tl_rng_key_of(7, "input"),
                                                                         (uint64_t)(e + 97 * i)));
        x[i] = tl_variable(tape, tl_tensor_of(number[i], c->shape[i]));
    }
    tl_var loss = tl_sum(c->f(x), TL_ALL_AXES, false);
    ck_assert_msg(tl_ok(loss), "%s: %s", c->what, tl_tape_error(tape));
    tl_workspace_free(tl_tape_workspace(tape));
    if (granted >= 0) fill(tape, leave);
    refuse_after(granted, false);
    const bool ok = tl_backward(loss), refused = grant_again();
    ck_assert_int_eq(ok, !tl_tape_error(tape));
    for (int i = 0; ok && i < c->inputs; i++) {
        const tl_tensor grad = tl_grad(x[i]);
        if (grad.data) memcpy(g->of[i], grad.data, (size_t)tl_numel(grad) * sizeof(tl_real));
    }
    return refused;
}

START_TEST(backward_without_memory) {
    static gradients right, found;
    const tl_op_entry *e = &tl_ops(NULL)[_i];
    for (const tl_grad_case *c = e->cases; c->f; c++) {
        tl_tape *undisturbed = tl_tape_new();
        run(undisturbed, c, 0, -1, &right);
        tl_tape_free(undisturbed);
        for (size_t leave = 0; leave < 20000; leave = 2 * leave + 128) {
            bool refused = true;
            for (long granted = 0; refused; granted++) {
                tl_tape *tape = tl_tape_new(); /* a new one has taken no memory for gradients yet */
                refused = run(tape, c, leave, granted, &found);
                const char *error = tl_tape_error(tape);
                if (error) {
                    ck_assert_msg(refused, "%s, %s: %s", e->name, c->what, error);
                    assert_contains(error, "out of memory");
                    tl_tape_clear_error(tape);
                    run(tape, c, 0, -1, &found);
                }
                ck_assert_msg(!memcmp(&right, &found, sizeof right),
                              "%s, %s: other gradients, request %ld refused", e->name, c->what, granted);
                tl_tape_free(tape);
            }
        }
    }
}
END_TEST

START_TEST(skipped) { TL_SKIP("requests for memory cannot be refused in this build"); }
END_TEST

static void add_tests(TCase *tc) {
    int count;
    tl_ops(&count);
    if (CAN_REFUSE)
        tcase_add_loop_test(tc, backward_without_memory, 0, count);
    else
        tcase_add_test(tc, skipped);
}

TL_TEST_MAIN("autograd: backward out of memory")
