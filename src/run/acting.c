/* What acts on a run's model, gates and replacements, whatever the run does. The maps are asked for before each
 * forward or search, because gates are vars of the tape and go when it is reset. */
#include "run.h"

void tl_run_act(tl_run *run, tl_run_acting acting, void *context) {
    if (!run) return;
    run->acting = acting;
    run->acting_context = context;
}

tl_run_acting tl_run_what_acts(const tl_run *run, void **context) {
    if (context) *context = run ? run->acting_context : NULL;
    return run ? run->acting : NULL;
}

const tl_model_maps *tl_run_acting_maps(tl_run *run, tl_model_maps *maps) {
    *maps = (tl_model_maps){0};
    if (!run->acting) return NULL;
    if (!run->acting(run->acting_context, run->tape, maps) && !tl_tape_error(run->tape))
        tl_tape_fail(run->tape, "what should act on the run's model could not be set up");
    return maps;
}
