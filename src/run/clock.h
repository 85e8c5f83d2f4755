/* How late it is. */
#ifndef TL_RUN_CLOCK_H
#define TL_RUN_CLOCK_H

#include <time.h>

static inline double tl_seconds_now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
