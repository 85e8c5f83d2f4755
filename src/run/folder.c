/* A run's folder: its description, which is written before training starts, and what is read when it is opened. */
#include "names.h"
#include "paths.h"
#include "base/quote.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

static const char program[] = "translate"; /* that these folders belong to */

/* ---- writing ---- */

static bool save_text(tl_run *run, char *text, size_t size, const char *file) {
    char path[TL_PATH];
    if (!text) return tl_error_set(&run->error, "out of memory for %s", file);
    bool ok = tl_file_write(tl_path_in(path, run->dir, file), text, size, &run->error);
    free(text);
    return ok;
}

static bool save_vocab(tl_run *run, const tl_vocab *vocab, const char *file) {
    size_t size = 0;
    char *text = tl_vocab_text(vocab, &size);
    return save_text(run, text, size, file);
}

static bool save_codes(tl_run *run) {
    size_t size = 0;
    if (!run->bpe) return true;
    char *text = tl_bpe_text(run->bpe, &size);
    return save_text(run, text, size, "codes.txt");
}

bool tl_run_save_settings(tl_run *run) {
    char path[TL_PATH];
    tl_config *config = tl_config_new();
    tl_config_comment(config, TL_RUN_COMMENT "; translate reads it to make the model again.");
    tl_options_write(tl_run_options, &run->settings, config);
    bool ok = tl_config_write(config, tl_path_in(path, run->dir, "config.txt"), &run->error);
    tl_config_free(config);
    return ok;
}

bool tl_run_lock(tl_run *run) {
    if (!run->folder) run->folder = tl_folder_lock(run->dir, &run->error);
    return run->folder != NULL;
}

/* A folder never holds one model's weights beside another one's vocabulary: what belongs to the old one goes first. */
bool tl_run_save_description(tl_run *run, bool overwrite) {
    return tl_make_dirs(run->dir, &run->error) && tl_run_lock(run) && tl_run_may_begin(run, overwrite) &&
           tl_clear_strays(run->dir, &run->error) && tl_run_clear_folder(run) && tl_run_save_settings(run) &&
           save_codes(run) && save_vocab(run, run->vocab[TL_SOURCE], "vocab.src.txt") &&
           save_vocab(run, run->vocab[TL_TARGET], "vocab.tgt.txt");
}

/* ---- reading ---- */

bool tl_run_load_settings(tl_run *run) {
    char path[TL_PATH], shown[TL_SHOWN];
    tl_error wrong = {""};
    run->settings = tl_run_settings_default();
    run->config = tl_config_read(tl_path_in(path, run->dir, "config.txt"), &run->error);
    if (!run->config ||
        !tl_options_read(tl_run_options, &run->settings, run->config, path, program, &run->error))
        return false;
    return tl_run_settings_complete(&run->settings, &wrong) ||
           tl_error_set(&run->error, "%s: %s", tl_shown_path(path, shown), wrong.message);
}

typedef struct text_file {
    char path[TL_PATH], *bytes;
    size_t size;
} text_file;

static bool read_text(text_file *f, const char *dir, const char *file, tl_error *error) {
    return tl_file_read_regular(tl_path_in(f->path, dir, file), TL_WORDS_MOST, &f->bytes, &f->size, error);
}

static tl_vocab *parse_vocab(const text_file *f, tl_error *error) {
    tl_vocab *vocab = tl_vocab_parse(f->path, f->bytes, f->size);
    if (tl_vocab_error(vocab)) tl_error_set(error, "%s", tl_vocab_error(vocab));
    return vocab;
}

/* Two sides with the same words, as `joint` has them, share one vocabulary. */
static void load_vocabs(tl_run *run) {
    text_file source = {.size = 0}, target = {.size = 0};
    if (read_text(&source, run->dir, "vocab.src.txt", &run->error) &&
        read_text(&target, run->dir, "vocab.tgt.txt", &run->error)) {
        const bool same = source.size == target.size && !memcmp(source.bytes, target.bytes, source.size);
        run->vocab[TL_SOURCE] = parse_vocab(&source, &run->error);
        run->vocab[TL_TARGET] = same ? run->vocab[TL_SOURCE] : parse_vocab(&target, &run->error);
    }
    free(source.bytes);
    free(target.bytes);
}

static void load_codes(tl_run *run) {
    text_file codes = {.size = 0};
    if (!read_text(&codes, run->dir, "codes.txt", &run->error)) return;
    run->bpe = tl_bpe_parse(codes.path, codes.bytes, codes.size);
    free(codes.bytes);
    if (tl_bpe_error(run->bpe)) tl_error_set(&run->error, "%s", tl_bpe_error(run->bpe));
}

bool tl_run_load_text(tl_run *run) {
    const tl_run_settings *s = &run->settings;
    if (!strcmp(s->text.src_units, "bpe") || !strcmp(s->text.tgt_units, "bpe")) load_codes(run);
    if (!tl_failed(&run->error)) load_vocabs(run);
    return !tl_failed(&run->error) && tl_run_know_pieces(run);
}
