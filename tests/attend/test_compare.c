/* attend compare as a user runs it: tables, files and pictures agree; every option has an effect; runs that cannot
 * be compared are refused with the difference. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "trials.h"

#define SMALL                                                                                         \
 " --preset toy --d-model 16 --heads 2 --layers 1 --d-ff 16 --batch-tokens 256 --lr 0.02 --warmup 5 " \
 "--steps 20"                                                                                         \
 " --validate-every 10 --average 2 --threads 1 --quiet"
#define TRANSLATE                                                                                   \
 "$(dirname $T)/translate train --train $RUNS/c/train.tsv --valid $RUNS/c/valid.tsv --units words " \
 "--pretokenize none" SMALL
#define COMPARE "$T compare --model $D/a --quiet"

/* Two runs with different seeds, whose best weights are not their last; a list of sentences. Made once. */
static scratch runs;
static void make_runs(void) {
    enter_all();
    enter_folder();
    runs = scratch_within(&all, "runs");
    setenv("RUNS", runs.folder, 1);
    no_gnuplot();
    sh("$(dirname $T)/translate corpus --out $RUNS/all --sentences 300 > $RUNS/said && mkdir $RUNS/c && head "
       "-n 300 $RUNS/all/train.tsv > "
       "$RUNS/c/train.tsv && head -n 40 $RUNS/all/valid.tsv > $RUNS/c/valid.tsv");
    sh(TRANSLATE " --out $RUNS/a && " TRANSLATE " --seed 3 --out $RUNS/b");
    sh("printf 'the cats sleep .\\tles chats dorment .\\nthe dog eats .\\tle chien mange .\\n' > "
       "$RUNS/t.tsv");
    leave_folder();
    out = err = NULL;
}
static void remove_runs(void) {
    scratch_remove(&runs);
    leave_all();
}
static void enter(void) {
    enter_folder();
    sh("ln -s $RUNS/a $RUNS/b $RUNS/t.tsv $D");
}

/* ---- heads of one sentence ---- */

START_TEST(one_sentence) {
    sh(COMPARE
       " --with $D/b --source 'the cats sleep .' --target 'les chats dorment .' --maps 6 --csv $D/t.csv");
    assert_contains(out, "A is ");
    assert_contains(out, "/a (best), B is ");
    assert_contains(out, "They began with different seeds");
    assert_contains(out, "target  les chats dorment .\n");
    char *said = strdup(out);
    sh("cat $D/t.csv");
    ck_assert_int_eq(count_lines(out), 1 + 2 * (5 * 5 + 5 * 5 + 5 * 5));
    assert_contains(out, "attention,head,query,key,query_token,key_token,blocked,a,b,difference\n");
    assert_contains(out, "\ndecoder.layers.0.self,1,0,1,les,les,causal,0,0,0\n");
    /* the table's mean and largest differences are those of the file; the maps' cells are the file's numbers in
     * hundredths */
    sh("awk -F, 'NR > 1 && $7 == \"\" {d = $10 < 0 ? -$10 : $10; n[$1\" \"$2]++; s[$1\" \"$2] += d; if (d > "
       "m[$1\" \"$2]) "
       "m[$1\" \"$2] = d} END {for (h in n) {split(h, k, \" \"); printf \"%s %s %.4f %.4f\\n\", k[1], k[2], "
       "s[h]/n[h], "
       "m[h]}}' $D/t.csv");
    ck_assert_int_eq(count_lines(out), 6);
    for (char *at = out, row[256]; sscanf(at, "%255[^\n]", row) == 1; at += strlen(row) + 1) {
        char name[64], head[8], mean[16], most[16], expected[128];
        must(sscanf(row, "%63s %7s %15s %15s", name, head, mean, most) == 4);
        snprintf(expected, sizeof expected, "%-28s %4s", name, head);
        const char *line = strstr(said, expected);
        must_msg(line != NULL, "no line \"%s\" in\n%s", expected, said);
        must_msg(strstr(line, mean) && strstr(line, mean) < strchr(line, '\n'), "%s: not in\n%s", row, said);
        must_msg(strstr(line, most) && strstr(line, most) < strchr(line, '\n'), "%s: not in\n%s", row, said);
    }
    assert_contains(said, "\nencoder.layers.0.self, head ");
    assert_contains(said, "columns are 0 the 1 cats 2 sleep 3 . 4 <eos>\n");
    free(said);
    sh("awk -F, '$1 == \"decoder.layers.0.cross\" && $2 == 1 && $3 == 2 {printf \"%d %d %+d\\n\", $8 * 100 + "
       "0.5, $9 * 100 + "
       "0.5, $10 < 0 ? $10 * 100 - 0.5 : $10 * 100 + 0.5}' $D/t.csv > $D/cells; " COMPARE
       " --with $D/b --source 'the cats sleep .' --target 'les chats dorment .' --maps 6 | "
       "awk '/^decoder.layers.0.cross, head 1/ {on = 1} on && $1 == \"dorment\" {gsub(/·/, \"0\"); for (j = "
       "0; j < 5; j++) "
       "print $(3 + j), $(9 + j), $(15 + j) == 0 ? \"+0\" : $(15 + j); exit}' > $D/said; diff $D/cells "
       "$D/said");
}
END_TEST

/* Maps that are too wide for a terminal side by side are printed one below the other. */
START_TEST(wide_maps) {
    sh(COMPARE " --with $D/b --maps 1 --source 'the cats sleep . the cats sleep . the cats sleep .' > "
               "$D/wide; grep -c '|A *$' "
               "$D/wide; grep -c '|B - A$' $D/wide");
    ck_assert_str_eq(out, "1\n1\n");
}
END_TEST

START_TEST(nothing_differs) {
    sh(COMPARE " --with $D/a --maps 6");
    assert_contains(out, "All weights of both are the same, to the bit.\n");
    ck_assert_ptr_null(strstr(out, "hundredths"));
    ck_assert_ptr_null(strstr(out, "different seeds"));
    static const char *const same[] = {" --weights average --with-weights average", " --fresh --with-fresh"},
                             *const others[] = {" --with-weights average", " --with-fresh",
                                                " --fresh --with $D/a"};
    for (int i = 0; i < 2; i++) {
        char line[256];
        snprintf(line, sizeof line, COMPARE "%s", same[i]);
        sh(line);
        assert_contains(out, "All weights of both are the same, to the bit.\n");
    }
    for (int i = 0; i < 3; i++) {
        char line[256];
        snprintf(line, sizeof line, COMPARE "%s", others[i]);
        sh(line);
        must_msg(!strstr(out, "are the same"), "%s: nothing differs", line);
    }
}
END_TEST

/* ---- a test set ---- */

START_TEST(heads_over_a_set) {
    sh(COMPARE " --with-fresh --most 30 --csv $D/t.csv");
    assert_contains(out, "B is ");
    assert_contains(out, "/a (before training)");
    assert_contains(out, "On 30 sentences: ");
    sh("awk -F, 'NR > 2 && $4 > last {exit 1} {last = $4} END {print NR}' $D/t.csv");
    ck_assert_str_eq(out, "7\n");
    sh(COMPARE " --with-fresh --most 30 --by absolute --top 1 --csv $D/t.csv > $D/said; awk -F, 'NR > 2 && "
               "$5 > last {exit 1} "
               "{last = $5} END {print NR}' $D/t.csv; grep -c layers $D/said");
    ck_assert_str_eq(out, "7\n1\n");
    sh(COMPARE " --with-weights last --test $D/t.tsv");
    assert_contains(out, "On 2 sentences: ");
}
END_TEST

START_TEST(offsets) {
    sh(COMPARE " --with $D/b --offsets 3 --most 30 --csv $D/t.csv --svg $D/t.svg");
    assert_contains(out, "B - A: mean weight on the token so many places after the row's own\n");
    assert_contains(out, " -3   -2   -1   +0   +1   +2   +3 beyond\n");
    /* decoder self-attention sees nothing to its right; a column of six others has seven offsets */
    sh("awk -F, 'NR > 1 {n[$1]++; if ($7 - ($6 - $5) > 1e-9 || $7 - ($6 - $5) < -1e-9) exit 1} END {print "
       "n[\"encoder.layers.0.self\"], n[\"decoder.layers.0.self\"], n[\"decoder.layers.0.cross\"]}' "
       "$D/t.csv");
    ck_assert_str_eq(out, "14 8 14\n");
    sh("grep -c '<path fill=\"none\"' $D/t.svg; grep -c stroke-dasharray $D/t.svg; grep -c "
       "'font-weight=\"bold\"' $D/t.svg; "
       "grep -c 'nan' $D/t.svg || true; python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "
       "$D/t.svg");
    ck_assert_str_eq(out, "12\n6\n3\n0\n");
    sh(COMPARE " --offsets 3 --test $D/t.tsv --csv $D/t.csv; head -n 1 $D/t.csv");
    assert_contains(out, "Over 2 sentences: ");
    assert_contains(out, "\nattention,head,offset,rows,a\n");
    ck_assert_ptr_null(strstr(out, "B - A"));
}
END_TEST

START_TEST(extremes) {
    sh(COMPARE " --extreme decoder.layers.0.cross.1 --statistic largest --most 40 --csv $D/high.csv");
    assert_contains(out, "decoder.layers.0.cross, head 1: the largest weight of a row\n");
    assert_contains(out, "; highest first:\n");
    ck_assert_int_eq(count_lines(out), 3 + 5 * 3);
    sh(COMPARE " --extreme decoder.layers.0.cross.1 --statistic largest --lowest --most 40 --csv $D/low.csv "
               "> $D/said");
    sh("wc -l < $D/low.csv; awk -F, 'NR > 2 && $2 < last {exit 1} {last = $2}' $D/low.csv; sort $D/low.csv > "
       "$D/l; sort "
       "$D/high.csv | diff - $D/l && tail -n 1 $D/high.csv > $D/l; sed -n 2p $D/low.csv | diff - $D/l");
    ck_assert_str_eq(out, "41\n");
    sh(COMPARE " --with $D/b --extreme decoder.layers.0.self.0 --statistic distance --test $D/t.tsv --csv "
               "$D/two.csv; cat "
               "$D/two.csv");
    assert_contains(out, "the mean of B - A is ");
    assert_contains(out, "sentence,a,b,difference,source,target\n");
    assert_contains(out, ",the dog eats .,le chien mange .\n");
}
END_TEST

/* ---- what is refused ---- */

static void refuses(const char *command, int status, const char *why) {
    const int found = try(command);
    must_msg(found == status && strstr(err, why), "%s: status %d, \"%s\", should say \"%s\"", command, found,
             err, why);
}

START_TEST(refusals) {
    refuses(COMPARE, 2, "compared with what? Give --with DIR, --with-weights or --with-fresh");
    refuses(COMPARE " --with $D/b --offsets 3 --extreme decoder.layers.0.self.0", 2, "ask for one");
    refuses(COMPARE " --with $D/b --most 3 --source x", 2, "leave out --source and --target");
    refuses(COMPARE " --with $D/b --svg $D/x.svg", 2, "--svg draws --offsets");
    refuses(COMPARE " --with $D/b --lowest", 2, "are of --extreme");
    refuses(COMPARE " --with-fresh --with-weights last", 2, "leave out --with-weights");
    refuses("$T compare --pair en-fr --with-fresh", 2, "--pair is a model without a run");
    refuses(COMPARE " --with $D/nothing", 1, "nothing");
    refuses(COMPARE " --offsets 101", 1, "at most 100 are told apart");
    refuses(COMPARE " --extreme decoder.layers.0.cross", 1,
            "say an attention's name, a dot, and a head from 0 to 1");
    refuses(COMPARE " --extreme decoder.layers.0.cross.2", 1, "as in decoder.layers.0.cross.0");
    refuses(COMPARE " --extreme \"$(printf 'a\\033b.1')\"", 1, "a\\x1bb.1");
    sh(TRANSLATE " --heads 4 --out $D/four && "
                 "$(dirname $T)/translate train --pair en-zh --sentences 300 --steps 1 --out $D/zh" SMALL);
    refuses(COMPARE " --with $D/four", 1,
            "heads of encoder self-attention, layer 0: 2 in one model and 4 in the other");
    refuses(COMPARE " --with $D/zh", 1, "the source vocabularies differ");
    sh("$(dirname $T)/lm train --made en --sentences 40 --preset toy --d-model 8 --steps 1 --out $D/lm "
       "--quiet");
    refuses(COMPARE " --with $D/lm", 1, "one run is translate's and the other lm's");
}
END_TEST

/* ---- every option ---- */

START_TEST(options) {
    static const trial trials[] = {
        {"model", "$D/b", CHANGES, NULL},
        {"weights", "last", CHANGES, NULL},
        {"fresh", NULL, CHANGES, NULL},
        {"pair", "en-zh", ELSEWHERE, NULL},
        {"with", "$D/a", CHANGES, NULL},
        {"with-weights", "last", CHANGES, NULL},
        {"with-fresh", NULL, CHANGES, NULL},
        {"source", "'the dog eats .'", CHANGES, NULL},
        {"target", "'le chien mange .'", CHANGES, "--source 'the dog eats .'"},
        {"test", "$D/t.tsv", CHANGES, "--most 20"},
        {"most", "3", CHANGES, "--most 20"},
        {"by", "absolute", CHANGES, "--maps 0 --by divergence"},
        {"top", "2", CHANGES, NULL},
        {"maps", "0", CHANGES, NULL},
        {"offsets", "2", CHANGES, "--most 20"},
        {"extreme", "decoder.layers.0.cross.0", CHANGES, "--most 20"},
        {"statistic", "first", CHANGES, "--most 20 --extreme decoder.layers.0.cross.0"},
        {"lowest", NULL, CHANGES, "--most 20 --extreme decoder.layers.0.cross.0"},
        {"csv", "$D/x.csv", SAME, NULL},
        {"svg", "$D/x.svg", SAME, "--offsets 2 --most 20"},
        {"threads", "2", SAME, NULL},
        {"quiet", NULL, SAME, NULL}};
    TRY_OPTIONS("compare", "$T compare --model $D/a --with $D/b", trials);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, make_runs, remove_runs);
    tcase_add_checked_fixture(tc, enter, leave_folder);
    tcase_add_test(tc, one_sentence);
    tcase_add_test(tc, wide_maps);
    tcase_add_test(tc, nothing_differs);
    tcase_add_test(tc, heads_over_a_set);
    tcase_add_test(tc, offsets);
    tcase_add_test(tc, extremes);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, options);
}

TL_TEST_MAIN("attend: compare")
