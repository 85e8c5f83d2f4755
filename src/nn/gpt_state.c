/* A decoder-only model's state: the keys and values of all that was read, row by row. A step computes one position and looks at
 * those before it; many words that are read in one go look at those before them and, causally, at each other. The numbers are
 * those of computing the whole prefix anew, to the bit (transformer_state.c says why). */
#include "gpt.h"
#include "place.h"
#include "state.h"

#include "tapeloom/op.h"

typedef struct caches {
    tl_model_state state;
    tl_kv_cache *layer;
} caches;

static caches *of(tl_model_state *state) { return (caches *)state; }
static const tl_gpt *model_of(const tl_model_state *state) { return (const tl_gpt *)state->model; }

/* ---- a step, or many at once ---- */

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

static tl_var step(tl_model_state *state, const int *words) { return read_words(state, words, 1); }

/* ---- rows that move ---- */

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

/* ---- its beginning ---- */

tl_model_state *tl_gpt_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                             const tl_model_state_options *options) {
    const tl_gpt *m = (const tl_gpt *)model;
    caches *c = tl_zeroed(tape, sizeof *c);
    if (!c || !tl_state_init(&c->state, &kind, model, tape, source, options)) return NULL;
    if (tl_params_error(model->params)) { /* there may be no layers */
        tl_tape_fail(tape, "%s", tl_params_error(model->params));
        return NULL;
    }
    c->layer = tl_zeroed(tape, (size_t)m->config.layers * sizeof *c->layer);
    for (int l = 0; c->layer && l < m->config.layers; l++)
        c->layer[l] =
            tl_kv_cache_new(tape, &m->h[l].attn, source->sentences * options->each, options->capacity);
    return tl_tape_error(tape) ? NULL : &c->state;
}
