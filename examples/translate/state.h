/* Where training stands, besides weights and optimiser: what a checkpoint remembers. All three together are the run: one
 * that goes on from them takes the same steps, bit for bit, as one that never stopped. */
#ifndef TRANSLATE_STATE_H
#define TRANSLATE_STATE_H

#include "run.h"

enum { MOST_RECENT = 100 };

typedef struct state {
    long step, epoch; /* updates; passes over the data that are through */
    tl_batches_position position;
    double seconds; /* of training so far */
    /* since the last validation */
    double loss, tokens, busy; /* sums of losses and target tokens; seconds */
    long updates;
    bool due; /* a validation should have been, and was interrupted */
    /* validations */
    long validations, waited; /* how many; how many since the best one */
    long best_step;
    double best_bleu, best_loss;
    long recent[MOST_RECENT + 1]; /* updates whose weights are in DIR/recent, oldest first */
    int recents;
    uint64_t fingerprint; /* of the sentences */
} state;

bool state_save(const state *now, run *r, tl_adam *adam);
/* Into the run's parameters and the optimiser too. */
bool state_load(state *now, run *r, tl_adam *adam);
/* Only to look. False without an error if the folder has no checkpoint. */
bool state_peek(state *now, const char *dir, tl_error *error);

/* ---- the weights of the last validations, and their mean ---- */

char *recent_path(char path[PATH_SIZE], const char *dir, long step);
bool recent_add(state *now, run *r); /* writes one more */
void recent_forget(state *now,
                   const run *r); /* removes what is more than --average; after the checkpoint is written */
bool recent_average(const state *now, run *r); /* average.safetensors */

#endif
