/* From a trained model to translations, and how good they are. Sentences go in batches of similar length; what comes out
 * is in the corpus' own order. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void translations_free(translations *t) {
    for (long i = 0; t->text && i < t->count * t->nbest; i++) free(t->text[i]);
    free(t->text);
    free(t->score);
    *t = (translations){0};
}

static tl_batches *by_length(run *r, const tl_corpus *cut) {
    tl_batches *batches =
        tl_batches_new(cut, &(tl_batches_config){.tokens = r->settings.batch_tokens, .order = TL_BY_LENGTH});
    if (tl_batches_error(batches)) tl_error_set(&r->error, "%s", tl_batches_error(batches));
    return batches;
}

/* A translation is one line, even if the model writes an escaped line end. */
static char *as_one_line(char *text) {
    for (char *c = text; c && *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    return text;
}

/* Ids to a line as people write it. */
static char *text_of(run *r, const int *ids, long length) {
    size_t size = tl_vocab_decode(r->target, ids, length, NULL, 0) + 1;
    char *tokens = malloc(size), *text = NULL;
    if (tokens) {
        tl_vocab_decode(r->target, ids, length, tokens, size);
        text = as_one_line(text_join(r, TL_TARGET, tokens));
    } else
        tl_error_set(&r->error, "out of memory for a translation");
    free(tokens);
    return text;
}

/* A sentence without words (its <eos> is alone) has a translation without words: the model never saw one. */
static bool keep(run *r, translations *t, long sentence, long rank, const int *ids, long length, double score,
                 bool blank) {
    long at = sentence * t->nbest + rank;
    if (length < 0 || (blank && rank > 0)) return true;
    t->score[at] = blank ? 0 : score;
    t->text[at] = text_of(r, ids, blank ? 0 : length);
    return t->text[at] != NULL;
}

double target_ratio(const run *r) {
    bool many = !strcmp(r->settings.tgt_units, "chars") && strcmp(r->settings.src_units, "chars");
    return many ? 12 : 2;
}

/* Translates one batch; with beam 1, greedily. */
static bool keep_batch(run *r, const tl_batch *b, long beam, translations *t) {
    tl_search_result g;
    const tl_search_options options = {.beam = (int)beam,
                                       .nbest = (int)t->nbest,
                                       .max_ratio = target_ratio(r),
                                       .max_extra = TARGET_EXTRA,
                                       .length_penalty = r->settings.length_penalty};
    bool ok = tl_search(&r->model.model, r->tape, b, &options, &g);
    for (long k = 0; ok && k < b->sentences * g.nbest; k++) {
        long i = k / g.nbest;
        if (!keep(r, t, b->index[i], k % g.nbest, g.ids + k * g.capacity, g.lengths[k], g.score[k],
                  b->src_lengths[i] < 2))
            return false;
    }
    return ok || tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
}

static bool allocate(run *r, const tl_corpus *cut, long beam, translations *t) {
    t->count = tl_corpus_size(cut);
    t->nbest = r->settings.nbest ? beam : 1;
    t->text = calloc((size_t)(t->count * t->nbest) + 1, sizeof *t->text);
    t->score = calloc((size_t)(t->count * t->nbest) + 1, sizeof *t->score);
    return (t->text && t->score) || tl_error_set(&r->error, "out of memory for %ld translations", t->count);
}

bool translate_corpus(run *r, const tl_corpus *cut, long beam, translations *t, tl_progress *progress,
                      const volatile sig_atomic_t *stop) {
    tl_batches *batches = by_length(r, cut);
    tl_batch batch;
    long done = 0;
    bool ok = allocate(r, cut, beam, t) && !tl_failed(&r->error);
    progress->total = tl_corpus_size(cut);
    progress->unit = "sentence";
    progress->no_loss = true;
    tl_progress_start(progress);
    const bool reused = tl_tape_set_reuse_weights(r->tape, true);
    while (ok && !(stop && *stop) && tl_batches_next(batches, &batch)) {
        tl_tape_reset(r->tape);
        ok = keep_batch(r, &batch, beam, t);
        done += batch.sentences;
        tl_progress_update(progress, done, 0, (double)batch.src_tokens);
    }
    tl_tape_set_reuse_weights(r->tape, reused);
    tl_progress_pause(progress);
    if (tl_batches_error(batches)) ok = tl_error_set(&r->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    ok = ok && !(stop && *stop);
    if (!ok) translations_free(t);
    return ok;
}

/* Mean loss without smoothing and teacher-forced accuracy. */
static bool measure_loss(run *r, const tl_corpus *cut, quality *q, const volatile sig_atomic_t *stop) {
    tl_batches *batches = by_length(r, cut);
    tl_batch batch;
    double nll = 0;
    long tokens = 0, correct = 0, done = 0;
    tl_progress progress = progress_of_sentences(&r->settings, "measuring the loss", tl_corpus_size(cut));
    tl_progress_start(&progress);
    bool was = tl_tape_set_grad(r->tape, false);
    tl_tape_set_training(r->tape, 0);
    while (!tl_failed(&r->error) && !(stop && *stop) && tl_batches_next(batches, &batch)) {
        tl_loss_report report = {0};
        tl_tape_reset(r->tape);
        if (!tl_ok(tl_model_loss(&r->model.model, r->tape, &batch, NULL, &report, NULL)))
            tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
        nll += report.nll;
        tokens += report.count;
        correct += report.correct;
        done += batch.sentences;
        tl_progress_update(&progress, done, 0, (double)batch.tgt_tokens);
    }
    tl_progress_pause(&progress);
    tl_tape_set_grad(r->tape, was);
    if (tl_batches_error(batches)) tl_error_set(&r->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    if (tokens) {
        q->loss = nll / (double)tokens;
        q->accuracy = (double)correct / (double)tokens;
    }
    return !tl_failed(&r->error);
}

static bool score(run *r, const tl_corpus *raw, const translations *t, quality *q) {
    const settings *s = &r->settings;
    tl_bleu *bleu = tl_bleu_new(&(tl_bleu_config){.tokens = bleu_tokens_of(s), .lowercase = s->lowercase});
    tl_chrf *chrf = tl_chrf_new(s->lowercase);
    for (long i = 0; i < t->count; i++) {
        const char *hypothesis = t->text[i * t->nbest], *reference = tl_corpus_sentence(raw, TL_TARGET, i);
        tl_bleu_add(bleu, hypothesis, reference);
        tl_chrf_add(chrf, hypothesis, reference);
        q->exact += !strcmp(hypothesis, reference);
    }
    q->bleu = tl_bleu_result(bleu);
    tl_chrf_text(chrf, q->chrf);
    if (tl_bleu_error(bleu)) tl_error_set(&r->error, "%s", tl_bleu_error(bleu));
    if (tl_chrf_error(chrf)) tl_error_set(&r->error, "%s", tl_chrf_error(chrf));
    tl_bleu_free(bleu);
    tl_chrf_free(chrf);
    return !tl_failed(&r->error);
}

bool evaluate_corpus(run *r, const tl_corpus *raw, const tl_corpus *cut, long beam, quality *q,
                     translations *t, tl_progress *progress, const volatile sig_atomic_t *stop) {
    double start = seconds_now();
    translations own = {0};
    *q = (quality){0};
    if (!t) t = &own;
    bool ok = measure_loss(r, cut, q, stop) && translate_corpus(r, cut, beam, t, progress, stop) &&
              score(r, raw, t, q);
    q->seconds = seconds_now() - start;
    if (!ok || t == &own) translations_free(t);
    return ok;
}

void show_samples(const tl_corpus *raw, const translations *t, long count) {
    if (count > t->count) count = t->count;
    for (long i = 0; i < count; i++) {
        long at = i * t->count / count; /* spread over the corpus */
        printf("  source    %s\n  reference %s\n  says      %s\n", tl_corpus_sentence(raw, TL_SOURCE, at),
               tl_corpus_sentence(raw, TL_TARGET, at), t->text[at * t->nbest]);
        if (i + 1 < count) printf("\n");
    }
}
