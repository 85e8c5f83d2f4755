/* What a run is made of: defaults and presets, what follows from what, and what does not go together. */
#include "run.h"
#include "training.h"

#include <string.h>

tl_run_settings tl_run_settings_default(void) {
    return (tl_run_settings){
        .data = {.max_length = 100, .sentences = 20000, .min_symbols = 1, .max_symbols = 10, .symbols = 20},
        .text = {.merges = 10000},
        .model = {.preset = "tiny",
                  .tie = "target",
                  .activation = "relu",
                  .positions = "sinusoidal",
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

/* Names that are not said are the usual ones. */
static void fill_names(tl_run_settings *s) {
    const tl_run_settings usual = tl_run_settings_default();
    if (!s->model.preset) s->model.preset = usual.model.preset;
    if (!s->model.tie) s->model.tie = usual.model.tie;
    if (!s->model.activation) s->model.activation = usual.model.activation;
    if (!s->model.positions) s->model.positions = usual.model.positions;
    if (!s->training.schedule) s->training.schedule = usual.training.schedule;
    if (!s->training.matmul_precision) s->training.matmul_precision = usual.training.matmul_precision;
    if (!s->validation.best_by) s->validation.best_by = usual.validation.best_by;
}

typedef struct preset {
    const char *name;
    long d_model, heads, layers, d_ff;
} preset;
static const preset presets[] = {
    {"toy", 64, 4, 2, 128}, {"tiny", 128, 4, 4, 256}, {"small", 256, 4, 3, 1024}, {"base", 512, 8, 6, 2048}};

static bool apply_preset(tl_model_settings *s, tl_error *error) {
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        const preset *p = &presets[i];
        if (strcmp(p->name, s->preset)) continue;
        if (!s->d_model) s->d_model = p->d_model;
        if (!s->heads) s->heads = p->heads;
        if (!s->layers) s->layers = p->layers;
        if (!s->d_ff) s->d_ff = p->d_ff;
        return true;
    }
    return tl_error_set(error, "there is no preset \"%s\"", s->preset);
}

/* One value for both sides fills in what is not said of one. What is made here consists of words already. */
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

static void fill_training(tl_training_settings *s) {
    if (!s->steps && !s->epochs && s->minutes <= 0) s->epochs = 10;
    if (!s->accumulate) s->accumulate = 1;
}

bool tl_run_settings_complete(tl_run_settings *settings, tl_error *error) {
    if (!settings) return tl_error_set(error, "there are no settings: give those of tl_run_settings_default");
    tl_model_settings *model = &settings->model;
    const tl_text_settings *text = &settings->text;
    if (settings->validation.average > TL_MOST_RECENT)
        return tl_error_set(error, "--average %ld: at most %d are possible", settings->validation.average,
                            TL_MOST_RECENT);
    fill_names(settings);
    if (!apply_preset(model, error)) return false;
    fill_text(&settings->text, settings->data.pair || settings->data.task);
    fill_training(&settings->training);
    if (!strcmp(model->tie, "all") && !text->joint)
        return tl_error_set(error, "--tie all needs --joint: one matrix cannot serve two vocabularies");
    if (text->joint && strcmp(text->src_units, text->tgt_units))
        return tl_error_set(error, "--joint needs the same units on both sides, not %s and %s",
                            text->src_units, text->tgt_units);
    if (model->d_model % model->heads)
        return tl_error_set(error,
                            "--d-model %ld does not split into --heads %ld: choose heads that divide it",
                            model->d_model, model->heads);
    return true;
}

const char *tl_pretokenize_of(const tl_run_settings *s, tl_side side) {
    return !s ? NULL : side == TL_SOURCE ? s->text.src_pretokenize : s->text.tgt_pretokenize;
}

const char *tl_units_of(const tl_run_settings *s, tl_side side) {
    return !s ? NULL : side == TL_SOURCE ? s->text.src_units : s->text.tgt_units;
}
