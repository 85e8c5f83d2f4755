/* Standard input, read whole and returned line by line. */
#define _XOPEN_SOURCE 700 /* isatty */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool input_open(input *in, const settings *s) {
    size_t size;
    *in = (input){.line = 0};
    if (isatty(STDIN_FILENO) && !s->quiet) fputs("Type lines of text, and end with Ctrl-D.\n", stderr);
    if (!tl_input_read(&in->bytes, &size, &in->error)) return false;
    in->next = in->bytes;
    in->end = in->bytes + size;
    char *nul = memchr(in->bytes, 0, size);
    if (!nul) return true;
    long line = 1;
    for (const char *c = in->bytes; c < nul; c++) line += *c == '\n' || (*c == '\r' && c[1] != '\n');
    return tl_error_set(&in->error,
                        "line %ld of standard input: found a NUL byte, expected text: convert the "
                        "file to UTF-8 (iconv -t UTF-8)",
                        line);
}

char *input_line(input *in) {
    char *line = in->next;
    if (line == in->end) return NULL;
    char *end = line + strcspn(line, "\r\n"); /* the only 0 is after the last byte */
    in->ended = end != in->end;
    in->next = end + in->ended + (end[0] == '\r' && end[1] == '\n');
    in->line++;
    *end = 0;
    return line;
}

tl_bpe_words *count_words(input *in, const settings *s) {
    tl_bpe_words *words = tl_bpe_words_new();
    if (input_open(in, s))
        for (char *line; (line = input_line(in));)
            if (!tl_bpe_words_add(words, line)) {
                tl_error_set(&in->error, "line %ld of standard input: out of memory: give less text",
                             in->line);
                break;
            }
    free(in->bytes);
    if (!tl_failed(&in->error)) return words;
    tl_bpe_words_free(words);
    return NULL;
}
