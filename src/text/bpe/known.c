/* Known pieces: those that a vocabulary has, seen often enough. Other pieces are split into the two that were merged,
 * and these again, until all are known or come from no merge, as in subword-nmt 0.3.8's check_vocab_and_split. In the
 * vocabulary, a piece inside a word ends in "@@".
 *
 * If several merges give the same text, it is split by the one that subword-nmt uses: the one whose last line in the
 * codes comes first. One difference: where codes contain parts of a literal "</w>", subword-nmt may lose letters; here
 * such a piece is not split. */
#include "bpe.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/quote.h"
#include "base/utf8.h"

/* ---- splitting ---- */

static bool is_known(const tl_bpe *bpe, const tl_piece *p) {
    return tl_table_find(p->last ? &bpe->last : &bpe->inside, (tl_span){bpe->spelt + p->start, p->size}) >= 0;
}

static bool ends_word(tl_span text) {
    return text.size >= TL_BPE_END_SIZE &&
           !memcmp(text.text + text.size - TL_BPE_END_SIZE, TL_BPE_END, TL_BPE_END_SIZE);
}

/* Splits a piece into the two that were merged. False if no merge makes it. The last piece is followed by
 * TL_BPE_END. */
static bool split(const tl_bpe *bpe, const tl_piece *p, tl_piece half[2]) {
    const tl_span text = {bpe->spelt + p->start, p->size + (p->last ? TL_BPE_END_SIZE : 0)};
    const long symbol = tl_table_find(&bpe->symbols, text);
    int32_t pair[2];
    if (symbol < 0 || bpe->parts[symbol] < 0) return false;
    memcpy(pair, tl_table_key(&bpe->pairs, bpe->parts[symbol]).text, sizeof pair);
    if (p->last && !ends_word(tl_table_key(&bpe->symbols, pair[1]))) return false;
    const size_t size = tl_table_key(&bpe->symbols, pair[0]).size;
    half[0] = (tl_piece){.start = p->start, .size = size, .last = false};
    half[1] = (tl_piece){.start = p->start + size, .size = p->size - size, .last = p->last};
    return true;
}

/* Appends the parts of one piece to bpe->split, from left to right. Merges can be nested very deeply, so open pieces
 * are in a list, not on the call stack. */
static bool split_piece(tl_bpe *bpe, tl_piece piece, size_t *used) {
    size_t waiting = 0;
    for (;;) {
        tl_piece half[2];
        if (!is_known(bpe, &piece) && split(bpe, &piece, half)) {
            if (!TL_RESERVE(bpe->open, bpe->open_room, waiting + 1)) return false;
            bpe->open[waiting++] = half[1];
            piece = half[0];
            continue;
        }
        if (!TL_RESERVE(bpe->split, bpe->split_room, *used + 1)) return false;
        bpe->split[(*used)++] = piece;
        if (waiting == 0) return true;
        piece = bpe->open[--waiting];
    }
}

size_t tl_bpe_split_unknown(tl_bpe *bpe, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        tl_piece piece = bpe->pieces[i];
        piece.last = i + 1 == count;
        if (!split_piece(bpe, piece, &used)) return 0;
    }
    if (!TL_RESERVE(bpe->pieces, bpe->pieces_room, used)) return 0;
    memcpy(bpe->pieces, bpe->split, used * sizeof *bpe->pieces);
    return used;
}

/* ---- every piece that dropout can give ---- */

static bool write_piece(const tl_bpe *bpe, const tl_piece *p, tl_buffer *out) {
    return (out->size == 0 || tl_buffer_text(out, " ")) &&
           tl_buffer_add(out, bpe->spelt + p->start, p->size) && (p->last || tl_buffer_text(out, "@@"));
}

/* Writes a piece or, if it is not known, the pieces that it is split into. */
static bool write_possible(tl_bpe *bpe, tl_piece piece, tl_buffer *out) {
    size_t used = 0;
    if (!bpe->known_only) return write_piece(bpe, &piece, out);
    if (!split_piece(bpe, piece, &used)) return false;
    for (size_t i = 0; i < used; i++)
        if (!write_piece(bpe, &bpe->split[i], out)) return false;
    return true;
}

/* Is this piece a symbol? A piece at the end of its word counts with TL_BPE_END. */
static bool is_symbol(const tl_bpe *bpe, const tl_piece *p) {
    const char *text = bpe->spelt + p->start;
    return ((!p->last || bpe->version == 1) && tl_table_find(&bpe->symbols, (tl_span){text, p->size}) >= 0) ||
           (p->last && tl_table_find(&bpe->symbols, (tl_span){text, p->size + TL_BPE_END_SIZE}) >= 0);
}

static bool add_possible(tl_bpe *bpe, tl_span word, size_t longest, tl_buffer *out) {
    size_t count;
    if (!tl_bpe_spell(bpe, word, &count)) return false;
    if (count == 1) return write_piece(bpe, &(tl_piece){.size = word.size, .last = true}, out);
    for (size_t first = 0; first < count; first++)
        for (size_t last = first; last < count; last++) {
            const size_t start = bpe->pieces[first].start,
                         end = last + 1 < count ? bpe->pieces[last + 1].start : word.size;
            const tl_piece p = {.start = start, .size = end - start, .last = last + 1 == count};
            if (p.size > longest && last > first) break;
            if ((first == last || is_symbol(bpe, &p)) && !write_possible(bpe, p, out)) return false;
        }
    return true;
}

char *tl_bpe_possible(tl_bpe *bpe, const char *line) {
    if (tl_bpe_error(bpe)) return NULL;
    tl_buffer out = {0};
    size_t longest = 0;
    for (long i = 0; i < bpe->symbols.count; i++) {
        const size_t size = tl_table_key(&bpe->symbols, i).size;
        if (size > longest) longest = size;
    }
    bool ok = tl_buffer_add(&out, "", 0);
    for (const char *at = line ? line : ""; ok && *at;) {
        const size_t size = strcspn(at, "\r\n");
        tl_span rest = {at, size};
        for (tl_span word; ok && tl_bpe_next_word(&rest, &word);) ok = add_possible(bpe, word, longest, &out);
        at += size + strspn(at + size, "\r\n");
    }
    if (!ok) tl_buffer_free(&out);
    return out.text;
}

/* ---- which pieces are known ---- */

static bool out_of_memory(tl_bpe *bpe) {
    return tl_error_set(&bpe->error, "byte pairs: out of memory for a vocabulary: give a shorter one");
}

/* Finds the pair that each symbol is split into: of several merges the one whose last line comes first. */
static bool find_parts(tl_bpe *bpe) {
    const long symbols = bpe->symbols.count, pairs = bpe->pairs.count;
    bool *seen = calloc((size_t)pairs + 1, sizeof *seen);
    bpe->parts = malloc(((size_t)symbols + 1) * sizeof *bpe->parts);
    for (long i = 0; bpe->parts && i < symbols; i++) bpe->parts[i] = -1;
    for (long i = bpe->merge_count; seen && bpe->parts && i-- > 0;) {
        const int32_t pair = bpe->merges[i];
        if (!seen[pair]) bpe->parts[bpe->merged[pair]] = pair;
        seen[pair] = true;
    }
    const bool ok = seen && bpe->parts;
    free(seen);
    return ok || out_of_memory(bpe);
}

static bool add_known(tl_bpe *bpe, tl_span word) {
    const bool goes_on = word.size >= 2 && !memcmp(word.text + word.size - 2, "@@", 2);
    return (tl_table_add(&bpe->last, word) >= 0 &&
            (!goes_on || tl_table_add(&bpe->inside, (tl_span){word.text, word.size - 2}) >= 0)) ||
           out_of_memory(bpe);
}

static bool parse_count(tl_span text, long *count) {
    *count = 0;
    for (size_t i = 0; i < text.size; i++) {
        const int digit = text.text[i] - '0';
        if (digit < 0 || digit > 9) return false;
        if (*count <= INT32_MAX) *count = 10 * *count + digit; /* larger counts need not be exact */
    }
    return text.size > 0;
}

static bool read_line(tl_bpe *bpe, const char *name, long number, tl_span line, long threshold) {
    char quoted[TL_QUOTED];
    const tl_span entry = tl_bpe_strip(line);
    const char *space = entry.size > 0 ? memchr(entry.text, ' ', entry.size) : NULL;
    long count;
    if (space) {
        const tl_span word = {entry.text, (size_t)(space - entry.text)};
        if (tl_first_bad(word) == word.size &&
            parse_count((tl_span){space + 1, entry.size - word.size - 1}, &count))
            return count < threshold || add_known(bpe, word);
    }
    return tl_bad_line(&bpe->error, name, number, "give the list that bpe vocab wrote of text that was cut",
                       "found %s, expected a word, a space and a count",
                       tl_quote(line.text, line.size, quoted));
}

bool tl_bpe_set_vocabulary(tl_bpe *bpe, const char *name, const char *bytes, size_t size, long threshold) {
    if (tl_bpe_error(bpe)) return false;
    tl_bpe_forget_known(bpe);
    if (!bytes) return true;
    if (!name) name = "(vocabulary)";
    if (threshold < 0)
        return tl_error_set(&bpe->error, "%s: found a threshold of %ld, expected 0 or more", name, threshold);
    const size_t mark = tl_utf8_mark(bytes, size);
    tl_span rest = {bytes + mark, size - mark}, line;
    for (long number = 1; tl_next_line(&rest, &line); number++)
        if (!read_line(bpe, name, number, line, threshold)) return false;
    if (bpe->last.count == 0)
        return tl_error_set(
            &bpe->error,
            "%s: found no piece that is seen %ld times, so that nothing would be known: lower "
            "the threshold, or give the list that bpe vocab wrote",
            name, threshold > 0 ? threshold : 1);
    bpe->known_only = find_parts(bpe);
    return bpe->known_only;
}
