/* How long training goes on, and how fast it learns meanwhile. */
#include "clock.h"
#include "events.h"
#include "training.h"

#include <math.h>
#include <string.h>

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

/* Cosine and linear need to know the end: counted in steps, or guessed from the share of the time that has gone. */
double tl_learning_rate(const tl_training *t) {
    const tl_training_settings *s = t->config->training;
    long total = tl_planned_steps(t), step = t->now.at.step;
    double spent = s->minutes > 0 ? tl_elapsed(t) / (60 * s->minutes) : 0;
    if (spent > 0 && (!total || spent > (double)step / (double)total))
        total = (long)fmin((double)step / spent, 1e15); /* of so many minutes that steps cannot be counted */
    if (!strcmp(s->schedule, "cosine")) return tl_cosine(s->lr, 0, s->warmup, total, step);
    if (!strcmp(s->schedule, "linear")) return tl_linear_decay(s->lr, 0, s->warmup, total, step);
    if (!strcmp(s->schedule, "constant")) return tl_constant_rate(s->lr, s->warmup, step);
    return tl_inverse_sqrt(s->lr, s->warmup, s->warmup_from, step);
}
