/* The hypotheses of a batch of sentences during a search. */
#ifndef TL_MODELS_HYPOTHESES_H
#define TL_MODELS_HYPOTHESES_H

#include "tapeloom/models.h"

/* A word that a hypothesis could write next. */
typedef struct tl_candidate {
    double sum; /* of log p, with this word; while candidates are collected, the logit of the word */
    int slot, word;
} tl_candidate;

/* A sentence of the current batch. */
typedef struct tl_sentence {
    long number;        /* its index in the source batch */
    int live, finished; /* how many hypotheses */
    bool done;
} tl_sentence;

/* The fields before `sentence` are set by the caller, the others by tl_hypotheses_new. rows = sentences·width. */
typedef struct tl_hypotheses {
    tl_model_state *state;
    tl_tape *tape;
    const tl_search_options *options;
    int eos, width, nbest;
    double alpha;
    /* begun: sentences of the source; sentences: those still in the batch */
    long begun, sentences, capacity, vocab;
    int *limits;           /* [begun] the most words of each */
    uint8_t *forbidden;    /* [vocab] 1: never written; NULL: no word is forbidden */
    tl_sentence *sentence; /* [sentences] */
    int *ids;              /* [rows,capacity] the words so far */
    double *sum;           /* [rows] sum of log p of each live hypothesis */
    long top;          /* candidates per row: 2·width, or vocab if that is less; with width 1 or samples 1 */
    tl_candidate *row; /* [rows,top] candidates of each row, best first */
    int *row_count;    /* [rows] how many; NOT_NUMBERS: the logits hold NaN or infinity */
    tl_candidate *ranked;         /* [2·width] candidates of one sentence, best first */
    tl_candidate *next;           /* [width] those that live on */
    int *head;                    /* [width] scratch */
    long *kept;                   /* [sentences] scratch */
    int *best_ids, *best_lengths; /* the result: [begun,nbest,capacity], [begun,nbest] */
    double *best_score;           /* [begun,nbest] */
    tl_tensor *best_maps[TL_ATTENTION_KINDS];
} tl_hypotheses;

/* Allocates the fields from `sentence` on, in the tape's memory. False when out of memory. */
bool tl_hypotheses_new(tl_hypotheses *h, bool maps, long source_length);
/* Chooses word t of every sentence that is not done, from logits [rows,V]. *going: how many sentences are not done
 * afterwards. If a sentence cannot go on, returns false, with an error on the tape. */
bool tl_hypotheses_extend(tl_hypotheses *h, tl_tensor logits, long t, long *going);

/* ---- candidates.c ---- */

/* Fills row and row_count for word t of every row that is not done, from logits [rows,V]. If a sentence has no
 * candidate, returns false, with an error on the tape. */
bool tl_candidates_find(tl_hypotheses *h, tl_tensor logits, long t);
/* Has the sample in this slot ended? */
bool tl_sample_ended(const tl_hypotheses *h, const tl_sentence *s, int slot);
/* How many words sentence `number` must begin with. */
long tl_forced_length(const tl_hypotheses *h, long number);
/* Word t of sentence `number`, if it is forced; else -1. */
int tl_forced_word(const tl_hypotheses *h, long number, long t);

#endif
