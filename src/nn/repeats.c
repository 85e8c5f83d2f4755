/* No n words twice in a row: what a hypothesis may not write, because it would repeat itself (Paulus et al. 2018). Words that
 * were forced count like any other; what is forced is written all the same. */
#include "repeats.h"

#include <math.h>
#include <string.h>

void tl_forbid_repeats(tl_real *logits, const int *ids, long count, long n) {
    const long before = n - 1; /* words that the next one would make a repetition with */
    for (long i = 0; i + n <= count; i++)
        if (!memcmp(ids + i, ids + count - before, (size_t)before * sizeof *ids))
            logits[ids[i + before]] = -(tl_real)INFINITY;
}
