/* Training: what it holds while it runs. */
#ifndef TRANSLATE_TRAINING_H
#define TRANSLATE_TRAINING_H

#include "state.h"

typedef struct training {
    run run;
    tl_corpus *train, *train_cut, *valid, *valid_cut; /* as people write, and as tokens with ids */
    tl_batches *batches;
    tl_adam *adam;
    tl_csv *log;
    tl_progress progress;
    state now;
    double began;   /* when this run of the program would have started, had it taken now.seconds already */
    double resumed; /* when the last validation ended */
    const volatile sig_atomic_t *stop;
    bool warned;
} training;

/* ---- validate.c ---- */

bool log_open(training *t,
              bool resume); /* resume: rows of updates that the checkpoint does not know are dropped */
/* Scores the model, keeps the best weights, writes log, curves and checkpoint. False, without an error, if it was
 * interrupted. */
bool validate(training *t);
/* The log as a picture; what fails is only warned of. */
void draw_curves(const training *t);
/* The mean of the recent weights, scored on the validation sentences. */
bool validate_average(training *t);

/* ---- update.c ---- */

/* One update, of --accumulate batches or what is left of the epoch. *ended: the epoch is through. */
bool update(training *t, bool *ended);
double learning_rate(const training *t);
/* Stops training: which operation was the first to produce NaN or infinity. Returns false. */
bool stop_at_nonfinite(training *t, const tl_batch *batch, const char *what, double value);

/* ---- train.c ---- */

long planned_steps(const training *t); /* by --steps and --epochs; 0 = no limit */
double elapsed(const training *t);     /* seconds of training, of all its parts */

/* Trains as the settings say, from the start or on from a checkpoint. Returns an exit status: 0; 1 after an error; 2 for a wrong
 * command line; 130 when interrupted. */
int run_training(const char *command, settings *s);

#endif
