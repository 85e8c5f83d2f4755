/* From a trained model to translations, and how good they are: translate evaluate, and validation while training. */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void free_texts(char **texts, long count) {
    for (long i = 0; texts && i < count; i++) free(texts[i]);
    free(texts);
}

/* A sentence without words (its <eos> is alone) has a translation without words: the model never saw one. */
static char *decode_row(const tl_vocab *vocab, const tl_batch *batch, const tl_greedy_result *g, long row) {
    const int *ids = g->ids + row * g->capacity;
    long length = batch->src_lengths[row] > 1 ? g->lengths[row] : 0;
    size_t size = tl_vocab_decode(vocab, ids, length, NULL, 0) + 1;
    char *text = malloc(size);
    if (text) tl_vocab_decode(vocab, ids, length, text, size);
    return text;
}

static bool translate_batch(run *r, const tl_batch *batch, char **texts) {
    tl_greedy_result g;
    tl_greedy_options options = {.bos = TL_BOS, .eos = TL_EOS};
    tl_tape_reset(r->tape);
    if (!tl_transformer_greedy(&r->model, r->tape, batch->src, batch->sentences, batch->src_len,
                               batch->src_lengths, &options, &g))
        return tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
    for (long row = 0; row < batch->sentences; row++) {
        texts[batch->index[row]] = decode_row(r->target, batch, &g, row);
        if (!texts[batch->index[row]]) return tl_error_set(&r->error, "out of memory");
    }
    return true;
}

static tl_batches *in_order_of_length(run *r, const tl_corpus *corpus) {
    tl_batches_config config = {.tokens = r->settings.batch_tokens, .order = TL_BY_LENGTH};
    tl_batches *batches = tl_batches_new(corpus, &config);
    if (tl_batches_error(batches)) tl_error_set(&r->error, "%s", tl_batches_error(batches));
    return batches;
}

char **translate_corpus(run *r, const tl_corpus *corpus, tl_progress *progress) {
    long count = tl_corpus_size(corpus), done = 0;
    char **texts = calloc((size_t)count + 1, sizeof *texts);
    tl_batches *batches = in_order_of_length(r, corpus);
    tl_batch batch;
    bool ok = texts && !tl_failed(&r->error);
    if (progress) {
        progress->total = count;
        progress->unit = "sentence";
        progress->no_loss = true;
        tl_progress_start(progress);
    }
    while (ok && tl_batches_next(batches, &batch)) {
        ok = translate_batch(r, &batch, texts);
        done += batch.sentences;
        if (progress) tl_progress_update(progress, done, 0, (double)batch.src_tokens);
    }
    if (progress) tl_progress_finish(progress);
    if (tl_batches_error(batches)) ok = tl_error_set(&r->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    if (ok) return texts;
    if (!texts) tl_error_set(&r->error, "out of memory");
    free_texts(texts, count);
    return NULL;
}

/* Mean loss without smoothing and teacher-forced accuracy. */
static bool measure_loss(run *r, const tl_corpus *corpus, quality *q) {
    tl_batches *batches = in_order_of_length(r, corpus);
    tl_batch batch;
    double nll = 0;
    long tokens = 0, correct = 0;
    bool was = tl_tape_set_grad(r->tape, false);
    tl_tape_eval(r->tape);
    while (!tl_failed(&r->error) && tl_batches_next(batches, &batch)) {
        double batch_nll = 0;
        long batch_tokens = 0, batch_correct = 0;
        tl_loss_options options = {.nll = &batch_nll, .count = &batch_tokens, .correct = &batch_correct};
        tl_tape_reset(r->tape);
        if (!tl_ok(tl_transformer_loss_with(&r->model, r->tape, &batch, &options, NULL)))
            tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
        nll += batch_nll;
        tokens += batch_tokens;
        correct += batch_correct;
    }
    tl_tape_set_grad(r->tape, was);
    if (tl_batches_error(batches)) tl_error_set(&r->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    if (tokens) {
        q->loss = nll / (double)tokens;
        q->accuracy = (double)correct / (double)tokens;
    }
    return !tl_failed(&r->error);
}

bool evaluate_corpus(run *r, const tl_corpus *corpus, quality *q, char ***texts, tl_progress *progress) {
    double start = now();
    *q = (quality){0};
    if (!measure_loss(r, corpus, q)) return false;
    char **hypotheses = translate_corpus(r, corpus, progress);
    if (!hypotheses) return false;
    long count = tl_corpus_size(corpus);
    tl_bleu *bleu = tl_bleu_new(NULL);
    for (long i = 0; i < count; i++) {
        const char *reference = tl_corpus_sentence(corpus, TL_TARGET, i);
        tl_bleu_add(bleu, hypotheses[i], reference);
        q->exact += !strcmp(hypotheses[i], reference);
    }
    q->bleu = tl_bleu_result(bleu);
    if (tl_bleu_error(bleu)) tl_error_set(&r->error, "%s", tl_bleu_error(bleu));
    tl_bleu_free(bleu);
    q->seconds = now() - start;
    bool ok = !tl_failed(&r->error);
    if (texts && ok)
        *texts = hypotheses;
    else
        free_texts(hypotheses, count);
    return ok;
}

int command_evaluate(settings *s) {
    if (!s->test) return usage_with("evaluate", "give --test FILE");
    run r = {.settings = *s};
    tl_corpus *corpus = NULL;
    quality q;
    char text[TL_BLEU_TEXT];
    tl_progress progress = progress_of(s, "translating");
    if (run_load(&r, s->model)) corpus = read_pairs(s->test, s, false, &r.error);
    if (corpus && !tl_corpus_encode(corpus, r.source, r.target))
        tl_error_set(&r.error, "%s", tl_corpus_error(corpus));
    if (!tl_failed(&r.error) && evaluate_corpus(&r, corpus, &q, NULL, &progress))
        printf("%ld sentences in %.1f s, greedy: loss %.3f, accuracy %.1f %%, exact %ld\n%s\n",
               tl_corpus_size(corpus), q.seconds, q.loss, 100 * q.accuracy, q.exact,
               tl_bleu_text(&q.bleu, text));
    int status = tl_failed(&r.error) ? fail_with(r.error.message) : 0;
    tl_corpus_free(corpus);
    run_free(&r);
    return status;
}
