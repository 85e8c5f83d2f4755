/* Schedules, clipping and optimisers: their results, options and errors. */
#include "check.h"

#include <limits.h>

#ifdef __GLIBC__
# include <malloc.h>
#endif

#include <tapeloom.h>

/* ---- schedules, against values worked out by hand ---- */

static void near(double have, double want) {
    ck_assert_double_eq_tol(have, want, 1e-14 + 1e-12 * fabs(want));
}

START_TEST(constant_rate) {
    near(tl_constant_rate(0.4, 10, 1), 0.04);
    near(tl_constant_rate(0.4, 10, 9), 0.36);
    near(tl_constant_rate(0.4, 10, 10), 0.4);
    near(tl_constant_rate(0.4, 10, 1000), 0.4);
    near(tl_constant_rate(0.4, 0, 1), 0.4);
}
END_TEST

START_TEST(noam) {
    /* d_model 64: 64^-0.5 = 1/8; warm-up 100: 100^-1.5 = 1/1000 */
    near(tl_noam(64, 100, 1), 1.0 / 8 / 1000);
    near(tl_noam(64, 100, 50), 50.0 / 8 / 1000);
    near(tl_noam(64, 100, 100), 1.0 / 80);
    near(tl_noam(64, 100, 400), 1.0 / 160);
    near(tl_noam(64, 100, 10000), 1.0 / 800);
    near(tl_noam(512, 4000, 4000), 6.987712429686843e-4); /* the paper's: (512·4000)^-0.5 */
    near(tl_noam(64, 0, 4), 1.0 / 16);
    near(tl_noam(64, 100, 0), tl_noam(64, 100, 1)); /* steps count from 1 */
}
END_TEST

START_TEST(inverse_sqrt) {
    near(tl_inverse_sqrt(0.4, 10, 0, 1), 0.04);
    near(tl_inverse_sqrt(0.4, 10, 0.1, 5), 0.25);
    near(tl_inverse_sqrt(0.4, 10, 0.1, 10), 0.4);
    near(tl_inverse_sqrt(0.4, 10, 0.1, 40), 0.2);
    near(tl_inverse_sqrt(0.4, 10, 0.1, 1000), 0.04);
    near(tl_inverse_sqrt(0.4, 0, 0.1, 4), 0.2);
}
END_TEST

START_TEST(cosine) {
    near(tl_cosine(0.8, 0.2, 10, 110, 1), 0.08);
    near(tl_cosine(0.8, 0.2, 10, 110, 5), 0.4);
    near(tl_cosine(0.8, 0.2, 10, 110, 10), 0.8);
    near(tl_cosine(0.8, 0.2, 10, 110, 35), 0.5 + 0.3 * 0.70710678118654752440);
    near(tl_cosine(0.8, 0.2, 10, 110, 60), 0.5);
    near(tl_cosine(0.8, 0.2, 10, 110, 110), 0.2);
    near(tl_cosine(0.8, 0.2, 10, 110, 5000), 0.2);
    near(tl_cosine(0.8, 0, 0, 100, 50), 0.4);   /* no warm-up */
    near(tl_cosine(0.8, 0.1, 10, 10, 10), 0.1); /* total is at the end of the warm-up */
    near(tl_cosine(0.8, 0.1, 10, 10, 9), 0.72);
}
END_TEST

START_TEST(linear_decay) {
    near(tl_linear_decay(0.8, 0.2, 10, 110, 1), 0.08);
    near(tl_linear_decay(0.8, 0.2, 10, 110, 10), 0.8);
    near(tl_linear_decay(0.8, 0.2, 10, 110, 60), 0.5);
    near(tl_linear_decay(0.8, 0.2, 10, 110, 85), 0.35);
    near(tl_linear_decay(0.8, 0.2, 10, 110, 110), 0.2);
    near(tl_linear_decay(0.8, 0.2, 10, 110, 111), 0.2);
    near(tl_linear_decay(0.8, 0, 0, 4, 1), 0.6);
}
END_TEST

/* With any arguments no rate is above the peak, negative, infinite or NaN; steps below 1 count as 1. */
START_TEST(rates_at_the_edges) {
    static const double peaks[] = {0, 1e-9, 0.4, 1e300};
    static const long counts[] = {LONG_MIN, -7, 0, 1, 10, 10000, LONG_MAX};
    enum { PEAKS = sizeof peaks / sizeof *peaks, COUNTS = sizeof counts / sizeof *counts };
    for (int p = 0; p < PEAKS; p++)
        for (int w = 0; w < COUNTS; w++)
            for (int s = 0; s < COUNTS; s++)
                for (int t = 0; t < COUNTS; t++) {
                    const double rates[] = {tl_constant_rate(peaks[p], counts[w], counts[s]),
                                            tl_inverse_sqrt(peaks[p], counts[w], 1e-7, counts[s]),
                                            tl_cosine(peaks[p], 1e-7, counts[w], counts[t], counts[s]),
                                            tl_linear_decay(peaks[p], 1e-7, counts[w], counts[t], counts[s])};
                    for (int i = 0; i < 4; i++)
                        must_msg(rates[i] >= 0 && rates[i] <= peaks[p] * (1 + 1e-15),
                                 "schedule %d, peak %g, warmup %ld, total %ld, step %ld: %g", i, peaks[p],
                                 counts[w], counts[t], counts[s], rates[i]);
                    const double noam = tl_noam(counts[t], counts[w], counts[s]);
                    must_msg(noam >= 0 && noam <= 1, "noam: %g", noam);
                }
    near(tl_inverse_sqrt(0, 800, 1e-7, 1), 0);
    near(tl_inverse_sqrt(1e-9, 800, 1e-7, 400), 1e-9);
}
END_TEST

/* ---- three parameters on a tape, with gradients that the test chooses ---- */

typedef struct setup {
    tl_params *params;
    tl_param *w, *b, *v;
    tl_tape *tape;
} setup;

static setup begin(void) {
    setup s = {.params = tl_params_new(1), .tape = tl_tape_new()};
    s.w = tl_params_add(s.params, "layer.weight", TL_SHAPE(3, 2), (tl_init){TL_INIT_XAVIER, 0});
    s.b = tl_params_add(s.params, "layer.bias", TL_SHAPE(4), (tl_init){TL_INIT_NORMAL, 1});
    s.v = tl_params_add(s.params, "other.weight", TL_SHAPE(5), (tl_init){TL_INIT_NORMAL, 1});
    return s;
}
static void end(setup *s) {
    tl_tape_free(s->tape);
    tl_params_free(s->params);
}

/* Gives gradient `g` to every element of those parameters (NULL: left out). */
static void backward(setup *s, double g, tl_param *const p[3]) {
    tl_tape_reset(s->tape);
    tl_var loss = tl_scalar(s->tape, 0);
    for (int i = 0; i < 3; i++)
        if (p[i]) loss = tl_add(loss, tl_scale(tl_sum(tl_use(s->tape, p[i]), TL_ALL_AXES, false), g));
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(s->tape));
}
#define ALL(s) ((tl_param *const[3]){(s).w, (s).b, (s).v})

static double first(const tl_param *p) { return (double)tl_param_value(p).data[0]; }
static void close_to(double have, double want) {
    ck_assert_double_eq_tol(have, want, sizeof(tl_real) == 4 ? 1e-6 : 1e-14);
}

/* ---- clipping and scaling ---- */

START_TEST(clipping) {
    setup s = begin();
    const double norm = sqrt(15 * 4.0); /* 15 elements of 2 */
    static const double limits[] = {0, -1, 100, 1, 5};
    for (int i = 0; i < 5; i++) {
        tl_zero_grad(s.params);
        backward(&s, 2, ALL(s));
        close_to(tl_clip_grad_norm(s.params, limits[i]), norm); /* the norm before clipping */
        double factor = limits[i] > 0 && limits[i] < norm ? limits[i] / (norm + 1e-6) : 1;
        close_to((double)tl_param_grad(s.w).data[5], 2 * factor);
        close_to((double)tl_param_grad(s.v).data[0], 2 * factor);
        if (factor < 1) ck_assert_double_eq_tol(tl_clip_grad_norm(s.params, 0), limits[i], 1e-5);
    }
    end(&s);
}
END_TEST

START_TEST(clipping_counts_what_will_be_updated) {
    setup s = begin();
    tl_zero_grad(s.params);
    backward(&s, 2, ALL(s));
    tl_freeze(s.params, "layer.", true);
    close_to(tl_clip_grad_norm(s.params, 1), sqrt(5 * 4.0));
    close_to((double)tl_param_grad(s.v).data[4], 2 / (sqrt(20) + 1e-6));
    close_to((double)tl_param_grad(s.w).data[0], 2); /* frozen: neither counted nor scaled */
    tl_freeze(s.params, "", false);
    tl_zero_grad(s.params);
    for (int i = 0; i < 6; i++) s.w->leaf.grad[i] = (tl_real)NAN; /* not reached: not counted */
    backward(&s, 2, (tl_param *const[3]){NULL, s.b, s.v});
    close_to(tl_clip_grad_norm(s.params, 0), sqrt(9 * 4.0));
    tl_zero_grad(s.params);
    ck_assert_double_eq(tl_clip_grad_norm(s.params, 1), 0);
    end(&s);
}
END_TEST

START_TEST(a_norm_that_is_not_finite_changes_nothing) {
    setup s = begin();
    backward(&s, 2, ALL(s));
    s.b->leaf.grad[3] = (tl_real)INFINITY;
    ck_assert(isinf(tl_clip_grad_norm(s.params, 1)));
    close_to((double)tl_param_grad(s.w).data[0], 2);
    s.b->leaf.grad[3] = (tl_real)NAN;
    ck_assert(isnan(tl_clip_grad_norm(s.params, 1)));
    close_to((double)tl_param_grad(s.w).data[0], 2);
    end(&s);
}
END_TEST

START_TEST(scaling) {
    setup s = begin();
    backward(&s, 2, ALL(s));
    tl_scale_grad(s.params, 0.25);
    close_to((double)tl_param_grad(s.w).data[0], 0.5);
    close_to((double)tl_param_grad(s.v).data[4], 0.5);
    tl_scale_grad(NULL, 2);
    ck_assert_double_eq(tl_clip_grad_norm(NULL, 2), 0);
    end(&s);
}
END_TEST

/* ---- SGD and Adam behind one interface ---- */

typedef struct either {
    tl_sgd *sgd;
    tl_adam *adam;
} either;
static either either_new(int which, tl_params *params) { /* SGD, Adam or AdamW, with decay */
    if (which == 0) return (either){.sgd = tl_sgd_new(params, &(tl_sgd_config){.weight_decay = 0.5})};
    return (either){.adam =
                        tl_adam_new(params, &(tl_adam_config){.weight_decay = 0.5, .decoupled = which == 2})};
}
static bool either_step(either o, double lr) {
    return o.sgd ? tl_sgd_step(o.sgd, lr) : tl_adam_step(o.adam, lr);
}
static bool either_group(either o, int group, const tl_group_options *options) {
    return o.sgd ? tl_sgd_set_group(o.sgd, group, options) : tl_adam_set_group(o.adam, group, options);
}
static const char *either_error(either o) { return o.sgd ? tl_sgd_error(o.sgd) : tl_adam_error(o.adam); }
static void either_free(either o) {
    tl_sgd_free(o.sgd);
    tl_adam_free(o.adam);
}
static const char *const either_name[] = {"sgd", "adam", "adamw"};
/* The parameter after the first step from p, with gradient 2 and learning rate 0.1. Adam's first step is nearly
 * lr·sign. */
static double stepped(int which, double p, double decay) {
    double g = which == 2 ? 2 : 2 + decay * p;
    if (which == 0) return p - 0.1 * g;
    return (which == 2 ? p * (1 - 0.1 * decay) : p) - 0.1 * g / (fabs(g) + 1e-8);
}

START_TEST(a_parameter_that_no_gradient_reached) {
    setup s = begin();
    either o = either_new(_i, s.params);
    tl_zero_grad(s.params);
    backward(&s, 2, (tl_param *const[3]){s.w, NULL, s.v});
    const double w = first(s.w), b = first(s.b), v = first(s.v);
    const unsigned long version = s.w->leaf.version;
    ck_assert(!either_step(o, 0.1));
    char expected[200];
    snprintf(expected, sizeof expected,
             "%s: no gradient has reached parameter \"layer.bias\" since tl_zero_grad; use it in the loss, "
             "or freeze it "
             "(tl_freeze)",
             either_name[_i]);
    ck_assert_str_eq(either_error(o), expected);
    ck_assert(first(s.w) == w && first(s.b) == b && first(s.v) == v); /* nothing has changed */
    ck_assert_uint_eq(s.w->leaf.version, version);
    ck_assert_int_eq(tl_adam_steps(o.adam), 0);
    ck_assert(!either_step(o, 0.1)); /* the first failure is kept */
    ck_assert_str_eq(either_error(o), expected);
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(frozen_parameters_stay) {
    setup s = begin();
    either o = either_new(_i, s.params);
    tl_freeze(s.params, "layer.bias", true);
    const double w = first(s.w), b = first(s.b), v = first(s.v);
    tl_zero_grad(s.params);
    backward(&s, 2, (tl_param *const[3]){s.w, NULL, s.v}); /* no gradient for it, and no error */
    ck_assert_msg(either_step(o, 0.1), "%s", either_error(o));
    ck_assert_double_eq(first(s.b), b); /* not even decayed */
    close_to(first(s.w), stepped(_i, w, 0.5));
    close_to(first(s.v), stepped(_i, v, 0.5));
    ck_assert_uint_eq(s.b->leaf.version, 0);
    ck_assert_uint_eq(s.w->leaf.version, 1);
    if (o.adam) ck_assert_int_eq(tl_adam_steps(o.adam), 1);
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(groups) {
    setup s = begin();
    either o = either_new(_i, s.params);
    tl_set_group_suffix(s.params, "bias", 1);
    tl_set_group(s.params, "other.", 15);
    ck_assert(either_group(o, 1, &(tl_group_options){.weight_decay = 0, .lr_factor = 3}));
    ck_assert(either_group(o, 15, &(tl_group_options){.frozen = true}));
    const double w = first(s.w), b = first(s.b), v = first(s.v);
    tl_zero_grad(s.params);
    backward(&s, 2, (tl_param *const[3]){s.w, s.b, NULL}); /* a frozen group needs no gradient */
    ck_assert_msg(either_step(o, 0.1), "%s", either_error(o));
    close_to(first(s.w), stepped(_i, w, 0.5)); /* a group without options uses the optimiser's own */
    close_to(first(s.b), b - (_i == 0 ? 0.3 * 2 : 0.3 * 2 / (2 + 1e-8)));
    ck_assert_double_eq(first(s.v), v);
    ck_assert(!either_group(o, 16, &(tl_group_options){0}));
    char expected[60];
    snprintf(expected, sizeof expected, "%s: group 16 is not in 0 … 15", either_name[_i]);
    ck_assert_str_eq(either_error(o), expected);
    ck_assert(!either_step(o, 0.1));
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(thawed_and_late_parameters_begin_anew) { /* as in PyTorch: each counts its own updates */
    setup s = begin();
    either o = either_new(_i, s.params);
    tl_set_group(s.params, "other.", 2);
    tl_freeze(s.params, "layer.bias", true);
    ck_assert(either_group(o, 2, &(tl_group_options){.frozen = true}));
    for (int step = 0; step < 3; step++) {
        tl_zero_grad(s.params);
        backward(&s, 2, ALL(s));
        ck_assert(either_step(o, 0.1));
    }
    tl_freeze(s.params, "layer.bias", false);
    ck_assert(either_group(o, 2, &(tl_group_options){.weight_decay = 0.5}));
    tl_param *late = tl_params_add(s.params, "late", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
    const double b = first(s.b), v = first(s.v);
    tl_zero_grad(s.params);
    backward(&s, 2, ALL(s));
    backward(&s, 2, (tl_param *const[3]){late, NULL, NULL});
    ck_assert_msg(either_step(o, 0.1), "%s", either_error(o));
    close_to(first(s.b), stepped(_i, b, 0.5));
    close_to(first(s.v), stepped(_i, v, 0.5));
    close_to(first(late), stepped(_i, 1, 0.5));
    if (o.adam) ck_assert_int_eq(tl_adam_steps(o.adam), 4);
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(an_update_between_forward_and_backward) {
    setup s = begin();
    either o = either_new(_i, s.params);
    tl_zero_grad(s.params);
    backward(&s, 2, ALL(s));
    tl_tape_reset(s.tape);
    tl_var w = tl_use(s.tape, s.w), loss = tl_sum(tl_mul(w, w), TL_ALL_AXES, false);
    ck_assert(either_step(o, 0.1));
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(s.tape),
                    "tl_backward: parameter \"layer.weight\" was updated between forward and backward");
    tl_tape_reset(s.tape);
    tl_tape_clear_error(s.tape);
    w = tl_use(s.tape, s.w); /* the new value, in the next step */
    ck_assert(tl_backward(tl_sum(tl_mul(w, w), TL_ALL_AXES, false)));
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(zero_grad) { /* clears gradients and `reached`; a step itself clears neither */
    setup s = begin();
    either o = either_new(_i, s.params);
    tl_zero_grad(s.params);
    backward(&s, 2, ALL(s));
    backward(&s, 3, ALL(s));
    close_to((double)tl_param_grad(s.w).data[0], 5);
    ck_assert(either_step(o, 0.1));
    close_to((double)tl_param_grad(s.w).data[0], 5); /* a step does not clear gradients */
    ck_assert(either_step(o, 0.1));
    tl_zero_grad(s.params);
    ck_assert_double_eq((double)tl_param_grad(s.w).data[0], 0);
    ck_assert(!s.w->leaf.reached);
    backward(&s, 3, ALL(s));
    close_to((double)tl_param_grad(s.w).data[0], 3);
    tl_zero_grad(s.params);
    ck_assert(!either_step(o, 0.1)); /* no gradient since tl_zero_grad */
    assert_contains(either_error(o), "\"layer.weight\" since tl_zero_grad");
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(a_set_that_has_failed) {
    setup s = begin();
    either o = either_new(_i, s.params);
    backward(&s, 2, ALL(s));
    tl_params_add(s.params, "layer.bias", TL_SHAPE(1), (tl_init){0});
    double w = first(s.w);
    ck_assert(!either_step(o, 0.1));
    ck_assert_double_eq(first(s.w), w);
    assert_contains(either_error(o), either_name[_i]);
    assert_contains(either_error(o), "there is a parameter \"layer.bias\" already");
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(what_adam_keeps) {
#ifdef __GLIBC__
    mallopt(M_PERTURB, 0x55); /* fresh memory that is not zero */
#endif
    setup s = begin(), other = begin();
    tl_adam *adam = tl_adam_new(s.params, NULL);
    tl_adam_state a = tl_adam_state_of(adam, s.b); /* no step yet: the state is made now */
    ck_assert(a.m.data && a.v.data && a.steps && a.m.data != a.v.data);
    ck_assert(a.m.rank == 1 && a.m.dim[0] == 4 && tl_is_contiguous(a.m));
    for (int i = 0; i < 4; i++) ck_assert(a.m.data[i] == 0 && a.v.data[i] == 0);
    ck_assert_int_eq(*a.steps, 0);
    tl_adam_state w = tl_adam_state_of(adam, s.w);
    ck_assert(tl_shape_equal(tl_shape_of(w.m), TL_SHAPE(3, 2)) &&
              tl_shape_equal(tl_shape_of(w.v), TL_SHAPE(3, 2)));
    tl_freeze(s.params, "other.", true);
    tl_zero_grad(s.params);
    backward(&s, 2, (tl_param *const[3]){s.w, s.b, NULL});
    ck_assert(tl_adam_step(adam, 0.1));
    close_to((double)a.m.data[3], 0.1 * 2); /* (1 - beta1)·g and (1 - beta2)·g², in the same memory */
    close_to((double)a.v.data[3], 0.001 * 4);
    ck_assert_int_eq(*a.steps, 1);
    a = tl_adam_state_of(adam, s.v);
    ck_assert(*a.steps == 0 && a.m.data[0] == 0 && a.v.data[4] == 0); /* frozen */
    tl_param *late = tl_params_add(s.params, "late", TL_SHAPE(2), (tl_init){0});
    ck_assert_int_eq(*tl_adam_state_of(adam, late).steps, 0);
    ck_assert_int_eq(*tl_adam_state_of(adam, s.b).steps, 1);

    a = tl_adam_state_of(adam, other.b); /* of another set: NULL, without harm */
    ck_assert(!a.m.data && !a.v.data && !a.steps);
    assert_no_error(tl_adam_error(adam));
    ck_assert_ptr_null(tl_adam_state_of(adam, NULL).steps);
    ck_assert_ptr_null(tl_adam_state_of(NULL, s.b).steps);
    ck_assert(!tl_adam_step(adam, 0.1)); /* no gradient has reached "late" */
    ck_assert_ptr_null(tl_adam_state_of(adam, s.b).steps);
    tl_adam_free(adam);
    end(&other);
    end(&s);
}
END_TEST

static void copy_tensor(tl_tensor to, tl_tensor from) { ck_assert(tl_tensor_copy(to, from)); }

START_TEST(what_adam_keeps_can_be_restored) { /* the next step is the same, to the bit */
    setup s[2] = {begin(), begin()};
    tl_adam *adam[2];
    for (int k = 0; k < 2; k++) adam[k] = tl_adam_new(s[k].params, NULL);
    for (int step = 0; step < 3; step++) {
        tl_zero_grad(s[0].params);
        backward(&s[0], 2 - step, ALL(s[0]));
        ck_assert(tl_adam_step(adam[0], 0.1));
    }
    for (int i = 0; i < 3; i++) {
        tl_param *from = tl_params_at(s[0].params, i), *to = tl_params_at(s[1].params, i);
        tl_adam_state a = tl_adam_state_of(adam[0], from), b = tl_adam_state_of(adam[1], to);
        copy_tensor(tl_param_value(to), tl_param_value(from));
        copy_tensor(b.m, a.m);
        copy_tensor(b.v, a.v);
        *b.steps = *a.steps;
    }
    tl_adam_set_steps(adam[1], tl_adam_steps(adam[0]));
    ck_assert_int_eq(tl_adam_steps(adam[1]), 3);
    tl_adam_set_steps(NULL, 3);
    for (int k = 0; k < 2; k++) {
        tl_zero_grad(s[k].params);
        backward(&s[k], 5, ALL(s[k]));
        ck_assert(tl_adam_step(adam[k], 0.1));
        ck_assert_int_eq(tl_adam_steps(adam[k]), 4);
    }
    for (int i = 0; i < 3; i++) {
        tl_tensor a = tl_param_value(tl_params_at(s[0].params, i)),
                  b = tl_param_value(tl_params_at(s[1].params, i));
        ck_assert(memcmp(a.data, b.data, (size_t)tl_numel(a) * sizeof(tl_real)) == 0);
    }
    for (int k = 0; k < 2; k++) {
        tl_adam_free(adam[k]);
        end(&s[k]);
    }
}
END_TEST

START_TEST(options) {
    setup s = begin();
    tl_sgd *sgd = tl_sgd_new(s.params, &(tl_sgd_config){.nesterov = true});
    backward(&s, 2, ALL(s));
    double w = first(s.w);
    ck_assert(!tl_sgd_step(sgd, 0.1));
    ck_assert_str_eq(tl_sgd_error(sgd), "sgd: nesterov needs momentum; set .momentum (0.9 is usual)");
    ck_assert_double_eq(first(s.w), w);
    tl_sgd_free(sgd);
    tl_adam *standard = tl_adam_new(s.params, NULL); /* defaults: 0.9, 0.999, 1e-8, no decay */
    ck_assert(tl_adam_step(standard, 0.1));
    close_to(first(s.w), w - 0.1 * 2 / (2 + 1e-8));
    tl_zero_grad(s.params);
    backward(&s, -1, ALL(s));
    ck_assert(tl_adam_step(standard, 0.1));
    double m = 0.9 * 0.2 - 0.1, v = 0.999 * 0.004 + 0.001; /* moments of 2, then -1 */
    close_to(first(s.w),
             w - 0.1 * 2 / (2 + 1e-8) - 0.1 * (m / 0.19) / (sqrt(v / (1 - 0.999 * 0.999)) + 1e-8));
    ck_assert_int_eq(tl_adam_steps(standard), 2);
    assert_no_error(tl_adam_error(standard));
    tl_adam_free(standard);
    sgd = tl_sgd_new(s.params, NULL);
    w = first(s.w);
    ck_assert(tl_sgd_step(sgd, 0.1));
    close_to(first(s.w), w + 0.1);
    assert_no_error(tl_sgd_error(sgd));
    tl_sgd_free(sgd);
    end(&s);
}
END_TEST

/* Options that PyTorch's optimisers refuse with a ValueError, and options that are not finite: an error, and no
 * step. */
static const struct {
    const char *what; /* expected in the error; NULL: accepted */
    tl_sgd_config sgd;
    tl_adam_config adam;
    bool is_sgd;
} numbers[] = {
    {"beta1 is 1, should be 0 or more, and less than 1", .adam = {.beta1 = 1}},
    {"beta1 is -0.1, ", .adam = {.beta1 = -0.1}},
    {"beta1 is ", .adam = {.beta1 = NAN}},
    {"beta2 is 1, should be 0 or more, and less than 1", .adam = {.beta2 = 1}},
    {"beta2 is inf, ", .adam = {.beta2 = INFINITY}},
    {"beta2 is -1e-300, ", .adam = {.beta2 = -1e-300}},
    {"beta2 is 0.9, and no_beta2 says that it is 0", .adam = {.beta2 = 0.9, .no_beta2 = true}},
    {"beta1 is 0.5, and no_beta1 says that it is 0", .adam = {.beta1 = 0.5, .no_beta1 = true}},
    {"eps is -1e-08, should be 0 or more, and finite", .adam = {.eps = -1e-8}},
    {"eps is ", .adam = {.eps = NAN}},
    {"eps is inf, ", .adam = {.eps = INFINITY}},
    {"weight_decay is -0.1, should be 0 or more, and finite", .adam = {.weight_decay = -0.1}},
    {"weight_decay is ", .adam = {.weight_decay = NAN}},
    {"weight_decay is -0.1, ", .adam = {.weight_decay = -0.1, .decoupled = true}},
    {NULL, .adam = {.beta1 = 0.999999, .beta2 = 1e-300, .eps = 1e-300, .weight_decay = 3}},
    {NULL, .adam = {.no_beta1 = true, .no_beta2 = true}},
    {"momentum is -0.9, should be 0 or more, and finite", .sgd = {.momentum = -0.9}, .is_sgd = true},
    {"momentum is ", .sgd = {.momentum = NAN}, .is_sgd = true},
    {"momentum is inf, ", .sgd = {.momentum = INFINITY}, .is_sgd = true},
    {"weight_decay is -1, ", .sgd = {.weight_decay = -1}, .is_sgd = true},
    {"weight_decay is ", .sgd = {.weight_decay = NAN}, .is_sgd = true},
    {NULL, .sgd = {.momentum = 1, .weight_decay = 0.1}, .is_sgd = true}, /* PyTorch accepts it, too */
};

START_TEST(numbers_that_make_no_sense) {
    setup s = begin();
    either o = numbers[_i].is_sgd ? (either){.sgd = tl_sgd_new(s.params, &numbers[_i].sgd)}
                                  : (either){.adam = tl_adam_new(s.params, &numbers[_i].adam)};
    tl_zero_grad(s.params);
    backward(&s, 2, ALL(s));
    const double w = first(s.w);
    if (!numbers[_i].what) {
        ck_assert_msg(either_step(o, 0.1), "%s", either_error(o));
        ck_assert(first(s.w) != w && isfinite(first(s.w)));
    } else {
        ck_assert(!either_step(o, 0.1));
        assert_contains(either_error(o), numbers[_i].what);
        ck_assert_double_eq(first(s.w), w);
    }
    either_free(o);
    end(&s);
}
END_TEST

START_TEST(rates_and_groups_that_make_no_sense) {
    static const double rates[] = {-0.1, -1e-300, NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 5; i++) {
        setup s = begin();
        either o[3] = {either_new(_i, s.params), either_new(_i, s.params), either_new(_i, s.params)};
        backward(&s, 2, ALL(s));
        const double w = first(s.w);
        ck_assert(!either_step(o[0], rates[i]));
        assert_contains(either_error(o[0]), ": the learning rate is ");
        ck_assert(!either_group(o[1], 0, &(tl_group_options){.lr_factor = rates[i]}));
        assert_contains(either_error(o[1]), ": a group's lr_factor is ");
        ck_assert(!either_group(o[2], 0, &(tl_group_options){.weight_decay = rates[i]}));
        assert_contains(either_error(o[2]), ": a group's weight_decay is ");
        for (int k = 0; k < 3; k++) {
            ck_assert(!either_step(o[k], 0.1)); /* the first failure is kept */
            either_free(o[k]);
        }
        ck_assert_double_eq(first(s.w), w);
        end(&s);
    }
    setup s = begin();
    either o = either_new(_i, s.params);
    ck_assert(!either_group(o, 0, NULL));
    assert_contains(either_error(o), "no options are given");
    either_free(o);
    o = either_new(_i, s.params);
    backward(&s, 2, ALL(s));
    const double w = first(s.w);
    ck_assert(either_step(o, 0)); /* nothing moves, not even by decay */
    ck_assert_double_eq(first(s.w), w);
    either_free(o);
    end(&s);
}
END_TEST

/* With both betas 0 each step is lr·sign, whatever the earlier gradients. */
START_TEST(betas_of_0) {
    setup s = begin();
    tl_adam *adam = tl_adam_new(s.params, &(tl_adam_config){.no_beta1 = true, .no_beta2 = true});
    double w = first(s.w);
    static const double g[] = {3, -0.01, 500};
    for (int i = 0; i < 3; i++) {
        tl_zero_grad(s.params);
        backward(&s, g[i], ALL(s));
        ck_assert_msg(tl_adam_step(adam, 0.1), "%s", tl_adam_error(adam));
        w -= 0.1 * g[i] / (fabs(g[i]) + 1e-8);
        close_to(first(s.w), w);
    }
    tl_adam_free(adam);
    end(&s);
}
END_TEST

/* A checkpoint sets the number of updates: negative or too large to count on is refused. */
START_TEST(counts_that_cannot_be) {
    setup s = begin();
    tl_adam *adam = tl_adam_new(s.params, NULL);
    backward(&s, 2, ALL(s));
    tl_adam_set_steps(adam, LONG_MAX);
    ck_assert(tl_adam_step(adam, 0.1));
    ck_assert_int_eq(tl_adam_steps(adam), LONG_MAX);
    tl_adam_set_steps(adam, -3);
    ck_assert_int_eq(tl_adam_steps(adam), 0);
    const double w = first(s.w);
    *tl_adam_state_of(adam, s.b).steps = _i ? LONG_MAX : -1;
    ck_assert(!tl_adam_step(adam, 0.1));
    assert_contains(tl_adam_error(adam),
                    _i ? "adam: parameter \"layer.bias\" has had 9223372036854775807 updates"
                       : "adam: parameter \"layer.bias\" has had -1 updates, which cannot be");
    ck_assert_double_eq(first(s.w), w);
    tl_adam_free(adam);
    end(&s);
}
END_TEST

START_TEST(null_is_accepted) {
    tl_sgd_free(NULL);
    tl_adam_free(NULL);
    ck_assert(!tl_sgd_step(NULL, 1));
    ck_assert(!tl_adam_step(NULL, 1));
    ck_assert(!tl_sgd_set_group(NULL, 0, &(tl_group_options){0}));
    ck_assert(!tl_adam_set_group(NULL, 0, &(tl_group_options){0}));
    ck_assert_ptr_nonnull(tl_sgd_error(NULL));
    ck_assert_ptr_nonnull(tl_adam_error(NULL));
    ck_assert_int_eq(tl_adam_steps(NULL), 0);
    for (int which = 0; which < 3; which++) { /* a set whose allocation has failed */
        either o = either_new(which, NULL);
        ck_assert(!either_step(o, 0.1));
        assert_contains(either_error(o), "out of memory when the set was made");
        either_free(o);
    }
}
END_TEST

START_TEST(many_elements) { /* over several vectors, pieces and threads, all elements are updated alike */
    enum { N = 150001 };
    tl_params *params = tl_params_new(1);
    tl_param *p = tl_params_add(params, "p", TL_SHAPE(N), (tl_init){TL_INIT_ONES, 0});
    tl_set_threads(3);
    either o = either_new(_i, params);
    for (long i = 0; i < N; i++) p->leaf.grad[i] = 2;
    p->leaf.reached = true;
    close_to(tl_clip_grad_norm(params, 0) / sqrt(4.0 * N), 1);
    ck_assert(either_step(o, 0.1));
    for (long i = 0; i < N; i++) must_msg(p->leaf.value.data[i] == p->leaf.value.data[0], "element %ld", i);
    close_to(first(p), stepped(_i, 1, 0.5));
    either_free(o);
    tl_params_free(params);
}
END_TEST

/* More parameters than one group of clip.c: small ones, and two large ones. */
START_TEST(many_parameters) {
    enum { MANY = 150 };
    tl_params *params = tl_params_new(1);
    long total = 0;
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        const long n = i == 70 || i == 149 ? 70001 : 1 + 37 * i % 50;
        tl_param *p = tl_params_add(params, name, TL_SHAPE(n), (tl_init){TL_INIT_ONES, 0});
        for (long e = 0; e < n; e++) p->leaf.grad[e] = 2;
        p->leaf.reached = true;
        total += n;
    }
    tl_set_threads(3);
    either o = either_new(_i, params);
    close_to(tl_clip_grad_norm(params, 0) / sqrt(4.0 * (double)total), 1);
    ck_assert(either_step(o, 0.1));
    for (int i = 0; i < MANY; i++) {
        const tl_leaf *leaf = &tl_params_at(params, i)->leaf;
        for (long e = 0; e < tl_numel(leaf->value); e++)
            must_msg(leaf->value.data[e] == tl_params_at(params, 0)->leaf.value.data[0],
                     "parameter %d, element %ld", i, e);
    }
    close_to(first(tl_params_at(params, 0)), stepped(_i, 1, 0.5));
    either_free(o);
    tl_params_free(params);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, constant_rate);
    tcase_add_test(tc, noam);
    tcase_add_test(tc, inverse_sqrt);
    tcase_add_test(tc, cosine);
    tcase_add_test(tc, linear_decay);
    tcase_add_test(tc, clipping);
    tcase_add_test(tc, clipping_counts_what_will_be_updated);
    tcase_add_test(tc, a_norm_that_is_not_finite_changes_nothing);
    tcase_add_test(tc, scaling);
    tcase_add_loop_test(tc, a_parameter_that_no_gradient_reached, 0, 3);
    tcase_add_loop_test(tc, frozen_parameters_stay, 0, 3);
    tcase_add_loop_test(tc, groups, 0, 3);
    tcase_add_loop_test(tc, thawed_and_late_parameters_begin_anew, 0, 3);
    tcase_add_loop_test(tc, an_update_between_forward_and_backward, 0, 3);
    tcase_add_loop_test(tc, zero_grad, 0, 3);
    tcase_add_loop_test(tc, a_set_that_has_failed, 0, 3);
    tcase_add_test(tc, what_adam_keeps);
    tcase_add_test(tc, what_adam_keeps_can_be_restored);
    tcase_add_test(tc, options);
    tcase_add_test(tc, rates_at_the_edges);
    tcase_add_loop_test(tc, numbers_that_make_no_sense, 0, sizeof numbers / sizeof *numbers);
    tcase_add_loop_test(tc, rates_and_groups_that_make_no_sense, 0, 3);
    tcase_add_test(tc, betas_of_0);
    tcase_add_loop_test(tc, counts_that_cannot_be, 0, 2);
    tcase_add_test(tc, null_is_accepted);
    tcase_add_loop_test(tc, many_elements, 0, 3);
    tcase_add_loop_test(tc, many_parameters, 0, 3);
}

TL_TEST_MAIN("optim: optimisers and schedules")
