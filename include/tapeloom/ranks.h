/* Ranks: processes, on one machine or several, that train one model together. In a library built with `make MPI=1`
 * they are those that mpirun started. In any other there is one, and this header costs nothing.
 *
 *     tl_ranks *ranks = tl_ranks_begin(&error);      first of all, before threads start
 *     tl_run_share_with(run, ranks);                 run.h: training, validation and decoding are shared out
 *     …
 *     tl_ranks_end(ranks, failed);
 *
 * Results do not depend on how many ranks there are: not one bit. Every rank runs the same program with the same
 * command line. Rank 0 leads: only rank 0 decides, writes files and prints. */
#ifndef TAPELOOM_RANKS_H
#define TAPELOOM_RANKS_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The ranks of a job, seen by one of them. */
typedef struct tl_ranks tl_ranks;

/* Joins the job in which this process was started. Call it once in a process, and tl_ranks_end at the end. NULL, and
 * an error that says what to do, on failure. */
tl_ranks *tl_ranks_begin(tl_error *error);
/* Leaves the job. failed: this rank stopped at an error. If the other ranks do not know of the error, they are ended
 * too: then this call does not return, and the process has exit status 1. NULL is accepted. */
void tl_ranks_end(tl_ranks *ranks, bool failed);

/* All ranks call this at the same point: did all of them succeed so far? If not, all ranks get an error, that of the
 * first rank that failed, with its name ("rank 2 (host): …") unless it is rank 0. If `ok` is false, `error` says
 * why. With one rank: returns `ok`. */
bool tl_ranks_agree(tl_ranks *ranks, bool ok, tl_error *error);
/* All ranks call this at the same point: do all of them have rank 0's text? If not, all get an error that names the
 * first rank that differs and the first line that does: rank 2 has WHAT "…", and rank 0 has "…": HINT */
bool tl_ranks_same(tl_ranks *ranks, const char *what, const char *text, const char *hint, tl_error *error);
/* Has every rank learnt of a failure? Then each stops by itself, and only rank 0 need say why. This is final: ranks
 * do not go on together after it. */
bool tl_ranks_all_know(const tl_ranks *ranks);

/* The number of ranks, and this rank's number, from 0. NULL counts as one rank, number 0. */
int tl_ranks_count(const tl_ranks *ranks);
int tl_ranks_number(const tl_ranks *ranks);
/* Is this rank 0? */
bool tl_ranks_lead(const tl_ranks *ranks);
/* How many threads this rank may start, at least 1: each processor that it may use counts 1 divided by the number of
 * this machine's ranks that may use it. */
int tl_ranks_threads(const tl_ranks *ranks);
/* "4 ranks on 2 machines, Open MPI v4.1.4", or "one process"; valid as long as the ranks. */
const char *tl_ranks_text(const tl_ranks *ranks);
/* Was the library built with MPI? */
bool tl_ranks_can_be_many(void);

#ifdef __cplusplus
}
#endif
#endif
