/* The hypotheses of a batch of sentences, while a search writes them word by word. */
#ifndef TL_NN_HYPOTHESES_H
#define TL_NN_HYPOTHESES_H

#include "tapeloom/nn.h"

typedef struct tl_candidate {
    double sum; /* of log p */
    int slot, word;
} tl_candidate;

typedef struct tl_sentence { /* the one at some place of the batch */
    long number;             /* which one it was at the beginning */
    int live, finished;
    bool done;
} tl_sentence;

typedef struct tl_hypotheses {
    tl_model_state *state;
    tl_tape *tape;
    const tl_search_options *options;
    int eos, width, nbest;
    double alpha;
    long begun, sentences, capacity, vocab; /* sentences at the beginning, and those that are left */
    int *limits;                            /* [begun] most words of each */
    uint8_t *forbidden;                     /* [vocab] 1: never written; NULL: no word is */
    tl_sentence *sentence;                  /* [sentences] */
    int *ids;                               /* [rows,capacity] the words so far */
    double *sum;                            /* [rows] sum of log p of the live hypotheses */
    long top; /* words of a row that can come into question: 2·width, or all there are; of a sample one */
    tl_candidate *row;            /* [rows,top] each row's best continuations, best first */
    int *row_count;               /* [rows] how many; NOT_NUMBERS: the logits are none */
    tl_candidate *ranked;         /* [2·width] */
    tl_candidate *next;           /* [width] */
    int *head;                    /* [width] */
    long *kept;                   /* [sentences] */
    int *best_ids, *best_lengths; /* the result: [begun,nbest,capacity], [begun,nbest] … */
    double *best_score;
    tl_tensor *best_maps[TL_ATTENTION_KINDS];
} tl_hypotheses;

/* Room on the tape for the fields from `sentence` on; those before are given. False when out of memory. */
bool tl_hypotheses_new(tl_hypotheses *h, bool maps, long source_length);
/* Takes word t of every sentence that is not done from logits [rows,V]; *going are left. False, and an error on the tape,
 * if a sentence cannot go on. */
bool tl_hypotheses_extend(tl_hypotheses *h, tl_tensor logits, long t, long *going);

/* ---- candidates.c ---- */

/* Fills row and row_count for word t of every row that goes on, from logits [rows,V]. False, and an error on the tape, if a
 * sentence has nothing to write. */
bool tl_candidates_find(tl_hypotheses *h, tl_tensor logits, long t);
bool tl_sample_ended(const tl_hypotheses *h, const tl_sentence *s,
                     int slot);                                  /* is this slot's sample at its end? */
long tl_forced_length(const tl_hypotheses *h, long number);      /* words that a sentence begins with */
int tl_forced_word(const tl_hypotheses *h, long number, long t); /* -1: it may choose */

#endif
