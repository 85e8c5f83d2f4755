/* One update: gradients of one batch or several, clipping, Adam; and the error when a number is not finite. */
#include "events.h"
#include "training.h"

#include <math.h>
#include <string.h>

/* ---- numbers that are not finite ---- */

/* During a step the memory of inner values and gradients is reused. So the batch is computed once more with all of
 * them kept. */
static void find(tl_training *t, char where[TL_ERROR_MAX]) {
    tl_tape *tape = t->config->tape;
    const tl_task *task = t->config->task;
    tl_tape_reset(tape);
    tl_tape_set_training(tape, t->now.at.step);
    if (t->micro) tl_tape_set_micro_batch(tape, t->micro);
    tl_tape_set_keep_all(tape, true);
    tl_zero_grad(t->config->params);
    tl_var loss = task->loss(task->context, t->config->training->accumulate > 1);
    tl_tape_find_nonfinite(tape, where);
    if (!*where && tl_backward(loss)) tl_tape_find_nonfinite_grad(tape, where);
    tl_tape_set_keep_all(tape, false);
}

bool tl_stop_at_nonfinite(tl_training *t, bool with_batch, const char *what, double value) {
    char where[TL_ERROR_MAX] = "", batch[256] = "";
    const tl_task *task = t->config->task;
    if (with_batch)
        find(t, where);
    else
        tl_tape_find_nonfinite(t->config->tape, where);
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

/* If checking found a value that is not finite, names the sentences; other failures have no batch in particular. */
static bool tape_failed(tl_training *t) {
    const tl_task *task = t->config->task;
    const char *why = tl_tape_error(t->config->tape);
    char batch[256] = "";
    if (!tl_tape_checks(t->config->tape)) return tl_error_set(t->error, "%s", why);
    if (task->name) task->name(task->context, batch, sizeof batch);
    return tl_error_set(t->error, "step %ld%s%s: %s", t->now.at.step, *batch ? "; " : "", batch, why);
}

/* A share is complete: its gradients and losses join the sum. */
static bool end_share(tl_training *t, int last, tl_sums *s) {
    const double loss = s->share;
    s->share = 0;
    if (t->exchange)
        return !tl_exchange_is_mine(t, last) || tl_exchange_end_share(t, tl_share_of(t, last), loss);
    s->loss += loss;
    return tl_shares_close(t->shares) || tl_error_set(t->error, "%s", tl_shares_error(t->shares));
}

/* If this batch begins another share, the share before is complete. */
static bool enter_share(tl_training *t, int micro, tl_sums *s) {
    const bool shared = t->shares || t->exchange;
    return !shared || !micro || tl_share_of(t, micro) == tl_share_of(t, micro - 1) ||
           end_share(t, micro - 1, s);
}

/* Makes gradients and losses the sum of all shares. micro: how many batches there were; ok: success so far. */
static bool leave_shares(tl_training *t, bool ok, int micro, tl_sums *s) {
    if (t->exchange) return tl_exchange_meet(t, ok && end_share(t, micro - 1, s), s);
    s->loss += s->share;
    return ok && (!t->shares || tl_shares_sum(t->shares) ||
                  tl_error_set(t->error, "%s", tl_shares_error(t->shares)));
}

/* Adds one batch's gradients; with several batches to an update, those of the summed loss. */
static bool forward_backward(tl_training *t, int micro, tl_sums *s) {
    const tl_train_config *c = t->config;
    const tl_task *task = c->task;
    const bool several = c->training->accumulate > 1;
    tl_tape_reset(c->tape);
    t->micro = micro;
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

/* Clips, steps, counts. loss: the mean per token; read: how many tokens the batches had. */
static bool step(tl_training *t, double loss, double read) {
    const tl_train_config *c = t->config;
    const bool watched = tl_watch_is_due(t);
    if (watched) tl_watch_gradients(t);
    double norm = tl_clip_grad_norm(c->params, c->training->clip);
    /* all ranks have the same norm, so all of them fail */
    if (!isfinite(norm))
        return tl_together(
            t, tl_stop_at_nonfinite(t, c->training->accumulate == 1, "norm of the gradients", norm));
    if (!tl_adam_step(t->adam, tl_learning_rate(t)))
        return tl_together(t, tl_error_set(t->error, "%s", tl_adam_error(t->adam)));
    if (watched && !tl_watch_row(t, loss, norm)) return false;
    t->now.loss += loss;
    t->now.updates++;
    t->now.tokens += read;
    TL_TELL(c->events, updated, t->now.at.step, loss, read);
    return true;
}

static bool begin_update(tl_training *t) {
    t->now.at.step++;
    tl_tape_set_training(t->config->tape, t->now.at.step);
    tl_zero_grad(t->config->params);
    if (t->exchange && !tl_exchange_begin(t)) return false;
    return !tl_watch_is_due(t) || tl_watch_look(t) || tape_failed(t);
}

/* Computes the gradients of an update's batches; *micro receives their number. Ranks walk all batches and compute
 * their own. */
static bool go_through_batches(tl_training *t, int *micro, tl_sums *s, bool *ended) {
    const tl_task *task = t->config->task;
    for (*micro = 0; *micro < t->config->training->accumulate; ++*micro) {
        if (!task->next(task->context)) {
            *ended = true;
            return !tl_failed(t->error);
        }
        if ((*micro == 0 && !begin_update(t)) || !enter_share(t, *micro, s) ||
            (tl_exchange_is_mine(t, *micro) && !forward_backward(t, *micro, s)))
            return ++*micro, false;
    }
    return true;
}

bool tl_update(tl_training *t, bool *ended) {
    const tl_train_config *c = t->config;
    const tl_task *task = c->task;
    tl_sums s = {0, 0, 0, 0};
    int micro;
    const bool ok = go_through_batches(t, &micro, &s, ended);
    if (!ok && micro == 0) return false;
    if (micro == 0 && t->idle)
        return tl_together(
            t, tl_error_set(
                   t->error,
                   "training: two epochs one after the other have no batch: see whether there are data"));
    t->idle = micro == 0; /* the epoch has no batches */
    if (t->idle) return true;
    if (!leave_shares(t, ok, micro, &s)) return false;
    if (c->training->accumulate > 1) {
        tl_scale_grad(c->params, 1 / (double)s.tokens);
        s.loss /= (double)s.tokens;
    }
    if (!step(t, s.loss, s.read)) return false;
    if (!*ended && task->tell(task->context).batch == task->per_epoch(task->context))
        *ended = !task->next(task->context); /* moves to the beginning of the next epoch */
    return !tl_failed(t->error);
}
