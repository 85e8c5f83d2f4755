/* Memory that is handed out piece by piece and taken back all at once.
 *
 * A list of chunks; each request goes to the first chunk from the current one on that has room, a new chunk is
 * added only when none has. The same requests in the same order therefore land in the same places after a reset,
 * and need no new chunk. Pieces are aligned to 64 bytes. */
#ifndef TL_ARENA_H
#define TL_ARENA_H

#include "tapeloom/tensor.h"

typedef struct tl_arena_chunk {
    char *memory;
    size_t size, used;
    void *allocated; /* what memory, aligned, is a part of */
} tl_arena_chunk;

typedef struct tl_arena {
    tl_arena_chunk *chunk;
    int chunks, capacity, current;
    size_t used, peak, reserved, limit; /* bytes; limit 0 = none */
    long allocations;
    bool zeroed; /* set before the first piece: memory that is handed out for the first time is 0 */
} tl_arena;      /* {0} is an empty one */

typedef struct tl_arena_mark {
    int chunk;
    size_t used;
} tl_arena_mark;

/* As a rule not zeroed. NULL when out of memory or over the limit. */
void *tl_arena_get(tl_arena *a, size_t bytes);
tl_arena_mark tl_arena_mark_of(const tl_arena *a);
void tl_arena_release(tl_arena *a, tl_arena_mark mark);
void tl_arena_reset(tl_arena *a);
/* Before a release: writes over what it will take back, with bytes that make NaN of every number. */
void tl_arena_spoil(tl_arena *a, tl_arena_mark mark);
/* Is that byte part of memory that has been handed out and not taken back? Or of memory that waits to be handed out? */
bool tl_arena_holds(const tl_arena *a, const void *p);
bool tl_arena_forgot(const tl_arena *a, const void *p);
void tl_arena_free(tl_arena *a);

#endif
