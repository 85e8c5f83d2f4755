/* Two claims about heads, heads and redundant, are each made once of sentences that are made here and once of people's (Multi30k). What
 * differs between the two stands in their plans; work, differences and names are the same. */
#ifndef STUDY_CLAIM_HEADS_H
#define STUDY_CLAIM_HEADS_H

#include "study.h"

/* Is this job of the claim that is made on Multi30k? */
static inline bool on_multi30k(const job *j) { return j->claim->needs_data; }

/* The run that both claims look at on Multi30k: 4 heads. */
enum { MULTI30K_TRAINING_COST = 240 };
void multi30k_arm(study *s, tl_run_settings *settings, arm *a, long heads);

/* Held-out sentences that nothing was chosen by, at most so many (0: all): those made here, or Multi30k's test. NULL, and a sentence, on
 * failure. */
tl_set *held_out(const job *j, tl_run *run, long most, tl_error *error);
/* Puts loss, BLEU and exact match of 500 of them, or of all of Multi30k's test set, written greedily. */
bool held_out_quality(const job *j, tl_run *run, numbers *out, tl_error *error);

/* ---- heads ---- */

enum { HEADS_4_OVER_1, HEADS_8_OVER_1, HEADS_4_OVER_2, HEADS_8_OVER_4, HEADS_APART, HEADS_RULES };

/* Adds what one sentence's attention [H,T,S] has: over all pairs of heads and all rows from `first` on the Jensen–Shannon divergences, in
 * nats and at most ln 2, to *sum, and how many they are to *pairs. */
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

/* An arm is an order in which heads go, and has its number: over all heads by published importance, by the same without its division, and
 * by chance (the mean of so many orders); of one kind of attention its own heads, by published importance. */
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

/* The work: "loss" at each percentage of its heads that are gone, "BLEU" at 0, 25, 50, 75 and 100. */
work redundant_measure;

/* How many of so many heads are gone at quarter 0 … 4, rounded, half up. */
long redundant_quarter(long heads, int quarter);
/* Of an order [count] of a model's heads those of one kind, in that order, into kept [count]; returns how many. */
long redundant_of_kind(const tl_model *model, const long *order, long count, tl_attention_kind kind,
                       long *kept);

#endif
