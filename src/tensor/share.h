/* Sharing pieces of work among the threads. All of them come to every region, even if some then find nothing to do: GCC's
 * OpenMP ends threads where a team is smaller than the one before, and starts them anew where it is larger.
 *
 * One thread runs a plain loop: an OpenMP region costs half a microsecond even when it is told to use one thread,
 * more than many small operations take. */
#ifndef TL_SHARE_H
#define TL_SHARE_H

#include <stdbool.h>
#ifdef _OPENMP
# include <omp.h>
#endif

typedef void tl_piece_fn(const void *job, long i);

/* fn(job, 0) … fn(job, count-1), each once, in any order, by all threads if `worth_it`. */
static inline void tl_share(bool worth_it, long count, tl_piece_fn *fn, const void *job) {
    if (!worth_it || count < 2) {
        for (long i = 0; i < count; i++) fn(job, i);
        return;
    }
#pragma omp parallel for schedule(static)
    for (long i = 0; i < count; i++) fn(job, i);
}

typedef void tl_part_fn(const void *job, long part, long parts);

/* fn(job, 0, n) … fn(job, n-1, n), each once and by a thread of its own, where n is `threads`, or fewer if there are
 * fewer. */
static inline void tl_share_parts(long threads, tl_part_fn *fn, const void *job) {
#ifdef _OPENMP
    if (threads > 1) {
# pragma omp parallel
        {
            const long thread = omp_get_thread_num(), team = omp_get_num_threads();
            const long parts = threads < team ? threads : team;
            if (thread < parts) fn(job, thread, parts);
        }
        return;
    }
#endif
    (void)threads;
    fn(job, 0, 1);
}

#endif
