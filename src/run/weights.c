/* A run's weights, and the limits that they set to its model before it is made. A folder may come from anywhere, and
 * its config.txt may ask for a model of any size. So no parameter is made that the weights' file does not hold in
 * exactly this shape, and the file's header was checked against the file's size. */
#include "base/quote.h"
#include "paths.h"
#include "run.h"

#include <string.h>

static const struct {
    const char *choice, *file;
} weights_files[] = {
    {"best", "model.safetensors"}, {"last", "last.safetensors"}, {"average", "average.safetensors"}};
enum { WEIGHTS_FILES = sizeof weights_files / sizeof *weights_files };

/* The path of the named weights; NULL, and a sentence, if there are none of that name. */
static const char *path_of(tl_run *run, const char *weights, char path[TL_PATH]) {
    for (int i = 0; i < WEIGHTS_FILES; i++)
        if (!strcmp(weights, weights_files[i].choice))
            return tl_path_in(path, run->dir, weights_files[i].file);
    tl_error_set(&run->error, "there are no weights \"%s\": say best, last, average, initial or none",
                 weights);
    return NULL;
}

static bool fail_missing(tl_run *run, const char *weights, const char *path) {
    char shown[TL_SHOWN];
    return tl_error_set(&run->error, "%s is not there: %s", tl_shown_path(path, shown),
                        !strcmp(weights, "average")
                            ? "train with --average N, or leave out --weights average"
                            : "training has not come to its first validation; go on with train --resume");
}

/* If no weights are asked for, the model is described by those that training resumes from. */
static tl_safetensors *open_any(tl_run *run, const char **prefix) {
    char path[TL_PATH];
    *prefix = "model.";
    if (tl_file_is_there(tl_path_in(path, run->dir, "checkpoint.safetensors")))
        return tl_checkpoint_open(path, &run->error);
    if (tl_file_is_there(tl_path_in(path, run->dir, "pretraining/checkpoint.safetensors")))
        return tl_checkpoint_open(path, &run->error);
    *prefix = "";
    for (int i = 0; i < WEIGHTS_FILES; i++)
        if (tl_file_is_there(tl_path_in(path, run->dir, weights_files[i].file)))
            return tl_safetensors_open(path, &run->error);
    return NULL;
}

bool tl_run_open_weights(tl_run *run, const char *weights, tl_safetensors **file, const char **prefix) {
    char path[TL_PATH];
    *file = NULL;
    if (!strcmp(weights, "none")) {
        *file = open_any(run, prefix);
        return !tl_failed(&run->error);
    }
    *prefix = "";
    if (!path_of(run, weights, path)) return false;
    if (!tl_file_is_there(path)) return fail_missing(run, weights, path);
    *file = tl_safetensors_open(path, &run->error);
    return *file != NULL;
}

bool tl_run_load_weights(tl_run *run, const char *weights) {
    char path[TL_PATH];
    if (!strcmp(weights, "none")) return true;
    return path_of(run, weights, path) && tl_params_map(run->params, path, &run->error);
}
