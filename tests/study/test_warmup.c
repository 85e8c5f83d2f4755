/* Each rule can give each verdict. The exponent of a power law. A run that diverges is recognised and counts with a
 * loss. */
#define _XOPEN_SOURCE 700 /* for scratch.h */
#include "../../examples/study/claim_warmup.h"
#include "../io/scratch.h"
#include "invented.h"

extern const claim claim_warmup;
enum { POST_FLAT, PRE_ROOT, POST_NEEDS, PRE_DOES_NOT };

/* ---- before training ---- */

/* Gradient norms 3·L^e for L layers, where seed k has e = exponent + spread·(k - 2). */
static numbers gradients(const char *norm, double exponent, double spread) {
    numbers n = {.row = NULL};
    for (long seed = 0; seed < SEEDS; seed++)
        for (int layers = 6; layers <= 18; layers += 2)
            numbers_add(&n, norm, seed, "gradient norm", layers,
                        3 * pow(layers, exponent + spread * (double)(seed - 2)));
    return n;
}

START_TEST(exponents) {
    static const struct {
        int rule;
        const char *norm;
        double exponent, spread, mean;
        verdict expected;
    } all[] = {{POST_FLAT, "post-norm", 0.02, 0, 0.02, HOLDS},
               {POST_FLAT, "post-norm", -0.04, 0.01, 0.04, HOLDS},
               {POST_FLAT, "post-norm", -0.5, 0.01, 0.5, DOES_NOT_HOLD},
               {POST_FLAT, "post-norm", 0.1, 0.01, 0.1, UNDECIDED},
               {PRE_ROOT, "pre-norm", -0.45, 0.01, 0.05, HOLDS},
               {PRE_ROOT, "pre-norm", -0.55, 0.01, 0.05, HOLDS},
               {PRE_ROOT, "pre-norm", 0, 0.01, 0.5, DOES_NOT_HOLD},
               {PRE_ROOT, "pre-norm", -1, 0.01, 0.5, DOES_NOT_HOLD},
               {PRE_ROOT, "pre-norm", -0.4, 0.01, 0.1, UNDECIDED}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        numbers n = gradients(all[i].norm, all[i].exponent, all[i].spread);
        const finding f = judged(&claim_warmup, &n, all[i].rule);
        ck_assert_double_eq_tol(f.interval.mean, all[i].mean, 1e-9);
        ck_assert_int_eq(f.verdict, all[i].expected);
    }
}
END_TEST

START_TEST(fits) {
    const double x[] = {1, 2, 4}, root[] = {6, 6 / sqrt(2), 3}, flat[] = {5, 5, 5}, bent[] = {1, 8, 4};
    ck_assert_double_eq_tol(power_fitted(x, root, 3), -0.5, 1e-12);
    ck_assert_double_eq_tol(power_fitted(x, flat, 3), 0, 1e-12);
    /* The base-2 logarithms are x = 0, 1, 2 and y = 0, 3, 2: Σ dx·dy / Σ dx² = 2 / 2. */
    ck_assert_double_eq_tol(power_fitted(x, bent, 3), 1, 1e-12);
    ck_assert(isnan(power_fitted(x, root, 1)));
    ck_assert(isnan(power_fitted(x, root, 0)));
    ck_assert(isnan(power_fitted(flat, root, 3)));
    ck_assert(isnan(power_fitted(x, (double[]){1, 0, 1}, 3)));
}
END_TEST

/* ---- trained ---- */

static numbers losses(const char *with, const char *without, double lost, double spread) {
    numbers n = {.row = NULL};
    invent(&n, with, "loss", 0, 1.25, 0);
    invent(&n, without, "loss", 0, 1.25 + lost, spread);
    return n;
}

START_TEST(what_warm_up_is_worth) {
    static const struct {
        double lost;
        verdict post, pre;
    } all[] = {{2, HOLDS, DOES_NOT_HOLD},
               {0.1, DOES_NOT_HOLD, HOLDS},
               {-1, DOES_NOT_HOLD, HOLDS},
               {0.52, UNDECIDED, UNDECIDED}};
    for (int i = 0; i < 4; i++) {
        numbers n = losses("post-norm with warm-up", "post-norm without", all[i].lost, 0.05);
        finding f = judged(&claim_warmup, &n, POST_NEEDS);
        ck_assert_double_eq_tol(f.interval.mean, all[i].lost, 1e-12);
        ck_assert_int_eq(f.verdict, all[i].post);
        n = losses("pre-norm with warm-up", "pre-norm without", all[i].lost, 0.05);
        f = judged(&claim_warmup, &n, PRE_DOES_NOT);
        ck_assert_double_eq_tol(f.interval.mean, all[i].lost, 1e-12);
        ck_assert_int_eq(f.verdict, all[i].pre);
    }
}
END_TEST

START_TEST(what_a_loss_counts_as) {
    ck_assert_double_eq(loss_counted(1.5, 100), 1.5);
    ck_assert_double_eq(loss_counted(7, 100), log(100));
    ck_assert_double_eq(loss_counted(INFINITY, 100), log(100));
    ck_assert_double_eq(loss_counted(NAN, 100), log(100));
}
END_TEST

/* With this rate all numbers are infinite or NaN after the first update. Other failures are not called divergence. */
START_TEST(divergence) {
    scratch folder = scratch_new();
    const long stops[] = {3, 0};
    tl_run_settings r = tl_run_settings_default();
    r.data.pair = "en-fr";
    r.data.sentences = 100;
    r.model.d_model = r.model.d_ff = 16;
    r.model.heads = 2;
    r.model.layers = 1;
    r.training.lr = sizeof(tl_real) == sizeof(double) ? 1e200 : 1e30; /* the rate's square is infinite */
    r.training.warmup = 0;
    r.training.schedule = "constant";
    tl_error error = {""};
    ck_assert(!job_train(NULL, folder.folder, &r, stops, NULL, &error));
    ck_assert_msg(job_diverged(&error), "%s", error.message);
    error = (tl_error){""};
    r.model.heads = 3; /* of 16 */
    ck_assert(!job_train(NULL, folder.folder, &r, stops, NULL, &error));
    ck_assert(tl_failed(&error));
    ck_assert_msg(!job_diverged(&error), "%s", error.message);
    scratch_remove(&folder);
}
END_TEST

/* A run on few data is trained for as many epochs as its updates need, not only for the default of ten. */
START_TEST(a_run_is_trained_to_its_stop) {
    scratch folder = scratch_new();
    const long stops[] = {30, 0};
    tl_run_settings r = tl_run_settings_default();
    r.data.pair = "en-fr";
    r.data.sentences = 20; /* an epoch has one or two updates */
    r.model.d_model = r.model.d_ff = 16;
    r.model.heads = 2;
    r.model.layers = 1;
    tl_error error = {""};
    ck_assert_msg(job_train(NULL, folder.folder, &r, stops, NULL, &error), "%s", error.message);
    tl_run *run = tl_run_open(folder.folder, &(tl_run_choice){.weights = "none"}, &error);
    tl_training_state state;
    ck_assert_msg(run && tl_run_state(run, &state), "%s", error.message);
    ck_assert_int_eq(state.step, 30);
    tl_run_free(run);
    scratch_remove(&folder);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, exponents);
    tcase_add_test(tc, a_run_is_trained_to_its_stop);
    tcase_add_test(tc, fits);
    tcase_add_test(tc, what_warm_up_is_worth);
    tcase_add_test(tc, what_a_loss_counts_as);
    tcase_add_test(tc, divergence);
}

TL_TEST_MAIN("study: warmup")
