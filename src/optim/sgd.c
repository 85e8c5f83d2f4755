/* Stochastic gradient descent with momentum, Nesterov's too; the formulas are in tensor/kernels/update.h. */
#include "optimiser.h"
#include "tensor/update.h"

#include <stdlib.h>

struct tl_sgd {
    tl_optimiser base;
    tl_sgd_config config;
};

tl_sgd *tl_sgd_new(tl_params *params, const tl_sgd_config *config) {
    tl_sgd *sgd = calloc(1, sizeof *sgd);
    if (!sgd) return NULL;
    if (config) sgd->config = *config;
    sgd->base.name = "sgd";
    sgd->base.params = params;
    sgd->base.moments = sgd->config.momentum != 0;
    sgd->base.weight_decay = sgd->config.weight_decay;
    tl_optimiser_number(&sgd->base, "momentum", sgd->config.momentum);
    tl_optimiser_number(&sgd->base, "weight_decay", sgd->config.weight_decay);
    if (sgd->config.nesterov && sgd->config.momentum == 0)
        tl_error_set(&sgd->base.error, "sgd: nesterov needs momentum; set .momentum (0.9 is usual)");
    return sgd;
}

void tl_sgd_free(tl_sgd *sgd) {
    if (!sgd) return;
    tl_optimiser_free(&sgd->base);
    free(sgd);
}

bool tl_sgd_set_group(tl_sgd *sgd, int group, const tl_group_options *options) {
    return sgd && tl_optimiser_group(&sgd->base, group, options);
}

const char *tl_sgd_error(const tl_sgd *sgd) {
    if (!sgd) return "sgd: out of memory when it was made";
    return tl_failed(&sgd->base.error) ? sgd->base.error.message : NULL;
}

bool tl_sgd_step(tl_sgd *sgd, double lr) {
    if (!sgd || !tl_optimiser_ready(&sgd->base, lr)) return false;
    for (int i = 0; i < sgd->base.states; i++) {
        double factor, decay;
        tl_param *p = tl_optimiser_param(&sgd->base, i, &factor, &decay);
        if (!p) continue;
        tl_sgd_update u = {.lr = lr * factor,
                           .momentum = sgd->config.momentum,
                           .decay = decay,
                           .grad_scale = 1,
                           .nesterov = sgd->config.nesterov};
        tl_update_sgd(p->leaf.value.data, sgd->base.state[i].first, p->leaf.grad, tl_numel(p->leaf.value),
                      &u);
        p->leaf.version++;
    }
    return true;
}
