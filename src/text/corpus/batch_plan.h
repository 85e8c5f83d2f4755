/* The sentences of each batch of the current epoch. Invariant after planning: order[] is a permutation of the
 * sentences; batch b is order[cut[b]] … order[cut[b+1]-1]; visit[] is the order of the batches. */
#ifndef TL_TEXT_BATCH_PLAN_H
#define TL_TEXT_BATCH_PLAN_H

#include "tapeloom/text.h"

typedef struct tl_batch_plan {
    long sentences;
    long *length; /* [sentences] tokens of the longer side, <eos> counted */
    long longest;
    long *order;   /* [sentences] */
    long *scratch; /* [sentences] */
    long *bucket;  /* [longest + 2] */
    long *cut;     /* [sentences + 1] */
    long *visit;   /* [sentences] */
    long batches;
} tl_batch_plan;

/* False when out of memory; free the plan in either case. */
bool tl_batch_plan_init(tl_batch_plan *plan, const tl_corpus *corpus);
/* Plans an epoch. config must be complete, without zeros for defaults. Allocates nothing. */
void tl_batch_plan_epoch(tl_batch_plan *plan, const tl_batches_config *config, long epoch);
void tl_batch_plan_free(tl_batch_plan *plan);

#endif
