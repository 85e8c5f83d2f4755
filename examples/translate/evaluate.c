/* translate evaluate: loss, BLEU, chrF2 and exact matches on a test set. Sentences made here need no file: their test set is
 * made here too, and for tasks another one of sequences that are longer than any in training. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool write_translations(const run *r, const translations *t, tl_error *error) {
    size_t size = 0, at = 0;
    for (long i = 0; i < t->count; i++) size += strlen(t->text[i * t->nbest]) + 1;
    char *lines = malloc(size + 1);
    if (!lines) return tl_error_set(error, "out of memory for %ld translations", t->count);
    for (long i = 0; i < t->count; i++) at += (size_t)sprintf(lines + at, "%s\n", t->text[i * t->nbest]);
    bool ok = tl_file_write(r->settings.out, lines, size, error);
    free(lines);
    return ok;
}

static void print_quality(const settings *s, const char *what, long sentences, const quality *q) {
    char text[TL_BLEU_TEXT];
    printf("%s: %ld sentences in %.1f s, ", what, sentences, q->seconds);
    printf(s->beam > 1 ? "beam %ld, length penalty %g" : "greedy", s->beam, s->length_penalty);
    printf(": loss %.3f, perplexity %.2f, accuracy %.1f %%, exact %ld\n%s\n%s\n", q->loss, exp(q->loss),
           100 * q->accuracy, q->exact, tl_bleu_text(&q->bleu, text), q->chrf);
}

static bool evaluate(run *r, const char *what, tl_corpus *raw) {
    const settings *s = &r->settings;
    tl_corpus *cut = raw ? text_encode(r, raw) : NULL;
    translations t = {0};
    quality q;
    tl_progress progress = progress_of(s, "translating");
    bool ok = cut && data_drop_long(r, raw, cut, what) &&
              evaluate_corpus(r, raw, cut, s->beam ? s->beam : 1, &q, &t, &progress, NULL);
    if (ok) {
        if (s->samples) show_samples(raw, &t, s->samples), printf("\n");
        print_quality(s, what, tl_corpus_size(raw), &q);
        ok = !s->out || write_translations(r, &t, &r->error);
    }
    translations_free(&t);
    tl_corpus_free(cut);
    tl_corpus_free(raw);
    return ok;
}

static bool evaluate_made(run *r) {
    const settings *s = &r->settings;
    char what[128];
    if (!evaluate(r, s->pair ? "held-out sentences" : "unseen sequences",
                  data_part_of(s, DATA_TEST, 0, &r->error)))
        return false;
    if (!s->task) return true;
    snprintf(what, sizeof what, "longer than any in training (%ld to %ld symbols)", s->max_symbols + 1,
             s->max_symbols + 5);
    r->settings.out = NULL;
    return evaluate(r, what, data_part_of(s, DATA_LONGER, 0, &r->error));
}

int command_evaluate(settings *s) {
    bool files = s->test || s->test_src || s->test_tgt;
    if (!!s->test_src != !!s->test_tgt || (s->test && s->test_src))
        return usage_with("evaluate", "give --test FILE, or --test-src FILE and --test-tgt FILE");
    run r = {.settings = *s};
    bool ok = run_load(&r, s->model);
    const settings *loaded = &r.settings;
    r.settings.nbest = false;
    if (ok && !files && !loaded->pair && !loaded->task) {
        run_free(&r);
        return usage_with("evaluate", "give --test FILE");
    }
    r.settings.max_length = 0; /* what is tested is all there is */
    if (ok && files)
        evaluate(&r, s->test ? s->test : s->test_src,
                 data_read(loaded, s->test, s->test_src, s->test_tgt, &r.error));
    else if (ok)
        evaluate_made(&r);
    int status = tl_failed(&r.error) ? fail_with(r.error.message) : 0;
    run_free(&r);
    return status;
}
