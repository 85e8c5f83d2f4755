/* What the two halves of the claim "order" share: the translators (claim_order.c) and the decoder alone
 * (claim_order_alone.c). */
#ifndef CLAIM_ORDER_H
#define CLAIM_ORDER_H

#include "study.h"

/* The greatest length in training and in tests; the number of different symbols. */
enum { SHORTER = 12, LONGER = 18, NAMES = 10 };

/* How many sequences of each length were written, and how many of them without a mistake. */
typedef struct tally {
    long all[LONGER + 1], right[LONGER + 1];
} tally;
void tally_add(tally *t, long length, bool right);
/* in %, for lengths low … high; NaN if there are none */
double tally_share(const tally *t, long low, long high);
void tally_put(const tally *t, const job *j, numbers *out);

/* settings of the sequences, and of the translators that learn them */
tl_run_settings reversal(const study *s);
/* Held-out sequences: unseen ones of the training lengths, or longer ones. Free them with tl_corpus_free. NULL on
 * failure. */
tl_corpus *held_out_reversals(const job *j, bool longer, tl_error *error);

work order_alone; /* trains a decoder alone without positions, and measures it */

#endif
