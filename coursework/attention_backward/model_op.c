/* Task 6, tier 2: the operation's backward. */
#include "model_steps.h"

#include <math.h>
#include <stdlib.h>

#define OPERATION_WHOLE(X) MIX(X) SOFTMAX(X) SCORES(X) HEADS(X) OPERATION(X)
static const int op_list[] = {OPERATION_WHOLE(ID)};
static const course_slip op_slips[] = {OPERATION_WHOLE(LINE){0}};

enum { CAUSAL = 6, HAS_ATTEND, HAS_DROPOUT }; /* places in course_case.n, behind the sizes */

/* y [B,T,H·e] of the forward, which is not the student's */
static void mixed(double *y, const double *p, const double *kept, const double *v, sizes n) {
    for (long k = 0; k < n.B * n.T * n.H * n.e; k++) {
        const long c = k % n.e, h = k / n.e % n.H, i = k / n.e / n.H % n.T, b = k / n.e / n.H / n.T;
        const long row = (b * n.H + h) * n.T + i;
        y[k] = 0;
        for (long j = 0; j < n.S; j++)
            y[k] +=
                p[row * n.S + j] * (kept ? kept[row * n.S + j] : 1) * v[((b * n.H + h) * n.S + j) * n.e + c];
    }
}

/* Adds what input `number` gets to its gradient, or what all places of the one input get to that of q. */
static void give(course_case *c, int number, const char *name, const double *from, long count) {
    double *to = course_data(c, c->flags & COURSE_SHARED ? "dq" : name);
    for (long k = 0; k < count && !(c->flags & (COURSE_FROZEN << number)); k++) to[k] += from[k];
}

/* The input's numbers, 0 where there are none: what nobody sees may be NaN. Memory to be freed. */
static double *input(const course_case *c, const char *name, long count) {
    const double *from = course_data(c, c->flags & COURSE_SHARED ? "q" : name);
    double *to = calloc((size_t)count + 1, sizeof *to);
    if (!to) abort();
    for (long k = 0; k < count; k++) to[k] = isfinite(from[k]) ? from[k] : 0;
    return to;
}

/* The operation's gradients begin with 0: the tape adds them to those of other readers. */
static void model_op(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    const long weights = n.B * n.H * n.T * n.S, queries = n.B * n.H * n.T * n.d, keys = n.B * n.H * n.S * n.d,
               values = n.B * n.H * n.S * n.e;
    double *visible = calloc((size_t)(4 * weights + queries + keys + values) + 1, sizeof *visible);
    if (!visible) abort();
    double *p = visible + weights, *dprobs = p + weights, *dscores = dprobs + weights,
           *dq = dscores + weights, *dk = dq + queries, *dv = dk + keys;
    for (long k = 0; k < weights; k++) {
        const long j = k % n.S, i = k / n.S % n.T, b = k / n.S / n.T / n.H;
        visible[k] = back_sees(course_data(c, "key_lengths"), c->n[CAUSAL], b, i, j, n) &&
                     (!c->n[HAS_ATTEND] || course_data(c, "attend")[k % (n.H * n.T * n.S)] > 0);
    }
    double *q = input(c, "q", queries), *key = input(c, "k", keys), *v = input(c, "v", values);
    back_attend(q, key, visible, p, n, c->p[0]);
    const double *kept = c->n[HAS_DROPOUT] ? course_data(c, "kept") : NULL;
    const back b = {.q = q,
                    .k = key,
                    .v = v,
                    .probs = p,
                    .kept = kept,
                    .dy = course_data(c, "dy"),
                    .scale = c->p[0],
                    .dprobs = dprobs,
                    .dscores = dscores,
                    .dq = dq,
                    .dk = dk,
                    .dv = dv};
    mixed(course_data(c, "y"), p, kept, b.v, n);
    back_whole(&b, n, chosen(op_list, slips));
    give(c, 0, "dq", dq, queries), give(c, 1, "dk", dk, keys), give(c, 2, "dv", dv, values);
    free(visible), free(q), free(key), free(v);
}

/* Beyond a sentence's end the inputs are NaN: nothing may read them. */
static void spoil(course_case *c, const char *name, long d) {
    const sizes n = sizes_of(c);
    for (long k = 0; k < n.B * n.H * n.S * d; k++)
        if (k / d % n.S >= (long)course_data(c, "key_lengths")[k / d / n.S / n.H])
            course_data(c, name)[k] = NAN;
}

static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    back_sizes(c, kind, rng);
    const bool once = kind == COURSE_TWICE, odd = kind == COURSE_ODD;
    if (once) c->n[3] = c->n[2];
    if (!once && kind != COURSE_ONE) c->n[5] = c->n[4] - 2;
    const sizes n = sizes_of(c);
    const long *queries = (long[]){n.B, n.H, n.T, n.d}, *keys = (long[]){n.B, n.H, n.S, n.d},
               *values = (long[]){n.B, n.H, n.S, n.e};
    c->n[CAUSAL] = odd || (kind != COURSE_MASKED && course_between(rng, 0, 1));
    c->n[HAS_ATTEND] = kind == COURSE_MASKED;
    c->n[HAS_DROPOUT] = odd || kind == COURSE_VIEWS;
    c->p[0] = odd || kind == COURSE_MASKED ? 0.75 : 1 / sqrt((double)n.d);
    if (kind == COURSE_FROZENS) { /* one of them, or all but one */
        const unsigned which = (unsigned)course_between(rng, 1, 6);
        c->flags |= which * COURSE_FROZEN;
    }
    course_array_normal(c, "q", 1, rng, 4, queries);
    if (!once) course_array_normal(c, "k", 1, rng, 4, keys);
    if (!once) course_array_normal(c, "v", large(kind), rng, 4, values);
    course_array_normal(c, "dy", large(kind), rng, COURSE_DIMS(n.B, n.T, n.H * n.e));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.T, n.H * n.e));
    course_array_new(c, COURSE_ADD, "dq", 4, queries);
    if (!once) course_array_new(c, COURSE_ADD, "dk", 4, keys);
    if (!once) course_array_new(c, COURSE_ADD, "dv", 4, values);
    double *lengths = course_array_new(c, COURSE_IN, "key_lengths", COURSE_DIMS(n.B));
    for (long b = 0; b < n.B && kind != COURSE_NOTHING && n.S > 0; b++)
        lengths[b] = (double)(b ? course_between(rng, 1, n.S) : n.S);
    if (kind == COURSE_MASKED) spoil(c, "k", n.d), spoil(c, "v", n.e);
    double *seen =
        course_array_new(c, COURSE_IN, "attend", COURSE_DIMS(c->n[HAS_ATTEND] ? n.H : 0, n.T, n.S));
    for (long k = 0; k < n.H * n.T * n.S && c->n[HAS_ATTEND]; k++) seen[k] = course_uniform(rng) < 0.7;
    double *kept =
        course_array_new(c, COURSE_IN, "kept", COURSE_DIMS(c->n[HAS_DROPOUT] ? n.B : 0, n.H, n.T, n.S));
    for (long k = 0; k < n.B * n.H * n.T * n.S && c->n[HAS_DROPOUT]; k++)
        kept[k] = course_uniform(rng) < 0.3 ? 0 : (double)(float)(1 / 0.7);
}

const course_exercise back_tier2[] = {{.function = "attention_backward",
                                       .part = COURSE_BACKWARD,
                                       .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_VIEWS) |
                                                COURSE_HAS(COURSE_TWICE) | COURSE_HAS(COURSE_FROZENS) |
                                                COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_NOTHING),
                                       .draw = draw_op,
                                       .model = model_op,
                                       .slips = op_slips},
                                      {0}};
