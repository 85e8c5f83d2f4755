/* A training in progress: what the files of the loop share. */
#ifndef TL_RUN_TRAINING_H
#define TL_RUN_TRAINING_H

#include "ranks/ranks.h"
#include "tapeloom/train.h"

#include <limits.h>

/* More updates, epochs or validations than there can be, yet far from overflow. */
#define TL_MOST_COUNT (LONG_MAX / 1024)
enum { TL_MOST_RECENT = 100 }; /* the largest `average` */

/* The training state in a checkpoint, besides weights and optimiser. A run that resumes from all three takes the
 * same steps, bit for bit, as one that never stopped. */
typedef struct tl_loop_state {
    tl_training_state at;
    tl_batches_position position;
    /* since the last validation */
    double loss, tokens, busy; /* sums of losses and tokens; seconds */
    long updates;
    bool due;                        /* a validation was interrupted and is still to be done */
    long recent[TL_MOST_RECENT + 1]; /* updates whose weights are in DIR/recent, oldest first */
    int recents;
    uint64_t fingerprint; /* of the data */
} tl_loop_state;

typedef struct tl_watch tl_watch;
typedef struct tl_exchange tl_exchange;

/* Sums over an update's batches; `share`: the losses of the current share. */
typedef struct tl_sums {
    double loss, share, read;
    long tokens;
} tl_sums;

/* Rank 0's clock and stop, the same on all ranks at every point of the loop where they decide something. */
typedef struct tl_turn {
    double elapsed; /* seconds of training */
    bool stopped;
} tl_turn;

typedef struct tl_training {
    const tl_train_config *config;
    tl_error *error;
    tl_adam *adam;
    tl_shares *shares;     /* NULL: an update's gradients are one chain, or shared by ranks */
    tl_exchange *exchange; /* for ranks that share updates; NULL: one process */
    int micro;             /* index of the current batch in the update */
    bool leads;            /* this is rank 0, which writes files */
    tl_turn turn;          /* with ranks: the last one */
    tl_csv *log;
    tl_watch *watch;         /* NULL: nothing is watched */
    const tl_folder *folder; /* locked */
    tl_folder *own;          /* the same, if it was locked here */
    tl_loop_state now;
    double began;   /* the clock now, minus the seconds of training so far */
    double resumed; /* when the last validation ended */
    bool idle;      /* the last epoch had no batch */
} tl_training;

/* ---- complete.c ---- */

/* Replaces 0 and NULL by the documented defaults. */
void tl_training_settings_fill(tl_training_settings *settings);
/* Checks what no row of tl_training_options checks, and what concerns several rows. */
bool tl_training_settings_check(const tl_training_settings *settings, tl_error *error);

/* A copy of a config whose settings have their defaults filled in and are checked. */
typedef struct tl_complete_config {
    tl_train_config config;
    tl_training_settings training;
    tl_validation_settings validation;
} tl_complete_config;
/* False, and a sentence in error, for impossible settings. `to` must not move afterwards. */
bool tl_train_complete(tl_complete_config *to, const tl_train_config *config, tl_error *error);

/* ---- plan.c ---- */

long tl_planned_steps(const tl_training *t); /* by steps and epochs; 0: no limit */
/* seconds of training, earlier parts included, by this rank's clock */
double tl_elapsed(const tl_training *t);
bool tl_is_stopped(const tl_training *t);
const char *tl_is_over(const tl_training *t); /* the reason; NULL if it is not over */
/* The same, once the last updates are validated: the limit may have been reached since the last validation. */
const char *tl_is_complete(const tl_training *t);

double tl_learning_rate(const tl_training *t); /* of the next update */

/* ---- ranks.c: several ranks in one loop. Without ranks all functions do nothing and succeed ---- */

static inline bool tl_has_ranks(const tl_training *t) { return tl_ranks_count(t->config->ranks) > 1; }
/* Are there enough shares for all ranks, and do the ranks have the same build, settings, data and model? Called
 * after each has read its data. If not, false on all ranks. */
bool tl_ranks_fit(tl_training *t);
bool tl_enough_shares(tl_ranks *ranks, long shares, bool resume, tl_error *error);
bool tl_same_build(tl_ranks *ranks, tl_error *error);
bool tl_same_settings(tl_ranks *ranks, tl_config *settings, tl_error *error); /* frees the settings */
bool tl_same_data(tl_ranks *ranks, uint64_t fingerprint, tl_error *error);
bool tl_same_model(tl_ranks *ranks, tl_params *params, bool values, tl_error *error);
/* Have all ranks succeeded? (tl_ranks_agree) */
bool tl_together(tl_training *t, bool ok);
/* Gives all ranks rank 0's clock and stop. */
bool tl_take_turn(tl_training *t);
/* Gives all ranks rank 0's parameters. */
bool tl_same_weights(tl_params *params, tl_ranks *ranks, tl_error *error);
/* Gives all ranks what a checkpoint holds, which rank 0 has loaded. */
bool tl_same_state(tl_training *t);

/* ---- exchange.c: an update's gradients over several ranks ---- */

/* The share of an update's batch. */
static inline long tl_share_of(const tl_training *t, int micro) {
    const tl_training_settings *s = t->config->training;
    return tl_shares_of(micro, s->accumulate, s->shares);
}
/* Makes t->exchange for the settings' shares. */
bool tl_exchange_open(tl_training *t);
void tl_exchange_close(tl_exchange *x);
bool tl_exchange_begin(tl_training *t); /* an update */
/* Does a micro-batch belong to this rank? Without an exchange every one does. */
bool tl_exchange_is_mine(const tl_training *t, int micro);
/* One of this rank's shares is complete: starts sending its gradients, and clears them for the next share. loss: the
 * sum over its batches. */
bool tl_exchange_end_share(tl_training *t, long share, double loss);
/* All ranks meet after their shares. ok: did this rank succeed (otherwise the error is set)? Gradients and *s become
 * the sums over all shares. False on every rank if one has failed. */
bool tl_exchange_meet(tl_training *t, bool ok, tl_sums *s);

/* ---- update.c ---- */

/* One update, of `accumulate` batches or the rest of the epoch. *ended: the epoch is over. */
bool tl_update(tl_training *t, bool *ended);
/* Fails with the first operation that produced NaN or infinity. with_batch: the current batch caused it. */
bool tl_stop_at_nonfinite(tl_training *t, bool with_batch, const char *what, double value);

/* ---- validate.c ---- */

/* Scores the model, keeps the best weights, writes log and checkpoint. False, without an error, if it was
 * interrupted. */
bool tl_validate(tl_training *t);
/* When a run resumes: writes the first best weights if they are missing, from the checkpoint. */
bool tl_best_make_up(tl_training *t);
/* The mean of the recent weights, scored. */
bool tl_validate_average(tl_training *t);

/* ---- rows.c ---- */

/* Keeps the header and the rows up to update `step` of a table whose rows begin with an update's number. */
bool tl_rows_trim(const char *path, long step, tl_error *error);

/* ---- log.c ---- */

/* resume: drops rows later than the checkpoint. */
bool tl_log_open(tl_training *t);
bool tl_log_row(tl_training *t, const tl_quality *q, double elapsed, double train_loss,
                double tokens_per_second);
/* Draws the log's curves; a failure is only a warning. */
void tl_draw_curves(const tl_training *t);

/* ---- watch.c: the rows of watch.csv ---- */

/* NULL, without an error, if nothing is watched. resume: drops rows later than the checkpoint. */
bool tl_watch_open(tl_training *t);
bool tl_watch_close(tl_training *t);
/* Called in this order for watched updates only: the model before the update, gradients before clipping, weights
 * before the step, and the row after it. */
bool tl_watch_is_due(const tl_training *t);
bool tl_watch_look(tl_training *t);
void tl_watch_gradients(tl_training *t);
bool tl_watch_row(tl_training *t, double loss, double norm);

/* ---- watch_page.c ---- */

/* Makes watch.html from watch.csv; a failure is only a warning. */
void tl_watch_draw(const tl_training *t);

/* ---- state.c ---- */

bool tl_state_save(tl_training *t);
bool tl_state_load(tl_training *t); /* also loads parameters and optimiser */

/* ---- recent.c: the weights of the last validations, and their mean ---- */

bool tl_recent_add(tl_training *t); /* saves the current weights */
/* Removes the oldest beyond `average`; called after the checkpoint is written. */
void tl_recent_forget(tl_training *t);
/* When a run resumes: does that, and removes files written after the checkpoint. */
bool tl_recent_tidy(tl_training *t);
bool tl_recent_average(const tl_training *t); /* writes average.safetensors */
bool tl_recent_average_is_saved(const tl_training *t);

#endif
