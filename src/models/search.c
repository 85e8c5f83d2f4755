/* Search over any model: checks the options, sets limits and forbidden words, and takes the steps.
 *
 * The model is a tl_model_state, which reads a word per row and returns logits for the next. Words, limits, forced and
 * forbidden words are decided here, which hypotheses live on in hypotheses.c, and drawing in sample.c. */
#include "hypotheses.h"
#include "model.h"
#include "sample.h"
#include "state.h"

#include "tapeloom/op.h"

#include <math.h>
#include <string.h>

/* ---- options ---- */

static bool check_beam(tl_tape *tape, const tl_search_options *o, int width, int nbest) {
    if (o->sample && (nbest < 1 || nbest > TL_BEAM_MOST))
        tl_tape_fail(tape, "search: nbest is %d, should be 1 … %d samples (0 means 1)", nbest, TL_BEAM_MOST);
    else if (width < 1 || width > TL_BEAM_MOST)
        tl_tape_fail(tape, "search: beam is %d, should be 1 … %d (0 means %d; 4 to 10 are usual)", o->beam,
                     TL_BEAM_MOST, TL_BEAM_DEFAULT);
    else if (nbest < 1)
        tl_tape_fail(tape, "search: nbest is %d, should be 1 … %d, the beam's width (0 means 1)", o->nbest,
                     width);
    else if (nbest > width)
        tl_tape_fail(tape,
                     "search: nbest %d is more than the beam's %d hypotheses; make the beam as wide as nbest",
                     nbest, width);
    else if (!(o->length_penalty >= 0 && isfinite(o->length_penalty)))
        tl_tape_fail(tape, "search: length_penalty is %g, should be 0 (none) or more; 0.6 to 1 are usual",
                     o->length_penalty);
    else if (!(o->max_ratio >= 0 && isfinite(o->max_ratio)) || o->max_extra < 0)
        tl_tape_fail(tape,
                     "search: max_ratio is %g and max_extra %ld, should be 0 or more (both 0: 2·source + 10)",
                     o->max_ratio, o->max_extra);
    return !tl_tape_error(tape);
}

static bool check_sampling(tl_tape *tape, const tl_search_options *o) {
    if (o->no_repeat_ngram < 0)
        tl_tape_fail(tape, "search: no_repeat_ngram is %d, should be 0 (words may repeat) or more",
                     o->no_repeat_ngram);
    else if (!o->sample && (o->temperature != 0 || o->top_k != 0 || o->top_p != 0))
        tl_tape_fail(tape,
                     "search: temperature, top_k and top_p are for samples: set `sample`, or leave them 0");
    else
        return tl_check_sampling(tape, "search", &(tl_sampling){o->temperature, o->top_k, o->top_p});
    return false;
}

static bool is_word(const tl_model *model, int id) { return id >= 0 && id < model->tgt_vocab; }

static bool check_words(tl_tape *tape, const tl_model *model, const tl_search_options *o, long sentences) {
    if (o->bos < -1 || o->bos >= model->tgt_vocab || o->eos < -1 || o->eos >= model->tgt_vocab)
        return tl_tape_fail(tape, "search: bos is %d and eos %d: there are words 0 … %ld, and -1 for none",
                            o->bos, o->eos, model->tgt_vocab - 1),
               false;
    if (o->forbidden_count < 0 || (o->forbidden_count > 0 && !o->forbidden) || o->forced_length < 0)
        return tl_tape_fail(tape,
                            "search: %d forbidden words%s, forced_length %ld: give arrays and their lengths",
                            o->forbidden_count, o->forbidden ? "" : " at NULL", o->forced_length),
               false;
    for (int i = 0; i < o->forbidden_count; i++)
        if (!is_word(model, o->forbidden[i]))
            return tl_tape_fail(tape, "search: forbidden word %d: there are words 0 … %ld", o->forbidden[i],
                                model->tgt_vocab - 1),
                   false;
    for (long b = 0; b < sentences && (o->forced || o->bos < 0); b++) {
        const long length = !o->forced ? 0 : o->forced_lengths ? o->forced_lengths[b] : o->forced_length;
        if (length < 0 || length > o->forced_length)
            return tl_tape_fail(
                       tape, "search: sentence %ld has %ld forced words, should have 0 … %ld (forced_length)",
                       b, length, o->forced_length),
                   false;
        if (length == 0 && o->bos < 0)
            return tl_tape_fail(tape, "search: bos is -1, so sentence %ld must begin with a forced word", b),
                   false;
        for (long t = 0; t < length; t++)
            if (!is_word(model, o->forced[b * o->forced_length + t]))
                return tl_tape_fail(tape, "search: forced word %d of sentence %ld: there are words 0 … %ld",
                                    o->forced[b * o->forced_length + t], b, model->tgt_vocab - 1),
                       false;
    }
    return true;
}

/* Sets the most words of each sentence, and h->capacity to the largest of them. */
static bool set_limits(tl_hypotheses *h, const tl_model *model, const tl_batch *source) {
    const tl_search_options *o = h->options;
    const bool defaults = o->max_ratio <= 0 && o->max_extra <= 0;
    const double ratio = defaults ? 2 : o->max_ratio;
    const long extra = defaults ? 10 : o->max_extra;
    h->limits = tl_tape_memory(h->tape, (size_t)h->begun * sizeof *h->limits);
    for (long b = 0; b < h->begun && h->limits; b++) {
        const long length = source->src_lengths ? source->src_lengths[b] : source->src_len;
        double limit = ratio * (double)length + (double)extra;
        const long forced = tl_forced_length(h, b), least = o->bos < 0 && forced < 2 ? 2 : forced;
        if (limit < 1) limit = 1;
        if (limit < (double)least) limit = (double)least;
        h->limits[b] = (int)(limit > (double)model->max_len ? (double)model->max_len : limit);
        if (h->limits[b] > h->capacity) h->capacity = h->limits[b];
    }
    return h->limits != NULL;
}

/* Marks forbidden words. eos is not forbidden as one of the silent words, only if it is in `forbidden`. */
static bool set_forbidden(tl_hypotheses *h) {
    const tl_search_options *o = h->options;
    const int silent[] = {TL_PAD, o->bos > 0 ? o->bos : TL_BOS};
    if (o->forbidden_count <= 0 && o->any_word) return true;
    h->forbidden = tl_zeroed(h->tape, (size_t)h->vocab);
    for (int i = 0; h->forbidden && !o->any_word && i < 2; i++)
        if (silent[i] < h->vocab && silent[i] != h->eos) h->forbidden[silent[i]] = 1;
    for (int i = 0; h->forbidden && i < o->forbidden_count; i++) h->forbidden[o->forbidden[i]] = 1;
    return h->forbidden != NULL;
}

/* ---- the search ---- */

/* The word that each row reads before it writes word t. */
static void last_words(const tl_hypotheses *h, int *to, long t, int bos) {
    for (long r = 0; r < h->sentences * h->width; r++) to[r] = t > 0 ? h->ids[r * h->capacity + t - 1] : bos;
}

static bool step(tl_hypotheses *h, long t, int bos, long *going) {
    tl_mark mark = tl_tape_mark(h->tape); /* the step's values are released, the state stays */
    int *words = tl_tape_memory(h->tape, (size_t)(h->sentences * h->width) * sizeof *words);
    if (!words) return false;
    last_words(h, words, t, bos);
    tl_var logits = tl_model_step(h->state, words);
    if (!tl_ok(logits) || !tl_hypotheses_extend(h, tl_value(logits), t, going)) return false;
    tl_tape_release(h->tape, mark);
    return true;
}

static bool run(tl_hypotheses *h, const tl_model *model, const tl_batch *source) {
    const tl_search_options *o = h->options;
    /* false for the encoder, which reads all words at once */
    const bool reused = tl_tape_reuses_weights(h->tape);
    if (!set_limits(h, model, source) || !set_forbidden(h)) return false;
    if (tl_shape_numel(TL_SHAPE(h->begun, 2L * h->width, h->capacity)) < 0 ||
        tl_shape_numel(TL_SHAPE(h->begun, h->width, 2L * h->width)) < 0)
        return tl_tape_fail(h->tape,
                            "search: %ld sentences, %d hypotheses each, are more than memory can hold",
                            h->begun, h->width),
               false;
    h->state = tl_model_begin(model, h->tape, source,
                              &(tl_model_state_options){.each = h->width,
                                                        .capacity = h->capacity,
                                                        .maps = o->maps,
                                                        .no_cache = o->no_cache,
                                                        .intervene = o->intervene});
    if (!h->state || !tl_hypotheses_new(h, o->maps, source->src_len)) return false;
    tl_tape_set_reuse_weights(h->tape, true);
    const long first = o->bos < 0 ? 1 : 0; /* with bos -1 word 0 is given, and its log p does not count */
    for (long r = 0; r < first * h->begun * h->width; r++)
        h->ids[r * h->capacity] = tl_forced_word(h, r / h->width, 0);
    long going = h->begun;
    bool ok = true;
    for (long t = first; ok && t < h->capacity && going > 0; t++)
        ok = step(h, t, o->bos ? o->bos : TL_BOS, &going);
    tl_tape_set_reuse_weights(h->tape, reused);
    return ok;
}

static tl_search_result result_of(const tl_hypotheses *h) {
    return (tl_search_result){
        .sentences = h->begun,
        .nbest = h->nbest,
        .capacity = h->capacity,
        .ids = h->best_ids,
        .lengths = h->best_lengths,
        .score = h->best_score,
        .maps = {[TL_DECODER_SELF] = h->best_maps[TL_DECODER_SELF], [TL_CROSS] = h->best_maps[TL_CROSS]}};
}

bool tl_search(const tl_model *model, tl_tape *tape, const tl_batch *source, const tl_search_options *options,
               tl_search_result *result) {
    static const tl_search_options defaults = {0};
    const tl_search_options *o = options ? options : &defaults;
    tl_search_result own;
    if (!result) result = &own;
    *result = (tl_search_result){0};
    if (!tape || tl_tape_error(tape) || !tl_model_made(model, tape) || !tl_model_batch(tape, source) ||
        !tl_model_writes(model, tape))
        return false;
    if (source->sentences < 1) return tl_tape_fail(tape, "search: the batch has no sentences"), false;
    const int nbest = o->nbest ? o->nbest : 1;
    const int width = o->sample ? nbest : o->beam ? o->beam : TL_BEAM_DEFAULT;
    if (!check_beam(tape, o, width, nbest) || !check_sampling(tape, o) ||
        !check_words(tape, model, o, source->sentences))
        return false;
    tl_hypotheses h = {.tape = tape,
                       .options = o,
                       .eos = o->eos ? o->eos : TL_EOS,
                       .width = width,
                       .nbest = nbest,
                       .alpha = o->length_penalty,
                       .begun = source->sentences,
                       .vocab = model->tgt_vocab};
    const bool grad = tl_tape_set_grad(tape, false);
    const long training = tl_tape_set_training(tape, 0);
    const bool ok = run(&h, model, source);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    if (ok) *result = result_of(&h);
    return ok;
}
