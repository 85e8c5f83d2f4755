/* A run's updates in shares: the bits of sums made by hand, also for short updates at an epoch's end; one share is
 * the same as none; resuming takes the same steps; config.txt mentions shares only if they are set. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

static scratch here;
static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

/* ---- a task with known gradients: batch m of 5 has sum(w ∘ x_m), with x_m whose sums round ---- */

enum { N = 499, BATCHES = 5 };

typedef struct line {
    tl_tape *tape;
    tl_params *params;
    tl_param *w;
    tl_batches_position at;
} line;

static bool next(void *context) {
    line *l = context;
    if (l->at.batch++ < BATCHES) return true;
    l->at = (tl_batches_position){l->at.epoch + 1, 0};
    return false;
}
static void numbers(long m, tl_real x[N]) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(3, "x"), (uint64_t)m);
    for (int i = 0; i < N; i++)
        x[i] = (tl_real)(tl_rng_normal(key, (uint64_t)i) * pow(10, (double)(m * 3 % 5)));
}
static tl_var loss(void *context, bool sum) {
    line *l = context;
    tl_real x[N];
    ck_assert(sum);
    numbers(l->at.batch, x);
    return tl_sum(tl_mul(tl_use(l->tape, l->w), tl_constant_copy(l->tape, tl_tensor_of(x, TL_SHAPE(N)))),
                  TL_ALL_AXES, false);
}
static long tokens(void *context) { return (void)context, 2; }
static long per_epoch(void *context) { return (void)context, BATCHES; }
static tl_batches_position tell(void *context) { return ((line *)context)->at; }
static bool seek(void *context, tl_batches_position position) {
    return ((line *)context)->at = position, true;
}
static bool validate(void *context, tl_quality *q, tl_translations *written) {
    (void)context, (void)written;
    return q->loss = 1, true;
}

static line line_begin(void) {
    line l = {.tape = tl_tape_new(), .params = tl_params_new(1)};
    l.w = tl_params_add(l.params, "w", TL_SHAPE(N), (tl_init){.kind = TL_INIT_NORMAL, .scale = 1});
    return l;
}
static void line_end(line *l) {
    tl_tape_free(l->tape);
    tl_params_free(l->params);
}

/* Trains two epochs and returns w; or why it was refused. */
static const char *fit(long accumulate, long shares, tl_real w[N]) {
    static tl_error error;
    error = (tl_error){""};
    line l = line_begin();
    const tl_task task = {.context = &l,
                          .next = next,
                          .loss = loss,
                          .tokens = tokens,
                          .per_epoch = per_epoch,
                          .tell = tell,
                          .seek = seek,
                          .validate = validate};
    const tl_training_settings s = {
        .epochs = 2, .lr = 0.05, .schedule = "constant", .accumulate = accumulate, .shares = shares};
    tl_ending ending = tl_train(&(tl_train_config){.dir = here.folder,
                                                   .params = l.params,
                                                   .tape = l.tape,
                                                   .training = &s,
                                                   .validation = &(tl_validation_settings){.average = 0},
                                                   .task = &task},
                                NULL, &error);
    memcpy(w, tl_param_value(l.w).data, N * sizeof *w);
    line_end(&l);
    return ending == TL_ENDED ? NULL : error.message;
}

/* The same by hand: each share's sum separately, then added in order. x_m is the gradient of batch m (1 … 5). */
static void by_hand(long accumulate, long shares, tl_real w[N]) {
    line l = line_begin();
    tl_adam *adam = tl_adam_new(l.params, &(tl_adam_config){.no_beta2 = true});
    for (long first = 0, update = 0; update < 2 * ((BATCHES + accumulate - 1) / accumulate); update++) {
        const long count = BATCHES - first < accumulate ? BATCHES - first : accumulate;
        for (long share = 0, m = 0; share < shares; share++) {
            tl_real sum[N], x[N];
            long of_share = 0;
            for (; m < count && m * shares / accumulate == share; m++, of_share++) {
                numbers(first + m + 1, x);
                for (int i = 0; i < N; i++) sum[i] = of_share ? sum[i] + x[i] : x[i];
            }
            for (int i = 0; of_share && i < N; i++)
                l.w->leaf.grad[i] = share ? l.w->leaf.grad[i] + sum[i] : sum[i];
        }
        l.w->leaf.reached = true;
        tl_scale_grad(l.params, 1 / (double)(2 * count));
        ck_assert_msg(tl_adam_step(adam, 0.05), "%s", tl_adam_error(adam));
        first = (first + count) % BATCHES;
    }
    memcpy(w, tl_param_value(l.w).data, N * sizeof *w);
    tl_adam_free(adam);
    line_end(&l);
}

static bool same(const tl_real *a, const tl_real *b) { return !memcmp(a, b, N * sizeof *a); }

START_TEST(updates_are_those_by_hand) {
    int others = 0;
    for (long accumulate = 2; accumulate <= 6; accumulate++) {
        tl_real chain[N], w[N], want[N];
        assert_no_error(fit(accumulate, 0, chain));
        for (long shares = 1; shares <= accumulate; shares++) {
            assert_no_error(fit(accumulate, shares, w));
            by_hand(accumulate, shares, want);
            ck_assert_msg(same(w, want), "%ld shares of %ld", shares, accumulate);
            if (shares == 1 || shares == accumulate) ck_assert(same(w, chain));
            others += !same(w, chain);
        }
    }
    ck_assert_int_gt(others, 3); /* otherwise the test would be meaningless */
}
END_TEST

START_TEST(too_many_shares) {
    tl_real w[N];
    static const long wrong[][2] = {{0, 2}, {1, 2}, {3, 4}};
    for (int i = 0; i < 3; i++) {
        char said[256];
        long batches = wrong[i][0] ? wrong[i][0] : 1;
        snprintf(
            said, sizeof said,
            "--shares %ld: an update consists of %ld batch%s (--accumulate), too few for a share each: give "
            "fewer shares, or accumulate more",
            wrong[i][1], batches, batches == 1 ? "" : "es");
        ck_assert_str_eq(fit(wrong[i][0], wrong[i][1], w), said);
        tl_run_settings s = small_settings();
        tl_error error = {""};
        s.training.accumulate = wrong[i][0];
        s.training.shares = wrong[i][1];
        ck_assert(!tl_run_settings_complete(&s, &error));
        ck_assert_str_eq(error.message, said);
    }
    assert_contains(fit(3, -1, w), "--shares \"-1\": a whole number from 0");
}
END_TEST

/* ---- runs of sentence pairs ---- */

static const char *in_here(const char *dir, const char *file) {
    static char path[8][1100];
    static int next_path;
    next_path = (next_path + 1) % 8;
    snprintf(path[next_path], sizeof path[next_path], "%s/%s/%s", here.folder, dir, file);
    return path[next_path];
}

static bool same_file(const char *a, const char *b, const char *file) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a, file), &size[0]), get_file(in_here(b, file), &size[1])};
    const bool equal = size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    return equal;
}

static void train(const char *dir, long shares, long steps, bool resume) {
    tl_run_settings s = small_settings();
    tl_error error = {""};
    s.training.accumulate = 4;
    s.training.shares = shares;
    s.training.steps = steps;
    s.model.dropout = 0.3;
    s.validation.validate_every = 100;
    s.validation.average = 0;
    tl_run *run = resume ? tl_run_open(in_here(dir, ""), &(tl_run_choice){.weights = "none"}, &error)
                         : tl_run_new(in_here(dir, ""), &s);
    ck_assert_msg(run != NULL, "%s", error.message);
    if (resume) tl_run_settings_of(run)->training.steps = steps;
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
}

/* train_loss in the only row of a run's log.csv: the mean over all updates */
static double loss_of(const char *dir) {
    char *log = get_file(in_here(dir, "log.csv"), NULL);
    double loss = 0;
    ck_assert_int_eq(sscanf(strchr(log, '\n'), "%*[^,],%*[^,],%*[^,],%*[^,],%lf", &loss), 1);
    free(log);
    return loss;
}

START_TEST(runs) {
    train("none", 0, 9, false);
    train("one", 1, 9, false);
    train("two", 2, 9, false);
    ck_assert(same_file("none", "one", "last.safetensors") && same_file("none", "one", "config.txt"));
    ck_assert(!same_file("one", "two", "last.safetensors"));
    /* the sum of all shares, with other rounding */
    ck_assert_double_eq_tol(loss_of("two"), loss_of("one"), 1e-3);
    char *config = get_file(in_here("one", "config.txt"), NULL);
    ck_assert(!strstr(config, "shares"));
    free(config);
    config = get_file(in_here("two", "config.txt"), NULL);
    assert_contains(config, "\naccumulate = 4\nshares = 2\n");
    free(config);
    train("part", 2, 5, false);
    train("part", 0, 9, true); /* config.txt decides */
    ck_assert(same_file("part", "two", "last.safetensors") && same_file("part", "two", "config.txt"));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, updates_are_those_by_hand);
    tcase_add_test(tc, too_many_shares);
    tcase_add_test(tc, runs);
}
TL_TEST_MAIN("run: sums in shares")
