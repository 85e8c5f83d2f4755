/* Merging the pieces of one word, with or without dropout. Without dropout text/merge.c does it. With dropout a number
 * is drawn for every pair at every merge, as in subword-nmt, so that the same random numbers give the same pieces. */
#include "bpe.h"

static int32_t pair_of(const void *context, int32_t first, int32_t second) {
    const tl_bpe *bpe = context;
    int32_t room[2];
    if (first < 0 || second < 0) return -1;
    return (int32_t)tl_table_find(&bpe->pairs, tl_bpe_pair_key(first, second, room));
}

size_t tl_bpe_merge(tl_bpe *bpe, size_t count) {
    return tl_merge(&bpe->merging, bpe->pieces, count, pair_of, bpe, bpe->merged);
}

/* ---- with dropout ---- */

/* Draws a random number for every two neighbours. Returns the first learnt of the pairs that are not ignored; -1:
 * none. */
static int32_t draw(tl_bpe *bpe, size_t count, const tl_bpe_dropout *d) {
    tl_piece *pieces = bpe->pieces;
    int32_t best = -1;
    for (size_t i = 0; i + 1 < count; i++) {
        const bool passed = !(d->uniform(d->context) > d->share);
        pieces[i].pair = passed ? -1 : pair_of(bpe, pieces[i].symbol, pieces[i + 1].symbol);
        if (pieces[i].pair >= 0 && (best < 0 || pieces[i].pair < best)) best = pieces[i].pair;
    }
    pieces[count - 1].pair = -1;
    return best;
}

size_t tl_bpe_merge_some(tl_bpe *bpe, size_t count, const tl_bpe_dropout *dropout) {
    tl_piece *pieces = bpe->pieces;
    for (int32_t best; (best = draw(bpe, count, dropout)) >= 0;) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++, kept++) {
            pieces[kept] = pieces[i];
            if (pieces[i].pair != best) continue;
            pieces[kept].size += pieces[++i].size;
            pieces[kept].symbol = bpe->merged[best];
        }
        count = kept;
    }
    return count;
}
