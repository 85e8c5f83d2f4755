/* Which heads: a set of a model's, as plain flags and as text.
 *
 *     encoder.0:0,2,3; cross.1:none
 *
 * are heads 0, 2 and 3 of the encoder's first layer and none of the decoder's second attention to the source; attentions that are
 * not named have all of theirs, or in other lists none. Layers and heads count from 0, in any order. Flags stand attention by
 * attention, encoder self, decoder self, cross, each by its layers, and in an attention by heads. */
#ifndef TAPELOOM_KEPT_H
#define TAPELOOM_KEPT_H

#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many attentions a model has of each kind, and how many heads each has. */
typedef struct tl_head_shape {
    int layers[TL_ATTENTION_KINDS]; /* attentions of each kind */
    int heads;                      /* of each attention */
} tl_head_shape;
enum { TL_HEADS_MOST = 1 << 20 }; /* of a whole model: more are refused */

/* A model's shape, as it has been built with all of its heads; zeros for NULL. */
tl_head_shape tl_head_shape_of(const tl_model *model);
/* Attentions of all kinds together. */
long tl_head_attentions(const tl_head_shape *shape);
long tl_head_count(const tl_head_shape *shape); /* attentions times heads */
/* "encoder", "decoder", "cross"; NULL if there is none. */
const char *tl_head_kind_text(tl_attention_kind kind);

/* Reads a text into flags [attentions,heads]; those of attentions that it does not name become `others`. False, and a sentence,
 * for what is no such text, names or numbers that the model has not, and an attention that is named twice. "" names none. */
bool tl_heads_parse(const char *text, const tl_head_shape *shape, bool others, bool *flags, tl_error *error);
/* The other way, of attentions whose flags are not all `others`; to free(). NULL only when out of memory. */
char *tl_heads_text(const bool *flags, const tl_head_shape *shape, bool others);

#ifdef __cplusplus
}
#endif
#endif
