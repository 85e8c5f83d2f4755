/* Opening what a command looks at: a run's model, one sentence, a test set. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

static tl_run *fresh_of_pair(settings *s, tl_error *error) {
    tl_run_settings made = tl_run_settings_default();
    made.data.pair = s->pair;
    made.data.sentences = 2000;
    made.model.preset = "toy";
    made.training.seed = 1;
    return tl_run_fresh(&made, error);
}

tl_run *open_subject(settings *s) {
    tl_error error = {""};
    if (!s->pair) {
        if (s->fresh) s->common.weights = "initial";
        return open_run(s);
    }
    tl_run *run = fresh_of_pair(s, &error);
    if (all_well(run, run != NULL, &error)) {
        tl_run_share_with(run, shared_ranks());
        return run;
    }
    fail_with(error.message);
    tl_run_free(run);
    return NULL;
}

bool read_sentence(const settings *s, tl_run *run, tl_sentences *sentences) {
    if (s->source || s->target) return tl_sentences_of(run, &s->source, &s->target, 1, sentences);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 1});
    const char *source = tl_set_source(set, 0), *target = source ? NULL : tl_set_target(set, 0);
    const bool ok = set && tl_sentences_of(run, &source, &target, 1, sentences);
    tl_set_free(set);
    return ok;
}

/* A copy of a text of the set, which is valid only until the next one is asked for. */
static const char *copy_of(const char *text) {
    char *copy = text ? malloc(strlen(text) + 1) : NULL;
    return copy ? strcpy(copy, text) : NULL;
}

static bool read_with(const settings *s, tl_run *run, tl_set *set, long count, const char **lines,
                      tl_sentences *sentences) {
    const long given = s->source || s->target;
    const char **sources = lines, **targets = lines + count;
    if (count - given > tl_set_count(set)) count = tl_set_count(set) + given;
    if (given) sources[0] = copy_of(s->source), targets[0] = copy_of(s->target);
    for (long i = given; i < count; i++) {
        sources[i] = copy_of(tl_set_source(set, i - given));
        targets[i] = copy_of(tl_set_target(set, i - given));
    }
    return tl_sentences_of(run, sources, targets, count, sentences);
}

bool read_several(const settings *s, tl_run *run, long usual, tl_sentences *sentences) {
    const long count = s->batch ? s->batch : usual;
    if (count <= 1) return read_sentence(s, run, sentences);
    if (count > 1000) return fail_with("--batch: at most 1000 sentences side by side"), false;
    const char **lines = calloc(2 * (size_t)count, sizeof *lines);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = count});
    const bool ok = lines && set && read_with(s, run, set, count, lines, sentences);
    for (long i = 0; lines && i < 2 * count; i++) free((char *)lines[i]);
    free(lines);
    tl_set_free(set);
    return ok;
}

int with_several(settings *s, long usual, int (*look)(settings *s, tl_run *run, tl_sentences *sentences)) {
    tl_error error = {""};
    listener l;
    tl_run *run = open_subject(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    tl_sentences sentences = {0};
    int status = 1;
    if (read_several(s, run, usual, &sentences))
        status = look(s, run, &sentences);
    else
        status_of(run, &error);
    tl_sentences_free(&sentences);
    tl_run_free(run);
    return status;
}

tl_set *open_set(const settings *s, tl_run *run) {
    return tl_set_new(run, &(tl_set_options){.file = s->test, .most = s->most});
}
