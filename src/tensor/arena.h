/* Memory that is handed out piece by piece and taken back all at once.
 *
 * An arena is a list of chunks. A request goes to the first chunk with room, from the current chunk on; a new chunk is
 * added only if none has room. So after a reset the same requests in the same order get the same places, and need no
 * new chunk. Pieces are aligned to 64 bytes. */
#ifndef TL_ARENA_H
#define TL_ARENA_H

#include "tapeloom/tensor.h"

typedef struct tl_arena_chunk {
    char *memory;
    size_t size, used;
    void *allocated; /* to be freed; `memory` is its aligned part */
} tl_arena_chunk;

typedef struct tl_arena {
    tl_arena_chunk *chunk;
    int chunks, current;
    size_t room;                        /* chunks that the array has room for */
    size_t used, peak, reserved, limit; /* bytes; limit 0 = none */
    long allocations;
    bool zeroed; /* set before the first request: new memory is zeroed */
} tl_arena;      /* {0} is an empty one */

typedef struct tl_arena_mark {
    int chunk;
    size_t used;
} tl_arena_mark;

/* A piece of so many bytes, not zeroed unless it is new and a->zeroed. NULL when out of memory or over the limit. */
void *tl_arena_get(tl_arena *a, size_t bytes);
tl_arena_mark tl_arena_mark_of(const tl_arena *a);
void tl_arena_release(tl_arena *a, tl_arena_mark mark);
void tl_arena_reset(tl_arena *a);
/* Call it before a release: overwrites the memory that the release will take back with bytes that make every number
 * NaN. */
void tl_arena_spoil(tl_arena *a, tl_arena_mark mark);
/* Is that byte in memory that is handed out now? */
bool tl_arena_holds(const tl_arena *a, const void *p);
/* Was it handed out before the mark was made? */
bool tl_arena_is_below(const tl_arena *a, tl_arena_mark mark, const void *p);
/* Is that byte in the arena's memory, but not handed out now? */
bool tl_arena_forgot(const tl_arena *a, const void *p);
void tl_arena_free(tl_arena *a);

#endif
