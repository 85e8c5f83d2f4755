/* A pass over batches, shared out among the ranks of a run: batch i belongs to rank i % N. All ranks walk the same
 * list of batches and skip those of others. At the end one exchange gives every rank all results in batch order, so
 * all get the bits of one process. Without other ranks nothing is stored and nothing is sent.
 *
 *     tl_pass pass = tl_pass_begin(run);
 *     while (tl_pass_goes_on(&pass) && tl_batches_next(batches, &batch))
 *         if (tl_pass_mine(&pass, &batch) && !work(&pass, &batch)) break;
 *     bool ok = tl_pass_end(&pass, !tl_failed(&run->error), take, context);
 *
 * If the ranks' batches, weights or builds differ, tl_pass_end fails with an error that says so.
 *
 * Every rank that has begun a pass must end it, also after a failure or with nothing to do: the others wait there. A
 * failure of one rank is an error of all. Only rank 0 is asked whether to stop; then all have stopped. */
#ifndef TL_RUN_PASS_H
#define TL_RUN_PASS_H

#include "base/buffer.h"
#include "run.h"

/* What a rank reported of a batch. */
typedef struct tl_told {
    bool own; /* reported by this rank itself, whose results are already stored */
    const char *at;
    size_t left;
} tl_told;
/* Reads the next bytes; false if there are too few. */
bool tl_told_read(tl_told *told, void *to, size_t bytes);

typedef struct tl_pass {
    tl_run *run;
    tl_ranks *ranks; /* NULL: one process */
    bool all_do_all; /* every rank computes every batch */
    bool stopped;
    long batches;         /* how many so far */
    uint64_t fingerprint; /* of build, weights and the batches so far */
    tl_loss_report loss;  /* all batches, once the pass has ended; in one process, so far */
    tl_buffer told;
    size_t record; /* where the current record begins in `told` */
} tl_pass;

tl_pass tl_pass_begin(tl_run *run);
/* Adds further bytes that must be the same on all ranks; build, weights and batches are compared anyway. */
void tl_pass_have_alike(tl_pass *t, const void *data, size_t bytes);
/* Asks rank 0's events whether to stop. Also false after a failure. */
bool tl_pass_goes_on(tl_pass *t);
/* Counts the next batch: does it belong to this rank? */
bool tl_pass_mine(tl_pass *t, const tl_batch *batch);
/* Adds the loss of this rank's batch. */
void tl_pass_add(tl_pass *t, const tl_loss_report *loss);
bool tl_pass_add_loss(tl_pass *t, const tl_batch *batch);
/* Must this rank report results of its batch to the others? */
static inline bool tl_pass_reports(const tl_pass *t) { return t->ranks && !t->all_do_all; }
/* Appends to the report of this batch. If memory runs out, the pass fails at its end. */
void tl_pass_tell(tl_pass *t, const void *bytes, size_t size);
void tl_pass_tell_text(tl_pass *t, const char *text);
/* Reads the next text; the caller frees it. NULL, and the run's error, on failure. */
char *tl_told_text(tl_told *told, tl_run *run);
/* After the last batch: later reports belong to no batch and are taken after all others. */
void tl_pass_tell_last(tl_pass *t);

/* Takes a batch's report. Every rank calls it for all batches in order; t->loss is the loss of all batches up to
 * this one. False, and the run's error, on failure. */
typedef bool tl_pass_take(void *context, const tl_pass *t, tl_told *told);
/* Ends a pass. ok: did this rank succeed? (If not, the error is the run's or its tape's.) take may be NULL. False,
 * and the run's error, if any rank failed. False without an error if the pass was stopped; then nothing is taken. */
bool tl_pass_end(tl_pass *t, bool ok, tl_pass_take *take, void *context);

/* Sums whose order counts, passed from batch to batch. Before this rank adds its batch, it receives the sums from
 * the rank of the batch before; afterwards, unless its batch was the last, it hands them on. Every rank does both
 * for each of its batches, also after a failure. False, and the run's error, if ranks can no longer communicate; the
 * pass need not be ended then. After handing on, the sums must not change until the next tl_pass_take_over or
 * tl_pass_end. */
bool tl_pass_take_over(tl_pass *t, void *sums, size_t bytes);
bool tl_pass_hand_on(tl_pass *t, const void *sums, size_t bytes);

/* For the middle of a pass, called by all ranks. tl_pass_agree: have all succeeded? (Errors as in tl_pass_end.)
 * tl_pass_broadcast: all receive rank 0's bytes. */
bool tl_pass_agree(tl_pass *t, bool ok);
bool tl_pass_differs(tl_pass *t); /* sets the error of a rank that differs from rank 0; returns false */
bool tl_pass_broadcast(tl_pass *t, void *data, size_t bytes);
/* Rank 0's answer, on every rank. False, and the run's error, on failure. */
bool tl_pass_lead_says(tl_run *run, bool yes);

#endif
