/* attend logits as a user runs it: every option, the sum that equals the model's logit, the lens, and what it
 * refuses. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "attend/small_runs.h"

#define LOGITS                                                                                   \
 "$T logits --model $D/one --source 'the cat does not sleep .' --target 'le chat ne dort pas .'" \
 " --threads 1 --quiet"

START_TEST(options) {
    static const trial trials[] = {SUBJECT_TRIALS,
                                   {"target", "'la fille dort .'", CHANGES, NULL},
                                   {"word", "2", CHANGES, NULL},
                                   {"word", "1", SAME, NULL},
                                   {"token", "chien", CHANGES, NULL},
                                   {"token", "le", SAME, NULL},
                                   {"other", "chien", CHANGES, NULL},
                                   {"lens", NULL, CHANGES, NULL},
                                   {"side", "decoder", SAME, "--lens"},
                                   {"top", "3", CHANGES, "--lens"},
                                   {"top", "1", SAME, "--lens"},
                                   {"csv", "$D/x.csv", SAME, NULL},
                                   {"svg", "$D/x.svg", SAME, NULL}};
    TRY_OPTIONS("logits", LOGITS, trials);
}
END_TEST

/* The rows of the CSV sum to the logit, for a post-norm and a pre-norm model. */
START_TEST(sums) {
    for (int two = 0; two < 2; two++) {
        sh(two ? LOGITS " --word 2 --csv $D/x.csv --svg $D/x.svg --model $D/two"
               : LOGITS " --word 2 --csv $D/x.csv --svg $D/x.svg");
        char *csv = get_file(in_folder("x.csv"), NULL);
        const int rows = count_lines(csv) - 1;
        free(csv);
        /* two of the embedding, in each layer two attentions of two heads and a bias, two of the feed-forward; norms */
        ck_assert_int_eq(rows, 2 + 2 * (2 * 3 + 2) + 1 + (two ? 0 : 2 * 3));
        double sum = 0;
        for (int row = 1; row <= rows; row++) sum += value_of("x.csv", row, 3);
        const double logit = number_behind("logit of \"chat\" (word 2) is ");
        ck_assert_double_eq_tol(logit, sum, 1e-4);
        ck_assert_double_eq_tol(number_behind("the model's own is "), sum, 1e-5);
        ck_assert_double_eq_tol(number_behind("All together "), sum, 1e-6);
        ck_assert_str_eq(cell_of("x.csv", 1, 0), "decoder.embedding token");
        assert_contains(out, "\n  decoder.layers.1.cross ");
        assert_contains(out, " head 0  head 1  itself    bias     sum\n");
        assert_contains(out, "\nMost for it: ");
        assert_contains(out, "\nMost against it: ");
        ck_assert((strstr(out, "decoder.layers.0.norm1 ") != NULL) == !two);
        char *svg = get_file(in_folder("x.svg"), NULL);
        assert_contains(svg, ">decoder.layers.1.feed_forward</text>");
        free(svg);
    }
    sh(LOGITS " --word 2 --token chat --other chien");
    const double difference = number_behind("logit of \"chat\" minus logit of \"chien\" (word 2) is ");
    sh(LOGITS " --word 2 --token chien");
    const double chien = number_behind("logit of \"chien\" (word 2) is ");
    sh(LOGITS " --word 2 --token chat");
    ck_assert_double_eq_tol(number_behind("logit of \"chat\" (word 2) is ") - chien, difference, 3e-4);
}
END_TEST

/* The last depth's log p is the one that score prints for the same words. */
START_TEST(lens) {
    sh(LOGITS " --lens --csv $D/x.csv --svg $D/x.svg --top 2");
    assert_contains(out, "post-norm: each layer has normalised its stream already; then the model's final "
                         "norm, as behind its last "
                         "layer, and the projection to words.\n");
    assert_contains(out, "  embedding     p rank  layer 0       p rank  layer 1       p rank\n");
    assert_contains(out, "\n   1 <bos>       le ");
    assert_contains(out, "\n   2 le          chat ");
    double sum = 0;
    for (int t = 0; t < 7; t++) {
        const int last = 1 + t * 6 + 4;
        ck_assert(value_of("x.csv", last, 3) == 2 && value_of("x.csv", last, 6) == 1);
        ck_assert(value_of("x.csv", last, 8) > value_of("x.csv", last + 1, 8));
        ck_assert((value_of("x.csv", last, 4) == 1) ==
                  !strcmp(cell_of("x.csv", last, 2), cell_of("x.csv", last, 7)));
        sum += value_of("x.csv", last, 5);
    }
    char *svg = get_file(in_folder("x.svg"), NULL);
    assert_contains(svg, ">chat: ne</text>");
    assert_contains(svg, "as dark as it is likely");
    free(svg);
    sh("printf 'the cat does not sleep .\\tle chat ne dort pas .\\n' | $B/translate score --model $R/one "
       "--threads 1 --quiet");
    ck_assert_double_eq_tol(strtod(out, NULL), sum, 1e-3);
    sh(LOGITS " --lens --model $D/two");
    assert_contains(
        out,
        "pre-norm: the stream is a plain sum; then the model's final norm and the projection to words.\n");
}
END_TEST

START_TEST(other_runs) {
    make_other_runs();
    sh("$T logits --model $D/lm --target 'the cat sleeps .' --word 2");
    assert_contains(out, "logit of \"cat\" (word 2) is ");
    assert_contains(out, "\n  decoder.ln_f ");
    sh("$T logits --model $D/lm --target 'the cat sleeps .' --lens");
    assert_contains(out, "\n   2 the         cat ");
    sh("$T logits --model $D/classify --source 'the cats sleep .' --token right --other wrong");
    assert_contains(out, "logit of \"right\" minus logit of \"wrong\" (word 1) is ");
    assert_contains(out, "\n  encoder.embedding token ");
    sh("$T logits --model $D/classify --source 'the cats sleep .' --lens");
    assert_contains(out, "the projection to classes of the stream at [CLS].\n");
    assert_contains(out, "\n   1 [CLS] ");
    ck_assert_int_eq(try("$T logits --model $D/classify --source 'the cats sleep .' --lens --side decoder"),
                     1);
    assert_contains(err, "a classifier has no decoder");
    sh("$T logits --model $D/caption --source '#1' --target 'a red ring' --word 2");
    assert_contains(out, "logit of \"red\" (word 2) is ");
    sh("$T logits --model $D/caption --source '#1'"); /* its own caption */
}
END_TEST

START_TEST(refuses) {
    static const struct {
        const char *options, *why;
    } wrong[] = {
        {"--word 8", "--word 8: the target has 7: give 1 … 7"},
        {"--token zebra", "--token zebra: the model writes no such token"},
        {"--other zebra", "--other zebra: the model writes no such token"},
        {"--top 3", "--side and --top are the lens's: say --lens, too"},
        {"--side encoder", "--side and --top are the lens's: say --lens, too"},
        {"--lens --word 2", "--word, --token and --other are of one logit: the lens shows every word"},
        {"--lens --top 100000", "--top 100000: the model writes "},
        {"--lens --side encoder", "no projection to words was trained on it: look at the decoder's"},
        {"--csv $D", "is a folder"},
        {"--svg $D", "is a folder"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char command[512];
        snprintf(command, sizeof command, LOGITS " %s", wrong[i].options);
        ck_assert_msg(try(command) == 1, "%s should fail", wrong[i].options);
        assert_contains(err, wrong[i].why);
    }
    sh("$B/translate train --pair en-fr --sentences 200 --model gru --preset rnn --d-model 16 --steps 2 "
       "--validate-every 0 --out "
       "$D/gru --quiet --threads 1");
    ck_assert_int_eq(try("$T logits --model $D/gru --source 'the cat sleeps .' --target 'le chat dort .'"),
                     1);
    assert_contains(err,
                    "a model of the kind gru has no stream that its layers add to and its projection reads");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, make_runs, NULL);
    tcase_add_test(tc, options);
    tcase_add_test(tc, sums);
    tcase_add_test(tc, lens);
    tcase_add_test(tc, other_runs);
    tcase_add_test(tc, refuses);
}

TL_TEST_MAIN("attend: logits")
