/* A task over batches of a corpus. */
#include "batched.h"

bool tl_batched_is_well(const tl_batched *d) {
    return !tl_batches_error(d->batches) || tl_error_set(&d->run->error, "%s", tl_batches_error(d->batches));
}

bool tl_batched_next(void *data) {
    tl_batched *d = data;
    if (tl_batches_next(d->batches, &d->batch)) return true;
    tl_batched_is_well(d);
    return false;
}

bool tl_batched_seek(void *data, tl_batches_position position) {
    const tl_batched *d = data;
    return tl_batches_seek(d->batches, position) || tl_batched_is_well(d);
}

static tl_var loss(void *data, bool sum) {
    tl_batched *d = data;
    const tl_loss_options options = {.reduction = sum ? TL_REDUCE_SUM : TL_REDUCE_MEAN};
    return tl_run_batch_loss(d->run, &d->batch, &options, NULL, NULL);
}

static const tl_batch *batch(void *data) { return &((const tl_batched *)data)->batch; }
static long tokens(void *data) { return ((const tl_batched *)data)->batch.tgt_tokens; }
static long per_epoch(void *data) { return tl_batches_per_epoch(((const tl_batched *)data)->batches); }
static tl_batches_position tell(void *data) { return tl_batches_tell(((const tl_batched *)data)->batches); }
static bool begin(void *data) { return tl_run_begins(((const tl_batched *)data)->run); }

tl_task tl_batched_task(tl_batched *data) {
    return (tl_task){.context = data,
                     .next = tl_batched_next,
                     .loss = loss,
                     .tokens = tokens,
                     .per_epoch = per_epoch,
                     .tell = tell,
                     .seek = tl_batched_seek,
                     .begin = begin,
                     .batch = batch};
}
