/* Which folder is a run's, and which of its files may be replaced. Files are recognised by name (names.h), a folder
 * by its config.txt, which is written first. Other people's files are never removed or overwritten. */
#include "names.h"
#include "paths.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* ---- a new run's folder ---- */

/* Was this config.txt written by a run? If its later lines were damaged, the first one still says so. */
static bool is_config_of_run(const char *path, tl_error *error) {
    tl_run_settings settings = tl_run_settings_default(); /* older ones name no program */
    char *text = NULL;
    size_t size = 0;
    tl_error wrong = {""};
    if (!tl_file_is_regular(path) || !tl_file_read_regular(path, TL_CONFIG_MOST, &text, &size, error))
        return false;
    bool ours = !strncmp(text, "# " TL_RUN_COMMENT, strlen("# " TL_RUN_COMMENT));
    tl_config *config = ours ? NULL : tl_config_parse(text, size, path, &wrong);
    if (config)
        ours = tl_config_has(config, "batch-tokens") &&
               tl_options_read(tl_run_options, &settings, config, path, "translate", &wrong);
    tl_config_free(config);
    free(text);
    return ours;
}

/* Fails if a file has one of these names; folders with them are harmless. */
static bool has_none_of(tl_run *run, const char *const *files) {
    char path[TL_PATH];
    for (; *files; files++)
        if (tl_file_is_regular(tl_path_in(path, run->dir, *files)))
            return tl_error_set(&run->error,
                                "%s is there, and no training has written it: choose another --out, or take "
                                "it away",
                                path);
    return true;
}

bool tl_run_may_begin(tl_run *run, bool overwrite) {
    char path[TL_PATH], word[4 * TL_PATH];
    bool trained = false, there;
    for (int i = 0; tl_weight_files[i]; i++, trained |= there)
        if (!tl_file_look(tl_path_in(path, run->dir, tl_weight_files[i]), &there, &run->error)) return false;
    if (trained && !overwrite)
        return tl_error_set(
            &run->error,
            "%s holds a trained model already: choose another --out, say --overwrite, or go on "
            "with it by --resume %s",
            run->dir, tl_shell_word(run->dir, word, sizeof word));
    if (trained || is_config_of_run(tl_path_in(path, run->dir, "config.txt"), &run->error)) return true;
    if (tl_failed(&run->error)) return false;
    return has_none_of(run, tl_other_files) && has_none_of(run, tl_text_files);
}

/* ---- removing an old run ---- */

static bool replace_recent(void *context, const char *name) {
    tl_run *run = context;
    char path[TL_PATH];
    long step;
    snprintf(path, sizeof path, "%s/recent/%s", run->dir, name);
    return !tl_is_recent(name, &step) || tl_file_remove(path, &run->error);
}

bool tl_run_clear_folder(tl_run *run) {
    char path[TL_PATH];
    for (int i = 0; tl_weight_files[i]; i++)
        if (!tl_file_remove(tl_path_in(path, run->dir, tl_weight_files[i]), &run->error)) return false;
    for (int i = 0; tl_text_files[i]; i++)
        if (!tl_file_remove(tl_path_in(path, run->dir, tl_text_files[i]), &run->error)) return false;
    static const char *const drawn[] = {"curves.svg", "watch.csv", "watch.html", "pretraining/watch.csv",
                                        "pretraining/watch.html"};
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        if (!tl_file_remove(tl_path_in(path, run->dir, drawn[i]), &run->error)) return false;
    return tl_folder_each(tl_path_in(path, run->dir, "recent"), replace_recent, run, &run->error);
}
