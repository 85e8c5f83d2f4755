/* The program build/study with tiny trainings: its files, columns, pictures and options. A job that is finished is not
 * repeated, also after the program was killed or interrupted. */
#define _XOPEN_SOURCE 700
#define PROGRAM "study"
#include "translate/program.h"

#include "../../examples/study/study.h"

#define TINY "$T all --tiny --quiet --out $D/out --page $D/page "

static bool has_gnuplot(void) { return try("gnuplot --version") == 0; }

/* A claim that needs double is measured by the double build's program, if this build is float; that program may be
 * missing. */
static bool is_measured(const claim *c) {
    if (!c->doubles || sizeof(tl_real) == sizeof(double)) return true;
    if (try("test -x \"$(dirname \"$T\")/double/study\" -o -x \"$(dirname \"$T\")-double/study\"") == 0)
        return true;
    TL_SKIP("%s is computed in double, and the double program is missing", c->name);
    return false;
}

static void check_claim(const claim *c, bool pictures) {
    char file[128];
    numbers n = {.row = NULL};
    finding findings[RULES_MOST];
    tl_error error = {""};
    snprintf(file, sizeof file, "page/study/%s.csv", c->name);
    ck_assert_msg(numbers_read(&n, in_folder(file), &error), "%s", error.message);
    ck_assert_int_gt(n.count, 0);
    for (int p = 0; p < c->panel_count; p++) { /* all numbers of the picture were measured */
        bool there = false;
        for (long i = 0; i < n.count; i++) there |= !strcmp(n.row[i].what, c->panels[p].what);
        ck_assert_msg(there, "%s: no \"%s\" to draw", c->name, c->panels[p].what);
        for (int k = 0; k < PANEL_ARMS && c->panels[p].arms[k]; k++) {
            bool drawn = false;
            for (long i = 0; i < n.count; i++)
                drawn |=
                    !strcmp(n.row[i].what, c->panels[p].what) && !strcmp(n.row[i].arm, c->panels[p].arms[k]);
            ck_assert_msg(drawn, "%s: no \"%s\" of arm \"%s\"", c->name, c->panels[p].what,
                          c->panels[p].arms[k]);
        }
    }
    for (int w = 0; w < 6 && c->shown[w]; w++) {
        bool there = false;
        for (long i = 0; i < n.count; i++) there |= !strcmp(n.row[i].what, c->shown[w]);
        ck_assert_msg(there, "%s: no \"%s\" to show", c->name, c->shown[w]);
    }
    if (!strcmp(c->name, "heads")) /* untrained weights are random, not zero */
        ck_assert_double_gt(numbers_get(&n, "4 heads", 0, "divergence untrained", 0), 0);
    claim_judge(c, &n, findings);
    for (int r = 0; r < c->rule_count; r++) /* with one seed intervals are infinite */
        ck_assert_msg(findings[r].interval.n == 1 && findings[r].verdict == UNDECIDED, "%s: rule %d", c->name,
                      r);
    numbers_free(&n);
    snprintf(file, sizeof file, "page/study/%s.svg", c->name);
    if (pictures) {
        char *svg = get_file(in_folder(file), NULL);
        assert_contains(svg, "</svg>");
        free(svg);
    }
}

START_TEST(all_claims) {
    const bool pictures = has_gnuplot();
    if (!pictures) TL_SKIP("there is no gnuplot to draw with");
    sh(TINY);
    char *page = get_file(in_folder("page/study.md"), NULL),
         *chinese = get_file(in_folder("page/study.zh-CN.md"), NULL),
         *records = get_file(in_folder("page/study/record.csv"), NULL), text[256];
    for (int i = 0; claims[i]; i++) {
        snprintf(text, sizeof text, "\n## %s\n", claims[i]->title.en);
        assert_contains(page, text);
        snprintf(text, sizeof text, "\n## %s\n", claims[i]->title.zh);
        assert_contains(chinese, text);
        if (claims[i]->needs_data || !is_measured(claims[i])) continue;
        check_claim(claims[i], pictures);
        snprintf(text, sizeof text, "\n%s,tiny,1,", claims[i]->name);
        assert_contains(records, text);
    }
    assert_contains(page, "**Measured with the budget \"tiny\"");
    free(page), free(chinese), free(records);
    /* The same command again finds all jobs finished and writes the same pages. */
    sh("cp -r $D/page $D/before; wc -l < $D/out/jobs.csv > $D/lines; " TINY " > $D/said");
    sh("wc -l < $D/out/jobs.csv | diff - $D/lines && diff -r $D/page $D/before");
}
END_TEST

START_TEST(the_list) {
    sh("$T list");
    for (int i = 0; claims[i]; i++) {
        assert_contains(out, claims[i]->name);
        assert_contains(out, claims[i]->title.en);
        ck_assert(claim_named(claims[i]->name) == claims[i]);
    }
    ck_assert_ptr_null(claim_named("none"));
    sh("$T --help");
    for (int i = 0; claims[i]; i++) assert_contains(out, claims[i]->name);
    ck_assert_int_eq(try("$T nonsense"), 2);
    assert_contains(err, "there is no command \"nonsense\"");
}
END_TEST

#define ONE "$T causal --tiny --quiet --out $D/"

#ifndef TL_SANITIZED

/* ---- after a kill or an interrupt, the same command continues and gets the same numbers ---- */

START_TEST(continued_after_a_kill) {
    sh(ONE "whole --jobs 1");
    for (int k = 0; k < 3; k++) {
        char command[512];
        snprintf(command, sizeof command,
                 "(%s $D/killed%d --jobs 2 & echo $! > $D/pid; sleep 0.%d; kill -9 $(cat $D/pid)) || true; "
                 "sleep 0.2",
                 "$T causal --tiny --quiet --out", k, 1 + 2 * k);
        try(command);
        snprintf(command, sizeof command,
                 "%s $D/killed%d --jobs 2; cmp $D/whole/study/causal.csv $D/killed%d/study/causal.csv",
                 "$T causal --tiny --quiet --out", k, k);
        sh(command);
    }
}
END_TEST

START_TEST(interrupted) {
    ck_assert_int_eq(try("$T causal --quick --quiet --out $D/run & sleep 1; kill -INT $!; wait $!"), 130);
    assert_contains(err, "Interrupted. The same command goes on");
    ck_assert_int_eq(try("test -e $D/run/study/causal.csv"), 1);
    ck_assert_int_eq(try("pgrep -f \"out $D/run\" "), 1); /* no worker is left */
}
END_TEST

/* `study page` makes the same pages and pictures from numbers and records only. */
START_TEST(pages_anew) {
    sh(ONE
       "run; mkdir $D/copy; cp -r $D/run/study $D/copy/study; rm -f $D/copy/study/*.gp $D/copy/study/*.svg");
    sh("$T page --page $D/copy; diff $D/run/study.md $D/copy/study.md; diff $D/run/study.zh-CN.md "
       "$D/copy/study.zh-CN.md; diff -r $D/run/study $D/copy/study");
}
END_TEST

#endif

/* ---- options ---- */

START_TEST(options) {
    static const char *const tried[] = {"out",   "page", "data",  "quick", "tiny",
                                        "trial", "jobs", "quiet", "help"};
    sh("$T causal --help | sed -n 's/^  --\\([a-z-]*\\).*/\\1/p' > $D/options");
    char *list = get_file(in_folder("options"), NULL), name[32];
    for (char *at = list; sscanf(at, "%31s", name) == 1; at = strchr(at, '\n') + 1) {
        bool there = false;
        for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) there |= !strcmp(tried[i], name);
        ck_assert_msg(there, "no test tries --%s", name);
    }
    free(list);
    sh(ONE "one --jobs 1"); /* --out, which also has the page */
    sh("test -s $D/one/study.md && cat $D/one/study.md");
    sh(ONE "one --page $D/elsewhere; cmp $D/one/study.md $D/elsewhere/study.md");
    /* more jobs than can begin at once */
    sh(ONE "many --jobs 8; cmp $D/one/study/causal.csv $D/many/study/causal.csv");
    sh(ONE "two --jobs 2; cmp $D/one/study/causal.csv $D/two/study/causal.csv");
    sh(ONE "three --data $D; cmp $D/one/study/causal.csv $D/three/study/causal.csv");
    sh(ONE "trial --trial; cat $D/trial/study.md");
    assert_contains(out, "**Measured with the budget \"tiny trial\"");
    ck_assert_int_eq(try("cmp $D/one/study/causal.csv $D/trial/study/causal.csv"), 1);
    sh("cat $D/trial/jobs.csv");
    assert_contains(out, ",causal,causal mask,1001,");
    ck_assert_int_eq(try(ONE "x --quick"), 2); /* `interrupted` tries --quick */
    assert_contains(err, "--quick or --tiny, not both");
    sh("$T causal --tiny --out $D/loud");
    assert_contains(out, "95 % interval");
    assert_contains(out, "The pages are in ");
}
END_TEST

START_TEST(errors) {
    put_text(in_folder("file"), "x");
    ck_assert_int_eq(try("$T causal --tiny --quiet --out $D/file"), 1);
    assert_contains(err, "cannot be made");
    ck_assert_int_eq(try("$T causal --jobs two"), 2);
    sh("mkdir -p $D/bad/study; echo 'arm;seed' > $D/bad/study/causal.csv");
    ck_assert_int_eq(try("$T page --page $D/bad"), 1);
    assert_contains(err, "not numbers of a study");
    sh("rm $D/bad/study/causal.csv; echo nothing > $D/bad/study/record.csv");
    ck_assert_int_eq(try(ONE "out --page $D/bad"), 1);
    assert_contains(err, "not the records of a study");
    for (int i = 0; claims[i]; i++)
        if (claims[i]->needs_data) {
            char command[256];
            snprintf(command, sizeof command, "$T %s --tiny --quiet --out $D/data", claims[i]->name);
            ck_assert_int_eq(try(command), 2);
            assert_contains(err, "give --data DIR");
        }
    /* if a run cannot be trained, the error names the job */
    sh("rm -rf $D/out; mkdir -p $D/out/runs; " ONE
       "out --jobs 1 && rm -rf $D/out/measured $D/out/runs/*/at-* && "
       "for run in $D/out/runs/*; do echo broken > $run/checkpoint.safetensors; done");
    ck_assert_int_eq(try(ONE "out --jobs 1"), 1);
    assert_contains(err, "training for causal, ");
    assert_contains(err, ", seed 1: ");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, all_claims);
    tcase_add_test(tc, the_list);
    tcase_add_test(tc, options);
    tcase_add_test(tc, errors);
#ifndef TL_SANITIZED /* with sanitizers these take ten times as long and show nothing more */
    tcase_add_test(tc, continued_after_a_kill);
    tcase_add_test(tc, interrupted);
    tcase_add_test(tc, pages_anew);
#endif
}

TL_TEST_MAIN("study: the command line")
