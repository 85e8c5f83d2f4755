/* Which heads a model has, and their rows and columns without padding. */
#include "heads_found.h"

#include "tapeloom/prune.h"

#include <math.h>

bool tl_heads_fail(tl_run *run, const char *why) {
    tl_tape_fail(tl_run_tape(run), "heads: %s", why);
    return false;
}

/* ---- which heads there are ---- */

long tl_heads_count(const tl_run *run) { return tl_prune_heads(tl_run_model(run)); }

/* ---- rows and columns without padding ---- */

/* A classifier's batches have labels and empty targets. */
bool tl_seen_is_pooling(const tl_seen *seen, const tl_seen_attention *a) {
    return a->kind == TL_CROSS && seen->batch.labels;
}

static long source_length(const tl_batch *batch, long b) {
    return batch->src_lengths ? batch->src_lengths[b] : batch->src_len;
}

static long target_length(const tl_batch *batch, long b) {
    return batch->tgt_lengths ? batch->tgt_lengths[b] : batch->tgt_len;
}

/* A classifier's [CLS] adds a row and a column to the source's. */
static long encoder_length(const tl_seen *seen, const tl_seen_attention *a, long b) {
    return source_length(&seen->batch, b) + a->keys - seen->batch.src_len;
}

static bool is_of(const tl_seen *seen, const tl_seen_attention *a, long b) {
    return seen && a && b >= 0 && b < seen->batch.sentences;
}

long tl_seen_real_rows(const tl_seen *seen, const tl_seen_attention *a, long b) {
    if (!is_of(seen, a, b)) return 0;
    if (a->kind == TL_ENCODER_SELF) return encoder_length(seen, a, b);
    return tl_seen_is_pooling(seen, a) ? 1 : target_length(&seen->batch, b);
}

long tl_seen_real_columns(const tl_seen *seen, const tl_seen_attention *a, long b) {
    if (!is_of(seen, a, b)) return 0;
    return a->kind == TL_DECODER_SELF ? target_length(&seen->batch, b) : encoder_length(seen, a, b);
}

tl_tensor tl_seen_rows_of(tl_tensor t, long b, long h, long rows) {
    return tl_tensor_slice(tl_at(t, b, h), 0, 0, rows);
}

double tl_seen_gate_grad(const tl_seen *seen, const tl_seen_attention *a, long b, long h, bool per_token) {
    if (!is_of(seen, a, b)) return NAN;
    const long rows = tl_seen_real_rows(seen, a, b);
    const tl_tensor context = tl_seen_rows_of(a->context, b, h, rows),
                    grad = tl_seen_rows_of(a->context_grads, b, h, rows);
    return per_token ? tl_head_gate_grad_per_token(context, grad) : tl_head_gate_grad(context, grad);
}
