/* Applying merges: cuts words into subwords and joins them again (Sennrich, Haddow and Birch, "Neural Machine
 * Translation of Rare Words with Subword Units", 2016), as subword-nmt 0.3.8's apply_bpe.py does. A word starts as its
 * characters, neighbours are merged (merge.c), and pieces that are not known are split again (known.c). */
#include "bpe.h"
#include "base/buffer.h"
#include "base/memory.h"

/* ---- one word ---- */

/* Cuts the word into bpe->pieces, without TL_BPE_END. Returns how many there are; 0 when out of memory. */
static size_t cut(tl_bpe *bpe, tl_span word, const tl_bpe_dropout *dropout) {
    size_t count;
    if (!tl_bpe_spell(bpe, word, &count)) return 0;
    if (count == 1) { /* one character is never changed, known or not */
        bpe->pieces[0].size = word.size;
        return 1;
    }
    count += bpe->version == 1;
    count = dropout ? tl_bpe_merge_some(bpe, count, dropout) : tl_bpe_merge(bpe, count);
    if (count == 0) return 0;
    tl_piece *last = &bpe->pieces[count - 1];
    last->size -= TL_BPE_END_SIZE;
    if (last->size == 0) count--; /* version 0.1: the end was not merged with anything */
    return bpe->known_only ? tl_bpe_split_unknown(bpe, count) : count;
}

/* Appends the pieces to bpe->written, with "@@ " between them. */
static bool write_pieces(tl_bpe *bpe, size_t count) {
    const tl_piece *last = &bpe->pieces[count - 1];
    const size_t need = last->start + last->size + 3 * count;
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

/* Cuts the word with dropout; the result is not cached. */
static const char *cut_with_dropout(tl_bpe *bpe, tl_span word, const tl_bpe_dropout *dropout) {
    const size_t start = bpe->written_used, count = cut(bpe, word, dropout);
    const bool ok = count > 0 && write_pieces(bpe, count);
    bpe->written_used = start;
    return ok ? bpe->written + start : NULL;
}

/* The word as subwords, from the cache or newly cut; valid until the next call. NULL when out of memory. */
static const char *cut_word(tl_bpe *bpe, tl_span word, const tl_bpe_dropout *dropout) {
    if (dropout) return cut_with_dropout(bpe, word, dropout);
    long number = tl_table_find(&bpe->words, word);
    if (number >= 0) return bpe->written + bpe->results[number];
    size_t start = bpe->written_used, count = cut(bpe, word, NULL);
    if (count == 0 || !TL_RESERVE(bpe->results, bpe->results_room, (size_t)bpe->words.count + 1)) return NULL;
    if (!write_pieces(bpe, count) || (number = tl_table_add(&bpe->words, word)) < 0) {
        bpe->written_used = start;
        return NULL;
    }
    bpe->results[number] = start;
    return bpe->written + start;
}

/* ---- one line ---- */

/* Appends a line without its end: its words cut, one space between words, and the spaces around the line unchanged. */
static bool apply(tl_bpe *bpe, tl_span line, const tl_bpe_dropout *dropout, tl_buffer *out) {
    tl_span rest = tl_bpe_strip(line);
    const size_t before = (size_t)(rest.text - line.text), after = line.size - before - rest.size;
    bool ok = tl_buffer_add(out, line.text, before), first = true;
    for (tl_span word; ok && tl_bpe_next_word(&rest, &word); first = false) {
        const char *pieces = cut_word(bpe, word, dropout);
        ok = pieces && (first || tl_buffer_text(out, " ")) && tl_buffer_text(out, pieces);
    }
    return ok && tl_buffer_add(out, line.text + line.size - after, after);
}

static bool check_dropout(tl_bpe *bpe, const tl_bpe_dropout *d) {
    if (!d || (d->share >= 0 && d->share <= 1 && (d->share == 0 || d->uniform))) return true;
    return tl_error_set(&bpe->error,
                        "byte pairs: dropout: found a share of %g%s, expected one from 0 to 1 and a function "
                        "for random numbers",
                        d->share, d->uniform ? "" : " without a function");
}

char *tl_bpe_apply(tl_bpe *bpe, const char *line) { return tl_bpe_apply_dropout(bpe, line, NULL); }

char *tl_bpe_apply_dropout(tl_bpe *bpe, const char *line, const tl_bpe_dropout *dropout) {
    if (tl_bpe_error(bpe) || !check_dropout(bpe, dropout)) return NULL;
    if (dropout && dropout->share == 0) dropout = NULL;
    tl_buffer out = {0};
    const char *at = line ? line : "";
    bool ok = tl_buffer_add(&out, "", 0);
    while (ok && *at) { /* a CR or LF anywhere ends a line, as in tl_bpe_words_add */
        const size_t size = strcspn(at, "\r\n"), ends = strspn(at + size, "\r\n");
        ok = apply(bpe, (tl_span){at, size}, dropout, &out) && tl_buffer_add(&out, at + size, ends);
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
