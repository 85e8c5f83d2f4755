/* translate translate: lines in, as many lines out, in the same order. Nothing is written before everything has been
 * translated, so that an error leaves no half of an output behind. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines as a corpus of sources without targets. Lines end in LF or CRLF, the last one may lack its end; a byte order mark
 * at the front does not count, nor does white space where there is nothing else. */
static tl_corpus *corpus_of_lines(const tl_vocab *vocab, char *bytes, size_t size) {
    tl_corpus *corpus = tl_corpus_new();
    char *line = bytes, *end, *stop = bytes + size;
    if (size >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) line += 3;
    for (; line < stop; line = end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) end = stop;
        *end = 0;
        if (end > line && end[-1] == '\r') end[-1] = 0;
        bool blank = tl_vocab_encode(vocab, line, NULL, 0) == 0;
        tl_corpus_add(corpus, blank ? "" : line, "");
    }
    return corpus;
}

static bool check_lengths(const tl_corpus *cut, tl_error *error) {
    for (long i = 0; i < tl_corpus_size(cut); i++) {
        long length;
        tl_corpus_ids(cut, TL_SOURCE, i, &length);
        if (length > LONGEST_SENTENCE)
            return tl_error_set(
                error, "line %ld has %ld tokens, and a model reads at most %d: cut it into sentences", i + 1,
                length, LONGEST_SENTENCE);
    }
    return true;
}

tl_corpus *read_lines(run *r) {
    char *bytes;
    size_t size;
    if (isatty(STDIN_FILENO) && !r->settings.quiet)
        fputs("Type sentences, one a line, and end with Ctrl-D.\n", stderr);
    if (!tl_input_read(&bytes, &size, &r->error)) return NULL;
    tl_corpus *corpus = corpus_of_lines(r->source, bytes, size);
    free(bytes);
    if (tl_corpus_error(corpus)) tl_error_set(&r->error, "%s", tl_corpus_error(corpus));
    return corpus;
}

static void print_translations(const translations *t, bool nbest) {
    for (long i = 0; i < t->count; i++)
        for (long k = 0; k < t->nbest && t->text[i * t->nbest + k]; k++)
            if (nbest)
                printf("%ld\t%.4f\t%s\n", i + 1, t->score[i * t->nbest + k], t->text[i * t->nbest + k]);
            else
                puts(t->text[i * t->nbest + k]);
}

int command_translate(settings *s) {
    run r = {.settings = *s};
    tl_corpus *lines = NULL, *cut = NULL;
    translations t = {0};
    tl_progress progress = progress_of(s, "translating");
    if (run_load(&r, s->model)) lines = read_lines(&r);
    if (lines && !tl_failed(&r.error)) cut = text_encode(&r, lines);
    if (cut && tl_corpus_size(cut) && check_lengths(cut, &r.error) &&
        translate_corpus(&r, cut, r.settings.beam ? r.settings.beam : 1, &t, &progress, NULL))
        print_translations(&t, r.settings.nbest);
    if (fflush(stdout) || ferror(stdout))
        tl_error_set(&r.error, "cannot write all translations to standard output: %s", strerror(errno));
    int status = tl_failed(&r.error) ? fail_with(r.error.message) : 0;
    translations_free(&t);
    tl_corpus_free(cut);
    tl_corpus_free(lines);
    run_free(&r);
    return status;
}
