/* How much time has passed. */
#ifndef TL_RUN_CLOCK_H
#define TL_RUN_CLOCK_H

/* Seconds of a steady clock since some fixed moment. With the time of day a run of --minutes would end early, or
 * never, when somebody sets the clock. */
double tl_seconds_now(void);

#endif
