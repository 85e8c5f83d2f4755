/* How much time has passed. */
#ifndef TL_RUN_CLOCK_H
#define TL_RUN_CLOCK_H

/* Seconds by a steady clock, counted from some moment that stays the same while the machine runs. By the time of day a run
 * of --minutes would end early, or never, when somebody sets the clock. */
double tl_seconds_now(void);

#endif
