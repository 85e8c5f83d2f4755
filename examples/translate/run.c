#define _POSIX_C_SOURCE 200809L /* opendir */
#include "run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char *run_path(char path[PATH_SIZE], const char *dir, const char *file) {
    snprintf(path, PATH_SIZE, "%s/%s", dir, file);
    return path;
}

static tl_tie tie_of(const char *text) {
    return !strcmp(text, "all") ? TL_TIE_ALL : !strcmp(text, "target") ? TL_TIE_TARGET : TL_TIE_NONE;
}

bool run_make_model(run *r, bool with_weights) {
    const settings *s = &r->settings;
    r->params = with_weights ? tl_params_new((uint64_t)s->seed) : tl_params_new_empty();
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
    tl_tape_set_seed(r->tape, (uint64_t)s->seed);
    tl_matmul_precision precision = TL_HIGHEST;
    tl_matmul_precision_of(s->matmul_precision, &precision);
    tl_tape_set_matmul_precision(r->tape, precision);
    const char *wrong = tl_params_error(r->params);
    if (!wrong) wrong = tl_tape_error(r->tape);
    return wrong ? tl_error_set(&r->error, "%s", wrong) : true;
}

static bool save_text(run *r, char *text, size_t size, const char *file) {
    char path[PATH_SIZE];
    if (!text) return tl_error_set(&r->error, "%s: out of memory", file);
    bool ok = tl_file_write(run_path(path, r->settings.out, file), text, size, &r->error);
    free(text);
    return ok;
}

static bool save_vocab(run *r, const tl_vocab *vocab, const char *file) {
    size_t size = 0;
    char *text = tl_vocab_text(vocab, &size);
    return save_text(r, text, size, file);
}

static bool save_codes(run *r) {
    size_t size = 0;
    if (!r->bpe) return true;
    char *text = tl_bpe_text(r->bpe, &size);
    return save_text(r, text, size, "codes.txt");
}

/* What --average has kept of the model that was here. Its weights alone are no model: nobody need be asked. */
static bool clear_recent(run *r) {
    char folder[PATH_SIZE], path[2 * PATH_SIZE];
    DIR *listed = opendir(run_path(folder, r->settings.out, "recent"));
    bool ok = true;
    for (struct dirent *e; listed && ok && (e = readdir(listed)) != NULL;) {
        if (strncmp(e->d_name, "step-", 5)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (remove(path)) ok = tl_error_set(&r->error, "cannot replace %s: remove it by hand", path);
    }
    if (listed) closedir(listed);
    return ok;
}

/* A folder never holds one model's weights beside another one's vocabulary: what belongs to the old one goes first. */
static bool clear_folder(run *r) {
    static const char *const files[] = {"checkpoint.safetensors", "model.safetensors", "last.safetensors",
                                        "average.safetensors",    "codes.txt",         "curves.svg"};
    char path[PATH_SIZE], word[WORD_SIZE];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *there = fopen(run_path(path, r->settings.out, files[i]), "rb");
        if (!there) continue;
        fclose(there);
        if (!r->settings.overwrite)
            return tl_error_set(
                &r->error,
                "%s holds a trained model already: choose another --out, say --overwrite, or go on "
                "with it by --resume %s",
                r->settings.out, shell_word(word, r->settings.out));
        if (remove(path)) return tl_error_set(&r->error, "cannot replace %s: remove it by hand", path);
    }
    return clear_recent(r);
}

bool run_save_settings(run *r) {
    char path[PATH_SIZE];
    tl_config *config = tl_config_new();
    tl_config_comment(config, "How this model was made; translate reads it to make the model again.");
    settings_write(&r->settings, config);
    bool ok = tl_config_write(config, run_path(path, r->settings.out, "config.txt"), &r->error);
    tl_config_free(config);
    return ok;
}

bool run_save_description(run *r) {
    return tl_make_dirs(r->settings.out, &r->error) && clear_folder(r) && run_save_settings(r) &&
           save_codes(r) && save_vocab(r, r->source, "vocab.src.txt") &&
           save_vocab(r, r->target, "vocab.tgt.txt");
}

bool run_save_weights(run *r, const char *file) {
    char path[PATH_SIZE];
    return tl_params_save(r->params, run_path(path, r->settings.out, file), NULL, 0, &r->error);
}

bool run_load_settings(run *r, const char *dir, bool resuming) {
    char path[PATH_SIZE];
    settings *s = &r->settings;
    const settings said = *s;
    r->config = tl_config_read(run_path(path, dir, "config.txt"), &r->error);
    if (!r->config || !settings_read(s, r->config, path, &r->error)) return false;
    if (!resuming) s->batch_tokens = said.batch_tokens; /* training's own says nothing about translating */
    tl_error wrong = {""};
    if (!settings_override(s, resuming, &wrong)) return tl_error_set(&r->error, "%s", wrong.message);
    if (!settings_complete(s, &wrong)) return tl_error_set(&r->error, "%s: %s", path, wrong.message);
    return true;
}

typedef struct text_file {
    char path[PATH_SIZE], *bytes;
    size_t size;
} text_file;

static tl_vocab *parse_vocab(const text_file *f, tl_error *error) {
    tl_vocab *vocab = tl_vocab_parse(f->path, f->bytes, f->size);
    if (tl_vocab_error(vocab)) tl_error_set(error, "%s", tl_vocab_error(vocab));
    return vocab;
}

/* Two sides with the same words, as --joint has them, share one vocabulary. */
static void load_vocabs(run *r, const char *dir) {
    text_file source = {.size = 0}, target = {.size = 0};
    if (tl_file_read(run_path(source.path, dir, "vocab.src.txt"), &source.bytes, &source.size, &r->error) &&
        tl_file_read(run_path(target.path, dir, "vocab.tgt.txt"), &target.bytes, &target.size, &r->error)) {
        const bool same = source.size == target.size && !memcmp(source.bytes, target.bytes, source.size);
        r->source = parse_vocab(&source, &r->error);
        r->target = same ? r->source : parse_vocab(&target, &r->error);
    }
    free(source.bytes);
    free(target.bytes);
}

static tl_bpe *load_codes(const char *dir, tl_error *error) {
    char path[PATH_SIZE], *bytes;
    size_t size;
    if (!tl_file_read(run_path(path, dir, "codes.txt"), &bytes, &size, error)) return NULL;
    tl_bpe *bpe = tl_bpe_parse(path, bytes, size);
    free(bytes);
    if (tl_bpe_error(bpe)) tl_error_set(error, "%s", tl_bpe_error(bpe));
    return bpe;
}

bool run_load_text(run *r, const char *dir) {
    const settings *s = &r->settings;
    if (!strcmp(s->src_units, "bpe") || !strcmp(s->tgt_units, "bpe")) r->bpe = load_codes(dir, &r->error);
    if (!tl_failed(&r->error)) load_vocabs(r, dir);
    return !tl_failed(&r->error);
}

/* The weights that --weights names; where training has not come so far, a sentence that says so. */
static bool load_weights(run *r, const char *dir) {
    static const char *const file[][2] = {
        {"best", "model.safetensors"}, {"last", "last.safetensors"}, {"average", "average.safetensors"}};
    char path[PATH_SIZE] = "";
    for (int i = 0; i < 3; i++)
        if (!strcmp(r->settings.weights, file[i][0])) run_path(path, dir, file[i][1]);
    if (tl_params_map(r->params, path, &r->error)) return true;
    FILE *there = fopen(path, "rb");
    if (there) return fclose(there), false;
    r->error = (tl_error){""}; /* what follows says more than that a file cannot be opened */
    const char *why = !strcmp(r->settings.weights, "average")
                          ? "train with --average N, or leave out --weights average"
                          : "training has not come to its first validation; go on with train --resume";
    return tl_error_set(&r->error, "%s is not there: %s", path, why);
}

bool run_load(run *r, const char *dir) {
    return run_load_settings(r, dir, false) && run_load_text(r, dir) && run_make_model(r, false) &&
           load_weights(r, dir);
}

void run_free(run *r) {
    tl_tape_free(r->tape);
    tl_params_free(r->params);
    if (r->target != r->source) tl_vocab_free(r->target);
    tl_vocab_free(r->source);
    tl_bpe_free(r->bpe);
    tl_config_free(r->config);
}

double seconds_now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

char *shell_word(char to[WORD_SIZE], const char *word) {
    static const char special[] = "\t\n !\"#$&'()*;<=>?[\\]^`{|}~";
    const bool plain = *word && !strpbrk(word, special);
    size_t n = 0;
    if (!plain) to[n++] = '\'';
    for (; *word && n + 6 < WORD_SIZE; word++) {
        if (*word == '\'') memcpy(to + n, "'\\'", 3), n += 3; /* ends the quotes, and begins them again */
        to[n++] = *word;
    }
    if (!plain) to[n++] = '\'';
    to[n] = 0;
    return to;
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

tl_progress progress_of_sentences(const settings *s, const char *label, long sentences) {
    tl_progress progress = progress_of(s, label);
    progress.total = sentences;
    progress.unit = "sentence";
    progress.no_loss = true;
    progress.after = 1;
    return progress;
}
