/* translate translate: lines in, as many lines out, in the same order. Nothing is written before everything has been
 * translated, so that an error leaves no half of an output behind. A line that is too long for the model is no such error:
 * it is named, an empty line stands in its place, and the exit status is 1 all the same. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "program.h"

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

tl_corpus *read_lines(const settings *s, const tl_run *run, tl_error *error) {
    char *bytes;
    size_t size;
    if (isatty(STDIN_FILENO) && !s->quiet)
        fputs("Type sentences, one a line, and end with Ctrl-D.\n", stderr);
    if (!tl_input_read(&bytes, &size, error)) return NULL;
    tl_corpus *corpus = corpus_of_lines(tl_run_vocab(run, TL_SOURCE), bytes, size);
    free(bytes);
    if (!tl_corpus_error(corpus)) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus));
    tl_corpus_free(corpus);
    return NULL;
}

static void print_translations(const tl_translations *t, bool nbest) {
    for (long i = 0; i < t->count; i++)
        for (long k = 0; k < t->nbest && t->text[i * t->nbest + k]; k++) {
            if (nbest) printf("%ld\t%.4f\t", i + 1, t->score[i * t->nbest + k]);
            print_line("", t->text[i * t->nbest + k], "\n");
        }
}

int command_translate(settings *s) {
    tl_error error = {""};
    listener l;
    tl_translations t = {0};
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    tl_corpus *lines = read_lines(s, run, &error), *cut = lines ? tl_run_encode(run, lines) : NULL;
    tl_translate_options options = translate_options_of(s);
    if (cut) tl_run_tell_unknown(run, cut);
    if (cut && tl_run_translate(run, cut, &options, &t)) print_translations(&t, s->nbest);
    int status = status_of(run, &error);
    if (!status && t.too_long) status = 1; /* they have been named */
    tl_translations_free(&t);
    tl_corpus_free(cut);
    tl_corpus_free(lines);
    tl_run_free(run);
    return status;
}
