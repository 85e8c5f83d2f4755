/* The state of a recurrent model: what the decoder keeps between steps, for each row, and attention's keys and values
 * of the source, once per sentence for all its rows. A step is the forward's step function (seq2seq.c), so the numbers
 * are those of computing the whole prefix again, to the bit. */
#include "seq2seq.h"
#include "state.h"

#include "nn/place.h"
#include "tapeloom/op.h"

#include <string.h>

typedef struct kept {
    tl_model_state state;
    tl_tensor h, c;         /* [layers,rows,D]; c only for an LSTM */
    tl_tensor fed, context; /* [rows,1,D], [rows,1,M]; without data if the model does not use them */
    tl_kv_cache source;     /* keys and values of all sentences */
    int *src_lengths;       /* [sentences] */
} kept;

static kept *of(tl_model_state *state) { return (kept *)state; }
static const tl_seq2seq *model_of(const tl_model_state *state) { return (const tl_seq2seq *)state->model; }

/* ---- a step ---- */

/* The tensor as a var; TL_NO_VAR if it has no data. A copy: the tensor is overwritten before the step's values are
 * released. */
static tl_var var_of(tl_tape *tape, tl_tensor t) { return t.data ? tl_constant_copy(tape, t) : TL_NO_VAR; }

static void write(tl_tensor to, tl_var from) {
    if (to.data && tl_ok(from)) tl_tensor_copy(to, tl_value(from));
}

static tl_var step(tl_model_state *state, const int *words) {
    const tl_seq2seq *m = model_of(state);
    kept *k = of(state);
    tl_tape *tape = state->tape;
    const long rows = state->sentences * state->each;
    const bool attends = !m->config.no_attention;
    tl_attention_maps maps, *seen_by = NULL;
    if (attends) seen_by = tl_state_maps(state, TL_CROSS, 0, state->at, state->each, &maps);
    const tl_attended seen = {
        .other = &k->source, .mask = &(tl_mask){.key_lengths = k->src_lengths}, .maps = seen_by};
    tl_seq2seq_step_state s;
    s.cell.h = var_of(tape, k->h);
    s.cell.c = var_of(tape, k->c);
    s.context = var_of(tape, k->context);
    s.fed = var_of(tape, k->fed);
    tl_stream_maps read, told;
    tl_var y = tl_seq2seq_embed(m, tape, &m->tgt_embedding, words, TL_SHAPE(rows, 1));
    y = tl_stream_put(tl_state_stream(state, TL_DECODER, 0, state->at, state->each, &read), TL_PLACE_STREAM,
                      y);
    tl_var o = tl_seq2seq_step(m, y, &s, &seen);
    o = tl_stream_put(tl_state_stream(state, TL_DECODER, 1, state->at, state->each, &told), TL_PLACE_STREAM,
                      o);
    if (!tl_ok(o)) return o;
    if (seen_by) tl_state_record(state, TL_CROSS, 0, tl_value(maps.probs));
    write(k->h, s.cell.h);
    write(k->c, s.cell.c);
    write(k->fed, s.fed);
    return tl_reshape(tl_seq2seq_logits(&m->model, o), TL_SHAPE(rows, m->model.tgt_vocab));
}

/* ---- rows that are copied or kept ---- */

static void copy_along(tl_tensor t, int axis, long to, long from) {
    if (t.data)
        tl_tensor_copy(tl_tensor_slice(t, axis, to, to + 1), tl_tensor_slice(t, axis, from, from + 1));
}

static void copy_row(tl_model_state *state, long to, long from) {
    kept *k = of(state);
    copy_along(k->h, 1, to, from);
    copy_along(k->c, 1, to, from);
    copy_along(k->fed, 0, to, from);
    copy_along(k->context, 0, to, from);
}

/* The source's keys and values belong to this state only, so they may be overwritten. */
static void keep(tl_model_state *state, const long *which, long sentences) {
    kept *k = of(state);
    for (long s = 0; s < sentences; s++) {
        const long from = which[s];
        if (from == s) continue;
        for (long j = 0; j < state->each; j++) copy_row(state, s * state->each + j, from * state->each + j);
        copy_along(k->source.k, 0, s, from);
        copy_along(k->source.v, 0, s, from);
        k->src_lengths[s] = k->src_lengths[from];
    }
    k->h.dim[1] = k->c.dim[1] = k->fed.dim[0] = k->context.dim[0] = sentences * state->each;
    k->source.k.dim[0] = k->source.v.dim[0] = sentences;
}

static const tl_model_state_kind kind = {step, copy_row, keep, NULL};

/* ---- begin ---- */

/* A copy in the state's memory in which every row has its sentence's values; `axis` is the axis of sentences. */
static tl_tensor for_rows(const tl_model_state *state, tl_var from, int axis) {
    if (!tl_ok(from)) return (tl_tensor){0};
    const tl_tensor value = tl_value(from);
    tl_shape shape = tl_shape_of(value);
    shape.dim[axis] *= state->each;
    tl_tensor to = tl_tape_tensor(state->tape, shape);
    for (long r = 0; to.data && r < shape.dim[axis]; r++)
        tl_tensor_copy(tl_tensor_slice(to, axis, r, r + 1),
                       tl_tensor_slice(value, axis, r / state->each, r / state->each + 1));
    return to;
}

tl_model_state *tl_seq2seq_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                 const tl_model_state_options *options) {
    const tl_seq2seq *m = (const tl_seq2seq *)model;
    kept *k = tl_zeroed(tape, sizeof *k);
    if (!k || !tl_state_init(&k->state, &kind, model, tape, source, options)) return NULL;
    tl_seq2seq_step_state begin;
    const tl_model_maps acting = {.stream[TL_ENCODER] = tl_state_streams(&k->state, TL_ENCODER, 0, 1)};
    tl_var memory = tl_seq2seq_encode(m, tape, source, &acting, &begin);
    k->src_lengths = tl_tape_memory(tape, (size_t)source->sentences * sizeof *k->src_lengths);
    if (!tl_ok(memory) || !k->src_lengths) return NULL;
    memcpy(k->src_lengths, source->src_lengths, (size_t)source->sentences * sizeof *k->src_lengths);
    k->h = for_rows(&k->state, begin.cell.h, 1);
    k->c = for_rows(&k->state, begin.cell.c, 1);
    k->fed = for_rows(&k->state, begin.fed, 0);
    k->context = for_rows(&k->state, begin.context, 0);
    tl_attention_maps maps;
    if (!m->config.no_attention)
        k->source =
            tl_attention_cache_of(&m->attention, memory, tl_state_maps(&k->state, TL_CROSS, 0, 0, 1, &maps));
    return tl_tape_error(tape) ? NULL : &k->state;
}
