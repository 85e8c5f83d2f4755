/* Task 6: attention backward, what is right and what people write instead. Each step is a function of its own here, too, with all the
 * mistakes that belong to it; an exercise's list says which of them it knows. */
#include "../marker/exercise.h"

#include <math.h>
#include <stdlib.h>

/* ---- mistakes, by step: X(its number, its name, what it says) ---- */

#define MIX(X)                                                                                             \
 X(P_FLAT, "P for Pᵀ", "those of dv with probs' memory read as [S,T]: key j's weights are probs[i·S + j]") \
 X(LAST_OF_DV, "dv of the last query",                                                                     \
   "those of dv = probs·dcontext written anew for each query: it is a sum over all of them")               \
 X(EVEN, "dv without probs", "those of a dv that is the sum of dcontext, not weighted by probs")           \
 X(V_FLAT, "v read as transposed", "those with v's memory read as [d,S]: key j's values are v[j·d + c]")
#define MIX_ALONE(X) \
 X(FIRST_VALUES, "values of head 0", "those of dprobs with the values of head 0 for all heads")
#define SOFTMAX(X)                                                                                         \
 X(NO_SECOND, "no second term", "those of softmax's backward without its second term: probs·dprobs alone") \
 X(PLUS, "plus for minus", "those with the row's sum of probs·dprobs added, not taken off")                \
 X(MEAN, "mean for sum", "those with the row's mean of probs·dprobs in the place of its sum")              \
 X(SUM_OF_DP, "sum of dprobs", "those with the row's sum of dprobs in the place of that of probs·dprobs")  \
 X(NO_P, "no probs in front",                                                                              \
   "those of dprobs minus the row's sum of probs·dprobs, not multiplied by probs")                         \
 X(OVER_QUERIES, "sum over queries",                                                                       \
   "those with probs·dprobs summed over the queries i; the softmax is over keys j")
#define SCORES(X)                                                                                       \
 X(NO_SCALE, "no scale", "those of dq and dk that are not multiplied by the scores' scale, 1/√d")       \
 X(TWICE, "scale twice", "those of dq and dk multiplied by the scores' scale twice")                    \
 X(DQ_ALONE, "scale in dq alone", "those of a dk without the scale: dq and dk both have it")            \
 X(DQ_OF_Q, "dq from q", "those of a dq summed up of queries: dq is dscores times the keys")            \
 X(DK_OF_K, "dk from k", "those of a dk summed up of keys: dk is dscores transposed times the queries") \
 X(DS_FLAT, "dS for dSᵀ",                                                                               \
   "those of dk with dscores' memory read as [S,T]: what key j gets stands in dscores[i·S + j]")        \
 X(LAST_OF_DK, "dk of the last query",                                                                  \
   "those of dk = dscores·q written anew for each query: it is a sum over all of them")
#define HEADS(X)                                                                                    \
 X(DY_COPIED, "heads of dy not moved", "those of dy read as if it were [B,H,T,d]: it is [B,T,H·d]") \
 X(DY_INTERLEAVED, "heads of dy interleaved",                                                       \
   "those with column c·H + h of dy as number c of head h: it is column h·d + c")                   \
 X(DY_FIRST, "columns of head 0", "those with the columns of head 0 of dy for all heads")
#define OPERATION(X)                                                                               \
 X(OWN_SCALE, "scale not used", "those with 1/√d where the forward had another scale")             \
 X(NOT_IN_DV, "no dropout in dv", "those of dv with probs alone: dropout has changed the weights") \
 X(NOT_IN_DP, "no dropout in dprobs",                                                              \
   "those of dprobs without dropout: what was hit gets nothing, the rest 1/(1-p) times as much")

#define ID(id, name, says) id,
#define LINE(id, name, says) {name, says},
enum { MIX(ID) MIX_ALONE(ID) SOFTMAX(ID) SCORES(ID) HEADS(ID) OPERATION(ID) };

/* A set of mistakes of the whole list; an exercise's bits become one by its own list. */
typedef uint64_t mistakes;
#define IS(id) (m >> (id)&1)

static mistakes chosen(const int *list, unsigned slips) {
    mistakes m = 0;
    for (int k = 0; slips; k++, slips >>= 1)
        if (slips & 1) m |= (mistakes)1 << list[k];
    return m;
}

/* ---- the steps ---- */

typedef struct sizes {
    long B, H, T, S, d, e; /* e: numbers of a value; tier 1: d */
} sizes;

static sizes sizes_of(const course_case *c) {
    return (sizes){c->n[0], c->n[1], c->n[2], c->n[3], c->n[4], c->n[5]};
}

/* dy [B,T,H·e] to [B,H,T,e] */
static void split(const double *dy, double *dcontext, sizes n, mistakes m) {
    for (long k = 0; k < n.B * n.H * n.T * n.e; k++) {
        const long c = k % n.e, i = k / n.e % n.T, h = k / n.e / n.T % n.H, b = k / n.e / n.T / n.H;
        const long column = IS(DY_INTERLEAVED) ? c * n.H + h : (IS(DY_FIRST) ? 0 : h) * n.e + c;
        dcontext[k] = dy[IS(DY_COPIED) ? k : (b * n.T + i) * n.H * n.e + column];
    }
}

/* kept [B,H,T,S] or NULL; dprobs is written, dv added to. */
static void mix_back(const double *p, const double *kept, const double *v, const double *dcontext,
                     double *dprobs, double *dv, sizes n, mistakes m) {
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

static void softmax_back(const double *p, const double *dprobs, double *dscores, sizes n, mistakes m) {
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

/* dq and dk are added to. scale 0: 1/√d */
static void scores_back(const double *q, const double *k, const double *dscores, double *dq, double *dk,
                        sizes n, double given, mistakes m) {
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

/* ---- the forward: what is right alone ---- */

static bool sees(const double *lengths, bool causal, long b, long i, long j, sizes n) {
    return j < (long)lengths[b] && (!causal || j <= i + (n.S - n.T));
}

/* visible [B,H,T,S] */
static void attend(const double *q, const double *k, const double *visible, double *p, sizes n,
                   double given) {
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

static void draw_sizes(course_case *c, course_kind kind, course_rng *rng) {
    sizes n = {.B = course_between(rng, 2, 3), .H = 3, .T = 2 * course_between(rng, 1, 2) + 1};
    n.S = n.T + 2 * course_between(rng, 1, 3);
    n.d = 2 * course_between(rng, 2, 3) + 1;
    if (kind == COURSE_MASKED) n.S = n.T + course_between(rng, -2, 2);
    if (kind == COURSE_ONE) n = (sizes){1, 1, 1, 1, 1, 0};
    if (kind == COURSE_PRIME) n = (sizes){2, 5, 11, 7, 13, 0};
    if (kind == COURSE_EMPTY) {
        const long which = course_between(rng, 0, 2);
        *(which == 0 ? &n.B : which == 1 ? &n.T : &n.S) = 0;
    }
    const long all[6] = {n.B, n.H, n.T, n.S, n.d, n.d};
    const char *const names[5] = {"B", "H", "T", "S", "d"};
    for (int i = 0; i < 6; i++) c->n[i] = all[i];
    for (int i = 0; i < 5; i++) c->n_name[i] = names[i];
}

/* What queries see: a triangle, ends of sentences of unequal lengths, one of them whole, and a query that sees nothing; memory to be
 * freed, [B,H,T,S]. */
static double *draw_visible(sizes n, course_kind kind, course_rng *rng) {
    double *visible = calloc((size_t)(n.B * n.H * n.T * n.S) + 1, sizeof *visible), lengths[3] = {0};
    if (!visible) abort();
    for (long b = 0; b < n.B && n.S > 0; b++) lengths[b] = (double)course_between(rng, 1, n.S);
    lengths[0] = (double)n.S;
    for (long k = 0; k < n.B * n.H * n.T * n.S && kind != COURSE_NOTHING; k++) {
        const long j = k % n.S, i = k / n.S % n.T, b = k / n.S / n.T / n.H;
        visible[k] = sees(lengths, kind != COURSE_MASKED, b, i, j, n);
        if (kind == COURSE_MASKED && i == 0) visible[k] = 0;
    }
    return visible;
}

static void draw_probs(course_case *c, const double *q, const double *k, course_kind kind, course_rng *rng) {
    const sizes n = sizes_of(c);
    double *p = course_array_new(c, COURSE_IN, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    double *visible = draw_visible(n, kind, rng);
    attend(q, k, visible, p, n, 0);
    for (long x = 0; x < n.B * n.H * n.T * n.S; x++) p[x] = (double)(float)p[x];
    free(visible);
}

/* The same of numbers that the case does not have. */
static void draw_some_probs(course_case *c, course_kind kind, course_rng *rng) {
    const sizes n = sizes_of(c);
    double *q = calloc((size_t)((n.T + n.S) * n.B * n.H * n.d) + 1, sizeof *q),
           *k = q + n.B * n.H * n.T * n.d;
    if (!q) abort();
    for (long x = 0; x < (n.T + n.S) * n.B * n.H * n.d; x++) q[x] = course_normal(rng);
    draw_probs(c, q, k, kind, rng);
    free(q);
}

static double large(course_kind kind) { return kind == COURSE_LARGE ? 1e4 : 1; }

#define KINDS_OF_ALL                                                                                      \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY) | \
  COURSE_HAS(COURSE_LARGE))

/* ---- mix_backward ---- */

static const int mix_list[] = {MIX(ID) MIX_ALONE(ID)};
static const course_slip mix_slips[] = {MIX(LINE) MIX_ALONE(LINE){0}};

static void model_mix(course_case *c, unsigned slips) {
    mix_back(course_data(c, "probs"), NULL, course_data(c, "v"), course_data(c, "dcontext"),
             course_data(c, "dprobs"), course_data(c, "dv"), sizes_of(c), chosen(mix_list, slips));
}

static void draw_mix(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    draw_some_probs(c, kind, rng);
    course_array_normal(c, "v", large(kind), rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "dcontext", large(kind), rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_OUT, "dprobs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_ADD, "dv", COURSE_DIMS(n.B, n.H, n.S, n.d));
}

/* ---- attention_softmax_backward ---- */

static const int softmax_list[] = {SOFTMAX(ID)};
static const course_slip softmax_slips[] = {SOFTMAX(LINE){0}};

static void model_softmax(course_case *c, unsigned slips) {
    softmax_back(course_data(c, "probs"), course_data(c, "dprobs"), course_data(c, "dscores"), sizes_of(c),
                 chosen(softmax_list, slips));
}

static void draw_softmax(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    draw_some_probs(c, kind, rng);
    course_array_normal(c, "dprobs", large(kind), rng, COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "dscores", COURSE_DIMS(n.B, n.H, n.T, n.S));
}

/* ---- scores_backward ---- */

static const int score_list[] = {SCORES(ID)};
static const course_slip score_slips[] = {SCORES(LINE){0}};

static void model_scores(course_case *c, unsigned slips) {
    scores_back(course_data(c, "q"), course_data(c, "k"), course_data(c, "dscores"), course_data(c, "dq"),
                course_data(c, "dk"), sizes_of(c), 0, chosen(score_list, slips));
}

static void draw_scores(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
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

typedef struct back { /* kept NULL: no dropout */
    const double *q, *k, *v, *probs, *kept, *dy;
    double scale, *dprobs, *dscores, *dq, *dk, *dv;
} back;

static void whole(const back *b, sizes n, mistakes m) {
    double *dcontext = calloc((size_t)(n.B * n.H * n.T * n.e) + 1, sizeof *dcontext);
    if (!dcontext) abort();
    split(b->dy, dcontext, n, m);
    mix_back(b->probs, b->kept, b->v, dcontext, b->dprobs, b->dv, n, m);
    softmax_back(b->probs, b->dprobs, b->dscores, n, m);
    scores_back(b->q, b->k, b->dscores, b->dq, b->dk, n, b->scale, m);
    free(dcontext);
}

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
    whole(&b, sizes_of(c), chosen(whole_list, slips));
}

static void draw_whole(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    const double *q = course_array_normal(c, "q", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    const double *k = course_array_normal(c, "k", 1, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "v", large(kind), rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    draw_probs(c, q, k, kind, rng);
    course_array_normal(c, "dy", large(kind), rng, COURSE_DIMS(n.B, n.T, n.H * n.d));
    course_array_new(c, COURSE_OUT, "dprobs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "dscores", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_ADD, "dq", COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_ADD, "dk", COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_new(c, COURSE_ADD, "dv", COURSE_DIMS(n.B, n.H, n.S, n.d));
}

/* ---- invariants of both ---- */

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

/* ---- tier 2: the operation's backward ---- */

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

static const double *input(const course_case *c, const char *name) {
    return course_data(c, c->flags & COURSE_SHARED ? "q" : name);
}

/* The operation's gradients begin with 0; what others have given is the tape's to add. */
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
        visible[k] = sees(course_data(c, "key_lengths"), c->n[CAUSAL], b, i, j, n) &&
                     (!c->n[HAS_ATTEND] || course_data(c, "attend")[k % (n.H * n.T * n.S)] > 0);
    }
    attend(input(c, "q"), input(c, "k"), visible, p, n, c->p[0]);
    const double *kept = c->n[HAS_DROPOUT] ? course_data(c, "kept") : NULL;
    const back b = {.q = input(c, "q"),
                    .k = input(c, "k"),
                    .v = input(c, "v"),
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
    whole(&b, n, chosen(op_list, slips));
    give(c, 0, "dq", dq, queries), give(c, 1, "dk", dk, keys), give(c, 2, "dv", dv, values);
    free(visible);
}

static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
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
    double *seen =
        course_array_new(c, COURSE_IN, "attend", COURSE_DIMS(c->n[HAS_ATTEND] ? n.H : 0, n.T, n.S));
    for (long k = 0; k < n.H * n.T * n.S && c->n[HAS_ATTEND]; k++) seen[k] = course_uniform(rng) < 0.7;
    double *kept =
        course_array_new(c, COURSE_IN, "kept", COURSE_DIMS(c->n[HAS_DROPOUT] ? n.B : 0, n.H, n.T, n.S));
    for (long k = 0; k < n.B * n.H * n.T * n.S && c->n[HAS_DROPOUT]; k++)
        kept[k] = course_uniform(rng) < 0.3 ? 0 : (double)(float)(1 / 0.7);
}

static const course_exercise tier2[] = {{.function = "attention_backward",
                                         .part = COURSE_BACKWARD,
                                         .kinds = KINDS_OF_ALL | COURSE_HAS(COURSE_VIEWS) |
                                                  COURSE_HAS(COURSE_TWICE) | COURSE_HAS(COURSE_FROZENS) |
                                                  COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_NOTHING),
                                         .draw = draw_op,
                                         .model = model_op,
                                         .slips = op_slips},
                                        {0}};

/* ---- the handout's example: task 5's, with a gradient for its y ---- */

static void print(FILE *to, const char *name, const double *x, long rows, long columns) {
    for (long i = 0; i < rows; i++) {
        fprintf(to, "%-8s", i ? "" : name);
        for (long j = 0; j < columns; j++) fprintf(to, "%8.4f", x[i * columns + j] + 0.0); /* no -0 */
        fputc('\n', to);
    }
}

static void example(FILE *to) {
    const sizes n = {1, 1, 2, 3, 4, 4};
    const double q[] = {2, 0, 0, 2, 0, 2, 2, 0}, k[] = {1, 0, 0, 1, 0, 2, 1, 0, 1, 0, 1, 1};
    const double v[] = {4, 0, 0, 1, 0, 4, 0, 1, 0, 0, 4, 1}, seen[] = {1, 1, 0, 1, 1, 1};
    const double dy[] = {1, 0, 0, 0, 0, 0, 1, 1};
    double p[6], dp[6], ds[6], dq[8] = {0}, dk[12] = {0}, dv[12] = {0};
    attend(q, k, seen, p, n, 0);
    whole(&(back){q, k, v, p, NULL, dy, 0, dp, ds, dq, dk, dv}, n, 0);
    print(to, "probs", p, 2, 3), print(to, "dy", dy, 2, 4);
    print(to, "dprobs", dp, 2, 3), print(to, "dscores", ds, 2, 3);
    print(to, "dq", dq, 2, 4), print(to, "dk", dk, 3, 4), print(to, "dv", dv, 3, 4);
}

extern const course_task course_task_attention_backward;
const course_task course_task_attention_backward = {
    .number = 6,
    .name = "attention_backward",
    .title = "Attention backward",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"scaled_dot_product_attention", NULL},
    .questions =
        {{"A query's weights are 0.25, 0.25, 0.5, and dprobs is 0, 0, 1. What is dscores of the third key?",
          0.25, 1e-6},
         {"In the worked example, what do the numbers of dv in its first column sum to?", 1, 1e-6}},
    .example = example};
