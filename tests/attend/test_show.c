/* attend show and list as a user runs them: terminal, files and page agree; every option has an effect; errors are
 * reported. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "small_runs.h"

#define SHOW "$T show --model $D/one --source 'the cat sleeps .' --target 'le chat dort .' --threads 1"

/* The terminal's hundredths are the CSV's numbers. */
START_TEST(the_terminal_and_the_file) {
    make_runs();
    sh(SHOW " --attention decoder.layers.1.self --head 1 --csv $D/x.csv");
    assert_contains(out, "source  the cat sleeps .\ntarget  le chat dort .\n");
    assert_contains(out,
                    "decoder.layers.1.self, head 1: A (weights: the share of each key in what a query gets)");
    /* later positions are hatched */
    assert_contains(out, "writes le (read <bos>)    100   ╱╱   ╱╱   ╱╱   ╱╱\n");
    assert_contains(
        out,
        "L = the loss as it is trained, summed over the words; a positive gradient makes it worse\nL is ");
    const char *row = strstr(out, "writes dort (read chat)");
    must(row != NULL);
    sh("awk -F, '$2 == \"decoder.layers.1.self\" && $3 == 1 && $4 == 2 && $5 <= 2 {printf \" %.0f\", 100 * "
       "$9}' $D/x.csv");
    int a[3], b[3];
    must(sscanf(out, "%d %d %d", &a[0], &a[1], &a[2]) == 3);
    sh(SHOW " --attention decoder.layers.1.self --head 1 --quantity A");
    row = strstr(out, "writes dort (read chat)") + strlen("writes dort (read chat)");
    must(sscanf(row, "%d %d %d", &b[0], &b[1], &b[2]) == 3);
    for (int i = 0; i < 3; i++) must(a[i] == b[i]);
}
END_TEST

/* Without --attention the terminal has one attention, and files have all. */
START_TEST(files_have_everything) {
    make_runs();
    sh(SHOW " --csv $D/x.csv --safetensors $D/x.safetensors --html $D/x.html");
    assert_contains(out, "decoder.layers.1.cross, head 0: dS");
    must(!strstr(out, "encoder.layers.0.self"));
    sh("cut -d, -f2 $D/x.csv | sort | uniq | wc -l");
    ck_assert_str_eq(out, "7\n"); /* six attentions, and the header */
    sh("tr -d '\\n' < $D/x.safetensors | grep -ao '0.encoder.layers.1.self.dS' | head -1; grep -ac 'show "
       "--model' $D/x.safetensors");
    assert_contains(out, "0.encoder.layers.1.self.dS\n1\n"); /* also holds the command that made it */
    sh("grep -c '<!doctype html>' $D/x.html; grep -c 'https*://[a-z]*[.]' $D/x.html || true");
    assert_contains(out, "1\n");
}
END_TEST

/* The picture has the terminal's maps: a cell for each pair, the same numbers, blocked pairs hatched. */
START_TEST(the_picture) {
    make_runs();
    sh(SHOW
       " --attention decoder.layers.1.self --head 1 --quantity A,dS --svg $D/x.svg > $D/said; grep -c "
       "'</text>$' $D/x.svg; grep -o '<rect x=' $D/x.svg | wc -l; grep -c 'fill=\"url(#blocked)' $D/x.svg");
    /* 30 numbers, 4 titles, 20 names; twice 25 pairs, 10 of them blocked */
    ck_assert_str_eq(out, "54\n50\n20\n");
    sh("grep '  writes dort' $D/said | sed 's/.*chat)//; s/╱//g' | tr -s ' ' '\n' | grep . | sort > $D/a; "
       "grep -A 5 'end\">dort' $D/x.svg | grep '^<rect' | sed -n 's/.*\">\\(.*\\)<.text>/\\1/p' | sort > "
       "$D/b; "
       "wc -l < $D/a; cmp $D/a $D/b");
    ck_assert_str_eq(out, "6\n"); /* three visible pairs in each of two maps */
    sh(SHOW " --head mean --words --svg $D/x.svg > $D/said; grep -c 'mean of heads: ' $D/x.svg; tail -n 1 "
            "$D/x.svg");
    ck_assert_str_eq(out, "2\n</svg>\n");
}
END_TEST

START_TEST(options) {
    make_runs();
    sh("$B/translate corpus --pair en-fr --sentences 50 --out $D/corpus > $D/made");
    static const trial trials[] = {{"model", "$D/two", CHANGES, NULL},
                                   {"weights", "average", CHANGES, NULL},
                                   {"fresh", NULL, CHANGES, NULL},
                                   {"pair", "en-fr", CHANGES, NULL},
                                   {"source", "'the small cats sleep .'", CHANGES, NULL},
                                   {"target", "'un chien .'", CHANGES, NULL},
                                   {"count", NULL, ELSEWHERE, NULL},
                                   {"test", NULL, ELSEWHERE, NULL},
                                   {"true-targets", NULL, ELSEWHERE, NULL},
                                   {"of", "loss", SAME, NULL},
                                   {"of", "nll", SAYS, NULL},
                                   {"of", "log-p", CHANGES, NULL},
                                   {"word", "2", CHANGES, "--of logit"},
                                   {"token", "chat", CHANGES, "--of logit"},
                                   {"other", "chat", CHANGES, "--of logit"},
                                   {"quantity", "S,dA,dA-raw,AdA,head-norm,norm", CHANGES, NULL},
                                   {"quantity", "A,dS", SAME, NULL},
                                   {"attention", "'*'", CHANGES, NULL},
                                   {"attention", "decoder.layers.1.cross", SAME, NULL},
                                   {"head", "mean", CHANGES, NULL},
                                   {"head", "1", CHANGES, NULL},
                                   {"head", "all", SAME, NULL},
                                   {"words", NULL, CHANGES, NULL},
                                   {"csv", "$D/x.csv", SAME, NULL},
                                   {"safetensors", "$D/x.safetensors", SAME, NULL},
                                   {"html", "$D/x.html", SAME, NULL},
                                   {"svg", "$D/x.svg", SAME, NULL},
                                   {"threads", "2", SAME, NULL},
                                   {"quiet", NULL, SAME, NULL}},
                       of_sets[] = {{"count", "2", CHANGES, "--test $D/corpus/test.tsv"},
                                    {"test", "$D/corpus/test.tsv", CHANGES, "--count 1"},
                                    {"true-targets", NULL, CHANGES, "--count 2"}},
                       list[] = {{"model", "$D/two", SAME, NULL}, {"weights", "last", SAME, NULL},
                                 {"fresh", NULL, SAME, NULL},     {"match", "'*.pattern'", CHANGES, NULL},
                                 {"pair", "en-fr", SAME, NULL},   {"threads", "2", SAME, NULL},
                                 {"quiet", NULL, SAME, NULL}};
    TRY_OPTIONS("show", SHOW, trials);
    for (size_t i = 0; i < sizeof of_sets / sizeof *of_sets; i++)
        try_option("$T show --model $D/one --head mean --threads 1", &of_sets[i]);
    TRY_OPTIONS("list", "$T list --model $D/one", list);
}
END_TEST

START_TEST(wrong) {
    static const struct {
        const char *options, *says;
        int status;
    } cases[] = {
        {"--quantity x", "attend: --quantity x: there are A, S, dA, dA-raw, dS, AdA, head-norm and norm", 1},
        {"--head 2", "attend: --head 2: say all, mean, or 0 … 1", 1},
        {"--head x", "attend: --head x: say all, mean, or 0 … 1", 1},
        {"--attention nothing",
         "attend: --attention nothing: the model has none of that name; attend list has all names", 1},
        {"--count 2",
         "attend: --count, --test and --true-targets are of a test set: leave out --source and --target", 1},
        {"--of logit --word 99", "attend: --word 99: the target has ", 1},
        {"--word 2", "are of one word: say --of log-p or --of logit, too", 1},
        {"--of logit --token nonsense", "attend: --token nonsense: the model writes no such token", 1},
        {"--csv /nowhere/x.csv", "/nowhere/x.csv: No such file or directory", 1},
        {"--html /nowhere/x.html", "/nowhere/x.html: No such file or directory", 1},
        {"--svg /nowhere/x.svg", "/nowhere/x.svg: No such file or directory", 1},
        {"--of what", "say one of loss|nll|log-p|logit", 2},
        {"--model /nowhere", "/nowhere/config.txt", 1}};
    make_runs();
    ck_assert_int_eq(try("$T list --model $D/one --match nothing"), 1);
    assert_contains(err, "attend: --match nothing: the model has no such place");
    sh("$T list --model $D/one --match 'decoder.*.cross.pattern'");
    ck_assert_str_eq(out, "decoder.layers.0.cross.pattern\ndecoder.layers.1.cross.pattern\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[1024];
        snprintf(line, sizeof line, SHOW " %s", cases[i].options);
        ck_assert_int_eq(try(line), cases[i].status);
        assert_contains(err, cases[i].says);
    }
}
END_TEST

/* Foreign bytes of a sentence or a vocabulary do not reach a terminal. */
START_TEST(strangers) {
    make_runs();
    sh("$T show --model $D/one --source \"$(printf 'the \\033[31mcat </script> \\342\\200\\256 "
       "\\360\\237\\230\\200 .')\" --target 'le chat .' --html $D/x.html --threads 1 > $D/said; cat $D/said");
    must(!strchr(out, '\033') && !strstr(out, "\xE2\x80\xAE"));
    assert_contains(out, "</script>");
    sh("grep -c '</script>' $D/x.html > $D/with; $T show --model $D/one --source 'the cat .' --target 'le "
       "chat .' --html $D/y.html --threads 1 > $D/said; grep -c '</script>' $D/y.html > $D/without; cmp "
       "$D/with $D/without");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_terminal_and_the_file);
    tcase_add_test(tc, files_have_everything);
    tcase_add_test(tc, the_picture);
    tcase_add_test(tc, options);
    tcase_add_test(tc, wrong);
    tcase_add_test(tc, strangers);
}

TL_TEST_MAIN("attend: show")
