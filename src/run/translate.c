/* From a trained model to translations. Sentences go in batches of similar length; what comes out is in the corpus' own
 * order. */
#include "events.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

void tl_translations_free(tl_translations *t) {
    if (!t) return;
    for (long i = 0; t->text && i < t->count * t->nbest; i++) free(t->text[i]);
    free(t->text);
    free(t->score);
    *t = (tl_translations){0};
}

tl_batches *tl_run_by_length(tl_run *run, const tl_corpus *encoded, long tokens) {
    tl_batches *batches =
        tl_batches_new(encoded, &(tl_batches_config){.tokens = tokens, .order = TL_BY_LENGTH});
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    return batches;
}

/* A translation is one line, even if the model writes an escaped line end. */
static char *as_one_line(char *text) {
    for (char *c = text; c && *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    return text;
}

/* Ids to a line as people write it. */
static char *text_of(tl_run *run, const int *ids, long length) {
    const tl_vocab *vocab = run->vocab[TL_TARGET];
    size_t size = tl_vocab_decode(vocab, ids, length, NULL, 0) + 1;
    char *tokens = malloc(size), *text = NULL;
    if (tokens) {
        tl_vocab_decode(vocab, ids, length, tokens, size);
        text = as_one_line(tl_run_join(run, TL_TARGET, tokens));
    } else
        tl_error_set(&run->error, "out of memory for a translation");
    free(tokens);
    return text;
}

/* A sentence without words (its <eos> is alone) has a translation without words: the model never saw one. */
static bool keep(tl_run *run, const tl_batch *b, const tl_search_result *found, tl_translations *t) {
    for (long k = 0; k < b->sentences * found->nbest; k++) {
        long row = k / found->nbest, rank = k % found->nbest, at = b->index[row] * t->nbest + rank;
        const bool blank = b->src_lengths[row] < 2;
        if (found->lengths[k] < 0 || (blank && rank > 0)) continue;
        t->score[at] = blank ? 0 : found->score[k];
        t->text[at] = text_of(run, found->ids + k * found->capacity, blank ? 0 : found->lengths[k]);
        if (!t->text[at]) return false;
    }
    return true;
}

static bool allocate(tl_run *run, long count, long nbest, tl_translations *t) {
    *t = (tl_translations){.count = count, .nbest = nbest};
    t->text = calloc((size_t)(count * nbest) + 1, sizeof *t->text);
    t->score = calloc((size_t)(count * nbest) + 1, sizeof *t->score);
    return (t->text && t->score) || tl_error_set(&run->error, "out of memory for %ld translations", count);
}

/* False once it is stopped. */
static bool translate_all(tl_run *run, tl_batches *batches, const tl_translate_options *options,
                          tl_translations *t) {
    tl_batch batch;
    tl_search_result found;
    long done = 0;
    bool stopped = false;
    const bool reused = tl_tape_set_reuse_weights(run->tape, true);
    while (!tl_failed(&run->error) && !(stopped = tl_stopped(run->events)) &&
           tl_batches_next(batches, &batch)) {
        tl_tape_reset(run->tape);
        if (!tl_run_search(run, &batch, options, &found) || !keep(run, &batch, &found, t)) break;
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.src_tokens);
    }
    tl_tape_set_reuse_weights(run->tape, reused);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    return !tl_failed(&run->error) && !stopped && !tl_stopped(run->events);
}

static bool check_lengths(tl_run *run, const tl_corpus *encoded) {
    for (long i = 0; i < tl_corpus_size(encoded); i++) {
        long length;
        tl_corpus_ids(encoded, TL_SOURCE, i, &length);
        if (length > TL_LONGEST_SENTENCE)
            return tl_error_set(
                &run->error, "line %ld has %ld tokens, and a model reads at most %d: cut it into sentences",
                i + 1, length, TL_LONGEST_SENTENCE);
    }
    return true;
}

bool tl_run_translate(tl_run *run, const tl_corpus *encoded, const tl_translate_options *options,
                      tl_translations *translations) {
    const tl_translate_options greedy = {.beam = 1};
    if (!options) options = &greedy;
    if (translations) *translations = (tl_translations){0};
    if (!tl_run_has_model(run) || !translations || !check_lengths(run, encoded)) return false;
    const long nbest = options->nbest && options->beam > 1 ? options->beam : 1;
    bool ok = allocate(run, tl_corpus_size(encoded), nbest, translations);
    if (ok && !translations->count) return true; /* there are no batches of nothing */
    tl_batches *batches = tl_run_by_length(run, encoded, options->batch_tokens);
    TL_TELL(run->events, work_began, TL_WORK_TRANSLATING, tl_corpus_size(encoded));
    ok = ok && translate_all(run, batches, options, translations);
    TL_TELL_THAT(run->events, work_ended);
    tl_batches_free(batches);
    if (!ok) tl_translations_free(translations);
    return ok;
}
