/* The merges of a byte-pair encoding over numbered symbols, and splitting a word into its characters. */
#include "bpe.h"
#include "base/memory.h"
#include "base/utf8.h"

tl_bpe *tl_bpe_empty(void) {
    tl_bpe *bpe = calloc(1, sizeof *bpe);
    if (bpe) bpe->version = 2;
    return bpe;
}

void tl_bpe_forget_known(tl_bpe *bpe) {
    tl_table_free(&bpe->inside);
    tl_table_free(&bpe->last);
    free(bpe->parts);
    bpe->parts = NULL;
    bpe->known_only = false;
    tl_table_clear(&bpe->words); /* they were cut by other rules */
    bpe->written_used = 0;
}

void tl_bpe_free(tl_bpe *bpe) {
    if (!bpe) return;
    tl_table_free(&bpe->symbols);
    tl_table_free(&bpe->pairs);
    tl_table_free(&bpe->words);
    free(bpe->merged);
    free(bpe->merges);
    free(bpe->results);
    free(bpe->written);
    free(bpe->spelt);
    free(bpe->pieces);
    tl_merging_free(&bpe->merging);
    tl_bpe_forget_known(bpe);
    free(bpe->split);
    free(bpe->open);
    free(bpe);
}

const char *tl_bpe_error(const tl_bpe *bpe) {
    if (!bpe) return "byte pairs: out of memory";
    return tl_failed(&bpe->error) ? bpe->error.message : NULL;
}

long tl_bpe_merges(const tl_bpe *bpe) { return bpe && !tl_failed(&bpe->error) ? bpe->merge_count : 0; }

/* ---- lines, words, characters ---- */

static bool is_edge(char c) { return c == ' ' || c == '\r' || c == '\n'; }

tl_span tl_bpe_strip(tl_span line) {
    while (line.size > 0 && is_edge(line.text[0])) line.text++, line.size--;
    while (line.size > 0 && is_edge(line.text[line.size - 1])) line.size--;
    return line;
}

bool tl_bpe_next_word(tl_span *rest, tl_span *word) {
    while (rest->size > 0 && rest->text[0] == ' ') rest->text++, rest->size--;
    if (rest->size == 0) return false;
    const char *end = memchr(rest->text, ' ', rest->size);
    *word = (tl_span){rest->text, end ? (size_t)(end - rest->text) : rest->size};
    *rest = (tl_span){rest->text + word->size, rest->size - word->size};
    return true;
}

size_t tl_bpe_character(tl_span text) {
    uint32_t code;
    size_t length = tl_utf8_read(text.text, text.size, &code);
    return length > 0 ? length : 1;
}

/* ---- merges ---- */

tl_span tl_bpe_pair_key(int32_t first, int32_t second, int32_t room[2]) {
    room[0] = first, room[1] = second;
    return (tl_span){(const char *)room, 2 * sizeof *room};
}

/* The symbol for the joined text of two symbols; -1 when out of memory. */
static long add_joined(tl_table *symbols, tl_span first, tl_span second) {
    char *text = malloc(first.size + second.size + 1);
    if (!text) return -1;
    memcpy(text, first.text, first.size);
    memcpy(text + first.size, second.text, second.size);
    long number = tl_table_add(symbols, (tl_span){text, first.size + second.size});
    free(text);
    return number;
}

bool tl_bpe_add_merge(tl_bpe *bpe, tl_span first, tl_span second) {
    int32_t room[2];
    long left = tl_table_add(&bpe->symbols, first), right = tl_table_add(&bpe->symbols, second);
    long joined = add_joined(&bpe->symbols, first, second), pair = -1;
    if (left >= 0 && right >= 0 && joined >= 0 &&
        TL_RESERVE(bpe->merges, bpe->merges_room, (size_t)bpe->merge_count + 1) &&
        TL_RESERVE(bpe->merged, bpe->merged_room, (size_t)bpe->pairs.count + 1))
        pair = tl_table_add(&bpe->pairs, tl_bpe_pair_key((int32_t)left, (int32_t)right, room));
    if (pair < 0)
        return tl_error_set(&bpe->error, "byte pairs: out of memory with %ld merges", bpe->merge_count);
    bpe->merged[pair] = (int32_t)joined;
    bpe->merges[bpe->merge_count++] = (int32_t)pair;
    return true;
}

/* ---- one word ---- */

bool tl_bpe_spell(tl_bpe *bpe, tl_span word, size_t *count) {
    size_t used = 0, n = 0;
    if (!TL_RESERVE(bpe->spelt, bpe->spelt_room, word.size + TL_BPE_END_SIZE)) return false;
    if (!TL_RESERVE(bpe->pieces, bpe->pieces_room, word.size + 1)) return false;
    memcpy(bpe->spelt, word.text, word.size);
    memcpy(bpe->spelt + word.size, TL_BPE_END, TL_BPE_END_SIZE);
    for (; used < word.size; used += bpe->pieces[n++].size)
        bpe->pieces[n] = (tl_piece){.start = used,
                                    .size = tl_bpe_character((tl_span){word.text + used, word.size - used})};
    if (bpe->version == 1)
        bpe->pieces[n] = (tl_piece){.start = used, .size = TL_BPE_END_SIZE};
    else
        bpe->pieces[n - 1].size += TL_BPE_END_SIZE;
    *count = n;
    for (size_t i = 0; i < n + (bpe->version == 1); i++) {
        tl_piece *piece = &bpe->pieces[i];
        piece->symbol =
            (int32_t)tl_table_find(&bpe->symbols, (tl_span){bpe->spelt + piece->start, piece->size});
    }
    return true;
}
