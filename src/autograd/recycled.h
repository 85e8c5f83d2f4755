/* Memory of gradients that have been used, kept by size for the next gradient of that size. It knows of no tape: where
 * nothing waits, whoever asks takes new memory from its own arena. */
#ifndef TL_RECYCLED_H
#define TL_RECYCLED_H

#include <stddef.h>

typedef struct tl_free_size { /* pieces of one size, linked through their memory */
    size_t bytes;
    void *first;
} tl_free_size;

typedef struct tl_recycled {
    tl_free_size *size;
    int sizes, capacity;
    long allocations; /* requests to the system, so far */
} tl_recycled;

/* The size that a piece for so many bytes must have to be recycled. */
size_t tl_recycled_size(size_t bytes);
/* A piece for so many bytes, not zeroed; NULL if none waits. */
void *tl_recycled_take(tl_recycled *r, size_t bytes);
void tl_recycled_give(tl_recycled *r, void *memory, size_t bytes);
void tl_recycled_forget(tl_recycled *r); /* what waits has gone with the arena it came from */
void tl_recycled_free(tl_recycled *r);

#endif
