/* Possible merges are in a queue: the lowest rank first, ties from the left. Pieces are a linked list; after a merge
 * only the new piece's neighbours are looked up again. */
#include "merge.h"
#include "base/memory.h"

/* ---- the queue: a binary heap; no entry comes before its parent, which is at (i - 1) / 2 ---- */

static bool comes_before(tl_place a, tl_place b) { return a.rank != b.rank ? a.rank < b.rank : a.at < b.at; }

/* Returns false, with nothing changed, when out of memory. */
static bool push(tl_merging *m, tl_place place) {
    if (!TL_RESERVE(m->places, m->room, m->used + 1)) return false;
    size_t i = m->used++;
    for (; i > 0 && comes_before(place, m->places[(i - 1) / 2]); i = (i - 1) / 2)
        m->places[i] = m->places[(i - 1) / 2];
    m->places[i] = place;
    return true;
}

static tl_place pop(tl_merging *m) {
    const tl_place first = m->places[0], moved = m->places[--m->used];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->used; i = child) {
        if (child + 1 < m->used && comes_before(m->places[child + 1], m->places[child])) child++;
        if (!comes_before(m->places[child], moved)) break;
        m->places[i] = m->places[child];
    }
    m->places[i] = moved;
    return first;
}

void tl_merging_free(tl_merging *m) {
    free(m->places);
    free(m->due);
    *m = (tl_merging){0};
}

/* ---- the list ---- */

static const size_t none = SIZE_MAX;

typedef struct word {
    tl_merging *m;
    tl_piece *pieces;
    tl_pair_rank *rank;
    const void *context;
    const int32_t *joined;
} word;

/* Looks up the pair of piece i and the next piece, and puts it into the queue. */
static bool look_up(const word *w, size_t i) {
    if (i == none) return true;
    tl_piece *p = &w->pieces[i];
    p->pair = p->behind == none ? -1 : w->rank(w->context, p->symbol, w->pieces[p->behind].symbol);
    return p->pair < 0 || push(w->m, (tl_place){p->pair, i});
}

/* Joins piece i with the next one, which becomes empty. */
static void join(const word *w, size_t i) {
    tl_piece *p = &w->pieces[i], *taken = &w->pieces[p->behind];
    p->symbol = w->joined[p->pair];
    p->size += taken->size;
    p->behind = taken->behind;
    p->pair = taken->pair = -1;
    if (p->behind != none) w->pieces[p->behind].before = i;
}

/* Merges the first pair of the queue everywhere, then looks up the new neighbours. A queue entry whose piece has
 * another pair by now is ignored. */
static bool merge_first(const word *w) {
    tl_merging *m = w->m;
    const int32_t rank = m->places[0].rank;
    m->due_used = 0;
    while (m->used > 0 && m->places[0].rank == rank) {
        const tl_place place = pop(m);
        if (w->pieces[place.at].pair != rank) continue;
        if (!TL_RESERVE(m->due, m->due_room, m->due_used + 1)) return false;
        join(w, place.at);
        m->due[m->due_used++] = place;
    }
    for (size_t k = 0; k < m->due_used; k++)
        if (!look_up(w, w->pieces[m->due[k].at].before) || !look_up(w, m->due[k].at)) return false;
    return true;
}

size_t tl_merge(tl_merging *m, tl_piece *pieces, size_t count, tl_pair_rank *rank, const void *context,
                const int32_t *joined) {
    const word w = {m, pieces, rank, context, joined};
    m->used = 0;
    for (size_t i = 0; i < count; i++) {
        pieces[i].before = i == 0 ? none : i - 1;
        pieces[i].behind = i + 1 == count ? none : i + 1;
    }
    for (size_t i = 0; i < count; i++)
        if (!look_up(&w, i)) return 0;
    while (m->used > 0)
        if (!merge_first(&w)) return 0;
    size_t kept = 0;
    for (size_t i = 0, behind; count > 0 && i != none; i = behind) {
        behind = pieces[i].behind;
        pieces[kept++] = pieces[i];
    }
    return kept;
}
