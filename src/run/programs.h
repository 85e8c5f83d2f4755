/* What runs are for. A run belongs to one program, which its config.txt names: build/translate, build/lm, … Each
 * program has its own rows of settings, text, model and task. Opening, the folder, the loop and resuming are the
 * same for all. */
#ifndef TL_RUN_PROGRAMS_H
#define TL_RUN_PROGRAMS_H

#include "run.h"

/* Functions that fail set the run's error, or the one that they are given, and return false or NULL. */
typedef struct tl_run_program {
    const char *name;
    const tl_option *options; /* config.txt's rows */
    tl_run_settings (*usual)(void);
    bool (*complete)(tl_run_settings *settings, tl_error *error); /* tl_run_settings_complete */
    /* The text files (vocabularies, merges, labels), to and from the run's folder. */
    bool (*save_text)(tl_run *run);
    bool (*load_text)(tl_run *run);
    /* Makes the model from settings and text, on run->params. */
    const tl_model *(*make)(tl_run *run);

    /* Training calls the rest in this order. Reads the data that the settings name into run->data; */
    bool (*read)(tl_run *run);
    bool (*learn_text)(tl_run *run); /* in a new run: learns the text from the data; */
    bool (*encode)(tl_run *run);     /* data to ids and batches; a new run's model is made after this; */
    /* a stage before the task, or NULL; if it returns anything but TL_ENDED, training ends */
    tl_ending (*before)(tl_run *run, tl_training_end *end);
    void (*task)(tl_run *run, tl_task *task, tl_prepared *prepared); /* fills in the loop's task; */
    void (*forget_data)(tl_run *run); /* frees run->data, also after a failure. */
    const char *score, *score_label;  /* the task's (train.h); NULL: none */
} tl_run_program;

/* Every task's `begin`: saves the settings that were changed, so that they hold when the run resumes again. */
bool tl_run_begins(tl_run *run);

extern const tl_run_program tl_translate_program, tl_lm_program, tl_caption_program, tl_classify_program;

/* The program of that name (NULL: translate). NULL, and a sentence, if there is none. */
const tl_run_program *tl_run_program_of(const char *name, tl_error *error);

#endif
