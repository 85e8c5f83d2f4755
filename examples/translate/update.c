/* One update: gradients of one batch or several, clipping, Adam; and what to say when a number is none. */
#include "training.h"

#include <math.h>
#include <string.h>

/* Cosine and linear need to know the end: counted in steps, or guessed from the share of the time that has gone. */
double learning_rate(const training *t) {
    const settings *s = &t->run.settings;
    long total = planned_steps(t), step = t->now.step;
    double spent = s->minutes > 0 ? elapsed(t) / (60 * s->minutes) : 0;
    if (spent > 0 && (!total || spent > (double)step / (double)total)) total = (long)((double)step / spent);
    if (!strcmp(s->schedule, "cosine")) return tl_cosine(s->lr, 0, s->warmup, total, step);
    if (!strcmp(s->schedule, "linear")) return tl_linear_decay(s->lr, 0, s->warmup, total, step);
    if (!strcmp(s->schedule, "constant")) return tl_constant_rate(s->lr, s->warmup, step);
    return tl_inverse_sqrt(s->lr, s->warmup, s->warmup_from, step);
}

/* ---- numbers that are none ---- */

/* "a batch of 32 sentences, lines 17, 402, 9 …" */
static void name_sentences(const training *t, const tl_batch *batch, char *text, size_t size) {
    bool one = batch->sentences == 1;
    int used = snprintf(text, size, "; a batch of %ld sentence%s", batch->sentences, one ? "" : "s");
    for (long i = 0; i < batch->sentences && i < 5; i++) {
        long line = tl_corpus_line(t->train, batch->index[i]);
        const char *what = line ? ", line" : ", number";
        used += snprintf(text + used, size - (size_t)used, "%s%s%ld", i ? ", " : what,
                         i     ? ""
                         : one ? " "
                               : "s ",
                         line ? line : batch->index[i] + 1);
    }
    if (batch->sentences > 5) snprintf(text + used, size - (size_t)used, " …");
}

/* Inner gradients are recycled while backward runs: the batch goes through once more with all of them kept. */
static void find_gradient(training *t, const tl_batch *batch, char where[TL_ERROR_MAX]) {
    tl_tape *tape = t->run.tape;
    tl_tape_reset(tape);
    tl_tape_set_training(tape, t->now.step);
    tl_tape_set_keep_all(tape, true);
    tl_zero_grad(t->run.params);
    if (tl_backward(tl_transformer_loss(&t->run.model, tape, batch)))
        tl_tape_find_nonfinite_grad(tape, where);
    tl_tape_set_keep_all(tape, false);
}

bool stop_at_nonfinite(training *t, const tl_batch *batch, const char *what, double value) {
    char where[TL_ERROR_MAX] = "", sentences[256] = "";
    tl_tape_find_nonfinite(t->run.tape, where);
    if (!*where && batch) find_gradient(t, batch, where);
    if (batch) name_sentences(t, batch, sentences, sizeof sentences);
    bool saved = t->now.validations || t->run.settings.resume;
    return tl_error_set(
        &t->run.error,
        "step %ld: the %s is %s%s; what went wrong first: %s; %s: try a smaller --lr, a longer "
        "--warmup or a smaller --clip",
        t->now.step, what, isnan(value) ? "not a number" : "infinite", sentences,
        *where ? where : "not found",
        saved ? "the checkpoint is the one before" : "there is no checkpoint yet");
}

/* ---- one update ---- */

/* Adds one batch's gradients; with several to an update, those of the summed loss. */
static bool forward_backward(training *t, const tl_batch *batch, int micro, double *loss, long *tokens) {
    run *r = &t->run;
    const tl_loss_options sum = {.reduction = TL_REDUCE_SUM};
    tl_tape_reset(r->tape);
    if (micro) tl_tape_set_micro_batch(r->tape, micro);
    tl_var l =
        tl_model_loss(&r->model.model, r->tape, batch, r->settings.accumulate > 1 ? &sum : NULL, NULL, NULL);
    double value = tl_item(tl_value(l));
    if (tl_ok(l) && !isfinite(value)) return stop_at_nonfinite(t, batch, "loss", value);
    if (!tl_backward(l)) return tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
    *loss += value;
    *tokens += batch->tgt_tokens;
    double norm = r->settings.accumulate > 1 ? tl_clip_grad_norm(r->params, 0) : 0;
    return isfinite(norm) || stop_at_nonfinite(t, batch, "norm of the gradients", norm);
}

/* Clips, steps, counts. loss: the mean per token. */
static bool step(training *t, const tl_batch *batch, double loss, long tokens) {
    run *r = &t->run;
    double norm = tl_clip_grad_norm(r->params, r->settings.clip);
    if (!isfinite(norm)) return stop_at_nonfinite(t, batch, "norm of the gradients", norm);
    if (!tl_adam_step(t->adam, learning_rate(t)))
        return tl_error_set(&r->error, "%s", tl_adam_error(t->adam));
    t->now.loss += loss;
    t->now.updates++;
    t->now.tokens += (double)tokens;
    tl_progress_update(&t->progress, t->now.step, loss, (double)tokens);
    return true;
}

bool update(training *t, bool *ended) {
    run *r = &t->run;
    const settings *s = &r->settings;
    tl_batch batch;
    double loss = 0;
    long tokens = 0;
    int micro = 0;
    for (; micro < s->accumulate; micro++) {
        if (!tl_batches_next(t->batches, &batch)) {
            *ended = true;
            break;
        }
        if (micro == 0) {
            t->now.step++;
            tl_tape_set_training(r->tape, t->now.step);
            tl_zero_grad(r->params);
        }
        if (!forward_backward(t, &batch, micro, &loss, &tokens)) return false;
    }
    if (tl_batches_error(t->batches)) return tl_error_set(&r->error, "%s", tl_batches_error(t->batches));
    if (micro == 0) return true; /* an epoch without batches */
    if (s->accumulate > 1) {
        tl_scale_grad(r->params, 1 / (double)tokens);
        loss /= (double)tokens;
    }
    if (!step(t, s->accumulate > 1 ? NULL : &batch, loss, tokens)) return false;
    if (!*ended && tl_batches_tell(t->batches).batch == tl_batches_per_epoch(t->batches))
        *ended = !tl_batches_next(t->batches, &batch); /* goes to the beginning of the next one */
    return true;
}
