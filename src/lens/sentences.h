/* One sentence on its way from text to a batch: reading it by its program (sentence_kinds.c), and memory. */
#ifndef TL_LENS_SENTENCES_H
#define TL_LENS_SENTENCES_H

#include "lens.h"

typedef struct tl_sentence_ids {
    int *src, *in, *out;   /* the encoder's input; the decoder's input and targets */
    long src_count, count; /* of src; of in and out */
    int label;
    tl_tensor picture; /* [patches,numbers], without data if there is none */
} tl_sentence_ids;

/* Reads one sentence as the run's program does; target NULL: the model writes it. False, and the run's error, on
 * failure. */
bool tl_sentence_read(tl_run *run, tl_sentences *all, const char *source, const char *target,
                      tl_sentence *sentence, tl_sentence_ids *ids);
/* The text of an id that the run's model writes; NULL: no such id. Valid as long as the sentences. */
const char *tl_sentence_token(tl_sentences *all, int id);
int tl_sentence_pad(const tl_run *run); /* the id that fills up rows */

/* Zeroed memory, valid as long as the sentences; NULL, and the run's error, when out of memory. */
void *tl_sentences_take(tl_run *run, tl_sentences *all, size_t bytes);
char *tl_sentences_copy(tl_run *run, tl_sentences *all, const char *text, size_t size);

/* sentence_tokens.c: names and words of ids */
bool tl_tokens_of_line(tl_run *run, tl_sentences *all, tl_side side, const char *line, const int *ids,
                       long count, tl_tokens *tokens);
bool tl_tokens_of_text(tl_run *run, tl_sentences *all, const int *ids, long count, tl_tokens *tokens);
bool tl_tokens_plain(tl_run *run, tl_sentences *all, const char *const *texts, long count, tl_tokens *tokens);

#endif
