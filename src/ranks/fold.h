/* The sum of shares that lie on several ranks, in the shares' order: the bits of one process that adds them one by
 * one.
 *
 * A share is a list of parts (gradients, one for each parameter), laid end to end. Of G shares over N ranks, rank r
 * computes the shares g with ⌊g·N/G⌋ = r. It also owns a slice of the numbers: it receives this slice of all shares
 * and adds them; then the slices are gathered. A share that does not reach a part adds nothing to it: adding 0 could
 * change the sum, since 0 + -0 is 0. */
#ifndef TL_RANKS_FOLD_H
#define TL_RANKS_FOLD_H

#include "ranks.h"

typedef struct tl_fold tl_fold;

/* sizes [parts], in numbers. note: bytes that each rank tells the others with every sum; their meaning is the
 * caller's. NULL, and an error, on failure. Memory, for P numbers: (G/N + 1)·P for this rank's shares, (G - G/N)/N·P
 * for the others'. */
tl_fold *tl_fold_new(tl_ranks *ranks, long shares, const long *sizes, int parts, size_t note,
                     tl_error *error);
void tl_fold_free(tl_fold *fold);
int tl_fold_rank_of(const tl_fold *fold, long share); /* the rank that has this share */

/* A sum: begin; for each of this rank's shares, in order, give its parts and close it; meet; sum. */
bool tl_fold_begin(tl_fold *fold, tl_error *error);
/* Gives a part of this share, which is copied. */
void tl_fold_give(tl_fold *fold, long share, int part, const tl_real *data);
/* Completes a share, whose pieces begin to travel. Parts that were not given are not reached. A share that is never
 * closed is empty. */
bool tl_fold_close(tl_fold *fold, long share, tl_error *error);
/* This rank's own note, zeros at first; fill it in before the meeting. */
void *tl_fold_note(tl_fold *fold);
/* All ranks call it: afterwards every rank has all notes, and knows which share has reached which part. */
bool tl_fold_meet(tl_fold *fold, tl_error *error);
const void *tl_fold_note_of(const tl_fold *fold, int rank);
/* All ranks call it: waits for what is under way and adds it. usable: false skips the sum, after a failure that all
 * ranks have learnt of by their notes. */
bool tl_fold_sum(tl_fold *fold, bool usable, tl_error *error);
/* The sum of a part [size]; NULL if no share has reached it. Valid until the next begin. */
const tl_real *tl_fold_sum_of(const tl_fold *fold, int part);

#endif
