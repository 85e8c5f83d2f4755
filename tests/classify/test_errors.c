/* Errors: command lines, files, labels, folders. Each error is one sentence that says what to do. */
#define _XOPEN_SOURCE 700
#include "classify.h"

static void enter(void) { write_texts(); }

typedef struct failing {
    int status;
    const char *command, *message;
} failing;

static const failing lines[] = {
    {2, "$T train",
     "give --train FILE and --valid FILE, or --made agreement, number, order or subject; see classify train "
     "--help"},
    {2, "$T train --train $D/a.tsv", "give --valid FILE; see classify train --help"},
    {2, "$T train" FILES " --made order",
     "--made makes its own sentences: leave out --train and --valid; see classify train "
     "--help"},
    {2, "$T train --made mood",
     "--made \"mood\": say one of agreement|number|order|subject; see classify train --help"},
    {2, "$T train" FILES " --model lstm",
     "--model \"lstm\": say one of transformer|gru|average; see classify train --help"},
    {2, "$T train" FILES " --bidirectional",
     "--bidirectional: is of --model gru; the other kinds read no way; see classify train --help"},
    {2, "$T train" FILES " --model gru --pretrain 5",
     "--pretrain: is of --model transformer: masked words are told from both sides, which the other kinds do "
     "not see at once; see "
     "classify train --help"},
    {2, "$T train" FILES " --model average --heads 2",
     "--heads: an average has no attention: leave it out; see classify train --help"},
    {2, "$T train" FILES " --model gru --positions learned",
     "--positions: is of --model transformer: a gru reads words in their order, and an average in none; see "
     "classify train "
     "--help"},
    {2, "$T train" FILES " --model gru --pooling mean",
     "--pooling: is of --model transformer: leave it out; see classify train --help"},
    {2, "$T train" FILES " --embedding 9",
     "--embedding: is of --model gru and average; a Transformer's embeddings are --d-model wide; see "
     "classify train --help"},
    {2, "$T train" FILES " --mask 0.3",
     "--mask: is of the stage that --pretrain N begins with: say that too; see classify train --help"},
    {2, "$T train" FILES " --pretrain-text x",
     "--pretrain-text: is of the stage that --pretrain N begins with: say that too; see classify train "
     "--help"},
    {2, "$T train --made order --pretrain 3 --pretrain-text x",
     "--pretrain-text: of sentences made here, --unlabelled N makes more; see classify train --help"},
    {2, "$T train" FILES " --pretrain 3 --unlabelled 9",
     "--unlabelled: is of sentences made here; of files, say --pretrain-text; see classify train --help"},
    {2, "$T train" FILES " --d-model 10 --heads 4",
     "--d-model 10 does not split into --heads 4: choose heads that divide it; see classify train --help"},
    {2, "$T train" FILES " --positions rotary --d-model 6 --heads 2",
     "rotary positions turn pairs of columns, but of --d-model 6 each of --heads 2 has 3: choose them so "
     "that it is even; see "
     "classify train --help"},
    {2, "$T train" FILES " --positions alibi",
     "--positions \"alibi\": say one of sinusoidal|learned|none|signed-alibi|relative|rotary; see classify "
     "train --help"},
    {2, "$T train" FILES " --layers 1001",
     "--layers 1001: at most 1000 are possible; see classify train --help"},
    {2, "$T train --made order --sentences 90001",
     "--sentences 90001: at most 90000 are possible; see classify train --help"},
    {2, "$T train" FILES " --average 101",
     "--average 101: at most 100 are possible; see classify train --help"},
    {2, "$T train" FILES " --max-vocab 4",
     "--max-vocab 4: 4 entries are <pad>, <bos>, <eos> and <unk> already: give more, or 0 for no limit; see "
     "classify train "
     "--help"},
    {2, "$T weave", "there is no command \"weave\"; classify --help lists them"},
    {1, "$T train --made order --sentences 90000 --pretrain 1 --unlabelled 20000 --out $D/run",
     "labelled corpus: found 20000 sentences from number 92000 on, but there are 100000: ask for fewer"},
    {1, "$T predict --model $D/none",
     "cannot read $D/none/config.txt: No such file or directory; check the path"}};

START_TEST(command_lines) { fails_with(lines[_i].status, lines[_i].command, lines[_i].message); }
END_TEST

#define QUIET " --quiet --out $D/run" SMALL

START_TEST(files) {
    put_text(in_folder("one.tsv"), "good\ta film\ngood\tanother film\n");
    fails_with(
        1, "$T train --train $D/one.tsv --valid $D/a.tsv" QUIET,
        "$D/one.tsv: every text has the label \"good\": a classifier needs texts of two labels or more");
    put_text(in_folder("new.tsv"), "good\ta film\n\nneutral\tit is a film\n");
    fails_with(1, "$T train --train $D/a.tsv --valid $D/new.tsv" QUIET,
               "$D/new.tsv:3: the label \"neutral\" is none that the model was trained on (\"bad\", "
               "\"good\"): mend or remove the "
               "line, or train on such texts too");
    put_text(in_folder("bad.tsv"), "good\ta film\nno tab\n\tno label\nbad\t \nbad\t\xFF\nbad\tdull\n");
    fails_with(1, "$T train --train $D/bad.tsv --valid $D/a.tsv --strict" QUIET,
               "$D/bad.tsv:2: found no tab in \"no tab\", expected label, tab, text: mend or remove the "
               "line, or read without "
               "strict to skip it");
    put_text(in_folder("none.tsv"), "just\nprose\n");
    fails_with(1, "$T train --train $D/none.tsv --valid $D/a.tsv" QUIET,
               "$D/none.tsv:1: found no labelled text in 2 lines (this one: no tab), expected label, tab, "
               "text in UTF-8: check "
               "that this is the right file");
    fails_with(1, "$T train --train $D/missing.tsv --valid $D/a.tsv" QUIET,
               "cannot read $D/missing.tsv: No such file or directory; check the path");
    put_text(in_folder("blank.txt"), "\n\n");
    fails_with(1, "$T train --pretrain 3 --pretrain-text $D/blank.txt" FILES QUIET,
               "$D/blank.txt:1: found no sentence in 2 lines (this one: blank side), expected sentences in "
               "UTF-8: check that "
               "this is the right file");
    fails_with(1, "$T train --max-length 1" FILES QUIET,
               "$D/a.tsv: every pair has more than 1 tokens on one side: raise --max-length");
    sh("test ! -e $D/run");
}
END_TEST

/* Lines that are left out are reported one by one, unless --quiet. */
START_TEST(bad_lines) {
    put_text(in_folder("bad.tsv"),
             "good\ta film\nno tab\n\tno label\nbad\t \nbad\t\xFF\nbad\tdull\nbad\ta b c d e\n");
    put_text(in_folder("plain.txt"), "a film\n\n\xFF\n");
    sh("$T train --train $D/bad.tsv --valid $D/a.tsv --max-length 4 --steps 1 --pretrain 1 --pretrain-text "
       "$D/plain.txt --units "
       "words --min-count 1 --out $D/run" SMALL);
    assert_contains(err, "/bad.tsv: 7 lines, 3 pairs, 4 skipped\n  no tab: 1, line 2\n  blank side: 2, lines "
                         "3, 4\n  not UTF-8: "
                         "1, line 5\n");
    assert_contains(err,
                    "/bad.tsv: 3 lines, 2 pairs, 1 skipped\n  too long (more than 4 tokens): 1, line 7\n");
    assert_contains(err, "/plain.txt: 3 lines, 1 pair, 2 skipped\n");
    assert_contains(out, "2 texts to train on, ");
}
END_TEST

START_TEST(folders) {
    sh(TRAIN PRETRAIN " --out $D/run");
    fails_with(1, TRAIN " --out $D/run",
               "$D/run holds a trained model already: choose another --out, say --overwrite, or go on with "
               "it by --resume "
               "$D/run");
    sh("rm $D/run/*.safetensors"); /* as if it had been interrupted in its first stage */
    ends_with(1, TRAIN " --out $D/run", "$D/run holds a trained model already");
    fails_with(1, "$T predict --model $D/run",
               "$D/run/model.safetensors is not there: training has not come to its first validation; go on "
               "with train "
               "--resume");
    sh("$T info --model $D/run"); /* describes what exists */
    sh(TRAIN " --overwrite --out $D/run");
    sh("test ! -e $D/run/pretraining/checkpoint.safetensors");
    char translate[1024];
    snprintf(translate, sizeof translate, "%s/translate", build_folder());
    setenv("TRANSLATE", translate, 1);
    ck_assert_int_eq(try("$TRANSLATE info --model $D/run"), 1);
    assert_contains(err, "run is a run of classify, and this is translate: open it with classify");
    fails_with(1, "$T info --model tests/golden/run",
               "tests/golden/run is a run of translate, and this is classify: open it with translate");
}
END_TEST

static const char *const damages[][2] = {
    {"echo 'tapeloom-labels 1 1' >$D/run/labels.txt; echo bad >>$D/run/labels.txt", NULL},
    {"rm $D/run/labels.txt", "cannot read $D/run/labels.txt: No such file or directory; check the path"},
    {"echo good >$D/run/labels.txt",
     "$D/run/labels.txt:1: found \"good\", expected \"tapeloom-labels 1 <classes>\": this is no "
     "list of labels; give the file that training wrote"},
    {"echo zut >>$D/run/labels.txt", "$D/run/labels.txt:4: found \"zut\", expected the end: the file was "
                                     "changed or cut off; put it back, or train anew"},
    {"sed -i '1s/2/3/' $D/run/labels.txt; echo zut >>$D/run/labels.txt", NULL},
    {"rm $D/run/vocab.txt", "cannot read $D/run/vocab.txt: No such file or directory; check the path"},
    {"sed -i 's/^d-model.*/d-model = 32/' $D/run/config.txt", NULL},
    {"sed -i 's/^program.*/program = weave/' $D/run/config.txt",
     "$D/run/config.txt: there is no program \"weave\" that makes runs: is the run from a newer Tapeloom?"}};

START_TEST(damaged_runs) {
    sh(TRAIN " --out $D/run");
    sh(damages[_i][0]);
    if (damages[_i][1])
        fails_with(1, "$T info --model $D/run", damages[_i][1]);
    else { /* a model of another size than the weights */
        ck_assert_int_eq(try_input("a\n", 2, "$T predict --model $D/run"), 1);
        ck_assert_msg(count_lines(err) == 1 && !*out, "%s%s", err, out);
        assert_contains(err, "classify: ");
    }
}
END_TEST

START_TEST(evaluating) {
    sh(TRAIN " --out $D/run");
    fails_with(2, "$T evaluate --model $D/run", "give --test FILE; see classify evaluate --help");
    put_text(in_folder("t.tsv"), "good\tfine\nugly\tdull\n");
    fails_with(1, "$T evaluate --model $D/run --test $D/t.tsv",
               "$D/t.tsv:2: the label \"ugly\" is none that the model was trained on (\"bad\", \"good\"): "
               "mend or remove the line, "
               "or train on such texts too");
    put_text(in_folder("t.tsv"), "good\tfine\nno tab\n");
    sh("$T evaluate --model $D/run --test $D/t.tsv");
    assert_contains(err, "t.tsv: 2 lines, 1 pair, 1 skipped");
    ends_with(1, "$T evaluate --model $D/run --test $D/t.tsv --strict", "$D/t.tsv:2: found no tab");
    fails_with(
        1, "$T evaluate --model $D/run --weights average --test $D/t.tsv",
        "$D/run/average.safetensors is not there: train with --average N, or leave out --weights average");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, enter, NULL);
    tcase_add_loop_test(tc, command_lines, 0, sizeof lines / sizeof *lines);
    tcase_add_test(tc, files);
    tcase_add_test(tc, bad_lines);
    tcase_add_test(tc, folders);
    tcase_add_loop_test(tc, damaged_runs, 0, sizeof damages / sizeof *damages);
    tcase_add_test(tc, evaluating);
}

TL_TEST_MAIN("classify: errors")
