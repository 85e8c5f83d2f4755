/* From a trained model to translations. Sentences go in batches of similar length; what comes out is in the corpus' own
 * order. */
#include "events.h"
#include "run.h"
#include "unknown.h"

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

/* What is translated, and where translations go. */
typedef struct job {
    const tl_corpus *encoded; /* sentences that a model can read */
    const long *number;       /* which one of all sentences each of them is; NULL: the same */
    const tl_translate_options *options;
    tl_translations *to;
} job;

/* ---- one hypothesis ---- */

static char *tokens_of(tl_run *run, const int *ids, long length) {
    const tl_vocab *vocab = run->vocab[TL_TARGET];
    const size_t size = tl_vocab_decode(vocab, ids, length, NULL, 0) + 1;
    char *tokens = malloc(size);
    if (tokens)
        tl_vocab_decode(vocab, ids, length, tokens, size);
    else
        tl_error_set(&run->error, "out of memory for a translation");
    return tokens;
}

/* The tokens of hypothesis k of all, which is one of batch row `row`. */
static char *tokens_said(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found,
                         long row, long k) {
    const int *ids = found->ids + k * found->capacity;
    const int layers = run->model->attentions[TL_CROSS];
    if (!j->options->replace_unknown || !found->maps[TL_CROSS] || layers < 1)
        return tokens_of(run, ids, found->lengths[k]);
    const tl_tensor last = found->maps[TL_CROSS][layers - 1];
    return tl_run_replace_unknown(
        run, &(tl_said){.ids = ids,
                        .length = found->lengths[k],
                        .cross = tl_at(tl_at(last, row), k % found->nbest),
                        .source = tl_corpus_sentence(j->encoded, TL_SOURCE, b->index[row])});
}

/* A translation is one line, even if the model writes an escaped line end. */
static char *as_one_line(char *text) {
    for (char *c = text; c && *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    return text;
}

/* The same as a line as people write it; to free(). */
static char *text_said(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found, long row,
                       long k) {
    char *tokens = tokens_said(run, j, b, found, row, k);
    char *text = tokens ? as_one_line(tl_run_join(run, TL_TARGET, tokens)) : NULL;
    free(tokens);
    return text;
}

/* ---- keeping it ---- */

/* Adds a text to a sentence's, which come best first, unless a better hypothesis said the same. */
static void add(tl_translations *t, long sentence, char *text, double score) {
    char **texts = t->text + sentence * t->nbest;
    long n = 0;
    for (; n < t->nbest && texts[n]; n++)
        if (!strcmp(texts[n], text)) {
            free(text);
            return;
        }
    texts[n] = text;
    t->score[sentence * t->nbest + n] = score;
}

/* The empty translation, of a sentence without words (its <eos> is alone: the model never saw one) or with too many. */
static bool add_nothing(tl_run *run, tl_translations *t, long sentence) {
    char *text = calloc(1, 1);
    if (!text) return tl_error_set(&run->error, "out of memory for a translation");
    add(t, sentence, text, 0);
    return true;
}

static bool keep(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found) {
    for (long row = 0; row < b->sentences; row++) {
        const long sentence = j->number ? j->number[b->index[row]] : b->index[row], end = row + 1;
        const bool blank = b->src_lengths[row] < 2;
        if (blank && !add_nothing(run, j->to, sentence)) return false;
        for (long k = row * found->nbest; !blank && k < end * found->nbest && found->lengths[k] >= 0; k++) {
            char *text = text_said(run, j, b, found, row, k);
            if (!text) return false;
            add(j->to, sentence, text, found->score[k]);
        }
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
static bool translate_all(tl_run *run, const job *j) {
    tl_batches *batches = tl_run_by_length(run, j->encoded, j->options->batch_tokens);
    tl_batch batch;
    tl_search_result found;
    long done = 0;
    bool stopped = false;
    const bool reused = tl_tape_set_reuse_weights(run->tape, true);
    TL_TELL(run->events, work_began, TL_WORK_TRANSLATING, tl_corpus_size(j->encoded));
    while (!tl_failed(&run->error) && !(stopped = tl_stopped(run->events)) &&
           tl_batches_next(batches, &batch)) {
        tl_tape_reset(run->tape);
        if (!tl_run_search(run, &batch, j->options, &found) || !keep(run, j, &batch, &found)) break;
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.src_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_tape_set_reuse_weights(run->tape, reused);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    return !tl_failed(&run->error) && !stopped && !tl_stopped(run->events);
}

/* ---- sentences that are too long ---- */

static long length_of(const tl_corpus *encoded, long i) {
    long length;
    tl_corpus_ids(encoded, TL_SOURCE, i, &length);
    return length;
}

/* Names the first ones, each with its tokens, and counts the rest; returns how many there are. */
static long tell_long(const tl_run *run, const tl_corpus *encoded) {
    char text[TL_ERROR_MAX];
    long count = 0;
    for (long i = 0; i < tl_corpus_size(encoded); i++) {
        if (length_of(encoded, i) <= TL_LONGEST_SENTENCE) continue;
        snprintf(text, sizeof text,
                 "line %ld has %ld tokens, and a model reads at most %d: its translation is left empty; cut "
                 "it into sentences",
                 i + 1, length_of(encoded, i), TL_LONGEST_SENTENCE);
        if (count++ < TL_REPORT_LINES) TL_TELL(run->events, warning, text);
    }
    snprintf(text, sizeof text, "%ld more lines have more than %d tokens", count - TL_REPORT_LINES,
             TL_LONGEST_SENTENCE);
    if (count > TL_REPORT_LINES) TL_TELL(run->events, warning, text);
    return count;
}

/* The sentences that a model can read, encoded anew, and number[n] of the n-th. NULL, and an error, when out of memory. */
static tl_corpus *readable(tl_run *run, const tl_corpus *encoded, long *number) {
    tl_corpus *corpus = tl_corpus_new();
    for (long i = 0, n = 0; i < tl_corpus_size(encoded); i++)
        if (length_of(encoded, i) <= TL_LONGEST_SENTENCE) {
            tl_corpus_add(corpus, tl_corpus_sentence(encoded, TL_SOURCE, i), "");
            number[n++] = i;
        }
    if (tl_corpus_encode(corpus, run->vocab[TL_SOURCE], run->vocab[TL_TARGET])) return corpus;
    tl_error_set(&run->error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}

static bool translate_readable(tl_run *run, const tl_corpus *encoded, job *j) {
    const long count = tl_corpus_size(encoded);
    long *number = malloc(((size_t)count + 1) * sizeof *number);
    if (!number) return tl_error_set(&run->error, "out of memory for %ld sentences", count);
    tl_corpus *corpus = readable(run, encoded, number);
    j->encoded = corpus;
    j->number = number;
    bool ok = corpus && (!tl_corpus_size(corpus) || translate_all(run, j));
    for (long i = 0; ok && i < count; i++)
        if (length_of(encoded, i) > TL_LONGEST_SENTENCE) ok = add_nothing(run, j->to, i);
    free(number);
    tl_corpus_free(corpus);
    return ok;
}

bool tl_run_translate(tl_run *run, const tl_corpus *encoded, const tl_translate_options *options,
                      tl_translations *translations) {
    static const tl_translate_options greedy = {.beam = 1};
    if (!options) options = &greedy;
    if (translations) *translations = (tl_translations){0};
    if (!tl_run_has_model(run)) return false;
    if (!encoded || !translations)
        return tl_run_lacks(run, encoded ? "the place for translations" : "the corpus");
    const long beam = tl_run_beam(run, options);
    bool ok = beam && allocate(run, tl_corpus_size(encoded), options->nbest ? beam : 1, translations);
    if (ok && !translations->count) return true; /* there are no batches of nothing */
    job j = {.encoded = encoded, .options = options, .to = translations};
    const long too_long = ok ? tell_long(run, encoded) : 0;
    ok = ok && (too_long ? translate_readable(run, encoded, &j) : translate_all(run, &j));
    if (!ok) tl_translations_free(translations);
    if (ok) translations->too_long = too_long;
    return ok;
}
