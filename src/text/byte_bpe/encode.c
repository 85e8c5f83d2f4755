/* From bytes to ids. Words repeat, so the ids of short words are cached, up to a limit. The cache changes no id. */
#include "byte_bpe.h"
#include "base/memory.h"

enum { LONGEST = 128, MOST_WORDS = 1 << 17 };

/* The caller's array. */
typedef struct output {
    int *ids;
    long room, count;
} output;

static void put(output *out, int id) {
    if (out->ids && out->count < out->room) out->ids[out->count] = id;
    out->count++;
}

/* Caches the word that was just merged into `count` pieces; without memory it is not cached. */
static void remember(tl_byte_bpe *bpe, tl_span word, size_t count) {
    if (bpe->words.count >= MOST_WORDS) tl_table_clear(&bpe->words);
    const size_t number = (size_t)bpe->words.count;
    if (!TL_RESERVE(bpe->results, bpe->results_room, number + 2)) return;
    if (number == 0) bpe->results[0] = 0;
    const size_t start = bpe->results[number];
    if (!TL_RESERVE(bpe->written, bpe->written_room, start + count)) return;
    if (tl_table_add(&bpe->words, word) < 0) return;
    for (size_t i = 0; i < count; i++) bpe->written[start + i] = bpe->pieces[i].symbol;
    bpe->results[number + 1] = start + count;
}

static bool encode_word(tl_byte_bpe *bpe, tl_span word, output *out) {
    const long known = word.size <= LONGEST ? tl_table_find(&bpe->words, word) : -1;
    if (known >= 0) {
        for (size_t i = bpe->results[known]; i < bpe->results[known + 1]; i++) put(out, bpe->written[i]);
        return true;
    }
    const size_t count = tl_byte_merge(bpe, word);
    for (size_t i = 0; i < count; i++) put(out, bpe->pieces[i].symbol);
    if (count > 0 && word.size <= LONGEST) remember(bpe, word, count);
    return count > 0;
}

static bool encode_text(tl_byte_bpe *bpe, tl_span text, output *out) {
    for (tl_span word; tl_byte_next_word(&text, &word);)
        if (!encode_word(bpe, word, out)) return false;
    return true;
}

static tl_span span_of(const char *bytes, size_t size) {
    return (tl_span){bytes ? bytes : "", bytes ? size : 0};
}

long tl_byte_bpe_encode(tl_byte_bpe *bpe, const char *bytes, size_t size, int *ids, long room) {
    output out = {ids, room, 0};
    if (tl_byte_bpe_error(bpe)) return -1;
    return encode_text(bpe, span_of(bytes, size), &out) ? out.count : -1;
}

long tl_byte_bpe_encode_special(tl_byte_bpe *bpe, const char *bytes, size_t size, int *ids, long room) {
    output out = {ids, room, 0};
    if (tl_byte_bpe_error(bpe)) return -1;
    for (tl_span rest = span_of(bytes, size); rest.size > 0;) {
        long which;
        const size_t before = tl_byte_specials_find(bpe, rest, &which);
        if (!encode_text(bpe, (tl_span){rest.text, before}, &out)) return -1;
        size_t taken = before;
        if (which >= 0) {
            put(&out, bpe->special_ids[which]);
            taken += tl_table_key(&bpe->specials, which).size;
        }
        rest = (tl_span){rest.text + taken, rest.size - taken};
    }
    return out.count;
}
