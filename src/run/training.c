/* The loop: steps until the steps, epochs, minutes or the patience are used up, or events->stop says so. However it
 * ends, the checkpoint is whole, and resuming from it continues the same run. */
#include "training.h"
#include "clock.h"
#include "events.h"
#include "names.h"
#include "paths.h"

/* For a task that fails without setting the error. */
#define UNSAID "training: the task's %s gave up after step %ld without saying why: let it set the error"

/* ---- before the first step ---- */

static bool resume_from_checkpoint(tl_training *t) {
    const tl_task *task = t->config->task;
    if (!tl_state_load(t)) return false;
    if (t->now.fingerprint != task->fingerprint)
        return tl_error_set(
            t->error,
            "the sentences are not those that the run in %s was trained on: put them back, or start a new "
            "run",
            t->config->dir);
    if (!task->seek(task->context, t->now.position))
        return tl_error_set(t->error,
                            "the checkpoint in %s stands at epoch %ld, batch %ld, and the data have no such "
                            "place: put those back that it was trained on, or start a new run",
                            t->config->dir, t->now.position.epoch, t->now.position.batch);
    return tl_recent_tidy(t) && tl_best_make_up(t);
}

/* Takes the folder for this training alone, and removes files that a killed run left half-written. */
static bool take_folder(tl_training *t) {
    const tl_train_config *c = t->config;
    if (!c->folder && !(t->own = tl_folder_lock(c->dir, t->error))) return false;
    t->folder = c->folder ? c->folder : t->own;
    if (!tl_folder_is_locked(t->folder))
        TL_TELL(c->events, warning,
                "this file system has no locks: see to it that nobody else trains in the same folder");
    return tl_clear_strays(c->dir, t->error);
}

static bool make_optimiser(tl_training *t) {
    const tl_train_config *c = t->config;
    t->adam = tl_adam_new(c->params, &(tl_adam_config){.beta2 = c->training->beta2,
                                                       .no_beta2 = c->training->beta2 == 0,
                                                       .weight_decay = c->training->weight_decay,
                                                       .decoupled = c->training->weight_decay > 0});
    if (!t->adam) return tl_error_set(t->error, "out of memory for the optimiser");
    for (int g = 0; g < c->group_count; g++)
        if (!tl_adam_set_group(t->adam, g + 1, &c->groups[g]))
            return tl_error_set(t->error, "%s", tl_adam_error(t->adam));
    /* memory for moments is allocated here, where all ranks meet, and not in the first step, where one rank alone
     * could fail */
    return !tl_has_ranks(t) || !tl_params_count(c->params) ||
           tl_adam_state_of(t->adam, tl_params_at(c->params, 0)).steps ||
           tl_error_set(t->error, "%s", tl_adam_error(t->adam));
}

static bool make_shares(tl_training *t) {
    const tl_train_config *c = t->config;
    if (tl_has_ranks(t)) return tl_exchange_open(t);
    return c->training->shares < 2 || (t->shares = tl_shares_new(c->params)) ||
           tl_error_set(t->error, "out of memory for shares of gradients");
}

/* Rank 0 alone handles the folder and its files. */
static bool prepare(tl_training *t) {
    const tl_train_config *c = t->config;
    if (!tl_together(t, (!t->leads || take_folder(t)) && make_optimiser(t)) || !tl_ranks_fit(t)) return false;
    t->now.fingerprint = c->task->fingerprint;
    bool ok = make_shares(t);
    if (ok && t->leads) ok = (!c->resume || resume_from_checkpoint(t)) && tl_log_open(t) && tl_watch_open(t);
    return tl_together(t, ok) && (!c->resume || tl_same_state(t));
}

/* ---- the loop ---- */

static bool save_checkpoint(tl_training *t) {
    const tl_task *task = t->config->task;
    t->now.position = task->tell(task->context);
    t->now.at.seconds = tl_elapsed(t);
    t->now.busy += tl_seconds_now() - t->resumed;
    t->resumed = tl_seconds_now();
    return tl_together(t, !t->leads || (tl_folder_check(t->folder, t->error) && tl_state_save(t)));
}

/* Takes steps until training is over or interrupted. */
static bool take_steps(tl_training *t) {
    const long every = t->config->validation->validate_every;
    for (;;) {
        if (!tl_take_turn(t)) return false;
        bool over = tl_is_over(t) != NULL, ended = false;
        if (!tl_is_stopped(t) && (t->now.due || (over && t->now.updates)) && !tl_validate(t)) {
            if (tl_failed(t->error)) return false;
            if (!tl_is_stopped(t))
                return tl_together(t, tl_error_set(t->error, UNSAID, "validate", t->now.at.step));
            t->now.due = true; /* interrupted: resuming validates first */
        }
        if (tl_is_stopped(t)) return save_checkpoint(t);
        if (tl_is_complete(t)) return true;
        long before = t->now.at.step;
        if (!tl_update(t, &ended)) return false;
        t->now.at.epoch += ended;
        t->now.due = every ? t->now.at.step > before && t->now.at.step % every == 0 : ended;
    }
}

static void tell_start(tl_training *t) {
    const double minutes = t->config->training->minutes;
    t->began = tl_seconds_now() - t->now.at.seconds;
    t->resumed = tl_seconds_now();
    tl_training_plan plan = {.first = t->now.at.step,
                             .total = tl_planned_steps(t),
                             .seconds = minutes > 0 ? 60 * minutes - t->now.at.seconds : 0};
    TL_TELL(t->config->events, started, &plan);
}

static const char *last_path(const tl_training *t, char path[TL_PATH]) {
    return tl_path_in(path, t->config->dir, "last.safetensors");
}

/* Writes the files that follow from the last checkpoint. */
static bool finish(tl_training *t) {
    char path[TL_PATH];
    const tl_train_config *c = t->config;
    const bool saved = !t->leads || (tl_folder_check(t->folder, t->error) &&
                                     tl_params_save(c->params, last_path(t, path), NULL, 0, t->error) &&
                                     (!c->validation->average || tl_recent_average(t)));
    const bool ok =
        tl_together(t, saved) && (!c->validation->average || tl_is_stopped(t) || tl_validate_average(t));
    if (ok && t->leads) tl_watch_draw(t), tl_draw_curves(t);
    return ok;
}

/* Do these files exist, and do they follow from this checkpoint and not from an earlier one? */
static bool is_finished(const tl_training *t) {
    char last[TL_PATH], curves[TL_PATH];
    return tl_params_are_saved(t->config->params, last_path(t, last)) && tl_recent_average_is_saved(t) &&
           tl_file_is_there(tl_path_in(curves, t->config->dir, "curves.gp"));
}

/* No step is left; writes what a kill after the last checkpoint may have prevented. */
static bool finish_after_all(tl_training *t, const char *why) {
    bool finished = t->leads && is_finished(t);
    if (!tl_ranks_broadcast(t->config->ranks, &finished, sizeof finished, t->error)) return false;
    if (!finished) return finish(t);
    /* always redrawn, since an incomplete picture cannot be recognised */
    if (t->leads) tl_watch_draw(t), tl_draw_curves(t);
    if (t->config->may_be_over) return true;
    tl_error_set(t->error,
                 "there is nothing left to do: %s; give --steps, --epochs, --minutes or "
                 "--patience anew to go on",
                 why);
    return tl_together(t, false);
}

static bool train(tl_training *t) {
    const tl_train_config *c = t->config;
    const tl_task *task = c->task;
    if (c->resume) TL_TELL(c->events, resumed, &t->now.at);
    t->began = tl_seconds_now() - t->now.at.seconds;
    if (!tl_take_turn(t)) return false;
    const char *why = tl_is_complete(t);
    if (why) return finish_after_all(t, why);
    if (!tl_together(t, !task->begin || task->begin(task->context) ||
                            tl_error_set(t->error, UNSAID, "begin", t->now.at.step)))
        return false;
    tell_start(t);
    bool ok = take_steps(t);
    TL_TELL_THAT(c->events, ended);
    return ok && finish(t);
}

/* Does the task have everything that the loop calls? (`name` and `begin` are optional.) */
static bool is_whole(const tl_task *k) {
    return k->next && k->loss && k->tokens && k->per_epoch && k->tell && k->seek && k->validate;
}

tl_ending tl_train(const tl_train_config *config, tl_training_end *end, tl_error *error) {
    tl_error own = {""};
    tl_training t = {.config = config, .error = error ? error : &own};
    if (!config || !config->dir || !config->params || !config->tape || !config->training ||
        !config->validation || !config->task)
        return tl_error_set(error, "training: a folder, parameters, a tape, settings and a task are needed"),
               TL_FAILED;
    if (!is_whole(config->task))
        return tl_error_set(error, "training: the task lacks one of the functions that have to be there: all "
                                   "but name and begin"),
               TL_FAILED;
    tl_complete_config complete;
    t.config = &complete.config;
    const bool gave_back = tl_tape_set_give_back(config->tape, true);
    const bool recomputed = tl_tape_set_recompute(config->tape, config->training->recompute);
    bool ok = tl_train_complete(&complete, config, t.error);
    t.leads = tl_ranks_lead(config->ranks);
    if (!t.leads) complete.config.events = NULL;
    ok = tl_together(&t, ok) && prepare(&t) && train(&t);
    const char *why = ok ? tl_is_complete(&t) : NULL;
    tl_tape_set_give_back(config->tape, gave_back);
    tl_tape_set_recompute(config->tape, recomputed);
    if (end) *end = (tl_training_end){.state = t.now.at, .why = why};
    if (t.log && !tl_csv_close(t.log, t.error)) ok = false;
    if (!tl_watch_close(&t)) ok = false;
    tl_folder_unlock(t.own);
    tl_adam_free(t.adam);
    tl_shares_free(t.shares);
    tl_exchange_close(t.exchange);
    return !ok ? TL_FAILED : why ? TL_ENDED : TL_INTERRUPTED;
}
