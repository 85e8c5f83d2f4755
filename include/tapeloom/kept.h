/* Which heads: a set of a model's heads, as an array of flags and as text.
 *
 *     encoder.0:0,2,3; cross.1:none
 *
 * names heads 0, 2 and 3 of the encoder's first layer, and no head of the decoder's second cross-attention.
 * Attentions that are not named have all their heads, or none, as the caller says. Layers and heads count from 0, in
 * any order. Flags stand attention by attention (encoder self, decoder self, cross, each by layers), and within an
 * attention by heads. */
#ifndef TAPELOOM_KEPT_H
#define TAPELOOM_KEPT_H

#include "models.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many attentions a model has of each kind, and how many heads each has. */
typedef struct tl_head_shape {
    int layers[TL_ATTENTION_KINDS]; /* attentions of each kind */
    int heads;                      /* of each attention */
} tl_head_shape;
enum { TL_HEADS_MOST = 1 << 20 }; /* the largest total of a model; more are refused */

/* A model's shape as built, with all of its heads; zeros for NULL. */
tl_head_shape tl_head_shape_of(const tl_model *model);
/* How many attentions there are, of all kinds. */
long tl_head_attentions(const tl_head_shape *shape);
long tl_head_count(const tl_head_shape *shape); /* attentions times heads */
/* "encoder", "decoder", "cross"; NULL if there is none. */
const char *tl_head_kind_text(tl_attention_kind kind);

/* Reads a text into flags [attentions,heads]; heads of attentions that it does not name become `others`. "" names
 * none. False, and a sentence, for a text that does not parse, for a name or number that the model lacks, and for an
 * attention named twice. */
bool tl_heads_parse(const char *text, const tl_head_shape *shape, bool others, bool *flags, tl_error *error);
/* The inverse: names the attentions whose flags are not all `others`. The caller frees it. NULL only when out of
 * memory. */
char *tl_heads_text(const bool *flags, const tl_head_shape *shape, bool others);

#ifdef __cplusplus
}
#endif
#endif
