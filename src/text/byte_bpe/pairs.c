/* Counts of pairs. Invariant: the heap contains exactly the pairs with a count other than 0, and has room for all
 * pairs. */
#include "pairs.h"
#include "byte_bpe.h"
#include "base/memory.h"

void tl_pairs_init(tl_pairs *pairs) { *pairs = (tl_pairs){.unused_notes = -1}; }

void tl_pairs_free(tl_pairs *pairs) {
    tl_table_free(&pairs->keys);
    free(pairs->pairs);
    free(pairs->heap);
    free(pairs->notes);
    free(pairs->places);
}

/* ---- the heap ---- */

static bool goes_before(const tl_pairs *pairs, long a, long b) {
    const tl_counted_pair *left = &pairs->pairs[a], *right = &pairs->pairs[b];
    if (left->count != right->count) return left->count > right->count;
    return left->first != right->first ? left->first < right->first : left->second < right->second;
}

static void put(tl_pairs *pairs, long place, long pair) {
    pairs->heap[place] = pair;
    pairs->pairs[pair].place = place;
}

/* Moves the pair at an index of the heap to its right place. */
static void sift(tl_pairs *pairs, long place) {
    const long pair = pairs->heap[place];
    for (; place > 0 && goes_before(pairs, pair, pairs->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(pairs, place, pairs->heap[(place - 1) / 2]);
    for (long child; (child = 2 * place + 1) < pairs->heap_count; place = child) {
        if (child + 1 < pairs->heap_count && goes_before(pairs, pairs->heap[child + 1], pairs->heap[child]))
            child++;
        if (!goes_before(pairs, pairs->heap[child], pair)) break;
        put(pairs, place, pairs->heap[child]);
    }
    put(pairs, place, pair);
}

static void take_out(tl_pairs *pairs, long pair) {
    const long place = pairs->pairs[pair].place, last = pairs->heap[--pairs->heap_count];
    pairs->pairs[pair].place = -1;
    if (last == pair) return;
    put(pairs, place, last);
    sift(pairs, place);
}

long tl_pairs_best(const tl_pairs *pairs) { return pairs->heap_count > 0 ? pairs->heap[0] : -1; }

/* ---- counting ---- */

/* The pair's number; a new pair is added. -1 when out of memory. */
static long number_of(tl_pairs *pairs, int first, int second) {
    int room[2];
    const size_t need = (size_t)pairs->keys.count + 1;
    if (!TL_RESERVE(pairs->pairs, pairs->pairs_room, need) ||
        !TL_RESERVE(pairs->heap, pairs->heap_room, need))
        return -1;
    const long before = pairs->keys.count,
               pair = tl_table_add(&pairs->keys, tl_byte_pair_key(first, second, room));
    if (pair == before)
        pairs->pairs[pair] = (tl_counted_pair){.first = first, .second = second, .place = -1, .notes = -1};
    return pair;
}

static bool add_note(tl_pairs *pairs, tl_counted_pair *pair, int32_t at) {
    long note = pairs->unused_notes;
    if (note >= 0)
        pairs->unused_notes = pairs->notes[note].next;
    else if (TL_RESERVE(pairs->notes, pairs->notes_room, (size_t)pairs->note_count + 1))
        note = pairs->note_count++;
    else
        return false;
    pairs->notes[note] = (tl_pair_note){at, pair->notes};
    pair->notes = note;
    return true;
}

void tl_pairs_come(tl_pairs *pairs, int first, int second, int32_t at, long times) {
    const long number = pairs->failed ? -1 : number_of(pairs, first, second);
    if (number < 0 || !add_note(pairs, &pairs->pairs[number], at)) {
        pairs->failed = true;
        return;
    }
    tl_counted_pair *pair = &pairs->pairs[number];
    if (pair->place < 0) put(pairs, pairs->heap_count++, number);
    pair->count += times;
    sift(pairs, pair->place);
}

void tl_pairs_go(tl_pairs *pairs, int first, int second, long times) {
    int room[2];
    const long number = tl_table_find(&pairs->keys, tl_byte_pair_key(first, second, room));
    if (pairs->failed || number < 0) return;
    tl_counted_pair *pair = &pairs->pairs[number];
    pair->count -= times;
    if (pair->count == 0)
        take_out(pairs, number);
    else
        sift(pairs, pair->place);
}

static int from_the_left(const void *left, const void *right) {
    const int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

const int32_t *tl_pairs_places(tl_pairs *pairs, long pair, size_t *count) {
    *count = 0;
    for (long note = pairs->pairs[pair].notes, next; note >= 0; note = next) {
        if (!TL_RESERVE(pairs->places, pairs->places_room, *count + 1)) {
            pairs->failed = true;
            break;
        }
        pairs->places[(*count)++] = pairs->notes[note].at;
        next = pairs->notes[note].next;
        pairs->notes[note].next = pairs->unused_notes;
        pairs->unused_notes = note;
        pairs->pairs[pair].notes = next;
    }
    if (*count > 0) qsort(pairs->places, *count, sizeof *pairs->places, from_the_left);
    return pairs->places;
}
