/* See model_steps.h. */
#include "model_steps.h"

#include <math.h>
#include <stdlib.h>

/* ---- the steps ---- */

/* dy [B,T,H·e] to [B,H,T,e] */
static void split(const double *dy, double *dcontext, sizes n, mistakes m) {
    for (long k = 0; k < n.B * n.H * n.T * n.e; k++) {
        const long c = k % n.e, i = k / n.e % n.T, h = k / n.e / n.T % n.H, b = k / n.e / n.T / n.H;
        const long column = IS(DY_INTERLEAVED) ? c * n.H + h : (IS(DY_FIRST) ? 0 : h) * n.e + c;
        dcontext[k] = dy[IS(DY_COPIED) ? k : (b * n.T + i) * n.H * n.e + column];
    }
}

/* kept [B,H,T,S] or NULL. Writes dprobs, adds to dv. */
void back_mix(const double *p, const double *kept, const double *v, const double *dcontext, double *dprobs,
              double *dv, sizes n, mistakes m) {
    for (long row = 0; row < n.B * n.H * n.T; row++)
        for (long j = 0; j < n.S; j++) {
            const long bh = row / n.T, i = row % n.T, values = IS(FIRST_VALUES) ? bh / n.H * n.H : bh;
            const double *g = dcontext + row * n.e, keep = kept ? kept[row * n.S + j] : 1;
            const long weight = IS(P_FLAT) ? bh * n.T * n.S + j * n.T + i : row * n.S + j;
            const double w = IS(EVEN) ? 1 : p[weight] * (kept && !IS(NOT_IN_DV) ? kept[weight] : 1);
            double dot = 0;
            for (long c = 0; c < n.e; c++) {
                double *to = &dv[(bh * n.S + j) * n.e + c];
                dot += g[c] * v[values * n.S * n.e + (IS(V_FLAT) ? c * n.S + j : j * n.e + c)];
                *to = (IS(LAST_OF_DV) ? 0 : *to) + w * g[c];
            }
            dprobs[row * n.S + j] = dot * (IS(NOT_IN_DP) ? 1 : keep);
        }
}

void back_softmax(const double *p, const double *dprobs, double *dscores, sizes n, mistakes m) {
    for (long k = 0; k < n.B * n.H * n.T * n.S; k++) {
        const long j = k % n.S, row = k / n.S, head = row / n.T * n.T * n.S;
        double dot = 0;
        for (long x = 0; x < (IS(OVER_QUERIES) ? n.T : n.S); x++) {
            const long here = IS(OVER_QUERIES) ? head + x * n.S + j : row * n.S + x;
            dot += (IS(SUM_OF_DP) ? 1 : p[here]) * dprobs[here];
        }
        if (IS(MEAN)) dot /= (double)(IS(OVER_QUERIES) ? n.T : n.S);
        if (IS(NO_SECOND)) dot = 0;
        if (IS(PLUS)) dot = -dot;
        dscores[k] = (IS(NO_P) ? 1 : p[k]) * (dprobs[k] - dot);
    }
}

/* Adds to dq and dk. scale 0: 1/√d */
void back_scores(const double *q, const double *k, const double *dscores, double *dq, double *dk, sizes n,
                 double given, mistakes m) {
    double scale = given > 0 && !IS(OWN_SCALE) ? given : 1 / sqrt((double)n.d);
    if (IS(TWICE)) scale *= scale;
    if (IS(NO_SCALE)) scale = 1;
    for (long row = 0; row < n.B * n.H * n.T; row++)
        for (long j = 0; j < n.S; j++) {
            const long bh = row / n.T, i = row % n.T, key = bh * n.S + j;
            const double to_q = scale * dscores[row * n.S + j],
                         to_k = (IS(DQ_ALONE) ? 1 : scale) *
                                dscores[IS(DS_FLAT) ? bh * n.T * n.S + j * n.T + i : row * n.S + j];
            for (long c = 0; c < n.d; c++) {
                double *x = &dq[row * n.d + c], *y = &dk[key * n.d + c];
                *x += to_q * (IS(DQ_OF_Q) ? q[row * n.d + c] : k[key * n.d + c]);
                *y = (IS(LAST_OF_DK) ? 0 : *y) + to_k * (IS(DK_OF_K) ? k[key * n.d + c] : q[row * n.d + c]);
            }
        }
}

void back_whole(const back *b, sizes n, mistakes m) {
    double *dcontext = calloc((size_t)(n.B * n.H * n.T * n.e) + 1, sizeof *dcontext);
    if (!dcontext) abort();
    split(b->dy, dcontext, n, m);
    back_mix(b->probs, b->kept, b->v, dcontext, b->dprobs, b->dv, n, m);
    back_softmax(b->probs, b->dprobs, b->dscores, n, m);
    back_scores(b->q, b->k, b->dscores, b->dq, b->dk, n, b->scale, m);
    free(dcontext);
}

/* ---- the forward, without mistakes ---- */

bool back_sees(const double *lengths, bool causal, long b, long i, long j, sizes n) {
    return j < (long)lengths[b] && (!causal || j <= i + (n.S - n.T));
}

/* visible [B,H,T,S] */
void back_attend(const double *q, const double *k, const double *visible, double *p, sizes n, double given) {
    const double scale = given > 0 ? given : 1 / sqrt((double)n.d);
    for (long row = 0; row < n.B * n.H * n.T; row++) {
        double largest = -INFINITY, sum = 0, *to = p + row * n.S;
        const double *seen = visible + row * n.S;
        for (long j = 0; j < n.S; j++) {
            to[j] = 0;
            for (long c = 0; c < n.d; c++)
                to[j] += scale * q[row * n.d + c] * k[(row / n.T * n.S + j) * n.d + c];
            if (seen[j] > 0) largest = fmax(largest, to[j]);
        }
        for (long j = 0; j < n.S; j++) sum += to[j] = seen[j] > 0 ? exp(to[j] - largest) : 0;
        for (long j = 0; j < n.S && sum > 0; j++) to[j] /= sum;
    }
}

/* ---- cases ---- */

void back_sizes(course_case *c, course_kind kind, course_rng *rng) { draw_sizes(c, kind, 1, rng); }

/* The mask of a case: causal, with sentences of unequal length, one of them full, and a query that sees nothing.
 * [B,H,T,S]; the caller frees it. */
static double *draw_visible(sizes n, course_kind kind, course_rng *rng) {
    double *visible = calloc((size_t)(n.B * n.H * n.T * n.S) + 1, sizeof *visible), lengths[3] = {0};
    if (!visible) abort();
    for (long b = 0; b < n.B && n.S > 0; b++) lengths[b] = (double)course_between(rng, 1, n.S);
    lengths[0] = (double)n.S;
    for (long k = 0; k < n.B * n.H * n.T * n.S && kind != COURSE_NOTHING; k++) {
        const long j = k % n.S, i = k / n.S % n.T, b = k / n.S / n.T / n.H;
        visible[k] = back_sees(lengths, kind != COURSE_MASKED, b, i, j, n);
        if (kind == COURSE_MASKED && i == 0) visible[k] = 0;
    }
    return visible;
}

void back_probs(course_case *c, const double *q, const double *k, course_kind kind, course_rng *rng) {
    const sizes n = sizes_of(c);
    double *p = course_array_new(c, COURSE_IN, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    double *visible = draw_visible(n, kind, rng);
    back_attend(q, k, visible, p, n, 0);
    for (long x = 0; x < n.B * n.H * n.T * n.S; x++) p[x] = (double)(float)p[x];
    free(visible);
}

/* Draws probs for queries and keys that the case does not have. */
void back_some_probs(course_case *c, course_kind kind, course_rng *rng) {
    const sizes n = sizes_of(c);
    double *q = calloc((size_t)((n.T + n.S) * n.B * n.H * n.d) + 1, sizeof *q),
           *k = q + n.B * n.H * n.T * n.d;
    if (!q) abort();
    for (long x = 0; x < (n.T + n.S) * n.B * n.H * n.d; x++) q[x] = course_normal(rng);
    back_probs(c, q, k, kind, rng);
    free(q);
}
