/* Opening: a folder becomes a run, description first, then model, then weights. */
#include "run.h"

static bool load(tl_run *run, const tl_run_choice *choice) {
    const char *weights = choice && choice->weights ? choice->weights : "best";
    run->in_folder = true;
    return tl_run_load_settings(run) && tl_run_load_text(run) && tl_run_make_model(run, false) &&
           tl_run_load_weights(run, weights);
}

tl_run *tl_run_open(const char *dir, const tl_run_choice *choice, tl_error *error) {
    tl_run *run = tl_run_in(dir);
    if (tl_run_usable(run) && load(run, choice)) return run;
    tl_error_set(error, "%s", run ? run->error.message : "out of memory for a run");
    tl_run_free(run);
    return NULL;
}
