/* A few lines as one batch of ids, for looking at single sentences. */
#include "run.h"

#include <stdlib.h>

static tl_corpus *corpus_of(tl_run *run, const char *const *sources, const char *const *targets, long count) {
    tl_corpus *lines = tl_corpus_new();
    for (long i = 0; i < count; i++) {
        const char *target = targets ? targets[i] : "";
        if (!sources[i] || !target)
            tl_error_set(&run->error, "line %ld of a batch is NULL: give a text", i + 1);
        tl_corpus_add(lines, sources[i] ? sources[i] : "", target ? target : "");
    }
    tl_corpus *encoded = tl_corpus_error(lines) ? NULL : tl_run_encode(run, lines);
    if (tl_corpus_error(lines)) tl_error_set(&run->error, "%s", tl_corpus_error(lines));
    tl_corpus_free(lines);
    return encoded;
}

static bool check_lengths(tl_run *run, const tl_corpus *encoded) {
    for (long i = 0; i < 2 * tl_corpus_size(encoded); i++) {
        long length;
        tl_corpus_ids(encoded, i % 2 ? TL_TARGET : TL_SOURCE, i / 2, &length);
        if (length > TL_LONGEST_SENTENCE)
            return tl_error_set(&run->error,
                                "the %s of pair %ld has %ld tokens, and a model reads at most %d: shorten it",
                                i % 2 ? "target" : "source", i / 2 + 1, length, TL_LONGEST_SENTENCE);
    }
    return true;
}

bool tl_run_batch(tl_run *run, const char *const *sources, const char *const *targets, long count,
                  tl_batch *batch) {
    if (!tl_run_has_model(run)) return false;
    if (!sources || !batch || count < 1)
        return tl_error_set(&run->error, "a batch of %ld lines: give at least one, and a tl_batch to fill",
                            sources && batch ? count : 0);
    tl_batches_free(run->batches);
    tl_corpus_free(run->lines);
    run->batches = NULL;
    run->lines = corpus_of(run, sources, targets, count);
    if (!run->lines || !check_lengths(run, run->lines)) return false;
    tl_batches_config config = {.order = TL_IN_ORDER, .tokens = count * (TL_LONGEST_SENTENCE + 1)};
    run->batches = tl_batches_new(run->lines, &config);
    return tl_batches_next(run->batches, batch) ||
           tl_error_set(&run->error, "%s", tl_batches_error(run->batches));
}

char *tl_run_translate_line(tl_run *run, const char *line) {
    if (!tl_run_has_model(run)) return NULL;
    if (!line) return tl_run_lacks(run, "a line"), NULL;
    tl_corpus *encoded = corpus_of(run, &line, NULL, 1);
    tl_translations found = {0};
    char *text = NULL;
    if (encoded && check_lengths(run, encoded) && tl_run_translate(run, encoded, NULL, &found)) {
        text = found.text[0];
        found.text[0] = NULL;
    }
    tl_translations_free(&found);
    tl_corpus_free(encoded);
    return text;
}
