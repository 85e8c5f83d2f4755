/* Shared by cross_entropy and linear_cross_entropy: options and targets, which are checked and copied into the tape,
 * and the report. */
#ifndef TL_OPS_LOSS_H
#define TL_OPS_LOSS_H

#include "autograd/for_kernels.h"
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

#include <math.h>

typedef struct tl_loss {
    tl_row_targets targets; /* over the tape's own copies */
    long rows, classes;
    long real;      /* rows whose target is not ignored */
    bool each;      /* TL_REDUCE_NONE: y has each row's loss */
    double divisor; /* the summed loss is divided by this; never 0, and 1 for sum and each */
} tl_loss;

static inline bool tl_loss_check_options(tl_call *c, const tl_loss_options *o) {
    if (!(o->label_smoothing >= 0 && o->label_smoothing < 1))
        return tl_call_refuse(c, "label_smoothing is %g, should be in [0, 1)", o->label_smoothing);
    if (!(o->divisor >= 0 && isfinite(o->divisor)))
        return tl_call_refuse(c, "divisor is %g, should be positive, or 0 for the number of real targets",
                              o->divisor);
    if (o->reduction != TL_REDUCE_MEAN && o->reduction != TL_REDUCE_SUM && o->reduction != TL_REDUCE_NONE)
        return tl_call_refuse(c, "reduction is %d, none of TL_REDUCE_…", (int)o->reduction);
    if (o->reduction != TL_REDUCE_MEAN && o->divisor != 0)
        return tl_call_refuse(c, "divisor is %g, but only the mean is divided: should be 0", o->divisor);
    return true;
}

static inline bool tl_loss_copy_weights(tl_call *c, tl_class_weights *to, const tl_real *weight,
                                        long classes) {
    tl_real *copy = tl_call_memory(c, (size_t)classes * sizeof *copy);
    for (long v = 0; v < classes && copy; v++) {
        if (!(weight[v] >= 0 && weight[v] <= (tl_real)1e30))
            return tl_call_refuse(c, "class_weight[%ld] is %g, should be 0 or more, and finite", v,
                                  (double)weight[v]);
        copy[v] = weight[v];
        to->sum += (double)weight[v];
    }
    to->weight = copy;
    return copy != NULL;
}

static inline bool tl_loss_prepare(tl_call *c, tl_loss *loss, const int *targets, long rows, long classes,
                                   const tl_loss_options *options) {
    static const tl_loss_options none = {0};
    const tl_loss_options *o = options ? options : &none;
    if (!tl_loss_check_options(c, o)) return false;
    if (!targets && rows > 0) return tl_call_refuse(c, "targets are NULL, should be %ld classes", rows);
    int *id = tl_call_memory(c, (size_t)rows * sizeof *id);
    if (!id) return false;
    *loss = (tl_loss){.targets = {id, o->ignore, o->ignore_id, o->label_smoothing, {0}},
                      .rows = rows,
                      .classes = classes,
                      .each = o->reduction == TL_REDUCE_NONE};
    tl_class_weights *w = &loss->targets.weights;
    if (o->class_weight && !tl_loss_copy_weights(c, w, o->class_weight, classes)) return false;
    double counted = 0; /* sum of the real targets' weights */
    for (long r = 0; r < rows; r++) {
        id[r] = targets[r];
        if (!tl_row_is_real(&loss->targets, r)) continue;
        if (id[r] < 0 || id[r] >= classes)
            return tl_call_refuse(c, "target %d at position %ld is outside 0 … %ld (V = %ld)%s", id[r], r,
                                  classes - 1, classes,
                                  o->ignore ? "" : "; to leave padding out, set ignore and ignore_id");
        loss->real++;
        counted += w->weight ? (double)w->weight[id[r]] : 1;
    }
    loss->divisor = o->divisor > 0 ? o->divisor : o->reduction == TL_REDUCE_MEAN && counted > 0 ? counted : 1;
    return true;
}

/* The shape of the loss: that of the targets for TL_REDUCE_NONE, else []. x: shape of the logits, or of linear's
 * input. */
static inline tl_shape tl_loss_shape(const tl_loss *loss, tl_shape x) {
    if (!loss->each) return TL_SCALAR_SHAPE;
    x.rank--;
    return x;
}

static inline void tl_loss_fill_report(const tl_loss_sums *sums, tl_loss_report *report) {
    if (report) *report = (tl_loss_report){sums->count, sums->correct, sums->nll};
}

#endif
