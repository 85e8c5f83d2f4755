/* From the bytes of one word to ids: each byte's token first, then text/merge.c. */
#include "byte_bpe.h"
#include "base/memory.h"

static int32_t rank_of(const void *context, int32_t first, int32_t second) {
    return tl_byte_rank(context, first, second);
}

size_t tl_byte_merge(tl_byte_bpe *bpe, tl_span word) {
    if (!TL_RESERVE(bpe->pieces, bpe->pieces_room, word.size)) return 0;
    for (size_t i = 0; i < word.size; i++)
        bpe->pieces[i] =
            (tl_piece){.start = i, .size = 1, .symbol = bpe->alphabet[(unsigned char)word.text[i]]};
    return tl_merge(&bpe->merging, bpe->pieces, word.size, rank_of, bpe, bpe->joined);
}
