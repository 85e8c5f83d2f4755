/* Calling callbacks, if there are any. */
#ifndef TL_RUN_EVENTS_H
#define TL_RUN_EVENTS_H

#include "tapeloom/train.h"

/* Calls a callback with its context and further arguments, if the table and the callback exist. */
#define TL_TELL(events, event, ...)                                             \
 do {                                                                           \
  const tl_events *tl_told = (events);                                          \
  if (tl_told && tl_told->event) tl_told->event(tl_told->context, __VA_ARGS__); \
 } while (0)
/* The same for callbacks without further arguments. */
#define TL_TELL_THAT(events, event)                                \
 do {                                                              \
  const tl_events *tl_told = (events);                             \
  if (tl_told && tl_told->event) tl_told->event(tl_told->context); \
 } while (0)

static inline bool tl_stopped(const tl_events *events) {
    return events && events->stop && events->stop(events->context);
}

#endif
