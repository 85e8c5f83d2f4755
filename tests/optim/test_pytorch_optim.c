/* SGD, Adam, AdamW and clipping against torch.optim and clip_grad_norm_: six steps from the same parameters with the
 * same gradients, compared after every step. The expected numbers are in tests/fixtures/optim.safetensors. */
#include "check.h"
#define FIXTURE_FLOAT_TOLERANCE 1e-6 /* an update has a few roundings */
#include "fixtures/fixture.h"

enum { STEPS = 6 };

typedef struct pair { /* two parameters, and a tape that gives them chosen gradients */
    fixture shared;   /* init.* and grad.* */
    tl_params *params;
    tl_param *p[2];
    tl_tape *tape;
} pair;
static const char *const pair_name[2] = {"w", "b"};

static void pair_begin(pair *c) {
    c->shared = fixture_open("optim", "");
    c->params = tl_params_new(1);
    for (int i = 0; i < 2; i++) {
        tl_tensor init = fixture_read(&c->shared, "init.%s", pair_name[i]);
        c->p[i] = tl_params_add(c->params, pair_name[i], tl_shape_of(init), (tl_init){TL_INIT_ZEROS, 0});
        tl_tensor_copy(tl_param_value(c->p[i]), init);
    }
    tl_params_changed(c->params);
    c->tape = tl_tape_new();
}

/* loss = sum of w·g, so the gradient is g */
static void pair_backward(pair *c, int step) {
    tl_var loss[2];
    tl_tape_reset(c->tape);
    for (int i = 0; i < 2; i++) {
        tl_tensor g = fixture_read(&c->shared, "grad.%d.%s", step, pair_name[i]);
        loss[i] = tl_sum(tl_mul(tl_use(c->tape, c->p[i]), tl_constant(c->tape, g)), TL_ALL_AXES, false);
    }
    tl_zero_grad(c->params);
    ck_assert_msg(tl_backward(tl_add(loss[0], loss[1])), "%s", tl_tape_error(c->tape));
}

static void pair_end(pair *c) {
    tl_tape_free(c->tape);
    tl_params_free(c->params);
    /* the case's own fixture checks that */
    for (int i = 0; i < FIXTURE_TENSORS; i++) c->shared.used[i] = true;
    fixture_close(&c->shared);
}

/* ---- optimisers ---- */

#define ADAM .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-9
static const tl_adam_config adam = {ADAM}, adam_decay = {ADAM, .weight_decay = 0.01},
                            adamw = {ADAM, .weight_decay = 0.01, .decoupled = true};
static const struct {
    const char *prefix;
    const tl_adam_config *adam; /* NULL: SGD */
    tl_sgd_config sgd;
    bool groups; /* b in a group of its own, without decay */
} cases[] = {{.prefix = "sgd."},
             {.prefix = "sgd_decay.", .sgd = {.weight_decay = 0.01}},
             {.prefix = "momentum.", .sgd = {.momentum = 0.9}},
             {.prefix = "momentum_decay.", .sgd = {.momentum = 0.9, .weight_decay = 0.01}},
             {.prefix = "nesterov.", .sgd = {.momentum = 0.9, .nesterov = true}},
             {.prefix = "nesterov_decay.", .sgd = {.momentum = 0.9, .nesterov = true, .weight_decay = 0.01}},
             {.prefix = "adam.", .adam = &adam},
             {.prefix = "adam_decay.", .adam = &adam_decay},
             {.prefix = "adamw.", .adam = &adamw},
             {.prefix = "adamw_schedule.", .adam = &adamw},
             {.prefix = "adamw_groups.", .adam = &adamw, .groups = true}};

START_TEST(optimiser) {
    pair c;
    pair_begin(&c);
    fixture f = fixture_open("optim", cases[_i].prefix);
    tl_adam *adam_state = cases[_i].adam ? tl_adam_new(c.params, cases[_i].adam) : NULL;
    tl_sgd *sgd_state = cases[_i].adam ? NULL : tl_sgd_new(c.params, &cases[_i].sgd);
    if (cases[_i].groups) {
        ck_assert_int_eq(tl_set_group(c.params, "b", 1), 1);
        ck_assert(tl_adam_set_group(adam_state, 1, &(tl_group_options){.weight_decay = 0}));
    }
    tl_tensor lr = fixture_read(&f, "lr");
    for (int step = 1; step <= STEPS; step++) {
        pair_backward(&c, step);
        double rate = round((double)lr.data[step - 1] * 1000) / 1000; /* 0.1 is 0.1 in a float build too */
        bool ok = adam_state ? tl_adam_step(adam_state, rate) : tl_sgd_step(sgd_state, rate);
        ck_assert_msg(ok, "%s", adam_state ? tl_adam_error(adam_state) : tl_sgd_error(sgd_state));
        for (int i = 0; i < 2; i++) {
            char name[32];
            snprintf(name, sizeof name, "%d.%s", step, pair_name[i]);
            fixture_same(&f, name, tl_param_value(c.p[i]));
        }
    }
    tl_adam_free(adam_state);
    tl_sgd_free(sgd_state);
    fixture_close(&f);
    pair_end(&c);
}
END_TEST

/* ---- clipping ---- */

static const char *const clips[] = {"clip_tight.", "clip_slight.", "clip_loose."};

START_TEST(clipping) {
    pair c;
    pair_begin(&c);
    fixture f = fixture_open("optim", clips[_i]);
    pair_backward(&c, 1);
    double norm = tl_clip_grad_norm(c.params, tl_item(fixture_read(&f, "max_norm")));
    fixture_same_number(&f, "norm", norm);
    for (int i = 0; i < 2; i++) fixture_same(&f, pair_name[i], tl_param_grad(c.p[i]));
    fixture_close(&f);
    pair_end(&c);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, optimiser, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tc, clipping, 0, sizeof clips / sizeof *clips);
}
TL_TEST_MAIN("optim: PyTorch's updates")
