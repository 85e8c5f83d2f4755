/* A translator's settings: defaults, what follows from others, and what contradicts. */
#include "kinds.h"
#include "program_settings.h"
#include "translation.h"

#include <string.h>

tl_run_settings tl_translate_usual(void) {
    return (tl_run_settings){
        .data = {.max_length = 100, .sentences = 20000, .min_symbols = 1, .max_symbols = 10, .symbols = 20},
        .text = {.merges = 10000},
        .model = {.tie = "target",
                  .activation = "relu",
                  .positions = "sinusoidal",
                  .score = "scaled-dot",
                  .normaliser = "softmax",
                  .dropout = 0.1},
        .training = {.label_smoothing = 0.1,
                     .lr = 0.002,
                     .warmup = 800,
                     .warmup_from = 1e-7,
                     .beta2 = 0.98,
                     .clip = 5,
                     .schedule = "inverse-sqrt",
                     .matmul_precision = "highest",
                     .batch_tokens = 4096,
                     .accumulate = 1,
                     .seed = 1},
        .validation = {.best_by = "bleu", .samples = 2}};
}

/* Names that are not given get their defaults. */
static void fill_names(tl_run_settings *s) {
    const tl_run_settings usual = tl_translate_usual();
    if (!s->model.tie) s->model.tie = usual.model.tie;
    if (!s->model.activation) s->model.activation = usual.model.activation;
    if (!s->model.positions) s->model.positions = usual.model.positions;
    if (!s->model.score) s->model.score = usual.model.score;
    if (!s->model.normaliser) s->model.normaliser = usual.model.normaliser;
    if (!s->validation.best_by) s->validation.best_by = usual.validation.best_by;
}

/* A setting for both sides fills in what one side does not say. Sentences made here already consist of words. */
static void fill_text(tl_text_settings *s, bool made) {
    const char *pretokenize = s->pretokenize ? s->pretokenize : made ? "none" : "words";
    const char *units = s->units ? s->units : made ? "words" : "bpe";
    if (!s->src_pretokenize) s->src_pretokenize = pretokenize;
    if (!s->tgt_pretokenize) s->tgt_pretokenize = pretokenize;
    if (!s->src_units) s->src_units = units;
    if (!s->tgt_units) s->tgt_units = units;
    bool words = !strcmp(s->src_units, "words") || !strcmp(s->tgt_units, "words");
    if (!s->min_count) s->min_count = words && !made ? 2 : 1;
    if (!s->merges) s->merges = 10000;
}

void tl_data_settings_fill(tl_data_settings *s) {
    const tl_data_settings usual = tl_translate_usual().data;
    if (!s->sentences) s->sentences = usual.sentences;
    if (!s->min_symbols) s->min_symbols = usual.min_symbols;
    if (!s->max_symbols)
        s->max_symbols = usual.max_symbols > s->min_symbols ? usual.max_symbols : s->min_symbols;
    if (!s->symbols) s->symbols = usual.symbols;
}

/* Checks fields one by one; sizes that a preset may give, after it was applied. */
static bool check_fields(const tl_run_settings *s, tl_error *error) {
    if (!tl_options_check(tl_run_options, s, error) || !tl_training_settings_check(&s->training, error))
        return false;
    if (s->validation.average > TL_MOST_RECENT)
        return tl_error_set(error, "--average %ld: at most %d are possible", s->validation.average,
                            TL_MOST_RECENT);
    return tl_max_vocab_fits(&s->text, error);
}

static bool check_sizes(const tl_run_settings *s, tl_error *error) {
    const tl_size_limit sizes[] = {{"layers", s->model.layers, 1000},
                                   {"d-model", s->model.d_model, 65536},
                                   {"d-ff", s->model.d_ff, 262144},
                                   {"embedding", s->model.embedding, 65536},
                                   {"sentences", s->data.sentences, 10000000},
                                   {"max-symbols", s->data.max_symbols, TL_LONGEST_SENTENCE}};
    return TL_SIZES_WITHIN(sizes, error);
}

/* Positions that the encoder or the score cannot use, reported in the command line's words. */
static bool check_positions(const tl_model_settings *s, tl_error *error) {
    const char *encoder = s->encoder_positions ? s->encoder_positions : s->positions;
    const char *score = s->score ? s->score : "scaled-dot";
    const bool rotary = !strcmp(s->positions, "rotary") || !strcmp(encoder, "rotary");
    if (!strcmp(encoder, "alibi"))
        return tl_error_set(
            error, "alibi does not tell before from after, which the encoder, who sees both sides, must "
                   "know: give it --encoder-positions signed-alibi, which has a sign, or other ones");
    if (s->no_causal && !strcmp(s->positions, "alibi"))
        return tl_error_set(
            error, "--positions alibi does not tell before from after, which a decoder with --no-causal must "
                   "know: give it signed-alibi, which has a sign, or other ones");
    if (!tl_heads_fit(s, s->d_model, rotary, error)) return false;
    if (rotary && (!strcmp(score, "additive") || !strcmp(score, "uniform")))
        return tl_error_set(
            error,
            "rotary positions turn queries and keys, whose products tell of distances then: they need a "
            "--score that is a product, not %s",
            score);
    return true;
}

/* Settings of byte pairs need a side with byte pairs. */
static bool check_pairs(const tl_text_settings *s, tl_error *error) {
    const char *name = s->bpe_dropout > 0                ? "bpe-dropout"
                       : s->bpe_vocabulary_threshold > 0 ? "bpe-vocabulary-threshold"
                                                         : NULL;
    if (!name || !strcmp(s->src_units, "bpe") || !strcmp(s->tgt_units, "bpe")) return true;
    return tl_error_set(error, "--%s needs byte pairs, and neither side consists of them: say --units bpe",
                        name);
}

bool tl_translate_complete(tl_run_settings *settings, tl_error *error) {
    tl_model_settings *model = &settings->model;
    const tl_text_settings *text = &settings->text;
    fill_names(settings);
    if (!check_fields(settings, error)) return false;
    const tl_run_kind *kind = tl_run_kind_of(model, error);
    if (!kind || !kind->complete(model, error)) return false;
    tl_data_settings_fill(&settings->data);
    if (!check_sizes(settings, error)) return false;
    fill_text(&settings->text, settings->data.pair || settings->data.task);
    tl_training_end_fill(&settings->training);
    if (!strcmp(model->tie, "all") && !text->joint)
        return tl_error_set(error, "--tie all needs --joint: one matrix cannot serve two vocabularies");
    if (text->joint && strcmp(text->src_units, text->tgt_units))
        return tl_error_set(error, "--joint needs the same units on both sides, not %s and %s",
                            text->src_units, text->tgt_units);
    if (!check_pairs(text, error)) return false;
    return check_positions(model, error);
}

/* A program without this setting, such as a captioner, has lines of words with single spaces between them. */
static const char *text_or(const char *said, const char *otherwise) { return said ? said : otherwise; }

const char *tl_pretokenize_of(const tl_run_settings *s, tl_side side) {
    if (!s) return NULL;
    return text_or(side == TL_SOURCE ? s->text.src_pretokenize : s->text.tgt_pretokenize, "none");
}

const char *tl_units_of(const tl_run_settings *s, tl_side side) {
    if (!s) return NULL;
    return text_or(side == TL_SOURCE ? s->text.src_units : s->text.tgt_units, "words");
}
