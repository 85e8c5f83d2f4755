/* Small untrained runs of every program, without folders. */
#ifndef TL_TESTS_FRESH_RUNS_H
#define TL_TESTS_FRESH_RUNS_H

#include "check.h"

#include <tapeloom.h>

static inline tl_run *fresh(const tl_run_settings *settings) {
    tl_error error = {""};
    tl_set_threads(1);
    tl_run *run = tl_run_fresh(settings, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

static inline tl_run_settings small_of(const char *program) {
    tl_run_settings s = tl_run_settings_of_program(program);
    s.data.sentences = 300;
    s.model.preset = "toy";
    s.model.d_model = s.model.d_ff = 16;
    s.model.heads = 2;
    s.model.layers = 1;
    s.training.seed = 5;
    return s;
}

/* Units are words; with `pairs` byte pairs, so that words are cut into pieces. */
static inline tl_run *fresh_translator(bool pairs) {
    tl_run_settings s = small_of("translate");
    s.data.pair = "en-fr";
    if (pairs) s.text.units = "bpe", s.text.pretokenize = "words", s.text.merges = 20;
    return fresh(&s);
}
static inline tl_run *fresh_lm(const char *units, bool lines) {
    tl_run_settings s = small_of("lm");
    s.lm.made = "en";
    s.text.units = units;
    s.text.merges = 30;
    s.lm.lines = lines;
    s.lm.context = 24;
    return fresh(&s);
}
static inline tl_run *fresh_classifier(const char *model) {
    tl_run_settings s = small_of("classify");
    s.data.task = "agreement";
    s.model.model = model;
    if (strcmp(model, "transformer")) s.model.preset = NULL, s.model.d_ff = s.model.heads = 0;
    return fresh(&s);
}
static inline tl_run *fresh_captioner(void) {
    tl_run_settings s = small_of("caption");
    s.model.preset = NULL;
    s.model.layers = 0;
    s.caption.pictures = 40;
    return fresh(&s);
}

#endif
