/* Drawing a word from a row of logits. */
#ifndef TL_MODELS_SAMPLE_H
#define TL_MODELS_SAMPLE_H

#include "tapeloom/models.h"

/* As in tl_search_options. */
typedef struct tl_sampling {
    double temperature;
    int top_k;
    double top_p;
} tl_sampling;

/* Are these numbers in range? If not, the tape fails with a message that begins with `who`. */
bool tl_check_sampling(tl_tape *tape, const char *who, const tl_sampling *how);
/* A uniform random number in [0, 1) for word t of one sample of one sentence. */
double tl_sample_chance(uint64_t seed, long sentence, long sample, long t);
/* Scratch memory, [vocab] each. */
typedef struct tl_sample_room {
    int *words;
    tl_real *weights;
} tl_sample_room;

/* Draws a word with the random number `chance` from logits [vocab], which must not hold NaN or +INFINITY. Never draws a
 * logit of -INFINITY or a word with forbidden [vocab] 1 (NULL: none). Returns -1 if there is no word to draw. */
int tl_sample_word(const tl_real *logits, long vocab, const uint8_t *forbidden, const tl_sampling *how,
                   double chance, const tl_sample_room *room);

#endif
