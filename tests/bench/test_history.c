/* Lines of a release, and what became slower since: what is recorded, which rows of a file are measured, the rule that says
 * "slower", files that are malformed. The stage's players say what everything takes. */
#define _XOPEN_SOURCE 700
#include "bench/stage.h"

#define COMPARE "bench/compare --rounds 1 --seconds 0 "

/* Everybody took 10 ms: the file "before", of version 7.8. */
static void record_before(const char *rows) {
    char command[256];
    snprintf(command, sizeof command,
             "sed -i 's/^VERSION := .*/VERSION := 7.8/' Makefile; " COMPARE
             "--record %s 2>/dev/null >table; cp bench/history/7.8.jsonl before; rm asked",
             rows);
    sh(command);
}

/* ---- recording ---- */

START_TEST(recorded) {
    record_before("--log log --decode step T0");
    sh("sed 's/\"date\": \"20[0-9-]*\"/DATE/; s/\"processor\": \"[^\"]*\", \"cores\": [0-9]*/MACHINE/' "
       "before");
    assert_contains(said, "{\"version\": \"7.8\", DATE, MACHINE, \"isa\": \"played\", \"compiler\": \"cc "
                          "1\", \"precision\": \"played\", "
                          "\"threads\": 2, \"peers\": \"PyTorch 9.9, OpenBLAS, oneDNN\", \"section\": "
                          "\"step\", \"case\": \"T0\", "
                          "\"side\": \"ours, medium\", \"peak_gflops\": 400.0, \"lowest_peak_gflops\": "
                          "400.0, \"unit\": \"ms\", "
                          "\"median\": 10, \"spread\": 0.0, \"rounds\": 1, \"ratios\": {\"PyTorch best\": 1, "
                          "\"PyTorch float32\": 1}}\n");
    assert_contains(said, "\"case\": \"T0/32\", \"side\": \"PyTorch float32\", ");
    assert_contains(said, "\"rounds\": 1, \"peer\": true}\n");
    ck_assert_int_eq(count_lines(said), 2 * 3 + 4); /* decoding of 1 and 32, a step; a line a row */
    assert_lacks(tree.folder);
    if (try("python3 -c ''") == 0)
        sh("python3 -c 'import json\nfor line in open(\"before\"): json.loads(line)'");
    sh("printf '10\\ndies\\n' >ms.step; " COMPARE "--ours --record step T0 mlp");
    assert_contains(said, "step has ended\n");
    assert_contains(said, "recorded in bench/history/7.8.jsonl\n");
    sh("wc -l <bench/history/7.8.jsonl; grep -c error bench/history/7.8.jsonl || true");
    ck_assert_str_eq(said, "12\n0\n"); /* more lines behind those that were there; none of what failed */
    sh("rm -f Makefile asked");
    ck_assert_int_eq(try(COMPARE "--record mlp"), 2);
    ck_assert_str_eq(said, "bench/compare: --record: no \"VERSION := \" in bench/../Makefile\n");
    ck_assert_int_eq(try("ls asked"), 2);
}
END_TEST

START_TEST(recorded_commit) {
    if (try("git --version") != 0) {
        TL_SKIP("git is not installed");
        return;
    }
    record_before("--ours mlp");
    sh("cat before");
    assert_lacks("\"commit\"");
    sh("git init -q . && git add bench/compare && git -c user.name=t -c user.email=t@t commit -q -m one && "
       "git rev-parse HEAD >commit; " COMPARE "--ours --record mlp >table 2>/dev/null; "
       "c=$(tail -n 1 bench/history/7.8.jsonl | sed 's/.*\"commit\": \"\\([^\"]*\\)\".*/\\1/'); grep \"^$c\" "
       "commit");
}
END_TEST

/* ---- then and now ---- */

/* The row of the table whose beginning this is, its blanks squeezed. */
static void assert_row(const char *row) {
    char command[256];
    snprintf(command, sizeof command, "tr -s ' ' <table | grep '^%s$' || { cat table; exit 1; }", row);
    sh(command);
}

START_TEST(the_rule) {
    record_before("step mlp T0");
    sh("printf '10\\n10.2\\n10.4\\n' >ms.step; printf '5\\n9.9\\n' >ms.mlp; " COMPARE
       "--against before >table");
    sh("cat table");
    ck_assert_ptr_eq(strstr(said, "then: 7.8, 20"), said);
    assert_contains(said, ", played, cc 1, 2 threads\nnow:  7.8, 20");
    assert_row("step T0 ours, medium 10.0 10.4 ms 1.04 3 slower PyTorch best: 1.00, now 0.96");
    assert_row("step T0 ours, highest 10.0 10.2 ms 1.02 3 same PyTorch float32: 1.00, now 0.98");
    assert_row("mlp mlp ours, medium 10.0 9.900 ms 0.99 3 same PyTorch float32: 1.00, now 1.01");
    assert_row("mlp mlp ours, highest 10.0 5.000 ms 0.50 3 faster PyTorch float32: 1.00, now 2.00");
    sh("grep -c ours table; grep -o 'slower\\|same\\|faster' table | tr '\\n' ' '");
    ck_assert_str_eq(said, "4\nslower same same faster "); /* the worst first */
    /* spreads are added, those of a peer too */
    sh("sed 's/\\(T0\", \"side\": \"[^\"]*medium.*\"spread\": \\)0.0/\\11.5/; "
       "s/\\(T0\", \"side\": \"PyTorch best.*\"spread\": \\)0.0/\\12.6/' before >wide; "
       "printf '10\\n10.0\\n10.4\\n' >ms.step; " COMPARE "--against wide step >table");
    assert_row("step T0 ours, medium 10.0 10.4 ms 1.04 4 same PyTorch best: 1.00, now 0.96");
    sh("printf '10\\n10\\n10\\n10\\n11\\n' >ms.step; printf '10\\n10\\n10\\n10.8\\n' >ms.python; "
       "bench/compare --rounds 2 --seconds 0 --against before step >table");
    assert_row("step T0 ours, medium 10.0 10.5 ms 1.01 9 same PyTorch best: 1.00, now 0.99");
    /* a peer that is as much slower tells of the machine */
    sh("printf '10\\n20\\n20\\n' >ms.step; printf '20\\n20\\n' >ms.python; " COMPARE
       "--against before step >table");
    assert_row("step T0 ours, medium 10.0 20.0 ms 1.00 3 same PyTorch best: 1.00, now 1.00");
    /* without a peer times are compared */
    sh("printf '10\\n20\\n20\\n' >ms.step; " COMPARE "--ours --against before step >table");
    assert_row("step T0 ours, highest 10.0 20.0 ms 2.00 3 slower");
    sh("printf '10\\n20\\n' >ms.step; " COMPARE "--json --ours --against before step");
    assert_contains(
        said,
        "{\"section\": \"step\", \"case\": \"T0\", \"side\": \"ours, highest\", \"unit\": \"ms\", \"then\": "
        "10, \"now\": 20, \"change\": 2.000, \"noise_percent\": 3.0, \"verdict\": \"slower\"}\n");
    sh("printf '10\\n20\\n' >ms.step; " COMPARE "--json --against before step");
    assert_contains(
        said, ", \"peer\": \"PyTorch float32\", \"ratio_then\": 1, \"ratio_now\": 0.5, \"change\": 2.000, ");
}
END_TEST

START_TEST(memory_and_machines) {
    record_before("memory mlp T0");
    sh("sed 's/\\(\"side\": \"ours\", .*\"median\": \\)[0-9.]*/\\10.01/' before >small; "
       "sed 's/\\(\"side\": \"ours\", .*\"median\": \\)[0-9.]*/\\199999/' before >large; "
       "for file in small large; do " COMPARE
       "--ours --against $file memory; done | tr -s ' ' | grep ' MB '");
    assert_contains(said, "memory T0 ours 0.010 ");
    assert_contains(said, " 3 more\n");
    assert_contains(said, "memory T0 ours 99999.0 ");
    assert_contains(said, " 3 less\n");
    /* of another processor only what stands beside a peer is judged, and comes last */
    sh("sed 's/\"processor\": \"[^\"]*\"/\"processor\": \"i4004 (R)+\"/' before >other; printf '90\\n90\\n' "
       ">ms.mlp; " COMPARE "--against other mlp >table");
    assert_row("mlp mlp ours, medium 10.0 90.0 ms 9.00 3 slower PyTorch float32: 1.00, now 0.11");
    sh("printf '90\\n9\\n' >ms.mlp; " COMPARE "--ours --against other mlp >table; cat table");
    assert_contains(said, ", i4004 (R)+, played, cc 1, 2 threads\nnow:  7.8, ");
    assert_contains(said, "\n?: another processor or number of threads, and no peer on both sides: ");
    assert_row("mlp mlp ours, highest 10.0 90.0 ms 9.00 3 ?");
    sh("OMP_NUM_THREADS=1 " COMPARE "--ours --against before mlp");
    assert_contains(said, "2 threads\nnow:  7.8, ");
    assert_contains(said, " 3  ?\n");
    /* a row's last line counts, but this processor's before another's */
    sh("sed 's/\"median\": 10/\"median\": 30/' other | cat before - >both; " COMPARE
       "--ours --against both mlp >table");
    assert_row("mlp mlp ours, highest 10.0 10.0 ms 1.00 3 same");
    sh("sed 's/\"median\": 10/\"median\": 30/' before | cat other before - other >both; " COMPARE
       "--ours --against both mlp >table");
    assert_row("mlp mlp ours, highest 30.0 10.0 ms 0.33 3 faster");
}
END_TEST

START_TEST(rows_that_are_measured) {
    record_before("step decode T0 T2 mlp products threads --all");
    sh("grep -v highest before >some; " COMPARE "--against some step T2 >table; cat asked");
    assert_contains(
        said, "\nstep T2 0 precision=high\nstep T2 0 precision=medium\npython step T2 0 numbers=float32\n");
    assert_lacks("highest"), assert_lacks("step T0 0 "), assert_lacks("mlp");
    sh("cut -c 1-60 table | grep -c ours");
    ck_assert_str_eq(said, "2\n");
    sh("rm asked; " COMPARE
       "--against before >table 2>/dev/null; grep -c '\"ratios\"' before; grep -c ' ms ' table");
    int rows = 0, shown = 0; /* all of the file, also what is usually left out */
    ck_assert_int_eq(sscanf(said, "%d\n%d", &rows, &shown), 2);
    ck_assert_int_gt(rows, 50);
    ck_assert_int_eq(shown, rows);
    ck_assert_int_eq(try(COMPARE "--against before step T3"), 2);
    ck_assert_str_eq(said, "bench/compare: before has no row of step of T3\n");
    /* what cannot be measured is said, and is the exit status; that something is slower is not */
    ck_assert_int_eq(try("MISSING=T0 " COMPARE "--against before step >table"), 1);
    assert_contains(said, "bench/compare: not measured: step T0 ours, medium: not installed\n");
    assert_lacks("T2 ours");
    sh("grep -c T2 table");
    ck_assert_str_eq(said, "3\n");
}
END_TEST

/* ---- files that are malformed ---- */

#define PART                                                                                               \
 "\"version\": \"1\", \"date\": \"d\", \"processor\": \"p\", \"threads\": 2, \"case\": \"T0\", \"side\": " \
 "\"ours\""
#define WHOLE PART ", \"section\": \"step\", \"median\": 1, \"spread\": 0, \"unit\": \"ms\""

START_TEST(malformed) {
    static const char *const cases[][2] = {
        {"section,case", "expected \"{\", found section,case"},
        {"{version: 1}", "expected a key in quotes, found version: 1}"},
        {"{\"version\" \"1\"}", "expected \":\" after the key \"version\", found \"1\"}"},
        {"{\"version\": \"1\" \"date\"}", "expected \",\" or \"}\", found \"date\"}"},
        {"{\"version\": \"1\"", "expected \",\" or \"}\", found the end of the line"},
        {"{\"version\": [1]}", "expected a value, found [1]}"},
        {"{" WHOLE ", \"ratios\": {}} {", "expected the end of the line after \"}\", found {"},
        {"{\"version\": \"1\"}", "there is no \"date\" (string)"},
        {"{" PART ", \"section\": \"step\", \"median\": \"1\", \"spread\": 0}",
         "\"median\" is a string, expected: number"},
        {"{" PART ", \"section\": \"step\", \"median\": 0, \"spread\": 0, \"unit\": \"ms\"}",
         "median 0, expected more than 0"},
        {"{" PART ", \"section\": \"step\", \"median\": 1, \"spread\": 0, \"unit\": \"s\"}",
         "unit \"s\", expected ms or MB"},
        {"{" WHOLE "}", "there is no \"ratios\" (object)"},
        {"{" WHOLE ", \"ratios\": {\"PyTorch\": 0}}", "ratio to \"PyTorch\", expected a number above 0"},
        {"{" PART ", \"section\": \"stpe\", \"median\": 1, \"spread\": 0, \"unit\": \"ms\", \"ratios\": {}}",
         "section \"stpe\", expected one of step memory decode "},
        {"{" PART ", \"section\": \"step\", \"error\": \"x\"}", "an error, expected what was measured"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024], expected[256];
        snprintf(text, sizeof text,
                 "{" WHOLE ", \"ratios\": {\"A\": 1e-2, \"B\": 2}, \"later\": true}\n\n%s\n", cases[i][0]);
        put("file", text);
        ck_assert_int_eq(try(COMPARE "--against file"), 2);
        snprintf(expected, sizeof expected, "bench/compare: file, line 3: %s", cases[i][1]);
        ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "%s\nnot\n%s", said, expected);
        ck_assert_int_eq(count_lines(said), 1);
    }
    put("file", "\n");
    ck_assert_int_eq(try(COMPARE "--against file"), 2);
    ck_assert_str_eq(said, "bench/compare: file has no row\n");
    ck_assert_int_eq(try(COMPARE "--against nowhere"), 2);
    ck_assert_str_eq(
        said, "bench/compare: --against takes a file as in bench/history, and there is no \"nowhere\"\n");
    ck_assert_int_eq(try(COMPARE "--against"), 2);
    ck_assert_int_eq(try("ls asked"), 2); /* nothing was measured */
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, set_the_stage, clear_the_stage);
    tcase_add_test(tc, recorded);
    tcase_add_test(tc, recorded_commit);
    tcase_add_test(tc, the_rule);
    tcase_add_test(tc, memory_and_machines);
    tcase_add_test(tc, rows_that_are_measured);
    tcase_add_test(tc, malformed);
}

TL_TEST_MAIN("bench: history")
