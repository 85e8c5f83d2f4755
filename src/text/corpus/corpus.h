/* Inside a corpus: all sentences in one run of bytes, each with a NUL behind it, pair after pair, source
 * before target; ids the same way once encoded. Filling either succeeds as a whole or leaves the corpus as
 * it was. */
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

    long *line; /* [pairs] where each pair was read; 0 = made, not read */
    size_t line_room;
    long reading; /* the line that the next pair comes from; readers set it */

    tl_link *links; /* true word alignments, pair after pair, where the maker of the pairs knows them */
    size_t links_used, links_room;
    size_t *link_end; /* [pairs] the links of pair i end here and begin where those of i-1 end */
    size_t link_end_room;

    bool encoded; /* the ids below are those of all pairs */
    int *ids;
    size_t ids_room;
    size_t *id_start; /* [2·pairs + 1] where the ids of sentence 2·i + side begin */
    size_t id_start_room;

    long changes; /* grows with every change, so that batches see that theirs is another corpus now */
    tl_corpus_report report;
};

/* Appends a pair; false, with the error set, when out of memory. */
bool tl_corpus_append(tl_corpus *corpus, tl_span source, tl_span target);

/* Gives links to the pair that was appended last, in the order they shall have; false, with the error set,
 * when out of memory. */
bool tl_corpus_align(tl_corpus *corpus, const tl_link *links, long count);

/* A state to go back to when filling fails half-way. */
typedef struct tl_corpus_mark {
    long pairs, changes;
    size_t text_used;
    bool encoded; /* appending leaves the ids of the pairs before where they are */
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
