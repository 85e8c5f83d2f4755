/* Task 5: attention forward, its functions on plain arrays. Each exercise lists the mistakes that can be made in it. */
#include "model_steps.h"

#include <math.h>
#include <stdlib.h>

/* ---- split_heads, merge_heads ---- */

static const int split_list[] = {SPLIT(ID)}, merge_list[] = {MERGE(ID)};
static const course_slip split_slips[] = {SPLIT(LINE){0}}, merge_slips[] = {MERGE(LINE){0}};

static void model_split(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    forward_split(course_data(c, "x"), course_data(c, "y"), n.B, n.T, n.H, n.d, chosen(split_list, slips));
}

static void model_merge(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    forward_merge(course_data(c, "x"), course_data(c, "y"), n.B, n.T, n.H, n.d, chosen(merge_list, slips));
}

static void draw_split(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "x", 1, rng, COURSE_DIMS(n.B, n.T, n.H * n.d));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.H, n.T, n.d));
}

static void draw_merge(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "x", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.T, n.H * n.d));
}

/* ---- attention_scores ---- */

static const int score_list[] = {SCORES(ID) SCORES_ALONE(ID)};
static const course_slip score_slips[] = {SCORES(LINE) SCORES_ALONE(LINE){0}};

static void model_scores(course_case *c, unsigned slips) {
    forward_scores(course_data(c, "q"), course_data(c, "k"), NULL, course_data(c, "scores"), sizes_of(c), 0,
                   chosen(score_list, slips));
}

static void draw_scores(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    const double size = kind == COURSE_LARGE ? 1e4 : 1;
    course_array_normal(c, "q", size, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_normal(c, "k", size, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_new(c, COURSE_OUT, "scores", COURSE_DIMS(n.B, n.H, n.T, n.S));
}

/* ---- attention_mask ---- */

static const int mask_list[] = {MASK_OR(ID) MASK(ID) MASK_ALONE(ID)};
static const course_slip mask_slips[] = {MASK_OR(LINE) MASK(LINE) MASK_ALONE(LINE){0}};

static void model_mask(course_case *c, unsigned slips) {
    forward_mask(course_data(c, "key_lengths"), c->n[6], course_data(c, "visible"), sizes_of(c),
                 chosen(mask_list, slips));
}

static void draw_mask(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    c->n[6] = forward_causal(kind, rng);
    forward_lengths(c, kind, rng);
    course_array_new(c, COURSE_OUT, "visible", COURSE_DIMS(n.B, n.T, n.S));
}

/* ---- attention_softmax ---- */

static const int softmax_list[] = {SOFTMAX(ID) SOFTMAX_ALONE(ID)};
static const course_slip softmax_slips[] = {SOFTMAX(LINE) SOFTMAX_ALONE(LINE){0}};

static void model_softmax(course_case *c, unsigned slips) {
    forward_softmax(course_data(c, "scores"), course_data(c, "visible"), course_data(c, "probs"), sizes_of(c),
                    c->n[1], chosen(softmax_list, slips));
}

static void draw_softmax(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "scores", kind == COURSE_LARGE ? 1e4 : 2, rng, COURSE_DIMS(n.B, n.H, n.T, n.S));
    if (kind == COURSE_EQUAL) forward_equal(c);
    double *visible = course_array_new(c, COURSE_IN, "visible", COURSE_DIMS(n.B, n.T, n.S));
    for (long k = 0; k < n.B * n.T * n.S && kind != COURSE_NOTHING; k++) {
        const long row = k / n.S; /* the first query sees nothing, the last one all */
        visible[k] = row == n.B * n.T - 1 || (row > 0 && course_uniform(rng) < 0.6);
    }
    course_array_new(c, COURSE_OUT, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
}

/* ---- attention_mix ---- */

static const int mix_list[] = {MIX(ID) MIX_ALONE(ID)};
static const course_slip mix_slips[] = {MIX(LINE) MIX_ALONE(LINE){0}};

static void model_mix(course_case *c, unsigned slips) {
    forward_mix(course_data(c, "probs"), course_data(c, "v"), course_data(c, "context"), sizes_of(c),
                chosen(mix_list, slips));
}

static void draw_mix(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    double *p = course_array_normal(c, "probs", 2, rng, COURSE_DIMS(n.B, n.H, n.T, n.S));
    for (long k = 0; k < n.B * n.T * n.S * n.H; k++) p[k] = (double)(float)fabs(p[k] / (double)n.S);
    course_array_normal(c, "v", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_new(c, COURSE_OUT, "context", COURSE_DIMS(n.B, n.H, n.T, n.d));
}

/* ---- attention_forward ---- */

#define WHOLE(X) SPLIT(X) SCORES(X) MASK_OR(X) MASK(X) SOFTMAX(X) MIX(X) MERGE(X)
static const int whole_list[] = {WHOLE(ID)};
static const course_slip whole_slips[] = {WHOLE(LINE){0}};

static void model_whole(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    const mistakes m = chosen(whole_list, slips);
    const size_t queries = (size_t)(n.B * n.H * n.T * n.d), keys = (size_t)(n.B * n.H * n.S * n.d);
    double *q = calloc(2 * queries + 2 * keys + 1, sizeof *q), *s = course_data(c, "scores");
    if (!q) abort();
    double *k = q + queries, *v = k + keys, *context = v + keys;
    forward_split(course_data(c, "q"), q, n.B, n.T, n.H, n.d, m);
    forward_split(course_data(c, "k"), k, n.B, n.S, n.H, n.d, m);
    forward_split(course_data(c, "v"), v, n.B, n.S, n.H, n.d, m);
    forward_scores(q, k, NULL, s, n, 0, m);
    forward_mask(course_data(c, "key_lengths"), c->n[6], course_data(c, "visible"), n, m);
    forward_softmax(s, course_data(c, "visible"), course_data(c, "probs"), n, n.H, m);
    forward_mix(course_data(c, "probs"), v, context, n, m);
    forward_merge(context, course_data(c, "y"), n.B, n.T, n.H, n.d, m);
    free(q);
}

static void draw_whole(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    const double size = kind == COURSE_LARGE ? 1e4 : 1;
    c->n[6] = forward_causal(kind, rng);
    course_array_normal(c, "q", size, rng, COURSE_DIMS(n.B, n.T, n.H * n.d));
    course_array_normal(c, "k", size, rng, COURSE_DIMS(n.B, n.S, n.H * n.d));
    course_array_normal(c, "v", size, rng, COURSE_DIMS(n.B, n.S, n.H * n.d));
    if (kind == COURSE_EQUAL) forward_equal(c);
    forward_lengths(c, kind, rng);
    course_array_new(c, COURSE_OUT, "scores", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "visible", COURSE_DIMS(n.B, n.T, n.S));
    course_array_new(c, COURSE_OUT, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.T, n.H * n.d));
}

/* ---- invariants of both tiers ---- */

/* Does query i of sentence b see key j? attention_forward computes the mask itself. */
static bool sees(const course_case *given, long b, long i, long j) {
    const double *visible = course_data(given, "visible"), *lengths = course_data(given, "key_lengths");
    const sizes n = sizes_of(given);
    return lengths ? forward_shows(lengths, given->n[6], b, i, j, n, 0)
                   : visible[(b * n.T + i) * n.S + j] > 0;
}

static bool sum_to_one(const course_case *given, const course_case *got, char *why) {
    const double *p = course_data(got, "probs");
    const sizes n = sizes_of(given);
    for (long r = 0; r < n.B * n.H * n.T; r++) {
        double sum = 0;
        bool any = false;
        for (long j = 0; j < n.S; j++) sum += p[r * n.S + j], any |= sees(given, r / n.T / n.H, r % n.T, j);
        if (fabs(sum - any) < 1e-4) continue;
        snprintf(why, 256, "row %ld of your probs sums to %.6g, should sum to %d%s", r, sum, any,
                 any ? "" : ": that query sees nothing");
        return false;
    }
    return true;
}

static bool hidden_are_zero(const course_case *given, const course_case *got, char *why) {
    const double *p = course_data(got, "probs");
    const sizes n = sizes_of(given);
    for (long k = 0; k < n.B * n.H * n.T * n.S; k++) {
        const long r = k / n.S, j = k % n.S;
        if (sees(given, r / n.T / n.H, r % n.T, j) || p[k] == 0) continue;
        snprintf(why, 256, "key %ld is hidden from row %ld, but its weight is %.3g, not exactly 0", j, r,
                 p[k]);
        return false;
    }
    return true;
}

static const course_invariant invariants[] = {
    {"rows sum to 1", sum_to_one}, {"hidden exactly 0", hidden_are_zero}, {0}};

static const course_exercise tier1[] = {
    {.function = "split_heads",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL,
     .draw = draw_split,
     .model = model_split,
     .slips = split_slips},
    {.function = "merge_heads",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL,
     .draw = draw_merge,
     .model = model_merge,
     .slips = merge_slips},
    {.function = "attention_scores",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_LARGE),
     .draw = draw_scores,
     .model = model_scores,
     .slips = score_slips},
    {.function = "attention_mask",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_NOTHING),
     .draw = draw_mask,
     .model = model_mask,
     .slips = mask_slips},
    {.function = "attention_softmax",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL) | COURSE_HAS(COURSE_NOTHING),
     .draw = draw_softmax,
     .model = model_softmax,
     .slips = softmax_slips,
     .invariants = invariants},
    {.function = "attention_mix",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_LARGE),
     .draw = draw_mix,
     .model = model_mix,
     .slips = mix_slips},
    {.function = "attention_forward",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL) |
              COURSE_HAS(COURSE_NOTHING),
     .draw = draw_whole,
     .model = model_whole,
     .slips = whole_slips,
     .invariants = invariants},
    {0}};

/* ---- the handout's example: 2 queries, 3 keys, one head of 4 numbers ---- */

static void example(FILE *to) {
    const sizes n = {1, 1, 2, 3, 4, 4};
    const double q[] = {2, 0, 0, 2, 0, 2, 2, 0}, k[] = {1, 0, 0, 1, 0, 2, 1, 0, 1, 0, 1, 1}, length = 3;
    const double v[] = {4, 0, 0, 1, 0, 4, 0, 1, 0, 0, 4, 1};
    double s[6], visible[6], p[6], y[8];
    forward_scores(q, k, NULL, s, n, 0, 0);
    forward_mask(&length, true, visible, n, 0);
    forward_softmax(s, visible, p, n, 1, 0);
    forward_mix(p, v, y, n, 0);
    print_matrix(to, "q", q, 2, 4), print_matrix(to, "k", k, 3, 4), print_matrix(to, "v", v, 3, 4);
    print_matrix(to, "scores", s, 2, 3), print_matrix(to, "visible", visible, 2, 3),
        print_matrix(to, "probs", p, 2, 3);
    print_matrix(to, "y", y, 2, 4);
}

extern const course_task course_task_attention_forward;
const course_task course_task_attention_forward = {
    .number = 5,
    .name = "attention_forward",
    .title = "Attention forward",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = forward_tier2,
    .operations = (const char *const[]){"scaled_dot_product_attention", NULL},
    .questions =
        {{"Two queries stand at the end of five keys, the mask is causal, and key_lengths is 4. How many "
          "ones does visible hold?",
          8, 0},
         {"In the worked example, what would the largest weight of query 0 be if the scores were not divided "
          "by √d?",
          0.982, 5e-3}},
    .example = example};
