/* What a run is made of: defaults and presets, what follows from what, and settings as a config.txt. */
#include "options.h"

#include <string.h>

settings settings_default(void) {
    return (settings){.out = "runs/translate",
                      .model = "runs/translate",
                      .max_length = 100,
                      .merges = 10000,
                      .sentences = 20000,
                      .min_symbols = 1,
                      .max_symbols = 10,
                      .symbols = 20,
                      .preset = "tiny",
                      .tie = "target",
                      .activation = "relu",
                      .positions = "sinusoidal",
                      .dropout = 0.1,
                      .label_smoothing = 0.1,
                      .lr = 0.002,
                      .warmup = 800,
                      .warmup_from = 1e-7,
                      .beta2 = 0.98,
                      .clip = 5,
                      .schedule = "inverse-sqrt",
                      .matmul_precision = "highest",
                      .batch_tokens = 4096,
                      .accumulate = 1,
                      .best_by = "bleu",
                      .samples = 2,
                      .weights = "best",
                      .beam = 5,
                      .length_penalty = 1,
                      .seed = 1};
}

typedef struct preset {
    const char *name;
    long d_model, heads, layers, d_ff;
} preset;
static const preset presets[] = {
    {"toy", 64, 4, 2, 128}, {"tiny", 128, 4, 4, 256}, {"small", 256, 4, 3, 1024}, {"base", 512, 8, 6, 2048}};

static bool apply_preset(settings *s, tl_error *error) {
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
static void fill_text(settings *s) {
    bool made = s->pair || s->task;
    const char *pretokenize = s->pretokenize ? s->pretokenize : made ? "none" : "words";
    const char *units = s->units ? s->units : made ? "words" : "bpe";
    if (!s->src_pretokenize) s->src_pretokenize = pretokenize;
    if (!s->tgt_pretokenize) s->tgt_pretokenize = pretokenize;
    if (!s->src_units) s->src_units = units;
    if (!s->tgt_units) s->tgt_units = units;
    bool words = !strcmp(s->src_units, "words") || !strcmp(s->tgt_units, "words");
    if (!s->min_count) s->min_count = words && !made ? 2 : 1;
}

bool settings_complete(settings *s, tl_error *error) {
    if (!apply_preset(s, error)) return false;
    fill_text(s);
    if (!s->steps && !s->epochs && s->minutes <= 0) s->epochs = 10;
    if (!strcmp(s->tie, "all") && !s->joint)
        return tl_error_set(error, "--tie all needs --joint: one matrix cannot serve two vocabularies");
    if (s->joint && strcmp(s->src_units, s->tgt_units))
        return tl_error_set(error, "--joint needs the same units on both sides, not %s and %s", s->src_units,
                            s->tgt_units);
    if (s->d_model % s->heads)
        return tl_error_set(error,
                            "--d-model %ld does not split into --heads %ld: choose heads that divide it",
                            s->d_model, s->heads);
    if (!s->accumulate) s->accumulate = 1;
    if (!s->merges) s->merges = 10000;
    return true;
}

const char *pretokenize_of(const settings *s, tl_side side) {
    return side == TL_SOURCE ? s->src_pretokenize : s->tgt_pretokenize;
}

const char *units_of(const settings *s, tl_side side) {
    return side == TL_SOURCE ? s->src_units : s->tgt_units;
}

tl_bleu_tokens bleu_tokens_of(const settings *s) {
    tl_bleu_tokens tokens = TL_BLEU_NONE;
    if (s->tokenize)
        tl_bleu_tokens_parse(s->tokenize, &tokens);
    else if (!strcmp(s->tgt_units, "chars"))
        tokens = TL_BLEU_CHAR;
    else if (strcmp(s->tgt_pretokenize, "none"))
        tokens = TL_BLEU_13A;
    return tokens;
}

/* ---- config.txt ---- */

static bool is_one_of(const option *o, const char *const *names) {
    for (; *names; names++)
        if (!strcmp(o->name, *names)) return true;
    return false;
}

static bool is_kept(const option *o) { /* these say nothing about how a run is made */
    static const char *const not_kept[] = {"out", "overwrite", "resume", "threads", "quiet", NULL};
    return !is_one_of(o, not_kept);
}

void settings_write(const settings *s, tl_config *config) {
    for (const option *o = train_options; o->name || o->help; o++) {
        const void *f = (const char *)s + o->offset;
        if (!o->name || !is_kept(o)) continue;
        if (o->kind == OPTION_LONG) tl_config_set_long(config, o->name, *(const long *)f);
        if (o->kind == OPTION_DOUBLE || o->kind == OPTION_SHARE)
            tl_config_set_double(config, o->name, *(const double *)f);
        if (o->kind == OPTION_FLAG) tl_config_set_bool(config, o->name, *(const bool *)f);
        if (o->kind == OPTION_TEXT && *(const char *const *)f)
            tl_config_set_string(config, o->name, *(const char *const *)f);
    }
}

bool settings_read(settings *s, tl_config *config, const char *path, tl_error *error) {
    for (const option *o = train_options; o->name || o->help; o++) {
        if (!o->name || !is_kept(o)) continue;
        void *f = (char *)s + o->offset;
        if (o->kind == OPTION_LONG) *(long *)f = tl_config_long(config, o->name, *(long *)f);
        if (o->kind == OPTION_DOUBLE || o->kind == OPTION_SHARE)
            *(double *)f = tl_config_double(config, o->name, *(double *)f);
        if (o->kind == OPTION_FLAG) *(bool *)f = tl_config_bool(config, o->name, *(bool *)f);
        if (o->kind == OPTION_TEXT) *(const char **)f = tl_config_string(config, o->name, *(const char **)f);
        if (!option_allows(o, s))
            tl_error_set(error, "%s: %s = \"%s\": expected %s; correct the line", path, o->name,
                         tl_config_string(config, o->name, ""), option_expects(o));
    }
    long line = 0;
    const char *unknown = tl_config_unknown(config, 0, &line);
    if (tl_config_error(config)) return tl_error_set(error, "%s", tl_config_error(config));
    if (unknown)
        return tl_error_set(
            error,
            "%s line %ld: there is no setting \"%s\"; correct the line, or use the version of "
            "translate that wrote it",
            path, line, unknown);
    return !tl_failed(error);
}

/* What may be said anew when a run goes on: when it ends, how fast it learns, what is shown, where its files are now. */
static bool may_change(const option *o) {
    static const char *const may[] = {"resume",    "threads",        "quiet",     "steps", "epochs",
                                      "minutes",   "patience",       "samples",   "lr",    "clip",
                                      "train",     "train-src",      "train-tgt", "valid", "valid-src",
                                      "valid-tgt", "validate-every", NULL};
    return is_one_of(o, may);
}

bool settings_override(settings *s, bool resuming, tl_error *error) {
    static const char *const ends[] = {"steps", "epochs", "minutes", NULL};
    bool help = false;
    for (int i = 0; i < s->argc && resuming; i++) {
        if (strncmp(s->argv[i], "--", 2)) continue;
        const option *o = option_find(s->options, s->argv[i] + 2, strcspn(s->argv[i] + 2, "="));
        if (o && !may_change(o))
            return tl_error_set(
                error, "--%s cannot change while a run goes on: leave it out, or start a new run", o->name);
        if (o && is_one_of(o, ends))
            s->steps = s->epochs = 0, s->minutes = 0; /* a new end replaces the old one */
    }
    return options_parse(s->options, s->argc, s->argv, s, &help, error);
}
