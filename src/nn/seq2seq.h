/* What a recurrent model's forward and its state share: reading the source, and a step of the decoder. */
#ifndef TL_NN_SEQ2SEQ_H
#define TL_NN_SEQ2SEQ_H

#include "attention.h"

/* The state before a step asks, and the cell reads the answer. */
static inline bool tl_seq2seq_asks_before(const tl_seq2seq_config *c) {
    return !c->no_attention && c->score == TL_ADDITIVE;
}
/* Does o read the context? Else it is the state. */
static inline bool tl_seq2seq_has_readout(const tl_seq2seq_config *c) {
    return !c->no_attention || c->feed_context;
}
/* Does o read the word, too? */
static inline bool tl_seq2seq_tells_word(const tl_seq2seq_config *c) {
    return tl_seq2seq_asks_before(c) || c->feed_context;
}
/* Width of what the encoder gives for a word, and of the context that is made of it. */
static inline long tl_seq2seq_d_memory(const tl_seq2seq_config *c) {
    return c->bidirectional ? 2 * c->d_model : c->d_model;
}
static inline long tl_seq2seq_d_context(const tl_seq2seq_config *c) {
    return !c->no_attention && c->score == TL_SCALED_DOT ? c->d_model : tl_seq2seq_d_memory(c);
}

/* ids of that shape to embeddings, with dropout. */
tl_var tl_seq2seq_embed(const tl_seq2seq *model, tl_tape *tape, const tl_embedding_layer *embedding,
                        const int *ids, tl_shape shape);

/* What stays between two steps of the decoder, for so many rows. */
typedef struct tl_seq2seq_step_state {
    tl_recurrent_state cell;
    tl_var context; /* [rows,1,M] what is read at each step; feed_context alone */
    tl_var fed;     /* [rows,1,D] o of the step before; input_feeding alone */
} tl_seq2seq_step_state;

/* Reads the source: what is looked at, [B,S,M], and the decoder's beginning. Inert on failure. */
tl_var tl_seq2seq_encode(const tl_seq2seq *model, tl_tape *tape, const tl_batch *batch,
                         const tl_model_maps *maps, tl_seq2seq_step_state *begin);
/* Reads y [rows,1,E]: o [rows,1,D]. `seen` is what the attention looks at; not read without one. */
tl_var tl_seq2seq_step(const tl_seq2seq *model, tl_var y, tl_seq2seq_step_state *state,
                       const tl_attended *seen);

/* A tl_model_kind's hidden, logits and loss (seq2seq.c). */
tl_var tl_seq2seq_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                         const tl_model_maps *maps);
tl_var tl_seq2seq_logits(const tl_model *model, tl_var hidden);
tl_var tl_seq2seq_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                       const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);

/* Its state (seq2seq_state.c): a tl_model_kind's begin. */
tl_model_state *tl_seq2seq_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                 const tl_model_state_options *options);

#endif
