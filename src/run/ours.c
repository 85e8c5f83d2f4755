/* Which files of a run's folder are a run's, and which may be replaced. Files are known by their names, and a folder as a run's by
 * its config.txt, which is written before all others. What is not ours is never removed and never written over. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

static const char *const weights[] = {"checkpoint.safetensors", "model.safetensors", "last.safetensors",
                                      "average.safetensors"};
static const char *const others[] = {"config.txt", "codes.txt", "vocab.src.txt", "vocab.tgt.txt",
                                     "log.csv",    "curves.gp", "curves.svg"};
enum { WEIGHTS = sizeof weights / sizeof *weights, OTHERS = sizeof others / sizeof *others };

bool tl_is_recent(const char *name, long *step) {
    char again[64];
    if (strncmp(name, "step-", 5)) return false;
    *step = 0;
    for (const char *c = name + 5; *c >= '0' && *c <= '9' && *step < TL_MOST_COUNT; c++)
        *step = 10 * *step + (*c - '0');
    snprintf(again, sizeof again, "step-%ld.safetensors", *step);
    return !strcmp(name, again);
}

static bool is_ours(const char *name) {
    long step;
    for (int i = 0; i < WEIGHTS; i++)
        if (!strcmp(name, weights[i])) return true;
    for (int i = 0; i < OTHERS; i++)
        if (!strcmp(name, others[i])) return true;
    return tl_is_recent(name, &step);
}

bool tl_clear_strays(const char *dir, tl_error *error) {
    char recent[TL_PATH];
    return tl_folder_clear_strays(dir, is_ours, error) &&
           tl_folder_clear_strays(tl_path_in(recent, dir, "recent"), is_ours, error);
}

/* ---- a new run's folder ---- */

/* Has a run written this? One whose lines somebody has damaged since still has its first. */
static bool is_a_runs(const char *path, tl_error *error) {
    tl_run_settings settings = tl_run_settings_default();
    char *text = NULL;
    size_t size = 0;
    tl_error wrong = {""};
    if (!tl_file_is_regular(path) || !tl_file_read(path, &text, &size, error)) return false;
    bool ours = !strncmp(text, "# " TL_RUN_COMMENT, strlen("# " TL_RUN_COMMENT));
    tl_config *config = ours ? NULL : tl_config_parse(text, size, path, &wrong);
    if (config)
        ours = tl_config_has(config, "batch-tokens") &&
               tl_options_read(tl_run_options, &settings, config, path, "translate", &wrong);
    tl_config_free(config);
    free(text);
    return ours;
}

bool tl_run_may_begin(tl_run *run, bool overwrite) {
    char path[TL_PATH], word[4 * TL_PATH];
    bool trained = false, there;
    for (int i = 0; i < WEIGHTS; i++, trained |= there)
        if (!tl_file_look(tl_path_in(path, run->dir, weights[i]), &there, &run->error)) return false;
    if (trained && !overwrite)
        return tl_error_set(
            &run->error,
            "%s holds a trained model already: choose another --out, say --overwrite, or go on "
            "with it by --resume %s",
            run->dir, tl_shell_word(run->dir, word, sizeof word));
    if (trained || is_a_runs(tl_path_in(path, run->dir, "config.txt"), &run->error)) return true;
    if (tl_failed(&run->error)) return false;
    for (int i = 0; i < OTHERS; i++) /* folders of these names are in nobody's way */
        if (tl_file_is_regular(tl_path_in(path, run->dir, others[i])))
            return tl_error_set(&run->error,
                                "%s is there, and no training has written it: choose another --out, or take "
                                "it away",
                                path);
    return true;
}

/* ---- away with an old run ---- */

static bool replace_recent(void *context, const char *name) {
    tl_run *run = context;
    char path[TL_PATH];
    long step;
    snprintf(path, sizeof path, "%s/recent/%s", run->dir, name);
    return !tl_is_recent(name, &step) || tl_file_remove(path, &run->error);
}

bool tl_run_clear_folder(tl_run *run) {
    char path[TL_PATH];
    for (int i = 0; i < WEIGHTS; i++)
        if (!tl_file_remove(tl_path_in(path, run->dir, weights[i]), &run->error)) return false;
    return tl_file_remove(tl_path_in(path, run->dir, "codes.txt"), &run->error) &&
           tl_file_remove(tl_path_in(path, run->dir, "curves.svg"), &run->error) &&
           tl_folder_each(tl_path_in(path, run->dir, "recent"), replace_recent, run, &run->error);
}
