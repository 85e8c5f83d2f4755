/* The two claims about heads, "heads" and "redundant", each exist for sentences made here and for human ones
 * (Multi30k). Only the plans differ; work, differences and names are shared. */
#ifndef STUDY_CLAIM_HEADS_H
#define STUDY_CLAIM_HEADS_H

#include "study.h"

/* Does this job belong to the claim on Multi30k? */
static inline bool on_multi30k(const job *j) { return j->claim->needs_data; }

/* The run on Multi30k that both claims use: 4 heads. */
enum { MULTI30K_TRAINING_COST = 240 };
void multi30k_arm(study *s, tl_run_settings *settings, arm *a, long heads);

/* Held-out sentences that were used for no choice, at most `most` (0: all): sentences made here, or Multi30k's test
 * set. NULL, and a sentence, on failure. */
tl_set *held_out(const job *j, tl_run *run, long most, tl_error *error);
/* Puts loss, BLEU and exact match of 500 such sentences, or of Multi30k's whole test set, translated greedily. */
bool held_out_quality(const job *j, tl_run *run, numbers *out, tl_error *error);

/* ---- heads ---- */

enum { HEADS_4_OVER_1, HEADS_8_OVER_1, HEADS_4_OVER_2, HEADS_8_OVER_4, HEADS_APART, HEADS_RULES };

/* For one sentence's attention [H,T,S]: adds the Jensen–Shannon divergences (in nats, at most ln 2) of all pairs of
 * heads in all rows from `first` on to *sum, and their number to *pairs. */
void heads_apart(tl_tensor weights, long first, long rows, long columns, double *sum, double *pairs);

/* ---- redundant ---- */

enum {
    REDUNDANT_HALF,
    REDUNDANT_HALF_RAW,
    REDUNDANT_ENCODER,
    REDUNDANT_CHANCE,
    REDUNDANT_CHANCE_RAW,
    REDUNDANT_CROSS,
    REDUNDANT_RULES
};

/* An arm is an order of removal, by its number: over all heads by published importance, by importance without the
 * division, and at random (the mean of several orders); or over one kind of attention's heads by published
 * importance. */
enum {
    REDUNDANT_BY_IMPORTANCE,
    REDUNDANT_BY_RAW,
    REDUNDANT_BY_CHANCE,
    REDUNDANT_OF_ENCODER,
    REDUNDANT_OF_DECODER,
    REDUNDANT_OF_CROSS,
    REDUNDANT_ORDERS
};
enum { REDUNDANT_CHANCES = 5 };

/* The work: "loss" at each percentage of removed heads, "BLEU" at 0, 25, 50, 75 and 100. */
work redundant_measure;

/* How many of `heads` heads are removed at quarter 0 … 4, rounded half up. */
long redundant_quarter(long heads, int quarter);
/* The heads of one kind of attention in an order [count] of a model's heads, into kept [count]; returns how many. */
long redundant_of_kind(const tl_model *model, const long *order, long count, tl_attention_kind kind,
                       long *kept);

#endif
