/* Vocabularies: order, limits, round trips of any UTF-8, the text format and everything that can be wrong with it. */
#include "check.h"
#include "tapeloom/text.h"

static tl_vocab *vocab_of(const tl_vocab_config *config, const char *const *lines, int count) {
    tl_vocab_counts *counts = tl_vocab_counts_new();
    for (int i = 0; i < count; i++) ck_assert(tl_vocab_counts_add(counts, lines[i]));
    tl_vocab *vocab = tl_vocab_new(counts, config);
    tl_vocab_counts_free(counts);
    return vocab;
}

static const char *const lines[] = {"der hund sieht den mann", "der mann öffnet die tür",
                                    "den hund sieht der mann"};

START_TEST(order_is_count_then_bytes) {
    tl_vocab *vocab = vocab_of(NULL, lines, 3);
    static const char *const expected[] = {"<pad>", "<bos>", "<eos>", "<unk>", "der", "mann",
                                           "den",   "hund",  "sieht", "die",   "tür", "öffnet"};
    assert_no_error(tl_vocab_error(vocab));
    ck_assert_int_eq(tl_vocab_size(vocab), 12);
    for (int id = 0; id < 12; id++) {
        ck_assert_str_eq(tl_vocab_token(vocab, id), expected[id]);
        if (id >= TL_SPECIALS) ck_assert_int_eq(tl_vocab_id(vocab, expected[id]), id);
    }
    tl_vocab_free(vocab);
}
END_TEST

START_TEST(prefixes_come_first_and_order_of_counting_does_not_matter) {
    static const char *const forth[] = {"ab a abc b", "b"}, *const back[] = {"b b", "abc ab a"};
    tl_vocab *one = vocab_of(NULL, forth, 2), *two = vocab_of(NULL, back, 2);
    char *text = tl_vocab_text(one, NULL), *other = tl_vocab_text(two, NULL);
    ck_assert_str_eq(text, "tapeloom-vocab 1 8\n<pad>\n<bos>\n<eos>\n<unk>\nb\na\nab\nabc\n");
    ck_assert_str_eq(text, other);
    free(text), free(other);
    tl_vocab_free(one), tl_vocab_free(two);
}
END_TEST

START_TEST(cut_offs) {
    tl_vocab *vocab = vocab_of(&(tl_vocab_config){.min_count = 2}, lines, 3);
    ck_assert_int_eq(tl_vocab_size(vocab), 9);
    ck_assert_int_eq(tl_vocab_id(vocab, "die"), TL_UNK);
    ck_assert_int_eq(tl_vocab_id(vocab, "sieht"), 8);
    tl_vocab_free(vocab);
    vocab = vocab_of(&(tl_vocab_config){.max_size = 6}, lines, 3);
    ck_assert_int_eq(tl_vocab_size(vocab), 6);
    ck_assert_str_eq(tl_vocab_token(vocab, 5), "mann");
    tl_vocab_free(vocab);

    vocab = vocab_of(&(tl_vocab_config){.max_size = 4}, lines, 3);
    ck_assert_str_eq(tl_vocab_error(vocab),
                     "vocabulary: found max_size 4, expected more than the 4 specials: "
                     "say 0 for no limit");
    ck_assert(!tl_vocab_text(vocab, NULL));
    tl_vocab_free(vocab);
    vocab = vocab_of(&(tl_vocab_config){.min_count = -1}, lines, 3);
    ck_assert_str_eq(tl_vocab_error(vocab),
                     "vocabulary: found min_count -1, expected 0 or more: say 1 for every "
                     "word");
    tl_vocab_free(vocab);
}
END_TEST

START_TEST(encode_and_decode) {
    tl_vocab *vocab = vocab_of(NULL, lines, 3);
    int ids[8] = {99, 99, 99, 99, 99, 99, 99, 99};
    char text[64];
    ck_assert_int_eq(tl_vocab_encode(vocab, "  der\thund <pad> \xC2\xA0 katze <eos>", ids, 8), 5);
    const int expected[] = {4, 7, TL_UNK, TL_UNK, TL_UNK, 99};
    for (int i = 0; i < 6; i++) ck_assert_int_eq(ids[i], expected[i]);
    /* counts also those without room */
    ck_assert_int_eq(tl_vocab_encode(vocab, "mann mann mann", ids, 2), 3);
    ck_assert(ids[0] == 5 && ids[1] == 5 && ids[2] == TL_UNK);
    ck_assert_int_eq(tl_vocab_encode(vocab, "", NULL, 0), 0);

    const int said[] = {TL_BOS, 4, TL_PAD, 5, 12345, -1, TL_UNK, TL_EOS, 6, 6};
    ck_assert_uint_eq(tl_vocab_decode(vocab, said, 10, text, sizeof text), 26);
    ck_assert_str_eq(text, "der mann <unk> <unk> <unk>");
    ck_assert_uint_eq(tl_vocab_decode(vocab, said, 10, NULL, 0), 26);
    ck_assert_uint_eq(tl_vocab_decode(vocab, said, 10, text, 27), 26);
    ck_assert_str_eq(text, "der mann <unk> <unk> <unk>");
    /* one byte too few: only whole tokens */
    ck_assert_uint_eq(tl_vocab_decode(vocab, said, 10, text, 26), 26);
    ck_assert_str_eq(text, "der mann <unk> <unk>");
    ck_assert_uint_eq(tl_vocab_decode(vocab, said, 10, text, 1), 26);
    ck_assert_str_eq(text, "");
    const int gap[] = {4, 5, 9}; /* "mann" does not fit, so "die" must not be written after "der" */
    ck_assert_uint_eq(tl_vocab_decode(vocab, gap, 3, text, 8), 12);
    ck_assert_str_eq(text, "der");
    tl_vocab_free(vocab);
}
END_TEST

START_TEST(specials_in_the_text_stay_words) {
    static const char *const odd[] = {"<eos> <eos> <pad> <unk> word"};
    tl_vocab *vocab = vocab_of(NULL, odd, 1);
    ck_assert_int_eq(tl_vocab_size(vocab), 5);
    ck_assert_int_eq(tl_vocab_id(vocab, "<eos>"), TL_UNK);
    ck_assert_int_eq(tl_vocab_id(vocab, "word"), 4);
    tl_vocab_free(vocab);
}
END_TEST

/* A random token of any characters except white space. */
static size_t random_token(tl_rng_key key, char *out) {
    size_t used = 0;
    long length = 1 + tl_rng_below(key, 0, 6);
    for (long i = 0; i < length; i++) {
        long kind = tl_rng_below(key, 2 * (uint64_t)i + 1, 4);
        uint32_t code = (uint32_t)tl_rng_below(key, 2 * (uint64_t)i + 2, 0x110000 - 0x3001) + 0x3001;
        if (kind == 0) code = 0x21 + code % 0x5E;
        if (kind == 1) code = 0xA1 + code % 0x1000;
        if (code >= 0xD800 && code <= 0xDFFF) code = 0x4E2D;
        size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        static const unsigned lead[4] = {0, 0xC0, 0xE0, 0xF0};
        for (size_t k = more; k > 0; k--, code >>= 6) out[used + k] = (char)(0x80 | (code & 0x3F));
        out[used] = (char)(lead[more] | code);
        used += more + 1;
    }
    out[used] = '\0';
    return used;
}

START_TEST(round_trip_over_arbitrary_utf8) {
    static const char *const white[] = {" ", "\t", "  ", "\xC2\xA0", "\xE3\x80\x80", "\x0B", "\xE2\x80\xA8"};
    static char line[200][512], clean[200][512];
    tl_vocab_counts *counts = tl_vocab_counts_new();
    for (int i = 0; i < 200; i++) {
        tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(7, "round trip"), (uint64_t)i);
        long words = tl_rng_below(key, 1000000, 10);
        for (long w = 0; w < words; w++) {
            char token[64];
            random_token(tl_rng_key_mix(key, (uint64_t)w), token);
            strcat(line[i], white[tl_rng_below(key, (uint64_t)w, 7)]);
            strcat(line[i], token);
            if (w > 0) strcat(clean[i], " ");
            strcat(clean[i], token);
        }
        ck_assert(tl_vocab_counts_add(counts, line[i]));
    }
    tl_vocab *made = tl_vocab_new(counts, NULL);
    size_t size;
    char *text = tl_vocab_text(made, &size);
    ck_assert_uint_eq(size, strlen(text));
    tl_vocab *vocab = tl_vocab_parse("v", text, size);
    assert_no_error(tl_vocab_error(vocab));
    ck_assert_int_eq(tl_vocab_size(vocab), tl_vocab_size(made));
    char *again = tl_vocab_text(vocab, NULL);
    ck_assert_str_eq(text, again);
    for (int i = 0; i < 200; i++) {
        int ids[16];
        char back[512];
        long count = tl_vocab_encode(vocab, line[i], ids, 16);
        for (long k = 0; k < count; k++) ck_assert_int_ge(ids[k], TL_SPECIALS);
        ck_assert_uint_eq(tl_vocab_decode(vocab, ids, count, back, sizeof back), strlen(clean[i]));
        ck_assert_str_eq(back, clean[i]);
    }
    free(text), free(again);
    tl_vocab_free(made), tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
}
END_TEST

START_TEST(words_that_are_no_utf8_are_unknown) {
    static const char *const odd[] = {"good \xFF\xFE bad\xC3 \xC3\xA4"};
    tl_vocab *vocab = vocab_of(NULL, odd, 1);
    ck_assert_int_eq(tl_vocab_size(vocab), TL_SPECIALS + 2);
    ck_assert_int_eq(tl_vocab_id(vocab, "\xFF\xFE"), TL_UNK);
    tl_vocab_free(vocab);
}
END_TEST

#define HEAD "tapeloom-vocab 1 6\n<pad>\n<bos>\n<eos>\n<unk>\n"
#define ANEW ": the file was changed or cut off; write it anew"

START_TEST(malformed_texts) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "v.txt:1: found \"\", expected \"tapeloom-vocab 1 <entries>\": this is no vocabulary; give the "
             "file that "
             "training wrote"},
        {"a man\tein mann\n",
         "v.txt:1: found \"a man\\x09ein mann\", expected \"tapeloom-vocab 1 <entries>\": this is "
         "no vocabulary; give the file that training wrote"},
        {"tapeloom-vocab 1 6 \n",
         "v.txt:1: found \"tapeloom-vocab 1 6 \", expected \"tapeloom-vocab 1 <entries>\": "
         "this is no vocabulary; give the file that training wrote"},
        {"tapeloom-vocab 1 99999999999999999999\n",
         "v.txt:1: found \"tapeloom-vocab 1 99999999999999999999\", expected \"tapeloom-vocab 1 <entries>\": "
         "this is "
         "no vocabulary; give the file that training wrote"},
        {"tapeloom-vocab 2 6\n",
         "v.txt:1: found version 2, expected 1: read it with the version of the program that wrote it"},
        {"tapeloom-vocab 1 3\n<pad>\n<bos>\n<eos>\n",
         "v.txt:1: found 3 entries, expected at least the 4 specials" ANEW},
        {"tapeloom-vocab 1 6\n<pad>\n<s>\n",
         "v.txt:3: found \"<s>\", expected \"<bos>\", one of the 4 fixed entries" ANEW},
        {HEAD "a\n", "v.txt:7: found the end after 5 entries, expected 6" ANEW},
        {HEAD "a\nb", "v.txt:7: found the end, expected an LF after the last entry" ANEW},
        {HEAD "a\nb\nc\n", "v.txt:8: found \"c\", expected the end after 6 entries" ANEW},
        {HEAD "a\na\n", "v.txt:7: found \"a\" again, expected it once (it is in line 6)" ANEW},
        {HEAD "a\n<eos>\n", "v.txt:7: found \"<eos>\" again, expected it once (it is in line 4)" ANEW},
        {HEAD "\nb\n",
         "v.txt:6: found \"\", expected one token without white space and LF alone after it" ANEW},
        {HEAD "a\r\nb\r\n",
         "v.txt:6: found \"a\\x0d\", expected one token without white space and LF alone after it" ANEW},
        {HEAD "a\nb c\n",
         "v.txt:7: found \"b c\", expected one token without white space and LF alone after it" ANEW},
        {HEAD "a\n\xC3\n", "v.txt:7: found \"\\xc3\", expected UTF-8" ANEW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_vocab *vocab = tl_vocab_parse("v.txt", cases[i].text, strlen(cases[i].text));
        ck_assert_str_eq(tl_vocab_error(vocab), cases[i].message);
        ck_assert_int_eq(tl_vocab_size(vocab), TL_SPECIALS);
        tl_vocab_free(vocab);
    }
    tl_vocab *vocab = tl_vocab_parse("v.txt", HEAD "a\nb\n", strlen(HEAD "a\nb\n"));
    assert_no_error(tl_vocab_error(vocab));
    tl_vocab_free(vocab);
}
END_TEST

/* One byte changed, or the end cut off: the text is refused, or read as it stands. The copy has exactly the text's
 * size, for the sanitizer. */
START_TEST(damaged_texts_are_refused_or_taken_at_their_word) {
    static const char good[] = HEAD "h\xC3\xBCt\n\xF0\x9F\x98\x80\n";
    tl_rng_key key = tl_rng_key_of(3, "damage");
    int taken = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        size_t size = sizeof good - 1;
        char *bytes = malloc(size);
        memcpy(bytes, good, size);
        bytes[tl_rng_below(key, 3 * i, (long)size)] = (char)tl_rng_below(key, 3 * i + 1, 256);
        if (i % 4 == 0) size = (size_t)tl_rng_below(key, 3 * i + 2, (long)size);
        char *exact = malloc(size + (size == 0));
        memcpy(exact, bytes, size);
        tl_vocab *vocab = tl_vocab_parse("damaged", exact, size);
        if (!tl_vocab_error(vocab)) {
            size_t again;
            char *text = tl_vocab_text(vocab, &again);
            ck_assert(again == size && memcmp(text, exact, size) == 0);
            free(text);
            taken++;
        } else {
            assert_contains(tl_vocab_error(vocab), "damaged:");
            ck_assert(!strchr(tl_vocab_error(vocab), '\n'));
        }
        tl_vocab_free(vocab);
        free(bytes), free(exact);
    }
    ck_assert_int_gt(taken, 0);
}
END_TEST

START_TEST(null_is_accepted) {
    int id = 0;
    char text[8];
    ck_assert(!tl_vocab_counts_add(NULL, "x"));
    tl_vocab_counts_free(NULL);
    ck_assert_int_eq(tl_vocab_size(NULL), 0);
    ck_assert_str_eq(tl_vocab_token(NULL, 0), "<unk>");
    ck_assert_int_eq(tl_vocab_id(NULL, "x"), TL_UNK);
    ck_assert_int_eq(tl_vocab_encode(NULL, "x", &id, 1), 1);
    ck_assert_int_eq(id, TL_UNK);
    ck_assert_uint_eq(tl_vocab_decode(NULL, &id, 1, text, 8), 5);
    ck_assert(!tl_vocab_text(NULL, NULL));
    ck_assert_str_eq(tl_vocab_error(NULL), "vocabulary: out of memory");
    tl_vocab_free(NULL);
    tl_vocab *vocab = tl_vocab_new(NULL, NULL);
    assert_contains(tl_vocab_error(vocab), "out of memory while counting");
    tl_vocab_free(vocab);
    vocab = tl_vocab_parse(NULL, NULL, 0);
    assert_contains(tl_vocab_error(vocab), "(vocabulary):1:");
    ck_assert_int_eq(tl_vocab_id(vocab, NULL), TL_UNK);
    tl_vocab_free(vocab);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, order_is_count_then_bytes);
    tcase_add_test(tc, prefixes_come_first_and_order_of_counting_does_not_matter);
    tcase_add_test(tc, cut_offs);
    tcase_add_test(tc, encode_and_decode);
    tcase_add_test(tc, specials_in_the_text_stay_words);
    tcase_add_test(tc, round_trip_over_arbitrary_utf8);
    tcase_add_test(tc, words_that_are_no_utf8_are_unknown);
    tcase_add_test(tc, malformed_texts);
    tcase_add_test(tc, damaged_texts_are_refused_or_taken_at_their_word);
    tcase_add_test(tc, null_is_accepted);
}

TL_TEST_MAIN("text: vocab")
