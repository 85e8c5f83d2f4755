/* A probe is called before every operation reads its inputs and instead of every backward; a probe that does nothing
 * changes no bit. And tl_tape_recorded gives every node of a tape. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

typedef struct seen {
    int before, backward, last;
    const char *name[16];
    bool doubles; /* node 2's input before it is read */
    bool nothing; /* backward is not called */
} seen;

static void before(void *context, tl_tape *tape, int node) {
    seen *s = context;
    tl_recorded r;
    ck_assert(!tl_tape_recorded(tape, node, &r)); /* not recorded yet */
    s->before++;
    s->last = node;
    if (s->doubles && node == 2 && tl_tape_recorded(tape, 1, &r)) r.value.data[0] *= 2;
}
static void backward(void *context, tl_back *b) {
    seen *s = context;
    s->name[s->backward++] = b->op->name;
    if (!s->nothing) b->op->backward(b);
}

typedef struct step {
    tl_real value, grad[3];
} step;

/* L = the sum of exp(w) plus tanh of its first two elements. */
static step run(tl_tape *tape, tl_param *w, bool keep) {
    step s;
    tl_tape_reset(tape);
    w->leaf.reached = false;
    tl_var x = tl_exp(tl_use(tape, w)), part = tl_slice(x, 0, 0, 2);
    if (keep) tl_keep(part);
    tl_var some = tl_sum(tl_tanh(part), TL_ALL_AXES, false), y = tl_add(some, tl_sum(x, TL_ALL_AXES, false));
    s.value = (tl_real)tl_item(tl_value(y));
    ck_assert_msg(tl_backward(y), "%s", tl_tape_error(tape));
    for (int i = 0; i < 3; i++) s.grad[i] = w->leaf.reached ? w->leaf.grad[i] : 0;
    return s;
}

START_TEST(a_probe_sees_all_and_changes_nothing) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(3), (tl_init){TL_INIT_NORMAL, 1});
    tl_tape *tape = tl_tape_new();
    const step plain = run(tape, w, false);
    seen s = {0};
    tl_tape_set_probe(tape, &(tl_probe){&s, before, backward});
    for (int keep = 0; keep < 2; keep++) { /* the second pass for a kept view does not call the probe */
        s = (seen){0};
        const step probed = run(tape, w, keep);
        ck_assert(!memcmp(&plain, &probed, sizeof plain));
        ck_assert_int_eq(s.before, 6);
        ck_assert_int_eq(s.last, 6);
        static const char *const names[] = {"add", "sum", "sum", "tanh", "exp"};
        ck_assert_int_eq(s.backward, 5);
        for (int i = 0; i < 5; i++) ck_assert_str_eq(s.name[i], names[i]);
    }
    tl_tape_set_probe(tape, &(tl_probe){0}); /* neither function */
    const step empty = run(tape, w, false);
    ck_assert(!memcmp(&plain, &empty, sizeof plain));
    tl_tape_set_probe(tape, NULL);
    tl_tape_set_probe(NULL, NULL);
    s = (seen){0};
    run(tape, w, false);
    ck_assert(!s.before && !s.backward);
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

START_TEST(a_probe_may_change_what_is_read_and_given) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(3), (tl_init){TL_INIT_NORMAL, 1});
    tl_tape *tape = tl_tape_new();
    const step plain = run(tape, w, false);
    const double x = exp((double)w->leaf.value.data[0]);
    seen s = {.doubles = true};
    tl_probe probe = {&s, before, NULL};
    tl_tape_set_probe(tape, &probe);
    const step doubled = run(tape, w, false);
    ck_assert_double_eq_tol((double)doubled.value - (double)plain.value, tanh(2 * x) - tanh(x) + x, 1e-5);
    s = (seen){.nothing = true};
    probe = (tl_probe){&s, NULL, backward};
    const step nothing = run(tape, w, false);
    ck_assert(nothing.value == plain.value && nothing.grad[0] == 0);
    ck_assert_int_eq(s.backward, 1); /* no gradient reaches the other operations */
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

START_TEST(what_is_recorded_can_be_asked_for) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "layer.w", TL_SHAPE(2, 3), (tl_init){TL_INIT_NORMAL, 1});
    tl_tape *tape = tl_tape_new();
    tl_scope_enter(tape, "layer");
    tl_var x = tl_label(tl_exp(tl_use(tape, w)), "x"), turned = tl_transpose(x, 0, 1);
    tl_scope_leave(tape);
    tl_var y = tl_sum(tl_mul(turned, tl_full(tape, TL_SHAPE(3, 2), 2)), TL_ALL_AXES, false);
    tl_recorded r;
    ck_assert(tl_tape_recorded(tape, 0, &r));
    ck_assert(!r.operation && !strcmp(r.name, "layer.w") && r.inputs == 0 && r.base == 0 && r.wants_grad);
    ck_assert(tl_tape_recorded(tape, 1, &r));
    ck_assert(!strcmp(r.operation, "exp") && !strcmp(r.name, "x") && !strcmp(r.scope, "layer"));
    ck_assert(r.inputs == 1 && r.input[0] == 0 && !r.grad.data);
    ck_assert(tl_tape_recorded(tape, 2, &r));
    ck_assert(!strcmp(r.operation, "transpose") && r.base == 1 && r.value.dim[0] == 3);
    ck_assert(r.first == 0);
    ck_assert(tl_tape_recorded(tape, 3, &r) && !r.operation && !r.wants_grad);
    ck_assert(tl_tape_recorded(tape, tl_slice(turned, 0, 1, 2).index, &r) && r.base == 1 && r.first == 1);
    ck_assert(tl_backward(y));
    ck_assert(tl_tape_recorded(tape, 0, &r) && r.grad.data == w->leaf.grad);
    ck_assert(tl_tape_recorded(tape, 2, &r) && !r.grad.data); /* used up */
    r.base = 77;
    ck_assert(!tl_tape_recorded(tape, -1, &r) && !tl_tape_recorded(tape, 7, &r) &&
              !tl_tape_recorded(NULL, 0, &r));
    ck_assert(!tl_tape_recorded(tape, 0, NULL) && r.base == 77);
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_probe_sees_all_and_changes_nothing);
    tcase_add_test(tc, a_probe_may_change_what_is_read_and_given);
    tcase_add_test(tc, what_is_recorded_can_be_asked_for);
}
TL_TEST_MAIN("autograd: probes")
