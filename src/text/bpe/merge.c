/* Merging one word's pieces: as long as neighbours can be merged, the pair that was learnt first is, everywhere in the word
 * and from the left: of "x x x" the first two.
 *
 * Without chance each pair waits in a queue, first learnt first, so that a word of n characters takes n log n steps: pieces
 * are a list, and only a merged piece's neighbours are looked at anew. With chance every pair is drawn for each time, as
 * subword-nmt does, so that the same random numbers give the same pieces. */
#include "bpe.h"
#include "base/memory.h"

static int32_t pair_of(const tl_bpe *bpe, int32_t first, int32_t second) {
    int32_t room[2];
    if (first < 0 || second < 0) return -1;
    return (int32_t)tl_table_find(&bpe->pairs, tl_bpe_pair_key(first, second, room));
}

/* ---- the list ---- */

static const size_t none = SIZE_MAX;

/* Which pair piece i makes with the one behind it, and into the queue with it. */
static bool look(tl_bpe *bpe, size_t i) {
    if (i == none) return true;
    tl_bpe_piece *p = &bpe->pieces[i];
    p->pair = p->behind == none ? -1 : pair_of(bpe, p->symbol, bpe->pieces[p->behind].symbol);
    return p->pair < 0 || tl_queue_push(&bpe->queue, (tl_place){p->pair, i});
}

/* Piece i takes up the one behind it, which is nothing from then on. */
static void join(tl_bpe *bpe, size_t i) {
    tl_bpe_piece *p = &bpe->pieces[i], *taken = &bpe->pieces[p->behind];
    p->symbol = bpe->merged[p->pair];
    p->size += taken->size;
    p->behind = taken->behind;
    p->pair = taken->pair = -1;
    if (p->behind != none) bpe->pieces[p->behind].before = i;
}

/* Everywhere the pair that comes first. Only then are the new neighbours looked at, as one of them may be a pair that was
 * learnt earlier. A place whose piece has another pair by now is over. */
static bool merge_first(tl_bpe *bpe) {
    const int32_t pair = bpe->queue.places[0].rank;
    bpe->due_used = 0;
    while (bpe->queue.used > 0 && bpe->queue.places[0].rank == pair) {
        const tl_place place = tl_queue_pop(&bpe->queue);
        if (bpe->pieces[place.at].pair != pair) continue;
        if (!TL_RESERVE(bpe->due, bpe->due_room, bpe->due_used + 1)) return false;
        join(bpe, place.at);
        bpe->due[bpe->due_used++] = place;
    }
    for (size_t k = 0; k < bpe->due_used; k++)
        if (!look(bpe, bpe->pieces[bpe->due[k].at].before) || !look(bpe, bpe->due[k].at)) return false;
    return true;
}

size_t tl_bpe_merge(tl_bpe *bpe, size_t count) {
    bpe->queue.used = 0;
    for (size_t i = 0; i < count; i++) {
        bpe->pieces[i].before = i == 0 ? none : i - 1;
        bpe->pieces[i].behind = i + 1 == count ? none : i + 1;
    }
    for (size_t i = 0; i < count; i++)
        if (!look(bpe, i)) return 0;
    while (bpe->queue.used > 0)
        if (!merge_first(bpe)) return 0;
    size_t kept = 0;
    for (size_t i = 0, behind; count > 0 && i != none; i = behind) {
        behind = bpe->pieces[i].behind;
        bpe->pieces[kept++] = bpe->pieces[i];
    }
    return kept;
}

/* ---- with merges left out by chance ---- */

/* Draws for each two neighbours, and gives the first learnt pair of those that are not passed over; -1: none. */
static int32_t draw(tl_bpe *bpe, size_t count, const tl_bpe_dropout *d) {
    tl_bpe_piece *pieces = bpe->pieces;
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
    tl_bpe_piece *pieces = bpe->pieces;
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
