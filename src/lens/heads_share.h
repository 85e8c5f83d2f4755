/* One pass over a set, shared out among the ranks of a run. Counts may be summed in any order, so they are exchanged
 * at the end. Other sums have the bits of one process only if their numbers are added in the same order. So these
 * sums are passed from rank to rank, batch by batch, and the rank of a batch adds its rows' numbers. Only the
 * looking, which takes nearly all the time, runs in parallel. */
#ifndef TL_LENS_HEADS_SHARE_H
#define TL_LENS_HEADS_SHARE_H

#include "heads_found.h"

#include "run/pass.h"

/* ---- heads_habits.c ---- */

enum { TL_HEAD_NUMBERS = 6 }; /* numbers that a row of a head's map adds, besides counts */
/* From here on these numbers are held back, in order, until they are added to numbers[TL_HEAD_NUMBERS]. */
void tl_head_sums_hold(tl_head_sums *sums);
void tl_head_sums_add_held(tl_head_sums *sums, double *numbers);
void tl_head_sums_set(tl_head_sums *sums, const double *numbers);
/* Reports the counts; adds reported counts. False when out of memory. */
void tl_head_sums_tell(const tl_head_sums *sums, tl_pass *to);
bool tl_head_sums_take(tl_head_sums *sums, tl_told *told);

/* ---- heads_share.c ---- */

typedef struct tl_heads_round {
    tl_pass pass;
    tl_heads_found *found;
    long batches;     /* batches of the pass */
    uint64_t weights; /* fingerprint of weights and build */
    bool begun, goes; /* begun: all ranks have memory for the sums; goes: sums are passed on */
    bool over;        /* a rank failed or was stopped: no more work */
    double *sums;     /* [1 + size] the flag `over`, then each head's importance, numbers, context */
    size_t size;
} tl_heads_round;

tl_heads_round tl_heads_round_begin(tl_run *run, tl_heads_found *found, long batches);
/* Call these before and after adding a batch of this rank to importance and contexts, also after a failure. ok: does
 * the batch add anything? Returns false if it does not, or if all is over. In one process returns ok. */
bool tl_heads_round_take_over(tl_heads_round *round, bool ok);
void tl_heads_round_hand_on(tl_heads_round *round, bool ok);
/* After this all ranks have all results. Returns as tl_pass_end does. */
bool tl_heads_round_end(tl_heads_round *round);

#endif
