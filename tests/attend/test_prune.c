/* attend prune as a user runs it: every option, the table as text, CSV and picture, the smaller run, and what is
 * refused. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "trials.h"

#include <tapeloom.h>

#define TRAINED                                                                                            \
 " --pair en-fr --sentences 2000 --preset toy --d-model 16 --heads 2 --layers 2 --d-ff 16 --batch-tokens " \
 "200 --lr 0.01 --warmup 2 --steps 20 --validate-every 10 --average 2 --quiet --threads 1 "
#define PRUNE "$T prune --model $D/one --most 20 --threads 1 --quiet"

/* $B: the folder of programs. The runs, which no test changes, are made once for all tests in the folder around
 * theirs. */
static void make_runs(void) {
    setenv("B", build_folder(), 1);
    setenv("R", all.folder, 1);
    sh("test -d $R/one || $B/translate train --out $R/one" TRAINED "--seed 7");
    sh("test -d $R/two || $B/translate train --out $R/two" TRAINED "--seed 8 --pre-norm");
    sh("test -d $R/gated || $B/translate train --out $R/gated --from $R/one --head-gates l0 --gate-penalty 9 "
       "--gate-rate 300 --steps 10 --quiet --threads 1");
    sh("ln -s $R/one $D/one; ln -s $R/two $D/two; ln -s $R/gated $D/gated; "
       "$B/translate corpus --pair en-fr --sentences 50 --out $D/corpus > $D/made");
}

/* Cell (row, column) of a CSV in the test's folder, row 0 the header; valid until the next call. */
static const char *cell(const char *file, int row, int column) {
    static char text[256];
    char *all_of_it = get_file(in_folder(file), NULL), *at = all_of_it;
    for (; row > 0; row--) at = strchr(at, '\n') + 1;
    for (; column > 0; column--) at = strchr(at, ',') + 1;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at, ",\n"), at);
    free(all_of_it);
    return text;
}
static double number(const char *file, int row, int column) { return strtod(cell(file, row, column), NULL); }

START_TEST(options) {
    no_gnuplot();
    make_runs();
    static const trial trials[] = {{"model", "$D/two", CHANGES, NULL},
                                   {"weights", "last", ELSEWHERE, NULL}, /* the best are the last here */
                                   {"weights", "average", CHANGES, NULL},
                                   {"fresh", NULL, CHANGES, NULL},
                                   {"pair", "en-fr", CHANGES, "--every 24"},
                                   {"test", "$D/corpus/test.tsv", CHANGES, NULL},
                                   {"most", "10", CHANGES, NULL},
                                   {"every", "5", CHANGES, NULL},
                                   {"every", "4", SAME, NULL},
                                   {"chances", "1", CHANGES, NULL},
                                   {"chances", "3", SAME, NULL},
                                   {"per-token", NULL, CHANGES, NULL},
                                   {"raw", NULL, CHANGES, NULL},
                                   {"score", NULL, CHANGES, "--every 6"},
                                   {"csv", "$D/x.csv", SAME, NULL},
                                   {"svg", "$D/x.svg", SAME, NULL},
                                   {"out", NULL, ELSEWHERE, NULL},
                                   {"remove", NULL, ELSEWHERE, NULL},
                                   {"heads", NULL, ELSEWHERE, NULL},
                                   {"closed", NULL, ELSEWHERE, NULL},
                                   {"overwrite", NULL, ELSEWHERE, NULL},
                                   {"threads", "2", SAME, NULL},
                                   {"quiet", NULL, SAME, NULL}};
    TRY_OPTIONS("prune", PRUNE " --every 4", trials);
}
END_TEST

/* The first row is the whole model, the last one the model without heads; both are the same in every order. */
START_TEST(table) {
    make_runs();
    sh(PRUNE " --score --csv $D/t.csv");
    assert_contains(out, "12 heads, on held-out sentences made here (20 sentences). ");
    assert_contains(
        out, "removed  share    loss    BLEU     loss           BLEU             last to go\n      0    0 %");
    assert_contains(out, "\n     12  100 %");
    ck_assert_str_eq(cell("t.csv", 0, 3), "loss");
    ck_assert_str_eq(cell("t.csv", 0, 12), "score_chance_largest");
    for (int row = 1; row <= 13; row++) {
        ck_assert(number("t.csv", row, 0) == row - 1);
        ck_assert(number("t.csv", row, 1) == (row - 1) / 12.0);
        ck_assert(number("t.csv", row, 6) <= number("t.csv", row, 4));
        ck_assert(number("t.csv", row, 4) <= number("t.csv", row, 7));
        const bool shared = row == 1 || row == 13;
        ck_assert(!shared || number("t.csv", row, 3) == number("t.csv", row, 4));
        ck_assert((number("t.csv", row, 5) == 0) == shared);
    }
    ck_assert_str_eq(cell("t.csv", 1, 2), "-");
    char line[128], head[64];
    strcpy(head, cell("t.csv", 2, 2));
    snprintf(line, sizeof line, "$T prune --model $D/one --most 20 --out $D/without --remove 1");
    sh(line);
    sh("$T prune --model $D/without --most 20 --quiet --every 20 --csv $D/w.csv"); /* the smaller run has the loss of that row */
    ck_assert_double_eq_tol(number("w.csv", 1, 3), number("t.csv", 2, 3),
                            sizeof(tl_real) == 8 ? 1e-12 : 1e-5);
    snprintf(line, sizeof line, "$T prune --model $D/one --out $D/same --heads %s", head);
    sh(line);
    ck_assert(same_files("without/model.safetensors", "same/model.safetensors"));
}
END_TEST

START_TEST(picture) {
    if (system("command -v gnuplot > /dev/null")) {
        TL_SKIP("gnuplot is not installed");
        return;
    }
    make_runs();
    sh("mkdir $D/p; " PRUNE " --every 4 --svg $D/p/curve.svg");
    char *svg = get_file(in_folder("p/curve.svg"), NULL);
    assert_contains(svg, "share of the heads removed");
    assert_contains(svg, "by importance");
    free(svg);
    ck_assert_int_eq(count_files(in_folder("p")), 3);
    ck_assert_str_eq(cell("p/curve.csv", 0, 0), "removed");
}
END_TEST

/* It can be opened, described, used and pruned again, like any other run. */
START_TEST(a_run_like_any_other) {
    make_runs();
    sh("$T prune --model $D/one --out $D/s --heads 'encoder.0:0,1; decoder.1:1; cross.0:0' --quiet");
    assert_contains(out, "/s has 8 of 12 heads and ");
    assert_contains(out,
                    "Left: encoder.0:none; decoder.1:0; cross.0:1 (of all other attentions every head)\n");
    sh("$B/translate info --model $D/s");
    assert_contains(
        out, "heads left: encoder.0:none; decoder.1:0; cross.0:1 (of all other attentions every one)\n");
    sh("echo 'the cat sleeps .' | $B/translate translate --model $D/s --quiet");
    ck_assert_int_eq(count_lines(out), 1);
    sh("echo 'the cat sleeps .' | $B/translate translate --model $D/s --alignment all-heads "
       "--alignment-layer 1 "
       "--quiet > $D/a; $B/translate evaluate --model $D/s --quiet > $D/e; $T list --model $D/s");
    assert_contains(out, "encoder.layers.0.self.pattern\n");
    sh("$T prune --model $D/s --out $D/t --heads 'encoder.1:0; cross.0:0' --quiet");
    assert_contains(out, "Left: encoder.0:none; encoder.1:1; decoder.1:0; cross.0:none (of all");
    sh("echo 'the cat sleeps .' | $B/translate attention --model $D/t --layer 2 --quiet");
    ck_assert_int_eq(try("echo 'the cat sleeps .' | $B/translate attention --model $D/t --layer 1 --quiet"),
                     1);
    assert_contains(err, "the decoder's layer 1 has lost all its heads: there is nothing to draw");
    ck_assert_int_eq(try("echo 'the cat sleeps .' | $B/translate translate --model $D/t --alignment hard "
                         "--alignment-layer 1"),
                     1);
    assert_contains(err, "has lost all heads that looked at the source");
    sh("$B/translate train --from $D/t --out $D/u --steps 2 --quiet --threads 1"); /* and trained further */
    sh("$B/translate info --model $D/u");
    assert_contains(out, "began with the weights of ");
    ck_assert_int_eq(try("$B/translate train --resume $D/t --steps 30"), 1);
    assert_contains(err, "checkpoint.safetensors is not there");
}
END_TEST

START_TEST(closed) {
    make_runs();
    sh("$B/translate info --model $D/gated");
    assert_contains(out,
                    "            heads have gates, penalty 9: of 12 12 are shut, 0 between shut and open\n");
    sh("$T prune --model $D/gated --closed --out $D/c --quiet");
    assert_contains(out, " has 0 of 12 heads and ");
    sh("for m in gated c; do $B/translate evaluate --model $D/$m --quiet --threads 1 | sed 's/ in [0-9.]* "
       "s,/,/' > "
       "$D/$m.txt; done");
    ck_assert(same_files("gated.txt", "c.txt"));
    ck_assert_int_eq(try("$T prune --model $D/one --closed --out $D/d"), 1);
    assert_contains(err, "the heads of this model have no gates");
    ck_assert_int_eq(try("$T prune --model $D/c"), 1);
    assert_contains(err, "the model has no heads that could go");
}
END_TEST

static void refuses(const char *options, int status, const char *why) {
    char line[512];
    snprintf(line, sizeof line, PRUNE " %s", options);
    ck_assert_int_eq(try(line), status);
    assert_contains(err, why);
}

START_TEST(refused) {
    make_runs();
    refuses("--out $D/n", 2, "--out: give one of --remove N, --heads LIST and --closed, too");
    refuses("--out $D/n --remove 1 --closed", 2, "--out: give one of");
    refuses("--remove 1", 2, "give --out DIR, too");
    refuses("--overwrite", 2, "--overwrite is of --out");
    refuses("--out $D/n --remove 1 --csv $D/x", 2, "leave out --csv, --svg and --score");
    refuses("--chances 1001", 2, "--chances: at most 1000 are possible");
    refuses("--out $D/n --remove 13", 1, "--remove 13: the model has 12 heads");
    refuses("--out $D/n --heads encoder.0:2", 1, "there is no such head: they are 0 … 1");
    refuses("--out $D/one --remove 1", 1, "holds a trained model already");
    refuses("--svg $D/x.gif", 1, "expected a name that ends in .svg or .png");
    ck_assert(!tl_file_is_there(in_folder("n")));
    sh("$T prune --model $D/one --out $D/m --heads encoder.0:1 --quiet");
    ck_assert_int_eq(try("$T prune --model $D/m --out $D/n --heads encoder.0:1"), 1);
    assert_contains(err, "--heads: encoder.0 has 1 heads left, and no number 1");
    ck_assert_int_eq(try("$T prune --model $D/two --out $D/m --heads encoder.0:1"), 1);
    sh("$T prune --model $D/two --out $D/m --heads encoder.0:1 --overwrite --quiet");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, options);
    tcase_add_test(tc, table);
    tcase_add_test(tc, picture);
    tcase_add_test(tc, a_run_like_any_other);
    tcase_add_test(tc, closed);
    tcase_add_test(tc, refused);
}
TL_TEST_MAIN("attend: prune")
