/* The state of a GPT: the keys and values of all positions read so far, for each row. A step computes one position,
 * which attends to itself and those before it. Several words read at once attend to the words before them, with a
 * causal mask. The numbers are those of computing the whole prefix again, to the bit (transformer_state.c says why). */
#include "gpt.h"
#include "plain_step.h"
#include "state.h"

#include "nn/place.h"
#include "tapeloom/op.h"

#include <math.h>

typedef struct caches {
    tl_model_state state;
    tl_kv_cache *layer;
    tl_plain_step *plain; /* NULL: steps are computed on the tape */
} caches;

static caches *of(tl_model_state *state) { return (caches *)state; }
static const tl_gpt *model_of(const tl_model_state *state) { return (const tl_gpt *)state->model; }

/* ---- one step, or several at once ---- */

static tl_var one_layer(tl_model_state *state, int l, tl_var x) {
    tl_attention_maps self, *maps = tl_state_maps(state, TL_DECODER_SELF, l, state->at, state->each, &self);
    tl_stream_maps stream;
    x = tl_gpt_layer_over(&model_of(state)->h[l], x,
                          &(tl_attended){.own = &of(state)->layer[l], .maps = maps},
                          tl_state_stream(state, TL_DECODER, l + 1, state->at, state->each, &stream));
    if (maps && tl_ok(x)) tl_state_record(state, TL_DECODER_SELF, l, tl_value(self.probs));
    return x;
}

static tl_var read_words(tl_model_state *state, const int *words, long count) {
    const tl_gpt *m = model_of(state);
    const long rows = state->sentences * state->each;
    tl_var x = tl_gpt_embed(m, state->tape, words, rows, state->at, count);
    tl_stream_maps stream;
    x = tl_stream_put(tl_state_stream(state, TL_DECODER, 0, state->at, state->each, &stream), TL_PLACE_STREAM,
                      x);
    for (int l = 0; l < m->config.layers; l++) x = one_layer(state, l, x);
    if (count > 1) x = tl_slice(x, 1, count - 1, count);
    x = tl_layer_norm_forward(&m->ln_f, x);
    return tl_reshape(tl_gpt_logits(&m->model, x), TL_SHAPE(rows, m->model.tgt_vocab));
}

static tl_var step(tl_model_state *state, const int *words) {
    const tl_plain_rows rows = {
        .words = words, .rows = state->sentences * state->each, .each = state->each, .at = state->at};
    tl_tensor logits;
    if (of(state)->plain && tl_plain_step_take(of(state)->plain, &rows, &logits))
        return tl_constant(state->tape, logits);
    return read_words(state, words, 1);
}

/* ---- rows that are copied or kept ---- */

static void copy_row(tl_model_state *state, long to, long from) {
    for (int l = 0; l < model_of(state)->config.layers; l++)
        tl_kv_cache_copy_row(&of(state)->layer[l], to, from);
}

static void keep(tl_model_state *state, const long *kept, long sentences) {
    for (long r = 0; r < sentences * state->each; r++)
        copy_row(state, r, kept[r / state->each] * state->each + r % state->each);
    for (int l = 0; l < model_of(state)->config.layers; l++) {
        tl_kv_cache *one = &of(state)->layer[l];
        one->k.dim[0] = one->v.dim[0] = sentences * state->each;
    }
}

static const tl_model_state_kind kind = {step, copy_row, keep, read_words};

/* ---- begin ---- */

static void make_plain(caches *c) {
    const tl_gpt *m = model_of(&c->state);
    const int layers = m->config.layers;
    tl_plain_layer *layer = tl_tape_memory(c->state.tape, (size_t)(layers + 1) * sizeof *layer);
    for (int l = 0; layer && l < layers; l++)
        layer[l] = (tl_plain_layer){.self = &m->h[l].attn,
                                    .feed_forward = m->h[l].mlp.name ? &m->h[l].mlp : NULL,
                                    .self_norm = &m->h[l].ln_1,
                                    .feed_forward_norm = &m->h[l].ln_2,
                                    .own = &c->layer[l]};
    const tl_plain_decoder decoder = {.model = &m->model,
                                      .embedding = &m->wte,
                                      .embedding_scale =
                                          m->wpe.kind == TL_SINUSOIDAL ? sqrt((double)m->config.d_model) : 1,
                                      .positions = &m->wpe,
                                      .layer = layer,
                                      .d_model = m->config.d_model,
                                      .layers = layers,
                                      .pre_norm = true,
                                      .norm = &m->ln_f,
                                      .output = {m->output_name, m->output_weight, NULL}};
    if (layer && tl_plain_decoder_fits(&decoder)) c->plain = tl_plain_step_new(c->state.tape, &decoder);
}

tl_model_state *tl_gpt_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                             const tl_model_state_options *options) {
    const tl_gpt *m = (const tl_gpt *)model;
    caches *c = tl_zeroed(tape, sizeof *c);
    if (!c || !tl_state_init(&c->state, &kind, model, tape, source, options)) return NULL;
    if (tl_params_error(model->params)) { /* then there may be no layers */
        tl_tape_fail(tape, "%s", tl_params_error(model->params));
        return NULL;
    }
    c->layer = tl_zeroed(tape, (size_t)m->config.layers * sizeof *c->layer);
    for (int l = 0; c->layer && l < m->config.layers; l++)
        c->layer[l] =
            tl_kv_cache_new(tape, &m->h[l].attn, source->sentences * options->each, options->capacity);
    if (!tl_tape_error(tape) && !options->maps && !options->intervene) make_plain(c);
    return tl_tape_error(tape) ? NULL : &c->state;
}
