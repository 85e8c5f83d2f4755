/* Every kind of model, one after another, small, with a batch of sentences of different lengths. */
#ifndef TL_TESTS_EVERY_MODEL_H
#define TL_TESTS_EVERY_MODEL_H

#include "models/classifier.h"
#include "models/gpt.h"
#include "models/model.h"
#include "models/seq2seq.h"

/* Attention with every score, and with the sigmoid; a window; a captioner. */
static const tl_transformer_config scored[] = {{SMALL_MODEL, .score = TL_ADDITIVE},
                                               {SMALL_MODEL, .score = TL_GENERAL, .window = 2},
                                               {SMALL_MODEL, .score = TL_COSINE, .pre_norm = true},
                                               {SMALL_MODEL, .score = TL_UNIFORM},
                                               {SMALL_MODEL, .normaliser = TL_SIGMOID},
                                               {SMALL_MODEL, .no_causal = true, .label_smoothing = 0.1}};
enum {
    SCORED = sizeof scored / sizeof *scored,
    FIRST_SCORED = MODELS,
    FIRST_GPT = FIRST_SCORED + SCORED,
    FIRST_RECURRENT = FIRST_GPT + GPTS,
    FIRST_CLASSIFIER = FIRST_RECURRENT + RECURRENTS,
    EVERY_MODEL = FIRST_CLASSIFIER + CLASSIFIERS
};

typedef struct subject {
    const tl_model *model;
    tl_params *params;
    tl_tape *tape;
    tl_batch batch;
    /* the model is one of these */
    bench transformer;
    gpt_bench gpt;
    recurrent_bench recurrent;
    classifier_bench classifier;
} subject;

static const sentence short_ones[] = {{0, 4, 3}, {1, 2, 4}, {4, 3, 1}};
enum { SHORT_ONES = 3 };

/* *s must stay where it is: models point into it. */
static inline void subject_begin(subject *s, int which, const sentence *read, long count) {
    *s = (subject){0};
    if (which < FIRST_GPT) {
        s->transformer = bench_begin(which < FIRST_SCORED ? &models[which] : &scored[which - FIRST_SCORED]);
        s->model = &s->transformer.model.model;
        s->params = s->transformer.params;
        s->tape = s->transformer.tape;
    } else if (which < FIRST_RECURRENT) {
        s->gpt = gpt_begin(&gpts[which - FIRST_GPT]);
        s->model = &s->gpt.model.model;
        s->params = s->gpt.params;
        s->tape = s->gpt.tape;
    } else if (which < FIRST_CLASSIFIER) {
        s->recurrent = recurrent_begin(&recurrents[which - FIRST_RECURRENT]);
        s->model = &s->recurrent.model.model;
        s->params = s->recurrent.params;
        s->tape = s->recurrent.tape;
    } else {
        s->classifier = classifier_begin(&classifiers[which - FIRST_CLASSIFIER]);
        s->model = &s->classifier.model.model;
        s->params = s->classifier.params;
        s->tape = s->classifier.tape;
    }
    s->batch = which < FIRST_CLASSIFIER ? batch_of(read, count, 13, 0, 0) : labelled(read, count, 13, 0);
    tl_params_changed(s->params);
}
static inline void subject_end(subject *s) {
    assert_no_error(tl_tape_error(s->tape));
    assert_no_error(tl_params_error(s->params));
    tl_tape_free(s->tape);
    tl_params_free(s->params);
    batch_free(&s->batch);
}

#endif
