/* Caches of keys and values, with a row for each hypothesis.
 *
 * Values lie as the projection makes them: a position's heads side by side. Keys lie by columns: each column of a head
 * is contiguous over the positions. The product of one query with all keys reads them in that layout; from any other it
 * would have to transpose them at every step. Each column takes whole cache lines, so that the kernels can read whole
 * vectors. */
#include "kv_cache.h"

#include "tapeloom/op.h"
#include "tensor/kernels/kernels.h"
#include "tensor/product.h"

#include <string.h>

static tl_tensor memory_for(tl_tape *tape, const tl_attention_layer *layer, long rows, long capacity,
                            bool by_column) {
    const long d = layer->d_k, heads = layer->heads, wide = heads * d;
    const long room = by_column ? tl_whole_lines(capacity) : capacity;
    return (tl_tensor){
        .data = tl_tape_tensor(tape, TL_SHAPE(rows, room, wide)).data,
        .rank = 4,
        .dim = {rows, heads, capacity, d},
        .stride = {room * wide, by_column ? d * room : d, by_column ? 1 : wide, by_column ? room : 1}};
}

tl_kv_cache tl_kv_cache_new(tl_tape *tape, const tl_attention_layer *layer, long rows, long capacity) {
    if (layer->heads < 1) return (tl_kv_cache){.count = 0};
    return (tl_kv_cache){.k = memory_for(tape, layer, rows, capacity, true),
                         .v = memory_for(tape, layer, rows, capacity, false)};
}

void tl_kv_cache_transpose(tl_tape *tape, tl_kv_cache *cache) {
    const tl_tensor k = cache->k;
    const long rows = k.dim[0], heads = k.dim[1], keys = k.dim[2], d = k.dim[3], room = tl_whole_lines(keys);
    tl_real *to = tl_tape_tensor(tape, TL_SHAPE(rows, heads, d, room)).data;
    if (!to || k.stride[3] != 1) return;
    for (long i = 0; i < rows * heads; i++)
        tl_kernels_pick()->product->pack_b(to + i * d * room, room,
                                           k.data + i / heads * k.stride[0] + i % heads * k.stride[1],
                                           k.stride[2], 1, keys, d);
    cache->k = (tl_tensor){.data = to,
                           .rank = 4,
                           .dim = {rows, heads, keys, d},
                           .stride = {heads * d * room, d * room, 1, room}};
}

/* Copies positions 0 … count-1 of a row: one contiguous piece, or a piece per column. */
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
