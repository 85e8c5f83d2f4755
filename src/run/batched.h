/* What tasks over batches of a corpus share. The data of such a task begin with a tl_batched. */
#ifndef TL_RUN_BATCHED_H
#define TL_RUN_BATCHED_H

#include "programs.h"

typedef struct tl_batched {
    tl_run *run;
    tl_batches *batches;
    tl_batch batch; /* the current one */
} tl_batched;

/* A task whose context is the data and whose functions are those below; the caller replaces those that differ. */
tl_task tl_batched_task(tl_batched *data);
bool tl_batched_next(void *data); /* tl_task.next: an error of the batches becomes the run's */
bool tl_batched_seek(void *data, tl_batches_position position);
/* False if the batches have an error, which then becomes the run's. */
bool tl_batched_is_well(const tl_batched *data);

#endif
