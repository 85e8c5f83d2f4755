/* Memory that kernels borrow for one call (packed panels, partial sums). The tape or another caller owns it. It only
 * grows, so a call that needs no more than an earlier one allocates nothing. */
#ifndef TL_WORKSPACE_H
#define TL_WORKSPACE_H

#include "tapeloom/tensor.h"

typedef struct tl_workspace {
    void *memory;
    size_t size;
    long allocations;
} tl_workspace; /* {0} is an empty one */

/* At least `bytes`, aligned to 64, contents undefined; valid until the next call. NULL when out of memory. */
void *tl_workspace_get(tl_workspace *w, size_t bytes);
void tl_workspace_free(tl_workspace *w);

#endif
