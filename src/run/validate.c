/* Validation: how good the model is on data that it is not trained on. Files are written in such an order that a
 * kill at any moment does no harm: weights, log, then the checkpoint, and only then is removed what the new
 * checkpoint does not need. Files written after the last checkpoint are written again, bit for bit the same, when
 * the run resumes.
 *
 * Only the first best weights are written after their checkpoint, and are restored from it if they are missing. So
 * where there is a model there is or was a checkpoint, and a run that was killed before that can be started again
 * without `overwrite`. */
#include "clock.h"
#include "events.h"
#include "paths.h"
#include "training.h"

#include <math.h>
#include <string.h>

/* All ranks take rank 0's result and its answer whether to stop, so that all continue in the same way. */
static bool score_together(tl_training *t, bool ok, tl_quality *q) {
    tl_ranks *ranks = t->config->ranks;
    bool said[] = {ok, tl_stopped(t->config->events)};
    if (!tl_has_ranks(t)) return ok;
    if (!tl_together(t, ok || !tl_failed(t->error)) ||
        !tl_ranks_broadcast(ranks, said, sizeof said, t->error) ||
        !tl_ranks_broadcast(ranks, q, sizeof *q, t->error))
        return false;
    t->turn.stopped = t->turn.stopped || said[1];
    return said[0];
}

static bool score(tl_training *t, tl_quality *q, tl_translations *written) {
    const tl_task *task = t->config->task;
    *q = (tl_quality){0};
    const bool ok = task->validate(task->context, q, written);
    if (!score_together(t, ok, q)) return false;
    if (!isfinite(q->loss))
        return tl_together(t, tl_stop_at_nonfinite(t, false, "loss on the validation sentences", q->loss));
    return true;
}

/* By score, and by loss if scores are equal, as BLEU is 0 in the beginning; or by loss alone. */
static bool is_better(const tl_training *t, const tl_quality *q) {
    const tl_training_state *at = &t->now.at;
    if (!at->validations) return true;
    if (!t->config->task->score || !strcmp(t->config->validation->best_by, "loss"))
        return q->loss < at->best_loss;
    return q->score > at->best_score || (q->score == at->best_score && q->loss < at->best_loss);
}

static void count(tl_training *t, const tl_quality *q, bool best) {
    tl_training_state *at = &t->now.at;
    at->waited = best ? 0 : at->waited + 1;
    at->validations++;
    if (!best) return;
    at->best_step = at->step;
    at->best_score = q->score;
    at->best_loss = q->loss;
}

static bool save_best(tl_training *t) {
    char path[TL_PATH];
    return tl_params_save(t->config->params, tl_path_in(path, t->config->dir, "model.safetensors"), NULL, 0,
                          t->error);
}

bool tl_best_make_up(tl_training *t) {
    char path[TL_PATH];
    bool there;
    if (!tl_file_look(tl_path_in(path, t->config->dir, "model.safetensors"), &there, t->error)) return false;
    return there || !t->now.at.validations || t->now.at.best_step != t->now.at.step || save_best(t);
}

/* Reports the result and writes it. before: when the validation began. */
static bool keep(tl_training *t, const tl_quality *q, const tl_translations *written, double before) {
    const tl_task *task = t->config->task;
    tl_loop_state *now = &t->now;
    const double elapsed = before - t->began, busy = now->busy + before - t->resumed;
    const double train_loss = now->updates ? now->loss / (double)now->updates : NAN;
    const bool best = is_better(t, q), first = !now->at.validations;
    TL_TELL(t->config->events, validated,
            &(tl_validation){.state = &now->at,
                             .seconds = elapsed,
                             .train_loss = train_loss,
                             .quality = q,
                             .translations = written,
                             .best = best});
    count(t, q, best);
    bool ok = !t->leads || (tl_folder_check(t->folder, t->error) && (!best || first || save_best(t)));
    ok = ok && tl_recent_add(t) &&
         (!t->leads || tl_log_row(t, q, elapsed, train_loss, busy > 0 ? now->tokens / busy : 0));
    now->loss = now->tokens = now->busy = 0;
    now->updates = 0;
    now->due = false;
    now->position = task->tell(task->context);
    now->at.seconds = tl_elapsed(t);
    if (t->leads) ok = ok && tl_state_save(t) && (!first || save_best(t));
    ok = tl_together(t, ok);
    if (ok) tl_recent_forget(t);
    if (ok && t->leads) tl_watch_draw(t);
    return ok;
}

bool tl_validate(tl_training *t) {
    tl_quality q;
    tl_translations written = {0};
    const double before = tl_seconds_now();
    TL_TELL_THAT(t->config->events, validating);
    bool ok = score(t, &q, &written) && keep(t, &q, &written, before);
    tl_translations_free(&written);
    t->resumed = tl_seconds_now();
    TL_TELL_THAT(t->config->events, validation_over);
    return ok;
}

bool tl_validate_average(tl_training *t) {
    char path[TL_PATH];
    tl_quality q;
    tl_translations written = {0};
    if (!t->now.recents) return true;
    const bool loaded =
        !t->leads ||
        tl_params_load(t->config->params, tl_path_in(path, t->config->dir, "average.safetensors"), t->error);
    if (!tl_together(t, loaded) || !tl_same_weights(t->config->params, t->config->ranks, t->error))
        return false;
    bool ok = score(t, &q, &written);
    if (ok) TL_TELL(t->config->events, averaged, t->now.recents, &q);
    tl_translations_free(&written);
    return ok || !tl_failed(t->error);
}
