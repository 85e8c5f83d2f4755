/* What cross_entropy and linear_cross_entropy have in common: options and targets, checked and copied into the tape,
 * and what is reported. */
#ifndef TL_OPS_LOSS_H
#define TL_OPS_LOSS_H

#include "autograd/for_kernels.h"
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

typedef struct tl_loss {
    tl_row_targets targets; /* over the tape's own copy */
    long rows, classes;
    long real;      /* rows whose target is not ignored */
    double divisor; /* never 0 */
} tl_loss;

static inline bool tl_loss_prepare(tl_call *c, tl_loss *loss, const int *targets, long rows, long classes,
                                   const tl_loss_options *options) {
    static const tl_loss_options none = {0};
    const tl_loss_options *o = options ? options : &none;
    if (!(o->label_smoothing >= 0 && o->label_smoothing < 1))
        return tl_call_fail(c, "label_smoothing is %g, should be in [0, 1)", o->label_smoothing), false;
    if (!(o->divisor >= 0))
        return tl_call_fail(c, "divisor is %g, should be positive, or 0 for the number of real targets",
                            o->divisor),
               false;
    int *id = tl_call_memory(c, (size_t)rows * sizeof *id);
    if (!id) return false;
    *loss = (tl_loss){
        .targets = {id, o->ignore, o->ignore_id, o->label_smoothing}, .rows = rows, .classes = classes};
    for (long r = 0; r < rows; r++) {
        id[r] = targets[r];
        if (o->ignore && id[r] == o->ignore_id) continue;
        if (id[r] < 0 || id[r] >= classes)
            return tl_call_fail(c, "target %d at position %ld is outside 0 … %ld (V = %ld)%s", id[r], r,
                                classes - 1, classes,
                                o->ignore ? "" : "; to leave padding out, set ignore and ignore_id"),
                   false;
        loss->real++;
    }
    loss->divisor = o->divisor > 0 ? o->divisor : loss->real > 0 ? (double)loss->real : 1;
    return true;
}

static inline void tl_loss_report(const tl_loss *loss, const tl_loss_sums *sums,
                                  const tl_loss_options *options, tl_real *y) {
    *y = (tl_real)(sums->loss / loss->divisor);
    if (!options) return;
    if (options->count) *options->count = sums->count;
    if (options->correct) *options->correct = sums->correct;
    if (options->nll) *options->nll = sums->nll;
}

#endif
