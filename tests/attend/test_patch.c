/* attend patch as a user runs it: every option, the tables as text, CSV and picture, and what it refuses. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "attend/small_runs.h"

#define SENTENCE " --model $D/one --source 'the cat does not sleep .' --threads 1 --quiet"
#define PATCH "$T patch" SENTENCE " --target 'le chat ne dort pas .'"

START_TEST(options) {
    static const trial trials[] = {SUBJECT_TRIALS,
                                   {"target", "'le chien dort .'", CHANGES, NULL},
                                   {"to", "'the girl does not eat .'", CHANGES, NULL},
                                   {"to-target", "'la fille ne dort pas .'", CHANGES, NULL},
                                   {"swap", "2=dog", ELSEWHERE, NULL},
                                   {"of", "loss", CHANGES, NULL},
                                   {"of", "log-p", CHANGES, "--of logit"},
                                   {"of", "nll", SAME, NULL},
                                   {"word", "2", CHANGES, "--of logit"},
                                   {"word", "1", SAME, "--of logit"},
                                   {"token", "chien", CHANGES, "--of logit"},
                                   {"other", "chien", CHANGES, "--of logit"},
                                   {"by", "positions", CHANGES, NULL},
                                   {"by", "places", CHANGES, NULL},
                                   {"by", "heads", SAME, NULL},
                                   {"by", "together", CHANGES, "--at decoder.layers.0.cross.context"},
                                   {"at", "'*.cross.context'", CHANGES, NULL},
                                   {"at", "'*.context'", SAME, NULL},
                                   {"heads", "1", CHANGES, NULL},
                                   {"heads", "0-1", SAME, NULL},
                                   {"positions", "2-3", CHANGES, NULL},
                                   {"keys", "2", CHANGES, "--at '*.cross.pattern'"},
                                   {"csv", "$D/x.csv", SAME, NULL},
                                   {"svg", "$D/x.svg", SAME, NULL}};
    TRY_OPTIONS("patch", PATCH " --to 'the dog does not sleep .'", trials);
}
END_TEST

/* Patching the only token that differs gives B; patching other tokens of the embedding gives A. */
START_TEST(by_positions) {
    sh(PATCH " --swap 2=dog --by positions --csv $D/x.csv --svg $D/x.svg");
    assert_contains(out, "A: the cat does not sleep . <eos>  | <bos> ");
    assert_contains(out, "\nB: the dog does not sleep . <eos>  | <bos> ");
    assert_contains(out, "m = -log p of the targets, summed: A ");
    assert_contains(out, " 2 cat>dog ");
    assert_contains(out, "\n  encoder.embedding ");
    assert_contains(out, "\n  decoder.layers.1.residual ");
    assert_contains(out, "Effect and estimate correlate by ");
    ck_assert_str_eq(cell_of("x.csv", 0, 6), "score");
    const char *row[] = {"encoder.embedding", "", "2", "dog"};
    for (int c = 0; c < 4; c++) ck_assert_str_eq(cell_of("x.csv", 2, c), row[c]);
    ck_assert(value_of("x.csv", 2, 6) == 1);
    ck_assert_double_eq_tol(value_of("x.csv", 2, 4), number_behind(", B "), 1e-4);
    ck_assert(value_of("x.csv", 1, 5) == 0 && value_of("x.csv", 3, 5) == 0 && value_of("x.csv", 1, 7) == 0);
    ck_assert(value_of("x.csv", 9, 6) != 1); /* in higher layers the difference has spread */
    char *svg = get_file(in_folder("x.svg"), NULL);
    assert_contains(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    assert_contains(svg, ">2 cat&#62;dog</text>");
    assert_contains(svg, ">7 &#60;eos&#62;</text>");
    ck_assert_ptr_null(strstr(svg, "<eos>"));
    assert_contains(svg + strlen(svg) - 7, "</svg>");
    free(svg);
}
END_TEST

/* The encoder's last stream is all that a translator knows of its source. With B's target the decoder's stream must
 * be patched too. */
START_TEST(together) {
    sh(PATCH " --to 'the dog does not sleep .' --by together --at encoder.layers.1.residual");
    assert_contains(out, "A with B's values in encoder.layers.1.residual: m ");
    assert_contains(out, ", score 1.0000, estimated ");
    sh("$T patch" SENTENCE " --target 'le chat dort .' --to 'the dog does not sleep .' --to-target 'la fille "
       "dort .' --by together "
       "--at encoder.layers.1.residual,decoder.embedding");
    assert_contains(out, ", score 1.0000, estimated ");
    sh("$T patch" SENTENCE " --target 'le chat dort .' --to 'the dog does not sleep .' --to-target 'la fille "
       "dort .' --by together "
       "--at encoder.layers.1.residual");
    ck_assert_ptr_null(strstr(out, "score 1.0000"));
}
END_TEST

START_TEST(the_same_sentence) {
    sh(PATCH " --to 'the cat does not sleep .' --csv $D/x.csv");
    assert_contains(
        out,
        "A and B differ in m by 0, which is too little to divide by: effects m - m_A are given, not shares.");
    assert_contains(out, "Over 12 cells there is no correlation to speak of.");
    for (int row = 1; row <= 12; row++) {
        ck_assert(value_of("x.csv", row, 5) == 0 && value_of("x.csv", row, 7) == 0);
        ck_assert_str_eq(cell_of("x.csv", row, 6), "nan");
    }
}
END_TEST

START_TEST(by_heads_and_places) {
    sh(PATCH
       " --to 'the dog does not sleep .' --of logit --word 2 --token chat --other chien --csv $D/x.csv");
    assert_contains(out, "m = logit of \"chat\" minus logit of \"chien\" (word 2): A ");
    assert_contains(out, " head 0  head 1\n");
    assert_contains(out, "\n  decoder.layers.1.cross.context ");
    ck_assert_str_eq(cell_of("x.csv", 2, 0), "encoder.layers.0.self.context");
    ck_assert_str_eq(cell_of("x.csv", 2, 1), "1");
    sh(PATCH " --to 'the dog does not sleep .' --by places --at 'decoder.layers.1.cross.*'");
    assert_contains(out, " score estimate\n");
    assert_contains(out, "\n  decoder.layers.1.cross.v ");
    assert_contains(out, " over 8 cells.");
}
END_TEST

/* Runs of other programs; a captioner's source tokens are patches. */
START_TEST(other_runs) {
    make_other_runs();
    sh("$T patch --model $D/lm --target 'the cat sleeps .' --to 'the girl sleeps .' --by positions");
    assert_contains(out, "A: <bos> the cat sleeps .\nB: <bos> the girl sleeps .\n");
    assert_contains(out, " 3 cat>girl ");
    sh("$T patch --model $D/lm --target 'the cat sleeps .' --swap 3=girl --by together --at "
       "decoder.layers.0.residual");
    assert_contains(out, "B: <bos> the girl sleeps .\n");
    assert_contains(out, ", score 1.0000, ");
    sh("$T patch --model $D/classify --source 'the cats sleep .' --swap 3=cat --by positions --of log-p "
       "--token right --other wrong --csv $D/x.csv");
    assert_contains(out, "B: [CLS] the cat sleep . <eos>\n");
    for (int row = 1; row <= 6; row++) ck_assert((value_of("x.csv", row, 5) != 0) == (row == 3));
    assert_contains(out, "m = log p of \"right\" minus log p of \"wrong\" (word 1): A ");
    ck_assert_int_eq(try("$T patch --model $D/classify --source 'the cats sleep .' --swap 1=cat"), 1);
    assert_contains(err, "--swap 1=cat: should be N=TOKEN, N out of 2 … 6");
    sh("$T patch --model $D/caption --source '#1' --target 'a red ring' --to '#2' --by together --at "
       "encoder.layers.0.residual");
    assert_contains(out, ", score 1.0000, ");
    ck_assert_int_eq(try("$T patch --model $D/caption --source '#1' --target 'a red ring' --swap 1=x"), 1);
    assert_contains(err, "--swap: this model reads pictures, and no tokens: give another scene by --to");
}
END_TEST

/* Foreign bytes are made harmless for terminal and picture; on a terminal there are colours. */
START_TEST(strange_text) {
    sh("$T patch --model $D/one --source \"$(printf 'the \\033[31m </text>&\\342\\200\\256 .')\" --swap "
       "2=cat --by positions --svg "
       "$D/x.svg --threads 1");
    ck_assert_ptr_null(strchr(out, 033));
    ck_assert_ptr_null(strstr(out, "\342\200\256"));
    assert_contains(out, "\\x1b[31m");
    char *svg = get_file(in_folder("x.svg"), NULL);
    ck_assert(!strchr(svg, 033) && !strstr(svg, "\342\200\256") && !strstr(svg, "</text>&"));
    assert_contains(svg, "&#60;/text&#62;&#38;");
    free(svg);
    const int terminal = open_terminal();
    sh(PATCH " --swap 2=dog > $TERMINAL");
    char *shown = received(terminal);
    assert_contains(shown, "\033[48;2;");
    free(shown);
    sh("NO_COLOR=1 " PATCH " --swap 2=dog > $TERMINAL");
    shown = received(terminal);
    ck_assert_ptr_null(strchr(shown, 033));
    free(shown);
    close(terminal);
}
END_TEST

START_TEST(refuses) {
    static const struct {
        const char *options, *why;
    } wrong[] = {
        {"", "which sentence is B? Give it by --to, or a token of A's to be replaced by --swap"},
        {"--to 'the black dog does not sleep .'",
         "encoder.layers.0.self.context: A has 7 source tokens and B has 8: what is exchanged"},
        {"--to x --swap 2=dog", "--swap makes B of A, and --to names another: say one of them"},
        {"--swap 2=zebra", "--swap 2=zebra: the vocabulary has no such token"},
        {"--swap 9=dog", "--swap 9=dog: should be N=TOKEN, N out of 1 … 7"},
        {"--swap dog", "--swap dog: should be N=TOKEN"},
        {"--swap 2=dog --word 2",
         "--word, --token and --other are of one word: say --of log-p or --of logit, too"},
        {"--swap 2=dog --of logit --word 999", "--word 999: the target has "},
        {"--swap 2=dog --of logit --token zebra", "--token zebra: the model writes no such token"},
        {"--swap 2=dog --at nothing", "no place of this model that has heads is called nothing"},
        {"--swap 2=dog --heads 2-1", "--heads 2-1: should be one number from 0 on, or two as in 0-2"},
        {"--swap 2=dog --positions 0", "--positions 0: should be one number from 1 on, or two as in 1-3"},
        {"--swap 2=dog --keys x", "--keys x: should be one number from 1 on"},
        {"--swap 2=dog --by together", "--by together: which places? Name them by --at"},
        {"--swap 2=dog --by together --at encoder.embedding --csv $D/x.csv", "--by together is one number"},
        {"--swap 2=dog --heads 5", "holds no head or position that was asked for"},
        {"--swap 2=dog --csv $D", "is a folder"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char command[512];
        snprintf(command, sizeof command, PATCH " %s", wrong[i].options);
        ck_assert_msg(try(command) == 1, "%s should fail", wrong[i].options);
        assert_contains(err, wrong[i].why);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, make_runs, NULL);
    tcase_add_test(tc, options);
    tcase_add_test(tc, by_positions);
    tcase_add_test(tc, together);
    tcase_add_test(tc, the_same_sentence);
    tcase_add_test(tc, by_heads_and_places);
    tcase_add_test(tc, other_runs);
    tcase_add_test(tc, strange_text);
    tcase_add_test(tc, refuses);
}

TL_TEST_MAIN("attend: patch")
