/* Task 6's model: the steps of attention backward with each step's mistakes, and how cases are drawn. model.c makes
 * tier 1's exercises from them, model_op.c tier 2's. */
#ifndef ATTENTION_BACKWARD_MODEL_H
#define ATTENTION_BACKWARD_MODEL_H

#include "../attention_forward/model_shared.h"

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
   "those of dprobs without dropout: what it hit should get nothing, the rest 1/(1-p) times as much")

enum { MIX(ID) MIX_ALONE(ID) SOFTMAX(ID) SCORES(ID) HEADS(ID) OPERATION(ID) };

/* ---- the steps (model_steps.c) ---- */

/* kept [B,H,T,S] or NULL. Writes dprobs, adds to dv. */
void back_mix(const double *p, const double *kept, const double *v, const double *dcontext, double *dprobs,
              double *dv, sizes n, mistakes m);
void back_softmax(const double *p, const double *dprobs, double *dscores, sizes n, mistakes m);
/* Adds to dq and dk. scale 0: 1/√d */
void back_scores(const double *q, const double *k, const double *dscores, double *dq, double *dk, sizes n,
                 double scale, mistakes m);

typedef struct back { /* kept NULL: no dropout */
    const double *q, *k, *v, *probs, *kept, *dy;
    double scale, *dprobs, *dscores, *dq, *dk, *dv;
} back;

void back_whole(const back *b, sizes n, mistakes m);

/* ---- the forward, without mistakes ---- */

bool back_sees(const double *lengths, bool causal, long b, long i, long j, sizes n);
/* visible, p [B,H,T,S] */
void back_attend(const double *q, const double *k, const double *visible, double *p, sizes n, double scale);

/* ---- drawing ---- */

void back_sizes(course_case *c, course_kind kind, course_rng *rng);
/* Fills the array "probs" from q and k, or with numbers of its own. */
void back_probs(course_case *c, const double *q, const double *k, course_kind kind, course_rng *rng);
void back_some_probs(course_case *c, course_kind kind, course_rng *rng);
static inline double large(course_kind kind) { return kind == COURSE_LARGE ? 1e4 : 1; }

#define KINDS_OF_ALL                                                                                      \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY) | \
  COURSE_HAS(COURSE_LARGE))

extern const course_exercise back_tier2[]; /* model_op.c */

#endif
