/* From a trained model to translations, in batches of sentences of similar length; results are in the corpus' order. */
#include "events.h"
#include "pass.h"
#include "unknown.h"

#include <stdlib.h>
#include <string.h>

void tl_translations_free(tl_translations *t) {
    if (!t) return;
    for (long i = 0; t->text && i < t->count * t->nbest; i++) free(t->text[i]);
    for (long i = 0; t->alignment && i < t->count * t->nbest * t->maps; i++)
        tl_alignment_free(&t->alignment[i]);
    free(t->text);
    free(t->score);
    free(t->alignment);
    *t = (tl_translations){0};
}

tl_batches *tl_run_by_length(tl_run *run, const tl_corpus *encoded, long tokens) {
    tl_batches *batches =
        tl_batches_new(encoded, &(tl_batches_config){.tokens = tokens, .order = TL_BY_LENGTH});
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    return batches;
}

/* What is translated, and where the translations go. */
typedef struct job {
    const tl_corpus *encoded; /* sentences that are too long are blank */
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

/* "prefix tokens"; tokens may be empty. Frees tokens. */
static char *prefixed(tl_run *run, const char *prefix, char *tokens) {
    if (!*prefix || !tokens) return tokens;
    const size_t size = strlen(prefix) + strlen(tokens) + 2;
    char *both = malloc(size);
    if (both)
        snprintf(both, size, "%s%s%s", prefix, *tokens ? " " : "", tokens);
    else
        tl_error_set(&run->error, "out of memory for a translation");
    free(tokens);
    return both;
}

/* The tokens of hypothesis k, which belongs to batch row `row`. Forced tokens appear as they were given. */
static char *tokens_said(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found,
                         long row, long k) {
    const long given = j->options->prefixes ? b->tgt_lengths[row] - 1 : 0, length = found->lengths[k] - given;
    const int *ids = found->ids + k * found->capacity + given;
    const int layers = run->model->attentions[TL_CROSS];
    const char *prefix = given ? tl_corpus_sentence(j->encoded, TL_TARGET, b->index[row]) : "";
    if (!j->options->replace_unknown || !found->maps[TL_CROSS] || layers < 1)
        return prefixed(run, prefix, tokens_of(run, ids, length));
    const tl_tensor looked = tl_at(tl_at(found->maps[TL_CROSS][layers - 1], row), k % found->nbest);
    return prefixed(run, prefix,
                    tl_run_replace_unknown(
                        run, &(tl_said){.ids = ids,
                                        .length = length,
                                        .cross = tl_tensor_slice(looked, 1, given, found->capacity),
                                        .source = tl_corpus_sentence(j->encoded, TL_SOURCE, b->index[row])}));
}

/* A translation is one line, even if the model writes an escaped line end. */
static char *as_one_line(char *text) {
    for (char *c = text; c && *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    return text;
}

/* Alignments [maps] of these tokens, from the weights while they were written. */
static bool align(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found, long row,
                  long k, const char *tokens, tl_alignment *to) {
    const long layer = j->options->align_layer ? j->options->align_layer : run->model->attentions[TL_CROSS];
    const tl_tensor map = tl_at(tl_at(found->maps[TL_CROSS][layer - 1], row), k % found->nbest);
    const char *source = tl_corpus_sentence(j->encoded, TL_SOURCE, b->index[row]);
    bool ok = true;
    for (long h = 0; ok && h < j->to->maps; h++)
        ok = tl_run_align(run, source, tokens, j->options->align_heads ? tl_at(map, h) : map, &to[h]);
    return ok;
}

/* ---- storing it ---- */

/* Adds a text to a sentence's translations and returns its index. Unless `again`, a text that a better hypothesis
 * already has is not added: returns -1. */
static long add(tl_translations *t, long sentence, char *text, double score, bool again) {
    char **texts = t->text + sentence * t->nbest;
    long n = 0;
    for (; n < t->nbest && texts[n]; n++)
        if (!again && !strcmp(texts[n], text)) {
            free(text);
            return -1;
        }
    texts[n] = text;
    t->score[sentence * t->nbest + n] = score;
    return sentence * t->nbest + n;
}

/* The empty translation, for a sentence without words (the model never saw a lone <eos>) or with too many. */
static bool add_nothing(tl_run *run, tl_translations *t, long sentence) {
    char *text = calloc(1, 1);
    if (!text) return tl_error_set(&run->error, "out of memory for a translation");
    add(t, sentence, text, 0, false);
    return true;
}

/* Stores hypothesis k as a line as people write it. */
static bool keep_one(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found, long row,
                     long k) {
    char *tokens = tokens_said(run, j, b, found, row, k);
    char *text = tokens ? as_one_line(tl_run_join(run, TL_TARGET, tokens)) : NULL;
    const long place = text ? add(j->to, b->index[row], text, found->score[k], j->options->sample) : -1;
    const bool ok = text && (place < 0 || !j->to->maps ||
                             align(run, j, b, found, row, k, tokens, j->to->alignment + place * j->to->maps));
    free(tokens);
    return ok;
}

static bool keep(tl_run *run, const job *j, const tl_batch *b, const tl_search_result *found) {
    for (long row = 0; row < b->sentences; row++) {
        const bool blank = b->src_lengths[row] < 2;
        if (blank && !add_nothing(run, j->to, b->index[row])) return false;
        for (long k = row * found->nbest; !blank && k < (row + 1) * found->nbest && found->lengths[k] >= 0;
             k++)
            if (!keep_one(run, j, b, found, row, k)) return false;
    }
    return true;
}

static bool allocate(tl_run *run, long count, long nbest, const tl_translate_options *o, tl_translations *t) {
    *t = (tl_translations){.count = count, .nbest = nbest};
    const int layers = run->model->attentions[TL_CROSS];
    const long heads =
        tl_model_heads(run->model, TL_CROSS, (o->align_layer ? (int)o->align_layer : layers) - 1);
    t->maps = !o->align && !o->align_heads ? 0 : o->align_heads ? heads : 1;
    t->alignment = calloc((size_t)(count * nbest * t->maps) + 1, sizeof *t->alignment);
    t->text = calloc((size_t)(count * nbest) + 1, sizeof *t->text);
    t->score = calloc((size_t)(count * nbest) + 1, sizeof *t->score);
    return (t->text && t->score && t->alignment) ||
           tl_error_set(&run->error, "out of memory for %ld translations", count);
}

/* ---- among ranks ---- */

/* Reports the texts and scores of a batch; alignments are not sent. */
static void send_results(tl_pass *pass, const tl_batch *batch, const tl_translations *t) {
    for (long row = 0; row < batch->sentences && tl_pass_reports(pass); row++) {
        const long i = batch->index[row];
        long count = 0;
        while (count < t->nbest && t->text[i * t->nbest + count]) count++;
        tl_pass_tell(pass, &i, sizeof i);
        tl_pass_tell(pass, &count, sizeof count);
        for (long n = i * t->nbest; n < i * t->nbest + count; n++) {
            tl_pass_tell_text(pass, t->text[n]);
            tl_pass_tell(pass, &t->score[n], sizeof t->score[n]);
        }
    }
}

static bool take(void *context, const tl_pass *pass, tl_told *told) {
    tl_translations *t = context;
    long i, count;
    if (told->own) return true;
    while (tl_told_read(told, &i, sizeof i) && tl_told_read(told, &count, sizeof count))
        for (long n = i * t->nbest; n < i * t->nbest + count; n++) {
            if (!(t->text[n] = tl_told_text(told, pass->run))) return false;
            tl_told_read(told, &t->score[n], sizeof t->score[n]);
        }
    return true;
}

/* ---- all of it ---- */

static bool translate_batches(tl_run *run, const job *j, tl_pass *pass) {
    tl_batches *batches = tl_run_by_length(run, j->encoded, j->options->batch_tokens);
    tl_batch batch;
    tl_search_result found;
    long done = 0;
    /* a single batch uses the encoder's weights once; the search itself keeps the weights that it uses again */
    const bool many = tl_batches_per_epoch(batches) > 1;
    const bool reused = many && tl_tape_set_reuse_weights(run->tape, true);
    TL_TELL(run->events, work_began, TL_WORK_TRANSLATING, tl_corpus_size(j->encoded));
    while (tl_pass_goes_on(pass) && tl_batches_next(batches, &batch)) {
        if (tl_pass_mine(pass, &batch)) {
            tl_tape_reset(run->tape);
            if (!tl_run_search(run, &batch, j->options, &found) || !keep(run, j, &batch, &found)) break;
            send_results(pass, &batch, j->to);
        }
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.src_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_pass_goes_on(pass); /* notes a stop during the last batch */
    if (many) tl_tape_set_reuse_weights(run->tape, reused);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    return !tl_failed(&run->error);
}

/* ---- sentences that are too long ---- */

/* Warns of the first ones, each with its tokens, and counts the rest; returns how many there are. */
static long tell_long(const tl_run *run, const job *j) {
    char text[TL_ERROR_MAX];
    long count = 0;
    for (long i = 0; i < tl_corpus_size(j->encoded); i++) {
        if (!tl_is_too_long(j->encoded, i, j->options->prefixes)) continue;
        const bool source = tl_tokens_of(j->encoded, TL_SOURCE, i) > TL_LONGEST_SENTENCE;
        snprintf(text, sizeof text,
                 "line %ld has %ld tokens%s, and a model %s at most %d: its translation is left empty; cut "
                 "it into sentences",
                 i + 1, tl_tokens_of(j->encoded, source ? TL_SOURCE : TL_TARGET, i),
                 source ? "" : " in its prefix", source ? "reads" : "writes", TL_LONGEST_SENTENCE);
        if (count++ < TL_REPORT_LINES) TL_TELL(run->events, warning, text);
    }
    snprintf(text, sizeof text, "%ld more lines have more than %d tokens", count - TL_REPORT_LINES,
             TL_LONGEST_SENTENCE);
    if (count > TL_REPORT_LINES) TL_TELL(run->events, warning, text);
    return count;
}

static bool translate_readable(tl_run *run, job *j, tl_pass *pass) {
    tl_corpus *corpus = tl_run_readable(run, j->encoded, j->options->prefixes);
    j->encoded = corpus;
    const bool ok = corpus && translate_batches(run, j, pass);
    tl_corpus_free(corpus);
    return ok;
}

static bool translate_all(tl_run *run, job *j, tl_pass *pass) {
    j->to->too_long = tell_long(run, j);
    return j->to->too_long ? translate_readable(run, j, pass) : translate_batches(run, j, pass);
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
    tl_pass pass = tl_pass_begin(run);
    job j = {.encoded = encoded, .options = options, .to = translations};
    bool ok =
        beam && allocate(run, tl_corpus_size(encoded), options->nbest ? beam : 1, options, translations);
    pass.all_do_all = translations->maps > 0;                          /* alignments are too large to send */
    if (ok && translations->count) ok = translate_all(run, &j, &pass); /* an empty corpus has no batches */
    ok = tl_pass_end(&pass, ok, take, translations);
    if (!ok) tl_translations_free(translations);
    return ok;
}
