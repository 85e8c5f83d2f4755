/* Task 5, tier 2: the operation, and what it leaves for its backward. */
#include "model_steps.h"

#include <math.h>
#include <stdlib.h>

#define OPERATION_WHOLE(X) SCORES(X) MASK(X) SOFTMAX(X) MIX(X) MERGE(X) OPERATION(X)
static const int op_list[] = {OPERATION_WHOLE(ID)};
static const course_slip op_slips[] = {OPERATION_WHOLE(LINE){0}};

enum { CAUSAL = 6, WINDOW, HAS_BIAS, HAS_ATTEND }; /* places in course_case.n, behind the sizes */

/* [B,H,T,S] of all that the mask may be told; attend [H,T,S]. */
static void mask_of_heads(const course_case *c, double *visible, sizes n, mistakes m) {
    const double *attend = course_data(c, "attend");
    for (long k = 0; k < n.B * n.H * n.T * n.S; k++) {
        const long j = k % n.S, i = k / n.S % n.T, b = k / n.S / n.T / n.H;
        const long away = labs(i + (n.S - n.T) - j);
        visible[k] = forward_shows(course_data(c, "key_lengths"), c->n[CAUSAL], b, i, j, n, m);
        if (c->n[WINDOW] && away > c->n[WINDOW] && !IS(NO_WINDOW)) visible[k] = 0;
        if (c->n[HAS_ATTEND] && attend[k % (n.H * n.T * n.S)] == 0 && !IS(NO_ATTEND)) visible[k] = 0;
    }
}

/* probs [B,H,T,S] and y [B,T,H·e] */
static void attend(const course_case *c, double *probs, double *y, mistakes m) {
    const sizes n = sizes_of(c);
    const size_t all = (size_t)(n.B * n.H * n.T * n.S), values = (size_t)(n.B * n.H * n.T * n.e);
    double *s = calloc(3 * all + values + 1, sizeof *s), *visible = s + all, *bias = visible + all,
           *context = bias + all;
    if (!s) abort();
    for (size_t k = 0; k < all && c->n[HAS_BIAS]; k++)
        bias[k] = course_data(c, "bias")[k % (size_t)(n.H * n.T * n.S)];
    forward_scores(course_data(c, "q"), course_data(c, "k"), bias, s, n, c->p[0], m);
    mask_of_heads(c, visible, n, m);
    forward_softmax(s, visible, probs, n, 1, m);
    forward_mix(probs, course_data(c, "v"), context, n, m);
    forward_merge(context, y, n.B, n.T, n.H, n.e, m);
    free(s);
}

static void model_op(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    double *probs = calloc((size_t)(n.B * n.H * n.T * n.S) + 1, sizeof *probs);
    if (!probs) abort();
    attend(c, probs, course_data(c, "y"), chosen(op_list, slips));
    free(probs);
}

/* Beyond a sentence's end the inputs are NaN: nothing may read them. */
static void spoil(course_case *c, const char *name, long d) {
    const sizes n = sizes_of(c);
    for (long k = 0; k < n.B * n.H * n.S * d; k++)
        if (k / d % n.S >= (long)course_data(c, "key_lengths")[k / d / n.S / n.H])
            course_data(c, name)[k] = NAN;
}

/* Odd sizes: causal, lengths and a bias; masks: an array, a window, a scale, and padding that holds NaN. */
static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    if (kind == COURSE_TWICE) c->n[3] = c->n[2];
    if (kind != COURSE_ONE && kind != COURSE_TWICE) c->n[5] = c->n[4] - 2;
    const sizes n = sizes_of(c);
    const double size = kind == COURSE_LARGE ? 1e4 : 1;
    c->n[CAUSAL] = forward_causal(kind, rng);
    c->n[WINDOW] = kind == COURSE_MASKED;
    c->n[HAS_ATTEND] = kind == COURSE_MASKED;
    c->n[HAS_BIAS] = kind == COURSE_ODD || kind == COURSE_PRIME;
    c->p[0] = kind == COURSE_MASKED ? 0.75 : 0;
    c->p[1] = 0.25; /* dropout, but none of these is training */
    course_array_normal(c, "q", size, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_normal(c, "k", size, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "v", size, rng, COURSE_DIMS(n.B, n.H, n.S, n.e));
    if (kind == COURSE_EQUAL) forward_equal(c);
    const double *q = course_data(c, "q");
    for (long k = 0; kind == COURSE_TWICE && k < n.B * n.H * n.T * n.d; k++)
        course_data(c, "k")[k] = course_data(c, "v")[k] = q[k];
    forward_lengths(c, kind, rng);
    if (kind == COURSE_MASKED) spoil(c, "k", n.d), spoil(c, "v", n.e);
    course_array_normal(c, "bias", 1, rng, COURSE_DIMS(c->n[HAS_BIAS] ? n.H : 0, n.T, n.S));
    double *seen =
        course_array_new(c, COURSE_IN, "attend", COURSE_DIMS(c->n[HAS_ATTEND] ? n.H : 0, n.T, n.S));
    for (long k = 0; k < n.H * n.T * n.S && c->n[HAS_ATTEND]; k++) seen[k] = course_uniform(rng) < 0.7;
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.T, n.H * n.e));
}

/* What the operation leaves for backward, in training. The model does not know what dropout hits: the runner compares that with
 * tl_dropout's, and takes it out of y again. v is the identity, so y holds the weights. */
static void model_saved(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    double *kept = course_data(c, "kept as drawn");
    (void)slips;
    attend(c, course_data(c, "probs"), course_data(c, "y, dropout undone"), 0);
    for (long k = 0; k < n.B * n.H * n.T * n.S; k++) kept[k] = 1;
}

static void draw_saved(course_case *c, course_kind kind, course_rng *rng) {
    forward_sizes(c, kind, rng);
    c->n[5] = c->n[3];
    const sizes n = sizes_of(c);
    c->n[CAUSAL] = forward_causal(kind, rng);
    c->p[1] = kind == COURSE_PRIME ? 0 : 0.4;
    c->n[HAS_ATTEND + 1] = course_between(rng, 1, 1000); /* the step */
    course_array_normal(c, "q", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_normal(c, "k", 1, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    double *v = course_array_new(c, COURSE_IN, "v", COURSE_DIMS(n.B, n.H, n.S, n.S));
    for (long k = 0; k < n.B * n.H * n.S * n.S; k++) v[k] = k % n.S == k / n.S % n.S;
    forward_lengths(c, kind, rng);
    course_array_new(c, COURSE_OUT, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "kept as drawn", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "y, dropout undone", COURSE_DIMS(n.B, n.T, n.H * n.S));
}

const course_exercise forward_tier2[] = {
    {.function = "tl_scaled_dot_product_attention",
     .part = COURSE_FORWARD,
     .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_VIEWS) | COURSE_HAS(COURSE_TWICE) | COURSE_HAS(COURSE_MASKED) |
              COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL) | COURSE_HAS(COURSE_NOTHING),
     .draw = draw_op,
     .model = model_op,
     .slips = op_slips},
    {.function = "saved for attention_backward",
     .part = COURSE_FORWARD,
     .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME),
     .draw = draw_saved,
     .model = model_saved},
    {0}};
