/* Sharing pieces of work among the threads.
 *
 * One thread runs a plain loop: an OpenMP region costs half a microsecond even when it is told to use one thread,
 * more than many small operations take. */
#ifndef TL_SHARE_H
#define TL_SHARE_H

#include <stdbool.h>

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

#endif
