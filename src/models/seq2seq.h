/* Functions that a recurrent model's forward and its state share: reading the source, and a step of the decoder. */
#ifndef TL_MODELS_SEQ2SEQ_H
#define TL_MODELS_SEQ2SEQ_H

#include "nn/attention.h"
#include "tapeloom/models.h"

/* Is the query the state of the step before, so that the cell reads the context? */
static inline bool tl_seq2seq_query_is_previous(const tl_seq2seq_config *c) {
    return !c->no_attention && c->score == TL_ADDITIVE;
}
/* Is the output o computed from the state and the context? If not, o is the state. */
static inline bool tl_seq2seq_has_readout(const tl_seq2seq_config *c) {
    return !c->no_attention || c->feed_context;
}
/* Is o also computed from the word? */
static inline bool tl_seq2seq_readout_has_word(const tl_seq2seq_config *c) {
    return tl_seq2seq_query_is_previous(c) || c->feed_context;
}
/* Width M of the encoder's outputs, and width of a context. */
static inline long tl_seq2seq_d_memory(const tl_seq2seq_config *c) {
    return c->bidirectional ? 2 * c->d_model : c->d_model;
}
static inline long tl_seq2seq_d_context(const tl_seq2seq_config *c) {
    return !c->no_attention && c->score == TL_SCALED_DOT ? c->d_model : tl_seq2seq_d_memory(c);
}

/* Embeds ids of that shape, with dropout. */
tl_var tl_seq2seq_embed(const tl_seq2seq *model, tl_tape *tape, const tl_embedding_layer *embedding,
                        const int *ids, tl_shape shape);

/* What the decoder keeps between two steps. */
typedef struct tl_seq2seq_step_state {
    tl_recurrent_state cell;
    tl_var context; /* [rows,1,M] the constant context; only with feed_context */
    tl_var fed;     /* [rows,1,D] o of the previous step; only with input_feeding */
} tl_seq2seq_step_state;

/* Reads the source: returns the encoder's outputs [B,S,M], and sets *begin to the decoder's first state. Inert on
 * failure. */
tl_var tl_seq2seq_encode(const tl_seq2seq *model, tl_tape *tape, const tl_batch *batch,
                         const tl_model_maps *maps, tl_seq2seq_step_state *begin);
/* Reads y [rows,1,E] and returns o [rows,1,D]. seen: the source for attention; not read without attention. */
tl_var tl_seq2seq_step(const tl_seq2seq *model, tl_var y, tl_seq2seq_step_state *state,
                       const tl_attended *seen);

/* The functions hidden, logits and loss of tl_model_kind (seq2seq.c). */
tl_var tl_seq2seq_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                         const tl_model_maps *maps);
tl_var tl_seq2seq_logits(const tl_model *model, tl_var hidden);
tl_var tl_seq2seq_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                       const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);

/* The function begin of tl_model_kind (seq2seq_state.c). */
tl_model_state *tl_seq2seq_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                 const tl_model_state_options *options);

#endif
