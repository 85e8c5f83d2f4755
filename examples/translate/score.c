/* translate score: log p of given translations. Prints a line for each pair: log p of the target, the mean over its
 * tokens, their number (<eos> included); with --tokens the tokens and log p of each. A line that is no pair gets an
 * empty line, is reported, and makes the exit status 1. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_bytes(const settings *s, char **bytes, size_t *size, tl_error *error) {
    if (s->pairs) return tl_file_read(s->pairs, bytes, size, error);
    if (isatty(STDIN_FILENO) && !s->common.quiet)
        fputs("Type pairs, source, tab, target, one a line, and end with Ctrl-D.\n", stderr);
    return tl_input_read(bytes, size, error);
}

/* NULL on failure, and if there is no input. */
static tl_corpus *read_pairs(const settings *s, tl_error *error) {
    char *bytes;
    size_t size;
    if (!read_bytes(s, &bytes, &size, error)) return NULL;
    tl_corpus *corpus = size ? tl_corpus_new() : NULL;
    const bool ok =
        !size || tl_corpus_parse_tsv(corpus, bytes, size,
                                     &(tl_corpus_config){.name = s->pairs ? s->pairs : "standard input",
                                                         .strict = s->common.run.data.strict});
    free(bytes);
    if (ok) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}

static void print_tokens(const tl_run *run, const tl_corpus *cut, const tl_scores *scores, long i) {
    long length;
    const int *ids = tl_corpus_ids(cut, TL_TARGET, i, &length);
    for (long t = 0; t <= length; t++)
        print_line(t ? " " : "\t", tl_vocab_token(tl_run_vocab(run, TL_TARGET), t < length ? ids[t] : TL_EOS),
                   "");
    for (long t = 0; t <= length; t++) printf("%s%.4f", t ? " " : "\t", scores->token[scores->first[i] + t]);
}

/* Prints as many lines as were read; lines that are no pair give empty ones. */
static void print_scores(const settings *s, const tl_run *run, const tl_corpus *lines, const tl_corpus *cut,
                         const tl_scores *scores) {
    long line = 1;
    for (long i = 0; i < scores->count; i++, line++) {
        for (; line < tl_corpus_line(lines, i); line++) putchar('\n');
        const long tokens = scores->first[i + 1] - scores->first[i];
        if (tokens) printf("%.4f\t%.4f\t%ld", scores->sum[i], scores->sum[i] / (double)tokens, tokens);
        if (tokens && s->tokens) print_tokens(run, cut, scores, i);
        putchar('\n');
    }
    for (; line <= tl_corpus_last_report(lines)->lines; line++) putchar('\n');
}

static long length_of(const tl_corpus *cut, tl_side side, long i) {
    long length;
    tl_corpus_ids(cut, side, i, &length);
    return length;
}

/* Reports the first pairs that are too long, and counts the rest. */
static void tell_long(const tl_corpus *lines, const tl_corpus *cut, const tl_scores *scores) {
    long told = 0;
    for (long i = 0; i < scores->count && told < TL_REPORT_LINES; i++) {
        if (scores->first[i + 1] > scores->first[i]) continue;
        fprintf(stderr,
                "translate: warning: line %ld has %ld source and %ld target tokens, and a model reads at "
                "most %d: it "
                "has no score\n",
                tl_corpus_line(lines, i), length_of(cut, TL_SOURCE, i), length_of(cut, TL_TARGET, i),
                TL_LONGEST_SENTENCE);
        told++;
    }
    if (scores->too_long > told)
        fprintf(stderr, "translate: warning: %ld more lines have more than %d tokens on one side\n",
                scores->too_long - told, TL_LONGEST_SENTENCE);
}

/* Reports lines that are no pair; returns how many. */
static long tell_report(const tl_corpus *lines) {
    const tl_corpus_report *report = tl_corpus_last_report(lines);
    char text[TL_REPORT_TEXT];
    if (report->pairs < report->lines) fputs(tl_corpus_report_text(report, text), stderr);
    return report->lines - report->pairs;
}

int command_score(settings *s) {
    tl_error error = {""};
    listener l;
    tl_scores scores = {0};
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    tl_corpus *lines = read_pairs(s, &error), *cut = lines ? tl_run_encode(run, lines) : NULL;
    const long left_out = lines ? tell_report(lines) : 0;
    if (cut) tl_run_tell_unknown(run, cut);
    if (cut) tl_run_tell_unknown_of(run, cut, TL_TARGET);
    if (cut && tl_run_score(run, cut, s->batch_tokens, &scores)) {
        tell_long(lines, cut, &scores);
        print_scores(s, run, lines, cut, &scores);
    }
    int status = status_of(run, &error);
    if (!status && (left_out || scores.too_long)) status = 1; /* they were reported */
    tl_scores_free(&scores);
    tl_corpus_free(cut);
    tl_corpus_free(lines);
    tl_run_free(run);
    return status;
}
