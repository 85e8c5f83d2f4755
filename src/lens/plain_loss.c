/* The loss a second time: plain loops over logits, in double, without any of the library's losses. */
#include "measure.h"

#include <math.h>

static bool is_class(const tl_batch *batch) { return batch->labels != NULL; }

long tl_plain_count(const tl_batch *batch) {
    if (!batch) return 0;
    return is_class(batch) ? batch->sentences : batch->sentences * batch->tgt_len;
}

bool tl_plain_is_real(const tl_batch *batch, long i) {
    if (i < 0 || i >= tl_plain_count(batch)) return false;
    if (is_class(batch)) return true;
    if (!batch->tgt_out) return false;
    const long b = i / batch->tgt_len, t = i % batch->tgt_len;
    return (!batch->tgt_lengths || t < batch->tgt_lengths[b]) && batch->tgt_out[i] != batch->pad;
}

double tl_plain_row_nll(tl_tensor logits, int target, double *smooth) {
    const tl_real *row = logits.data;
    const long vocab = logits.dim[0], stride = logits.stride[0];
    double most = -INFINITY, sum = 0, mean = 0;
    for (long v = 0; v < vocab; v++)
        if ((double)row[v * stride] > most) most = (double)row[v * stride];
    for (long v = 0; v < vocab; v++) sum += exp((double)row[v * stride] - most);
    const double log_sum = most + log(sum);
    for (long v = 0; smooth && v < vocab; v++) mean += (log_sum - (double)row[v * stride]) / (double)vocab;
    if (smooth) *smooth = mean;
    return log_sum - (double)row[target * stride];
}

bool tl_plain_nll(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
                  double *nll, double *smooth) {
    if (!model || !model->kind || !batch || !nll)
        return tl_tape_fail(tape, "the loss: give a model, a batch, and the place for what comes out"), false;
    const bool labels = is_class(batch);
    if (!labels && !batch->tgt_out)
        return tl_tape_fail(tape, "the loss: the batch has neither targets nor labels"), false;
    const bool was = tl_tape_set_grad(tape, false);
    tl_var y = model->kind->logits(model, model->kind->hidden(model, tape, batch, maps));
    tl_tape_set_grad(tape, was);
    if (!tl_ok(y)) return false;
    const tl_tensor z = tl_value(y);
    const long vocab = z.dim[z.rank - 1];
    for (long i = 0; i < tl_plain_count(batch); i++) {
        const int target = labels ? batch->labels[i] : batch->tgt_out[i];
        nll[i] = 0;
        if (smooth) smooth[i] = 0;
        if (!tl_plain_is_real(batch, i)) continue;
        if (target < 0 || target >= vocab)
            return tl_tape_fail(tape, "the loss: target %d; there are classes 0 … %ld", target, vocab - 1),
                   false;
        const tl_tensor row = z.rank > 2 ? tl_at(z, i / batch->tgt_len, i % batch->tgt_len) : tl_at(z, i);
        nll[i] = tl_plain_row_nll(row, target, smooth ? &smooth[i] : NULL);
    }
    return true;
}
