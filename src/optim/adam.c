/* Adam and AdamW; the formulas are in tensor/kernels/update.h. */
#include "optimiser.h"
#include "tensor/update.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum { RANGES = 64 }; /* most parameters that are updated together */

struct tl_adam {
    tl_optimiser base;
    tl_adam_config config;
    long steps;
};

/* A beta's value: 0 with `none`, else what the config has, else (where that is 0) its default. */
static double beta_of(tl_adam *adam, const char *name, double said, bool none, double usual) {
    if (none && said != 0)
        tl_error_set(&adam->base.error, "%s: %s is %g, and no_%s says that it is 0: leave one of them out",
                     adam->base.name, name, said, name);
    const double beta = none ? 0 : said == 0 ? usual : said;
    tl_optimiser_share(&adam->base, name, beta);
    return beta;
}

tl_adam *tl_adam_new(tl_params *params, const tl_adam_config *config) {
    tl_adam *adam = calloc(1, sizeof *adam);
    if (!adam) return NULL;
    if (config) adam->config = *config;
    tl_adam_config *c = &adam->config;
    adam->base.name = c->decoupled ? "adamw" : "adam";
    adam->base.params = params;
    adam->base.moments = 2;
    adam->base.weight_decay = c->weight_decay;
    c->beta1 = beta_of(adam, "beta1", c->beta1, c->no_beta1, 0.9);
    c->beta2 = beta_of(adam, "beta2", c->beta2, c->no_beta2, 0.999);
    if (c->eps == 0) c->eps = 1e-8;
    tl_optimiser_number(&adam->base, "eps", c->eps);
    tl_optimiser_number(&adam->base, "weight_decay", c->weight_decay);
    return adam;
}

void tl_adam_free(tl_adam *adam) {
    if (!adam) return;
    tl_optimiser_free(&adam->base);
    free(adam);
}

bool tl_adam_set_group(tl_adam *adam, int group, const tl_group_options *options) {
    return adam && tl_optimiser_group(&adam->base, group, options);
}

const char *tl_adam_error(const tl_adam *adam) {
    if (!adam) return "adam: out of memory when it was made";
    return tl_failed(&adam->base.error) ? adam->base.error.message : NULL;
}

long tl_adam_steps(const tl_adam *adam) { return adam ? adam->steps : 0; }

void tl_adam_set_steps(tl_adam *adam, long steps) {
    if (adam) adam->steps = steps < 0 ? 0 : steps;
}

tl_adam_state tl_adam_state_of(tl_adam *adam, const tl_param *p) {
    tl_state *s = adam ? tl_optimiser_state(&adam->base, p) : NULL;
    if (!s) return (tl_adam_state){.steps = NULL};
    tl_shape shape = tl_shape_of(p->leaf.value);
    return (tl_adam_state){tl_tensor_of(s->first, shape), tl_tensor_of(s->second, shape), &s->steps};
}

bool tl_adam_step(tl_adam *adam, double lr) {
    if (!adam || !tl_optimiser_ready(&adam->base, lr)) return false;
    if (adam->steps < LONG_MAX) adam->steps++;
    tl_adam_update u = {.beta1 = adam->config.beta1,
                        .beta2 = adam->config.beta2,
                        .eps = adam->config.eps,
                        .grad_scale = 1,
                        .decoupled = adam->config.decoupled};
    tl_adam_range range[RANGES];
    int ranges = 0;
    for (int i = 0; i < adam->base.states; i++) {
        double factor;
        tl_param *p = tl_optimiser_param(&adam->base, i, &factor, &u.decay);
        if (!p) continue;
        tl_state *s = &adam->base.state[i];
        double t = (double)++s->steps;
        u.lr = lr * factor;
        u.bias1 = 1 - pow(u.beta1, t);
        u.bias2 = 1 - pow(u.beta2, t);
        range[ranges++] = (tl_adam_range){p->leaf.value.data,      s->first, s->second, p->leaf.grad,
                                          tl_numel(p->leaf.value), u};
        p->leaf.version++;
        if (ranges == RANGES) tl_update_adam_ranges(range, ranges), ranges = 0;
    }
    tl_update_adam_ranges(range, ranges);
    return true;
}
