/* What the two runs of a patch have recorded, also for tables (patch_table.c). */
#ifndef TL_LENS_PATCH_H
#define TL_LENS_PATCH_H

#include "tapeloom/patch.h"

/* One place in both runs; without data if the place is empty (keys of a score that has none). */
typedef struct tl_patch_record {
    struct tl_patch *patch;
    tl_place_name name;
    tl_tensor a, b, grad; /* contiguous, malloc'ed */
} tl_patch_record;

struct tl_patch {
    const tl_model *model;
    tl_tape *tape;
    tl_batch a, b; /* b has A's targets */
    tl_objective objective;
    double value_a, value_b;
    long count;
    tl_patch_record *record;      /* [count] every place of the model, in its order */
    const tl_patch_place *places; /* places of the current run */
    int chosen;
};

/* Does B have as many tokens as A on the sides of this place? False, and the tape fails with a sentence that gives
 * the lengths. */
bool tl_patch_fits(const tl_patch *patch, const tl_place_name *place);

#endif
