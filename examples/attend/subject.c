/* What is looked at: a run's model, one sentence, a test set. */
#include "program.h"

#include <string.h>

static tl_run *fresh_of_pair(settings *s, tl_error *error) {
    tl_run_settings made = tl_run_settings_default();
    made.data.pair = s->pair;
    made.data.sentences = 2000;
    made.model.preset = "toy";
    made.training.seed = s->seed ? s->seed : 1;
    return tl_run_fresh(&made, error);
}

tl_run *open_subject(settings *s) {
    tl_error error = {""};
    if (!s->pair) {
        if (s->fresh) s->common.weights = "initial";
        return open_run(s);
    }
    tl_run *run = fresh_of_pair(s, &error);
    if (!run) fail_with(error.message);
    return run;
}

bool read_sentence(const settings *s, tl_run *run, tl_sentences *sentences) {
    if (s->source || s->target) return tl_sentences_of(run, &s->source, &s->target, 1, sentences);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 1});
    const char *source = tl_set_source(set, 0), *target = source ? NULL : tl_set_target(set, 0);
    const bool ok = set && tl_sentences_of(run, &source, &target, 1, sentences);
    tl_set_free(set);
    return ok;
}

tl_set *open_set(const settings *s, tl_run *run) {
    return tl_set_new(run, &(tl_set_options){.file = s->test, .most = s->most});
}
