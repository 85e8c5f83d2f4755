/* Training while it runs: what the files of the loop share. */
#ifndef TL_RUN_TRAINING_H
#define TL_RUN_TRAINING_H

#include "tapeloom/train.h"

#include <limits.h>

/* More of anything (updates, epochs, validations) than there can be, and far from where adding one would overflow. */
#define TL_MOST_COUNT (LONG_MAX / 1024)
enum { TL_MOST_RECENT = 100 }; /* the largest `average` */

/* Where training stands, besides weights and optimiser: what a checkpoint remembers. All three together are the run: one
 * that goes on from them takes the same steps, bit for bit, as one that never stopped. */
typedef struct tl_loop_state {
    tl_training_state at;
    tl_batches_position position;
    /* since the last validation */
    double loss, tokens, busy; /* sums of losses and tokens; seconds */
    long updates;
    bool due;                        /* a validation should have been, and was interrupted */
    long recent[TL_MOST_RECENT + 1]; /* updates whose weights are in DIR/recent, oldest first */
    int recents;
    uint64_t fingerprint; /* of the data */
} tl_loop_state;

typedef struct tl_watch tl_watch;

typedef struct tl_training {
    const tl_train_config *config;
    tl_error *error;
    tl_adam *adam;
    tl_shares *shares; /* NULL: an update's gradients are one chain */
    tl_csv *log;
    tl_watch *watch;         /* NULL: nothing is watched */
    const tl_folder *folder; /* locked */
    tl_folder *own;          /* the same if it was locked here */
    tl_loop_state now;
    double began;   /* when this training would have started, had it taken now.at.seconds already */
    double resumed; /* when the last validation ended */
    bool idle;      /* the last epoch had no batch */
} tl_training;

/* ---- complete.c ---- */

/* 0 and NULL mean the documented default. */
void tl_training_settings_fill(tl_training_settings *settings);
/* What no row of tl_training_options looks at, and what rows do not see together. */
bool tl_training_settings_check(const tl_training_settings *settings, tl_error *error);

/* A config with settings of its own, which may have been made by anybody: defaults filled in, and checked. */
typedef struct tl_complete_config {
    tl_train_config config;
    tl_training_settings training;
    tl_validation_settings validation;
} tl_complete_config;
/* False, and a sentence in error, for settings that training cannot follow. `to` must stay where it is. */
bool tl_train_complete(tl_complete_config *to, const tl_train_config *config, tl_error *error);

/* ---- plan.c ---- */

long tl_planned_steps(const tl_training *t); /* by steps and epochs; 0 = no limit */
double tl_elapsed(const tl_training *t);     /* seconds of training, of all its parts */
bool tl_is_stopped(const tl_training *t);
const char *tl_is_over(const tl_training *t); /* why; NULL while it is not */
/* The same once the last updates have been validated too: what tl_is_over says may come true between two of them. */
const char *tl_is_complete(const tl_training *t);

double tl_learning_rate(const tl_training *t); /* of the next update */

/* ---- update.c ---- */

/* One update, of `accumulate` batches or what is left of the epoch. *ended: the epoch is through. */
bool tl_update(tl_training *t, bool *ended);
/* Fails: which operation was the first to produce NaN or infinity. with_batch: the current batch is to blame. */
bool tl_stop_at_nonfinite(tl_training *t, bool with_batch, const char *what, double value);

/* ---- validate.c ---- */

/* Scores the model, keeps the best weights, writes log and checkpoint. False, without an error, if it was interrupted. */
bool tl_validate(tl_training *t);
/* Writes the first best weights if they are missing, and the checkpoint's: when a run goes on. */
bool tl_best_make_up(tl_training *t);
/* The mean of the recent weights, scored. */
bool tl_validate_average(tl_training *t);

/* ---- rows.c ---- */

/* Of a table whose rows begin with an update's number, the header and the rows up to that of `step` are kept. */
bool tl_rows_trim(const char *path, long step, tl_error *error);

/* ---- log.c ---- */

/* resume: rows of updates that the checkpoint does not know are dropped. */
bool tl_log_open(tl_training *t);
bool tl_log_row(tl_training *t, const tl_quality *q, double elapsed, double train_loss,
                double tokens_per_second);
/* The log as a picture; what fails is only warned of. */
void tl_draw_curves(const tl_training *t);

/* ---- watch.c: an update's row of watch.csv ---- */

/* NULL, without an error, if nothing is to be watched. resume: rows of updates that the checkpoint does not know are dropped. */
bool tl_watch_open(tl_training *t);
bool tl_watch_close(tl_training *t);
/* In this order, each for updates that are watched alone: the model before it learns, gradients before they are clipped, weights
 * before the step, and the row after it. */
bool tl_watch_is_due(const tl_training *t);
bool tl_watch_look(tl_training *t);
void tl_watch_gradients(tl_training *t);
bool tl_watch_row(tl_training *t, double loss, double norm);

/* ---- watch_page.c ---- */

/* watch.html, from watch.csv; what fails is only warned of. */
void tl_watch_draw(const tl_training *t);

/* ---- state.c ---- */

bool tl_state_save(tl_training *t);
bool tl_state_load(tl_training *t); /* into parameters and optimiser too */

/* ---- recent.c: the weights of the last validations, and their mean ---- */

bool tl_recent_add(tl_training *t); /* writes one more */
/* Removes what is more than `average`; after the checkpoint is written. */
void tl_recent_forget(tl_training *t);
/* The same, and what the checkpoint does not know of, which was written after it: when a run goes on. */
bool tl_recent_tidy(tl_training *t);
bool tl_recent_average(const tl_training *t); /* average.safetensors */
bool tl_recent_average_is_saved(const tl_training *t);

#endif
