/* Task 6: attention backward, its functions on plain arrays. Each exercise lists the mistakes that can be made in
 * it. */
#include "model_steps.h"

#include <math.h>

/* ---- mix_backward ---- */

static const int mix_list[] = {MIX(ID) MIX_ALONE(ID)};
static const course_slip mix_slips[] = {MIX(LINE) MIX_ALONE(LINE){0}};

static void model_mix(course_case *c, unsigned slips) {
    back_mix(course_data(c, "probs"), NULL, course_data(c, "v"), course_data(c, "dcontext"),
             course_data(c, "dprobs"), course_data(c, "dv"), sizes_of(c), chosen(mix_list, slips));
}

static void draw_mix(course_case *c, course_kind kind, course_rng *rng) {
    back_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    back_some_probs(c, kind, rng);
    course_array_normal(c, "v", large(kind), rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "dcontext", large(kind), rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_OUT, "dprobs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_ADD, "dv", COURSE_DIMS(n.B, n.H, n.S, n.d));
}

/* ---- attention_softmax_backward ---- */

static const int softmax_list[] = {SOFTMAX(ID)};
static const course_slip softmax_slips[] = {SOFTMAX(LINE){0}};

static void model_softmax(course_case *c, unsigned slips) {
    back_softmax(course_data(c, "probs"), course_data(c, "dprobs"), course_data(c, "dscores"), sizes_of(c),
                 chosen(softmax_list, slips));
}

static void draw_softmax(course_case *c, course_kind kind, course_rng *rng) {
    back_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    back_some_probs(c, kind, rng);
    course_array_normal(c, "dprobs", large(kind), rng, COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "dscores", COURSE_DIMS(n.B, n.H, n.T, n.S));
}

/* ---- scores_backward ---- */

static const int score_list[] = {SCORES(ID)};
static const course_slip score_slips[] = {SCORES(LINE){0}};

static void model_scores(course_case *c, unsigned slips) {
    back_scores(course_data(c, "q"), course_data(c, "k"), course_data(c, "dscores"), course_data(c, "dq"),
                course_data(c, "dk"), sizes_of(c), 0, chosen(score_list, slips));
}

static void draw_scores(course_case *c, course_kind kind, course_rng *rng) {
    back_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "q", large(kind), rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_normal(c, "k", large(kind), rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "dscores", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_ADD, "dq", COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_ADD, "dk", COURSE_DIMS(n.B, n.H, n.S, n.d));
}

/* ---- attention_backward ---- */

#define WHOLE(X) MIX(X) SOFTMAX(X) SCORES(X) HEADS(X)
static const int whole_list[] = {WHOLE(ID)};
static const course_slip whole_slips[] = {WHOLE(LINE){0}};

static void model_whole(course_case *c, unsigned slips) {
    const back b = {.q = course_data(c, "q"),
                    .k = course_data(c, "k"),
                    .v = course_data(c, "v"),
                    .probs = course_data(c, "probs"),
                    .dy = course_data(c, "dy"),
                    .dprobs = course_data(c, "dprobs"),
                    .dscores = course_data(c, "dscores"),
                    .dq = course_data(c, "dq"),
                    .dk = course_data(c, "dk"),
                    .dv = course_data(c, "dv")};
    back_whole(&b, sizes_of(c), chosen(whole_list, slips));
}

static void draw_whole(course_case *c, course_kind kind, course_rng *rng) {
    back_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    const double *q = course_array_normal(c, "q", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    const double *k = course_array_normal(c, "k", 1, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "v", large(kind), rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    back_probs(c, q, k, kind, rng);
    course_array_normal(c, "dy", large(kind), rng, COURSE_DIMS(n.B, n.T, n.H * n.d));
    course_array_new(c, COURSE_OUT, "dprobs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "dscores", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_ADD, "dq", COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_ADD, "dk", COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_new(c, COURSE_ADD, "dv", COURSE_DIMS(n.B, n.H, n.S, n.d));
}

/* ---- invariants of both tiers ---- */

static bool sum_to_zero(const course_case *given, const course_case *got, char *why) {
    const double *ds = course_data(got, "dscores");
    const sizes n = sizes_of(given);
    for (long row = 0; row < n.B * n.H * n.T; row++) {
        double sum = 0, size = 0;
        for (long j = 0; j < n.S; j++) sum += ds[row * n.S + j], size = fmax(size, fabs(ds[row * n.S + j]));
        if (fabs(sum) <= 1e-4 * fmax(size, 1e-2)) continue;
        snprintf(why, 256, "row %ld of your dscores sums to %.4g, should sum to 0", row, sum);
        return false;
    }
    return true;
}

static bool hidden_get_nothing(const course_case *given, const course_case *got, char *why) {
    const double *p = course_data(given, "probs"), *ds = course_data(got, "dscores");
    const sizes n = sizes_of(given);
    for (long k = 0; k < n.B * n.H * n.T * n.S; k++) {
        if (p[k] != 0 || ds[k] == 0) continue;
        snprintf(why, 256, "key %ld is hidden from row %ld, but its dscores is %.3g, not exactly 0", k % n.S,
                 k / n.S, ds[k]);
        return false;
    }
    return true;
}

static const course_invariant invariants[] = {
    {"rows of dS sum to 0", sum_to_zero}, {"hidden exactly 0", hidden_get_nothing}, {0}};

static const course_exercise tier1[] = {
    {.function = "mix_backward",
     .part = COURSE_BACKWARD,
     .kinds = KINDS_OF_ALL,
     .draw = draw_mix,
     .model = model_mix,
     .slips = mix_slips},
    {.function = "attention_softmax_backward",
     .part = COURSE_BACKWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_NOTHING),
     .draw = draw_softmax,
     .model = model_softmax,
     .slips = softmax_slips,
     .invariants = invariants},
    {.function = "scores_backward",
     .part = COURSE_BACKWARD,
     .kinds = KINDS_OF_ALL,
     .draw = draw_scores,
     .model = model_scores,
     .slips = score_slips},
    {.function = "attention_backward",
     .part = COURSE_BACKWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_NOTHING),
     .draw = draw_whole,
     .model = model_whole,
     .slips = whole_slips,
     .invariants = invariants},
    {0}};

/* ---- the handout's example: task 5's, with a gradient of its y ---- */

static void example(FILE *to) {
    const sizes n = {1, 1, 2, 3, 4, 4};
    const double q[] = {2, 0, 0, 2, 0, 2, 2, 0}, k[] = {1, 0, 0, 1, 0, 2, 1, 0, 1, 0, 1, 1};
    const double v[] = {4, 0, 0, 1, 0, 4, 0, 1, 0, 0, 4, 1}, seen[] = {1, 1, 0, 1, 1, 1};
    const double dy[] = {1, 0, 0, 0, 0, 0, 1, 1};
    double p[6], dp[6], ds[6], dq[8] = {0}, dk[12] = {0}, dv[12] = {0};
    back_attend(q, k, seen, p, n, 0);
    back_whole(&(back){q, k, v, p, NULL, dy, 0, dp, ds, dq, dk, dv}, n, 0);
    print_matrix(to, "probs", p, 2, 3), print_matrix(to, "dy", dy, 2, 4);
    print_matrix(to, "dprobs", dp, 2, 3), print_matrix(to, "dscores", ds, 2, 3);
    print_matrix(to, "dq", dq, 2, 4), print_matrix(to, "dk", dk, 3, 4), print_matrix(to, "dv", dv, 3, 4);
}

extern const course_task course_task_attention_backward;
const course_task course_task_attention_backward = {
    .number = 6,
    .name = "attention_backward",
    .title = "Attention backward",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = back_tier2,
    .operations = (const char *const[]){"scaled_dot_product_attention", NULL},
    .questions =
        {{"A query's weights are 0.25, 0.25, 0.5, and dprobs is 0, 0, 1. What is dscores of the third key?",
          0.25, 1e-6},
         {"One head, two queries that see all of three keys, four numbers each; the loss is the sum of all "
          "numbers of "
          "y. What do the twelve numbers of dv sum to?",
          8, 1e-6}},
    .example = example};
