/* Merging one word's bytes: as long as neighbours can be merged, the pair of the lowest rank is, everywhere in the word and
 * from the left, and only then is looked what the new pieces make with their neighbours (so GPT-2's own encoder does; it
 * matters where a merge comes before those that make its parts). Pairs wait in a queue: a word of n bytes takes n log n steps. */
#include "byte_bpe.h"
#include "base/memory.h"

static const size_t none = SIZE_MAX;

/* Which pair piece i makes with the one behind it, and into the queue with it. */
static bool look(tl_byte_bpe *bpe, size_t i) {
    if (i == none) return true;
    tl_byte_piece *p = &bpe->pieces[i];
    p->rank = p->behind == none ? -1 : tl_byte_rank(bpe, p->id, bpe->pieces[p->behind].id);
    return p->rank < 0 || tl_queue_push(&bpe->queue, (tl_place){p->rank, i});
}

/* Piece i takes up the one behind it, which is nothing from then on. */
static void join(tl_byte_bpe *bpe, size_t i) {
    tl_byte_piece *p = &bpe->pieces[i], *taken = &bpe->pieces[p->behind];
    p->id = bpe->joined[p->rank];
    p->behind = taken->behind;
    p->rank = taken->rank = -1;
    if (p->behind != none) bpe->pieces[p->behind].before = i;
}

/* Everywhere the pair that comes first. A place whose piece has another pair by now is over. */
static bool merge_first(tl_byte_bpe *bpe) {
    const int32_t rank = bpe->queue.places[0].rank;
    bpe->due_used = 0;
    while (bpe->queue.used > 0 && bpe->queue.places[0].rank == rank) {
        const tl_place place = tl_queue_pop(&bpe->queue);
        if (bpe->pieces[place.at].rank != rank) continue;
        if (!TL_RESERVE(bpe->due, bpe->due_room, bpe->due_used + 1)) return false;
        join(bpe, place.at);
        bpe->due[bpe->due_used++] = place;
    }
    for (size_t k = 0; k < bpe->due_used; k++)
        if (!look(bpe, bpe->pieces[bpe->due[k].at].before) || !look(bpe, bpe->due[k].at)) return false;
    return true;
}

size_t tl_byte_merge(tl_byte_bpe *bpe, tl_span word) {
    bpe->queue.used = 0;
    if (!TL_RESERVE(bpe->pieces, bpe->pieces_room, word.size)) return 0;
    for (size_t i = 0; i < word.size; i++)
        bpe->pieces[i] = (tl_byte_piece){.id = bpe->alphabet[(unsigned char)word.text[i]],
                                         .before = i == 0 ? none : i - 1,
                                         .behind = i + 1 == word.size ? none : i + 1};
    for (size_t i = 0; i < word.size; i++)
        if (!look(bpe, i)) return 0;
    while (bpe->queue.used > 0)
        if (!merge_first(bpe)) return 0;
    size_t kept = 0;
    for (size_t i = 0, behind; i != none; i = behind) {
        behind = bpe->pieces[i].behind;
        bpe->pieces[kept++] = bpe->pieces[i];
    }
    return kept;
}
