#include "optimiser.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void tl_optimiser_free(tl_optimiser *o) {
    tl_arena_free(&o->memory);
    free(o->state);
}

bool tl_optimiser_number(tl_optimiser *o, const char *name, double value) {
    if (value >= 0 && isfinite(value)) return true;
    return tl_error_set(&o->error, "%s: %s is %g, should be 0 or more, and finite", o->name, name, value);
}

bool tl_optimiser_share(tl_optimiser *o, const char *name, double value) {
    if (value >= 0 && value < 1) return true;
    return tl_error_set(&o->error, "%s: %s is %g, should be 0 or more, and less than 1", o->name, name,
                        value);
}

bool tl_optimiser_group(tl_optimiser *o, int group, const tl_group_options *options) {
    if (group < 0 || group >= TL_MAX_GROUPS)
        return tl_error_set(&o->error, "%s: group %d is not in 0 … %d", o->name, group, TL_MAX_GROUPS - 1);
    if (!options) return tl_error_set(&o->error, "%s: group %d: no options are given", o->name, group);
    if (!tl_optimiser_number(o, "a group's lr_factor", options->lr_factor) ||
        !tl_optimiser_number(o, "a group's weight_decay", options->weight_decay))
        return false;
    o->group[group] = *options;
    o->group_set[group] = true;
    return true;
}

tl_param *tl_optimiser_param(tl_optimiser *o, int i, double *lr_factor, double *decay) {
    tl_param *p = tl_params_at(o->params, i);
    bool set = p->group >= 0 && p->group < TL_MAX_GROUPS && o->group_set[p->group];
    const tl_group_options *g = set ? &o->group[p->group] : NULL;
    if (p->leaf.frozen || (g && g->frozen)) return NULL;
    *lr_factor = g && g->lr_factor != 0 ? g->lr_factor : 1;
    *decay = g ? g->weight_decay : o->weight_decay;
    return p;
}

static bool make_state(tl_optimiser *o, int count) {
    if (o->states == count) return true;
    tl_state *state = realloc(o->state, (size_t)count * sizeof *state);
    if (!state) return tl_error_set(&o->error, "%s: out of memory", o->name);
    o->state = state;
    for (; o->states < count; o->states++) {
        size_t bytes = (size_t)tl_numel(tl_params_at(o->params, o->states)->leaf.value) * sizeof(tl_real);
        tl_real *memory[2] = {NULL, NULL};
        for (int m = 0; m < o->moments; m++) {
            memory[m] = tl_arena_get(&o->memory, bytes);
            if (!memory[m])
                return tl_error_set(&o->error, "%s: out of memory (%zu more bytes)", o->name, bytes);
            memset(memory[m], 0, bytes);
        }
        o->state[o->states] = (tl_state){memory[0], memory[1], 0};
    }
    return true;
}

tl_state *tl_optimiser_state(tl_optimiser *o, const tl_param *p) {
    int count = tl_params_count(o->params);
    if (tl_failed(&o->error)) return NULL;
    for (int i = 0; i < count; i++)
        if (tl_params_at(o->params, i) == p) return make_state(o, count) ? &o->state[i] : NULL;
    return NULL;
}

/* A checkpoint may have written these counts. A count that cannot be would make the bias corrections nonsense. */
static bool check_counts(tl_optimiser *o) {
    for (int i = 0; i < o->states; i++)
        if (o->state[i].steps < 0 || o->state[i].steps == LONG_MAX)
            return tl_error_set(&o->error, "%s: parameter \"%s\" has had %ld updates, which cannot be",
                                o->name, tl_params_at(o->params, i)->leaf.name, o->state[i].steps);
    return true;
}

bool tl_optimiser_ready(tl_optimiser *o, double lr) {
    const char *broken = tl_params_error(o->params);
    if (broken) return tl_error_set(&o->error, "%s: %s", o->name, broken);
    if (tl_failed(&o->error) || !tl_optimiser_number(o, "the learning rate", lr) || !check_counts(o))
        return false;
    int count = tl_params_count(o->params);
    for (int i = 0; i < count; i++) {
        double factor, decay;
        tl_param *p = tl_optimiser_param(o, i, &factor, &decay);
        if (p && !p->leaf.reached)
            return tl_error_set(
                &o->error,
                "%s: no gradient has reached parameter \"%s\" since tl_zero_grad; use it in the loss, "
                "or freeze it (tl_freeze)",
                o->name, p->leaf.name);
    }
    return make_state(o, count);
}
