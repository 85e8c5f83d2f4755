#define _DEFAULT_SOURCE /* madvise */
#include "arena.h"
#include "base/memory.h"

#if defined(__linux__)
# include <sys/mman.h>
#endif

enum { ALIGN = 64, FIRST_CHUNK = 1 << 18, LARGEST_STEP = 1 << 26, HUGE_PAGE = 1 << 21 };

/* Allocates a chunk's memory. On Linux a chunk of at least a huge page asks for huge pages: addresses are translated
 * faster, and one page fault does for 512. Zeroed memory of that size comes straight from the system, which hands out
 * zeros; nothing is written here. */
static bool chunk_memory(tl_arena_chunk *chunk, size_t size, bool zeroed) {
    size_t align = ALIGN;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (size >= HUGE_PAGE) align = HUGE_PAGE;
#endif
    chunk->allocated =
        zeroed ? calloc(size + align, 1) : aligned_alloc(align, (size + align - 1) / align * align);
    if (!chunk->allocated) return false;
    chunk->size = size;
    chunk->memory = (char *)(((uintptr_t)chunk->allocated + align - 1) / align * align);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    /* only advice: it may fail without harm */
    if (align == HUGE_PAGE) madvise(chunk->memory, size, MADV_HUGEPAGE);
#endif
    return true;
}

static bool add_chunk(tl_arena *a, size_t bytes) {
    /* doubles the memory, by LARGEST_STEP at most; from the second chunk on by a huge page at least */
    size_t size = a->reserved < FIRST_CHUNK ? FIRST_CHUNK : a->reserved;
    if (size > LARGEST_STEP) size = LARGEST_STEP;
    if (a->reserved && size < HUGE_PAGE && !a->limit) size = HUGE_PAGE;
    if (size < bytes) size = bytes;
    if (a->limit && a->reserved + size > a->limit) {
        size = bytes; /* close to the limit: only what is needed */
        if (a->reserved + size > a->limit) return false;
    }
    if (!TL_RESERVE(a->chunk, a->room, (size_t)a->chunks + 1)) return false;
    tl_arena_chunk chunk = {0};
    if (!chunk_memory(&chunk, size, a->zeroed)) return false;
    a->chunk[a->chunks++] = chunk;
    a->reserved += size;
    a->allocations++;
    return true;
}

void *tl_arena_get(tl_arena *a, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    bytes = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    int at = a->current;
    while (at < a->chunks && a->chunk[at].size - a->chunk[at].used < bytes) at++;
    if (at == a->chunks && !add_chunk(a, bytes)) return NULL;
    a->current = at;
    void *piece = a->chunk[at].memory + a->chunk[at].used;
    a->chunk[at].used += bytes;
    a->used += bytes;
    if (a->used > a->peak) a->peak = a->used;
    return piece;
}

tl_arena_mark tl_arena_mark_of(const tl_arena *a) {
    return (tl_arena_mark){a->current, a->chunks ? a->chunk[a->current].used : 0};
}

void tl_arena_release(tl_arena *a, tl_arena_mark mark) {
    for (int i = a->current; i >= mark.chunk && i < a->chunks; i--) {
        size_t keep = i == mark.chunk ? mark.used : 0;
        a->used -= a->chunk[i].used - keep;
        a->chunk[i].used = keep;
    }
    a->current = mark.chunk;
}

void tl_arena_spoil(tl_arena *a, tl_arena_mark mark) {
    for (int i = a->current; i >= mark.chunk && i < a->chunks; i--) {
        const size_t keep = i == mark.chunk ? mark.used : 0;
        memset(a->chunk[i].memory + keep, 0xff, a->chunk[i].used - keep);
    }
}

void tl_arena_reset(tl_arena *a) {
    if (a->chunks) tl_arena_release(a, (tl_arena_mark){0, 0});
}

/* The chunk that an address lies in, or NULL. */
static const tl_arena_chunk *chunk_of(const tl_arena *a, const void *p) {
    for (int i = 0; i < a->chunks; i++)
        if ((uintptr_t)p - (uintptr_t)a->chunk[i].memory < a->chunk[i].size) return &a->chunk[i];
    return NULL;
}

bool tl_arena_holds(const tl_arena *a, const void *p) {
    const tl_arena_chunk *chunk = chunk_of(a, p);
    return chunk && (size_t)((const char *)p - chunk->memory) < chunk->used;
}

bool tl_arena_forgot(const tl_arena *a, const void *p) {
    const tl_arena_chunk *chunk = chunk_of(a, p);
    return chunk && (size_t)((const char *)p - chunk->memory) >= chunk->used;
}

bool tl_arena_is_below(const tl_arena *a, tl_arena_mark mark, const void *p) {
    const tl_arena_chunk *chunk = chunk_of(a, p);
    return chunk &&
           (chunk < a->chunk + mark.chunk ||
            (chunk == a->chunk + mark.chunk && (size_t)((const char *)p - chunk->memory) < mark.used));
}

void tl_arena_free(tl_arena *a) {
    for (int i = 0; i < a->chunks; i++) free(a->chunk[i].allocated);
    free(a->chunk);
    *a = (tl_arena){.zeroed = a->zeroed};
}
