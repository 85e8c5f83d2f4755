/* See model_steps.h. */
#include "model_steps.h"

#include <math.h>
#include <stdlib.h>

/* ---- the steps ---- */

/* [B,T,H·d] to [B,H,T,d], or back */
void forward_split(const double *x, double *y, long B, long T, long H, long d, mistakes m) {
    for (long k = 0; IS(SPLIT_COPIED) && k < B * T * H * d; k++) y[k] = x[k];
    for (long b = 0; b < B && !IS(SPLIT_COPIED); b++)
        for (long t = 0; t < T; t++)
            for (long h = 0; h < H; h++)
                for (long c = 0; c < d; c++)
                    y[at(b, H, h, T, t, d, c)] =
                        x[(b * T + t) * H * d + (IS(SPLIT_INTERLEAVED) ? c * H + h : h * d + c)];
}

void forward_merge(const double *x, double *y, long B, long T, long H, long d, mistakes m) {
    for (long k = 0; IS(MERGE_COPIED) && k < B * T * H * d; k++) y[k] = x[k];
    for (long b = 0; b < B && !IS(MERGE_COPIED); b++)
        for (long t = 0; t < T; t++)
            for (long h = 0; h < H; h++)
                for (long c = 0; c < d; c++)
                    y[(b * T + t) * H * d + (IS(MERGE_INTERLEAVED) ? c * H + h : h * d + c)] =
                        x[at(b, H, h, T, t, d, c)];
}

static double factor(sizes n, double given, mistakes m) {
    const double numbers = (double)(IS(BY_WIDTH) ? n.H * n.d : n.d);
    double scale = given > 0 && !IS(OWN_SCALE) ? given : 1 / (IS(BY_D) ? numbers : sqrt(numbers));
    if (IS(TIMES)) scale = 1 / scale;
    return IS(NO_SCALE) ? 1 : scale;
}

/* bias [B,H,T,S] or NULL */
void forward_scores(const double *q, const double *k, const double *bias, double *s, sizes n, double given,
                    mistakes m) {
    const double scale = factor(n, given, m);
    for (long r = 0; r < n.B * n.H * n.T; r++)
        for (long j = 0; j < n.S; j++) {
            const long bh = IS(FIRST_KEYS) ? r / n.T / n.H * n.H : r / n.T;
            const double *keys = k + bh * n.S * n.d, add = bias && !IS(NO_BIAS) ? bias[r * n.S + j] : 0;
            double dot = 0;
            for (long c = 0; c < n.d; c++)
                dot += q[r * n.d + c] * keys[IS(K_FLAT) ? c * n.S + j : j * n.d + c];
            s[r * n.S + j] = IS(BIAS_SCALED) ? scale * (dot + add) : scale * dot + add;
        }
}

bool forward_shows(const double *lengths, bool causal, long b, long i, long j, sizes n, mistakes m) {
    const long length = (long)lengths[b] + IS(PADDING_LATE) - IS(PADDING_EARLY);
    const long own = i + (IS(NO_OFFSET) ? 0 : n.S - n.T) + IS(AHEAD) - IS(BEHIND);
    const bool real = IS(NO_PADDING) || (IS(PER_QUERY) ? i : j) < length;
    const bool past = IS(BACKWARDS) ? j >= own : j <= own;
    if ((!causal && !IS(ALWAYS)) || IS(NO_CAUSAL)) return real != IS(INVERTED);
    return (IS(EITHER) ? real || past : real && past) != IS(INVERTED);
}

void forward_mask(const double *lengths, bool causal, double *visible, sizes n, mistakes m) {
    for (long b = 0; b < n.B; b++)
        for (long i = 0; i < n.T; i++)
            for (long j = 0; j < n.S; j++)
                visible[(b * n.T + i) * n.S + j] = forward_shows(lengths, causal, b, i, j, n, m);
}

/* Softmax of `count` scores with stride `step`; visible has the same stride. */
static void softmax(const double *s, const double *visible, double *p, long count, long step, mistakes m) {
    double largest = -INFINITY, sum = 0;
    const bool all = IS(NO_MASK) || IS(MASK_AFTER) || IS(ZERO_SCORE);
    bool any = all;
#define SCORE(j) (IS(ZERO_SCORE) && !IS(NO_MASK) && !visible[j] ? 0 : s[j])
    for (long j = 0; j < count * step; j += step)
        if (all || visible[j]) largest = fmax(largest, SCORE(j)), any = true;
    if (IS(NO_MAXIMUM)) largest = 0;
    for (long j = 0; j < count * step; j += step) {
        p[j] = all || visible[j] ? exp(SCORE(j) - largest) : 0;
        if (IS(NO_MAXIMUM)) p[j] = (double)(float)p[j];
        sum += p[j];
    }
#undef SCORE
    for (long j = 0; j < count * step; j += step) {
        if (any || IS(NOT_A_NUMBER)) p[j] /= sum;
        if (!any && IS(UNIFORM)) p[j] = 1 / (double)count;
        if (IS(MASK_AFTER) && !IS(NO_MASK) && !visible[j]) p[j] = 0;
    }
}

/* visible [B,T,S], or with heads [B,H,T,S]: `heads` share one mask. */
void forward_softmax(const double *s, const double *visible, double *p, sizes n, long heads, mistakes m) {
    const bool turned = IS(OVER_QUERIES);
    for (long bh = 0; bh < n.B * n.H; bh++)
        for (long line = 0; line < (turned ? n.S : n.T); line++) {
            const long first = bh * n.T * n.S + line * (turned ? 1 : n.S);
            const long sees = (IS(FIRST_MASK) ? 0 : bh / heads * n.T * n.S) + line * (turned ? 1 : n.S);
            softmax(s + first, visible + sees, p + first, turned ? n.T : n.S, turned ? n.S : 1, m);
        }
}

void forward_mix(const double *p, const double *v, double *context, sizes n, mistakes m) {
    for (long r = 0; r < n.B * n.H * n.T; r++)
        for (long c = 0; c < n.e; c++) {
            const long bh = r / n.T, i = r % n.T, values = IS(FIRST_VALUES) ? bh / n.H * n.H : bh;
            double sum = IS(ADDED) ? context[r * n.e + c] : 0;
            for (long j = 0; j < n.S; j++) {
                const double weight = p[bh * n.T * n.S + (IS(P_FLAT) ? j * n.T + i : i * n.S + j)];
                if (weight != 0) /* a masked value may be NaN */
                    sum += weight * v[values * n.S * n.e + (IS(V_FLAT) ? c * n.S + j : j * n.e + c)];
            }
            context[r * n.e + c] = sum;
        }
}

/* ---- sizes ---- */

/* S - T is 4 or more, so that two off-by-one mistakes together do not look like a third mistake. */
void forward_sizes(course_case *c, course_kind kind, course_rng *rng) { draw_sizes(c, kind, 2, rng); }

void forward_equal(const course_case *c) {
    for (int i = 0; i < c->arrays; i++)
        for (long k = 0; c->a[i].role == COURSE_IN && k < c->a[i].count; k++) c->a[i].data[k] = 2;
}

/* One sentence has the full length, one is shorter than T. One may be empty, unless the kind is odd sizes or one
 * that masks everything. */
void forward_lengths(course_case *c, course_kind kind, course_rng *rng) {
    double *lengths = course_array_new(c, COURSE_IN, "key_lengths", COURSE_DIMS(c->n[0]));
    const long B = c->n[0], T = c->n[2], S = c->n[3];
    const bool odd = kind == COURSE_ODD;
    for (long b = 0; b < B; b++) lengths[b] = (double)course_between(rng, odd || kind == COURSE_ONE, S);
    if (B > 1 && S > 0) {
        const long full = course_between(rng, 0, B - 1);
        lengths[full] = (double)S;
        lengths[(full + 1) % B] = (double)(odd ? course_between(rng, 1, T - 1) : course_between(rng, 0, S));
    }
    for (long b = 0; b < B && kind == COURSE_NOTHING; b++) lengths[b] = 0;
}

bool forward_causal(course_kind kind, course_rng *rng) {
    if (kind == COURSE_ODD) return true;
    return kind != COURSE_MASKED && kind != COURSE_NOTHING && course_between(rng, 0, 1);
}
