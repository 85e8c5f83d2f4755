/* Caches of keys and values, a row for each that is written.
 *
 * Values lie as their projection makes them, a position's heads side by side. Of keys each column of a head lies in one piece, from
 * position to position: so a product of one query with all keys reads them as they lie, where it would have to turn them round first,
 * anew at every step. */
#include "kv_cache.h"

#include "tapeloom/op.h"

#include <string.h>

static tl_tensor memory_for(tl_tape *tape, const tl_attention *layer, long rows, long capacity,
                            bool by_column) {
    const long d = layer->d_k, heads = layer->heads, wide = heads * d;
    return (tl_tensor){.data = tl_tape_tensor(tape, TL_SHAPE(rows, capacity, wide)).data,
                       .rank = 4,
                       .dim = {rows, heads, capacity, d},
                       .stride = {capacity * wide, by_column ? d * capacity : d, by_column ? 1 : wide,
                                  by_column ? capacity : 1}};
}

tl_kv_cache tl_kv_cache_new(tl_tape *tape, const tl_attention *layer, long rows, long capacity) {
    if (layer->heads < 1) return (tl_kv_cache){.count = 0};
    return (tl_kv_cache){.k = memory_for(tape, layer, rows, capacity, true),
                         .v = memory_for(tape, layer, rows, capacity, false)};
}

/* Positions 0 … count-1: in one piece, or of each column. */
static void copy_positions(tl_tensor cache, long to, long from, long count) {
    const bool by_column = cache.stride[2] == 1;
    const long pieces = by_column ? cache.dim[1] * cache.dim[3] : 1, step = cache.stride[3];
    const size_t bytes = (size_t)(count * cache.stride[2]) * sizeof *cache.data;
    for (long i = 0; i < pieces; i++)
        memcpy(cache.data + to * cache.stride[0] + i * step, cache.data + from * cache.stride[0] + i * step,
               bytes);
}

void tl_kv_cache_copy_row(tl_kv_cache *cache, long to, long from) {
    if (to == from || !cache->v.data) return;
    copy_positions(cache->k, to, from, cache->count);
    copy_positions(cache->v, to, from, cache->count);
}
