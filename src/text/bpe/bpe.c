/* Merges in use: words cut into subwords and put together again (Sennrich, Haddow and Birch, "Neural Machine
 * Translation of Rare Words with Subword Units", 2016), as subword-nmt 0.3.8's apply_bpe.py does. A word begins as its
 * characters; as long as neighbours can be merged, the pair that was learnt first is, everywhere in the word. */
#include "bpe.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"

tl_bpe *tl_bpe_empty(void) {
    tl_bpe *bpe = calloc(1, sizeof *bpe);
    if (bpe) bpe->version = 2;
    return bpe;
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

/* The number of the text that two symbols make; -1 when out of memory. */
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

static int32_t pair_of(const tl_bpe *bpe, int32_t first, int32_t second) {
    int32_t room[2];
    if (first < 0 || second < 0) return -1;
    return (int32_t)tl_table_find(&bpe->pairs, tl_bpe_pair_key(first, second, room));
}

/* Characters as pieces. How many there are; 0 when out of memory. */
static size_t spell(tl_bpe *bpe, tl_span word) {
    size_t count = 0, used = 0;
    if (!TL_RESERVE(bpe->spelt, bpe->spelt_room, word.size + TL_BPE_END_SIZE)) return 0;
    if (!TL_RESERVE(bpe->pieces, bpe->pieces_room, word.size + 1)) return 0;
    memcpy(bpe->spelt, word.text, word.size);
    memcpy(bpe->spelt + word.size, TL_BPE_END, TL_BPE_END_SIZE);
    while (used < word.size) {
        size_t size = tl_bpe_character((tl_span){word.text + used, word.size - used});
        bpe->pieces[count++] = (tl_bpe_piece){.start = used, .size = size};
        used += size;
    }
    if (bpe->version == 1)
        bpe->pieces[count++] = (tl_bpe_piece){.start = used, .size = TL_BPE_END_SIZE};
    else
        bpe->pieces[count - 1].size += TL_BPE_END_SIZE;
    for (size_t i = 0; i < count; i++) {
        tl_bpe_piece *piece = &bpe->pieces[i];
        piece->symbol =
            (int32_t)tl_table_find(&bpe->symbols, (tl_span){bpe->spelt + piece->start, piece->size});
    }
    return count;
}

/* Merges until no pair is known. Returns how many pieces are left. */
static size_t merge(tl_bpe *bpe, size_t count) {
    tl_bpe_piece *pieces = bpe->pieces;
    for (;;) {
        int32_t best = -1;
        for (size_t i = 0; i + 1 < count; i++) {
            pieces[i].pair = pair_of(bpe, pieces[i].symbol, pieces[i + 1].symbol);
            if (pieces[i].pair >= 0 && (best < 0 || pieces[i].pair < best)) best = pieces[i].pair;
        }
        if (best < 0) return count;
        pieces[count - 1].pair = -1;
        size_t kept = 0;
        for (size_t i = 0; i < count; i++, kept++) { /* from the left: in "x x x" the first two */
            pieces[kept] = pieces[i];
            if (pieces[i].pair != best) continue;
            pieces[kept].size += pieces[++i].size;
            pieces[kept].symbol = bpe->merged[best];
        }
        count = kept;
    }
}

/* Writes the pieces behind what is in `written`, "@@ " between them. */
static bool write_pieces(tl_bpe *bpe, size_t count) {
    tl_bpe_piece *last = &bpe->pieces[count - 1];
    last->size -= TL_BPE_END_SIZE;
    if (last->size == 0) count--; /* version 0.1, and nothing took the end up */
    size_t need = last->start + last->size + 3 * count;
    if (!TL_RESERVE(bpe->written, bpe->written_room, bpe->written_used + need)) return false;
    char *out = bpe->written + bpe->written_used;
    for (size_t i = 0; i < count; i++) {
        memcpy(out, bpe->spelt + bpe->pieces[i].start, bpe->pieces[i].size);
        out += bpe->pieces[i].size;
        if (i + 1 < count) memcpy(out, "@@ ", 3), out += 3;
    }
    *out++ = '\0';
    bpe->written_used = (size_t)(out - bpe->written);
    return true;
}

/* The word as subwords, from memory or cut now; valid until the next call. NULL when out of memory. */
static const char *cut_word(tl_bpe *bpe, tl_span word) {
    long number = tl_table_find(&bpe->words, word);
    if (number >= 0) return bpe->written + bpe->results[number];
    size_t start = bpe->written_used, count = spell(bpe, word);
    if (count == 0 || !TL_RESERVE(bpe->results, bpe->results_room, (size_t)bpe->words.count + 1)) return NULL;
    count = merge(bpe, count);
    if (!write_pieces(bpe, count) || (number = tl_table_add(&bpe->words, word)) < 0) {
        bpe->written_used = start;
        return NULL;
    }
    bpe->results[number] = start;
    return bpe->written + start;
}

/* ---- one line ---- */

/* Appends a line without its end: its words cut, one space between, and the spaces around them as they are. */
static bool apply(tl_bpe *bpe, tl_span line, tl_buffer *out) {
    tl_span rest = tl_bpe_strip(line);
    const size_t before = (size_t)(rest.text - line.text), after = line.size - before - rest.size;
    bool ok = tl_buffer_add(out, line.text, before), first = true;
    for (tl_span word; ok && tl_bpe_next_word(&rest, &word); first = false) {
        const char *cut = cut_word(bpe, word);
        ok = cut && (first || tl_buffer_text(out, " ")) && tl_buffer_text(out, cut);
    }
    return ok && tl_buffer_add(out, line.text + line.size - after, after);
}

char *tl_bpe_apply(tl_bpe *bpe, const char *line) {
    if (tl_bpe_error(bpe)) return NULL;
    tl_buffer out = {0};
    const char *at = line ? line : "";
    bool ok = tl_buffer_add(&out, "", 0);
    while (ok && *at) { /* a CR or LF ends a line wherever it stands, as it does for tl_bpe_words_add */
        const size_t size = strcspn(at, "\r\n"), ends = strspn(at + size, "\r\n");
        ok = apply(bpe, (tl_span){at, size}, &out) && tl_buffer_add(&out, at + size, ends);
        at += size + ends;
    }
    if (!ok) tl_buffer_free(&out);
    return out.text;
}

char *tl_bpe_join(const char *line) {
    tl_span rest = tl_span_of(line);
    char *text = malloc(rest.size + 1), *out = text;
    if (!text) return NULL;
    while (rest.size > 0) {
        bool mark = rest.size >= 2 && memcmp(rest.text, "@@", 2) == 0;
        size_t drop = !mark                                            ? 0
                      : rest.size == 2 || strchr("\r\n", rest.text[2]) ? 2
                      : rest.text[2] == ' '                            ? 3
                                                                       : 0;
        if (drop == 0) *out++ = rest.text[0], drop = 1;
        rest = (tl_span){rest.text + drop, rest.size - drop};
    }
    *out = '\0';
    return text;
}
