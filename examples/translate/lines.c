/* translate translate: lines in, as many lines out, in the same order. Nothing is written before everything has been
 * translated, so that an error leaves no half of an output behind. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines as a corpus of sources without targets. Lines end in LF or CRLF (CR is white space, which words do
 * not hold), the last one may lack its end; a byte order mark at the front does not count. */
static tl_corpus *corpus_of_lines(char *bytes, size_t size) {
    tl_corpus *corpus = tl_corpus_new();
    char *line = bytes, *end, *stop = bytes + size;
    if (size >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) line += 3;
    for (; line < stop; line = end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) end = stop;
        *end = 0;
        tl_corpus_add(corpus, line, "");
    }
    return corpus;
}

static bool check_lengths(const tl_corpus *corpus, tl_error *error) {
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        long length;
        tl_corpus_ids(corpus, TL_SOURCE, i, &length);
        if (length > LONGEST_SENTENCE)
            return tl_error_set(error,
                                "line %ld has %ld words, and a model reads at most %d: cut it into sentences",
                                i + 1, length, LONGEST_SENTENCE);
    }
    return true;
}

static tl_corpus *read_sources(run *r) {
    size_t size;
    if (isatty(STDIN_FILENO) && !r->settings.quiet)
        fputs("Type sentences, one a line, and end with Ctrl-D.\n", stderr);
    char *bytes;
    if (!tl_input_read(&bytes, &size, &r->error)) return NULL;
    tl_corpus *corpus = corpus_of_lines(bytes, size);
    free(bytes);
    if (!tl_corpus_encode(corpus, r->source, r->target))
        tl_error_set(&r->error, "%s", tl_corpus_error(corpus));
    else
        check_lengths(corpus, &r->error);
    return corpus;
}

int command_translate(settings *s) {
    run r = {.settings = *s};
    tl_corpus *corpus = NULL;
    char **texts = NULL;
    tl_progress progress = progress_of(s, "translating");
    if (run_load(&r, s->model)) corpus = read_sources(&r);
    long count = tl_corpus_size(corpus);
    if (count && !tl_failed(&r.error)) texts = translate_corpus(&r, corpus, &progress);
    for (long i = 0; texts && i < count; i++) puts(texts[i]);
    if (fflush(stdout) || ferror(stdout))
        tl_error_set(&r.error, "cannot write all translations to standard output: %s", strerror(errno));
    int status = tl_failed(&r.error) ? fail_with(r.error.message) : 0;
    free_texts(texts, count);
    tl_corpus_free(corpus);
    run_free(&r);
    return status;
}
