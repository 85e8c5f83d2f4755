/* Forbids words that would repeat an n-gram of the hypothesis (Paulus et al. 2018). Forced words count as part of it; a
 * forced word is written even if it repeats one. */
#include "repeats.h"

#include <math.h>
#include <string.h>

void tl_forbid_repeats(tl_real *logits, const int *ids, long count, long n) {
    const long before = n - 1; /* words of the n-gram before the next word */
    for (long i = 0; i + n <= count; i++)
        if (!memcmp(ids + i, ids + count - before, (size_t)before * sizeof *ids))
            logits[ids[i + before]] = -(tl_real)INFINITY;
}
