/* bpe apply, and its inverse, bpe join. */
#include "program.h"

#include <stdlib.h>

/* Cuts each line (bpe), or joins it again (NULL). */
static int each_line(const settings *s, tl_bpe *bpe, const tl_bpe_dropout *dropout) {
    input in;
    if (input_open(&in, s))
        for (char *line; (line = input_line(&in));) {
            char *text = bpe ? tl_bpe_apply_dropout(bpe, line, dropout) : tl_bpe_join(line);
            if (!text) {
                tl_error_set(&in.error, "line %ld of standard input: out of memory: give fewer lines at once",
                             in.line);
                break;
            }
            tl_put_text(text, stdout);
            if (in.ended) putchar('\n');
            free(text);
        }
    free(in.bytes);
    return tl_failed(&in.error) ? fail_with(in.error.message) : 0;
}

int run_join(const settings *s) { return each_line(s, NULL, NULL); }

static tl_bpe *read_codes(const settings *s, tl_error *error) {
    char *bytes;
    size_t size;
    if (!tl_file_read(s->codes, &bytes, &size, error)) return NULL;
    tl_bpe *bpe = tl_bpe_parse(s->codes, bytes, size);
    free(bytes);
    return bpe;
}

static bool read_vocabulary(const settings *s, tl_bpe *bpe, tl_error *error) {
    char *bytes;
    size_t size;
    if (!s->vocabulary || tl_bpe_error(bpe)) return true;
    if (!tl_file_read(s->vocabulary, &bytes, &size, error)) return false;
    tl_bpe_set_vocabulary(bpe, s->vocabulary, bytes, size, s->threshold);
    free(bytes);
    return true;
}

int run_apply(const settings *s) {
    tl_error error = {""};
    python_random numbers;
    const tl_bpe_dropout dropout = {s->dropout, python_random_next, &numbers};
    if (!s->codes) return usage_with(s->command, "give --codes FILE");
    if (s->threshold && !s->vocabulary)
        return usage_with(s->command,
                          "--vocabulary-threshold: give --vocabulary FILE, whose counts it is about");
    python_random_seed(&numbers, (uint32_t)s->seed);
    tl_bpe *bpe = read_codes(s, &error);
    if (!tl_failed(&error)) read_vocabulary(s, bpe, &error);
    const char *why = tl_failed(&error) ? error.message : tl_bpe_error(bpe);
    const int status = why ? fail_with(why) : each_line(s, bpe, &dropout);
    tl_bpe_free(bpe);
    return status;
}
