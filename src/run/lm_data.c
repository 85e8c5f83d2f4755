/* Where running text comes from: a file, standard input, or sentences made here. The validation text is a file of
 * its own or a part of the same text: its end, or with `lines` some lines drawn by the seed. */
#include "base/buffer.h"
#include "lm.h"

#include <stdlib.h>
#include <string.h>

/* ---- made here ---- */

enum { HELD_OUT = 500 };

/* One side of the grammar's pairs, one sentence a line. */
static bool make(tl_run *run, tl_grammar_part part, char **bytes, size_t *size) {
    const char *language = run->settings.lm.made;
    const bool english = !strcmp(language, "en"), chinese = !strcmp(language, "zh");
    tl_corpus *corpus = tl_corpus_new();
    tl_buffer text = {0};
    tl_corpus_grammar(
        corpus,
        &(tl_grammar_config){.pair = chinese ? "en-zh" : "en-fr",
                             .part = part,
                             .sentences = part == TL_GRAMMAR_TRAIN ? run->settings.data.sentences : HELD_OUT,
                             .seed = (uint64_t)run->settings.training.seed});
    if (tl_corpus_error(corpus)) tl_error_set(&run->error, "%s", tl_corpus_error(corpus));
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        tl_buffer_text(&text, tl_corpus_sentence(corpus, english ? TL_SOURCE : TL_TARGET, i));
        tl_buffer_text(&text, "\n");
    }
    tl_corpus_free(corpus);
    if (text.failed) tl_error_set(&run->error, "out of memory for sentences");
    *bytes = text.text;
    *size = text.size;
    return !tl_failed(&run->error);
}

/* ---- files ---- */

/* *bytes is NULL only on failure. */
static bool read_file(tl_run *run, const char *path, char **bytes, size_t *size) {
    const bool input = !strcmp(path, "-");
    if (!(input ? tl_input_read(bytes, size, &run->error) : tl_file_read(path, bytes, size, &run->error)))
        return false;
    return *size > 0 || tl_error_set(&run->error, "%s is empty: give a text to learn from",
                                     input ? "standard input" : path);
}

/* ---- splitting off the validation part ---- */

/* Where the validation part begins: at the first line that starts after the training share. */
static size_t begin_of_end(const char *bytes, size_t size, double share) {
    size_t at = (size_t)((1 - share) * (double)size);
    const char *line = memchr(bytes + at, '\n', size - at);
    if (line && line + 1 < bytes + size) return (size_t)(line + 1 - bytes);
    /* the text is one line: split between two characters */
    while (at > 0 && ((unsigned char)bytes[at] & 0xC0) == 0x80) at--;
    return at;
}

static long count_lines(const char *bytes, size_t size) {
    long lines = 0;
    for (size_t i = 0; i < size; i++) lines += bytes[i] == '\n';
    return lines + (size && bytes[size - 1] != '\n');
}

/* Moves drawn lines to `held`; the others move up. */
static bool draw_lines(tl_run *run, char *bytes, size_t *size, tl_buffer *held) {
    const long lines = count_lines(bytes, *size), want = (long)(run->settings.lm.valid_share * (double)lines);
    long *order = malloc(((size_t)lines + 1) * sizeof *order);
    bool *drawn = calloc((size_t)lines + 1, sizeof *drawn);
    size_t kept = 0;
    long number = 0;
    for (long i = 0; order && i < lines; i++) order[i] = i;
    if (order)
        tl_rng_shuffle(tl_rng_key_of((uint64_t)run->settings.training.seed, "lines to validate on"), lines,
                       order);
    for (long i = 0; order && drawn && i < want; i++) drawn[order[i]] = true;
    for (const char *line = bytes, *stop = bytes + *size, *end; order && drawn && line < stop;
         line = end, number++) {
        end = memchr(line, '\n', (size_t)(stop - line));
        end = end ? end + 1 : stop;
        if (drawn[number])
            tl_buffer_add(held, line, (size_t)(end - line));
        else
            memmove(bytes + kept, line, (size_t)(end - line)), kept += (size_t)(end - line);
    }
    *size = kept;
    const bool ok = order && drawn && !held->failed;
    free(order);
    free(drawn);
    return ok || tl_error_set(&run->error, "out of memory for a text");
}

/* Splits the validation text off the training text. */
static bool split(tl_run *run, char *train, size_t *train_size, char **valid, size_t *valid_size) {
    tl_buffer held = {0};
    if (run->settings.lm.lines) {
        if (!draw_lines(run, train, train_size, &held)) return tl_buffer_free(&held), false;
    } else {
        const size_t at = begin_of_end(train, *train_size, run->settings.lm.valid_share);
        tl_buffer_add(&held, train + at, *train_size - at);
        *train_size = at;
    }
    *valid = held.text;
    *valid_size = held.size;
    if (held.failed) return tl_error_set(&run->error, "out of memory for a text");
    return (*train_size && held.size) ||
           tl_error_set(
               &run->error,
               "the text is too short to keep a share of %g to validate on: give more, or --valid FILE",
               run->settings.lm.valid_share);
}

bool tl_lm_read(tl_run *run, char **train, size_t *train_size, char **valid, size_t *valid_size) {
    const tl_data_settings *s = &run->settings.data;
    *train = *valid = NULL;
    if (run->settings.lm.made)
        return make(run, TL_GRAMMAR_TRAIN, train, train_size) &&
               make(run, TL_GRAMMAR_HELD_OUT, valid, valid_size);
    if (!s->train)
        return tl_error_set(&run->error,
                            "there is no text to learn: give --train FILE (- is standard input)");
    if (s->valid && !strcmp(s->valid, "-") && !strcmp(s->train, "-"))
        return tl_error_set(&run->error,
                            "--train and --valid are both standard input: give one of them a file");
    if (!read_file(run, s->train, train, train_size)) return false;
    return s->valid ? read_file(run, s->valid, valid, valid_size)
                    : split(run, *train, train_size, valid, valid_size);
}

char *tl_lm_valid_text(tl_run *run, size_t *size) {
    char *train, *valid;
    size_t train_size = 0, valid_size = 0;
    if (!tl_run_usable(run)) return NULL;
    const char *from = run->settings.data.valid ? run->settings.data.valid : run->settings.data.train;
    if (from && !strcmp(from, "-")) {
        tl_error_set(&run->error, "what the run validated on came from standard input: give a text");
        return NULL;
    }
    const bool ok = tl_lm_read(run, &train, &train_size, &valid, &valid_size);
    free(train);
    if (!ok) free(valid), valid = NULL;
    if (size) *size = valid_size;
    return valid;
}
