/* Task 5's model: the steps of attention forward with each step's mistakes, and how cases are drawn. model.c makes
 * tier 1's exercises from them, model_op.c tier 2's. */
#ifndef ATTENTION_FORWARD_MODEL_H
#define ATTENTION_FORWARD_MODEL_H

#include "model_shared.h"

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
/* Two mistakes that make everything visible when made together, as "mask not used" does. The operation does not show
 * its mask, so it lists only the others. */
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

enum {
    SPLIT(ID) SCORES(ID) SCORES_ALONE(ID) MASK_OR(ID) MASK(ID) MASK_ALONE(ID) SOFTMAX(ID) SOFTMAX_ALONE(ID)
        MIX(ID) MIX_ALONE(ID) MERGE(ID) OPERATION(ID)
};

static inline long at(long a, long B, long b, long C, long c, long D, long d) {
    return ((a * B + b) * C + c) * D + d;
}

/* ---- the steps (model_steps.c) ---- */

/* [B,T,H·d] to [B,H,T,d], and back */
void forward_split(const double *x, double *y, long B, long T, long H, long d, mistakes m);
void forward_merge(const double *x, double *y, long B, long T, long H, long d, mistakes m);
/* bias [B,H,T,S] or NULL; scale 0: 1/√d */
void forward_scores(const double *q, const double *k, const double *bias, double *s, sizes n, double scale,
                    mistakes m);
bool forward_shows(const double *lengths, bool causal, long b, long i, long j, sizes n, mistakes m);
/* visible [B,T,S] */
void forward_mask(const double *lengths, bool causal, double *visible, sizes n, mistakes m);
/* visible [B,T,S], or with heads [B,H,T,S]: `heads` share one mask. */
void forward_softmax(const double *s, const double *visible, double *p, sizes n, long heads, mistakes m);
void forward_mix(const double *p, const double *v, double *context, sizes n, mistakes m);

/* ---- drawing ---- */

void forward_sizes(course_case *c, course_kind kind, course_rng *rng);
void forward_equal(const course_case *c); /* sets every input to 2 */
void forward_lengths(course_case *c, course_kind kind, course_rng *rng);
bool forward_causal(course_kind kind, course_rng *rng);
#define KINDS_OF_ALL \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY))

extern const course_exercise forward_tier2[]; /* model_op.c */

#endif
