/* The program bpe: every option, every error, and its results compared with subword-nmt's if that is installed. */
#define _XOPEN_SOURCE 700
#include "translate/program.h"

static void enter(void) {
    char program[1024];
    snprintf(program, sizeof program, "%s/bpe", build_folder());
    ck_assert_msg(access(program, X_OK) == 0,
                  "%s is not there; run from the top of the repository, after make all", program);
    here = scratch_within(&all, "test");
    setenv("T", program, 1);
    setenv("D", here.folder, 1);
}

#define LOW                                                                          \
 "low low low low low lower lower newest newest newest newest newest newest widest " \
 "widest widest\n"
#define FIXTURE "tests/fixtures/bpe/sentences"

/* ---- commands ---- */

START_TEST(learn) {
    sh_input(LOW, "$T learn --merges 3");
    ck_assert_str_eq(out, "#version: 0.2\ns t</w>\ne st</w>\nl o\n");
    ck_assert_str_eq(err, "");
    sh_input(LOW, "$T learn --merges=2 --min-frequency=9 --quiet");
    ck_assert_str_eq(out, "#version: 0.2\ns t</w>\ne st</w>\n");
    sh_input(LOW, "$T learn --min-frequency 7");
    ck_assert_str_eq(out, "#version: 0.2\ns t</w>\ne st</w>\nl o\n");
    ck_assert_str_eq(err, "bpe: 3 merges and no more: no other pair is seen 7 times\n");
    sh_input(LOW, "$T learn --min-frequency 7 --quiet");
    ck_assert_str_eq(out, "#version: 0.2\ns t</w>\ne st</w>\nl o\n");
    ck_assert_str_eq(err, "");
    sh_input(LOW "once\n", "$T learn"); /* --min-frequency is 2 */
    ck_assert_int_eq(count_lines(out), 14);
    sh_input(LOW "ab\nab\tba\n", "$T learn --min-frequency 1 --quiet");
    ck_assert_int_gt(count_lines(out), 14);
}
END_TEST

START_TEST(fixture_through_the_program) {
    sh("$T learn --merges 150 --quiet < " FIXTURE ".txt > $D/codes && cmp $D/codes " FIXTURE ".codes");
    sh("$T apply --codes $D/codes < " FIXTURE ".txt > $D/cut && cmp $D/cut " FIXTURE ".bpe");
    sh("$T vocab --quiet < " FIXTURE ".txt | cmp - " FIXTURE ".vocab");
    sh("tr -s ' ' < " FIXTURE ".txt > $D/single; $T join < $D/cut | tr -s ' ' | cmp - $D/single");
    ck_assert_str_eq(out, "");
}
END_TEST

/* --vocabulary and --dropout; with the same seed dropout gives the same result. */
START_TEST(pieces_through_the_program) {
    static const char *const stems[][2] = {{FIXTURE, "4"}, {"tests/fixtures/bpe/odd", "3"}};
    for (int i = 0; i < 2; i++) {
        setenv("F", stems[i][0], 1), setenv("N", stems[i][1], 1);
        sh("$T apply --codes $F.codes --vocabulary $F.pieces --vocabulary-threshold "
           "$N "
           "< $F.txt | cmp - $F.known");
        sh("$T apply --codes $F.codes --dropout 0.3 --seed 7 < $F.txt | cmp - "
           "$F.dropped");
        sh("$T apply --codes $F.codes --vocabulary=$F.pieces "
           "--vocabulary-threshold=$N "
           "--dropout=0.1 --seed=2147483647 < $F.txt | cmp - $F.known-dropped");
        sh("$T apply --codes $F.codes --dropout 0 --seed 5 < $F.txt | cmp - $F.bpe");
        ck_assert_str_eq(out, "");
    }
    put_text(in_folder("codes"), "#version: 0.2\na b\nab c</w>\n");
    put_text(in_folder("list"), "ab@@ 2\n");
    sh_input("abc\n", "$T apply --codes $D/codes --vocabulary $D/list");
    ck_assert_str_eq(out, "ab@@ c\n");
    sh_input("abc\nabc\n", "$T apply --codes $D/codes --dropout 1");
    ck_assert_str_eq(out, "a@@ b@@ c\na@@ b@@ c\n");
    sh("for i in $(seq 99); do echo abc; done > $D/text; for seed in '--seed 0' '' '--seed 1'; do "
       "$T apply --codes $D/codes --dropout 0.5 $seed < $D/text | cksum; done | uniq -c | wc -l");
    ck_assert_str_eq(out, "2\n"); /* without --seed it is 0 */
}
END_TEST

START_TEST(lines_stay_lines) {
    put_text(in_folder("codes"), "#version: 0.2\na b</w>\n");
    sh_input("ab  ba\r\n\n \nab", "$T apply --codes $D/codes");
    ck_assert_str_eq(out, "ab b@@ a\n\n \nab");
    sh_input("ab\n\n", "$T apply --codes=$D/codes --quiet");
    ck_assert_str_eq(out, "ab\n\n");
    sh_input("", "$T apply --codes $D/codes");
    ck_assert_str_eq(out, "");
    sh_input("b@@ a b@@\n\nb@@ ", "$T join --quiet");
    ck_assert_str_eq(out, "ba b\n\nb");
    sh_input("", "$T join");
    ck_assert_str_eq(out, "");
    sh_input("b a\na c\n", "$T vocab");
    ck_assert_str_eq(out, "a 2\nb 1\nc 1\n");
    sh_input("", "$T vocab");
    ck_assert_str_eq(out, "");
    ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(bar_when_it_takes_long) { /* waiting for the text counts */
    put_text(in_folder("text"), LOW);
    sh("(sleep 2.2; cat $D/text) | $T learn --merges 5");
    assert_contains(err, "learning");
    assert_contains(err, "5/5");
    ck_assert_int_eq(count_lines(out), 6);
    sh("(sleep 2.2; cat $D/text) | $T learn --merges 5 --quiet");
    ck_assert_str_eq(err, "");
}
END_TEST

/* ---- help ---- */

START_TEST(help) {
    static const char *const commands[] = {"learn", "apply", "join", "vocab"};
    char line[64], usage[64];
    sh("$T --help");
    ck_assert_str_eq(err, "");
    char *first = strdup(out);
    for (int i = 0; i < 4; i++) {
        snprintf(usage, sizeof usage, "\n  bpe %s ", commands[i]);
        assert_contains(first, usage);
        snprintf(line, sizeof line, "$T %s --help", commands[i]);
        sh(line);
        char *text = strdup(out);
        snprintf(usage, sizeof usage, "bpe %s ", commands[i]);
        ck_assert_msg(!strncmp(text, usage, strlen(usage)), "%s", text);
        assert_contains(text, "--quiet");
        assert_contains(text, "--help, -h");
        ck_assert(!strstr(text, "--codes") == (i != 1) && !strstr(text, "--merges") == (i != 0));
        snprintf(line, sizeof line, "$T %s --quiet -h", commands[i]);
        sh(line);
        ck_assert_str_eq(out, text);
        free(text);
    }
    sh("$T learn --help");
    assert_contains(out, "[10000]");
    assert_contains(out, "--min-frequency F");
    assert_contains(out, "cat train.en train.de | bpe learn");
    sh("$T -h");
    ck_assert_str_eq(out, first);
    ck_assert_int_eq(try("$T"), 2);
    ck_assert_str_eq(err, first);
    ck_assert_str_eq(out, "");
    free(first);
}
END_TEST

/* ---- errors ---- */

/* Asserts that the command prints one line on standard error and nothing on standard output. */
static void fails_with(int status, const char *input, size_t size, const char *command, const char *text) {
    char line[1024];
    int found = try_input(input, size, command);
    snprintf(line, sizeof line, "bpe: %s\n", text);
    ck_assert_msg(found == status, "%s\nexit status %d, expected %d\n%s%s", command, found, status, out, err);
    ck_assert_msg(!strcmp(err, line), "%s\nsays     %sexpected %s", command, err, line);
    ck_assert_msg(*out == 0, "%s\nprinted %s", command, out);
}

START_TEST(wrong_command_line) {
    static const char *const cases[][2] = {
        {"fly", "there is no command \"fly\"; bpe --help lists them"},
        {"learn --merges", "--merges: N is missing behind it; see bpe learn --help"},
        {"learn --merges --quiet", "--merges: N is missing behind it; see bpe learn --help"},
        {"learn --min-frequency", "--min-frequency: F is missing behind it; see bpe learn --help"},
        {"learn --merges 0",
         "--merges \"0\": a whole number from 1 to 2147483647 is expected; see bpe learn --help"},
        {"learn --merges -1",
         "--merges \"-1\": a whole number from 1 to 2147483647 is expected; see bpe learn --help"},
        {"learn --merges many",
         "--merges \"many\": a whole number from 1 to 2147483647 is expected; see bpe learn --help"},
        {"learn --merges=",
         "--merges \"\": a whole number from 1 to 2147483647 is expected; see bpe learn --help"},
        {"learn --min-frequency 2147483648", "--min-frequency \"2147483648\": a whole number from 1 to "
                                             "2147483647 is expected; see bpe learn --help"},
        {"learn --codes x", "there is no option \"--codes\" here; see bpe learn --help"},
        {"learn --merge 5", "there is no option \"--merge\" here; see bpe learn --help"},
        {"learn text.txt",
         "\"text.txt\": options begin with --, and text comes from standard input; see bpe learn --help"},
        {"apply", "give --codes FILE; see bpe apply --help"},
        {"apply --codes", "--codes: FILE is missing behind it; see bpe apply --help"},
        {"apply --vocabulary", "--vocabulary: FILE is missing behind it; see bpe apply --help"},
        {"apply --codes x --vocabulary-threshold 3",
         "--vocabulary-threshold: give --vocabulary FILE, whose counts it is about; see bpe apply --help"},
        {"apply --vocabulary-threshold -1",
         "--vocabulary-threshold \"-1\": a whole number from 0 to 2147483647 "
         "is expected; see bpe apply --help"},
        {"apply --dropout", "--dropout: P is missing behind it; see bpe apply --help"},
        {"apply --dropout 1.5", "--dropout \"1.5\": a number from 0 to 1 is expected; see bpe apply --help"},
        {"apply --dropout -0.1",
         "--dropout \"-0.1\": a number from 0 to 1 is expected; see bpe apply --help"},
        {"apply --dropout nan", "--dropout \"nan\": a number from 0 to 1 is expected; see bpe apply --help"},
        {"apply --seed x",
         "--seed \"x\": a whole number from 0 to 2147483647 is expected; see bpe apply --help"},
        {"join --seed 1", "there is no option \"--seed\" here; see bpe join --help"},
        {"apply --merges 3", "there is no option \"--merges\" here; see bpe apply --help"},
        {"join --codes x", "there is no option \"--codes\" here; see bpe join --help"},
        {"vocab --quiet=1", "there is no option \"--quiet=1\" here; see bpe vocab --help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[128];
        snprintf(command, sizeof command, "$T %s", cases[i][0]);
        fails_with(2, "ab ab\n", 6, command, cases[i][1]);
    }
}
END_TEST

START_TEST(bad_input) {
    static const char nothing[] =
        "byte pairs: found no word of two characters, expected a text to learn from: check the input";
    static const char nul[] =
        "line 2 of standard input: found a NUL byte, expected text: convert the file to UTF-8 "
        "(iconv -t UTF-8)";
    char text[1024];
    put_text(in_folder("codes"), "#version: 0.2\na b\nabc\n");
    put_text(in_folder("good"), "#version: 0.2\na b\n");
    fails_with(1, "", 0, "$T learn", nothing);
    fails_with(1, "a b\n\n", 5, "$T learn", nothing);
    fails_with(1, "ab\nc\0d\n", 7, "$T learn", nul);
    fails_with(1, "ab\nc\0d\n", 7, "$T vocab", nul);
    fails_with(1, "ab\nc\0d\n", 7, "$T join", nul);
    fails_with(1, "ab\nc\0d\n", 7, "$T apply --codes $D/good", nul);
    snprintf(text, sizeof text,
             "%s/codes:3: found \"abc\", expected two symbols with one space between them: the file was "
             "changed, or "
             "holds no codes; give the one that learning wrote",
             here.folder);
    fails_with(1, "ab\n", 3, "$T apply --codes $D/codes", text);
    snprintf(text, sizeof text, "cannot read %s/none: No such file or directory; check the path",
             here.folder);
    fails_with(1, "ab\n", 3, "$T apply --codes $D/none", text);
    fails_with(1, "ab\n", 3, "$T apply --codes $D/good --vocabulary $D/none", text);
    snprintf(
        text, sizeof text,
        "%s/codes:1: found \"#version: 0.2\", expected a word, a space and a count: give the list that bpe "
        "vocab wrote of text that was cut",
        here.folder);
    put_text(in_folder("codes"), "#version: 0.2\na b\n");
    fails_with(1, "ab\n", 3, "$T apply --codes $D/good --vocabulary $D/codes", text);
}
END_TEST

START_TEST(full_disk) {
    if (access("/dev/full", W_OK) != 0) {
        TL_SKIP("a full disk: there is no /dev/full here");
        return;
    }
    static const char *const commands[] = {"learn --quiet",          "vocab",  "join",
                                           "apply --codes $D/codes", "--help", "learn --help"};
    put_text(in_folder("codes"), "#version: 0.2\na b\n");
    for (int i = 0; i < 6; i++) {
        char command[128];
        snprintf(command, sizeof command, "$T %s > /dev/full", commands[i]);
        fails_with(
            1, "ab ab\n", 6, command,
            "cannot write standard output: No space left on device; free some space or choose another disk");
    }
}
END_TEST

/* ---- compared with subword-nmt ---- */

#define CORPUS "../shared/data/multi30k-en-de-tok/train.tsv"

/* All commands end lines at the same characters, which are subword-nmt's. */
START_TEST(line_ends_as_reference) {
    static const char text[] = "low lower low\rlowest low\r\n\r\r\nnew \r newer\n\n\rwide lo\rlow\r";
    put_text(in_folder("text"), text);
    sh("$T learn --merges 6 --min-frequency 1 < $D/text > $D/codes; tr '\\r' '\\n' < $D/text | "
       "$T learn --merges 6 --min-frequency 1 | cmp - $D/codes");
    sh("$T apply --codes $D/codes < $D/text > $D/cut; $T vocab < $D/text > $D/vocab");
    char *cut = get_file(in_folder("cut"), NULL), *vocab = get_file(in_folder("vocab"), NULL);
    ck_assert_ptr_null(strchr(cut, '\r'));
    ck_assert_int_eq(count_lines(cut), 10);
    ck_assert_int_eq(strncmp(vocab, "low 4\n", 6), 0);
    sh("$T join < $D/cut | $T vocab | cmp - $D/vocab");
    sh_input("a@@\r\nb@@\rc@@ d", "$T join");
    ck_assert_str_eq(out, "a\nb\ncd");
    ck_assert_int_eq(try_input("a\rb\r\n\0", 6, "$T vocab"), 1);
    assert_contains(err, "line 3 of standard input: found a NUL byte");
    free(cut);
    free(vocab);
    if (try("python3 -c 'import subword_nmt'")) {
        TL_SKIP("subword-nmt's line ends: python3 has no subword_nmt");
        return;
    }
    sh("python3 -m subword_nmt.learn_bpe -s 6 --min-frequency 1 < $D/text 2>$D/log | cmp - $D/codes");
    sh("python3 -m subword_nmt.apply_bpe -c $D/codes < $D/text | cmp - $D/cut");
    sh("python3 -m subword_nmt.get_vocab < $D/text | cmp - $D/vocab");
}
END_TEST

START_TEST(multi30k_as_reference) {
    int missing = try("python3 -c 'import subword_nmt'");
    if (missing || access(CORPUS, R_OK) != 0) {
        TL_SKIP("subword-nmt on Multi30k: %s",
                missing ? "python3 has no subword_nmt" : CORPUS " is not here");
        return;
    }
    sh("head -n 3000 " CORPUS " > $D/pairs && cut -f1 $D/pairs > $D/text && cut -f2 $D/pairs >> $D/text");
    sh("python3 -m subword_nmt.learn_bpe -s 1500 < $D/text > $D/codes 2>$D/log");
    sh("$T learn --merges 1500 < $D/text | cmp - $D/codes");
    sh("python3 -m subword_nmt.apply_bpe -c $D/codes < $D/text > $D/cut");
    sh("$T apply --codes $D/codes < $D/text | cmp - $D/cut");
    sh("python3 -m subword_nmt.get_vocab < $D/cut > $D/vocab");
    sh("$T vocab < $D/cut | cmp - $D/vocab");
    sh("$T join < $D/cut | cmp - $D/text");
    sh("head -n 800 $D/text > $D/less; python3 -m subword_nmt.apply_bpe -c $D/codes --vocabulary $D/vocab "
       "--vocabulary-threshold 50 --dropout 0.1 --seed 3 < $D/less > $D/known");
    sh("$T apply --codes $D/codes --vocabulary $D/vocab --vocabulary-threshold 50 --dropout 0.1 --seed 3 "
       "< $D/less | cmp - $D/known");
    ck_assert_int_eq(try("test $(wc -l < $D/cut) = 6000"), 0);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, enter, leave_folder);
    tcase_add_test(tc, learn);
    tcase_add_test(tc, fixture_through_the_program);
    tcase_add_test(tc, pieces_through_the_program);
    tcase_add_test(tc, lines_stay_lines);
    tcase_add_test(tc, bar_when_it_takes_long);
    tcase_add_test(tc, help);
    tcase_add_test(tc, wrong_command_line);
    tcase_add_test(tc, bad_input);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, line_ends_as_reference);
    tcase_add_test(tc, multi30k_as_reference);
}

TL_TEST_MAIN("bpe: the program")
