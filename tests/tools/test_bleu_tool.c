/* The program bleu: every option, every error, exit statuses, and its output compared with sacreBLEU's. In a command $T
 * is the program and $D the test's folder. */
#define _XOPEN_SOURCE 700
#include "examples/shell.h"
#include "io/scratch.h"

static scratch all, here;
static char *out, *err;

static void enter_all(void) { all = scratch_new(); }
static void leave_all(void) { scratch_remove(&all); }
static void enter_folder(void) {
    char program[1024];
    snprintf(program, sizeof program, "%s/bleu", build_folder());
    ck_assert_msg(access(program, X_OK) == 0, "%s is not there; run from the top, after make all", program);
    here = scratch_within(&all, "test");
    setenv("T", program, 1);
    setenv("D", here.folder, 1);
}
static void leave_folder(void) {
    scratch_remove(&here);
    free(out);
    free(err);
}

static void put(const char *name, const char *text) { put_text(scratch_path(&here, name), text); }

/* Runs a command; its output is in `out` and `err`. */
static int try(const char *command) {
    int status;
    free(out);
    free(err);
    out = shell(&status, "( ( %s\n) 2>\"$D/.err\" )", command);
    char *path = join(here.folder, ".err");
    err = read_text_file(path);
    free(path);
    return status;
}

static void gives(const char *command, const char *text) {
    int status = try(command);
    ck_assert_msg(status == 0 && !*err, "%s\nexit status %d\n%s", command, status, err);
    ck_assert_msg(!strcmp(out, text), "%s\nprints   %sexpected %s", command, out, text);
}

/* Asserts that the command prints one line on standard error and nothing on standard output. */
static void fails_with(int expected, const char *command, const char *text) {
    char line[2048];
    int status = try(command);
    snprintf(line, sizeof line, "bleu: %s\n", text);
    ck_assert_msg(status == expected, "%s\nexit status %d, expected %d\n%s", command, status, expected, err);
    ck_assert_msg(!strcmp(err, line), "%s\nsays     %sexpected %s", command, err, line);
    ck_assert_msg(!*out, "%s\nprinted %s", command, out);
}

#define HYPS "The cat sat, on the mat.\n我有1,000.5元。\n"
#define REFS "The Cat sat on the mat.\n我有 1,000.5 元!\n"
#define SIGNED(case, tok) "BLEU|nrefs:1|case:" case "|eff:no|tok:" tok "|smooth:exp|version:tapeloom = "
#define CHRF_SIGNED(case) "chrF2|nrefs:1|case:" case "|eff:yes|nc:6|nw:0|space:no|version:tapeloom = "

static void write_pair(void) {
    put("hyp", HYPS);
    put("ref", REFS);
}

START_TEST(every_option) {
    write_pair();
    const char *plain = SIGNED(
        "mixed", "13a") "29.75 66.7/42.9/33.3/20.0 (BP = 0.801 ratio = 0.818 hyp_len = 9 ref_len = 11)\n";
    gives("$T --ref $D/ref < $D/hyp", plain);
    gives("$T --ref=$D/ref < $D/hyp", plain);
    gives("cd $D; $OLDPWD/$T --ref ref < hyp", plain);
    gives("$T --tokenize 13a --ref $D/ref < $D/hyp", plain);
    /* if an option is repeated, the last one counts */
    gives("$T --tokenize char --tokenize=13a --ref $D/none --ref $D/ref < $D/hyp", plain);
    gives("$T --ref $D/ref --tokenize none < $D/hyp",
          SIGNED("mixed",
                 "none") "23.48 57.1/40.0/25.0/16.7 (BP = 0.751 ratio = 0.778 hyp_len = 7 ref_len = 9)\n");
    gives("$T --ref $D/ref --tokenize zh < $D/hyp",
          SIGNED("mixed",
                 "zh") "48.04 76.9/54.5/44.4/28.6 (BP = 1.000 ratio = 1.083 hyp_len = 13 ref_len = 12)\n");
    gives("$T --ref $D/ref --tokenize=char < $D/hyp",
          SIGNED("mixed",
                 "char") "76.23 90.0/82.1/73.1/62.5 (BP = 1.000 ratio = 1.034 hyp_len = 30 ref_len = 29)\n");
    gives("$T --ref $D/ref --lowercase < $D/hyp",
          SIGNED("lc",
                 "13a") "38.88 77.8/71.4/50.0/20.0 (BP = 0.801 ratio = 0.818 hyp_len = 9 ref_len = 11)\n");
    gives("$T --ref $D/ref --chrf < $D/hyp",
          SIGNED("mixed", "13a") "29.75 66.7/42.9/33.3/20.0 (BP = 0.801 ratio = 0.818 hyp_len = 9 ref_len = "
                                 "11)\n" CHRF_SIGNED("mixed") "70.09\n");
    gives("$T --ref $D/ref --chrf --lowercase --tokenize zh < $D/hyp",
          SIGNED("lc", "zh") "55.91 84.6/72.7/55.6/28.6 (BP = 1.000 ratio = 1.083 hyp_len = 13 ref_len = "
                             "12)\n" CHRF_SIGNED("lc") "83.36\n");
    gives("$T --ref $D/ref --score-only < $D/hyp", "29.75\n");
    gives("$T --score-only --chrf --ref $D/ref < $D/hyp", "29.75\n70.09\n");
}
END_TEST

/* --help lists the options that the test above tries, and no others. */
START_TEST(help) {
    static const char *const options[] = {
        "--ref FILE", "--tokenize none|13a|zh|char", "--lowercase", "--chrf", "--score-only", "--help, -h"};
    enum { OPTIONS = sizeof options / sizeof *options };
    gives("$T --help > $D/a; $T -h > $D/b; $T --ref x --help --fly > $D/c; cmp $D/a $D/b; cmp $D/a $D/c", "");
    ck_assert_int_eq(try("$T --help"), 0);
    int found = 0;
    char line[80];
    for (const char *at = out; (at = strstr(at, "\n  --")); at += 5) found++;
    ck_assert_int_eq(found, OPTIONS);
    for (int i = 0; i < OPTIONS; i++) {
        snprintf(line, sizeof line, "\n  %-30s ", options[i]);
        assert_contains(out, line);
    }
    assert_contains(out, "[13a]");
}
END_TEST

START_TEST(wrong_command_line) {
    static const char *const cases[][2] = {
        {"", "give --ref FILE"},
        {"--chrf", "give --ref FILE"},
        {"--ref", "--ref: a value is missing behind it"},
        {"--ref --chrf", "--ref: a value is missing behind it"},
        {"--ref $D/ref --tokenize", "--tokenize: a value is missing behind it"},
        {"--ref $D/ref --tokenize intl", "--tokenize \"intl\": say one of none|13a|zh|char"},
        {"--ref $D/ref --tokenize=", "--tokenize \"\": say one of none|13a|zh|char"},
        {"--ref $D/ref --lowercase=yes", "--lowercase takes no value"},
        {"--help=1", "--help takes no value"},
        {"--fly", "there is no option \"--fly\""},
        {"--re x", "there is no option \"--re\""},
        {"--reference x", "there is no option \"--reference\""},
        {"--tokenizer zh", "there is no option \"--tokenizer\""},
        {"--", "there is no option \"--\""},
        {"ref", "\"ref\": options begin with --"},
        {"-lc", "\"-lc\": options begin with --"},
        {"''", "\"\": options begin with --"},
    };
    write_pair();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256], text[256];
        snprintf(command, sizeof command, "$T %s < $D/hyp", cases[i][0]);
        snprintf(text, sizeof text, "%s; see bleu --help", cases[i][1]);
        fails_with(2, command, text);
    }
}
END_TEST

START_TEST(input_and_output) {
    write_pair();
    fails_with(1, "cd $D; $OLDPWD/$T --ref none < hyp",
               "cannot read none: No such file or directory; check the path");
    fails_with(1, "$T --ref $D/ref <&-",
               "cannot read standard input: Bad file descriptor; it was closed before the program began: "
               "give it a file or a pipe");
    fails_with(1, "$T --ref $D/ref < $D",
               "cannot read standard input: Is a directory; this is a folder: give the path of a file");
    fails_with(1, "cd $D; head -1 hyp | $OLDPWD/$T --ref ref",
               "standard input has 1 lines, ref 2: give as many hypotheses as there are references");
    fails_with(1, "cd $D; cat hyp hyp | $OLDPWD/$T --ref ref --chrf",
               "standard input has 4 lines, ref 2: give as many hypotheses as there are references");
    fails_with(1, "cd $D; $OLDPWD/$T --ref ref < /dev/null",
               "standard input has 0 lines, ref 2: give as many hypotheses as there are references");
    fails_with(1, "$T --ref /dev/null < /dev/null",
               "standard input and /dev/null hold no lines: there is nothing to score");
    fails_with(1, "printf 'a\\nb\\000c\\n' | $T --ref $D/ref",
               "standard input:2: a NUL byte: a text in UTF-8 is expected");
    fails_with(1, "cd $D; printf 'a\\000\\n' > nul; $OLDPWD/$T --ref nul < hyp",
               "nul:1: a NUL byte: a text in UTF-8 is expected");
    if (access("/dev/full", W_OK) == 0)
        fails_with(
            1, "$T --ref $D/ref < $D/hyp > /dev/full",
            "cannot write standard output: No space left on device; free some space or choose another disk");
    else
        TL_SKIP("bleu on a full disk: no /dev/full here");
}
END_TEST

/* Lines are separated as in sacreBLEU. */
START_TEST(lines) {
    const char *same = "100.00\n";
    put("ref", "a b c d\n\ne f g h\n");
    gives("printf 'a b c d\\n\\ne f g h\\n' | $T --ref $D/ref --score-only", same);
    gives("printf 'a b c d\\n\\ne f g h' | $T --ref $D/ref --score-only", same); /* no LF at the end */
    gives("printf 'a b c d\\r\\n\\r\\n  e\\tf g h \\r\\n' | $T --ref $D/ref --score-only", same);
    fails_with(1, "cd $D; printf 'a b c d\\n\\ne f g h\\n\\n' | $OLDPWD/$T --ref ref",
               "standard input has 4 lines, ref 3: give as many hypotheses as there are references");
    /* a CR without LF does not end a line */
    fails_with(1, "cd $D; printf 'a b c d\\r\\re f g h\\r' | $OLDPWD/$T --ref ref",
               "standard input has 1 lines, ref 3: give as many hypotheses as there are references");
    gives("printf '\\357\\273\\277a b c d\\n\\n e f g h\\n' | $T --ref $D/ref --tokenize none",
          SIGNED("mixed",
                 "none") "72.31 87.5/83.3/75.0/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 8 ref_len = 8)\n");
    gives(
        "printf 'a b\\377 c d\\n\\344\\n\\200\\n' > $D/r; $T --ref $D/r --tokenize char --score-only < $D/r",
        same);
}
END_TEST

/* sacreBLEU's program prints the same lines, except for the version. */
START_TEST(beside_sacrebleu) {
    if (try("command -v python3 && python3 -c 'import sacrebleu'")) {
        TL_SKIP("bleu beside sacrebleu: no python3 with sacrebleu here");
        return;
    }
    put("hyp", HYPS "It costs &quot;$5-6&quot;, e.g.\r\n\n  ΣΑΣ ÉTÉ—naïve  \n");
    put("ref", REFS "It costs \"$5 - 6\" , e.g.\nempty\nσας été – naive");
    static const char *const options[][2] = {
        {"--tokenize 13a", "-tok 13a"},
        {"--tokenize none --lowercase", "-tok none -lc --chrf-lowercase"},
        {"--tokenize zh", "-tok zh"},
        {"--tokenize char --lowercase", "-tok char -lc --chrf-lowercase"}};
    for (int i = 0; i < 4; i++) {
        char command[512], *expected;
        snprintf(
            command, sizeof command,
            "PYTHONUTF8=1 python3 -m sacrebleu $D/ref -i $D/hyp -m bleu chrf -w 2 -f text %s 2>/dev/null | "
            "sed 's/^ *//; s/version:[0-9.]*/version:tapeloom/'",
            options[i][1]);
        ck_assert_int_eq(try(command), 0);
        ck_assert_ptr_nonnull(expected = strdup(out));
        assert_contains(expected, "version:tapeloom");
        snprintf(command, sizeof command, "$T --ref $D/ref --chrf %s < $D/hyp", options[i][0]);
        gives(command, expected);
        free(expected);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, enter_folder, leave_folder);
    tcase_add_test(tc, every_option);
    tcase_add_test(tc, help);
    tcase_add_test(tc, wrong_command_line);
    tcase_add_test(tc, input_and_output);
    tcase_add_test(tc, lines);
    tcase_add_test(tc, beside_sacrebleu);
}

TL_TEST_MAIN("tools: bleu")
