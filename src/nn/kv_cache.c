/* Caches of keys and values, a row for each that is written. A position's heads lie side by side, as its projection makes them, so
 * that all that a row has read lies in one piece. */
#include "kv_cache.h"

#include "tapeloom/op.h"

#include <string.h>

static tl_tensor memory_for(tl_tape *tape, long rows, int heads, long capacity, long d_model) {
    return (tl_tensor){.data = tl_tape_tensor(tape, TL_SHAPE(rows, capacity, d_model)).data,
                       .rank = 4,
                       .dim = {rows, heads, capacity, d_model / heads},
                       .stride = {capacity * d_model, d_model / heads, d_model, 1}};
}

tl_kv_cache tl_kv_cache_new(tl_tape *tape, long rows, int heads, long capacity, long d_model) {
    return (tl_kv_cache){.k = memory_for(tape, rows, heads, capacity, d_model),
                         .v = memory_for(tape, rows, heads, capacity, d_model)};
}

static void copy_positions(tl_tensor cache, long to, long from, long count) {
    const size_t bytes = (size_t)(count * cache.stride[2]) * sizeof *cache.data;
    memcpy(cache.data + to * cache.stride[0], cache.data + from * cache.stride[0], bytes);
}

void tl_kv_cache_copy_row(tl_kv_cache *cache, long to, long from) {
    if (to == from) return;
    copy_positions(cache->k, to, from, cache->count);
    copy_positions(cache->v, to, from, cache->count);
}
