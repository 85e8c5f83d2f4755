#include "run.h"

#include <stdlib.h>
#include <string.h>

static void path_in(char *path, size_t size, const char *dir, const char *file) {
    snprintf(path, size, "%s/%s", dir, file);
}

static tl_tie tie_of(const char *text) {
    return !strcmp(text, "all") ? TL_TIE_ALL : !strcmp(text, "target") ? TL_TIE_TARGET : TL_TIE_NONE;
}

bool run_make_model(run *r) {
    const settings *s = &r->settings;
    r->params = tl_params_new((uint64_t)s->seed);
    r->model = tl_transformer_init(
        r->params, "",
        &(tl_transformer_config){.src_vocab = tl_vocab_size(r->source),
                                 .tgt_vocab = tl_vocab_size(r->target),
                                 .tie = tie_of(s->tie),
                                 .d_model = s->d_model,
                                 .d_ff = s->d_ff,
                                 .heads = (int)s->heads,
                                 .layers = (int)s->layers,
                                 .max_len = LONGEST_SENTENCE + 1,
                                 .activation = !strcmp(s->activation, "gelu") ? TL_GELU : TL_RELU,
                                 .positions = !strcmp(s->positions, "learned") ? TL_LEARNED : TL_SINUSOIDAL,
                                 .pre_norm = s->pre_norm,
                                 .no_final_norm = s->no_final_norm,
                                 .dropout = s->dropout,
                                 .attention_dropout = s->attention_dropout,
                                 .activation_dropout = s->activation_dropout,
                                 .label_smoothing = s->label_smoothing});
    r->tape = tl_tape_new();
    tl_tape_seed(r->tape, (uint64_t)s->seed);
    const char *wrong = tl_params_error(r->params);
    return wrong ? tl_error_set(&r->error, "%s", wrong) : true;
}

static bool save_vocab(run *r, const tl_vocab *vocab, const char *file) {
    char path[4096];
    size_t size;
    char *text = tl_vocab_text(vocab, &size);
    if (!text) return tl_error_set(&r->error, "%s: out of memory", file);
    path_in(path, sizeof path, r->settings.out, file);
    bool ok = tl_file_write(path, text, size, &r->error);
    free(text);
    return ok;
}

/* A folder never holds one model's weights beside another one's vocabulary: the old weights go first. */
static bool clear_folder(run *r) {
    static const char *const weights[] = {"model.safetensors", "last.safetensors"};
    char path[4096];
    for (int i = 0; i < 2; i++) {
        path_in(path, sizeof path, r->settings.out, weights[i]);
        FILE *there = fopen(path, "rb");
        if (!there) continue;
        fclose(there);
        if (!r->settings.overwrite)
            return tl_error_set(&r->error,
                                "%s holds a trained model already: choose another --out, or say --overwrite",
                                r->settings.out);
        if (remove(path)) return tl_error_set(&r->error, "cannot replace %s: remove it by hand", path);
    }
    return true;
}

bool run_save_description(run *r) {
    char path[4096];
    path_in(path, sizeof path, r->settings.out, "config.txt");
    tl_config *config = tl_config_new();
    tl_config_comment(config, "How this model was made; translate reads it to make the model again.");
    settings_write(&r->settings, config);
    bool ok = tl_make_dirs(r->settings.out, &r->error) && clear_folder(r) &&
              tl_config_write(config, path, &r->error) && save_vocab(r, r->source, "vocab.src.txt") &&
              save_vocab(r, r->target, "vocab.tgt.txt");
    tl_config_free(config);
    return ok;
}

bool run_save_weights(run *r, const char *file) {
    char path[4096];
    path_in(path, sizeof path, r->settings.out, file);
    return tl_params_save(r->params, path, NULL, 0, &r->error);
}

static tl_vocab *load_vocab(const char *dir, const char *file, tl_error *error) {
    char path[4096], *bytes;
    size_t size;
    path_in(path, sizeof path, dir, file);
    if (!tl_file_read(path, &bytes, &size, error)) return NULL;
    tl_vocab *vocab = tl_vocab_parse(path, bytes, size);
    free(bytes);
    if (tl_vocab_error(vocab)) tl_error_set(error, "%s", tl_vocab_error(vocab));
    return vocab;
}

bool run_load(run *r, const char *dir) {
    char path[4096];
    path_in(path, sizeof path, dir, "config.txt");
    r->config = tl_config_read(path, &r->error);
    if (!r->config) return false;
    long batch_tokens = r->settings.batch_tokens; /* training's own says nothing about translating */
    if (!settings_read(&r->settings, r->config, path, &r->error)) return false;
    r->settings.batch_tokens = batch_tokens;
    tl_error wrong = {""};
    if (!settings_complete(&r->settings, &wrong))
        return tl_error_set(&r->error, "%s: %s", path, wrong.message);
    r->source = load_vocab(dir, "vocab.src.txt", &r->error);
    r->target = load_vocab(dir, "vocab.tgt.txt", &r->error);
    if (tl_failed(&r->error) || !run_make_model(r)) return false;
    path_in(path, sizeof path, dir, "model.safetensors");
    return tl_params_load(r->params, path, &r->error);
}

void run_free(run *r) {
    tl_tape_free(r->tape);
    tl_params_free(r->params);
    if (r->target != r->source) tl_vocab_free(r->target);
    tl_vocab_free(r->source);
    tl_config_free(r->config);
}

tl_corpus *read_pairs(const char *path, const settings *s, bool drop_long, tl_error *error) {
    char *bytes, text[TL_REPORT_TEXT];
    size_t size;
    long longest = LONGEST_SENTENCE;
    if (drop_long && s->max_length && s->max_length < longest) longest = s->max_length;
    if (!tl_file_read(path, &bytes, &size, error)) return NULL;
    tl_corpus *corpus = tl_corpus_new();
    bool ok = tl_corpus_parse_tsv(
        corpus, bytes, size, &(tl_corpus_config){.name = path, .max_tokens = longest, .strict = s->strict});
    free(bytes);
    if (!ok) {
        tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
        tl_corpus_free(corpus);
        return NULL;
    }
    const tl_corpus_report *report = tl_corpus_last_report(corpus);
    if (report->pairs < report->lines && !s->quiet) fputs(tl_corpus_report_text(report, text), stderr);
    return corpus;
}

int fail_with(const char *message) {
    fprintf(stderr, "translate: %s\n", message);
    return 1;
}

int usage_with(const char *command, const char *message) {
    fprintf(stderr, "translate: %s; see translate %s --help\n", message, command);
    return 2;
}

tl_progress progress_of(const settings *s, const char *label) {
    return (tl_progress){.out = s->quiet ? NULL : stderr, .label = label};
}
