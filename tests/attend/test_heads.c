/* attend heads as a user runs it: the table, its order, the file and the picture agree; every option has an effect. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "trials.h"

#define HEADS "$T heads --pair en-fr --most 12 --quiet"

/* Rows of the CSV for an awk `program`; fields by name: v["importance"]. */
static void csv(const char *program) {
    char line[2048];
    snprintf(line, sizeof line,
             "awk -F, 'NR==1 {for (i = 1; i <= NF; i++) name[i] = $i; next} {for (i = 1; i <= NF; i++) "
             "v[name[i]] = $i} %s' "
             "$D/t.csv",
             program);
    sh(line);
}

START_TEST(the_table_and_its_file) {
    sh(HEADS " --ablate both --csv $D/t.csv > $D/table.txt; cat $D/table.txt");
    assert_contains(out, "12 sentences, loss ");
    assert_contains(out, "encoder.layers.0.self ");
    assert_contains(out, "decoder.layers.1.cross ");
    assert_contains(out, "Positional: 0 of 24 heads");
    assert_contains(out, "ranks like");
    char *said = strdup(out);
    csv("{printf \"%s %d %.3f %+.4f\\n\", v[\"attention\"], v[\"head\"], v[\"importance\"], v[\"loss_zero\"] "
        "- v[\"loss\"]}");
    ck_assert_int_eq(count_lines(out), 24);
    for (char *at = out, row[256]; sscanf(at, "%255[^\n]", row) == 1; at += strlen(row) + 1) {
        char attention[64], importance[16], growth[16], head[16], expected[128];
        must(sscanf(row, "%63s %15s %15s %15s", attention, head, importance, growth) == 4);
        snprintf(expected, sizeof expected, "%s", attention);
        /* the head's line in the table */
        const char *line = said;
        bool found = false;
        for (; line && !found; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
            char a[64], h[16], i[16];
            if (*line == '\n' || sscanf(line, "%63s %15s %15s", a, h, i) != 3 || strcmp(a, attention) ||
                strcmp(h, head))
                continue;
            must_msg(!strcmp(i, importance), "%s: %s in the table, %s in the file", row, i, importance);
            const char *end = strchr(line, '\n'), *there = strstr(line, growth);
            must_msg(there && there < end, "%s: the table does not say %s", row, growth);
            found = true;
        }
        must_msg(found, "%s is not in the table", row);
    }
    free(said);
    csv("{n += v[\"importance\"] ^ 2} END {if (n < 5.999 || n > 6.001) exit 1}"); /* six attentions, norm 1 each */
}
END_TEST

START_TEST(the_order) {
    sh(HEADS " --sort importance --csv $D/t.csv");
    csv("NR > 2 && v[\"importance\"] > last {exit 1} {last = v[\"importance\"]}");
    sh(HEADS " --ablate mean --sort loss --csv $D/t.csv");
    csv("NR > 2 && v[\"loss_mean\"] > last {exit 1} {last = v[\"loss_mean\"]}");
    sh(HEADS " --csv $D/t.csv");
    csv("NR > 2 && v[\"head\"] == last {exit 1} {last = v[\"head\"]} v[\"loss_zero\"] != \"nan\" {exit 1}");
    csv("NR == 2 && (v[\"attention\"] != \"encoder.layers.0.self\" || v[\"head\"] != 0) {exit 1}");
    sh("cp $D/t.csv $D/by-sentence.csv; " HEADS " --per-token --csv $D/t.csv");
    ck_assert(!same_files("t.csv", "by-sentence.csv"));
    ck_assert_int_eq(try(HEADS " --sort loss"), 2);
    assert_contains(err, "--ablate");
    ck_assert_int_eq(try(HEADS " --sort size"), 2);
    ck_assert_int_eq(try(HEADS " --csv $D/no/t.csv"), 1);
    ck_assert_int_eq(try(HEADS " --svg $D/no/t.svg"), 1);
}
END_TEST

/* A square for each head in each row of panels, with the same numbers. */
START_TEST(the_picture) {
    sh(HEADS " --ablate zero --csv $D/t.csv --svg $D/p.svg; grep -o '<title>' $D/p.svg | wc -l");
    assert_contains(out, "\n48\n");
    sh("grep -c 'encoder.layers.1.self head 1' $D/p.svg");
    ck_assert_int_eq(atoi(out), 2);
    csv("v[\"attention\"] == \"encoder.layers.1.self\" && v[\"head\"] == 1 {printf \"%.4g\", "
        "v[\"importance\"]}");
    char expected[128];
    snprintf(expected, sizeof expected, "<title>encoder.layers.1.self head 1: %s</title>", out);
    char *picture = get_file(in_folder("p.svg"), NULL);
    assert_contains(picture, expected);
    assert_contains(picture, "decoder self");
    ck_assert_str_eq(picture + strlen(picture) - 7, "</svg>\n");
    free(picture);
    sh(HEADS " --svg $D/p.svg; grep -o '<title>' $D/p.svg | wc -l");
    assert_contains(out, "\n24\n");
}
END_TEST

/* An untrained model is wrong most of the time, so four sentences are enough for a score. */
static const trial trials[] = {
    {"model", NULL, ELSEWHERE, NULL},   {"weights", NULL, ELSEWHERE, NULL},
    {"fresh", NULL, ELSEWHERE, NULL},   {"pair", "en-zh", CHANGES, "--pair en-fr"},
    {"test", NULL, ELSEWHERE, NULL},    {"most", "3", CHANGES, NULL},
    {"per-token", NULL, CHANGES, NULL}, {"ablate", "zero", CHANGES, NULL},
    {"ablate", "mean", CHANGES, NULL},  {"ablate", "both", CHANGES, "--ablate zero"},
    {"score", NULL, CHANGES, NULL},     {"sort", "importance", CHANGES, NULL},
    {"csv", "$D/t.csv", SAME, NULL},    {"svg", "$D/p.svg", SAME, NULL},
    {"threads", "2", SAME, NULL},       {"quiet", NULL, SAME, NULL}};

START_TEST(every_option) { TRY_OPTIONS("heads", "$T heads --pair en-fr --most 4", trials); }
END_TEST

/* Opens a run by its folder, its weights before training, and a file to test on. */
START_TEST(runs) {
    char *picture;
    sh("B=$(dirname $T); printf 'the dog sleeps\\tle chien dort\\nthe cat sleeps\\tle chat dort\\nthe dog "
       "eats\\tle chien mange\\n' "
       "> $D/pairs.tsv && OMP_NUM_THREADS=1 $B/translate train --train $D/pairs.tsv --valid $D/pairs.tsv "
       "--units words --min-count 1 "
       "--preset toy --steps 10 --quiet --out $D/run && head -n 2 $D/pairs.tsv > $D/two.tsv && "
       "$T heads --model $D/run > $D/1.txt && $T heads --model $D/run --fresh > $D/2.txt && "
       "$T heads --model $D/run --weights last > $D/3.txt && $T heads --model $D/run --test $D/two.tsv > "
       "$D/4.txt; "
       "cat $D/1.txt $D/4.txt");
    ck_assert(!same_files("1.txt", "2.txt") && !same_files("1.txt", "4.txt"));
    assert_contains(out, "3 sentences, loss");
    assert_contains(out, "2 sentences, loss");
    ck_assert_ptr_null(strstr(out, "align.")); /* the true alignments are not known */
    ck_assert_int_eq(try("$T heads --model $D/no"), 1);
    sh("mv $D/two.tsv $D/'<b>&.tsv' && $T heads --model $D/run --test $D/'<b>&.tsv' --quiet --svg $D/p.svg");
    picture = get_file(in_folder("p.svg"), NULL);
    assert_contains(picture, "/&#60;b&#62;&#38;.tsv, 2 sentences, loss");
    ck_assert_ptr_null(strstr(picture, "<b>"));
    free(picture);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_table_and_its_file);
    tcase_add_test(tc, the_order);
    tcase_add_test(tc, the_picture);
    tcase_add_test(tc, every_option);
    tcase_add_test(tc, runs);
}

TL_TEST_MAIN("attend: heads")
