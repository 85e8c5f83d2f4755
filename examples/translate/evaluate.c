/* translate evaluate: loss, BLEU, chrF2 and exact matches on a test set. For sentences made here no file is needed:
 * their test set is made here too, and for tasks a second one with sequences longer than any in training. */
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool write_translations(const char *path, const tl_translations *t, tl_error *error) {
    size_t size = 0, at = 0;
    for (long i = 0; i < t->count; i++) size += strlen(t->text[i * t->nbest]) + 1;
    char *lines = malloc(size + 1);
    if (!lines) return tl_error_set(error, "out of memory for %ld translations", t->count);
    for (long i = 0; i < t->count; i++) at += (size_t)sprintf(lines + at, "%s\n", t->text[i * t->nbest]);
    bool ok = tl_file_write(path, lines, size, error);
    free(lines);
    return ok;
}

void show_samples(const tl_corpus *raw, const tl_translations *t, long count) {
    if (count > t->count) count = t->count;
    for (long i = 0; i < count; i++) {
        long at = i * t->count / count; /* spread over the corpus */
        print_line("  source    ", tl_corpus_sentence(raw, TL_SOURCE, at), "\n");
        print_line("  reference ", tl_corpus_sentence(raw, TL_TARGET, at), "\n");
        print_line("  says      ", t->text[at * t->nbest], "\n");
        if (i + 1 < count) printf("\n");
    }
}

static void print_result(const settings *s, const char *what, const tl_quality *q) {
    char text[TL_BLEU_TEXT];
    const long beam = s->beam ? s->beam : TL_BEAM_DEFAULT;
    print_name("", what, "");
    printf(": %ld sentences in %.1f s, ", q->sentences, q->seconds);
    if (s->sample)
        printf("samples of seed %ld, temperature %g, top-k %ld, top-p %g", s->seed,
               s->temperature > 0 ? s->temperature : 1, s->top_k, s->top_p > 0 ? s->top_p : 1);
    else
        printf(beam > 1 ? "beam %ld, length penalty %g" : "greedy", beam, s->length_penalty);
    if (s->no_repeat_ngram) printf(", no %ld tokens twice", s->no_repeat_ngram);
    printf(": loss %.3f, perplexity %.2f, accuracy %.1f %%, exact %ld\n%s\n%s\n", q->loss, exp(q->loss),
           100 * q->accuracy, q->exact, tl_bleu_text(&q->bleu, text), q->chrf);
}

/* Evaluates and frees the corpus; NULL: it could not be made. */
static void evaluate(const settings *s, tl_run *run, const char *what, tl_corpus *raw, const char *out,
                     tl_error *error) {
    tl_translations t = {0};
    tl_quality q;
    tl_translate_options options = translate_options_of(s);
    if (all_well(run, raw != NULL, error) && tl_run_evaluate(run, raw, what, &options, &q, &t)) {
        long samples = s->common.run.validation.samples;
        if (samples) show_samples(raw, &t, samples), printf("\n");
        print_result(s, what, &q);
        if (out) all_well(run, !leads() || write_translations(out, &t, error), error);
    }
    tl_translations_free(&t);
    tl_corpus_free(raw);
}

static bool asks_for_others(const settings *s) {
    return s->test_sentences || s->test_min_symbols || s->test_max_symbols;
}

/* Evaluates sequences of a task, in the number and lengths that the command line gives. */
static void evaluate_others(const settings *s, tl_run *run, const tl_events *events, tl_error *error) {
    tl_run_settings others = s->common.run;
    tl_data_settings *d = &others.data;
    char what[128];
    d->sentences = s->test_sentences ? s->test_sentences : 500;
    if (s->test_min_symbols) d->min_symbols = s->test_min_symbols;
    if (s->test_max_symbols) d->max_symbols = s->test_max_symbols;
    if (d->max_symbols > TL_LONGEST_SENTENCE) {
        tl_error_set(error, "--max-symbols %ld: a model reads at most %d", d->max_symbols,
                     TL_LONGEST_SENTENCE);
        all_well(run, false, error);
        return;
    }
    snprintf(what, sizeof what, "other sequences (%ld to %ld symbols)", d->min_symbols, d->max_symbols);
    evaluate(s, run, what, tl_pairs_of(&others, TL_PART_OTHER, events, error), s->common.out, error);
}

static void evaluate_made(const settings *s, tl_run *run, const tl_events *events, tl_error *error) {
    const tl_data_settings *d = &s->common.run.data;
    char what[128];
    evaluate(s, run, d->pair ? "held-out sentences" : "unseen sequences",
             tl_pairs_of(&s->common.run, TL_PART_TEST, events, error), s->common.out, error);
    if (!d->task || tl_failed(error) || tl_run_error(run)) return;
    snprintf(what, sizeof what, "longer than any in training (%ld to %ld symbols)", d->max_symbols + 1,
             d->max_symbols + 5);
    evaluate(s, run, what, tl_pairs_of(&s->common.run, TL_PART_LONGER, events, error), NULL, error);
}

int command_evaluate(settings *s) {
    bool files = s->test || s->test_src || s->test_tgt;
    tl_error error = {""};
    listener l;
    if (!!s->test_src != !!s->test_tgt || (s->test && s->test_src))
        return usage_with("evaluate", "give --test FILE, or --test-src FILE and --test-tgt FILE");
    if (check_decoding(s, "evaluate")) return 2;
    tl_run *run = open_run(s);
    if (!run) return 1;
    if (!files && !s->common.run.data.pair && !s->common.run.data.task)
        return tl_run_free(run), usage_with("evaluate", "give --test FILE");
    if (asks_for_others(s) && (files || !s->common.run.data.task))
        return tl_run_free(run),
               usage_with("evaluate",
                          "--sentences, --min-symbols and --max-symbols are of sequences that are made "
                          "for a task: leave them out");
    listen_to(&l, s, run);
    if (files)
        evaluate(
            s, run, s->test ? s->test : s->test_src,
            tl_pairs_read(s->test, s->test_src, s->test_tgt, s->common.run.data.strict, &l.events, &error),
            s->common.out, &error);
    else if (asks_for_others(s))
        evaluate_others(s, run, &l.events, &error);
    else
        evaluate_made(s, run, &l.events, &error);
    int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
