/* BLEU, chrF2 and every token against the sacreBLEU of this machine, for some hundred lines each: of real sentences, of
 * random characters, and of all characters of the Basic Multilingual Plane except ideographs and Hangul. A hypothesis
 * is a reference that was cut at a random place, with its two parts exchanged. */
#define _XOPEN_SOURCE 700
#include "bleu_lines.h"
#include "examples/shell.h"
#include "io/scratch.h"

#include <unistd.h>

enum { MOST = 4000, OF_A_FILE = 200 };
typedef struct lines {
    char *hyp[MOST], *ref[MOST];
    long count;
    tl_rng_key key;
    uint64_t draw;
} lines;

static char *copy(const char *text, size_t size) {
    char *made = malloc(size + 1);
    ck_assert_ptr_nonnull(made);
    memcpy(made, text, size);
    made[size] = 0;
    return made;
}

/* Adds the line as reference; its hypothesis has the part after a random character first, then the part before. */
static void add_line(lines *l, const char *text, size_t size) {
    long characters = 0;
    tl_span rest = {text, size};
    for (tl_span c; tl_bleu_next_character(&rest, &c);) characters++;
    long before = characters ? tl_rng_below(l->key, l->draw++, characters) : 0;
    rest = (tl_span){text, size};
    for (tl_span c; before-- > 0;) tl_bleu_next_character(&rest, &c);
    ck_assert_int_lt(l->count, MOST);
    l->ref[l->count] = copy(text, size);
    l->hyp[l->count] = copy(text, size);
    memcpy(l->hyp[l->count], rest.text, rest.size);
    memcpy(l->hyp[l->count] + rest.size, text, size - rest.size);
    l->count++;
}

/* A column of a TSV. */
static void add_column(lines *l, const char *path, int column) {
    char *text = read_text_file(path);
    tl_span rest = tl_span_of(text), line;
    for (int i = 0; i < OF_A_FILE && tl_next_line(&rest, &line); i++) {
        const char *tab = memchr(line.text, '\t', line.size);
        ck_assert_ptr_nonnull(tab);
        if (column == 0)
            add_line(l, line.text, (size_t)(tab - line.text));
        else
            add_line(l, tab + 1, (size_t)(line.text + line.size - tab - 1));
    }
    free(text);
}

static void add_random(lines *l) {
    static const char *const pieces[] = {".",
                                         ".",
                                         ",",
                                         ",",
                                         "-",
                                         "-",
                                         "5",
                                         "0",
                                         "9",
                                         "a",
                                         "B",
                                         "'",
                                         "\"",
                                         " ",
                                         " ",
                                         "\t",
                                         "\r",
                                         "&amp;",
                                         "&lt;",
                                         "&quot;",
                                         "&gt;",
                                         "&",
                                         ";",
                                         "<skipped>",
                                         "<SKIPPED>",
                                         "<",
                                         ">",
                                         "(",
                                         "]",
                                         "é",
                                         "É",
                                         "e\314\201",
                                         "Σ",
                                         "Σ",
                                         "Σ",
                                         "Α",
                                         "α",
                                         "İ",
                                         "ẞ",
                                         "中",
                                         "文",
                                         "。",
                                         "，",
                                         "“",
                                         "’",
                                         "—",
                                         "…",
                                         "Ａ",
                                         "５",
                                         "．",
                                         "٣",
                                         "👍🏽",
                                         "\302\240",
                                         "\343\200\200",
                                         "\302\205",
                                         "\342\200\250",
                                         "\034",
                                         "\342\200\213",
                                         "\357\273\277",
                                         "\302\255",
                                         "\377",
                                         "\344\270",
                                         "\200"};
    enum { N = sizeof pieces / sizeof *pieces };
    for (int i = 0; i < 800; i++) {
        char line[1024] = "";
        long length = tl_rng_below(l->key, l->draw++, 30), from = tl_rng_below(l->key, l->draw++, N),
             few = 1 + tl_rng_below(l->key, l->draw++, N);
        for (long k = 0; k < length; k++)
            strcat(line, pieces[(from + tl_rng_below(l->key, l->draw++, few)) % N]);
        add_line(l, line, strlen(line));
    }
}

static void add_plane(lines *l) { /* 64 characters per line, each followed by a letter, digit or space */
    char line[64 * 8];
    size_t size = 0;
    for (uint32_t code = 1; code < 0x10000; code++) {
        if (code == 0x3500) code = 0xF900; /* skips ideographs, Hangul and surrogates */
        if (code == '\n') continue;
        size += utf8(code, line + size);
        line[size++] = "a5 "[code % 3];
        if (code % 64 != 63) continue;
        add_line(l, line, size);
        size = 0;
    }
}

static void write_lines(const char *path, char *const *line, long count) {
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (long i = 0; i < count; i++) fprintf(f, "%s\n", line[i]);
    ck_assert_int_eq(fclose(f), 0);
}

/* Takes the next line of sacreBLEU's output. */
static tl_span next(tl_span *said) {
    tl_span line;
    ck_assert_msg(tl_next_line(said, &line), "sacreBLEU said too little");
    return line;
}

static void compare_bleu(const lines *l, tl_bleu_config config, tl_span *said) {
    const char *name = tl_bleu_tokens_name(config.tokens);
    tl_bleu *bleu = tl_bleu_new(&config);
    for (long i = 0; i < l->count; i++) ck_assert(tl_bleu_add(bleu, l->hyp[i], l->ref[i]));
    tl_bleu_score s = tl_bleu_result(bleu);
    tl_bleu_free(bleu);

    long n[10], found[10] = {s.matched[0], s.matched[1], s.matched[2], s.matched[3], s.total[0],
                             s.total[1],   s.total[2],   s.total[3],   s.hyp_length, s.ref_length};
    char *numbers = (char *)next(said).text;
    double score = strtod(numbers, &numbers);
    for (int i = 0; i < 10; i++) n[i] = strtol(numbers, &numbers, 10);
    for (long i = 0; i < l->count; i++) { /* tokens first, because they show better what is wrong */
        tl_span line = next(said);
        char *tokens = cut_line(tl_span_of(l->hyp[i]), config.tokens, config.lowercase);
        must_msg(line.size == strlen(tokens) && !memcmp(line.text, tokens, line.size),
                 "tok:%s%s: \"%s\"\ncut: %s\nnot: %.*s", name, config.lowercase ? ", lc" : "", l->hyp[i],
                 tokens, (int)line.size, line.text);
        free(tokens);
    }
    for (int i = 0; i < 10; i++)
        must_msg(found[i] == n[i], "tok:%s: number %d is %ld, not %ld", name, i, found[i], n[i]);
    ck_assert_double_eq_tol(s.score, score, 1e-9);
    ck_assert(score > 1 && score < 99);
}

static void compare_chrf(const lines *l, bool lowercase, tl_span *said) {
    tl_chrf *chrf = tl_chrf_new(lowercase);
    for (long i = 0; i < l->count; i++) ck_assert(tl_chrf_add(chrf, l->hyp[i], l->ref[i]));
    double score = strtod(next(said).text, NULL);
    ck_assert_double_eq_tol(tl_chrf_result(chrf), score, 1e-9);
    ck_assert(score > 1 && score < 99);
    tl_chrf_free(chrf);
}

static void compare(lines *l) {
    int status;
    scratch s = scratch_new();
    const char *hyp = scratch_path(&s, "hyp"), *ref = scratch_path(&s, "ref");
    write_lines(hyp, l->hyp, l->count);
    write_lines(ref, l->ref, l->count);
    char *text = shell(&status, "python3 tests/text/sacrebleu_says.py %s %s", hyp, ref);
    scratch_remove(&s);
    ck_assert_msg(status == 0, "sacrebleu_says.py: %.2000s", text);
    tl_span said = tl_span_of(text);
    for (int t = TL_BLEU_NONE; t <= TL_BLEU_CHAR; t++)
        for (int lc = 0; lc < 2; lc++) compare_bleu(l, (tl_bleu_config){(tl_bleu_tokens)t, lc}, &said);
    for (int lc = 0; lc < 2; lc++) compare_chrf(l, lc, &said);
    free(text);
    for (long i = 0; i < l->count; i++) free(l->hyp[i]), free(l->ref[i]);
}

/* The table is Unicode 14's; other versions lowercase other characters. */
static bool have_sacrebleu(void) {
    int status;
    char *text = shell(&status, "python3 -c 'import sacrebleu, unicodedata as u; print(u.unidata_version)'");
    bool same = status == 0 && !strcmp(text, "14.0.0\n");
    if (status)
        TL_SKIP("BLEU live: no python3 with sacrebleu here");
    else if (!same)
        TL_SKIP("BLEU live: python3 has Unicode %.*s, the table 14.0.0", (int)strcspn(text, "\n"), text);
    free(text);
    return same;
}

START_TEST(real_sentences) {
    static const char *const files[] = {"../shared/data/tatoeba-en-zh/test.tsv",
                                        "../shared/data/multi30k-en-de/test.tsv"};
    for (int i = 0; i < 2; i++)
        if (access(files[i], R_OK)) {
            TL_SKIP("BLEU of real sentences live: no %s here", files[i]);
            return;
        }
    if (!have_sacrebleu()) return;
    static lines l;
    l.key = tl_rng_key_of(1, "real");
    for (int i = 0; i < 4; i++) add_column(&l, files[i / 2], i % 2);
    ck_assert_int_ge(l.count, 800);
    compare(&l);
}
END_TEST

START_TEST(random_lines) {
    if (!have_sacrebleu()) return;
    static lines l;
    l.key = tl_rng_key_of(2, "random");
    add_random(&l);
    compare(&l);
}
END_TEST

START_TEST(every_character_of_the_plane) {
    if (!have_sacrebleu()) return;
    static lines l;
    l.key = tl_rng_key_of(3, "plane");
    add_plane(&l);
    compare(&l);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, real_sentences);
    tcase_add_test(tc, random_lines);
    tcase_add_test(tc, every_character_of_the_plane);
}

TL_TEST_MAIN("text: bleu beside sacrebleu")
