/* Places that wait for a merge, the lowest rank first, of equal ranks the place that is furthest left: a heap. */
#ifndef TL_TEXT_QUEUE_H
#define TL_TEXT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tl_place { /* a pair's rank, and the piece that is its first */
    int32_t rank;
    size_t at;
} tl_place;

/* {0} is an empty one. */
typedef struct tl_queue {
    tl_place *places; /* [used]; places[0] comes first */
    size_t used, room;
} tl_queue;

bool tl_queue_push(tl_queue *queue, tl_place place); /* false, and nothing changed, when out of memory */
tl_place tl_queue_pop(tl_queue *queue);              /* it must not be empty */
void tl_queue_free(tl_queue *queue);                 /* and {0} again */

#endif
