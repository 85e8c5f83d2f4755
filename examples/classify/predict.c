/* classify predict: lines in, as many labels out, in the same order. Output begins only after everything is
 * classified, so that an error leaves no partial output. A line that is blank or too long is no such error: it is
 * reported, its output line is empty, and the exit status is 1. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines end in LF or CRLF; the last one may lack its end; a byte order mark at the start is skipped. */
static tl_corpus *corpus_of_lines(char *bytes, size_t size) {
    tl_corpus *corpus = tl_corpus_new();
    char *line = bytes, *end, *stop = bytes + size;
    if (size >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) line += 3;
    for (; line < stop; line = end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) end = stop;
        *end = 0;
        if (end > line && end[-1] == '\r') end[-1] = 0;
        tl_corpus_add(corpus, line, "");
    }
    return corpus;
}

static tl_corpus *read_lines(settings *s, tl_error *error) {
    char *bytes;
    size_t size;
    if (isatty(STDIN_FILENO) && !s->common.quiet)
        fputs("Type texts, one a line, and end with Ctrl-D.\n", stderr);
    if (!tl_input_read(&bytes, &size, error)) return NULL;
    tl_corpus *corpus = corpus_of_lines(bytes, size);
    free(bytes);
    if (!tl_corpus_error(corpus)) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus));
    tl_corpus_free(corpus);
    return NULL;
}

/* Prints a text's classes by falling probability: all of them, or only the most likely. */
static void print_classes(const tl_labels *labels, const double *p, long classes, bool all) {
    double last = 2;
    long last_class = -1;
    for (long n = 0; n < (all ? classes : 1); n++) {
        long next = -1; /* the most likely class after the last one; ties go to the first */
        for (long c = 0; c < classes; c++)
            if ((p[c] < last || (p[c] <= last && c > last_class)) && (next < 0 || p[c] > p[next])) next = c;
        if (next < 0) return;
        print_line(n ? "\t" : "", tl_labels_name(labels, next), "");
        printf("\t%.4f", p[next]);
        last = p[next], last_class = next;
    }
}

static void print_all(const settings *s, const tl_run *run, const tl_corpus *lines,
                      const tl_classes *classes) {
    for (long i = 0; i < classes->count; i++) {
        if (classes->said[i] >= 0) {
            print_classes(tl_run_labels(run), classes->p + i * classes->classes, classes->classes,
                          s->probabilities);
            if (s->text) print_line("\t", tl_corpus_sentence(lines, TL_SOURCE, i), "");
        }
        putchar('\n');
    }
}

int command_predict(settings *s) {
    tl_error error = {""};
    listener l;
    tl_classes classes = {0};
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    tl_corpus *lines = read_lines(s, &error);
    if (lines && tl_run_classify(run, lines, s->batch_tokens, &classes)) print_all(s, run, lines, &classes);
    int status = status_of(run, &error);
    if (!status && classes.left_out) status = 1; /* they were reported */
    tl_classes_free(&classes);
    tl_corpus_free(lines);
    tl_run_free(run);
    return status;
}
