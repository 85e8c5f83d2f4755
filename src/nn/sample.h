/* A word by chance: what sampling asks of a row of logits. */
#ifndef TL_NN_SAMPLE_H
#define TL_NN_SAMPLE_H

#include "tapeloom/nn.h"

typedef struct tl_sampling { /* as in tl_search_options */
    double temperature;
    int top_k;
    double top_p;
} tl_sampling;

/* False, and the tape fails in the name of who asks, if these numbers make no sense. */
bool tl_sampling_sound(tl_tape *tape, const char *who, const tl_sampling *how);
/* A number in [0, 1) of its own for word t of each sample of each sentence. */
double tl_sample_chance(uint64_t seed, long sentence, long sample, long t);
typedef struct tl_sample_room { /* scratch, [vocab] each */
    int *words;
    tl_real *weights;
} tl_sample_room;

/* Draws a word by that chance from logits [vocab], of which none is NaN or +Inf; -Inf is never drawn, and neither is a word of which
 * forbidden [vocab] (NULL: no word is) says 1. -1: there is no word to draw. */
int tl_sample_word(const tl_real *logits, long vocab, const uint8_t *forbidden, const tl_sampling *how,
                   double chance, const tl_sample_room *room);

#endif
