/* Classifiers: from a sentence to states (a Transformer's, a GRU's, or the embeddings), to one vector, to class logits.
 * Pooling is attention with one learnt query, or uniform attention: a mean. So padding is masked in the same way for
 * all kinds, and their weights can be looked at in the same way. Only [CLS] is different: its state is taken as it
 * is. */
#include "classifier.h"
#include "model.h"
#include "output.h"
#include "stacks.h"
#include "state.h"

#include "nn/layer.h"
#include "nn/place.h"
#include "tapeloom/op.h"

#include <math.h>

static const tl_classifier *of(const tl_model *model) { return (const tl_classifier *)model; }

/* ---- checks of the inputs ---- */

static bool is_made(const tl_classifier *m, tl_tape *tape) {
    return tl_layer_made(tape, m ? m->model.name : NULL, "tl_classifier_init");
}

static bool check_lengths(const tl_classifier *m, tl_tape *tape, const tl_batch *batch) {
    const char *name = m->model.kind->name;
    if (!batch->src || !batch->src_lengths)
        return tl_tape_fail(tape, "%s: the batch has no src or no src_lengths", name), false;
    if (tl_shape_numel(TL_SHAPE(batch->sentences, batch->src_len + 1, m->config.d_model)) < 0)
        return tl_tape_fail(tape,
                            "%s: a batch of %ld sentences, %ld long, has more elements than memory can hold",
                            name, batch->sentences, batch->src_len),
               false;
    if (batch->src_len > m->config.max_len)
        return tl_tape_fail(tape,
                            "%s: a batch of sentences %ld long, but max_len is %ld; make the model with a "
                            "larger max_len or leave out longer sentences",
                            name, batch->src_len, m->config.max_len),
               false;
    for (long b = 0; b < batch->sentences; b++)
        if (batch->src_lengths[b] < 0 || batch->src_lengths[b] > batch->src_len)
            return tl_tape_fail(tape, "%s: src_lengths[%ld] is %d, should be 0 … %ld, what the batch is long",
                                name, b, batch->src_lengths[b], batch->src_len),
                   false;
    return true;
}

static bool can_read(const tl_classifier *m, tl_tape *tape, const tl_batch *batch) {
    return is_made(m, tape) && tl_model_batch(tape, batch) && check_lengths(m, tape, batch);
}

static bool check_labels(const tl_classifier *m, tl_tape *tape, const tl_batch *batch) {
    const char *name = m->model.kind->name;
    if (!batch->labels)
        return tl_tape_fail(tape, "%s: the batch has no labels: give a class of each sentence", name), false;
    for (long b = 0; b < batch->sentences; b++)
        if (batch->labels[b] < 0 || batch->labels[b] >= m->config.classes)
            return tl_tape_fail(tape, "%s: label %d of sentence %ld is outside 0 … %ld", name,
                                batch->labels[b], b, m->config.classes - 1),
                   false;
    return true;
}

static bool has_head(const tl_classifier *m, tl_tape *tape) {
    if (m->config.classes) return true;
    tl_tape_fail(tape, "%s: it was made without classes, for masked tokens alone", m->model.kind->name);
    return false;
}

/* ---- states ---- */

/* The layer's only row, for each sentence: [B,1,D]. */
static tl_var for_each(const tl_embedding_layer *layer, tl_tape *tape, long sentences) {
    int *zeros = tl_zeroed(tape, (size_t)(sentences + 1) * sizeof *zeros);
    return zeros ? tl_embedding_forward(layer, tape, zeros, TL_SHAPE(sentences, 1)) : tl_inert(tape);
}

static tl_var embed(const tl_classifier *m, tl_tape *tape, const tl_batch *batch) {
    const bool cls = tl_classifier_has_cls(&m->config);
    tl_scope_enter(tape, m->embedding.name);
    tl_var x =
        tl_embedding_forward(&m->embedding, tape, batch->src, TL_SHAPE(batch->sentences, batch->src_len));
    if (cls) x = tl_concat((const tl_var[]){for_each(&m->cls, tape, batch->sentences), x}, 2, 1);
    if (m->config.kind == TL_CLASSIFY_TRANSFORMER) {
        x = tl_scale(x, sqrt((double)m->config.d_model));
        if (m->positions.kind != TL_NO_POSITIONS)
            x = tl_add(x, tl_positions_forward(&m->positions, tape, 0, batch->src_len + cls));
    }
    x = tl_dropout(x, m->config.dropout);
    tl_scope_leave(tape);
    return x;
}

static tl_var by_transformer(const tl_classifier *m, tl_var x, const tl_batch *batch,
                             const tl_model_maps *maps) {
    const bool cls = tl_classifier_has_cls(&m->config);
    int *lengths = tl_tape_memory(x.tape, (size_t)(batch->sentences + 1) * sizeof *lengths);
    for (long b = 0; lengths && b < batch->sentences; b++) lengths[b] = batch->src_lengths[b] + cls;
    if (!lengths) return tl_inert(x.tape);
    return tl_encoder_over(&m->encoder, x, &(tl_mask){.key_lengths = lengths}, maps);
}

/* The states, from a batch that has been checked. */
static tl_var encode(const tl_classifier *m, tl_tape *tape, const tl_batch *batch,
                     const tl_model_maps *maps) {
    tl_var x = embed(m, tape, batch);
    switch (m->config.kind) {
    case TL_CLASSIFY_TRANSFORMER:
        return by_transformer(m, x, batch, maps);
    case TL_CLASSIFY_GRU:
        x = tl_stream_put(tl_stream_of(maps, TL_ENCODER, 0), TL_PLACE_STREAM, x);
        x = tl_recurrent_forward(&m->recurrent, x, batch->src_lengths, NULL, NULL);
        return tl_stream_put(tl_stream_of(maps, TL_ENCODER, 1), TL_PLACE_STREAM, x);
    default:
        return tl_stream_put(tl_stream_of(maps, TL_ENCODER, 0), TL_PLACE_STREAM, x);
    }
}

tl_var tl_classifier_encode(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                            const tl_model_maps *maps) {
    return can_read(model, tape, batch) ? encode(model, tape, batch, maps) : tl_inert(tape);
}

/* ---- one vector, and the logits ---- */

/* states [B,S,D] to [B,D] */
static tl_var pool(const tl_classifier *m, tl_var states, const tl_batch *batch, const tl_model_maps *maps) {
    if (!tl_ok(states)) return states;
    const tl_tensor value = tl_value(states);
    const tl_shape one = TL_SHAPE(value.dim[0], value.dim[2]);
    if (tl_classifier_has_cls(&m->config)) return tl_reshape(tl_slice(states, 1, 0, 1), one);
    tl_var query = m->query.name ? for_each(&m->query, states.tape, batch->sentences)
                                 : tl_zeros(states.tape, TL_SHAPE(one.dim[0], 1, one.dim[1]));
    return tl_reshape(tl_attention_forward(&m->pooling, query, states,
                                           &(tl_mask){.key_lengths = batch->src_lengths},
                                           tl_model_maps_of(maps, TL_CROSS)),
                      one);
}

/* The input of the head: [B,D]. */
static tl_var hidden(const tl_classifier *m, tl_tape *tape, const tl_batch *batch,
                     const tl_model_maps *maps) {
    tl_var y = pool(m, encode(m, tape, batch, maps), batch, maps);
    for (int l = 0; m->config.kind == TL_CLASSIFY_AVERAGE && l < m->config.layers; l++)
        y = tl_tanh(m->hidden ? tl_linear_forward(&m->hidden[l], y) : tl_inert(tape));
    tl_scope_enter(tape, m->head.name ? m->head.name : m->model.name);
    y = tl_dropout(y, m->config.dropout);
    tl_scope_leave(tape);
    return y;
}

tl_var tl_classifier_logits(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                            const tl_model_maps *maps) {
    if (!can_read(model, tape, batch) || !has_head(model, tape)) return tl_inert(tape);
    return tl_linear_forward(&model->head, hidden(model, tape, batch, maps));
}

tl_var tl_classifier_loss(const tl_classifier *model, tl_tape *tape, const tl_batch *batch) {
    if (!is_made(model, tape)) return tl_inert(tape);
    return tl_model_loss(&model->model, tape, batch, NULL, NULL, NULL);
}

/* ---- the functions of tl_model_kind ---- */

tl_var tl_classifier_model_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                  const tl_model_maps *maps) {
    return can_read(of(model), tape, batch) ? hidden(of(model), tape, batch, maps) : tl_inert(tape);
}

tl_var tl_classifier_model_logits(const tl_model *model, tl_var x) {
    return has_head(of(model), x.tape) ? tl_linear_forward(&of(model)->head, x) : tl_inert(x.tape);
}

tl_var tl_classifier_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                const tl_loss_options *options, tl_loss_report *report,
                                const tl_model_maps *maps) {
    const tl_classifier *m = of(model);
    tl_loss_options o = options ? *options : (tl_loss_options){0};
    o.label_smoothing = m->config.label_smoothing;
    o.ignore = false; /* class 0 counts like any other, even if pad is 0 */
    if (!has_head(m, tape) || !can_read(m, tape, batch) || !check_labels(m, tape, batch))
        return tl_inert(tape);
    tl_var logits = tl_classifier_logits(m, tape, batch, maps);
    tl_scope_enter(tape, m->head.name);
    tl_var loss = tl_cross_entropy(logits, batch->labels, &o, report);
    tl_scope_leave(tape);
    return tl_label(loss, "loss");
}

/* ---- masked tokens ---- */

static tl_output output_of(const tl_classifier *m) {
    return (tl_output){m->output_name, m->output_weight, m->output_bias};
}

static bool predicts_words(const tl_classifier *m, tl_tape *tape) {
    if (m->config.masked_tokens) return true;
    tl_tape_fail(tape, "%s: it was made without a projection to words: set masked_tokens",
                 m->model.kind->name);
    return false;
}

tl_var tl_classifier_masked_logits(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                                   const tl_model_maps *maps) {
    if (!can_read(model, tape, batch) || !predicts_words(model, tape)) return tl_inert(tape);
    const bool cls = tl_classifier_has_cls(&model->config);
    tl_var words = tl_slice(encode(model, tape, batch, maps), 1, cls, batch->src_len + cls);
    return tl_output_logits(output_of(model), words);
}

/* The chosen words of a batch: their rows among all B·P states, and the original words. */
typedef struct chosen {
    int *row, *word;
    long count;
} chosen;

static bool find_chosen(const tl_classifier *m, tl_tape *tape, const tl_batch *masked, chosen *found) {
    const long cls = tl_classifier_has_cls(&m->config), places = masked->src_len + cls,
               most = masked->sentences * masked->src_len;
    if (!masked->tgt_out || masked->tgt_len != masked->src_len)
        return tl_tape_fail(tape, "%s: the batch has no masked tokens: tl_mask_tokens makes one that has",
                            m->model.kind->name),
               false;
    if (masked->sentences * places > INT32_MAX)
        return tl_tape_fail(tape, "%s: %ld sentences, %ld long, are too many for one batch",
                            m->model.kind->name, masked->sentences, masked->src_len),
               false;
    found->row = tl_tape_memory(tape, (size_t)(most + 1) * sizeof *found->row);
    found->word = tl_tape_memory(tape, (size_t)(most + 1) * sizeof *found->word);
    if (!found->row || !found->word) return false;
    for (long i = 0; i < most; i++) {
        const long b = i / masked->src_len, t = i % masked->src_len;
        if (t >= masked->src_lengths[b] || masked->tgt_out[i] == masked->pad) continue;
        found->row[found->count] = (int)(b * places + cls + t);
        found->word[found->count++] = masked->tgt_out[i];
    }
    return true;
}

tl_var tl_classifier_masked_loss(const tl_classifier *model, tl_tape *tape, const tl_batch *masked,
                                 const tl_loss_options *options, tl_loss_report *report,
                                 const tl_model_maps *maps) {
    chosen found = {0};
    if (!can_read(model, tape, masked) || !predicts_words(model, tape) ||
        !find_chosen(model, tape, masked, &found))
        return tl_inert(tape);
    tl_var states = tl_reshape(encode(model, tape, masked, maps), TL_SHAPE(-1, model->config.d_model));
    tl_batch words = *masked;
    words.tgt_out = found.word;
    return tl_output_loss(output_of(model), tl_embedding(states, found.row, TL_SHAPE(found.count)), &words,
                          options ? options->label_smoothing : 0, options, report);
}
