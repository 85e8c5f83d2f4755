/* The part of a state that is the same for all models: counts steps, keeps maps, and copies and keeps rows. */
#include "state.h"

#include "nn/place.h"
#include "tapeloom/op.h"

#include <string.h>

void *tl_zeroed(tl_tape *tape, size_t bytes) {
    void *memory = tl_tape_memory(tape, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

/* ---- maps ---- */

tl_tensor *tl_zeroed_maps(tl_tape *tape, const tl_model *model, tl_attention_kind kind, tl_shape shape) {
    const int layers = model->attentions[kind];
    if (layers < 1) return NULL;
    tl_tensor *maps = tl_zeroed(tape, (size_t)layers * sizeof *maps);
    for (int l = 0; maps && l < layers; l++) {
        shape.dim[shape.rank - 3] = tl_model_heads(model, kind, l);
        maps[l] = tl_tensor_of(tl_zeroed(tape, (size_t)tl_shape_numel(shape) * sizeof(tl_real)), shape);
    }
    return maps;
}

void tl_copy_map_queries(tl_tensor to, long at, tl_tensor from, long steps) {
    tl_tensor_copy(tl_tensor_slice(to, 1, at, at + steps), tl_tensor_slice(from, 1, 0, steps));
}

static tl_tensor *make_maps(const tl_model_state *s, tl_attention_kind kind, long keys) {
    return tl_zeroed_maps(s->tape, s->model, kind, TL_SHAPE(s->sentences * s->each, 0, s->capacity, keys));
}

void tl_state_record(tl_model_state *s, tl_attention_kind kind, int layer, tl_tensor probs) {
    if (!s->maps[kind] || !probs.data) return;
    const long rows = s->sentences * s->each, keys = probs.dim[3];
    const long together = probs.dim[0] > 0 ? rows / probs.dim[0] : 0;
    const long count = together > 0 ? probs.dim[2] / together : 0;
    for (long r = 0; count > 0 && r < rows; r++) {
        const long q = r % together * count;
        tl_tensor to = tl_tensor_slice(tl_at(s->maps[kind][layer], r), 1, s->at, s->at + count);
        tl_tensor_copy(tl_tensor_slice(to, 2, 0, keys),
                       tl_tensor_slice(tl_at(probs, r / together), 1, q, q + count));
    }
}

static void copy_maps(tl_model_state *s, long to, long from) {
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; s->maps[kind] && l < s->model->attentions[kind]; l++)
            tl_copy_map_queries(tl_at(s->maps[kind][l], to), 0, tl_at(s->maps[kind][l], from), s->at);
}

tl_attention_maps *tl_state_maps(const tl_model_state *s, tl_attention_kind kind, int layer, long from,
                                 long each, tl_attention_maps *maps) {
    const tl_attention_maps *acting = tl_model_maps_of(&s->intervene, kind);
    *maps = tl_maps_interventions(acting ? acting + layer : NULL,
                                  (tl_place_at){.from = from, .each = each, .sentences = s->numbers});
    return s->maps[kind] || tl_maps_intervene(maps) ? maps : NULL;
}

tl_stream_maps *tl_state_stream(const tl_model_state *s, tl_stream_side side, int depth, long from, long each,
                                tl_stream_maps *maps) {
    if (!s->intervene.stream[side]) return NULL;
    *maps = tl_stream_interventions(&s->intervene.stream[side][depth],
                                    (tl_place_at){.from = from, .each = each, .sentences = s->numbers});
    return maps;
}

tl_stream_maps *tl_state_streams(const tl_model_state *s, tl_stream_side side, long from, long each) {
    const int depths = s->model->depths[side];
    if (!s->intervene.stream[side]) return NULL;
    tl_stream_maps *maps = tl_zeroed(s->tape, (size_t)(depths + 1) * sizeof *maps);
    for (int i = 0; maps && i < depths; i++) tl_state_stream(s, side, i, from, each, &maps[i]);
    return maps;
}

/* ---- from begin to end ---- */

bool tl_state_init(tl_model_state *s, const tl_model_state_kind *kind, const tl_model *model, tl_tape *tape,
                   const tl_batch *source, const tl_model_state_options *options) {
    *s = (tl_model_state){.kind = kind,
                          .model = model,
                          .tape = tape,
                          .sentences = source->sentences,
                          .each = options->each,
                          .capacity = options->capacity,
                          .numbers =
                              tl_tape_memory(tape, (size_t)(source->sentences + 1) * sizeof *s->numbers)};
    if (options->intervene) s->intervene = *options->intervene;
    for (long b = 0; s->numbers && b < s->sentences; b++) s->numbers[b] = b;
    if (!options->maps) return s->numbers != NULL;
    s->maps[TL_DECODER_SELF] = make_maps(s, TL_DECODER_SELF, s->capacity);
    s->maps[TL_CROSS] = make_maps(s, TL_CROSS, source->src_len);
    return !tl_tape_error(tape);
}

/* In checking mode, released memory is overwritten, and then not even `tape` can be read. */
static bool is_state(const tl_model_state *s) {
    return s && s->kind && s->tape && (uintptr_t)s->tape != UINTPTR_MAX;
}

bool tl_state_here(const tl_model_state *s, const char *who) {
    if (!is_state(s))
        tl_tape_fail(NULL, "%s: the state is NULL, or was forgotten: tl_model_begin makes one", who);
    else if (tl_tape_forgot(s->tape, s))
        tl_tape_fail(s->tape,
                     "%s: the state was forgotten by a tl_tape_reset or tl_tape_release; begin again", who);
    else
        return true;
    return false;
}

tl_var tl_model_step(tl_model_state *s, const int *words) {
    if (!tl_state_here(s, "tl_model_step")) return tl_inert(NULL);
    if (!words) return tl_tape_fail(s->tape, "%s: words are NULL", s->model->kind->name);
    if (s->at >= s->capacity)
        return tl_tape_fail(
            s->tape, "%s: the state was made for %ld steps, and they are taken; begin with a larger capacity",
            s->model->kind->name, s->capacity);
    tl_var logits = s->kind->step(s, words);
    s->at++;
    return logits;
}

/* Reads the words step by step. Only the values of the last step stay on the tape. */
static tl_var read_one_by_one(tl_model_state *s, const int *words, long count) {
    const long rows = s->sentences * s->each;
    int *one = tl_tape_memory(s->tape, (size_t)rows * sizeof *one);
    for (long t = 0; one; t++) {
        const tl_mark mark = tl_tape_mark(s->tape);
        for (long r = 0; r < rows; r++) one[r] = words[r * count + t];
        tl_var logits = tl_model_step(s, one);
        if (!tl_ok(logits) || t == count - 1) return logits;
        tl_tape_release(s->tape, mark);
    }
    return tl_inert(s->tape);
}

tl_var tl_model_read(tl_model_state *s, const int *words, long count) {
    if (!tl_state_here(s, "tl_model_read")) return tl_inert(NULL);
    if (!words || count < 1)
        return tl_tape_fail(s->tape, "%s: %ld words%s to be read: give one or more", s->model->kind->name,
                            count, words ? "" : " at NULL");
    if (count > s->capacity - s->at)
        return tl_tape_fail(s->tape,
                            "%s: %ld words more, but of the %ld steps that the state was made for %ld are "
                            "left; begin with a larger capacity",
                            s->model->kind->name, count, s->capacity, s->capacity - s->at);
    if (count == 1) return tl_model_step(s, words);
    if (!s->kind->read) return read_one_by_one(s, words, count);
    tl_var logits = s->kind->read(s, words, count);
    s->at += count;
    return logits;
}

void tl_model_copy_row(tl_model_state *s, long to, long from) {
    if (!tl_state_here(s, "tl_model_copy_row")) return;
    const long rows = s->sentences * s->each;
    if (to < 0 || from < 0 || to >= rows || from >= rows) {
        tl_tape_fail(s->tape, "tl_model_copy_row: row %ld to row %ld, but there are 0 … %ld", from, to,
                     rows - 1);
        return;
    }
    copy_maps(s, to, from);
    s->kind->copy_row(s, to, from);
}

/* Is kept[0] < kept[1] < …, and is each an existing sentence? */
static bool can_keep(const tl_model_state *s, const long *kept, long sentences) {
    bool can = sentences >= 0 && sentences <= s->sentences && (kept || sentences == 0);
    for (long i = 0; can && i < sentences; i++)
        can = kept[i] >= (i ? kept[i - 1] + 1 : 0) && kept[i] < s->sentences;
    if (!can)
        tl_tape_fail(s->tape, "tl_model_keep: should be some of sentences 0 … %ld, in ascending order",
                     s->sentences - 1);
    return can;
}

void tl_model_keep(tl_model_state *s, const long *kept, long sentences) {
    if (!tl_state_here(s, "tl_model_keep") || !can_keep(s, kept, sentences)) return;
    for (long i = 0; i < sentences * s->each; i++) {
        const long from = kept[i / s->each] * s->each + i % s->each;
        if (from != i) copy_maps(s, i, from);
    }
    s->kind->keep(s, kept, sentences);
    for (long b = 0; s->numbers && b < sentences; b++) s->numbers[b] = s->numbers[kept[b]];
    s->sentences = sentences;
}
