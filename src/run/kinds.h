/* The kinds of models that a run can be: by what its settings call them. */
#ifndef TL_RUN_KINDS_H
#define TL_RUN_KINDS_H

#include "run.h"

typedef struct tl_run_kind {
    const char *name;
    /* Fills in the sizes that are not said, and looks whether settings go together; of settings that are another kind's says so. */
    bool (*complete)(tl_model_settings *settings, tl_error *error);
    /* Makes the run's model of its settings and vocabularies, on run->params. */
    const tl_model *(*make)(tl_run *run);
} tl_run_kind;

/* The kind that settings name (NULL: a Transformer); NULL, and a sentence, if there is none of that name. */
const tl_run_kind *tl_run_kind_of(const tl_model_settings *settings, tl_error *error);

#endif
