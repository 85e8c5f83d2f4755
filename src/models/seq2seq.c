/* The forward of a recurrent encoder and decoder (the formulas are in models.h). If the cell reads the attention's
 * result, the decoder computes step by step, by the same function as a state (seq2seq_state.c). Otherwise it computes
 * all words at once, and attention too. The bits are the same. */
#include "model.h"
#include "output.h"
#include "seq2seq.h"

#include "nn/layer.h"
#include "nn/place.h"
#include "tapeloom/op.h"

#include <limits.h>
#include <string.h>

static const tl_seq2seq *of(const tl_model *model) { return (const tl_seq2seq *)model; }

/* The batch must have the sides that the model reads. */
static bool has(const tl_seq2seq *m, tl_tape *tape, const char *side, const int *ids, const int *lengths) {
    if (!ids || !lengths)
        tl_tape_fail(tape, "%s: the batch has no %s or no %s_lengths", m->model.kind->name, side,
                     strncmp(side, "src", 3) ? "tgt" : "src");
    return ids && lengths;
}

tl_var tl_seq2seq_embed(const tl_seq2seq *model, tl_tape *tape, const tl_embedding_layer *embedding,
                        const int *ids, tl_shape shape) {
    tl_scope_enter(tape, embedding->name);
    tl_var y = tl_dropout(tl_embedding_forward(embedding, tape, ids, shape), model->config.dropout);
    tl_scope_leave(tape);
    return y;
}

/* ---- the encoder, and the decoder's first state ---- */

/* Layer l's last states of both directions, side by side: [B,2·D], from states [2·layers,B,D]. */
static tl_var both_ends(tl_var states, int l, long sentences, long d_model) {
    tl_var end[2];
    for (int way = 0; way < 2; way++)
        end[way] =
            tl_reshape(tl_slice(states, 0, 2 * l + way, 2 * l + way + 1), TL_SHAPE(sentences, d_model));
    return tl_concat(end, 2, -1);
}

static tl_var bridge(const tl_seq2seq *m, const tl_linear_layer *layer, tl_var states, long sentences) {
    const int layers = m->config.layers;
    tl_var *state = tl_tape_memory(states.tape, (size_t)layers * sizeof *state);
    if (!state || !layer) return tl_inert(states.tape);
    for (int l = 0; l < layers; l++)
        state[l] = tl_linear_forward(&layer[l], both_ends(states, l, sentences, m->config.d_model));
    return tl_stack(state, layers, 0);
}

static tl_recurrent_state begin_with(const tl_seq2seq *m, const tl_recurrent_state *last, long sentences) {
    if (!m->config.bidirectional) return *last;
    tl_recurrent_state s = {.h = tl_tanh(bridge(m, m->bridge_h, last->h, sentences)), .c = TL_NO_VAR};
    if (m->config.kind == TL_LSTM) s.c = bridge(m, m->bridge_c, last->c, sentences);
    return s;
}

tl_var tl_seq2seq_encode(const tl_seq2seq *m, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
                         tl_seq2seq_step_state *begin) {
    const long sentences = batch->sentences;
    tl_recurrent_state last;
    *begin = (tl_seq2seq_step_state){{TL_NO_VAR, TL_NO_VAR}, TL_NO_VAR, TL_NO_VAR};
    if (!has(m, tape, "src", batch->src, batch->src_lengths)) return tl_inert(tape);
    tl_var x = tl_seq2seq_embed(m, tape, &m->src_embedding, batch->src, TL_SHAPE(sentences, batch->src_len));
    x = tl_stream_put(tl_stream_of(maps, TL_ENCODER, 0), TL_PLACE_STREAM, x);
    tl_var memory = tl_recurrent_forward(&m->encoder, x, batch->src_lengths, NULL, &last);
    memory = tl_stream_put(tl_stream_of(maps, TL_ENCODER, 1), TL_PLACE_STREAM, memory);
    if (!tl_ok(memory)) return memory;
    begin->cell = begin_with(m, &last, sentences);
    if (m->config.feed_context)
        begin->context = tl_reshape(tl_recurrent_top(&m->encoder, &last), TL_SHAPE(sentences, 1, -1));
    if (m->config.input_feeding) begin->fed = tl_zeros(tape, TL_SHAPE(sentences, 1, m->config.d_model));
    return tl_ok(begin->cell.h) ? memory : tl_inert(tape);
}

/* ---- the parts of the decoder; in a step T is 1 ---- */

static tl_var beside(tl_var a, tl_var b) { return tl_concat((const tl_var[]){a, b}, 2, -1); }

/* o [B,T,D] from the states s [B,T,D], the contexts [B,T,·] and the words y [B,T,E]. */
static tl_var read_out(const tl_seq2seq *m, tl_var s, tl_var context, tl_var y) {
    if (!tl_seq2seq_has_readout(&m->config)) return s;
    const tl_var parts[] = {s, context, y};
    return tl_tanh(tl_linear_forward(&m->readout,
                                     tl_concat(parts, tl_seq2seq_readout_has_word(&m->config) ? 3 : 2, -1)));
}

static tl_var as_rows(tl_var x, long rows) { return tl_reshape(x, TL_SHAPE(rows, -1)); }
static tl_var as_steps(tl_var x, long rows) { return tl_reshape(x, TL_SHAPE(rows, 1, -1)); }

tl_var tl_seq2seq_step(const tl_seq2seq *m, tl_var y, tl_seq2seq_step_state *state, const tl_attended *seen) {
    const tl_seq2seq_config *c = &m->config;
    if (!tl_ok(y)) return y;
    const long rows = tl_value(y).dim[0];
    tl_var in = y, context = state->context;
    if (tl_seq2seq_query_is_previous(c))
        context = tl_attention_over(&m->attention,
                                    as_steps(tl_recurrent_top(&m->decoder, &state->cell), rows), seen);
    if (tl_seq2seq_query_is_previous(c) || c->feed_context) in = beside(y, context);
    if (c->input_feeding) in = beside(y, state->fed);
    state->cell = tl_recurrent_step(&m->decoder, as_rows(in, rows), &state->cell);
    tl_var s = as_steps(tl_recurrent_top(&m->decoder, &state->cell), rows);
    if (!c->no_attention && !tl_seq2seq_query_is_previous(c))
        context = tl_attention_over(&m->attention, s, seen);
    tl_var o = read_out(m, s, context, y);
    if (c->input_feeding) state->fed = o;
    return o;
}

/* ---- over whole sentences ---- */

/* One vector [B,1,M], repeated for each of `words` words: [B,words,M]. */
static tl_var for_each(tl_var context, long words) {
    tl_var *copies = tl_tape_memory(context.tape, (size_t)words * sizeof *copies);
    for (long t = 0; copies && t < words; t++) copies[t] = context;
    return copies ? tl_concat(copies, (int)words, 1) : tl_inert(context.tape);
}

static tl_var at_once(const tl_seq2seq *m, tl_var y, long words, const tl_seq2seq_step_state *begin,
                      const tl_attended *seen) {
    tl_var in = y, context = TL_NO_VAR;
    if (m->config.feed_context) context = for_each(begin->context, words), in = beside(y, context);
    tl_var s = tl_recurrent_forward(&m->decoder, in, NULL, &begin->cell, NULL);
    if (!m->config.no_attention) context = tl_attention_over(&m->attention, s, seen);
    return read_out(m, s, context, y);
}

/* The maps of each step, and memory for putting them together. */
typedef struct step_maps {
    tl_attention_maps *of_step;
    tl_var *var; /* [steps] */
    int steps;
} step_maps;

enum which { SCORES, PROBS, CONTEXT, OUTPUT, QUERIES };

static tl_var put_together(step_maps *s, enum which which) {
    for (int t = 0; t < s->steps; t++) {
        const tl_attention_maps *maps = &s->of_step[t];
        s->var[t] = which == SCORES    ? maps->scores
                    : which == PROBS   ? maps->probs
                    : which == CONTEXT ? maps->context
                    : which == QUERIES ? maps->q
                                       : maps->output;
    }
    tl_var all = tl_concat(s->var, s->steps, which == OUTPUT ? 1 : 2);
    if (tl_ok(all)) tl_keep_value(all);
    return all;
}

static void join_maps(step_maps *s, tl_attention_maps *maps) {
    maps->scores = tl_label(put_together(s, SCORES), "scores");
    maps->probs = tl_label(put_together(s, PROBS), "probs");
    maps->context = tl_label(put_together(s, CONTEXT), "context");
    maps->output = put_together(s, OUTPUT);
    if (tl_ok(s->of_step[0].q)) maps->q = put_together(s, QUERIES);
    maps->k = s->of_step[0].k;
    maps->v = s->of_step[0].v;
    maps->mask = s->of_step[0].mask;
    maps->layer = s->of_step[0].layer;
    maps->step = s->of_step;
}

static tl_var by_steps(const tl_seq2seq *m, tl_var y, long words, tl_seq2seq_step_state *state,
                       tl_attended *seen) {
    tl_tape *tape = y.tape;
    tl_attention_maps *maps = seen->maps;
    tl_var *o = tl_tape_memory(tape, (size_t)words * sizeof *o);
    step_maps steps = {.steps = (int)words, .var = tl_tape_memory(tape, (size_t)words * sizeof *steps.var)};
    if (maps) steps.of_step = tl_tape_memory(tape, (size_t)words * sizeof *steps.of_step);
    if (!o || !steps.var || (maps && !steps.of_step)) return tl_inert(tape);
    for (long t = 0; t < words; t++) {
        if (maps) {
            tl_place_at at = maps->at;
            at.from += t;
            steps.of_step[t] = tl_maps_interventions(maps, at);
            steps.of_step[t].keep_grad = maps->keep_grad;
            steps.of_step[t].keep = maps->keep;
            seen->maps = &steps.of_step[t];
        }
        o[t] = tl_seq2seq_step(m, tl_slice(y, 1, t, t + 1), state, seen);
    }
    if (maps && tl_ok(o[words - 1])) join_maps(&steps, maps);
    return tl_concat(o, (int)words, 1);
}

static tl_var decode(const tl_seq2seq *m, tl_tape *tape, const tl_batch *batch, tl_var memory,
                     tl_seq2seq_step_state *begin, const tl_model_maps *all_maps) {
    const tl_seq2seq_config *c = &m->config;
    const long words = batch->tgt_len;
    if (!has(m, tape, "tgt_in", batch->tgt_in, batch->tgt_lengths)) return tl_inert(tape);
    if (words < 1 || words > INT_MAX)
        return tl_tape_fail(tape, "%s: sentences of %ld words to write: should be 1 or more",
                            m->model.kind->name, words);
    tl_var y = tl_seq2seq_embed(m, tape, &m->tgt_embedding, batch->tgt_in, TL_SHAPE(batch->sentences, words));
    y = tl_stream_put(tl_stream_of(all_maps, TL_DECODER, 0), TL_PLACE_STREAM, y);
    const tl_mask mask = {.key_lengths = batch->src_lengths};
    tl_attention_maps *maps = tl_model_maps_of(all_maps, TL_CROSS);
    tl_attention_keys keys = {TL_NO_VAR, TL_NO_VAR};
    if (!c->no_attention) keys = tl_attention_keys_of(&m->attention, memory, &mask, maps);
    tl_attended seen = {.made = &keys, .mask = &mask, .maps = maps};
    const bool waits = tl_seq2seq_query_is_previous(c) || c->input_feeding;
    return waits ? by_steps(m, y, words, begin, &seen) : at_once(m, y, words, begin, &seen);
}

tl_var tl_seq2seq_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                         const tl_model_maps *maps) {
    const tl_seq2seq *m = of(model);
    tl_seq2seq_step_state begin;
    tl_var memory = tl_seq2seq_encode(m, tape, batch, maps, &begin);
    if (!tl_ok(memory)) return tl_inert(tape);
    tl_var o = decode(m, tape, batch, memory, &begin, maps);
    o = tl_stream_put(tl_stream_of(maps, TL_DECODER, 1), TL_PLACE_STREAM, o);
    if (!tl_seq2seq_has_readout(&m->config)) return tl_dropout(o, m->config.dropout);
    tl_scope_enter(tape, m->readout.name);
    o = tl_dropout(o, m->config.dropout);
    tl_scope_leave(tape);
    return o;
}

/* ---- words ---- */

static tl_output output_of(const tl_seq2seq *m) {
    return (tl_output){m->output_name, m->output_weight, m->output_bias};
}

tl_var tl_seq2seq_logits(const tl_model *model, tl_var hidden) {
    return tl_output_logits(output_of(of(model)), hidden);
}

tl_var tl_seq2seq_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                       const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps) {
    return tl_output_loss(output_of(of(model)), tl_seq2seq_hidden(model, tape, batch, maps), batch,
                          of(model)->config.label_smoothing, options, report);
}
