/* The norm of all parameters' gradients together, and scaling them. */
#include "tapeloom/optim.h"
#include "tensor/share.h"
#include "tensor/update.h"

#include <math.h>

static tl_param *with_gradient(tl_params *params, int i) {
    tl_param *p = tl_params_at(params, i);
    return p && p->leaf.reached && !p->leaf.frozen ? p : NULL;
}

void tl_scale_grad(tl_params *params, double factor) {
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_param *p = with_gradient(params, i);
        if (p) tl_update_scale(p->leaf.grad, tl_numel(p->leaf.value), factor);
    }
}

/* Parameters are processed in groups of GROUP: first the small ones, each by one thread; then the large ones, each
 * shared out among all threads. The sums of squares are added up in the parameters' order all the same. */
enum { GROUP = 64, LARGE = 65536 };

typedef struct group {
    tl_params *params;
    int first;
    double *squares; /* [GROUP] */
} group;

static void squares_of(const group *g, long i, bool large) {
    const tl_param *p = with_gradient(g->params, g->first + (int)i);
    const long n = p ? tl_numel(p->leaf.value) : 0;
    if (!p)
        g->squares[i] = 0;
    else if ((n > LARGE) == large)
        g->squares[i] = tl_sum_squares(p->leaf.grad, n);
}
static void squares_of_small(const void *job, long i) { squares_of(job, i, false); }

static double sum_of_squares(tl_params *params) {
    double sum = 0, squares[GROUP];
    for (int first = 0, count = tl_params_count(params); first < count; first += GROUP) {
        const group g = {params, first, squares};
        const int n = count - first < GROUP ? count - first : GROUP;
        tl_share(tl_params_numel(params) > LARGE, n, squares_of_small, &g);
        for (int i = 0; i < n; i++) squares_of(&g, i, true);
        for (int i = 0; i < n; i++) sum += squares[i];
    }
    return sum;
}

double tl_clip_grad_norm(tl_params *params, double max_norm) {
    double norm = sqrt(sum_of_squares(params)), factor = max_norm / (norm + 1e-6);
    if (max_norm > 0 && isfinite(norm) && factor < 1) tl_scale_grad(params, factor);
    return norm;
}
