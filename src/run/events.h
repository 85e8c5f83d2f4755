/* Telling somebody, if there is somebody who listens. */
#ifndef TL_RUN_EVENTS_H
#define TL_RUN_EVENTS_H

#include "tapeloom/train.h"

/* Calls one of the callbacks with its context and what else it takes, if the table is there and has it. */
#define TL_TELL(events, event, ...)                                             \
 do {                                                                           \
  const tl_events *tl_told = (events);                                          \
  if (tl_told && tl_told->event) tl_told->event(tl_told->context, __VA_ARGS__); \
 } while (0)
/* The same for those that take nothing else. */
#define TL_TELL_THAT(events, event)                                \
 do {                                                              \
  const tl_events *tl_told = (events);                             \
  if (tl_told && tl_told->event) tl_told->event(tl_told->context); \
 } while (0)

static inline bool tl_stopped(const tl_events *events) {
    return events && events->stop && events->stop(events->context);
}

#endif
