/* Shares pieces of work out among the threads. Every thread enters every parallel region, even if there is nothing for
 * it to do: GCC's OpenMP ends threads when a team is smaller than the one before, and starts new ones when it is
 * larger.
 *
 * One thread runs a plain loop: an OpenMP region costs half a microsecond even with one thread, more than many small
 * operations take. */
#ifndef TL_SHARE_H
#define TL_SHARE_H

#include "tapeloom/tensor.h"

#include <stdbool.h>
#ifdef _OPENMP
# include <omp.h>

/* Call it before threads are used. Returns how many there are. After the first call, a child of this process uses
 * one. */
int tl_share_begin(void);
#else
static inline int tl_share_begin(void) { return 1; }
#endif

/* for (long i = 0; i < count; i++) { … }: each i once, in any order, by all threads if `worth_it`. */
/* clang-format off */
#define TL_EACH(i, count, worth_it, ...)                                \
    do {                                                                \
        const long tl_count = (count);                                  \
        if (!(worth_it) || tl_count < 2 || tl_threads() < 2) {          \
            for (long i = 0; i < tl_count; i++) { __VA_ARGS__; }        \
        } else {                                                        \
            const int tl_team = tl_share_begin();                       \
            (void)tl_team;                                              \
            _Pragma("omp parallel for schedule(static) num_threads(tl_team)") \
            for (long i = 0; i < tl_count; i++) { __VA_ARGS__; }        \
        }                                                               \
    } while (0)
/* clang-format on */

typedef void tl_piece_fn(const void *job, long i);

/* The same for fn(job, 0) … fn(job, count-1). */
static inline void tl_share(bool worth_it, long count, tl_piece_fn *fn, const void *job) {
    TL_EACH(i, count, worth_it, fn(job, i));
}

typedef void tl_part_fn(const void *job, long part, long parts);

/* Calls fn(job, 0, n) … fn(job, n-1, n), each in a thread of its own. n is `threads`, or less if OpenMP gives fewer. */
static inline void tl_share_parts(long threads, tl_part_fn *fn, const void *job) {
#ifdef _OPENMP
    if (threads > 1) {
        const int most = tl_share_begin();
# pragma omp parallel num_threads(most)
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
