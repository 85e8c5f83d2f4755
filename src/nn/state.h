/* For models that write a state of their own (transformer_state.c): what all states share. */
#ifndef TL_NN_STATE_H
#define TL_NN_STATE_H

#include "tapeloom/nn.h"

void *tl_zeroed(tl_tape *tape, size_t bytes); /* tl_tape_memory, zeroed */

/* What attention looked at, kept row by row. Room, zeroed, for every layer's; NULL: there are none, or no memory (the tape
 * says). */
tl_tensor *tl_room_for_looks(tl_tape *tape, const tl_model *model, tl_attention_kind kind, tl_shape shape);
/* The first `steps` queries of one map [H,T,S] become those of another, from query `at` on. */
void tl_copy_looks(tl_tensor to, long at, tl_tensor from, long steps);

/* Is it one, and still there? If not, its tape fails. */
bool tl_state_here(const tl_model_state *state, const char *who);

/* Fills in what all states have, and makes room for maps where they are asked for.
 * False when out of memory. */
bool tl_state_init(tl_model_state *state, const tl_model_state_kind *kind, const tl_model *model,
                   tl_tape *tape, const tl_batch *source, const tl_model_state_options *options);
/* Of the next step's maps of one layer, where they act on it or are kept: what does, into *maps, which is given back; NULL
 * where neither is so. `from` is the first position that is read, `each` the rows of a sentence. */
tl_attention_maps *tl_state_maps(const tl_model_state *state, tl_attention_kind kind, int layer, long from,
                                 long each, tl_attention_maps *maps);
/* The same of the stream at one depth: what acts there; NULL where nothing does. */
tl_stream_maps *tl_state_stream(const tl_model_state *state, tl_stream_side side, int depth, long from,
                                long each, tl_stream_maps *maps);
/* Of all depths of a side, in the tape's memory; NULL where nothing acts. */
tl_stream_maps *tl_state_streams(const tl_model_state *state, tl_stream_side side, long from, long each);
/* While words are read: what one layer's attention was. probs [n,H,q,keys]: n times rows/n rows side by side, each with as many
 * queries as it reads words. */
void tl_state_record(tl_model_state *state, tl_attention_kind kind, int layer, tl_tensor probs);

/* The second implementation of every model (from_scratch.c). */
tl_model_state *tl_state_from_scratch(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                      const tl_model_state_options *options);

#endif
