/* A state, whatever its model: counts the steps, keeps what attention looked at, and lets rows move. */
#include "state.h"

#include "tapeloom/op.h"

#include <string.h>

void *tl_zeroed(tl_tape *tape, size_t bytes) {
    void *memory = tl_tape_memory(tape, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

/* ---- maps ---- */

static tl_tensor *make_maps(const tl_model_state *s, int layers, long keys) {
    tl_tensor *maps = tl_zeroed(s->tape, (size_t)(layers + 1) * sizeof *maps);
    const tl_shape shape = TL_SHAPE(s->sentences * s->each, s->model->heads, s->capacity, keys);
    for (int l = 0; maps && l < layers; l++)
        maps[l] = tl_tensor_of(tl_zeroed(s->tape, (size_t)tl_shape_numel(shape) * sizeof(tl_real)), shape);
    return layers > 0 ? maps : NULL;
}

void tl_state_record(tl_model_state *s, tl_attention_kind kind, int layer, tl_tensor probs) {
    if (!s->maps[kind] || !probs.data) return;
    const long queries = probs.dim[2], keys = probs.dim[3];
    for (long n = 0; n < probs.dim[0]; n++)
        for (long q = 0; q < queries; q++) {
            tl_tensor to = tl_tensor_slice(tl_at(s->maps[kind][layer], n * queries + q), 1, s->at, s->at + 1);
            tl_tensor_copy(tl_tensor_slice(to, 2, 0, keys), tl_tensor_slice(tl_at(probs, n), 1, q, q + 1));
        }
}

static void copy_maps(tl_model_state *s, long to, long from) {
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; s->maps[kind] && l < s->model->attentions[kind]; l++)
            tl_tensor_copy(tl_tensor_slice(tl_at(s->maps[kind][l], to), 1, 0, s->at),
                           tl_tensor_slice(tl_at(s->maps[kind][l], from), 1, 0, s->at));
}

/* ---- life ---- */

bool tl_state_init(tl_model_state *s, const tl_model_state_kind *kind, const tl_model *model, tl_tape *tape,
                   const tl_batch *source, const tl_model_state_options *options) {
    *s = (tl_model_state){.kind = kind,
                          .model = model,
                          .tape = tape,
                          .sentences = source->sentences,
                          .each = options->each,
                          .capacity = options->capacity};
    if (!options->maps) return true;
    s->maps[TL_DECODER_SELF] = make_maps(s, model->attentions[TL_DECODER_SELF], s->capacity);
    s->maps[TL_CROSS] = make_maps(s, model->attentions[TL_CROSS], source->src_len);
    return !tl_tape_error(tape);
}

tl_model_state *tl_model_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                               const tl_model_state_options *options) {
    if (!tape || tl_tape_error(tape)) return NULL;
    tl_model_state_options o = *options;
    if (!o.each) o.each = 1;
    if (!model->kind->begin) {
        tl_tape_fail(tape, "%s: this kind of model writes no words", model->kind->name);
    } else if (source->sentences < 1 || o.each < 1 || o.capacity < 1) {
        tl_tape_fail(tape, "%s: a state of %ld sentences, %ld rows each, %ld steps: each should be 1 or more",
                     model->kind->name, source->sentences, o.each, o.capacity);
    } else if (o.capacity > model->max_len) {
        tl_tape_fail(tape, "%s: a state of %ld steps, but the model's max_len is %ld", model->kind->name,
                     o.capacity, model->max_len);
    } else {
        return o.no_cache ? tl_state_from_scratch(model, tape, source, &o)
                          : model->kind->begin(model, tape, source, &o);
    }
    return NULL;
}

tl_var tl_model_step(tl_model_state *s, const int *words) {
    if (s->at >= s->capacity)
        return tl_tape_fail(
            s->tape, "%s: the state was made for %ld steps, and they are taken; begin with a larger capacity",
            s->model->kind->name, s->capacity);
    tl_var logits = s->kind->step(s, words);
    s->at++;
    return logits;
}

void tl_model_copy_row(tl_model_state *s, long to, long from) {
    copy_maps(s, to, from);
    s->kind->copy_row(s, to, from);
}

void tl_model_keep(tl_model_state *s, const long *kept, long sentences) {
    for (long i = 0; i < sentences * s->each; i++) {
        const long from = kept[i / s->each] * s->each + i % s->each;
        if (from != i) copy_maps(s, i, from);
    }
    s->kind->keep(s, kept, sentences);
    s->sentences = sentences;
}
