/* Byte pairs as subword-nmt has them: a codes file, a list of known pieces, and lines. The input, each part ended by
 * FUZZ_CUT: a byte of choices, codes, list, lines. */
#include "fuzz.h"

#include "base/utf8.h"

#include <tapeloom/text.h>

int tl_fuzz_bpe(const uint8_t *bytes, size_t size);

static double drawn(void *context) {
    unsigned *state = context;
    *state = *state * 1664525 + 1013904223;
    return (double)(*state >> 8) / (1 << 24);
}

/* A line of words without what subword-nmt itself takes apart: text that ends in "@@" or holds it. */
static bool is_plain(const char *line) { return !strstr(line, "@@"); }

/* Words of both lines, separated by spaces (line ends count as text, as in subword-nmt), are the same? */
static bool same_words(const char *a, const char *b) {
    for (;;) {
        a += strspn(a, " "), b += strspn(b, " ");
        const size_t n = strcspn(a, " "), m = strcspn(b, " ");
        if (n != m || memcmp(a, b, n)) return false;
        if (!n) return true;
        a += n, b += m;
    }
}

static void check_line(tl_bpe *bpe, const char *line, unsigned choice) {
    const bool single = !strpbrk(line, "\r\n");
    char *cut = tl_bpe_apply(bpe, line), *again = tl_bpe_apply(bpe, line),
         *possible = tl_bpe_possible(bpe, line);
    FUZZ_MUST(cut && again && possible && !strcmp(cut, again), "the second time otherwise");
    char *joined = tl_bpe_join(cut);
    if (single && is_plain(line))
        FUZZ_MUST(same_words(joined, line), "\"%s\", \"%s\", \"%s\"", line, cut, joined);
    unsigned state = choice;
    const tl_bpe_dropout some = {.share = (choice % 11) / 10.0, .uniform = drawn, .context = &state};
    char *dropped = tl_bpe_apply_dropout(bpe, line, &some), *back = tl_bpe_join(dropped);
    FUZZ_MUST(dropped && back, "out of memory");
    if (single && is_plain(line))
        FUZZ_MUST(same_words(back, line), "with dropout: \"%s\", \"%s\"", line, back);
    free(dropped), free(back), free(joined), free(possible), free(again), free(cut);
}

static void check_text(const tl_bpe *bpe) {
    size_t size, twice_size;
    char *text = tl_bpe_text(bpe, &size);
    FUZZ_MUST(text, "no text");
    tl_bpe *again = tl_bpe_parse("again", text, size);
    FUZZ_MUST(!tl_bpe_error(again) && tl_bpe_merges(again) == tl_bpe_merges(bpe), "%s\n%s",
              tl_bpe_error(again), text);
    char *twice = tl_bpe_text(again, &twice_size);
    FUZZ_MUST(twice && twice_size == size && !memcmp(text, twice, size), "written otherwise:\n%s\n%s", text,
              twice);
    tl_bpe_free(again);
    free(twice), free(text);
}

static void check_lines(tl_bpe *bpe, fuzz_bytes in, unsigned choice) {
    while (!fuzz_ended(&in)) {
        char *line = fuzz_string(&in);
        check_line(bpe, line, choice);
        free(line);
    }
}

/* Merges learnt from the lines themselves. */
static void check_learning(fuzz_bytes in, unsigned choice) {
    tl_bpe_words *words = tl_bpe_words_new();
    fuzz_bytes lines = in;
    size_t size;
    while (!fuzz_ended(&in)) {
        char *line = fuzz_string(&in);
        FUZZ_MUST(tl_bpe_words_add(words, line), "out of memory");
        free(line);
    }
    char *list = tl_bpe_words_text(words, &size);
    FUZZ_MUST(list && tl_utf8_valid(list, size) == size, "no list");
    tl_bpe *bpe =
        tl_bpe_learn(words, &(tl_bpe_config){.merges = 1 + choice % 40, .min_frequency = 1 + choice % 3});
    FUZZ_MUST(bpe, "out of memory");
    if (tl_bpe_error(bpe)) { /* there is no word of two characters */
        fuzz_message(tl_bpe_error(bpe));
        FUZZ_MUST(!tl_bpe_merges(bpe), "merges after a failure");
    } else {
        check_text(bpe);
        check_lines(bpe, lines, choice);
    }
    tl_bpe_free(bpe);
    tl_bpe_words_free(words);
    free(list);
}

int tl_fuzz_bpe(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    fuzz_part codes = fuzz_next(&in), list = fuzz_next(&in);
    tl_bpe *bpe = tl_bpe_parse("c\x1B\xFF.txt", codes.bytes, codes.size);
    FUZZ_MUST(bpe, "out of memory");
    if (tl_bpe_error(bpe)) {
        fuzz_message(tl_bpe_error(bpe));
        FUZZ_MUST(!tl_bpe_apply(bpe, "a"), "a result after a failure");
    } else {
        check_text(bpe);
        check_lines(bpe, in, choice);
        if (choice & 1) {
            if (tl_bpe_set_vocabulary(bpe, "list", list.bytes, list.size, choice % 5))
                check_lines(bpe, in, choice);
            else
                fuzz_message(tl_bpe_error(bpe));
        }
    }
    tl_bpe_free(bpe);
    check_learning(in, choice);
    free(list.bytes), free(codes.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "1#version: 0.2\nt h\nth e</w>\nl o\nlo w\nlow e\n" FUZZ_CUT "the 3\nlow@@ 2\ne r 1\n" FUZZ_CUT
        "the lower  lowest" FUZZ_CUT "a@@ b\r\nc",
        "2#version: 0.1\nt h\nth e\ne </w>\n" FUZZ_CUT FUZZ_CUT "the then the" FUZZ_CUT "the the aaa aaa",
        "3t h\nh e\n" FUZZ_CUT "t 1" FUZZ_CUT "\xC3\xA4h \xFF\xE4\xBD\xA0 the",
        "7#version: 0.2\na a\naa a</w>\na a</w>\naa aa\n" FUZZ_CUT "a 9\naa 1\na@@ 4\n" FUZZ_CUT
        "aaaaaaaaaaaaaaaa aaa aa a",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(bpe, "text: byte pairs: codes, known pieces, cutting, dropout, learning");
