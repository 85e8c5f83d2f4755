/* log p of given words, each after the true words before it (teacher forcing).
 *
 * The numbers are those of a search that writes the same words: the same hidden values to the bit, and the same
 * formula. Each sentence's logits are released before the next sentence's are made, so at most [T,V] of them are in
 * memory. */
#include "model.h"

#include "tapeloom/op.h"
#include "tensor/rows.h"

#include <math.h>

static long length_of(const tl_batch *batch, long b) {
    return batch->tgt_lengths ? batch->tgt_lengths[b] : batch->tgt_len;
}

static bool check_words(const tl_model *model, tl_tape *tape, const tl_batch *batch) {
    if (!batch->tgt_in || !batch->tgt_out)
        return tl_tape_fail(tape, "log p: the batch has no targets: give tgt_in and tgt_out"), false;
    for (long b = 0; b < batch->sentences; b++) {
        if (length_of(batch, b) < 0 || length_of(batch, b) > batch->tgt_len)
            return tl_tape_fail(tape, "log p: sentence %ld has %ld target words, should have 0 … %ld", b,
                                length_of(batch, b), batch->tgt_len),
                   false;
        for (long t = 0; t < length_of(batch, b); t++)
            if (batch->tgt_out[b * batch->tgt_len + t] < 0 ||
                batch->tgt_out[b * batch->tgt_len + t] >= model->tgt_vocab)
                return tl_tape_fail(tape, "log p: word %d of sentence %ld: there are words 0 … %ld",
                                    batch->tgt_out[b * batch->tgt_len + t], b, model->tgt_vocab - 1),
                       false;
    }
    return true;
}

/* log p of `words` from contiguous logits [length,V] of sentence b. */
static bool read_rows(tl_tape *tape, tl_tensor logits, const int *words, long b, double *log_p) {
    const long vocab = logits.dim[1];
    for (long t = 0; t < logits.dim[0]; t++) {
        const tl_real *row = logits.data + t * vocab;
        const tl_row_softmax z = tl_row_softmax_of(row, vocab);
        const double log_sum = log((double)z.sum);
        if (!isfinite(log_sum))
            return tl_tape_fail(
                       tape,
                       "log p: the model's logits for word %ld of sentence %ld hold NaN or infinity; are its "
                       "weights sound?",
                       t + 1, b),
                   false;
        log_p[t] = ((double)row[words[t]] - (double)z.max) - log_sum;
    }
    return true;
}

static bool score_sentence(const tl_model *model, tl_var hidden, const tl_batch *batch, long b,
                           double *log_p) {
    tl_tape *tape = hidden.tape;
    const long length = length_of(batch, b), first = b * batch->tgt_len;
    for (long t = length; t < batch->tgt_len; t++) log_p[first + t] = 0;
    if (length < 1) return true;
    const tl_mark mark = tl_tape_mark(tape);
    tl_var logits = model->kind->logits(model, tl_slice(tl_slice(hidden, 0, b, b + 1), 1, 0, length));
    if (!tl_ok(logits)) return false;
    tl_tensor rows = tl_tape_tensor(tape, TL_SHAPE(length, model->tgt_vocab));
    if (!rows.data) return false;
    tl_tensor_copy(rows, tl_at(tl_value(logits), 0));
    const bool ok = read_rows(tape, rows, batch->tgt_out + first, b, log_p + first);
    if (ok) tl_tape_release(tape, mark);
    return ok;
}

static bool score(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
                  double *log_p) {
    tl_var hidden = model->kind->hidden(model, tape, batch, maps);
    bool ok = tl_ok(hidden);
    for (long b = 0; ok && b < batch->sentences; b++) ok = score_sentence(model, hidden, batch, b, log_p);
    return ok;
}

bool tl_log_p(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
              double *log_p) {
    if (!tape || tl_tape_error(tape) || !tl_model_made(model, tape) || !tl_model_batch(tape, batch) ||
        !tl_model_writes(model, tape))
        return false;
    if (!log_p || batch->sentences < 1)
        return tl_tape_fail(tape, "log p: give a batch of one sentence or more, and room for its numbers"),
               false;
    if (!check_words(model, tape, batch)) return false;
    const bool grad = tl_tape_set_grad(tape, false), reused = tl_tape_set_reuse_weights(tape, true);
    const long training = tl_tape_set_training(tape, 0);
    const bool ok = score(model, tape, batch, maps, log_p);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_reuse_weights(tape, reused);
    tl_tape_set_training(tape, training);
    return ok;
}
