/* A binary heap of pairs. Each pair knows its index in the heap, so that its count can change in place. */
#include "stats.h"
#include "bpe.h"
#include "base/memory.h"

void tl_bpe_stats_init(tl_bpe_stats *stats, const tl_table *symbols) {
    *stats = (tl_bpe_stats){.symbols = symbols, .unused_notes = -1};
}

void tl_bpe_stats_free(tl_bpe_stats *stats) {
    tl_table_free(&stats->keys);
    free(stats->pairs);
    free(stats->heap);
    free(stats->notes);
}

/* ---- the heap ---- */

static int compare_symbols(const tl_bpe_stats *stats, int32_t left, int32_t right) {
    if (left == right) return 0;
    tl_span a = tl_table_key(stats->symbols, left), b = tl_table_key(stats->symbols, right);
    int order = memcmp(a.text, b.text, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Does pair a come before pair b? Comparing UTF-8 by bytes gives the same order as Python's comparison by
 * characters. */
static bool goes_before(const tl_bpe_stats *stats, long a, long b) {
    const tl_bpe_pair *left = &stats->pairs[a], *right = &stats->pairs[b];
    if (left->count != right->count) return left->count > right->count;
    int order = compare_symbols(stats, left->first, right->first);
    return (order != 0 ? order : compare_symbols(stats, left->second, right->second)) > 0;
}

static void put(tl_bpe_stats *stats, long place, long pair) {
    stats->heap[place] = pair;
    stats->pairs[pair].place = place;
}

static void sift_up(tl_bpe_stats *stats, long place) {
    long pair = stats->heap[place];
    for (; place > 0 && goes_before(stats, pair, stats->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(stats, place, stats->heap[(place - 1) / 2]);
    put(stats, place, pair);
}

static void sift_down(tl_bpe_stats *stats, long place) {
    long pair = stats->heap[place];
    for (long child; (child = 2 * place + 1) < stats->heap_count; place = child) {
        if (child + 1 < stats->heap_count && goes_before(stats, stats->heap[child + 1], stats->heap[child]))
            child++;
        if (!goes_before(stats, stats->heap[child], pair)) break;
        put(stats, place, stats->heap[child]);
    }
    put(stats, place, pair);
}

static void order_all(tl_bpe_stats *stats) {
    for (long place = stats->heap_count / 2; place-- > 0;) sift_down(stats, place);
}

long tl_bpe_stats_best(const tl_bpe_stats *stats) { return stats->heap_count > 0 ? stats->heap[0] : -1; }

void tl_bpe_stats_zero(tl_bpe_stats *stats, long pair) {
    stats->pairs[pair].count = 0;
    sift_up(stats, stats->pairs[pair].place);
    sift_down(stats, stats->pairs[pair].place);
}

/* ---- counting ---- */

/* The pair's number; a new pair is added. -1 when out of memory. The heap has room for every pair. */
static long number_of(tl_bpe_stats *stats, int32_t first, int32_t second) {
    int32_t room[2];
    size_t need = (size_t)stats->keys.count + 1;
    if (!TL_RESERVE(stats->pairs, stats->pairs_room, need) ||
        !TL_RESERVE(stats->heap, stats->heap_room, need))
        return -1;
    long before = stats->keys.count, pair = tl_table_add(&stats->keys, tl_bpe_pair_key(first, second, room));
    if (pair == before)
        stats->pairs[pair] = (tl_bpe_pair){.first = first, .second = second, .place = -1, .notes = -1};
    return pair;
}

static bool add_note(tl_bpe_stats *stats, tl_bpe_pair *pair, int32_t word, int by) {
    long note = stats->unused_notes;
    if (note >= 0)
        stats->unused_notes = stats->notes[note].next;
    else if (TL_RESERVE(stats->notes, stats->notes_room, (size_t)stats->note_count + 1))
        note = stats->note_count++;
    else
        return false;
    stats->notes[note] = (tl_bpe_note){word, by, pair->notes};
    pair->notes = note;
    return true;
}

void tl_bpe_stats_add(tl_bpe_stats *stats, int32_t first, int32_t second, int32_t word, int by, long times) {
    long number = stats->failed ? -1 : number_of(stats, first, second);
    if (number < 0 || !add_note(stats, &stats->pairs[number], word, by)) {
        stats->failed = true;
        return;
    }
    tl_bpe_pair *pair = &stats->pairs[number];
    if (pair->place < 0) put(stats, stats->heap_count++, number);
    pair->count += by * times;
    sift_up(stats, pair->place);
    sift_down(stats, pair->place);
}

long tl_bpe_stats_take_notes(tl_bpe_stats *stats, long pair) {
    long notes = stats->pairs[pair].notes;
    stats->pairs[pair].notes = -1;
    return notes;
}

void tl_bpe_stats_give_notes(tl_bpe_stats *stats, long notes) {
    long last = notes;
    if (notes < 0) return;
    while (stats->notes[last].next >= 0) last = stats->notes[last].next;
    stats->notes[last].next = stats->unused_notes;
    stats->unused_notes = notes;
}

/* ---- setting aside ---- */

void tl_bpe_stats_keep(tl_bpe_stats *stats) {
    for (long i = 0; i < stats->keys.count; i++) stats->pairs[i].aside = stats->pairs[i].count;
}

void tl_bpe_stats_prune(tl_bpe_stats *stats, double threshold) {
    long kept = 0;
    for (long i = 0; i < stats->heap_count; i++) {
        tl_bpe_pair *pair = &stats->pairs[stats->heap[i]];
        if ((double)pair->count >= threshold) {
            put(stats, kept++, stats->heap[i]);
            continue;
        }
        /* A count below 0 is the change since the pair was set aside. Any other count is taken for the whole count, as
         * in the reference. */
        pair->aside = pair->count < 0 ? pair->aside + pair->count : pair->count;
        pair->count = 0;
        pair->place = -1;
    }
    stats->heap_count = kept;
    order_all(stats);
}

void tl_bpe_stats_restore(tl_bpe_stats *stats) {
    stats->heap_count = stats->keys.count;
    for (long i = 0; i < stats->keys.count; i++) {
        stats->pairs[i].count = stats->pairs[i].aside;
        put(stats, i, i);
    }
    order_all(stats);
}
