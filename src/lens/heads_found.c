/* Memory for the sums of one pass over a set, for every head. */
#include "heads_found.h"

#include <stdlib.h>

bool tl_heads_found_new(tl_run *run, bool all, tl_heads_found *found) {
    *found = (tl_heads_found){.count = tl_heads_count(run)};
    if (tl_run_error(run)) return false;
    if (!found->count) return tl_heads_fail(run, "this model has no attention");
    const size_t n = (size_t)found->count;
    found->importance = calloc(n, sizeof *found->importance);
    bool ok = found->importance != NULL;
    if (all) {
        found->row = calloc(n, sizeof *found->row);
        found->habits = calloc(n, sizeof *found->habits);
        found->alignment = calloc(n, sizeof *found->alignment);
        found->rows = calloc(n, sizeof *found->rows);
        found->widths = calloc(n, sizeof *found->widths);
        ok = ok && found->row && found->habits && found->alignment && found->rows && found->widths;
        for (size_t i = 0; ok && i < n; i++) ok = (found->habits[i] = tl_head_sums_new()) != NULL;
    }
    return ok || tl_heads_fail(run, "out of memory");
}

void tl_heads_found_free(tl_heads_found *found) {
    for (long i = 0; found->habits && i < found->count; i++) tl_head_sums_free(found->habits[i]);
    free(found->importance);
    free(found->row);
    free(found->habits);
    free(found->alignment);
    free(found->context);
    free(found->rows);
    free(found->widths);
    *found = (tl_heads_found){0};
}
