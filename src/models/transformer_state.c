/* The state of a Transformer: the keys and values of all positions read so far.
 *
 * A step computes one position and appends its key and value to those before it. The encoder's keys and values are made
 * once per sentence, and all its rows attend to them. The numbers are those of computing the whole prefix again, to the
 * bit: every element of a product is a sum over k in order, and the sums of softmax are prefix-stable. */
#include "plain_step.h"
#include "state.h"
#include "transformer.h"

#include "nn/decoder_layer.h"
#include "nn/place.h"
#include "tapeloom/op.h"
#include "tensor/inspect.h"

#include <math.h>
#include <string.h>

typedef struct layer_caches {
    tl_kv_cache self, cross; /* self has a row per row of the state, cross a row per sentence */
} layer_caches;

typedef struct caches {
    tl_model_state state;
    layer_caches *layer;
    int *src_lengths;     /* [sentences]; NULL: pictures of src_len patches each */
    tl_plain_step *plain; /* NULL: steps are computed on the tape */
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
    tl_tensor logits;
    if (of(state)->plain && tl_plain_step_take(of(state)->plain,
                                               &(tl_plain_rows){.words = words,
                                                                .rows = rows,
                                                                .each = state->each,
                                                                .at = state->at,
                                                                .src_lengths = of(state)->src_lengths},
                                               &logits))
        return tl_constant(state->tape, logits);
    tl_var x =
        tl_transformer_embed(m, state->tape, &m->tgt_embedding, &m->tgt_positions, words, rows, state->at, 1);
    tl_stream_maps stream;
    x = tl_stream_put(tl_state_stream(state, TL_DECODER, 0, state->at, state->each, &stream), TL_PLACE_STREAM,
                      x);
    for (int l = 0; l < m->decoder.layers; l++) x = one_layer(state, l, x);
    if (m->decoder.has_norm) x = tl_layer_norm_forward(&m->decoder.norm, x);
    return tl_reshape(tl_transformer_logits(m, x), TL_SHAPE(rows, m->model.tgt_vocab));
}

/* ---- rows that are copied or kept ---- */

static void copy_row(tl_model_state *state, long to, long from) {
    for (int l = 0; l < model_of(state)->decoder.layers; l++)
        tl_kv_cache_copy_row(&of(state)->layer[l].self, to, from);
}

/* The encoder's keys and values belong to this state only, so they may be overwritten. */
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

/* ---- begin ---- */

/* Copies of the maps that act on the encoder; NULLs if nothing acts there. */
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

/* The cache of one layer's keys and values of memory, made once, with the maps that act on them. */
static tl_kv_cache cross_cache(const tl_model_state *state, int l, tl_var memory) {
    tl_attention_maps maps, *acting = tl_state_maps(state, TL_CROSS, l, 0, 1, &maps);
    return tl_attention_cache_of(&model_of(state)->decoder.layer[l].multihead_attn, memory, acting);
}

/* ---- steps without the tape ---- */

/* Sets values at padding to 0 if one of them is not finite: a weight of 0 times NaN is NaN. The tape's attention does
 * the same. */
static void clear_hidden(tl_tensor v, const int *lengths) {
    bool finite = true;
    for (long b = 0; b < v.dim[0] && lengths; b++)
        for (long j = lengths[b]; j < v.dim[2] && finite; j++)
            for (long h = 0; h < v.dim[1] && finite; h++)
                finite = tl_all_finite(tl_at(v, b, h, j).data, v.dim[3]);
    for (long b = 0; b < v.dim[0] && !finite; b++)
        if (lengths[b] < v.dim[2]) tl_tensor_fill(tl_tensor_slice(tl_at(v, b), 1, lengths[b], v.dim[2]), 0);
}

/* If steps can be computed without the tape, prepares that, and copies keys to the layout that it needs. */
static void make_plain(caches *c) {
    const tl_transformer *m = model_of(&c->state);
    const int layers = m->decoder.layers;
    tl_plain_layer *layer = tl_tape_memory(c->state.tape, (size_t)(layers + 1) * sizeof *layer);
    for (int l = 0; layer && l < layers; l++) {
        const tl_decoder_layer *d = &m->decoder.layer[l];
        layer[l] = (tl_plain_layer){.self = &d->self_attn,
                                    .cross = &d->multihead_attn,
                                    .feed_forward = &d->feed_forward,
                                    .self_norm = &d->norm1,
                                    .cross_norm = &d->norm2,
                                    .feed_forward_norm = &d->norm3,
                                    .own = &c->layer[l].self,
                                    .other = &c->layer[l].cross};
    }
    const tl_plain_decoder decoder = {.model = &m->model,
                                      .embedding = &m->tgt_embedding,
                                      .embedding_scale = sqrt((double)m->config.d_model),
                                      .positions = &m->tgt_positions,
                                      .layer = layer,
                                      .d_model = m->config.d_model,
                                      .layers = layers,
                                      .pre_norm = layers > 0 && m->decoder.layer[0].pre_norm,
                                      .norm = m->decoder.has_norm ? &m->decoder.norm : NULL,
                                      .output = {m->output_name, m->output_weight, m->output_bias}};
    if (!layer || !tl_plain_decoder_fits(&decoder)) return;
    for (int l = 0; l < layers; l++) {
        tl_kv_cache_transpose(c->state.tape, &c->layer[l].cross);
        clear_hidden(c->layer[l].cross.v, c->src_lengths);
    }
    c->plain = tl_plain_step_new(c->state.tape, &decoder);
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
    if (!tl_tape_error(tape) && !options->maps && !options->intervene) make_plain(c);
    return tl_tape_error(tape) ? NULL : &c->state;
}
