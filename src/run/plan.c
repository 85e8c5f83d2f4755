/* How long training goes on, and its learning rate. */
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

/* The time that decisions use is rank 0's. */
static double time_spent(const tl_training *t) { return tl_has_ranks(t) ? t->turn.elapsed : tl_elapsed(t); }

bool tl_is_stopped(const tl_training *t) {
    return tl_has_ranks(t) ? t->turn.stopped : tl_stopped(t->config->events);
}

const char *tl_is_over(const tl_training *t) {
    const tl_training_settings *s = t->config->training;
    const tl_training_state *at = &t->now.at;
    /* by epochs, not by their steps: with BPE-dropout epochs differ in their number of batches */
    if ((s->steps && at->step >= s->steps) || (s->epochs && at->epoch >= s->epochs))
        return "all steps are done";
    if (s->minutes > 0 && time_spent(t) >= 60 * s->minutes && at->step) return "the time is up";
    if (s->patience && at->waited >= s->patience)
        return "no validation was better for as long as --patience says";
    return NULL;
}

const char *tl_is_complete(const tl_training *t) {
    return t->now.due || t->now.updates ? NULL : tl_is_over(t);
}

/* Cosine and linear schedules need the end: in steps, or estimated from the share of the time that is spent. */
double tl_learning_rate(const tl_training *t) {
    const tl_training_settings *s = t->config->training;
    long total = tl_planned_steps(t), step = t->now.at.step;
    double spent = s->minutes > 0 ? time_spent(t) / (60 * s->minutes) : 0;
    if (spent > 0 && (!total || spent > (double)step / (double)total))
        /* so many minutes that the number of steps would overflow */
        total = (long)fmin((double)step / spent, 1e15);
    if (!strcmp(s->schedule, "cosine")) return tl_cosine(s->lr, 0, s->warmup, total, step);
    if (!strcmp(s->schedule, "linear")) return tl_linear_decay(s->lr, 0, s->warmup, total, step);
    if (!strcmp(s->schedule, "constant")) return tl_constant_rate(s->lr, s->warmup, step);
    return tl_inverse_sqrt(s->lr, s->warmup, s->warmup_from, step);
}
