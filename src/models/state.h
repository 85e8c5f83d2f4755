/* What all states share, for models that have a state of their own (transformer_state.c). */
#ifndef TL_MODELS_STATE_H
#define TL_MODELS_STATE_H

#include "tapeloom/models.h"

/* tl_tape_memory, zeroed. */
void *tl_zeroed(tl_tape *tape, size_t bytes);

/* Zeroed tensors of this shape for the maps of every layer, with the layer's number of heads on the third axis from the
 * end. NULL if the model has no such attention, or without memory, when the tape fails. */
tl_tensor *tl_zeroed_maps(tl_tape *tape, const tl_model *model, tl_attention_kind kind, tl_shape shape);
/* Copies the first `steps` queries of one map [H,T,S] to another, from query `at` on. */
void tl_copy_map_queries(tl_tensor to, long at, tl_tensor from, long steps);

/* Is this a state, and is its memory still valid? If not, its tape fails with a message that begins with `who`. */
bool tl_state_here(const tl_model_state *state, const char *who);

/* Fills in what all states have, and makes memory for maps if they are asked for. False when out of memory. */
bool tl_state_init(tl_model_state *state, const tl_model_state_kind *kind, const tl_model *model,
                   tl_tape *tape, const tl_batch *source, const tl_model_state_options *options);
/* Fills *maps with what acts on the next step of one layer, and returns it; NULL if nothing acts there and its maps are
 * not kept. from: the first position that is read. each: rows per sentence. */
tl_attention_maps *tl_state_maps(const tl_model_state *state, tl_attention_kind kind, int layer, long from,
                                 long each, tl_attention_maps *maps);
/* The same for the stream at one depth; NULL if nothing acts there. */
tl_stream_maps *tl_state_stream(const tl_model_state *state, tl_stream_side side, int depth, long from,
                                long each, tl_stream_maps *maps);
/* The same for all depths of a side, in the tape's memory; NULL if nothing acts there. */
tl_stream_maps *tl_state_streams(const tl_model_state *state, tl_stream_side side, long from, long each);
/* Records one layer's attention in the state's maps. probs [n,H,q,keys], where one of n has rows/n rows side by side,
 * each with as many queries as the words it reads. */
void tl_state_record(tl_model_state *state, tl_attention_kind kind, int layer, tl_tensor probs);

/* The second implementation of a state, for every model (from_scratch.c). */
tl_model_state *tl_state_from_scratch(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                      const tl_model_state_options *options);

#endif
