/* Gradients of all parameters taken together: their norm, and scaling them. */
#include "tapeloom/optim.h"
#include "tensor/update.h"

#include <math.h>

static tl_param *with_gradient(tl_params *params, int i) {
    tl_param *p = tl_params_at(params, i);
    return p->leaf.reached && !p->leaf.frozen ? p : NULL;
}

void tl_scale_grad(tl_params *params, double factor) {
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_param *p = with_gradient(params, i);
        if (p) tl_update_scale(p->leaf.grad, tl_numel(p->leaf.value), factor);
    }
}

double tl_clip_grad_norm(tl_params *params, double max_norm) {
    double squares = 0;
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_param *p = with_gradient(params, i);
        if (p) squares += tl_sum_squares(p->leaf.grad, tl_numel(p->leaf.value));
    }
    double norm = sqrt(squares), factor = max_norm / (norm + 1e-6);
    if (max_norm > 0 && isfinite(norm) && factor < 1) tl_scale_grad(params, factor);
    return norm;
}
