/* Lines that are hard to cut, against sacreBLEU's results (bleu_cases.h): tokens, sums, scores, lines. */
#include "bleu_lines.h"
#include "tapeloom/text.h"
#include "bleu_cases.h"

static const tl_bleu_tokens kinds[TOKENIZERS] = {TL_BLEU_NONE, TL_BLEU_13A, TL_BLEU_ZH, TL_BLEU_CHAR};

#define must_near(a, b) must_msg(fabs((a) - (b)) <= 1e-9, #a " is %.17g, not %.17g", (double)(a), (double)(b))
#define must_be(a, b) must_msg((a) == (b), #a " is %ld, not %ld", (long)(a), (long)(b))

START_TEST(tokens) {
    for (int i = 0; i < PAIRS; i++)
        for (int side = 0; side < 2; side++)
            for (int t = 0; t < TOKENIZERS; t++)
                for (int lc = 0; lc < 2; lc++) {
                    char *found = cut_line(tl_span_of(pairs[i][side]), kinds[t], lc);
                    must_msg(!strcmp(found, cut[i][side][t][lc]),
                             "pair %d, tok:%s%s: \"%s\"\ncut: %s\nnot: %s", i, tl_bleu_tokens_name(kinds[t]),
                             lc ? ", lc" : "", pairs[i][side], found, cut[i][side][t][lc]);
                    free(found);
                }
}
END_TEST

START_TEST(scores_of_pairs) {
    for (int i = 0; i < PAIRS; i++)
        for (int t = 0; t < TOKENIZERS; t++)
            for (int lc = 0; lc < 2; lc++) {
                const struct pair_score *e = &pair_score[i][t][lc];
                tl_bleu *bleu = tl_bleu_new(&(tl_bleu_config){kinds[t], lc});
                ck_assert(tl_bleu_add(bleu, pairs[i][0], pairs[i][1]));
                tl_bleu_score s = tl_bleu_result(bleu);
                tl_bleu_free(bleu);
                must_near(s.score, e->score);
                must_near(s.brevity, e->brevity);
                must_be(s.hyp_length, e->hyp_length);
                must_be(s.ref_length, e->ref_length);
                for (int n = 0; n < TL_BLEU_ORDER; n++) {
                    must_near(s.precision[n], e->precision[n]);
                    must_be(s.matched[n], e->matched[n]);
                    must_be(s.total[n], e->total[n]);
                }
                must(s.config.tokens == kinds[t] && s.config.lowercase == lc);
            }
}
END_TEST

START_TEST(the_corpus_and_its_line) {
    for (int t = 0; t < TOKENIZERS; t++)
        for (int lc = 0; lc < 2; lc++) {
            char text[TL_BLEU_TEXT];
            tl_bleu *bleu = tl_bleu_new(&(tl_bleu_config){kinds[t], lc});
            for (int i = 0; i < PAIRS; i++) ck_assert(tl_bleu_add(bleu, pairs[i][0], pairs[i][1]));
            assert_no_error(tl_bleu_error(bleu));
            tl_bleu_score s = tl_bleu_result(bleu);
            must_near(s.score, corpus_score[t][lc]);
            ck_assert_str_eq(tl_bleu_text(&s, text), corpus_text[t][lc]);
            tl_bleu_free(bleu);
        }
}
END_TEST

START_TEST(chrf_of_pairs) {
    for (int lc = 0; lc < 2; lc++) {
        tl_chrf *all = tl_chrf_new(lc);
        for (int i = 0; i < PAIRS; i++) {
            tl_chrf *one = tl_chrf_new(lc);
            ck_assert(tl_chrf_add(one, pairs[i][0], pairs[i][1]) &&
                      tl_chrf_add(all, pairs[i][0], pairs[i][1]));
            must_near(tl_chrf_result(one), pair_chrf[i][lc]);
            tl_chrf_free(one);
        }
        char text[TL_CHRF_TEXT];
        must_near(tl_chrf_result(all), corpus_chrf[lc]);
        ck_assert_str_eq(tl_chrf_text(all, text), corpus_chrf_text[lc]);
        tl_chrf_free(all);
    }
}
END_TEST

/* ---- inputs that sacreBLEU does not accept ---- */

/* Each byte that is not UTF-8 is a character: a single lead or tail byte, a byte of an incomplete or overlong form or
 * of a surrogate. */
START_TEST(bad_bytes) {
    static const char *const cases[][3] = {
        /* line, char, 13a */
        {"a\377b", "a \377 b", "a\377b"},
        {"\344\270", "\344 \270", "\344\270"},
        {"\344\270.\200,9", "\344 \270 . \200 , 9", "\344\270 . \200 , 9"},
        {"\355\240\200 \300\200", "\355 \240 \200 \300 \200", "\355\240\200 \300\200"},
        {"\302\240\302", "\302", "\302"}, /* a no-break space and half of one */
        {"\364\220\200\200!", "\364 \220 \200 \200 !", "\364\220\200\200 !"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int lc = 0; lc < 2; lc++) {
            char *apart = cut_line(tl_span_of(cases[i][0]), TL_BLEU_CHAR, lc);
            char *like_13a = cut_line(tl_span_of(cases[i][0]), TL_BLEU_13A, lc);
            char *zh = cut_line(tl_span_of(cases[i][0]), TL_BLEU_ZH, lc);
            ck_assert_str_eq(apart, cases[i][1]);
            ck_assert_str_eq(like_13a, cases[i][2]);
            ck_assert_str_eq(zh, cases[i][2]);
            free(apart), free(like_13a), free(zh);
        }
}
END_TEST

/* The lines that grow most when they are cut, and all others: nothing is written beyond the reserved room. All tokens
 * together are the line without its white space, for any bytes (except for 13a, which replaces entities). */
START_TEST(room_for_any_line) {
    static const char *const pieces[] = {
        ".",    ",", "-", "5", "/", "a", " ", "\n", "\t", "\303\251", "\344\270\255", "\342\200\224",
        "\377", "'"};
    enum { N = sizeof pieces / sizeof *pieces };
    tl_rng_key key = tl_rng_key_of(5, "lines");
    uint64_t draw = 0;
    for (int round = 0; round < 3000; round++) {
        char line[256] = "", tight[256] = "";
        long kinds_here = 1 + tl_rng_below(key, draw++, N), length = tl_rng_below(key, draw++, 60);
        for (long k = 0; k < length; k++) {
            const char *piece = pieces[(tl_rng_below(key, draw++, kinds_here) + round) % N];
            strcat(line, piece);
            if (!strchr(" \n\t", *piece)) strcat(tight, piece);
        }
        for (int t = 0; t < TOKENIZERS; t++) {
            char *text = cut_line(tl_span_of(line), kinds[t], round % 2), *to = text;
            for (const char *from = text; *from; from++)
                if (!strchr(" \n\t", *from)) *to++ = *from;
            *to = 0;
            bool joined = kinds[t] == TL_BLEU_13A && strstr(line, "-\n"); /* 13a removes it */
            must_msg(joined || !strcmp(text, tight), "\"%s\" became \"%s\"", line, text);
            free(text);
        }
    }
}
END_TEST

/* Which of all characters zh separates; the number and the checksum are from sacreBLEU's TokenizerZh. */
START_TEST(chinese_characters) {
    long count = 0;
    uint64_t hash = FNV_START;
    tl_bleu_cutter cutter = {{NULL}, {0}};
    for (uint32_t code = 0x80; code < AFTER_UNICODE; code++) {
        if (code == SURROGATES) code = AFTER_SURROGATES;
        char line[8] = "a";
        size_t size = 1 + utf8(code, line + 1);
        tl_span rest;
        line[size++] = 'b';
        must(tl_bleu_cut(&cutter, &(tl_bleu_config){TL_BLEU_ZH, false}, (tl_span){line, size}, &rest));
        if (tl_count_tokens(rest) != 3) continue;
        count++;
        hash = fnv(hash, line, size);
    }
    ck_assert_int_eq(count, CHINESE_COUNT);
    ck_assert_uint_eq(hash, CHINESE_FNV);
    tl_bleu_cutter_free(&cutter);
}
END_TEST

START_TEST(names_and_configurations) {
    static const char *const names[TOKENIZERS] = {"none", "13a", "zh", "char"};
    static const char *const others[] = {"", "13", "13A", "13a ", "None", "intl", NULL};
    for (int t = 0; t < TOKENIZERS; t++) {
        tl_bleu_tokens tokens = TL_BLEU_CHAR - kinds[t] / 3;
        ck_assert(tl_bleu_tokens_parse(names[t], &tokens));
        ck_assert_int_eq(tokens, kinds[t]);
        ck_assert_str_eq(tl_bleu_tokens_name(kinds[t]), names[t]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        tl_bleu_tokens tokens = TL_BLEU_ZH;
        ck_assert(!tl_bleu_tokens_parse(others[i], &tokens));
        ck_assert_int_eq(tokens, TL_BLEU_ZH);
    }
    tl_bleu *wrong = tl_bleu_new(&(tl_bleu_config){(tl_bleu_tokens)9, false});
    ck_assert_str_eq(tl_bleu_error(wrong), "bleu: config.tokens is 9: say TL_BLEU_NONE, _13A, _ZH or _CHAR");
    ck_assert(!tl_bleu_add(wrong, "a", "a"));
    tl_bleu_score s = tl_bleu_result(wrong);
    char text[TL_BLEU_TEXT];
    ck_assert(s.score == 0 && s.hyp_length == 0);
    assert_contains(tl_bleu_text(&s, text), "|tok:(none of sacreBLEU's)|");
    tl_bleu_free(wrong);
}
END_TEST

/* The longest possible score fits into TL_BLEU_TEXT. */
START_TEST(the_longest_line) {
    const long most = 9223372036854775807L;
    tl_bleu_score s = {100, {100, 100, 100, 100}, 1, {0}, {0}, most, 1, {TL_BLEU_CHAR, false}};
    char text[TL_BLEU_TEXT];
    assert_contains(tl_bleu_text(&s, text),
                    "(BP = 1.000 ratio = 9223372036854775808.000 hyp_len = 9223372036854775807 ref_len = 1)");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, tokens);
    tcase_add_test(tc, scores_of_pairs);
    tcase_add_test(tc, the_corpus_and_its_line);
    tcase_add_test(tc, chrf_of_pairs);
    tcase_add_test(tc, bad_bytes);
    tcase_add_test(tc, room_for_any_line);
    tcase_add_test(tc, chinese_characters);
    tcase_add_test(tc, names_and_configurations);
    tcase_add_test(tc, the_longest_line);
}

TL_TEST_MAIN("text: bleu's cases")
