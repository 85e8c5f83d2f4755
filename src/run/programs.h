/* What runs are for. A run belongs to one program, which its config.txt names: build/translate, build/lm, … Each has settings' rows of
 * its own, text, a model and a task; opening, the folder, the loop and going on are the same for all of them. */
#ifndef TL_RUN_PROGRAMS_H
#define TL_RUN_PROGRAMS_H

#include "run.h"

/* Functions that fail set the run's error, or the one they are given, and return false or NULL. */
typedef struct tl_run_program {
    const char *name;
    const tl_option *options; /* config.txt's rows */
    tl_run_settings (*usual)(void);
    bool (*complete)(tl_run_settings *settings, tl_error *error); /* tl_run_settings_complete */
    /* Text: what lines are cut and numbered by, to and from the run's folder. */
    bool (*save_text)(tl_run *run);
    bool (*load_text)(tl_run *run);
    /* Makes the model of settings and text, on run->params. */
    const tl_model *(*make)(tl_run *run);

    /* Training, in this order. Reads the data that the settings name (run->data); */
    bool (*read)(tl_run *run);
    bool (*learn_text)(tl_run *run); /* of a new run: text as the data want it; */
    bool (*encode)(tl_run *run);     /* data as ids, in batches; of a new run its model is made after that; */
    tl_ending (*before)(
        tl_run *run,
        tl_training_end *end); /* a stage before the task, unless TL_ENDED the end; NULL: none; */
    void (*task)(tl_run *run, tl_task *task, tl_prepared *prepared); /* what the loop is given; */
    void (*forget_data)(tl_run *run); /* frees run->data, also after a failure. */
    const char *score, *score_label;  /* the task's (train.h); NULL: none */
} tl_run_program;

/* What every task's begin does: what was said anew holds when the run goes on again. */
bool tl_run_begins(tl_run *run);

extern const tl_run_program tl_translate_program, tl_lm_program, tl_caption_program, tl_classify_program;

/* The one of that name (NULL: translate); NULL, and a sentence, if there is none. */
const tl_run_program *tl_run_program_of(const char *name, tl_error *error);

#endif
