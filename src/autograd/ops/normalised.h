/* Shared by layer_norm and rms_norm: the checks of their inputs, forward and backward. */
#ifndef TL_OPS_NORMALISED_H
#define TL_OPS_NORMALISED_H

#include "autograd/for_kernels.h"
#include "tapeloom/op.h"
#include "tensor/rows.h"

#include <math.h>

typedef struct tl_normalised {
    const tl_real *x, *gamma; /* contiguous; gamma may be NULL */
    long rows, n;
    tl_real *mean, *rstd; /* one for each row; mean NULL: rms_norm */
} tl_normalised;

/* Checks the inputs, x [...,D] and the others [D] or left out, and makes them contiguous. */
static inline bool tl_normalised_prepare(tl_call *c, tl_normalised *of, double eps) {
    const tl_shape x = tl_shape_of(c->x[0]);
    if (x.rank < 1) return tl_call_refuse(c, "a scalar has no last axis");
    if (!(eps >= 0 && isfinite(eps)))
        return tl_call_refuse(c, "eps is %g, should be 0 or a small positive number", eps);
    of->n = x.dim[x.rank - 1];
    of->rows = of->n > 0 ? tl_shape_numel(x) / of->n : 0;
    for (int i = 1; i < c->inputs; i++) {
        const tl_shape s = tl_shape_of(c->x[i]);
        if (c->x[i].data && !tl_shape_equal(s, TL_SHAPE(of->n)))
            return tl_call_refuse(c, "x is %s, %s %s: should be [%ld]", TL_SHAPE_STRING(x),
                                  i == 1 ? "gamma" : "beta", TL_SHAPE_STRING(s), of->n);
    }
    for (int i = 0; i < c->inputs; i++)
        if (!tl_call_dense(c, i)) return false;
    of->x = c->x[0].data;
    of->gamma = c->x[1].data;
    return true;
}

/* centre: layer_norm, else rms_norm. */
static inline tl_var tl_normalised_call(tl_call *c, double eps, bool centre) {
    if (!c->ok) return tl_call_end(c);
    tl_normalised *of = tl_call_save(c, sizeof *of);
    if (!of || !tl_normalised_prepare(c, of, eps)) return tl_call_end(c);
    tl_tensor y = tl_call_new(c, tl_shape_of(c->x[0]));
    if (centre) of->mean = tl_call_memory(c, (size_t)of->rows * sizeof *of->mean);
    of->rstd = tl_call_memory(c, (size_t)of->rows * sizeof *of->rstd);
    if (!c->ok) return tl_call_end(c);
    const tl_real *beta = c->inputs > 2 ? c->x[2].data : NULL;
    tl_rows_norm(y.data, of->x, of->gamma, beta, of->rows, of->n, eps, of->mean, of->rstd);
    return tl_call_end(c);
}

/* The sinks are opened in the order in which the kernel writes the gradients, since two inputs may be the same var. */
static inline void tl_normalised_backward(tl_back *b) {
    const tl_normalised *of = b->saved;
    tl_sink sink[3] = {0};
    tl_row_gradient to[3] = {{0}};
    for (int i = 0; i < tl_back_inputs(b); i++)
        if (tl_sink_open_dense(b, i, &sink[i])) to[i] = (tl_row_gradient){sink[i].to.data, sink[i].add};
    if (!tl_rows_norm_backward(to[0], to[1], to[2], of->x, b->dy.data, of->gamma, of->rows, of->n, of->mean,
                               of->rstd, tl_tape_workspace(b->tape)))
        tl_tape_fail(b->tape, "%s: out of memory", b->op->name);
    for (int i = 0; i < tl_back_inputs(b); i++)
        if (to[i].to) tl_sink_close(b, &sink[i]);
}

#endif
