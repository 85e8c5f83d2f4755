/* Task 5: attention forward, what is right and what people write instead. Each step is a function of its own here, too, with all the
 * mistakes that belong to it; an exercise's list says which of them it knows. */
#include "../marker/exercise.h"

#include <math.h>
#include <stdlib.h>

/* ---- mistakes, by step: X(its number, its name, what it says) ---- */

#define SPLIT(X)                                                                    \
 X(SPLIT_COPIED, "heads not moved",                                                 \
   "those of rows copied as they stand: [B,T,H·d] is read as if it were [B,H,T,d]") \
 X(SPLIT_INTERLEAVED, "heads interleaved",                                          \
   "those with column c·H + h as number c of head h: a head's columns stand side by side, h·d + c")
#define SCORES(X)                                                                         \
 X(NO_SCALE, "no 1/√d", "those of scores that are not divided by √d")                     \
 X(BY_D, "divided by d", "those of scores divided by d, not by √d")                       \
 X(BY_WIDTH, "√ of all columns",                                                          \
   "those of scores divided by √(H·d), all heads' columns: d is the numbers of one head") \
 X(K_FLAT, "k read as transposed", "those with k's memory read as [d,S]: key j is row j of k, k[j·d + c]")
#define SCORES_ALONE(X)                                                                    \
 X(FIRST_KEYS, "keys of head 0", "those of queries of every head with the keys of head 0") \
 X(TIMES, "times √d", "those of scores multiplied by √d, not divided by it")
/* These two show everything when made together, as "mask not used" does: the operation, which does not show its mask, lists the others. */
#define MASK_OR(X)                                                                     \
 X(NO_PADDING, "padding seen", "those of a mask without key_lengths: padding is seen") \
 X(EITHER, "or for and", "those of a mask that shows what is real or past: a key must be both to be seen")
#define MASK(X)                                                                                            \
 X(PADDING_LATE, "padding one key late", "those of j <= key_lengths[b]: one key of padding is seen")       \
 X(PADDING_EARLY, "padding one key early", "those of j < key_lengths[b] - 1: the last real key is hidden") \
 X(PER_QUERY, "padding by queries", "those of i < key_lengths[b]: lengths hide keys j, not queries i")     \
 X(NO_CAUSAL, "future seen", "those of a mask that is not causal: every query sees the future")            \
 X(AHEAD, "causal one ahead", "those of j <= i + (S - T) + 1: each query sees one key too many")           \
 X(BEHIND, "causal one behind", "those of j < i + (S - T): a query does not see its own place")            \
 X(NO_OFFSET, "no S - T", "those of j <= i: queries are the last T of S positions, not the first")         \
 X(BACKWARDS, "past hidden", "those of j >= i + (S - T): the future is seen, the past hidden")             \
 X(INVERTED, "mask inverted", "those of a mask with 1 where a key is hidden, 0 where it is seen")
#define MASK_ALONE(X) X(ALWAYS, "always causal", "those of a causal mask, though causal is 0")
#define SOFTMAX(X)                                                                                        \
 X(NO_MASK, "mask not used", "those of a softmax over all keys, seen or not")                             \
 X(MASK_AFTER, "mask after softmax",                                                                      \
   "those of a softmax over all keys, hidden ones set to 0 afterwards: rows no longer sum to 1")          \
 X(UNIFORM, "shares for nothing",                                                                         \
   "those with 1/S for every key where a query sees none (as large negative scores give): it gets zeros") \
 X(OVER_QUERIES, "softmax over queries", "those of a softmax over queries i; a row is over keys j")
#define SOFTMAX_ALONE(X)                                                                         \
 X(ZERO_SCORE, "hidden scores 0",                                                                \
   "those with hidden scores set to 0: e^0 is 1, a weight like others; they must not be summed") \
 X(NOT_A_NUMBER, "0/0 for nothing", "those with 0/0 where a query sees nothing: it gets zeros")  \
 X(FIRST_MASK, "mask of sentence 0", "those with the mask of sentence 0 for all")                \
 X(NO_MAXIMUM, "no maximum", "those without the largest score taken off first: e^x overflows")
#define MIX(X)                                                                                  \
 X(P_FLAT, "probs read as transposed",                                                          \
   "those with probs' memory read as [S,T]: the weight of key j for query i is probs[i·S + j]") \
 X(V_FLAT, "v read as transposed", "those with v's memory read as [d,S]: key j's values are v[j·d + c]")
#define MIX_ALONE(X)                                                                  \
 X(FIRST_VALUES, "values of head 0", "those with the values of head 0 for all heads") \
 X(ADDED, "not set to 0", "those with what was in context before added: sums begin with 0")
#define MERGE(X)                                                                     \
 X(MERGE_COPIED, "heads not moved back",                                             \
   "those of heads copied as they stand: [B,H,T,d] is read as if it were [B,T,H·d]") \
 X(MERGE_INTERLEAVED, "merged interleaved",                                          \
   "those with number c of head h in column c·H + h: it belongs in column h·d + c")
#define OPERATION(X)                                                                                       \
 X(OWN_SCALE, "scale not used", "those of scores divided by √d where another scale was given")             \
 X(NO_BIAS, "no bias", "those of scores without the bias")                                                 \
 X(BIAS_SCALED, "bias scaled", "those with the bias added before the scale: it is added to scaled scores") \
 X(NO_ATTEND, "attend not used", "those of a mask without its array `attend`")                             \
 X(NO_WINDOW, "window not used", "those of a mask without its window")

#define ID(id, name, says) id,
#define LINE(id, name, says) {name, says},
enum {
    SPLIT(ID) SCORES(ID) SCORES_ALONE(ID) MASK_OR(ID) MASK(ID) MASK_ALONE(ID) SOFTMAX(ID) SOFTMAX_ALONE(ID)
        MIX(ID) MIX_ALONE(ID) MERGE(ID) OPERATION(ID)
};

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

static long at(long a, long B, long b, long C, long c, long D, long d) {
    return ((a * B + b) * C + c) * D + d;
}

/* [B,T,H·d] to [B,H,T,d], or back */
static void split(const double *x, double *y, long B, long T, long H, long d, mistakes m) {
    for (long k = 0; IS(SPLIT_COPIED) && k < B * T * H * d; k++) y[k] = x[k];
    for (long b = 0; b < B && !IS(SPLIT_COPIED); b++)
        for (long t = 0; t < T; t++)
            for (long h = 0; h < H; h++)
                for (long c = 0; c < d; c++)
                    y[at(b, H, h, T, t, d, c)] =
                        x[(b * T + t) * H * d + (IS(SPLIT_INTERLEAVED) ? c * H + h : h * d + c)];
}

static void merge(const double *x, double *y, long B, long T, long H, long d, mistakes m) {
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
static void scores(const double *q, const double *k, const double *bias, double *s, sizes n, double given,
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

static bool shows(const double *lengths, bool causal, long b, long i, long j, sizes n, mistakes m) {
    const long length = (long)lengths[b] + IS(PADDING_LATE) - IS(PADDING_EARLY);
    const long own = i + (IS(NO_OFFSET) ? 0 : n.S - n.T) + IS(AHEAD) - IS(BEHIND);
    const bool real = IS(NO_PADDING) || (IS(PER_QUERY) ? i : j) < length;
    const bool past = IS(BACKWARDS) ? j >= own : j <= own;
    if ((!causal && !IS(ALWAYS)) || IS(NO_CAUSAL)) return real != IS(INVERTED);
    return (IS(EITHER) ? real || past : real && past) != IS(INVERTED);
}

static void mask(const double *lengths, bool causal, double *visible, sizes n, mistakes m) {
    for (long b = 0; b < n.B; b++)
        for (long i = 0; i < n.T; i++)
            for (long j = 0; j < n.S; j++)
                visible[(b * n.T + i) * n.S + j] = shows(lengths, causal, b, i, j, n, m);
}

/* Softmax of `count` scores that lie `step` apart, and their visible ones likewise. */
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
static void softmax_rows(const double *s, const double *visible, double *p, sizes n, long heads, mistakes m) {
    const bool turned = IS(OVER_QUERIES);
    for (long bh = 0; bh < n.B * n.H; bh++)
        for (long line = 0; line < (turned ? n.S : n.T); line++) {
            const long first = bh * n.T * n.S + line * (turned ? 1 : n.S);
            const long sees = (IS(FIRST_MASK) ? 0 : bh / heads * n.T * n.S) + line * (turned ? 1 : n.S);
            softmax(s + first, visible + sees, p + first, turned ? n.T : n.S, turned ? n.S : 1, m);
        }
}

static void mix(const double *p, const double *v, double *context, sizes n, mistakes m) {
    for (long r = 0; r < n.B * n.H * n.T; r++)
        for (long c = 0; c < n.e; c++) {
            const long bh = r / n.T, i = r % n.T, values = IS(FIRST_VALUES) ? bh / n.H * n.H : bh;
            double sum = IS(ADDED) ? context[r * n.e + c] : 0;
            for (long j = 0; j < n.S; j++)
                sum += p[bh * n.T * n.S + (IS(P_FLAT) ? j * n.T + i : i * n.S + j)] *
                       v[values * n.S * n.e + (IS(V_FLAT) ? c * n.S + j : j * n.e + c)];
            context[r * n.e + c] = sum;
        }
}

/* ---- sizes ---- */

/* S - T is 4 or more, so that two mistakes of one key do not make a third; d is not H. */
static void draw_sizes(course_case *c, course_kind kind, course_rng *rng) {
    sizes n = {.B = course_between(rng, 2, 3), .H = 3, .T = 2 * course_between(rng, 1, 2) + 1};
    n.S = n.T + 2 * course_between(rng, 2, 3);
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

static void equal(const course_case *c) {
    for (int i = 0; i < c->arrays; i++)
        for (long k = 0; c->a[i].role == COURSE_IN && k < c->a[i].count; k++) c->a[i].data[k] = 2;
}

/* One sentence is as long as may be, one shorter than there are queries. Where not all is hidden, and not all of odd sizes is asked
 * for, one may be empty. */
static void draw_lengths(course_case *c, course_kind kind, course_rng *rng) {
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

static bool draw_causal(course_kind kind, course_rng *rng) {
    if (kind == COURSE_ODD) return true;
    return kind != COURSE_MASKED && kind != COURSE_NOTHING && course_between(rng, 0, 1);
}

#define KINDS_OF_ALL \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY))

/* ---- split_heads, merge_heads ---- */

static const int split_list[] = {SPLIT(ID)}, merge_list[] = {MERGE(ID)};
static const course_slip split_slips[] = {SPLIT(LINE){0}}, merge_slips[] = {MERGE(LINE){0}};

static void model_split(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    split(course_data(c, "x"), course_data(c, "y"), n.B, n.T, n.H, n.d, chosen(split_list, slips));
}

static void model_merge(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    merge(course_data(c, "x"), course_data(c, "y"), n.B, n.T, n.H, n.d, chosen(merge_list, slips));
}

static void draw_split(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "x", 1, rng, COURSE_DIMS(n.B, n.T, n.H * n.d));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.H, n.T, n.d));
}

static void draw_merge(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "x", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.T, n.H * n.d));
}

/* ---- attention_scores ---- */

static const int score_list[] = {SCORES(ID) SCORES_ALONE(ID)};
static const course_slip score_slips[] = {SCORES(LINE) SCORES_ALONE(LINE){0}};

static void model_scores(course_case *c, unsigned slips) {
    scores(course_data(c, "q"), course_data(c, "k"), NULL, course_data(c, "scores"), sizes_of(c), 0,
           chosen(score_list, slips));
}

static void draw_scores(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
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
    mask(course_data(c, "key_lengths"), c->n[6], course_data(c, "visible"), sizes_of(c),
         chosen(mask_list, slips));
}

static void draw_mask(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    c->n[6] = draw_causal(kind, rng);
    draw_lengths(c, kind, rng);
    course_array_new(c, COURSE_OUT, "visible", COURSE_DIMS(n.B, n.T, n.S));
}

/* ---- attention_softmax ---- */

static const int softmax_list[] = {SOFTMAX(ID) SOFTMAX_ALONE(ID)};
static const course_slip softmax_slips[] = {SOFTMAX(LINE) SOFTMAX_ALONE(LINE){0}};

static void model_softmax(course_case *c, unsigned slips) {
    softmax_rows(course_data(c, "scores"), course_data(c, "visible"), course_data(c, "probs"), sizes_of(c),
                 c->n[1], chosen(softmax_list, slips));
}

static void draw_softmax(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    course_array_normal(c, "scores", kind == COURSE_LARGE ? 1e4 : 2, rng, COURSE_DIMS(n.B, n.H, n.T, n.S));
    if (kind == COURSE_EQUAL) equal(c);
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
    mix(course_data(c, "probs"), course_data(c, "v"), course_data(c, "context"), sizes_of(c),
        chosen(mix_list, slips));
}

static void draw_mix(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
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
    split(course_data(c, "q"), q, n.B, n.T, n.H, n.d, m);
    split(course_data(c, "k"), k, n.B, n.S, n.H, n.d, m);
    split(course_data(c, "v"), v, n.B, n.S, n.H, n.d, m);
    scores(q, k, NULL, s, n, 0, m);
    mask(course_data(c, "key_lengths"), c->n[6], course_data(c, "visible"), n, m);
    softmax_rows(s, course_data(c, "visible"), course_data(c, "probs"), n, n.H, m);
    mix(course_data(c, "probs"), v, context, n, m);
    merge(context, course_data(c, "y"), n.B, n.T, n.H, n.d, m);
    free(q);
}

static void draw_whole(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    const sizes n = sizes_of(c);
    const double size = kind == COURSE_LARGE ? 1e4 : 1;
    c->n[6] = draw_causal(kind, rng);
    course_array_normal(c, "q", size, rng, COURSE_DIMS(n.B, n.T, n.H * n.d));
    course_array_normal(c, "k", size, rng, COURSE_DIMS(n.B, n.S, n.H * n.d));
    course_array_normal(c, "v", size, rng, COURSE_DIMS(n.B, n.S, n.H * n.d));
    if (kind == COURSE_EQUAL) equal(c);
    draw_lengths(c, kind, rng);
    course_array_new(c, COURSE_OUT, "scores", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "visible", COURSE_DIMS(n.B, n.T, n.S));
    course_array_new(c, COURSE_OUT, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(n.B, n.T, n.H * n.d));
}

/* ---- invariants of both ---- */

/* The row of `visible` that query i of sentence b has; attention_forward computes it itself. */
static bool sees(const course_case *given, long b, long i, long j) {
    const double *visible = course_data(given, "visible"), *lengths = course_data(given, "key_lengths");
    const sizes n = sizes_of(given);
    return lengths ? shows(lengths, given->n[6], b, i, j, n, 0) : visible[(b * n.T + i) * n.S + j] > 0;
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

/* ---- tier 2: the operation ---- */

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
        visible[k] = shows(course_data(c, "key_lengths"), c->n[CAUSAL], b, i, j, n, m);
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
    scores(course_data(c, "q"), course_data(c, "k"), bias, s, n, c->p[0], m);
    mask_of_heads(c, visible, n, m);
    softmax_rows(s, visible, probs, n, 1, m);
    mix(probs, course_data(c, "v"), context, n, m);
    merge(context, y, n.B, n.T, n.H, n.e, m);
    free(s);
}

static void model_op(course_case *c, unsigned slips) {
    const sizes n = sizes_of(c);
    double *probs = calloc((size_t)(n.B * n.H * n.T * n.S) + 1, sizeof *probs);
    if (!probs) abort();
    attend(c, probs, course_data(c, "y"), chosen(op_list, slips));
    free(probs);
}

/* Odd sizes: causal, lengths and a bias; masks: an array, a window and a scale. */
static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    draw_sizes(c, kind, rng);
    if (kind == COURSE_TWICE) c->n[3] = c->n[2];
    if (kind != COURSE_ONE && kind != COURSE_TWICE) c->n[5] = c->n[4] - 2;
    const sizes n = sizes_of(c);
    const double size = kind == COURSE_LARGE ? 1e4 : 1;
    c->n[CAUSAL] = draw_causal(kind, rng);
    c->n[WINDOW] = kind == COURSE_MASKED;
    c->n[HAS_ATTEND] = kind == COURSE_MASKED;
    c->n[HAS_BIAS] = kind == COURSE_ODD || kind == COURSE_PRIME;
    c->p[0] = kind == COURSE_MASKED ? 0.75 : 0;
    c->p[1] = 0.25; /* dropout, but none of these is training */
    course_array_normal(c, "q", size, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_normal(c, "k", size, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    course_array_normal(c, "v", size, rng, COURSE_DIMS(n.B, n.H, n.S, n.e));
    if (kind == COURSE_EQUAL) equal(c);
    const double *q = course_data(c, "q");
    for (long k = 0; kind == COURSE_TWICE && k < n.B * n.H * n.T * n.d; k++)
        course_data(c, "k")[k] = course_data(c, "v")[k] = q[k];
    draw_lengths(c, kind, rng);
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
    draw_sizes(c, kind, rng);
    c->n[5] = c->n[3];
    const sizes n = sizes_of(c);
    c->n[CAUSAL] = draw_causal(kind, rng);
    c->p[1] = kind == COURSE_PRIME ? 0 : 0.4;
    c->n[HAS_ATTEND + 1] = course_between(rng, 1, 1000); /* the step */
    course_array_normal(c, "q", 1, rng, COURSE_DIMS(n.B, n.H, n.T, n.d));
    course_array_normal(c, "k", 1, rng, COURSE_DIMS(n.B, n.H, n.S, n.d));
    double *v = course_array_new(c, COURSE_IN, "v", COURSE_DIMS(n.B, n.H, n.S, n.S));
    for (long k = 0; k < n.B * n.H * n.S * n.S; k++) v[k] = k % n.S == k / n.S % n.S;
    draw_lengths(c, kind, rng);
    course_array_new(c, COURSE_OUT, "probs", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "kept as drawn", COURSE_DIMS(n.B, n.H, n.T, n.S));
    course_array_new(c, COURSE_OUT, "y, dropout undone", COURSE_DIMS(n.B, n.T, n.H * n.S));
}

static const course_exercise tier2[] = {
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

/* ---- the handout's example: 2 queries, 3 keys, one head of 4 numbers ---- */

static void print(FILE *to, const char *name, const double *x, long rows, long columns) {
    for (long i = 0; i < rows; i++) {
        fprintf(to, "%-8s", i ? "" : name);
        for (long j = 0; j < columns; j++) fprintf(to, "%8.4f", x[i * columns + j] + 0.0); /* no -0 */
        fputc('\n', to);
    }
}

static void example(FILE *to) {
    const sizes n = {1, 1, 2, 3, 4, 4};
    const double q[] = {2, 0, 0, 2, 0, 2, 2, 0}, k[] = {1, 0, 0, 1, 0, 2, 1, 0, 1, 0, 1, 1}, length = 3;
    const double v[] = {4, 0, 0, 1, 0, 4, 0, 1, 0, 0, 4, 1};
    double s[6], visible[6], p[6], y[8];
    scores(q, k, NULL, s, n, 0, 0);
    mask(&length, true, visible, n, 0);
    softmax_rows(s, visible, p, n, 1, 0);
    mix(p, v, y, n, 0);
    print(to, "q", q, 2, 4), print(to, "k", k, 3, 4), print(to, "v", v, 3, 4);
    print(to, "scores", s, 2, 3), print(to, "visible", visible, 2, 3), print(to, "probs", p, 2, 3);
    print(to, "y", y, 2, 4);
}

extern const course_task course_task_attention_forward;
const course_task course_task_attention_forward = {
    .number = 5,
    .name = "attention_forward",
    .title = "Attention forward",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"scaled_dot_product_attention", NULL},
    .questions =
        {{"Two queries stand at the end of five keys, the mask is causal, and key_lengths is 4. How many "
          "ones does visible hold?",
          8, 0},
         {"In the worked example, what would the largest weight of query 0 be if the scores were not divided "
          "by √d?",
          0.982, 5e-3}},
    .example = example};
