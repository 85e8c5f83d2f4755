/* Names of the files in a run's folder. A name is a run's only if the run writes exactly this name; similar names
 * are other people's. */
#include "names.h"
#include "paths.h"

#include "tapeloom/run.h"

#include <limits.h>
#include <string.h>

const char *const tl_weight_files[] = {"checkpoint.safetensors",
                                       "model.safetensors",
                                       "last.safetensors",
                                       "average.safetensors",
                                       "pretraining/checkpoint.safetensors",
                                       "pretraining/model.safetensors",
                                       "pretraining/last.safetensors",
                                       NULL},
                  *const tl_text_files[] = {"codes.txt",  "vocab.src.txt", "vocab.tgt.txt", "vocab.txt",
                                            "vocab.json", "merges.txt",    "labels.txt",    NULL},
                  *const tl_other_files[] = {"config.txt", "log.csv",    "curves.gp", "curves.svg",
                                             "watch.csv",  "watch.html", NULL};

bool tl_is_recent(const char *name, long *step) {
    char again[64];
    if (strncmp(name, "step-", 5)) return false;
    *step = 0;
    for (const char *c = name + 5; *c >= '0' && *c <= '9' && *step < LONG_MAX / 1024; c++)
        *step = 10 * *step + (*c - '0');
    snprintf(again, sizeof again, "step-%ld.safetensors", *step);
    return !strcmp(name, again);
}

static bool is_among(const char *const *names, const char *name) {
    for (; *names; names++)
        if (!strcmp(*names, name)) return true;
    return false;
}

static bool is_ours(const char *name) {
    long step;
    return is_among(tl_weight_files, name) || is_among(tl_text_files, name) ||
           is_among(tl_other_files, name) || tl_is_recent(name, &step);
}

bool tl_clear_strays(const char *dir, tl_error *error) {
    char recent[TL_PATH];
    return tl_folder_clear_strays(dir, is_ours, error) &&
           tl_folder_clear_strays(tl_path_in(recent, dir, "recent"), is_ours, error);
}
