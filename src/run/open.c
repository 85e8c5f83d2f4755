/* Opening a folder as a run: first the description, then the model, no larger than the weights in the folder, then
 * the weights. */
#include "programs.h"

#include <string.h>

static bool load(tl_run *run, const tl_run_choice *choice) {
    const char *weights = choice && choice->weights ? choice->weights : "best";
    tl_safetensors *file = NULL;
    const char *prefix = "";
    const bool initial = !strcmp(weights, "initial");
    run->in_folder = true;
    const bool ok =
        tl_run_load_settings(run, choice ? choice->program : NULL) &&
        tl_run_program_of(run->settings.program, NULL)->load_text(run) &&
        tl_run_open_weights(run, initial ? "none" : weights, &file, &prefix) &&
        (initial ? tl_run_make_initial_model(run, file, prefix)
                 : tl_run_make_empty_model(run, file, prefix) && tl_run_load_weights(run, weights));
    tl_safetensors_close(file);
    return ok;
}

tl_run *tl_run_open(const char *dir, const tl_run_choice *choice, tl_error *error) {
    tl_run *run = tl_run_in(dir);
    if (tl_run_usable(run) && load(run, choice)) return run;
    tl_error_set(error, "%s", run ? run->error.message : "out of memory for a run");
    tl_run_free(run);
    return NULL;
}
