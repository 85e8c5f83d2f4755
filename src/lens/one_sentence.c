/* One sentence of a batch. Measuring a single word then costs a single sentence and does not depend on the batch. */
#include "one_sentence.h"

#include <string.h>

static const int *row(const int *ids, long b, long length) { return ids ? ids + b * length : NULL; }

bool tl_one_sentence(const tl_batch *batch, long b, tl_tape *tape, tl_batch *one) {
    if (b < 0 || b >= batch->sentences) {
        tl_tape_fail(tape, "the objective is of sentence %ld, and the batch has %ld: give 0 … %ld", b,
                     batch->sentences, batch->sentences - 1);
        return false;
    }
    *one = *batch;
    one->sentences = 1;
    one->src = row(batch->src, b, batch->src_len);
    one->tgt_in = row(batch->tgt_in, b, batch->tgt_len);
    one->tgt_out = row(batch->tgt_out, b, batch->tgt_len);
    one->src_lengths = row(batch->src_lengths, b, 1);
    one->tgt_lengths = row(batch->tgt_lengths, b, 1);
    one->labels = row(batch->labels, b, 1);
    one->index = NULL;
    if (one->src_lengths) one->src_len = one->src_lengths[0];
    if (one->tgt_lengths) one->tgt_len = one->tgt_lengths[0];
    if (batch->pictures.data)
        one->pictures = tl_tensor_slice(tl_tensor_slice(batch->pictures, 0, b, b + 1), 1, 0, one->src_len);
    one->src_tokens = one->src_len;
    one->tgt_tokens = one->tgt_len;
    return true;
}

bool tl_has_place(const tl_model *model, const char *name) {
    tl_place_name place;
    for (long i = 0; tl_place_at_number(model, i, &place); i++)
        if (!strcmp(place.text, name)) return true;
    return false;
}
