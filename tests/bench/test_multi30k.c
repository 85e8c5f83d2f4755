/* From Multi30k to its score: data in their forms, what is asked of the translator, seeds that are finished, interrupted and
 * killed, the row and the table. The translator is played by a shell script that writes down what it is asked and answers what
 * the test wants, but for the plumbing, which is tried with the real one. */
#define _XOPEN_SOURCE 700
#include "build/tree.h"

/* Seed S's answers: $D/updates.S, $D/score.S and $D/status.S (taken once), otherwise 57, 41.00 and 0. */
static const char player[] =
    "#!/bin/sh\n"
    "echo \"$*\" >>$D/asked\n"
    "command=$1 dir= weights= out= seed=\n"
    "while [ $# -gt 0 ]; do\n"
    "    case $1 in\n"
    "    --out) out=$2 ;; --model | --resume) dir=$2 ;; --weights) weights=$2 ;;\n"
    "    esac\n"
    "    shift\n"
    "done\n"
    "dir=${dir:-$out} seed=${dir%/run} seed=${seed##*-}\n"
    "of() { cat $D/$1.$seed 2>/dev/null || echo $2; }\n"
    "if [ $command = train ]; then\n"
    "    mkdir -p $dir; : >$dir/checkpoint.safetensors\n"
    "    status=$(of status 0); rm -f $D/status.$seed\n"
    "    [ $status -ne 9 ] || kill -9 $PPID\n"
    "    [ $status -eq 0 ] || exit $status\n"
    "    updates=$(of updates 57)\n"
    "    echo step,epoch,seconds,bleu >$dir/log.csv\n"
    "    echo 1,0,1,0 >>$dir/log.csv\n"
    "    echo $updates,$((updates / 57)),9,40 >>$dir/log.csv\n"
    "    echo '2 pairs to train on; 7 parameters; float, played'\n"
    "    echo \"Ended: so it is, and more. The run is in $dir: best validation (update 55, BLEU 39.00).\"\n"
    "else\n"
    "    [ ! -f $D/evaluate.fails ] || exit 7\n"
    "    score=$(of score 41.00)\n"
    "    [ $weights = average ] || score=40.50\n"
    "    while read -r line; do echo \"${line#*\t}\"; done <$D/out/data/test.tsv >$out\n"
    "    echo \"BLEU|tok:none|version:played = $score 71.4/47.5 (BP = 0.989 ratio = 0.989)\"\n"
    "    echo \"chrF2|nw:0|version:played = 65.47\"\n"
    "fi\n";

static const char data_files[] =
    "mkdir data && cd data && for i in $(seq 300); do printf 'a dog sees %d cats .\\tein hund sieht %d "
    "katzen .\\n' $((i % 7)) $((i % 7)); done >train.tsv && head -n 30 train.tsv >valid.tsv && "
    "head -n 4 valid.tsv >test.tsv";

static void set_the_stage(void) {
    enter_tree();
    sh("cp -r $TOP/bench . && mkdir b");
    sh(data_files);
    put_program("b/translate", player);
    put_program("b/python", "#!/bin/sh\nexit 1\n");
    setenv("BUILD", "b", 1);
    setenv("PYTHON", "b/python", 1);
    unsetenv("OMP_NUM_THREADS");
}
static void clear_the_stage(void) { leave_tree(); }

static void assert_reads(const char *path, const char *text) {
    char command[256];
    snprintf(command, sizeof command, "cat %s", path);
    sh(command);
    ck_assert_str_eq(said, text);
}

/* ---- options ---- */

START_TEST(help) {
    sh("bench/multi30k --help");
    assert_contains(said, "bench/multi30k DATA [--pair en-de|de-en|en-fr] [--seeds \"1 2 3\"]");
    assert_lacks("#");
    sh("bench/multi30k --help >help; sed -n 's/^    \\(--[a-z-]*\\)[ )].*/\\1/p' bench/multi30k | sort -u "
       ">options; "
       "wc -l <options; for name in $(cat options); do grep -q -e \"^$name \" help || echo \"$name is not "
       "there\"; done");
    ck_assert_int_ge(atoi(said), 12);
    assert_lacks("not there"); /* every option is in it */
}
END_TEST

START_TEST(refusals) {
    static const char *const cases[][2] = {
        {"", "where are the data? Give the folder that has train.tsv, valid.tsv and test.tsv"},
        {"data more", "one folder with data, not \"data\" and \"more\"\n"},
        {"data --fast 1", "what is \"--fast\"? --help lists what there is\n"},
        {"data --seeds", "what is \"--seeds\" without a value? --help lists what there is\n"},
        {"data --seeds ''", "--seeds is empty: give one or more, as in --seeds \"1 2 3\"\n"},
        {"data --seeds '1 x'", "--seeds takes a whole number, not \"x\"\n"},
        {"data --seeds '*'", "--seeds takes a whole number, not \"*\"\n"},
        {"data --seeds '4 5 4'", "--seeds names 4 twice\n"},
        {"data --pair en-zh", "--pair is en-de, de-en or en-fr, not \"en-zh\"\n"},
        {"data --precision high", "--precision is highest or medium, not \"high\"\n"},
        {"data --threads two", "--threads takes a whole number, not \"two\"\n"},
        {"data --minutes 1.2.3", "--minutes takes a number, not \"1.2.3\"\n"},
        {"data --steps -1", "--steps takes a whole number, not \"-1\"\n"},
        {"data --steps 0", "--steps 0, --epochs 0: without an end nothing is scored\n"},
        {"data --epochs 0", "--steps 0, --epochs 0: without an end nothing is scored\n"},
        {"data --schedule constant", "--schedule is inverse-sqrt, cosine or linear, not \"constant\"\n"},
        {"data --lr fast", "--lr takes a number, not \"fast\"\n"},
        {"data --warmup x", "--warmup takes a whole number, not \"x\"\n"},
        {"data --batch-tokens 0", "--batch-tokens 0: an update of nothing teaches nothing\n"},
        {"data --patience ''", "--patience takes a whole number, not \"\"\n"},
        {"data --validate-every 1e3", "--validate-every takes a whole number, not \"1e3\"\n"},
        {"data --average 0", "--average 0: the score is that of an average; "},
        {"data --best-by chrf", "--best-by is bleu or loss, not \"chrf\"\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256], expected[256];
        snprintf(command, sizeof command, "bench/multi30k %s", cases[i][0]);
        snprintf(expected, sizeof expected, "bench/multi30k: %s", cases[i][1]);
        ck_assert_msg(try(command) == 2, "%s: %s", command, said);
        ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "%s: %s", command, said);
    }
    ck_assert_int_eq(try("BUILD=empty bench/multi30k data"), 1);
    ck_assert_str_eq(said, "bench/multi30k: empty/translate is not there; run make first\n");
    ck_assert_int_eq(try("ls asked runs"), 2); /* nothing was trained, nothing made */
}
END_TEST

/* The recipe as it is, and each option where it belongs. */
START_TEST(what_is_asked) {
    sh("bench/multi30k data --out out --seeds 3");
    assert_reads(
        "asked",
        "train --train out/data/train.tsv --valid out/data/valid.tsv --out out/seed-3/run --samples 0 --seed "
        "3 "
        "--pretokenize none --joint --tie all --no-final-norm --dropout 0.3 --clip 25 --schedule "
        "inverse-sqrt "
        "--warmup 2000 --lr 0.005 --batch-tokens 8192 --max-length 250 --steps 8000 --patience 10 --average "
        "10 "
        "--validate-every 0 --best-by bleu --matmul-precision highest\n"
        "evaluate --model out/seed-3/run --weights average --test out/data/test.tsv --beam 5 --samples 0 "
        "--out out/seed-3/average.txt\n"
        "evaluate --model out/seed-3/run --weights best --test out/data/test.tsv --beam 5 --samples 0 "
        "--out out/seed-3/best.txt\n");
    sh("rm -r asked out; bench/multi30k --steps 70 --patience 4 --validate-every 114 --average 5 --best-by "
       "loss "
       "--minutes 2.5 --precision medium --threads 2 --quiet --seeds '8 9' data --out out");
    assert_contains(said, "(2021) with --steps 70 --patience 4 --validate-every 114 --average 5 --best-by "
                          "loss --minutes 2.5, matrix precision medium\n");
    sh("cat asked");
    assert_contains(said, " --steps 70 --patience 4 --average 5 --validate-every 114 --best-by loss "
                          "--matmul-precision medium --minutes 2.5 --threads 2 --quiet\nevaluate ");
    assert_contains(said, "--out out/seed-9/best.txt --threads 2 --quiet\n");
    sh("rm -r asked out; bench/multi30k data --out out --quick --seeds 1; cat asked; wc -l "
       "<out/data/train.tsv");
    assert_contains(said, "These are a few updates on a few pairs: the numbers say nothing.\n");
    assert_contains(said, " --steps 4 ");
    assert_contains(said, " --merges 200\nevaluate ");
    assert_contains(said, " --warmup 2 --lr 0.005 --batch-tokens 1024 ");
    assert_contains(said, "\n200\n");
    sh("rm -r asked out; bench/multi30k data --out out --seeds 1 --schedule cosine --epochs 40 --lr 0.003 "
       "--warmup 800 "
       "--batch-tokens 2048; cat asked");
    assert_contains(
        said, "(2021) with --schedule cosine --epochs 40 --lr 0.003 --warmup 800 --batch-tokens 2048, ");
    assert_contains(said, " --schedule cosine --warmup 800 --lr 0.003 --batch-tokens 2048 --max-length 250 "
                          "--epochs 40 --patience 10 ");
    sh("rm -r asked out; bench/multi30k data --out out --seeds 1 --epochs 40 --steps 9 --quick; cat asked");
    assert_contains(said, " --steps 9 --epochs 40 ");
    sh("bench/multi30k data; ls runs");
    assert_contains(said, "(1 of 3), in runs/multi30k-en-de-highest/seed-1\n");
    assert_contains(said, "(3 of 3), in runs/multi30k-en-de-highest/seed-3\n");
}
END_TEST

/* ---- data ---- */

START_TEST(directions) {
    sh("bench/multi30k data --out out --seeds 1 --pair de-en; head -n 1 out/data/valid.tsv");
    assert_contains(said, "ein hund sieht 1 katzen .\ta dog sees 1 cats .\n");
    sh("mkdir set && mv data set/multi30k-de-en && cd set/multi30k-de-en && ../../bench/multi30k . --out o "
       "--seeds 1 2>&1 || true");
    assert_contains(said, "b/translate is not there");
    sh("bench/multi30k set/multi30k-de-en/ --out de --seeds 1 --pair de-en && head -n 1 de/data/test.tsv");
    assert_contains(said, "\na dog sees 1 cats .\tein hund sieht 1 katzen .\n");
    sh("bench/multi30k set/multi30k-de-en/ --out ed --seeds 1 && head -n 1 ed/data/test.tsv");
    assert_contains(said, "\nein hund sieht 1 katzen .\ta dog sees 1 cats .\n");
    ck_assert_int_eq(try("bench/multi30k set/multi30k-de-en --out fr --pair en-fr"), 1);
    ck_assert_str_eq(
        said, "bench/multi30k: set/multi30k-de-en/train.tsv: its folder's name says de-en, and --pair is "
              "en-fr: give a folder of that pair, or one with train.en and train.fr\n");
    sh("mv set/multi30k-de-en set/fr; bench/multi30k set/fr --out fr --pair en-fr --seeds 1");
    assert_contains(said, "Multi30k en-fr, ");
    assert_lacks("Published"); /* that is of en-de */
}
END_TEST

START_TEST(a_file_a_language) {
    sh("mkdir two && cd two && for part in train val test_2016_flickr; do for side in en fr; do "
       "echo \"a dog $side\" >$part.$side; echo \"lower $side\" >$part.lc.norm.tok.$side; done; done; "
       "rm val.lc.norm.tok.fr");
    sh("bench/multi30k two --out out --seeds 1 --pair en-fr");
    sh("head out/data/*.tsv");
    ck_assert_str_eq(said,
                     "==> out/data/test.tsv <==\nlower en\tlower fr\n\n==> out/data/train.tsv <==\nlower "
                     "en\tlower fr\n\n==> out/data/valid.tsv <==\na dog en\ta dog fr\n");
    sh("echo more >>two/train.lc.norm.tok.fr");
    ck_assert_int_eq(try("bench/multi30k two --out more --pair en-fr"), 1);
    ck_assert_str_eq(
        said,
        "bench/multi30k: two/train.lc.norm.tok.en has 1 lines and two/train.lc.norm.tok.fr 2: line by line "
        "they should mean the same\n");
}
END_TEST

START_TEST(missing) {
    ck_assert_int_eq(try("bench/multi30k nowhere"), 1);
    ck_assert_str_eq(
        said, "bench/multi30k: nowhere is not a folder: give the one that has train.tsv, valid.tsv and "
              "test.tsv\n");
    sh("mkdir none");
    ck_assert_int_eq(try("bench/multi30k none"), 1);
    assert_contains(said, "none/train.tsv is not there (English, tab, German), ");
    assert_contains(said, "; there is: nothing\n");
    sh("rm data/valid.tsv; : >data/test.tsv");
    ck_assert_int_eq(try("bench/multi30k data --pair de-en"), 1);
    ck_assert_str_eq(
        said, "bench/multi30k: data/valid.tsv is not there (English, tab, German), nor are valid or val with "
              ".de and .en, each also with .lc.norm.tok before it; there is: test.tsv train.tsv \n");
    sh("cp data/train.tsv data/valid.tsv");
    ck_assert_int_eq(try("bench/multi30k data"), 1);
    ck_assert_str_eq(said, "bench/multi30k: data/test.tsv is empty\n");
    ck_assert_int_eq(try("ls runs"), 2);
}
END_TEST

/* What would make scores incomparable is said before it is trained, and beneath the table. */
START_TEST(cautions) {
    static const char few[] =
        "300 pairs to train on, where Multi30k has 29000; the text has capital letters: ";
    sh("sed -i 's/ein hund/Ein Hund/' data/train.tsv; bench/multi30k data --out out --seeds 1 2>errors");
    assert_contains(said, "\nCaution: ");
    assert_contains(said, few);
    sh("cat errors");
    assert_contains(said, "bench/multi30k: caution: ");
    assert_contains(said, few);
    sh("seq 29000 | sed 's/$/\\teins/' >data/train.tsv; bench/multi30k data --out all --seeds 1");
    assert_lacks("aution");
    assert_contains(said, "\nPublished: 41.02.\n");
}
END_TEST

/* ---- going on ---- */

START_TEST(finished_seeds) {
    sh("bench/multi30k data --out out --seeds '1 2' >first; rm asked; bench/multi30k data --out out --seeds "
       "'1 2' >second");
    assert_contains(said, "bench/multi30k: seed 2 (2 of 2): finished before\n");
    sh("cmp first second");
    ck_assert_int_eq(try("ls asked"), 2); /* nobody was asked */
    sh("bench/multi30k data --out out --seeds '2 3' --threads 1 >third; grep -c train.tsv asked; cut -c 1-8 "
       "out/seeds.csv");
    assert_contains(said, "\n1\npair,see\nen-de,2,\nen-de,3,\n");
    ck_assert_int_eq(try("bench/multi30k data --out out --patience 5"), 1);
    assert_contains(
        said, "bench/multi30k: out was begun with other recipe.txt: say what was said then, or give another "
              "folder (--out)\n");
    assert_contains(said, "--patience 10 ");
    sh("echo 'a\tb' >>data/valid.tsv");
    ck_assert_int_eq(try("bench/multi30k data --out out"), 1);
    assert_contains(said, "bench/multi30k: out was begun with other data: ");
}
END_TEST

START_TEST(an_interrupted_seed) {
    put("status.2", "130\n");
    ck_assert_int_eq(try("bench/multi30k data --out out"), 130);
    assert_contains(said, "training of seed 2 ended with status 130; the same command goes on with it\n");
    sh("echo 600 >out/seed-2/seconds; rm asked; bench/multi30k data --out out; cat asked");
    assert_contains(said, "seed 1 (1 of 3): finished before\n");
    assert_contains(said, "bench/multi30k: going on from its last checkpoint\n");
    assert_contains(said, "\ntrain --resume out/seed-2/run\nevaluate ");
    assert_contains(said, "\n    2       57       1     10.0   41.00 ");
    sh("rm -r out asked; touch evaluate.fails");
    ck_assert_int_eq(try("bench/multi30k data --out out --seeds 5"), 7);
    sh("rm evaluate.fails; bench/multi30k data --out out --seeds 5; grep -c train asked; grep -c train.tsv "
       "asked");
    assert_contains(said, "\n1\n1\n"); /* what is trained is only scored */
}
END_TEST

/* A seed that was killed took as long as until its last checkpoint. */
START_TEST(a_killed_seed) {
    put("status.4", "9\n");
    ck_assert_int_eq(try("bench/multi30k data --out out --seeds 4"), 137);
    sh("echo $(($(cat out/seed-4/began) - 1000)) >out/seed-4/began; "
       "touch -d @$(($(cat out/seed-4/began) + 300)) out/seed-4/run/checkpoint.safetensors; "
       "bench/multi30k data --out out --seeds 4; ls out/seed-4");
    assert_contains(said, "\n    4       57       1      5.0   41.00 ");
    assert_lacks("began");
}
END_TEST

/* ---- the row and the table ---- */

START_TEST(table) {
    sh("for seed in 1 2 3; do echo $((5700 + 57 * seed)) >updates.$seed; done; "
       "echo 41.22 >score.1; echo 40.90 >score.2; echo 41.12 >score.3; "
       "for seed in 1 2 3; do mkdir -p out/seed-$seed; echo $((1500 + 60 * seed)) >out/seed-$seed/seconds; "
       "done");
    sh("bench/multi30k data --out out 2>/dev/null");
    assert_contains(said, " seed  updates  epochs  minutes    BLEU   chrF2  sacreBLEU  best epoch   ended\n");
    assert_contains(
        said,
        "\n    1     5757     101     26.0   41.22   65.47          -       40.50   so it is, and more\n");
    assert_contains(
        said,
        "\n    3     5871     103     28.0   41.12   65.47          -       40.50   so it is, and more\n");
    assert_contains(said, "\n mean     5814     102     27.0   41.08   65.47          -       40.50\n");
    assert_contains(said,
                    "\nseed 2: BLEU|tok:none|version:played = 40.90 71.4/47.5 (BP = 0.989 ratio = 0.989)\n");
    sh("sed 's/,\"[^\"]*\"$//; s/,[0-9-]*$//' out/seeds.csv");
    ck_assert_str_eq(said,
                     "pair,seed,precision,departs,updates,epochs,minutes,ended,bleu,chrf2,sacrebleu,best_"
                     "update,best_bleu,date,machine\n"
                     "en-de,1,highest,\"\",5757,101,26.0,\"so it is, and more\",41.22,65.47,,55,40.50\n"
                     "en-de,2,highest,\"\",5814,102,27.0,\"so it is, and more\",40.90,65.47,,55,40.50\n"
                     "en-de,3,highest,\"\",5871,103,28.0,\"so it is, and more\",41.12,65.47,,55,40.50\n");
    sh("sed -i '3s/played/elsewhere/' out/seeds.csv; awk -f bench/seeds.awk out/seeds.csv");
    assert_contains(
        said, "\nNot all seeds were trained on one machine, or with as many threads: seeds.csv tells.\n");
}
END_TEST

START_TEST(its_own_number) {
    sh("bench/multi30k data --out out --seeds 1");
    assert_contains(said, "not installed, and so left out: sacrebleu's own number\n");
    if (try("python3 -c 'import sacrebleu'") != 0) {
        TL_SKIP("sacrebleu is not installed");
        return;
    }
    sh("PYTHON=python3 bench/multi30k data --out more --seeds 1; cut -d , -f 12 more/seeds.csv");
    assert_lacks("left out");
    assert_contains(said,
                    "   41.00   65.47     100.00       40.50   "); /* the player copies the references */
    assert_contains(said, "\nsacreBLEU: nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:2");
}
END_TEST

/* ---- with the real translator ---- */

START_TEST(plumbing) {
    put_program("b/translate", "#!/bin/sh\necho $$ >$D/pid\nexec \"$TOP/$OUTER/translate\" \"$@\"\n");
    sh("case $OUTER in /*) sed -i 's|$TOP/||' b/translate ;; esac");
    sh("bench/multi30k data --quick --threads 1 --out out --seeds '1 2' --quiet --validate-every 2");
    assert_contains(said, "\n    1        4  ");
    assert_contains(said, "   all steps are done\n");
    assert_contains(said, "\nseed 2: BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = ");
    sh("wc -l <out/seed-2/average.txt; ls out/seed-1/run/average.safetensors");
    ck_assert_int_eq(atoi(said), 4);
    /* ended by a signal after the first checkpoint, and begun again */
    sh("command='bench/multi30k data --quick --threads 1 --out cut --seeds 1 --steps 12 --validate-every 2'; "
       "$command >first 2>&1 & wanted=$!; "
       "until [ -s cut/seed-1/run/checkpoint.safetensors ]; do kill -0 $wanted || exit 1; sleep 0.05; done; "
       "kill -TERM $(cat pid); wait $wanted; echo status $?; "
       "bench/multi30k data --quick --threads 1 --out cut --seeds 1 --steps 12 --validate-every 2; "
       "cat cut/seed-1/train.log");
    assert_contains(said, "status 143\n");
    assert_contains(said, "\n    1       12  ");
    assert_contains(said, "\nGoing on after update ");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, set_the_stage, clear_the_stage);
    tcase_add_test(tc, help);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, what_is_asked);
    tcase_add_test(tc, directions);
    tcase_add_test(tc, a_file_a_language);
    tcase_add_test(tc, missing);
    tcase_add_test(tc, cautions);
    tcase_add_test(tc, finished_seeds);
    tcase_add_test(tc, an_interrupted_seed);
    tcase_add_test(tc, a_killed_seed);
    tcase_add_test(tc, table);
    tcase_add_test(tc, its_own_number);
    tcase_add_test(tc, plumbing);
}

TL_TEST_MAIN("bench: multi30k")
