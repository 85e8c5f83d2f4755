/* The kinds of models that a translator can be, by the names in its settings. */
#ifndef TL_RUN_KINDS_H
#define TL_RUN_KINDS_H

#include "run.h"

typedef struct tl_run_kind {
    const char *name;
    /* Fills in sizes that are not given, and checks that settings fit together. A setting of another kind is an
     * error. */
    bool (*complete)(tl_model_settings *settings, tl_error *error);
    /* Makes the run's model from its settings and vocabularies, on run->params. */
    const tl_model *(*make)(tl_run *run);
} tl_run_kind;

/* The kind that settings name (NULL: a Transformer). NULL, and a sentence, if there is no such kind. */
const tl_run_kind *tl_run_kind_of(const tl_model_settings *settings, tl_error *error);

#endif
