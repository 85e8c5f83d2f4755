/* A run's folder: writing its description before training starts, and reading it when the folder is opened. */
#include "base/quote.h"
#include "names.h"
#include "programs.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

bool tl_run_save_file(tl_run *run, char *text, size_t size, const char *file) {
    char path[TL_PATH];
    if (!text) return tl_error_set(&run->error, "out of memory for %s", file);
    bool ok = tl_file_write(tl_path_in(path, run->dir, file), text, size, &run->error);
    free(text);
    return ok;
}

bool tl_run_save_vocab(tl_run *run, const tl_vocab *vocab, const char *file) {
    size_t size = 0;
    char *text = tl_vocab_text(vocab, &size);
    return tl_run_save_file(run, text, size, file);
}

bool tl_run_save_codes(tl_run *run) {
    size_t size = 0;
    if (!run->bpe) return true;
    char *text = tl_bpe_text(run->bpe, &size);
    return tl_run_save_file(run, text, size, "codes.txt");
}

bool tl_run_save_settings(tl_run *run) {
    const tl_run_program *program = tl_run_program_of(run->settings.program, &run->error);
    char path[TL_PATH], comment[128];
    if (!program) return false;
    snprintf(comment, sizeof comment, TL_RUN_COMMENT "; %s reads it to make the model again.", program->name);
    tl_config *config = tl_config_new();
    tl_config_comment(config, comment);
    tl_options_write(program->options, &run->settings, config);
    bool ok = tl_config_write(config, tl_path_in(path, run->dir, "config.txt"), &run->error);
    tl_config_free(config);
    return ok;
}

bool tl_run_lock(tl_run *run) {
    if (!run->folder) run->folder = tl_folder_lock(run->dir, &run->error);
    return run->folder != NULL;
}

/* A folder never holds one model's weights with another's vocabulary, so the old model's files are removed first. */
bool tl_run_save_description(tl_run *run, bool overwrite) {
    const tl_run_program *program = tl_run_program_of(run->settings.program, &run->error);
    return program && tl_make_dirs(run->dir, &run->error) && tl_run_lock(run) &&
           tl_run_may_begin(run, overwrite) && tl_clear_strays(run->dir, &run->error) &&
           tl_run_clear_folder(run) && tl_run_save_settings(run) && program->save_text(run);
}

/* ---- reading ---- */

/* The program that a folder's config names; NULL, and a sentence, if there is none or another one is wanted. */
static const tl_run_program *program_of(tl_run *run, const char *path, const char *wanted) {
    const char *name = tl_config_string(run->config, "program", NULL);
    tl_error wrong = {""};
    char shown[TL_SHOWN];
    const tl_run_program *program = tl_run_program_of(name, &wrong);
    if (!program)
        tl_error_set(&run->error, "%s: %s", tl_shown_path(path, shown), wrong.message);
    else if (wanted && strcmp(wanted, program->name))
        tl_error_set(&run->error, "%s is a run of %s, and this is %s: open it with %s", run->dir,
                     program->name, wanted, program->name);
    return tl_failed(&run->error) ? NULL : program;
}

bool tl_run_load_settings(tl_run *run, const char *wanted) {
    char path[TL_PATH], shown[TL_SHOWN];
    tl_error wrong = {""};
    run->config = tl_config_read(tl_path_in(path, run->dir, "config.txt"), &run->error);
    const tl_run_program *program = run->config ? program_of(run, path, wanted) : NULL;
    if (!program) return false;
    run->settings = program->usual();
    if (!tl_options_read(program->options, &run->settings, run->config, path, program->name, &run->error))
        return false;
    return tl_run_settings_complete(&run->settings, &wrong) ||
           tl_error_set(&run->error, "%s: %s", tl_shown_path(path, shown), wrong.message);
}

bool tl_run_read_file(tl_run *run, const char *file, tl_run_file *read) {
    return tl_file_read_regular(tl_path_in(read->path, run->dir, file), TL_WORDS_MOST, &read->bytes,
                                &read->size, &run->error);
}

void tl_run_free_file(tl_run_file *file) { free(file->bytes); }

tl_vocab *tl_run_parse_vocab(tl_run *run, const tl_run_file *f) {
    tl_vocab *vocab = tl_vocab_parse(f->path, f->bytes, f->size);
    if (tl_vocab_error(vocab)) tl_error_set(&run->error, "%s", tl_vocab_error(vocab));
    return vocab;
}

bool tl_run_load_codes(tl_run *run) {
    tl_run_file codes = {.size = 0};
    if (!tl_run_read_file(run, "codes.txt", &codes)) return false;
    run->bpe = tl_bpe_parse(codes.path, codes.bytes, codes.size);
    tl_run_free_file(&codes);
    if (tl_bpe_error(run->bpe)) tl_error_set(&run->error, "%s", tl_bpe_error(run->bpe));
    return !tl_failed(&run->error);
}
