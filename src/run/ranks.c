/* Several ranks in one training loop. Each has its own data, model, optimiser and loop state, and by the same steps
 * they stay equal. What only one rank can know (a clock, a user, the folder's files) rank 0 tells the others.
 *
 * After a function of the loop that may fail on one rank alone, all ranks meet (tl_together) and fail together.
 * Where they do not meet, the failing rank's program ends the others. */
#include "events.h"
#include "fingerprint.h"
#include "training.h"

#include "tapeloom/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool tl_together(tl_training *t, bool ok) { return tl_ranks_agree(t->config->ranks, ok, t->error); }

bool tl_take_turn(tl_training *t) {
    if (!tl_has_ranks(t)) return true;
    if (t->leads) t->turn = (tl_turn){tl_elapsed(t), t->turn.stopped || tl_stopped(t->config->events)};
    return tl_ranks_broadcast(t->config->ranks, &t->turn, sizeof t->turn, t->error);
}

/* ---- do the ranks fit together? ---- */

static bool same_number(tl_ranks *ranks, const char *what, uint64_t number, const char *hint,
                        tl_error *error) {
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, number);
    return tl_ranks_same(ranks, what, text, hint, error);
}

bool tl_same_settings(tl_ranks *ranks, tl_config *settings, tl_error *error) {
    char *text = tl_config_text(settings);
    tl_config_free(settings);
    const bool there =
        tl_ranks_agree(ranks, text || tl_error_set(error, "out of memory for settings"), error);
    const bool same = there && tl_ranks_same(ranks, "the settings", text,
                                             "start all of them with the same command line", error);
    free(text);
    return same;
}

static tl_config *settings_of(const tl_train_config *c) {
    tl_config *settings = tl_config_new();
    tl_options_write(tl_training_options, c->training, settings);
    tl_options_write(tl_validation_options, c->validation, settings);
    return settings;
}

/* The number of shares changes bits, so only the command line may set it. */
bool tl_enough_shares(tl_ranks *ranks, long shares, bool resume, tl_error *error) {
    const int count = tl_ranks_count(ranks);
    if (!shares) shares = 1;
    if (shares >= count) return true;
    if (resume)
        tl_error_set(error,
                     "%d ranks need %d shares of an update's gradients, one each or more; this run has %ld, "
                     "which cannot change: start %ld rank%s at most",
                     count, count, shares, shares, shares == 1 ? "" : "s");
    else
        tl_error_set(error,
                     "%d ranks need %d shares of an update's gradients, one each or more, and there %s %ld: "
                     "give --accumulate A --shares G, both %d at least, or start fewer ranks",
                     count, count, shares == 1 ? "is" : "are", shares, count);
    return tl_ranks_agree(ranks, false, error);
}

bool tl_same_data(tl_ranks *ranks, uint64_t fingerprint, tl_error *error) {
    return same_number(ranks, "data with the fingerprint", fingerprint, "give all of them the same files",
                       error);
}

bool tl_same_build(tl_ranks *ranks, tl_error *error) {
    char build[TL_BUILD_NAME];
    return tl_ranks_same(ranks, "the build", tl_build_name(build),
                         "build all of them alike; TL_ISA=avx2 in the environment of all makes processors "
                         "that know more than that compute alike",
                         error);
}

bool tl_same_model(tl_ranks *ranks, tl_params *params, bool values, tl_error *error) {
    return same_number(ranks, "a model with the fingerprint", tl_params_fingerprint(params, values),
                       "start all of them with the same command line and the same files", error);
}

bool tl_ranks_fit(tl_training *t) {
    const tl_train_config *c = t->config;
    return !tl_has_ranks(t) ||
           (tl_same_build(c->ranks, t->error) && tl_same_settings(c->ranks, settings_of(c), t->error) &&
            tl_enough_shares(c->ranks, c->training->shares, c->resume, t->error) &&
            tl_same_data(c->ranks, c->task->fingerprint, t->error) &&
            tl_same_model(c->ranks, c->params, !c->resume, t->error));
}

/* ---- state of rank 0 ---- */

bool tl_same_weights(tl_params *params, tl_ranks *ranks, tl_error *error) {
    for (int i = 0; tl_ranks_count(ranks) > 1 && i < tl_params_count(params); i++) {
        tl_param *p = tl_params_at(params, i);
        if (!tl_ranks_broadcast(ranks, p->leaf.value.data, (size_t)tl_numel(p->leaf.value) * sizeof(tl_real),
                                error))
            return false;
        if (!tl_ranks_lead(ranks)) p->leaf.version++;
    }
    return true;
}

static bool same_moments(tl_training *t) {
    tl_ranks *ranks = t->config->ranks;
    long steps = tl_adam_steps(t->adam);
    bool ok = tl_ranks_broadcast(ranks, &steps, sizeof steps, t->error);
    for (int i = 0; ok && i < tl_params_count(t->config->params); i++) {
        const tl_param *p = tl_params_at(t->config->params, i);
        const size_t bytes = (size_t)tl_numel(p->leaf.value) * sizeof(tl_real);
        const tl_adam_state state = tl_adam_state_of(t->adam, p);
        if (!tl_together(t, state.steps || tl_error_set(t->error, "%s", tl_adam_error(t->adam))))
            return false;
        ok = tl_ranks_broadcast(ranks, state.m.data, bytes, t->error) &&
             tl_ranks_broadcast(ranks, state.v.data, bytes, t->error) &&
             tl_ranks_broadcast(ranks, state.steps, sizeof *state.steps, t->error);
    }
    if (ok) tl_adam_set_steps(t->adam, steps);
    return ok;
}

bool tl_same_state(tl_training *t) {
    const tl_train_config *c = t->config;
    if (!tl_has_ranks(t)) return true;
    if (!tl_ranks_broadcast(c->ranks, &t->now, sizeof t->now, t->error) ||
        !tl_same_weights(c->params, c->ranks, t->error) || !same_moments(t))
        return false;
    return tl_together(t, t->leads || c->task->seek(c->task->context, t->now.position));
}
