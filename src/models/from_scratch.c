/* A state that keeps only the words. Each step computes everything again, as a batch of prefixes. It uses only a
 * model's `hidden` and `logits`, so it works for every model. It computes what training computes, so states with caches
 * are compared with it, to the bit. */
#include "state.h"

#include "tapeloom/op.h"

#include <string.h>

typedef struct scratch {
    tl_model_state state;
    tl_batch batch; /* the source and prefix of each row */
    int *words;     /* [rows,capacity] */
    int *prefix;    /* [rows,steps] the words so far without gaps: batch.tgt_in */
    int *lengths;   /* [rows] lengths of the prefixes */
    int *src, *src_lengths;
} scratch;

static scratch *of(tl_model_state *state) { return (scratch *)state; }

static bool intervenes(const tl_model_state *state) {
    const tl_model_maps *m = &state->intervene;
    return m->encoder_self || m->decoder_self || m->cross || m->stream[TL_ENCODER] || m->stream[TL_DECODER];
}

/* Maps for every layer, with the gates and replacements of state->intervene; positions count from 0. */
static tl_model_maps acting_maps(const tl_model_state *state) {
    tl_model_maps maps = tl_model_maps_new(state->model, state->tape, false);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) {
        tl_attention_maps *of_kind = tl_model_maps_of(&maps, (tl_attention_kind)kind);
        for (int l = 0; of_kind && l < state->model->attentions[kind]; l++)
            tl_state_maps(state, (tl_attention_kind)kind, l, 0, state->each, &of_kind[l]);
    }
    for (int side = 0; side < TL_STREAM_SIDES; side++)
        maps.stream[side] = tl_state_streams(state, (tl_stream_side)side, 0, state->each);
    return maps;
}

static tl_var read_words(tl_model_state *state, const int *words, long count) {
    scratch *s = of(state);
    const long rows = state->sentences * state->each, steps = state->at + count;
    for (long r = 0; r < rows; r++) {
        memcpy(s->words + r * state->capacity + state->at, words + r * count, (size_t)count * sizeof *words);
        memcpy(s->prefix + r * steps, s->words + r * state->capacity, (size_t)steps * sizeof *words);
        s->lengths[r] = (int)steps;
    }
    s->batch.sentences = s->batch.pictures.dim[0] = rows;
    s->batch.tgt_len = steps;
    tl_model_maps maps = {0};
    const bool looked_at = state->maps[TL_DECODER_SELF] || state->maps[TL_CROSS] || intervenes(state);
    if (looked_at) maps = acting_maps(state);
    const tl_model_kind *kind = state->model->kind;
    tl_var hidden = kind->hidden(state->model, state->tape, &s->batch, looked_at ? &maps : NULL);
    for (int k = TL_DECODER_SELF; looked_at && tl_ok(hidden) && k <= TL_CROSS; k++)
        for (int l = 0; l < state->model->attentions[k]; l++) {
            tl_tensor probs = tl_value(tl_model_maps_of(&maps, (tl_attention_kind)k)[l].probs);
            tl_state_record(state, (tl_attention_kind)k, l, tl_tensor_slice(probs, 2, state->at, steps));
        }
    tl_var logits = kind->logits(state->model, tl_slice(hidden, 1, steps - 1, steps));
    return tl_reshape(logits, TL_SHAPE(rows, state->model->tgt_vocab));
}

static tl_var step(tl_model_state *state, const int *words) { return read_words(state, words, 1); }

static void copy_row(tl_model_state *state, long to, long from) {
    int *words = of(state)->words;
    memcpy(words + to * state->capacity, words + from * state->capacity, (size_t)state->at * sizeof *words);
}

static void keep(tl_model_state *state, const long *kept, long sentences) {
    scratch *s = of(state);
    const long length = s->batch.src_len;
    for (long r = 0; r < sentences * state->each; r++) {
        const long from = kept[r / state->each] * state->each + r % state->each;
        if (from == r) continue;
        copy_row(state, r, from);
        memcpy(s->src + r * length, s->src + from * length, (size_t)length * sizeof *s->src);
        s->src_lengths[r] = s->src_lengths[from];
        if (s->batch.pictures.data)
            tl_tensor_copy(tl_at(s->batch.pictures, r), tl_at(s->batch.pictures, from));
    }
}

static const tl_model_state_kind kind = {step, copy_row, keep, read_words};

/* Copies each sentence's source (words or a picture) to each of its rows. */
static void copy_sources(scratch *s, const tl_batch *source) {
    const long length = source->src_len;
    for (long r = 0; r < s->state.sentences * s->state.each; r++) {
        const long from = r / s->state.each;
        if (source->src)
            memcpy(s->src + r * length, source->src + from * length, (size_t)length * sizeof *s->src);
        if (source->src_lengths) s->src_lengths[r] = source->src_lengths[from];
        if (s->batch.pictures.data)
            tl_tensor_copy(tl_at(s->batch.pictures, r), tl_at(source->pictures, from));
    }
}

static tl_tensor room_for_pictures(tl_tape *tape, tl_tensor pictures, long rows) {
    if (!pictures.data) return pictures;
    tl_shape shape = tl_shape_of(pictures);
    shape.dim[0] = rows;
    return tl_tape_tensor(tape, shape);
}

tl_model_state *tl_state_from_scratch(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                      const tl_model_state_options *options) {
    const long rows = source->sentences * options->each;
    scratch *s = tl_zeroed(tape, sizeof *s);
    if (!s || !tl_state_init(&s->state, &kind, model, tape, source, options)) return NULL;
    s->words = tl_zeroed(tape, (size_t)(rows * options->capacity) * sizeof *s->words);
    s->prefix = tl_zeroed(tape, (size_t)(rows * options->capacity) * sizeof *s->prefix);
    s->lengths = tl_zeroed(tape, (size_t)rows * sizeof *s->lengths);
    s->src = tl_zeroed(tape, (size_t)(rows * source->src_len + 1) * sizeof *s->src);
    s->src_lengths = tl_zeroed(tape, (size_t)rows * sizeof *s->src_lengths);
    s->batch = (tl_batch){.src_len = source->src_len,
                          .src = source->src ? s->src : NULL,
                          .src_lengths = source->src_lengths ? s->src_lengths : NULL,
                          .tgt_in = s->prefix,
                          .tgt_lengths = s->lengths,
                          .pictures = room_for_pictures(tape, source->pictures, rows),
                          .pad = source->pad};
    if (tl_tape_error(tape)) return NULL;
    copy_sources(s, source);
    return &s->state;
}
