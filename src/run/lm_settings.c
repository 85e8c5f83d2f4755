/* A language model's settings: rows, defaults, what follows from others, and what contradicts. */
#include "lm.h"
#include "program_settings.h"

#include <string.h>

/* clang-format off */
#define ROW TL_ROW
#define ANEW TL_ROW_ANEW

const tl_option tl_lm_data_options[] = {
    ANEW("train", TEXT, data.train, "FILE", "text to learn; - is standard input"),
    ANEW("valid", TEXT, data.valid, "FILE", "text to validate on (the last part of --train)"),
    ROW("valid-share", SHARE, lm.valid_share, "P", "how much of --train that is; of lines so many drawn ones (0: 0.1)"),
    ROW("made", TEXT, lm.made, "en|fr|zh", "learn sentences of a small grammar, instead of a file"),
    ROW("sentences", LONG, data.sentences, "N", "made here: how many to train on (0: 20000)"),
    ROW("lines", FLAG, lm.lines, NULL, "each line is a text by itself (names, say), not part of a running one"),
    TL_OPTIONS_END};

const tl_option tl_lm_text_options[] = {
    ROW("units", TEXT, text.units, "chars|words|bpe", "what is foretold: characters, words, or byte pairs, from bytes up as GPT-2's"),
    ROW("merges", LONG, text.merges, "N", "byte pairs: merges to learn (0: 1000)"),
    ROW("tokenizer", TEXT, lm.tokenizer, "DIR", "byte pairs: take those of DIR's vocab.json and merges.txt"),
    ROW("min-count", LONG, text.min_count, "N", "chars, words: those seen less often become <unk> (0: 1, of words 2)"),
    ROW("max-vocab", LONG, text.max_vocab, "N", "chars, words: at most so many entries, 4 of them special (0: no limit)"),
    TL_OPTIONS_END};

const tl_option tl_lm_model_options[] = {
    ROW("preset", TEXT, model.preset, "toy|nano|small|gpt2",
        "sizes: toy d64, 4 heads, 2 layers; nano d128, 4 heads, 4 layers; small d256, 8 heads, 6 layers; "
        "gpt2 d768, 12 heads, 12 layers (nano)"),
    ROW("d-model", LONG, model.d_model, "N", "width (0: the preset's)"),
    ROW("heads", LONG, model.heads, "N", "attention heads (0: the preset's)"),
    ROW("layers", LONG, model.layers, "N", "layers (0: the preset's)"),
    ROW("d-ff", LONG, model.d_ff, "N", "width inside feed-forward (0: 4 d-model)"),
    ROW("context", LONG, lm.context, "N", "tokens that are read at once (0: 64; of lines what the longest needs)"),
    ROW("positions", TEXT, model.positions, "learned|sinusoidal|rotary|alibi|signed-alibi|relative|none",
        "how places are told: added to embeddings (learned, sinusoidal), or as distances to attention"),
    TL_OPTION_RARE(tl_run_settings, lm.vocab, "vocab", LONG, "N",
                   "rows of the embedding, where they are more than there are tokens (0: as many)"),
    ROW("no-feed-forward", FLAG, lm.no_feed_forward, NULL, "for study: layers of attention alone"),
    ROW("no-bias", FLAG, lm.no_bias, NULL, "no biases in layers and norms"),
    ROW("gelu-erf", FLAG, lm.gelu_erf, NULL, "the exact gelu, as nanoGPT has it, not GPT-2's, which is a formula with tanh"),
    ROW("untied", FLAG, lm.untied, NULL, "the output has a matrix of its own, not the embedding's"),
    TL_OPTION_RARE(tl_run_settings, model.normaliser, "normaliser", TEXT, "softmax|sigmoid",
                   "for study: what makes weights of scores (softmax); sigmoid: each for itself"),
    ROW("init-std", DOUBLE, lm.init_std, "S",
        "standard deviation that matrices begin with (0: GPT-2's 0.02 at its width, 0.02 sqrt(768 / d-model) at others)"),
    ROW("dropout", SHARE, model.dropout, "P", "on embeddings and sub-layer outputs"),
    ROW("attention-dropout", SHARE, model.attention_dropout, "P", "on attention probabilities"),
    TL_OPTIONS_END};

const tl_option tl_lm_training_options[] = {
    TL_OPTION_ROWS(tl_run_settings, training, tl_ending_options),
    ROW("batch", LONG, lm.batch, "N", "windows of --context tokens, or lines, in a batch (0: 12)"),
    TL_OPTION_ROWS(tl_run_settings, training, tl_learning_options),
    TL_OPTIONS_END};

const tl_option tl_lm_validation_options[] = {
    ANEW("validate-every", LONG, validation.validate_every, "N", "every so many updates (0: after each epoch)"),
    ROW("average", LONG, validation.average, "N", "average the weights of the last N validations at the end, at most 100 (0: don't)"),
    ANEW("samples", LONG, validation.samples, "N", "texts to write at each validation (0: none)"),
    TL_OPTIONS_END};

const tl_option tl_lm_options[] = {
    ROW("program", TEXT, program, "lm", "that the run is of"),
    TL_OPTION_MORE(tl_lm_data_options), TL_OPTION_MORE(tl_lm_text_options), TL_OPTION_MORE(tl_lm_model_options), TL_OPTION_MORE(tl_lm_training_options),
    TL_OPTION_MORE(tl_lm_validation_options),
    TL_DEMO_ROW,
    TL_OPTIONS_END};
/* clang-format on */

enum { LONGEST_CONTEXT = 65536 };

static const struct preset {
    const char *name;
    long d_model, heads, layers;
} presets[] = {{"toy", 64, 4, 2}, {"nano", 128, 4, 4}, {"small", 256, 8, 6}, {"gpt2", 768, 12, 12}};

tl_run_settings tl_lm_usual(void) {
    return (tl_run_settings){
        .program = "lm",
        .data = {.sentences = 20000},
        .text = {.units = "chars"},
        .model = {.preset = "nano", .positions = "learned", .normaliser = "softmax", .dropout = 0.1},
        .training = {.lr = 0.001,
                     .warmup = 100,
                     .beta2 = 0.99,
                     .clip = 1,
                     .schedule = "cosine",
                     .matmul_precision = "highest",
                     .accumulate = 1,
                     .seed = 1},
        .validation = {.best_by = "loss", .validate_every = 500, .samples = 1}};
}

static bool is(const char *text, const char *word) { return text && !strcmp(text, word); }

bool tl_lm_is_bpe(const tl_run *run) { return is(run->settings.text.units, "bpe"); }

static bool apply_preset(tl_model_settings *s, tl_error *error) {
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (!is(s->preset, presets[i].name)) continue;
        if (!s->d_model) s->d_model = presets[i].d_model;
        if (!s->heads) s->heads = presets[i].heads;
        if (!s->layers) s->layers = presets[i].layers;
        if (!s->d_ff) s->d_ff = 4 * s->d_model;
        return true;
    }
    return tl_error_set(error, "there is no preset \"%s\"", s->preset);
}

/* Replaces 0 and NULL by the defaults. */
static void fill(tl_run_settings *s) {
    const tl_run_settings usual = tl_lm_usual();
    tl_text_settings *text = &s->text;
    if (!text->units) text->units = usual.text.units;
    if (!text->merges) text->merges = 1000;
    if (!text->min_count) text->min_count = is(text->units, "words") ? 2 : 1;
    if (!s->model.preset) s->model.preset = usual.model.preset;
    if (!s->model.positions) s->model.positions = usual.model.positions;
    if (!s->model.normaliser) s->model.normaliser = usual.model.normaliser;
    if (s->lm.valid_share <= 0) s->lm.valid_share = 0.1;
    if (!s->lm.batch) s->lm.batch = 12;
    if (!s->lm.context && !s->lm.lines) s->lm.context = 64; /* with lines: known once they are read */
    if (!s->data.sentences) s->data.sentences = usual.data.sentences;
    tl_training_end_fill(&s->training);
}

static bool check_sizes(const tl_run_settings *s, tl_error *error) {
    const tl_size_limit sizes[] = {{"layers", s->model.layers, 1000},
                                   {"d-model", s->model.d_model, 65536},
                                   {"d-ff", s->model.d_ff, 262144},
                                   {"context", s->lm.context, LONGEST_CONTEXT},
                                   {"batch", s->lm.batch, 65536},
                                   {"vocab", s->lm.vocab, 10000000},
                                   {"sentences", s->data.sentences, 10000000},
                                   {"average", s->validation.average, TL_MOST_RECENT}};
    return TL_SIZES_WITHIN(sizes, error);
}

static bool check_text(const tl_run_settings *s, tl_error *error) {
    if (s->lm.tokenizer && !is(s->text.units, "bpe"))
        return tl_error_set(error, "--tokenizer is of byte pairs: say --units bpe too");
    if (s->lm.made && (s->data.train || s->data.valid))
        return tl_error_set(error, "--made makes its own sentences: leave out --train and --valid");
    return tl_max_vocab_fits(&s->text, error);
}

bool tl_lm_complete(tl_run_settings *s, tl_error *error) {
    if (!tl_options_check(tl_lm_options, s, error) || !tl_training_settings_check(&s->training, error))
        return false;
    fill(s);
    return apply_preset(&s->model, error) && check_sizes(s, error) &&
           tl_heads_fit(&s->model, s->model.d_model, is(s->model.positions, "rotary"), error) &&
           check_text(s, error);
}
