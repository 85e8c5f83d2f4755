/* For tests of what happens when memory runs out: an allocator that fails after a given number of requests and counts
 * the blocks that are not freed. It replaces malloc in the whole program, so only one file may include this.
 *
 * With a sanitizer (which has its own allocator) or without glibc this is impossible: CAN_REFUSE is 0, and no request
 * fails. */
#ifndef TL_TESTS_REFUSE_H
#define TL_TESTS_REFUSE_H

#include "check.h"

#include <errno.h>
#include <stdbool.h>

#if defined(__GLIBC__) && !defined(TL_SANITIZED)
# define CAN_REFUSE 1
#else
# define CAN_REFUSE 0
#endif

/* LLVM's OpenMP ends the process if malloc fails, and any parallel region may call malloc: so there is only one
 * thread. */
#if defined(__clang__) && defined(_OPENMP) && CAN_REFUSE
int setenv(const char *name, const char *value, int overwrite); /* POSIX's */
__attribute__((constructor)) static void one_thread(void) { setenv("OMP_NUM_THREADS", "1", 1); }
#endif

/* The number of requests that are granted before one is refused; negative: all are granted. */
static long left = -1;
/* Are all requests after that one refused too? */
static bool all_later;
static bool had_refused;
/* Blocks that are not freed. */
static long alive;

/* Grants `granted` requests, then refuses one, or all that follow. */
static inline void refuse_after(long granted, bool and_all_later) {
    left = granted;
    all_later = and_all_later;
    had_refused = false;
}
/* Grants all requests again. Returns whether any has been refused. */
static inline bool grant_again(void) {
    left = -1;
    return had_refused;
}

#if CAN_REFUSE
static bool refused(void) {
    if (left < 0 || left-- > 0) return false;
    if (all_later) left = 0;
    had_refused = true;
    errno = ENOMEM;
    return true;
}
static void *counted(void *memory) {
    alive += memory != NULL;
    return memory;
}
static void uncounted(void *memory) { alive -= memory != NULL; }
# include "allocator.h"
#endif

#endif
