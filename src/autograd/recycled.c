/* Recycled memory by size. A step has few sizes, so the list of sizes is searched from its beginning. */
#include "recycled.h"
#include "base/memory.h"

size_t tl_recycled_size(size_t bytes) { return bytes < 64 ? 64 : (bytes + 63) / 64 * 64; }

static tl_free_size *find_size(tl_recycled *r, size_t bytes) {
    for (int i = 0; i < r->sizes; i++)
        if (r->size[i].bytes == bytes) return &r->size[i];
    return NULL;
}

void *tl_recycled_take(tl_recycled *r, size_t bytes) {
    tl_free_size *f = find_size(r, tl_recycled_size(bytes));
    if (!f || !f->first) return NULL;
    void *memory = f->first;
    memcpy(&f->first, memory, sizeof f->first);
    return memory;
}

void tl_recycled_give(tl_recycled *r, void *memory, size_t bytes) {
    bytes = tl_recycled_size(bytes);
    tl_free_size *f = find_size(r, bytes);
    if (!f) {
        const size_t before = r->room;
        /* if it fails, this memory is used again only after the reset */
        if (!TL_RESERVE(r->size, r->room, (size_t)r->sizes + 1)) return;
        r->allocations += r->room > before;
        f = &r->size[r->sizes++];
        *f = (tl_free_size){.bytes = bytes};
    }
    memcpy(memory, &f->first, sizeof f->first);
    f->first = memory;
}

/* Forgets the sizes too: otherwise a long run over many shapes would search an ever longer list. */
void tl_recycled_forget(tl_recycled *r) { r->sizes = 0; }

void tl_recycled_keep(tl_recycled *r, const tl_arena *arena, tl_arena_mark mark) {
    int left = 0;
    for (int i = 0; i < r->sizes; i++) {
        tl_free_size kept = {.bytes = r->size[i].bytes};
        for (void *memory = r->size[i].first, *next; memory; memory = next) {
            memcpy(&next, memory, sizeof next);
            if (!tl_arena_is_below(arena, mark, memory)) continue;
            memcpy(memory, &kept.first, sizeof kept.first);
            kept.first = memory;
        }
        if (kept.first) r->size[left++] = kept;
    }
    r->sizes = left;
}

void tl_recycled_free(tl_recycled *r) {
    free(r->size);
    *r = (tl_recycled){0};
}
