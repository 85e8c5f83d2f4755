/* A pool of memory of gradients and values that are no longer needed, by size. The pool has no memory of its own: if
 * it has no piece of a size, the caller takes new memory from the arena. */
#ifndef TL_RECYCLED_H
#define TL_RECYCLED_H

#include "tensor/arena.h"

typedef struct tl_free_size { /* pieces of one size, linked through their memory */
    size_t bytes;
    void *first;
} tl_free_size;

typedef struct tl_recycled {
    tl_free_size *size;
    int sizes;
    size_t room;
    long allocations; /* requests to the system so far */
} tl_recycled;

/* The size of the memory that must be taken for `bytes` bytes, so that it can be recycled. */
size_t tl_recycled_size(size_t bytes);
/* Memory for `bytes` bytes, not zeroed. NULL if the pool has none of that size. */
void *tl_recycled_take(tl_recycled *r, size_t bytes);
void tl_recycled_give(tl_recycled *r, void *memory, size_t bytes);
void tl_recycled_forget(tl_recycled *r); /* empties the pool: the arena was reset */
/* Called before the arena is released to that mark: keeps only memory below it. */
void tl_recycled_keep(tl_recycled *r, const tl_arena *arena, tl_arena_mark mark);
void tl_recycled_free(tl_recycled *r);

#endif
