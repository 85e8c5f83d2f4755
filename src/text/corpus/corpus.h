/* Inside a corpus. All sentences are in one block of bytes, each with a NUL after it, pair after pair, source before
 * target. Ids are in one block in the same order. A function that fills either succeeds as a whole or leaves the corpus
 * unchanged. */
#ifndef TL_TEXT_CORPUS_H
#define TL_TEXT_CORPUS_H

#include "tapeloom/text.h"
#include "text/scan.h"

struct tl_corpus {
    tl_error error;
    long pairs;
    char *text;
    size_t text_used, text_room;
    size_t *start; /* [2·pairs] where sentence 2·i + side begins in text */
    size_t start_room;

    long *line; /* [pairs] the line that each pair was read from; 0: generated or added */
    size_t line_room;
    long reading; /* the line of the next pair; set by readers */

    tl_link *links; /* true word alignments, pair after pair, of generated pairs */
    size_t links_used, links_room;
    size_t *link_end; /* [pairs] where the links of pair i end; they begin where those of pair i-1 end */
    size_t link_end_room;

    bool encoded; /* the ids below are those of all pairs */
    int *ids;
    size_t ids_room;
    size_t *id_start; /* [2·pairs + 1] where the ids of sentence 2·i + side begin */
    size_t id_start_room;

    long changes; /* counts changes, so that batches can detect that their corpus has changed */
    tl_corpus_report report;
};

/* Appends a pair. Returns false, with the error set, when out of memory. */
bool tl_corpus_append(tl_corpus *corpus, tl_span source, tl_span target);

/* Gives links to the last pair, in their final order. Returns false, with the error set, when out of memory. */
bool tl_corpus_align(tl_corpus *corpus, const tl_link *links, long count);

/* A state to return to if filling fails. */
typedef struct tl_corpus_mark {
    long pairs, changes;
    size_t text_used;
    bool encoded; /* appending does not move the ids of earlier pairs */
} tl_corpus_mark;

static inline tl_corpus_mark tl_corpus_mark_here(const tl_corpus *corpus) {
    return (tl_corpus_mark){corpus->pairs, corpus->changes, corpus->text_used, corpus->encoded};
}

static inline void tl_corpus_back_to(tl_corpus *corpus, tl_corpus_mark mark) {
    corpus->pairs = mark.pairs;
    corpus->changes = mark.changes;
    corpus->text_used = mark.text_used;
    corpus->encoded = mark.encoded;
    corpus->links_used = mark.pairs > 0 ? corpus->link_end[mark.pairs - 1] : 0;
}

#endif
