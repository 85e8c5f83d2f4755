/* What tasks over batches of a corpus share: the data of such a task begin with a tl_batched. */
#ifndef TL_RUN_BATCHED_H
#define TL_RUN_BATCHED_H

#include "programs.h"

typedef struct tl_batched {
    tl_run *run;
    tl_batches *batches;
    tl_batch batch; /* the current one */
} tl_batched;

/* A task whose context is the data, and whose functions are those below; what is special is put in their places. */
tl_task tl_batched_task(tl_batched *data);
bool tl_batched_next(void *data); /* tl_task.next: failures of the batches become the run's */
bool tl_batched_seek(void *data, tl_batches_position position);
/* The error of the batches, if there is one, becomes the run's: false then. */
bool tl_batched_is_well(const tl_batched *data);

#endif
