/* One update: gradients of one batch or several, clipping, Adam; and what to say when a number is none. */
#include "events.h"
#include "training.h"

#include <math.h>
#include <string.h>

/* ---- numbers that are none ---- */

/* Inner gradients are recycled while backward runs: the batch goes through once more with all of them kept. */
static void find_gradient(tl_training *t, char where[TL_ERROR_MAX]) {
    tl_tape *tape = t->config->tape;
    const tl_task *task = t->config->task;
    tl_tape_reset(tape);
    tl_tape_set_training(tape, t->now.at.step);
    tl_tape_set_keep_all(tape, true);
    tl_zero_grad(t->config->params);
    if (tl_backward(task->loss(task->context, false))) tl_tape_find_nonfinite_grad(tape, where);
    tl_tape_set_keep_all(tape, false);
}

bool tl_stop_at_nonfinite(tl_training *t, bool with_batch, const char *what, double value) {
    char where[TL_ERROR_MAX] = "", batch[256] = "";
    const tl_task *task = t->config->task;
    tl_tape_find_nonfinite(t->config->tape, where);
    if (!*where && with_batch) find_gradient(t, where);
    if (with_batch && task->name) task->name(task->context, batch, sizeof batch);
    bool saved = t->now.at.validations || t->config->resume;
    return tl_error_set(
        t->error,
        "step %ld: the %s is %s%s%s; what went wrong first: %s; %s: try a smaller --lr, a longer "
        "--warmup or a smaller --clip",
        t->now.at.step, what, isnan(value) ? "not a number" : "infinite", *batch ? "; " : "", batch,
        *where ? where : "not found",
        saved ? "the checkpoint is the one before" : "there is no checkpoint yet");
}

/* ---- one update ---- */

/* Where checking has found something, which sentences it was; other failures are of no batch in particular. */
static bool tape_failed(tl_training *t) {
    const tl_task *task = t->config->task;
    const char *why = tl_tape_error(t->config->tape);
    char batch[256] = "";
    if (!tl_tape_checks(t->config->tape)) return tl_error_set(t->error, "%s", why);
    if (task->name) task->name(task->context, batch, sizeof batch);
    return tl_error_set(t->error, "step %ld%s%s: %s", t->now.at.step, *batch ? "; " : "", batch, why);
}

/* What an update's batches add up to; `share`: the losses of the share that is running. */
typedef struct sums {
    double loss, share, read;
    long tokens;
} sums;

/* Does another share begin with this batch? Then the one before is over. */
static bool enter_share(tl_training *t, int micro, sums *s) {
    const tl_training_settings *set = t->config->training;
    if (!t->shares || micro == 0 ||
        tl_shares_of(micro, set->accumulate, set->shares) ==
            tl_shares_of(micro - 1, set->accumulate, set->shares))
        return true;
    s->loss += s->share;
    s->share = 0;
    return tl_shares_close(t->shares) || tl_error_set(t->error, "%s", tl_shares_error(t->shares));
}

/* Gradients and losses are the sum of all shares. */
static bool leave_shares(tl_training *t, sums *s) {
    s->loss += s->share;
    return !t->shares || tl_shares_sum(t->shares) || tl_error_set(t->error, "%s", tl_shares_error(t->shares));
}

/* Adds one batch's gradients; with several to an update, those of the summed loss. */
static bool forward_backward(tl_training *t, int micro, sums *s) {
    const tl_train_config *c = t->config;
    const tl_task *task = c->task;
    const bool several = c->training->accumulate > 1;
    tl_tape_reset(c->tape);
    if (micro) tl_tape_set_micro_batch(c->tape, micro);
    tl_var l = task->loss(task->context, several);
    double value = tl_item(tl_value(l));
    if (tl_ok(l) && !isfinite(value)) return tl_stop_at_nonfinite(t, true, "loss", value);
    if (!tl_backward(l)) return tape_failed(t);
    s->share += value;
    const long tokens = task->tokens(task->context);
    s->tokens += tokens;
    s->read += task->read ? task->read(task->context) : (double)tokens;
    double norm = several ? tl_clip_grad_norm(c->params, 0) : 0;
    return isfinite(norm) || tl_stop_at_nonfinite(t, true, "norm of the gradients", norm);
}

/* Clips, steps, counts. loss: the mean per token; read: how many went through. */
static bool step(tl_training *t, double loss, double read) {
    const tl_train_config *c = t->config;
    const bool watched = tl_watch_is_due(t);
    if (watched) tl_watch_gradients(t);
    double norm = tl_clip_grad_norm(c->params, c->training->clip);
    if (!isfinite(norm))
        return tl_stop_at_nonfinite(t, c->training->accumulate == 1, "norm of the gradients", norm);
    if (!tl_adam_step(t->adam, tl_learning_rate(t)))
        return tl_error_set(t->error, "%s", tl_adam_error(t->adam));
    if (watched && !tl_watch_row(t, loss, norm)) return false;
    t->now.loss += loss;
    t->now.updates++;
    t->now.tokens += read;
    TL_TELL(c->events, updated, t->now.at.step, loss, read);
    return true;
}

bool tl_update(tl_training *t, bool *ended) {
    const tl_train_config *c = t->config;
    const tl_task *task = c->task;
    sums s = {0, 0, 0, 0};
    int micro = 0;
    for (; micro < c->training->accumulate; micro++) {
        if (!task->next(task->context)) {
            *ended = true;
            break;
        }
        if (micro == 0) {
            t->now.at.step++;
            tl_tape_set_training(c->tape, t->now.at.step);
            tl_zero_grad(c->params);
            if (tl_watch_is_due(t) && !tl_watch_look(t)) return tape_failed(t);
        }
        if (!enter_share(t, micro, &s) || !forward_backward(t, micro, &s)) return false;
    }
    if (tl_failed(t->error)) return false;
    if (micro == 0 && t->idle)
        return tl_error_set(
            t->error, "training: two epochs one after the other have no batch: see whether there are data");
    t->idle = micro == 0; /* an epoch without batches */
    if (t->idle) return true;
    if (!leave_shares(t, &s)) return false;
    if (c->training->accumulate > 1) {
        tl_scale_grad(c->params, 1 / (double)s.tokens);
        s.loss /= (double)s.tokens;
    }
    if (!step(t, s.loss, s.read)) return false;
    if (!*ended && task->tell(task->context).batch == task->per_epoch(task->context))
        *ended = !task->next(task->context); /* goes to the beginning of the next one */
    return !tl_failed(t->error);
}
