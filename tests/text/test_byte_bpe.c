/* Byte-level byte pairs: letters, words and ids by hand; every short text there and back; merging against GPT-2's own
 * loop; damaged files; learning; and all of it against Hugging Face's tokenizers and Python's regex, if they are
 * installed. */
#define _XOPEN_SOURCE 700
#include "examples/shell.h"
#include "io/scratch.h"
#include "tapeloom/text.h"
#include "text/byte_bpe/byte_bpe.h"
#include "text/unicode/unicode.h"

/* ---- files made by this test ---- */

typedef struct text {
    char bytes[1 << 16];
    size_t size;
} text;

static void add(text *t, const char *bytes, size_t size) {
    ck_assert_uint_lt(t->size + size, sizeof t->bytes);
    memcpy(t->bytes + t->size, bytes, size);
    t->bytes[t->size += size] = 0;
}

/* GPT-2's table as its authors compute it: printable bytes stand for themselves, the others count up from 256. */
static void letters_of(uint32_t letter[256]) {
    uint32_t next = 256;
    for (uint32_t byte = 0; byte < 256; byte++) {
        bool plain =
            (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
        letter[byte] = plain ? byte : next++;
    }
}

static void add_letter(text *t, uint32_t code) {
    const char two[] = {(char)(0xC0 | code >> 6), (char)(0x80 | (code & 0x3F))}, one = (char)code;
    if (code < 0x80)
        add(t, &one, 1);
    else
        add(t, two, 2);
}

/* A vocabulary in which the id of a byte is the byte; then the tokens of `more`, separated by spaces. Without the byte
 * `leave_out`. */
static text *vocab_with(const char *more, int leave_out) {
    static text t;
    uint32_t letter[256];
    letters_of(letter);
    t.size = 0;
    for (int byte = 0; byte < 256; byte++) {
        char number[16];
        if (byte == leave_out) continue;
        add(&t, t.size == 0 ? "{\"" : ", \"", t.size == 0 ? 2 : 3);
        if (byte == '"' || byte == '\\') add(&t, "\\", 1);
        add_letter(&t, letter[byte]);
        add(&t, number,
            (size_t)snprintf(number, sizeof number, "\": %d", byte - (leave_out >= 0 && byte > leave_out)));
    }
    for (int id = 256 - (leave_out >= 0); *more; id++) {
        const size_t size = strcspn(more, " ");
        char entry[200];
        add(&t, entry, (size_t)snprintf(entry, sizeof entry, ", \"%.*s\": %d", (int)size, more, id));
        more += size + (more[size] == ' ');
    }
    add(&t, "}", 1);
    return &t;
}

static tl_byte_bpe *parse(const char *vocab, size_t vocab_size, const char *merges, size_t merges_size,
                          const char *const *specials) {
    /* blocks of exactly their sizes, so that a sanitizer detects reading beyond them */
    char *v = malloc(vocab_size + (vocab_size == 0)), *m = malloc(merges_size + (merges_size == 0));
    ck_assert(v && m);
    memcpy(v, vocab, vocab_size);
    memcpy(m, merges, merges_size);
    tl_byte_bpe *bpe = tl_byte_bpe_parse(&(tl_byte_bpe_files){.vocab_name = "vocab.json",
                                                              .vocab = v,
                                                              .vocab_size = vocab_size,
                                                              .merges_name = "merges.txt",
                                                              .merges = m,
                                                              .merges_size = merges_size,
                                                              .specials = specials});
    free(v), free(m);
    return bpe;
}

static const char *const end_of_text[] = {"<|endoftext|>", NULL};

#define TOKENS "th he the \xC4\xA0t \xC4\xA0the er ab aa aaaa <|endoftext|>"
static const char merges[] =
    "#version: 0.2\nt h\nh e\nth e\n\xC4\xA0 t\n\xC4\xA0 the\ne r\na b\na a\naa aa\n";

enum { TH = 256, HE, THE, SPACE_T, SPACE_THE, ER, AB, AA, AAAA, END_OF_TEXT };

static tl_byte_bpe *small(void) {
    const text *v = vocab_with(TOKENS, -1);
    tl_byte_bpe *bpe = parse(v->bytes, v->size, merges, sizeof merges - 1, end_of_text);
    assert_no_error(tl_byte_bpe_error(bpe));
    return bpe;
}

/* ---- letters and words ---- */

START_TEST(every_byte_has_its_letter) {
    uint32_t letter[256];
    letters_of(letter);
    for (int byte = 0; byte < 256; byte++) {
        ck_assert_uint_eq(tl_byte_letter((unsigned char)byte), letter[byte]);
        ck_assert_int_eq(tl_letter_byte(letter[byte]), byte);
    }
    ck_assert_uint_eq(tl_byte_letter(' '), 0x120);
    ck_assert_uint_eq(tl_byte_letter('\n'), 0x10A);
    ck_assert_uint_eq(tl_byte_letter(0xAD), 0x143);
    int letters = 0;
    for (uint32_t code = 0; code < 0x110000; code++) letters += tl_letter_byte(code) >= 0;
    ck_assert_int_eq(letters, 256);
}
END_TEST

/* The words with '|' between; the caller frees them. */
static char *words_of(const char *bytes, size_t size) {
    char *out = calloc(2 * size + 1, 1);
    size_t used = 0;
    ck_assert_ptr_nonnull(out);
    tl_span rest = {bytes, size};
    for (tl_span word; tl_byte_next_word(&rest, &word);) {
        must(word.size > 0);
        if (used) out[used++] = '|';
        memcpy(out + used, word.text, word.size);
        used += word.size;
    }
    return out;
}

START_TEST(words_by_hand) {
    static const char *const cases[][2] = {
        {"", ""},
        {"Hello, world!", "Hello|,| world|!"},
        {"I'm you're we've he'll she'd it's can't", "I|'m| you|'re| we|'ve| he|'ll| she|'d| it|'s| can|'t"},
        {"IT'S 'tis 'sap '", "IT|'|S| '|tis| '|sap| '"},
        {"'sap 'r 'l 'v", "'s|ap| '|r| '|l| '|v"},
        {"'re're'r", "'re|'re|'|r"},
        {"!'s !'", "!'|s| !'"},
        {"a1 2b3", "a|1| 2|b|3"},
        {"a  b", "a| | b"},
        {"a   b", "a|  | b"},
        {"a ", "a| "},
        {"a   ", "a|   "},
        {"a\nb", "a|\n|b"},
        {"a\n\nb", "a|\n|\n|b"},
        {"a \n b", "a| \n| b"},
        {"a\n \nb", "a|\n |\n|b"},
        {"  \t", "  \t"},
        {" \t!", " |\t|!"},
        {"a\v\fb\r\rc \v!", "a|\v|\f|b|\r|\r|c| |\v|!"}, /* white space of \\s */
        {"a\302\240b", "a|\302\240|b"},                  /* U+00A0 is white space, but no space */
        {"a\302\205\302\205b", "a|\302\205|\302\205|b"}, /* U+0085 */
        {"a\034\035b", "a|\034\035|b"},                  /* white space only for str.split() */
        {"a\xE2\x80\x8B b", "a|\xE2\x80\x8B| b"},        /* U+200B is no white space */
        {"e\xCC\x81t", "e|\xCC\x81|t"},                  /* a mark is no letter */
        {"x\xC2\xB2 \xC2\xBD", "x|\xC2\xB2| \xC2\xBD"},  /* ² and ½ are numbers */
        {"\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82", "\xE4\xB8\xAD\xE6\x96\x87|\xE3\x80\x82"},
        {"a\xFF\xFE!b", "a|\xFF\xFE!|b"}, /* bytes that are not UTF-8 are signs */
        {" \xC3", " \xC3"},
        {"a\xE4\xB8", "a|\xE4\xB8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *found = words_of(cases[i][0], strlen(cases[i][0]));
        ck_assert_str_eq(found, cases[i][1]);
        free(found);
    }
}
END_TEST

/* ---- ids ---- */

static void is_encoded(tl_byte_bpe *bpe, const char *bytes, size_t size, const int *ids, long count) {
    int *found = malloc((size + 1) * sizeof *found);
    char *back = malloc(size + 1);
    ck_assert(found && back);
    const long n = tl_byte_bpe_encode(bpe, bytes, size, found, (long)size);
    must(n >= 0 && n <= (long)size);
    if (ids) {
        must_msg(n == count, "%ld ids, expected %ld", n, count);
        for (long i = 0; i < n; i++)
            must_msg(found[i] == ids[i], "id %ld is %d, expected %d", i, found[i], ids[i]);
    }
    must(tl_byte_bpe_decode(bpe, found, n, back, size + 1) == size);
    must(memcmp(back, bytes, size) == 0 && back[size] == 0);
    free(found), free(back);
}

#define IDS(bytes, ...)                                                       \
 do {                                                                         \
  const int want[] = {__VA_ARGS__};                                           \
  is_encoded(bpe, bytes, sizeof bytes - 1, want, sizeof want / sizeof *want); \
 } while (0)

START_TEST(ids_by_hand) {
    tl_byte_bpe *bpe = small();
    ck_assert_int_eq(tl_byte_bpe_size(bpe), 266);
    ck_assert_int_eq(tl_byte_bpe_merges(bpe), 9);
    for (int again = 0; again < 2; again++) { /* the second time from the cache */
        IDS("the", THE);
        IDS(" the", SPACE_THE);
        IDS("  the", ' ', SPACE_THE);
        IDS(" then", SPACE_THE, 'n');
        IDS("hehe thr", HE, HE, ' ', TH, 'r'); /* "t h" comes before "Ġ t" */
        IDS(" to ", SPACE_T, 'o', ' ');
        IDS("aaab", AA, AB);
        IDS("aaaa", AAAA);
        IDS("aaaaa", AAAA, 'a');
        IDS("aaaaaaab", AAAA, AA, AB); /* "a b" comes before "a a" */
        IDS("\xFF\0\n", 0xFF, 0, '\n');
        IDS("the\xE4\xB8\xAD", THE, 0xE4, 0xB8, 0xAD);
        IDS("other", 'o', THE, 'r'); /* "th e" comes before "e r" */
        IDS("t he", 't', ' ', HE);
    }
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, "", 0, NULL, 0), 0);
    int ids[3] = {-7, -7, -7};
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, "xyz", 3, ids, 2), 3); /* more than fits */
    ck_assert(ids[0] == 'x' && ids[1] == 'y' && ids[2] == -7);
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, "xyz", 3, NULL, 2), 3);
    size_t size;
    ck_assert(!memcmp(tl_byte_bpe_token(bpe, SPACE_THE, &size), " the", 4) && size == 4);
    ck_assert(!tl_byte_bpe_token(bpe, 266, &size) && size == 0);
    ck_assert(!tl_byte_bpe_token(bpe, -1, NULL));
    tl_byte_bpe_free(bpe);
}
END_TEST

/* The pair of the lowest rank is first merged everywhere, as in GPT-2's encoder, even if this makes a pair of a lower
 * rank. */
START_TEST(a_merge_is_done_everywhere_before_the_next) {
    const text *v = vocab_with("ab abc abab cab", -1);
    static const char odd[] = "ab c\nc ab\na b\nab ab\n";
    tl_byte_bpe *bpe = parse(v->bytes, v->size, odd, sizeof odd - 1, NULL);
    assert_no_error(tl_byte_bpe_error(bpe));
    IDS("abc", 257);
    IDS("abab", 258);
    IDS("cab", 259);
    IDS("abcab", 257, 256); /* both "a b", then "ab c" */
    tl_byte_bpe_free(bpe);
}
END_TEST

START_TEST(special_tokens_only_when_asked) {
    tl_byte_bpe *bpe = small();
    int ids[64];
    const char *line = "the<|endoftext|> the";
    long n = tl_byte_bpe_encode(bpe, line, strlen(line), ids, 64);
    ck_assert_int_gt(n, 5);
    for (long i = 0; i < n; i++) ck_assert_int_ne(ids[i], END_OF_TEXT);
    ck_assert_int_eq(tl_byte_bpe_encode_special(bpe, line, strlen(line), ids, 64), 3);
    ck_assert(ids[0] == THE && ids[1] == END_OF_TEXT && ids[2] == SPACE_THE);
    char back[64];
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, 3, back, sizeof back), strlen(line));
    ck_assert_str_eq(back, line);
    const char *two = "<|endoftext|><|endoftext|><|endoftext"; /* the third is incomplete */
    n = tl_byte_bpe_encode_special(bpe, two, strlen(two), ids, 64);
    ck_assert(n > 4 && ids[0] == END_OF_TEXT && ids[1] == END_OF_TEXT && ids[2] == '<' && ids[n - 1] == 't');
    ck_assert_int_eq(tl_byte_bpe_special(bpe, "<|endoftext|>"), END_OF_TEXT);
    ck_assert_int_eq(tl_byte_bpe_special(bpe, "the"), -1);
    ck_assert_int_eq(tl_byte_bpe_special(bpe, NULL), -1);
    tl_byte_bpe_free(bpe);

    static const char *const some[] = {"<s>", "<s><s>", "\xC4\xA0x", "\xE2\x96\x81", NULL};
    const text *v = vocab_with("<s> <s><s> \xC4\xA0x \xE2\x96\x81", -1);
    bpe = parse(v->bytes, v->size, "", 0, some);
    assert_no_error(tl_byte_bpe_error(bpe));
    /* the longest one is found; a special token is plain text, not letters */
    line = "<s><s><s>\xC4\xA0x\xE2\x96\x81";
    ck_assert_int_eq(tl_byte_bpe_encode_special(bpe, line, strlen(line), ids, 64), 4);
    ck_assert(ids[0] == 257 && ids[1] == 256 && ids[2] == 258 && ids[3] == 259);
    tl_byte_bpe_decode(bpe, ids, 4, back, sizeof back);
    ck_assert_str_eq(back, line);
    tl_byte_bpe_free(bpe);
}
END_TEST

START_TEST(decoding_into_little_room) {
    tl_byte_bpe *bpe = small();
    const int ids[] = {THE, SPACE_THE, 99999, -1, 'x'};
    char out[8] = "1234567";
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, 5, NULL, 0), 3 + 4 + 3 + 3 + 1);
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, 5, out, 7), 14); /* only whole tokens are written */
    ck_assert_mem_eq(out,
                     "the\0"
                     "567",
                     8);
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, 5, out, 8), 14);
    ck_assert_str_eq(out, "the the");
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids + 2, 1, out, 8), 3);
    ck_assert_str_eq(out, "\xEF\xBF\xBD");
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, 1, out, 0), 3);
    tl_byte_bpe_free(bpe);
}
END_TEST

/* ---- there and back ---- */

static uint64_t drawn = 1;
static uint32_t draw(uint32_t below) {
    drawn = drawn * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(drawn >> 33) % below;
}

START_TEST(every_short_text_comes_back) {
    tl_byte_bpe *bpe = small();
    static const char few[] = " \n'aehst1!\xC2\xA0\xE4\xFF";
    enum { FEW = sizeof few - 1 };
    char t[4];
    for (int a = 0; a < 256; a++)
        for (int b = -1; b < 256; b++) {
            t[0] = (char)a, t[1] = (char)b;
            is_encoded(bpe, t, 1 + (b >= 0), NULL, 0);
        }
    for (int i = 0; i < FEW * FEW * FEW * FEW; i++) {
        for (int k = 0, rest = i; k < 4; k++, rest /= FEW) t[k] = few[rest % FEW];
        is_encoded(bpe, t, 4, NULL, 0);
    }
    tl_byte_bpe_free(bpe);
}
END_TEST

/* GPT-2's loop: merges the pair of the lowest rank everywhere from the left, until there is none. */
static long merge_slowly(const tl_byte_bpe *bpe, tl_span word, int *ids) {
    long n = 0;
    for (size_t i = 0; i < word.size; i++) ids[n++] = bpe->alphabet[(unsigned char)word.text[i]];
    for (;;) {
        int32_t best = -1;
        for (long i = 0; i + 1 < n; i++) {
            const int32_t rank = tl_byte_rank(bpe, ids[i], ids[i + 1]);
            if (rank >= 0 && (best < 0 || rank < best)) best = rank;
        }
        if (best < 0) return n;
        long kept = 0;
        for (long i = 0; i < n; i++) {
            const bool here = i + 1 < n && tl_byte_rank(bpe, ids[i], ids[i + 1]) == best;
            ids[kept++] = here ? bpe->joined[best] : ids[i];
            i += here;
        }
        n = kept;
    }
}

START_TEST(random_texts_are_merged_as_gpt2_merges) {
    char t[400];
    int ids[400];
    for (int kind = 0; kind < 3; kind++) { /* few different letters, so that merges of merges occur */
        const uint32_t letters = kind == 0 ? 2 : kind == 1 ? 5 : 256;
        for (size_t i = 0; i < sizeof t; i++) t[i] = (char)(letters == 256 ? draw(256) : 'a' + draw(letters));
        tl_byte_bpe *bpe = tl_byte_bpe_learn(t, sizeof t, &(tl_byte_bpe_config){.merges = 80});
        assert_no_error(tl_byte_bpe_error(bpe));
        for (int i = 0; i < 2000; i++) {
            const size_t size = 1 + draw(300);
            for (size_t k = 0; k < size; k++) t[k] = (char)(letters == 256 ? draw(256) : 'a' + draw(letters));
            tl_span rest = {t, size}, word;
            long n = 0;
            while (tl_byte_next_word(&rest, &word)) n += merge_slowly(bpe, word, ids + n);
            is_encoded(bpe, t, size, ids, n);
        }
        tl_byte_bpe_free(bpe);
    }
}
END_TEST

/* An algorithm with n² steps would take a minute or more. */
START_TEST(a_word_of_very_many_letters) {
    enum { LONG = 200000 };
    char *t = malloc(LONG);
    int *ids = malloc(LONG * sizeof *ids);
    ck_assert(t && ids);
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 0; i < LONG; i++) t[i] = kind == 0 ? 'a' : (char)('a' + draw(4));
        tl_byte_bpe *bpe =
            kind == 0 ? small() : tl_byte_bpe_learn(t, 2000, &(tl_byte_bpe_config){.merges = 300});
        is_encoded(bpe, t, LONG, NULL, 0);
        if (kind == 0) {
            ck_assert_int_eq(tl_byte_bpe_encode(bpe, t, LONG, ids, LONG), LONG / 4);
            for (int i = 0; i < LONG / 4; i++) must(ids[i] == AAAA);
        }
        tl_byte_bpe_free(bpe);
    }
    free(t), free(ids);
}
END_TEST

/* More words than the cache holds. */
START_TEST(more_words_than_are_remembered) {
    tl_byte_bpe *bpe = small();
    char word[32];
    for (int again = 0; again < 2; again++)
        for (int i = 0; i < 150000; i++) {
            const int size = snprintf(word, sizeof word, " %d", i);
            int ids[16];
            must(tl_byte_bpe_encode(bpe, word, (size_t)size, ids, 16) == size);
            for (int k = 0; k < size; k++) must(ids[k] == word[k]);
        }
    IDS(" the", SPACE_THE);
    tl_byte_bpe_free(bpe);
}
END_TEST

/* ---- files ---- */

START_TEST(files_come_back) {
    tl_byte_bpe *bpe = small();
    size_t vocab_size, merges_size;
    char *v = tl_byte_bpe_vocab_text(bpe, &vocab_size), *m = tl_byte_bpe_merges_text(bpe, &merges_size);
    ck_assert_str_eq(m, merges);
    ck_assert_uint_eq(merges_size, strlen(merges));
    ck_assert_uint_eq(vocab_size, strlen(v));
    assert_contains(v, "{\"\xC4\x80\":0,\"\xC4\x81\":1,");
    assert_contains(v, ",\"\\\"\":34,\"#\":35,");
    assert_contains(v, ",\"\\\\\":92,");
    assert_contains(v, ",\"aaaa\":264,\"<|endoftext|>\":265}");
    tl_byte_bpe *same = parse(v, vocab_size, m, merges_size, end_of_text);
    assert_no_error(tl_byte_bpe_error(same));
    char *again = tl_byte_bpe_vocab_text(same, NULL);
    ck_assert_str_eq(again, v);
    free(again), free(v), free(m);
    tl_byte_bpe_free(same), tl_byte_bpe_free(bpe);
}
END_TEST

/* Ids in any order, white space, escapes, byte order marks, CRs, and text after the version. */
START_TEST(files_as_others_may_write_them) {
    const text *v = vocab_with("", -1);
    static const char front[] = "\xEF\xBB\xBF\n\t{ \"\\u0120\\u0074\" : 257,\r\n\"ab\":256,";
    static text t;
    t.size = 0;
    add(&t, front, sizeof front - 1);
    add(&t, v->bytes + 1, v->size - 1);
    static const char m[] = "\xEF\xBB\xBF"
                            "#version: 0.2 - trained by somebody\r\na b\r\n\xC4\xA0 t\r\n";
    tl_byte_bpe *bpe = parse(t.bytes, t.size, m, sizeof m - 1, NULL);
    assert_no_error(tl_byte_bpe_error(bpe));
    IDS("ab t", 256, 257);
    tl_byte_bpe_free(bpe);
}
END_TEST

static void is_refused(const char *vocab, size_t vocab_size, const char *m, size_t merges_size,
                       const char *const *specials, const char *start, const char *end) {
    tl_byte_bpe *bpe = parse(vocab, vocab_size, m, merges_size, specials);
    const char *error = tl_byte_bpe_error(bpe);
    ck_assert_msg(error && strncmp(error, start, strlen(start)) == 0, "\"%s\" should begin with \"%s\"",
                  error ? error : "(none)", start);
    assert_contains(error, end);
    int id;
    ck_assert_int_eq(tl_byte_bpe_size(bpe), 0);
    ck_assert_int_eq(tl_byte_bpe_merges(bpe), 0);
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, "a", 1, &id, 1), -1);
    ck_assert_int_eq(tl_byte_bpe_encode_special(bpe, "a", 1, &id, 1), -1);
    ck_assert_ptr_null(tl_byte_bpe_vocab_text(bpe, NULL));
    ck_assert_ptr_null(tl_byte_bpe_merges_text(bpe, NULL));
    tl_byte_bpe_free(bpe);
}

START_TEST(vocabularies_that_are_none) {
    static const char anew[] = "; the file was changed or cut off: fetch or write it again";
    static const char *const cases[][2] = {
        {"",
         "vocab.json:1: byte 1: expected '{' (an object of tokens and their ids), found the end of the file"},
        {"[]", "vocab.json:1: byte 1: expected '{'"},
        {"7", "vocab.json:1: byte 1: expected '{'"},
        {"{", "vocab.json:1: byte 2: expected a string, found the end of the file"},
        {"{\"a\":0", "vocab.json:1: byte 7: expected ',' or '}' after an id, found the end of the file"},
        {"{\"a\":0}\n\n x", "vocab.json:3: byte 2: expected the end of the file, found 'x'"},
        {"{\n\"a\" 0}", "vocab.json:2: byte 5: expected ':' after a token, found '0'"},
        {"{\"a\":\"0\"}", "vocab.json:1: byte 6: expected a whole number, found '\"'"},
        {"{\"a\":-1}", "vocab.json:1: byte 6: expected a whole number, found '-'"},
        {"{\"a\":1.5}", "vocab.json:1: byte 7: expected a whole number, found '.'"},
        {"{\"a\":null}", "vocab.json:1: byte 6: expected a whole number, found 'n'"},
        {"{\"a\":{}}", "vocab.json:1: byte 6: expected a whole number, found '{'"},
        {"{\"a\":99999999999999999999}", "vocab.json:1: byte 6: a number is too large"},
        {"{\"a\":0,\n\"b\":18446744073709551615}", "vocab.json:2: byte 1: found the id 18446744073709551615 "
                                                   "of \"b\", expected ids from 0 to 1 without a gap "
                                                   "for 2 tokens"},
        {"{\"a\":0,\n\"b\":2}", "vocab.json:2: byte 1: found the id 2 of \"b\", expected ids from 0 to 1"},
        {"{\"a\":0,\n \"b\":0}",
         "vocab.json:2: byte 2: found the id 0 of \"b\" again, expected another id for each token"},
        {"{\"a\":0,\n\"a\":1}", "vocab.json:2: byte 1: found the token \"a\" again, expected it once"},
        {"{\"\":0}", "vocab.json:1: byte 2: found a token without characters"},
        {"{\"a\xFF\":0}", "vocab.json:1: byte 4: a string is not valid UTF-8 (byte 0xff)"},
        {"\xFF\xFE{", "vocab.json:1: byte 1: expected '{'"},
        {"{\"\\u0000\":0}", "vocab.json:1: byte 3: a string contains \\u0000"},
        {"{\"\\ud800\":0}", "vocab.json:1: byte 3: half of a surrogate pair"},
        {"{\"a\n\":0}", "vocab.json:1: byte 4: a control character (byte 0x0a) in a string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_refused(cases[i][0], strlen(cases[i][0]), "", 0, NULL, cases[i][1], anew);
    is_refused("{}", 2, "", 0, NULL,
               "vocab.json: found no token \"\xC4\x80\", which stands for the byte 0x00, expected one for "
               "each of the 256 "
               "bytes",
               "; fetch the file again, or learn with the whole alphabet");
    const text *v = vocab_with(TOKENS, ' ');
    is_refused(v->bytes, v->size, merges, sizeof merges - 1, end_of_text,
               "vocab.json: found no token \"\xC4\xA0\", which stands for the byte 0x20",
               "fetch the file again");
    v = vocab_with(TOKENS, -1);
    is_refused(v->bytes, v->size, merges, sizeof merges - 1, NULL, "vocab.json:1: byte ",
               ": found the token \"<|endoftext|>\", which no merge makes; name it among the special tokens "
               "if it is one");
    v = vocab_with("\xE2\x96\x81", -1); /* ▁ is not the letter of any byte */
    is_refused(v->bytes, v->size, "", 0, NULL, "vocab.json:1: byte ", "which no merge makes");
}
END_TEST

START_TEST(merges_that_are_none) {
    static const char anew[] =
        ": the file was changed, or is another vocabulary's: fetch or write both again";
    static const char *const cases[][2] = {
        {"#version: 0.2\nth\n",
         "merges.txt:2: found \"th\", expected two tokens with one space between them"},
        {"#version: 0.2\nt h e\n", "merges.txt:2: found \"t h e\", expected two tokens"},
        {"t  h\n", "merges.txt:1: found \"t  h\", expected two tokens"},
        {" t h\n", "merges.txt:1: found \" t h\", expected two tokens"},
        {"t \n", "merges.txt:1: found \"t \", expected two tokens"},
        {"t h\n\nh e\n", "merges.txt:2: found \"\", expected two tokens"},
        {"t h\nxyz e\n", "merges.txt:2: found \"xyz\", which is no token of the vocabulary"},
        {"t h\nt xyz\n", "merges.txt:2: found \"xyz\", which is no token of the vocabulary"},
        {"t h\nt x\n", "merges.txt:2: found a merge to \"tx\", which is no token of the vocabulary"},
        {"#version: 0.2\nt h\nh e\nt h\n",
         "merges.txt:4: found \"t h\" again, expected it once (it is in line 2)"},
        {"t h\nh e\nh e\n", "merges.txt:3: found \"h e\" again, expected it once (it is in line 2)"},
        {"t h\n\xFF e\n",
         "merges.txt:2: found the byte 0xFF at byte 1 of the line, expected UTF-8 without NUL"},
    };
    text v = *vocab_with(TOKENS, -1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_refused(v.bytes, v.size, cases[i][0], strlen(cases[i][0]), end_of_text, cases[i][1], anew);
    is_refused(v.bytes, v.size, "t \0h\n", 5, end_of_text, "merges.txt:1: found the byte 0x00 at byte 3",
               anew);
    is_refused(v.bytes, v.size, "#version: 0.3\nt h\n", 18, end_of_text,
               "merges.txt:1: found the version \"0.3\", expected 0.2", ": this program knows no other");
    is_refused(v.bytes, v.size, "#version: 0.20\n", 15, end_of_text,
               "merges.txt:1: found the version \"0.20\"", ": this program knows no other");
    is_refused(v.bytes, v.size, "t h\nh e", 7, end_of_text, "merges.txt:2: found the end, expected an LF",
               ": the file was cut off: fetch or write it again");
    is_refused(
        v.bytes, v.size, "t h\nh e\n", 8, end_of_text, "vocab.json:1: byte ",
        "found the token \"the\", which no merge makes; name it among the special tokens if it is one; else "
        "the merges were cut off");
    is_refused(v.bytes, v.size, "< |\n", 4, (const char *const[]){"<|endoftext|>", "th", "<", NULL},
               "vocab.json:1: byte ", "found \"<\", which stands for a byte and so cannot be special");
    is_refused(v.bytes, v.size, merges, sizeof merges - 1, (const char *const[]){"<|endoftext|>", "th", NULL},
               "merges.txt:2: found a merge to \"th\", which is special and so made by no merge",
               ": take it from");
    is_refused(v.bytes, v.size, "th e\n", 5, (const char *const[]){"<|endoftext|>", "th", NULL},
               "merges.txt:1: found \"th\", which is special and so part of no merge", ": take it from");
    is_refused(
        v.bytes, v.size, merges, sizeof merges - 1, (const char *const[]){"<|endoftext|>", "<pad>", NULL},
        "vocab.json: found no token \"<pad>\", which shall be special", "; add it there, or leave it out");
    is_refused(v.bytes, v.size, merges, sizeof merges - 1, (const char *const[]){"<a>", "<a>", NULL},
               "byte pairs: found the special token \"<a>\" twice", "; name it once");
    is_refused(v.bytes, v.size, merges, sizeof merges - 1, (const char *const[]){"", NULL},
               "byte pairs: found the special token \"\", expected a text in UTF-8", "; leave it out");
    is_refused(v.bytes, v.size, merges, sizeof merges - 1, (const char *const[]){"\xFF", NULL},
               "byte pairs: found the special token \"\\xff\"", "; leave it out");
}
END_TEST

/* If either file is cut off anywhere, it is refused: half a file is never used. */
START_TEST(files_cut_off_anywhere) {
    text v = *vocab_with(TOKENS, -1);
    for (size_t size = 0; size <= v.size; size++) {
        tl_byte_bpe *bpe = parse(v.bytes, size, merges, sizeof merges - 1, end_of_text);
        must_msg(!tl_byte_bpe_error(bpe) == (size == v.size), "%zu bytes of the vocabulary", size);
        tl_byte_bpe_free(bpe);
    }
    for (size_t size = 0; size < sizeof merges; size++) {
        tl_byte_bpe *bpe = parse(v.bytes, v.size, merges, size, end_of_text);
        must_msg(!tl_byte_bpe_error(bpe) == (size == sizeof merges - 1), "%zu bytes of the merges", size);
        tl_byte_bpe_free(bpe);
    }
}
END_TEST

/* With changed bytes a file may still be valid; then texts still come back. */
START_TEST(files_with_wrong_bytes) {
    static const char likely[] = "\0\xFF \n\"\\{}:,0129ath\xC4\xA0#";
    text v = *vocab_with(TOKENS, -1);
    int good = 0;
    for (int i = 0; i < 4000; i++) {
        text changed = v;
        char m[sizeof merges];
        memcpy(m, merges, sizeof merges);
        const char byte = draw(2) ? (char)draw(256) : likely[draw(sizeof likely - 1)];
        if (i % 2)
            changed.bytes[draw((uint32_t)changed.size)] = byte;
        else
            m[draw(sizeof merges - 1)] = byte;
        tl_byte_bpe *bpe = parse(changed.bytes, changed.size, m, sizeof merges - 1, end_of_text);
        if (!tl_byte_bpe_error(bpe)) {
            is_encoded(bpe, "the other aaab\xFF <|endoftext|>", 29, NULL, 0);
            good++;
        }
        tl_byte_bpe_free(bpe);
    }
    ck_assert_int_gt(good, 10);
}
END_TEST

/* ---- learning ---- */

static void learns(const char *bytes, const tl_byte_bpe_config *config, const char *expected) {
    tl_byte_bpe *bpe = tl_byte_bpe_learn(bytes, strlen(bytes), config);
    assert_no_error(tl_byte_bpe_error(bpe));
    char *m = tl_byte_bpe_merges_text(bpe, NULL);
    ck_assert_str_eq(m, expected);
    free(m);
    is_encoded(bpe, bytes, strlen(bytes), NULL, 0);
    tl_byte_bpe_free(bpe);
}

START_TEST(learning_by_hand) {
    learns("", NULL, "#version: 0.2\n");
    learns("ab", NULL, "#version: 0.2\n"); /* seen only once */
    learns("ab", &(tl_byte_bpe_config){.min_frequency = 1}, "#version: 0.2\na b\n");
    /* a tie: a has the lower id */
    learns("abc abc", &(tl_byte_bpe_config){.merges = 1}, "#version: 0.2\na b\n");
    learns("bca bca", NULL, "#version: 0.2\nb c\nbc a\n");
    /* of "y b", "z b" and "Ġ y", y has the lowest id; then z, of "z b" and "Ġ yb" */
    learns("zb yb zb yb", NULL, "#version: 0.2\ny b\nz b\n\xC4\xA0 yb\n");
    /* a tie of pairs with the same first token: the second token decides */
    learns("xb\nxa\nxb\nxa", NULL, "#version: 0.2\nx a\nx b\n");
    learns("aaa", NULL, "#version: 0.2\na a\n"); /* it occurs twice, overlapping */
    learns("aaaaaaaa", NULL, "#version: 0.2\na a\naa aa\n");
    learns("the the then", &(tl_byte_bpe_config){.merges = 2}, "#version: 0.2\nh e\nt he\n");
    static const char *const specials[] = {"<e>", NULL};
    tl_byte_bpe *bpe = tl_byte_bpe_learn("ab<e>ab<e><e>ab", 15, &(tl_byte_bpe_config){.specials = specials});
    char *m = tl_byte_bpe_merges_text(bpe, NULL);
    ck_assert_str_eq(m, "#version: 0.2\na b\n"); /* not "< e", which occurs three times, in special tokens */
    ck_assert_int_eq(tl_byte_bpe_special(bpe, "<e>"), 257);
    ck_assert_int_eq(tl_byte_bpe_size(bpe), 258);
    int ids[4];
    ck_assert_int_eq(tl_byte_bpe_encode_special(bpe, "ab<e>!", 6, ids, 4), 3);
    ck_assert(ids[0] == 256 && ids[1] == 257 && ids[2] == 0); /* bytes are in the order of their letters */
    free(m);
    tl_byte_bpe_free(bpe);
    bpe = tl_byte_bpe_learn("a", 1, &(tl_byte_bpe_config){.specials = (const char *const[]){"a", NULL}});
    assert_contains(tl_byte_bpe_error(bpe),
                    "found the special token \"a\", which is learnt from the text as well; choose");
    tl_byte_bpe_free(bpe);
    bpe = tl_byte_bpe_learn("a", 1, &(tl_byte_bpe_config){.merges = -1});
    assert_contains(tl_byte_bpe_error(bpe), "found merges -1 and min_frequency 0, expected 0 or more");
    tl_byte_bpe_free(bpe);
}
END_TEST

static void count_progress(void *context, long merge) {
    long *last = context;
    ck_assert_int_eq(merge, ++*last);
}

/* Counting everything again before each merge gives the same merges, for any bytes. */
START_TEST(learning_slowly_gives_the_same) {
    for (int trial = 0; trial < 30; trial++) {
        enum { SIZE = 600, MERGES = 60 };
        static int ids[SIZE];
        static bool starts[SIZE + 1];
        char t[SIZE];
        const uint32_t letters = trial % 3 == 0 ? 2 : trial % 3 == 1 ? 4 : 40;
        for (int i = 0; i < SIZE; i++)
            t[i] = draw(6) == 0 ? ' ' : (char)(letters == 40 ? 200 + draw(40) : 'a' + draw(letters));
        long last = 0;
        tl_byte_bpe *bpe = tl_byte_bpe_learn(
            t, SIZE, &(tl_byte_bpe_config){.merges = MERGES, .progress = count_progress, .context = &last});
        assert_no_error(tl_byte_bpe_error(bpe));
        ck_assert_int_eq(last, tl_byte_bpe_merges(bpe));

        long n = 0;
        tl_span rest = {t, SIZE}, word;
        while (tl_byte_next_word(&rest, &word))
            for (size_t i = 0; i < word.size; i++) {
                starts[n] = i == 0;
                ids[n++] = bpe->alphabet[(unsigned char)word.text[i]];
            }
        starts[n] = true;
        for (long rank = 0;;) {
            long most = 0, best = 0;
            for (long i = 0; i + 1 < n; i++) {
                long count = 0;
                if (starts[i + 1]) continue;
                for (long k = 0; k + 1 < n; k++)
                    count += !starts[k + 1] && ids[k] == ids[i] && ids[k + 1] == ids[i + 1];
                const bool lower = ids[i] != ids[best] ? ids[i] < ids[best] : ids[i + 1] < ids[best + 1];
                if (count > most || (count == most && lower)) most = count, best = i;
            }
            if (most < 2 || rank == MERGES) {
                ck_assert_int_eq(rank, tl_byte_bpe_merges(bpe));
                break;
            }
            const int first = ids[best], second = ids[best + 1];
            const int32_t found = tl_byte_rank(bpe, first, second);
            must_msg(found >= 0 && found <= rank, "trial %d: merge %ld is another", trial, rank);
            rank += found == rank; /* otherwise a pair that was learnt before has appeared again */
            long kept = 0;
            for (long i = 0; i < n; i++) {
                const bool here = i + 1 < n && !starts[i + 1] && ids[i] == first && ids[i + 1] == second;
                starts[kept] = starts[i];
                ids[kept++] = here ? bpe->joined[found] : ids[i];
                i += here;
            }
            n = kept;
            starts[n] = true;
        }
        tl_byte_bpe_free(bpe);
    }
}
END_TEST

/* ---- against Python ---- */

/* Writes texts with frequent words, and words of every kind; in UTF-8, since the reference accepts nothing else. */
static void write_text(const char *path) {
    static const char *const words[] = {"the",
                                        "lower",
                                        "newest",
                                        "wider",
                                        "don't",
                                        "we'll",
                                        "I'm",
                                        "12",
                                        "2048",
                                        "\xC3\xA9t\xC3\xA9",
                                        "na\xC3\xAFve",
                                        "\xE4\xB8\xAD\xE6\x96\x87",
                                        "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
                                        "\xD0\xBC\xD0\xB8\xD1\x80",
                                        "\xF0\x9F\x91\x8D",
                                        "...",
                                        "aaaa",
                                        "banana",
                                        "ananas",
                                        "-",
                                        "!",
                                        "(x)"};
    static const char *const gaps[] = {" ",  " ",    " ",  " ", ", ", ". ",
                                       "\n", "\n\n", "  ", "",  "\t", "\xC2\xA0"};
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 20000; i++) {
        const uint32_t many = sizeof words / sizeof *words, at = draw(many);
        fprintf(f, "%s%s", words[draw(3) ? at : draw(at + 1)], gaps[draw(sizeof gaps / sizeof *gaps)]);
        if (draw(8) == 0) /* rare words, too */
            for (uint32_t k = draw(12); k > 0; k--) fputc((int)('a' + draw(1 + draw(26))), f);
    }
    ck_assert_int_eq(fclose(f), 0);
}

static char *file_of(scratch *s, const char *name, size_t *size) {
    FILE *f = fopen(scratch_path(s, name), "rb");
    ck_assert_msg(f != NULL, "no %s", name);
    ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
    *size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, f), *size);
    bytes[*size] = 0;
    fclose(f);
    return bytes;
}

/* Runs the script. If something that it needs is not installed, prints that and returns false. */
static bool says(const char *arguments) {
    int status;
    char *said = shell(&status, "python3 tests/text/byte_bpe_says.py %s", arguments);
    if (status == 3 || status == 127)
        TL_SKIP("byte pairs beside Python: %.*s", (int)strcspn(said, "\n"), said);
    else
        ck_assert_msg(status == 0, "byte_bpe_says.py: %.2000s", said);
    free(said);
    return status == 0;
}

/* Compares every line of numbers with the ids, or the lengths of words, of one text. Returns how many texts there
 * were. */
static long compare(tl_byte_bpe *bpe, const char *lines, size_t size, char *numbers) {
    static int ids[1 << 16];
    long texts = 0;
    for (size_t at = 0; at < size; texts++) {
        const unsigned char *b = (const unsigned char *)lines + at;
        const size_t length = b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
        const char *t = lines + at + 4;
        long count = 0;
        at += 4 + length;
        ck_assert(at <= size && length < sizeof ids / sizeof *ids);
        for (; *numbers != '\n'; numbers += *numbers == ' ')
            ids[count++] = (int)strtol(numbers, &numbers, 10);
        numbers++;
        if (bpe) {
            is_encoded(bpe, t, length, ids, count);
            continue;
        }
        tl_span rest = {t, length}, word;
        for (long i = 0; tl_byte_next_word(&rest, &word); i++)
            must_msg(i < count && (int)word.size == ids[i],
                     "word %ld of text %ld: \"%.*s\", Python's has %d bytes", i, texts, (int)word.size,
                     word.text, i < count ? ids[i] : -1);
    }
    ck_assert_int_eq(*numbers, 0);
    return texts;
}

START_TEST(all_as_python_has_it) {
    scratch s = scratch_new();
    char command[600];
    const char *path = scratch_path(&s, "text");
    write_text(path);
    snprintf(command, sizeof command, "learn %s 700 %s", path, s.folder);
    bool here = says(command);
    snprintf(command, sizeof command, "encode %s 6000 7", s.folder);
    here = here && says(command);
    if (here) {
        size_t vocab_size, merges_size, text_size, lines_size, ids_size;
        char *vocab = file_of(&s, "vocab.json", &vocab_size), *m = file_of(&s, "merges.txt", &merges_size),
             *t = file_of(&s, "text", &text_size), *lines = file_of(&s, "lines", &lines_size),
             *ids = file_of(&s, "ids", &ids_size);
        tl_byte_bpe *bpe = parse(vocab, vocab_size, m, merges_size, NULL);
        assert_no_error(tl_byte_bpe_error(bpe));
        ck_assert_int_gt(compare(bpe, lines, lines_size, ids), 6000);
        /* the file is written as it was read, byte for byte */
        char *same = tl_byte_bpe_vocab_text(bpe, NULL);
        ck_assert_str_eq(same, vocab);
        free(same);
        same = tl_byte_bpe_merges_text(bpe, NULL);
        ck_assert_str_eq(same, m);
        free(same);
        tl_byte_bpe *learnt = tl_byte_bpe_learn(t, text_size, &(tl_byte_bpe_config){.merges = 700});
        same = tl_byte_bpe_merges_text(learnt, NULL); /* and learning gives the same merges */
        ck_assert_str_eq(same, m);
        free(same);
        same = tl_byte_bpe_vocab_text(learnt, NULL);
        ck_assert_str_eq(same, vocab);
        free(same);
        tl_byte_bpe_free(learnt), tl_byte_bpe_free(bpe);
        snprintf(command, sizeof command, "words %s", s.folder);
        if (says(command)) {
            size_t words_size;
            char *words = file_of(&s, "words", &words_size);
            ck_assert_int_gt(compare(NULL, lines, lines_size, words), 6000);
            free(words);
        }
        free(vocab), free(m), free(t), free(lines), free(ids);
    }
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, every_byte_has_its_letter);
    tcase_add_test(tc, words_by_hand);
    tcase_add_test(tc, ids_by_hand);
    tcase_add_test(tc, a_merge_is_done_everywhere_before_the_next);
    tcase_add_test(tc, special_tokens_only_when_asked);
    tcase_add_test(tc, decoding_into_little_room);
    tcase_add_test(tc, every_short_text_comes_back);
    tcase_add_test(tc, random_texts_are_merged_as_gpt2_merges);
    tcase_add_test(tc, a_word_of_very_many_letters);
    tcase_add_test(tc, more_words_than_are_remembered);
    tcase_add_test(tc, files_come_back);
    tcase_add_test(tc, files_as_others_may_write_them);
    tcase_add_test(tc, vocabularies_that_are_none);
    tcase_add_test(tc, merges_that_are_none);
    tcase_add_test(tc, files_cut_off_anywhere);
    tcase_add_test(tc, files_with_wrong_bytes);
    tcase_add_test(tc, learning_by_hand);
    tcase_add_test(tc, learning_slowly_gives_the_same);
    tcase_add_test(tc, all_as_python_has_it);
}

TL_TEST_MAIN("text: byte-level byte pairs")
