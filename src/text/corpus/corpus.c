/* A corpus in memory: appending pairs, returning sentences, encoding them. The functions that fill a corpus are in
 * tsv.c, lines.c, parallel.c, toy.c, ../grammar and ../pictures. */
#include "corpus.h"
#include "base/memory.h"

tl_corpus *tl_corpus_new(void) { return calloc(1, sizeof(tl_corpus)); }

void tl_corpus_free(tl_corpus *corpus) {
    if (!corpus) return;
    free(corpus->text);
    free(corpus->start);
    free(corpus->line);
    free(corpus->links);
    free(corpus->link_end);
    free(corpus->ids);
    free(corpus->id_start);
    free(corpus);
}

const char *tl_corpus_error(const tl_corpus *corpus) {
    if (!corpus) return "corpus: out of memory";
    return tl_failed(&corpus->error) ? corpus->error.message : NULL;
}

long tl_corpus_size(const tl_corpus *corpus) { return corpus ? corpus->pairs : 0; }

const tl_corpus_report *tl_corpus_last_report(const tl_corpus *corpus) {
    static const tl_corpus_report none = {0};
    return corpus ? &corpus->report : &none;
}

static void copy_sentence(tl_corpus *corpus, long number, tl_span sentence) {
    corpus->start[number] = corpus->text_used;
    if (sentence.size > 0) memcpy(corpus->text + corpus->text_used, sentence.text, sentence.size);
    corpus->text[corpus->text_used + sentence.size] = '\0';
    corpus->text_used += sentence.size + 1;
}

bool tl_corpus_append(tl_corpus *corpus, tl_span source, tl_span target) {
    size_t bytes = corpus->text_used + source.size + target.size + 2;
    if (!TL_RESERVE(corpus->text, corpus->text_room, bytes) ||
        !TL_RESERVE(corpus->start, corpus->start_room, 2 * (size_t)corpus->pairs + 2) ||
        !TL_RESERVE(corpus->line, corpus->line_room, (size_t)corpus->pairs + 1) ||
        !TL_RESERVE(corpus->link_end, corpus->link_end_room, (size_t)corpus->pairs + 1))
        return tl_error_set(&corpus->error, "corpus: out of memory after %ld pairs: use fewer sentences",
                            corpus->pairs);
    copy_sentence(corpus, 2 * corpus->pairs, source);
    copy_sentence(corpus, 2 * corpus->pairs + 1, target);
    corpus->line[corpus->pairs] = corpus->reading;
    corpus->reading = 0;
    corpus->link_end[corpus->pairs] = corpus->links_used;
    corpus->pairs++;
    corpus->encoded = false;
    corpus->changes++;
    return true;
}

bool tl_corpus_align(tl_corpus *corpus, const tl_link *links, long count) {
    if (!TL_RESERVE(corpus->links, corpus->links_room, corpus->links_used + (size_t)count))
        return tl_error_set(&corpus->error,
                            "corpus: out of memory for the alignment of pair %ld: use fewer sentences",
                            corpus->pairs - 1);
    if (count > 0) memcpy(corpus->links + corpus->links_used, links, (size_t)count * sizeof *links);
    corpus->links_used += (size_t)count;
    corpus->link_end[corpus->pairs - 1] = corpus->links_used;
    return true;
}

bool tl_corpus_add(tl_corpus *corpus, const char *source, const char *target) {
    if (tl_corpus_error(corpus)) return false;
    return tl_corpus_append(corpus, tl_span_of(source), tl_span_of(target));
}

static bool inside(const tl_corpus *corpus, tl_side side, long i) {
    return corpus && i >= 0 && i < corpus->pairs && (side == TL_SOURCE || side == TL_TARGET);
}

const char *tl_corpus_sentence(const tl_corpus *corpus, tl_side side, long i) {
    return inside(corpus, side, i) ? corpus->text + corpus->start[2 * i + (long)side] : "";
}

long tl_corpus_line(const tl_corpus *corpus, long i) {
    return inside(corpus, TL_SOURCE, i) ? corpus->line[i] : 0;
}

const tl_link *tl_corpus_alignment(const tl_corpus *corpus, long i, long *count) {
    if (count) *count = 0;
    if (!inside(corpus, TL_SOURCE, i)) return NULL;
    const size_t start = i > 0 ? corpus->link_end[i - 1] : 0, links = corpus->link_end[i] - start;
    if (count) *count = (long)links;
    return links > 0 ? corpus->links + start : NULL;
}

/* Moves pair i to index `to` ≤ i. *links is where the links of the pairs before `to` end. */
static void move_pair(tl_corpus *corpus, long i, long to, size_t links_begin, size_t *links) {
    size_t count = corpus->link_end[i] - links_begin;
    corpus->start[2 * to] = corpus->start[2 * i];
    corpus->start[2 * to + 1] = corpus->start[2 * i + 1];
    corpus->line[to] = corpus->line[i];
    if (count) memmove(corpus->links + *links, corpus->links + links_begin, count * sizeof *corpus->links);
    *links += count;
    corpus->link_end[to] = *links;
}

bool tl_corpus_keep(tl_corpus *corpus, const bool *keep) {
    if (tl_corpus_error(corpus)) return false;
    if (!keep && corpus->pairs > 0)
        return tl_error_set(&corpus->error,
                            "corpus: it is not said which of the %ld pairs to keep (NULL): give an array",
                            corpus->pairs);
    long kept = 0;
    size_t links = 0, begin = 0;
    for (long i = 0; i < corpus->pairs; i++) {
        size_t end = corpus->link_end[i];
        if (keep[i]) move_pair(corpus, i, kept++, begin, &links);
        begin = end;
    }
    corpus->pairs = kept;
    corpus->links_used = links;
    corpus->encoded = false;
    corpus->changes++;
    return true;
}

bool tl_corpus_count(const tl_corpus *corpus, tl_side side, tl_vocab_counts *counts) {
    if (tl_corpus_error(corpus) || !counts || (side != TL_SOURCE && side != TL_TARGET)) return false;
    for (long i = 0; i < corpus->pairs; i++)
        if (!tl_vocab_counts_add(counts, tl_corpus_sentence(corpus, side, i))) return false;
    return true;
}

/* Writes the ids of every sentence; with ids NULL only computes where each sentence's ids begin. */
static void encode_all(tl_corpus *corpus, const tl_vocab *const vocab[2], int *ids) {
    size_t used = 0;
    for (long i = 0; i < corpus->pairs; i++)
        for (int side = 0; side < 2; side++) {
            const char *sentence = tl_corpus_sentence(corpus, (tl_side)side, i);
            size_t end = corpus->id_start[2 * i + side + 1];
            if (ids)
                tl_vocab_encode(vocab[side], sentence, ids + used, (long)(end - used));
            else
                end = used + (size_t)tl_count_tokens(tl_span_of(sentence));
            corpus->id_start[2 * i + side + 1] = end;
            used = end;
        }
}

bool tl_corpus_encode(tl_corpus *corpus, const tl_vocab *source, const tl_vocab *target) {
    const tl_vocab *const vocab[2] = {source, target};
    if (tl_corpus_error(corpus)) return false;
    for (int side = 0; side < 2; side++)
        if (tl_vocab_error(vocab[side]))
            return tl_error_set(&corpus->error, "%s", tl_vocab_error(vocab[side]));
    size_t ends = 2 * (size_t)corpus->pairs + 1;
    corpus->encoded = false;
    corpus->changes++;
    bool ok = TL_RESERVE(corpus->id_start, corpus->id_start_room, ends);
    if (ok) {
        corpus->id_start[0] = 0;
        encode_all(corpus, vocab, NULL);
        ok = TL_RESERVE(corpus->ids, corpus->ids_room, corpus->id_start[ends - 1] + 1);
    }
    if (!ok)
        return tl_error_set(&corpus->error,
                            "corpus: out of memory for the ids of %ld pairs: use fewer sentences",
                            corpus->pairs);
    encode_all(corpus, vocab, corpus->ids);
    corpus->encoded = true;
    return true;
}

const int *tl_corpus_ids(const tl_corpus *corpus, tl_side side, long i, long *count) {
    if (count) *count = 0;
    if (!inside(corpus, side, i) || !corpus->encoded) return NULL;
    const size_t *start = &corpus->id_start[2 * i + (long)side];
    if (count) *count = (long)(start[1] - start[0]);
    return corpus->ids + start[0];
}
