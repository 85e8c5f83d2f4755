/* How long training goes on. */
#include "clock.h"
#include "events.h"
#include "training.h"

long tl_planned_steps(const tl_training *t) {
    const tl_training_settings *s = t->config->training;
    const tl_task *task = t->config->task;
    long batches = task->per_epoch(task->context),
         by_epochs = s->epochs * ((batches + s->accumulate - 1) / s->accumulate);
    if (s->steps && by_epochs) return s->steps < by_epochs ? s->steps : by_epochs;
    return s->steps ? s->steps : by_epochs;
}

double tl_elapsed(const tl_training *t) { return tl_seconds_now() - t->began; }

bool tl_is_stopped(const tl_training *t) { return tl_stopped(t->config->events); }

const char *tl_is_over(const tl_training *t) {
    const tl_training_settings *s = t->config->training;
    const tl_training_state *at = &t->now.at;
    /* by epochs rather than by their steps: each may have another number of batches (BPE-dropout) */
    if ((s->steps && at->step >= s->steps) || (s->epochs && at->epoch >= s->epochs))
        return "all steps are done";
    if (s->minutes > 0 && tl_elapsed(t) >= 60 * s->minutes && at->step) return "the time is up";
    if (s->patience && at->waited >= s->patience)
        return "no validation was better for as long as --patience says";
    return NULL;
}

const char *tl_is_complete(const tl_training *t) {
    return t->now.due || t->now.updates ? NULL : tl_is_over(t);
}
