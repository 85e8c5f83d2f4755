/* A Transformer's state: the keys and values of all positions that were read.
 *
 * A step computes one position: its key and value are written behind those of earlier positions, and the encoder's keys
 * and values are made once a sentence; all its rows look at them. The numbers are those of computing the whole prefix
 * anew, to the bit, because every element of a product is a chain over k alone and softmax's sums are prefix-stable. */
#include "decoder_layer.h"
#include "place.h"
#include "state.h"
#include "transformer.h"

#include "tapeloom/op.h"

#include <string.h>

typedef struct layer_caches {
    tl_kv_cache self, cross; /* of all rows; of all sentences */
} layer_caches;

typedef struct caches {
    tl_model_state state;
    layer_caches *layer;
    int *src_lengths; /* [sentences]; NULL: pictures of src_len patches each */
} caches;

static caches *of(tl_model_state *state) { return (caches *)state; }
static const tl_transformer *model_of(const tl_model_state *state) {
    return (const tl_transformer *)state->model;
}

/* ---- a step ---- */

static tl_var one_layer(tl_model_state *state, int l, tl_var x) {
    layer_caches *c = &of(state)->layer[l];
    tl_attention_maps self, cross;
    tl_attention_maps *self_maps = tl_state_maps(state, TL_DECODER_SELF, l, state->at, state->each, &self);
    tl_attention_maps *cross_maps = tl_state_maps(state, TL_CROSS, l, state->at, state->each, &cross);
    tl_stream_maps stream,
        *stream_maps = tl_state_stream(state, TL_DECODER, l + 1, state->at, state->each, &stream);
    x = tl_decoder_layer_over(&model_of(state)->decoder.layer[l], x,
                              &(tl_attended){.own = &c->self, .maps = self_maps},
                              &(tl_attended){.other = &c->cross,
                                             .mask = &(tl_mask){.key_lengths = of(state)->src_lengths},
                                             .maps = cross_maps},
                              stream_maps);
    if (!tl_ok(x)) return x;
    if (self_maps) tl_state_record(state, TL_DECODER_SELF, l, tl_value(self.probs));
    if (cross_maps) tl_state_record(state, TL_CROSS, l, tl_value(cross.probs));
    return x;
}

static tl_var step(tl_model_state *state, const int *words) {
    const tl_transformer *m = model_of(state);
    const long rows = state->sentences * state->each;
    tl_var x =
        tl_transformer_embed(m, state->tape, &m->tgt_embedding, &m->tgt_positions, words, rows, state->at, 1);
    tl_stream_maps stream;
    x = tl_stream_put(tl_state_stream(state, TL_DECODER, 0, state->at, state->each, &stream), TL_PLACE_STREAM,
                      x);
    for (int l = 0; l < m->decoder.layers; l++) x = one_layer(state, l, x);
    if (m->decoder.has_norm) x = tl_layer_norm_forward(&m->decoder.norm, x);
    return tl_reshape(tl_transformer_logits(m, x), TL_SHAPE(rows, m->model.tgt_vocab));
}

/* ---- rows that move ---- */

static void copy_row(tl_model_state *state, long to, long from) {
    for (int l = 0; l < model_of(state)->decoder.layers; l++)
        tl_kv_cache_copy_row(&of(state)->layer[l].self, to, from);
}

/* The encoder's keys and values are nobody else's: they may be overwritten. */
static void keep(tl_model_state *state, const long *kept, long sentences) {
    caches *c = of(state);
    for (long s = 0; s < sentences; s++) {
        const long from = kept[s];
        if (from == s) continue;
        for (long j = 0; j < state->each; j++) copy_row(state, s * state->each + j, from * state->each + j);
        for (int l = 0; l < model_of(state)->decoder.layers; l++) {
            if (c->layer[l].cross.k.data)
                tl_tensor_copy(tl_at(c->layer[l].cross.k, s), tl_at(c->layer[l].cross.k, from));
            if (c->layer[l].cross.v.data)
                tl_tensor_copy(tl_at(c->layer[l].cross.v, s), tl_at(c->layer[l].cross.v, from));
        }
        if (c->src_lengths) c->src_lengths[s] = c->src_lengths[from];
    }
    for (int l = 0; l < model_of(state)->decoder.layers; l++) {
        layer_caches *one = &c->layer[l];
        one->self.k.dim[0] = one->self.v.dim[0] = sentences * state->each;
        one->cross.k.dim[0] = one->cross.v.dim[0] = sentences;
    }
}

static const tl_model_state_kind kind = {step, copy_row, keep, NULL};

/* ---- its beginning ---- */

/* What acts on the encoder, copies; NULLs where nothing does. */
static tl_model_maps encoder_maps(const tl_model_state *state) {
    const int layers = model_of(state)->encoder.layers;
    tl_model_maps maps = {0};
    if (state->intervene.encoder_self)
        maps.encoder_self = tl_zeroed(state->tape, (size_t)(layers + 1) * sizeof *maps.encoder_self);
    for (int l = 0; maps.encoder_self && l < layers; l++)
        tl_state_maps(state, TL_ENCODER_SELF, l, 0, 1, &maps.encoder_self[l]);
    maps.stream[TL_ENCODER] = tl_state_streams(state, TL_ENCODER, 0, 1);
    return maps;
}

/* What acts on the keys and values that are made of memory once, of one layer. */
static tl_kv_cache cross_cache(const tl_model_state *state, int l, tl_var memory) {
    tl_attention_maps maps, *acting = tl_state_maps(state, TL_CROSS, l, 0, 1, &maps);
    return tl_attention_cache_of(&model_of(state)->decoder.layer[l].multihead_attn, memory, acting);
}

tl_model_state *tl_transformer_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                     const tl_model_state_options *options) {
    const tl_transformer *m = (const tl_transformer *)model;
    const int layers = m->decoder.layers;
    caches *c = tl_zeroed(tape, sizeof *c);
    if (!c || !tl_state_init(&c->state, &kind, model, tape, source, options)) return NULL;
    c->layer = tl_zeroed(tape, (size_t)(layers + 1) * sizeof *c->layer);
    if (source->src_lengths)
        c->src_lengths = tl_tape_memory(tape, (size_t)source->sentences * sizeof *c->src_lengths);
    const tl_model_maps acting = encoder_maps(&c->state);
    tl_var memory = tl_transformer_encode(m, tape, source, &acting);
    if (!tl_ok(memory)) return NULL;
    if (c->src_lengths)
        memcpy(c->src_lengths, source->src_lengths, (size_t)source->sentences * sizeof *c->src_lengths);
    for (int l = 0; l < layers; l++) {
        c->layer[l].self = tl_kv_cache_new(tape, &m->decoder.layer[l].self_attn,
                                           source->sentences * options->each, options->capacity);
        c->layer[l].cross = cross_cache(&c->state, l, memory);
    }
    return tl_tape_error(tape) ? NULL : &c->state;
}
