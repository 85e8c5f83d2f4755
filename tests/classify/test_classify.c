/* What the commands write: labels, probabilities, tables, descriptions of runs. A text's numbers depend only on the
 * text. */
#define _XOPEN_SOURCE 700
#include "classify.h"

static void lines_are(const char *const *lines, int count) {
    const char *at = out;
    for (int i = 0; i < count; i++) {
        const size_t length = strcspn(at, "\n");
        ck_assert_msg(length == strlen(lines[i]) && !strncmp(at, lines[i], length),
                      "line %d of\n%sexpected %s", i + 1, out, lines[i]);
        at += length + (at[length] == '\n');
    }
    ck_assert_msg(*at == 0, "more than %d lines:\n%s", count, out);
}

/* ---- predict ---- */

START_TEST(labels_and_probabilities) {
    train_well();
    sh_input("a fine film\nI hate this film very much\n", "$T predict --model $D/run --quiet");
    ck_assert_int_eq(count_lines(out), 2);
    char label[16];
    double p;
    ck_assert_int_eq(sscanf(out, "%15[a-z]\t%lf\n", label, &p), 2);
    ck_assert_str_eq(label, "good");
    ck_assert(p > 0.9 && p <= 1);
    assert_contains(out, "\nbad\t0.9");
    ck_assert_str_eq(err, "");

    sh_input("a fine film\r\nI hate this film very much", "$T predict --model $D/run --probabilities --text");
    double q;
    ck_assert_int_eq(sscanf(out, "good\t%lf\tbad\t%lf\ta fine film\nbad\t", &p, &q), 2);
    ck_assert(fabs(p + q - 1) < 2e-4);
    assert_contains(out, "\tI hate this film very much\n");
    sh_input("", "$T predict --model $D/run");
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(lines_without_a_label) {
    static char text[1 << 14] = "fine\n\n \t \n";
    train_well();
    for (int i = 0; i < 1100; i++) strcat(text, "fine ");
    strcat(text, "\nzut alors\n");
    ck_assert_int_eq(try_input(text, strlen(text), "$T predict --model $D/run --quiet"), 1);
    ck_assert_int_eq(count_lines(out), 5);
    ck_assert_msg(!strncmp(out, "good\t", 5) && strstr(out, "\n\n\n\n"), "%s", out);
    assert_contains(err, "classify: warning: line 2 is blank: it gets no label\n");
    assert_contains(err, "line 3 is blank");
    assert_contains(err, "line 4 has 1101 tokens, and a model reads at most 1023: it gets no label");
    assert_contains(err, "2 words that the vocabulary lacks, read as <unk>: \"zut\", \"alors\"");
    for (int i = 0; i < 6; i++) strcat(text, "\n");
    ck_assert_int_eq(try_input(text, strlen(text), "$T predict --model $D/run --quiet"), 1);
    assert_contains(err, "classify: warning: 4 more lines are blank or too long\n");
    ck_assert_int_eq(try_input("\n", 1, "$T predict --model $D/run --quiet"), 1);
    ck_assert_str_eq(out, "\n");
}
END_TEST

static const char *const kinds[] = {"transformer", "transformer --pooling mean", "gru --bidirectional",
                                    "average"};

/* Alone, with other texts, in batches of any size, on one thread or two. */
START_TEST(a_text_is_alone) {
    char command[512], all[4096] = "";
    write_texts();
    snprintf(command, sizeof command, "%s --out $D/run --model %s%s",
             "$T train" FILES TEXT_OPTIONS QUICK " --d-model 16 --threads 1", kinds[_i],
             _i < 2 ? " --heads 2" : "");
    sh(command);
    sh("cut -f 2 $D/a.tsv >$D/texts; while read -r line; do echo \"$line\" | $T predict --model $D/run "
       "--threads 1; "
       "done <$D/texts");
    snprintf(all, sizeof all, "%s", out);
    ck_assert_int_eq(count_lines(all), TEXT_COUNT);
    sh("$T predict --model $D/run <$D/texts --threads 2");
    ck_assert_str_eq(out, all);
    sh("$T predict --model $D/run <$D/texts --batch-tokens 5");
    ck_assert_str_eq(out, all);
}
END_TEST

/* Equal probabilities are in the labels' order; with three labels each appears once. */
START_TEST(all_labels_fall) {
    put_text(in_folder("a.tsv"), "b\tone two\nc\tthree\na d\tfour five six\n");
    sh(TRAIN " --out $D/run");
    sh_input("one\n", "$T predict --model $D/run --probabilities");
    double p[3] = {0};
    char name[3][8];
    ck_assert_int_eq(sscanf(out, "%7[^\t]\t%lf\t%7[^\t]\t%lf\t%7[^\t]\t%lf\n", name[0], &p[0], name[1], &p[1],
                            name[2], &p[2]),
                     6);
    ck_assert(p[0] >= p[1] && p[1] >= p[2] && fabs(p[0] + p[1] + p[2] - 1) < 3e-4);
    ck_assert(strcmp(name[0], name[1]) && strcmp(name[1], name[2]) && strcmp(name[0], name[2]));
    sh(TRAIN " --out $D/zero --lr 0 --model average --heads 0 --layers 0 --steps 1");
}
END_TEST

/* ---- evaluate ---- */

START_TEST(tables) {
    train_well();
    /* three are right, one "good" is labelled bad, whatever the model: its true label is wrong in the file */
    put_text(in_folder("t.tsv"),
             "good\tfine actors\ngood\tdull actors\nbad\ta dull film\nbad\tI hate this film\n");
    sh("$T evaluate --model $D/run --test $D/t.tsv --quiet");
    assert_contains(out, "/t.tsv: 4 texts in ");
    assert_contains(out, "accuracy 75.00 % (3 of 4)");
    assert_contains(out, "\nlabel    texts     said  precision    recall        F1\n"
                         "bad          2        3     66.7 %   100.0 %    80.0 %\n"
                         "good         2        1    100.0 %    50.0 %    66.7 %\n"
                         "\n"
                         "taken for     bad  good\n"
                         "      bad       2     ·\n"
                         "      good      1     1\n");
    put_text(in_folder("t.tsv"), "good\tfine actors\n");
    sh("$T evaluate --model $D/run --test $D/t.tsv --quiet");
    assert_contains(out, "\nbad          0        0        –         –         –  \n");
}
END_TEST

START_TEST(many_labels) {
    char text[4096] = "";
    for (int i = 0; i < 21; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "label %02d\tword%d\n", i, i);
    put_text(in_folder("a.tsv"), text);
    sh(TRAIN " --out $D/run --steps 1");
    sh("$T evaluate --model $D/run --test $D/a.tsv --quiet");
    assert_contains(out, "\nmistaken most often\n        1  label ");
    sh("head -n 20 $D/a.tsv >$D/b.tsv && mv $D/b.tsv $D/a.tsv && rm -r $D/run");
    sh(TRAIN " --out $D/run --steps 1");
    sh("$T evaluate --model $D/run --test $D/a.tsv --quiet");
    assert_contains(out, "\ntaken for        1   2   3"); /* numbers if names do not fit */
    assert_contains(out, "\n  20  label 19");
}
END_TEST

/* ---- the rest ---- */

START_TEST(info) {
    write_texts();
    sh(TRAIN PRETRAIN " --out $D/run");
    sh("$T info --model $D/run");
    assert_contains(out,
                    "model       Transformer's encoder: d_model 16, 2 heads, 1 layers, d_ff 64\n"
                    "            post-norm, relu, sinusoidal positions, the label from the place of [CLS]\n");
    assert_contains(out, "\nlabels      2: bad, good\n");
    assert_contains(out, " words, raw text cut into words\n");
    assert_contains(out, "\nfirst       5 updates on masked words (0.15 of the words), also of ");
    assert_contains(out, "; so far 5, best loss ");
    assert_contains(out, "\nso far      6 updates, ");
    assert_contains(out, "; best accuracy ");
    sh(TRAIN " --out $D/gru --model gru --bidirectional --units bpe --merges 9");
    sh("$T info --model $D/gru");
    assert_contains(
        out,
        "model       GRU: d_model 16, embeddings 16, 1 layer, read from both ends; a learnt query's sum of "
        "its states, 2 heads\n");
    assert_contains(out, "byte-pair subwords of 9 merges");
    sh("$T train" FILES " --model average --quiet --steps 1 --units chars --out $D/average");
    sh("$T info --model $D/average");
    assert_contains(out, "model       mean of embeddings: 128 wide, 0 layers of 128 over it\n");
    assert_contains(out, " characters\n");
}
END_TEST

START_TEST(files_of_a_run) {
    write_texts();
    sh(TRAIN PRETRAIN " --out $D/run");
    sh("cd $D/run && ls labels.txt vocab.txt config.txt log.csv model.safetensors last.safetensors "
       "checkpoint.safetensors pretraining/model.safetensors pretraining/log.csv && head -n 1 log.csv "
       "pretraining/log.csv "
       "&& cat labels.txt && grep -h 'nats per' curves.gp pretraining/curves.gp");
    assert_contains(
        out, "step,epoch,seconds,learning_rate,train_loss,valid_loss,accuracy,tokens_per_second\n\n==> pre");
    assert_contains(
        out,
        "step,epoch,seconds,learning_rate,train_loss,valid_loss,accuracy,tokens_per_second\ntapeloom-labels "
        "1 2\nbad\ngood\n");
    assert_contains(out, "loss (nats per text)");
    assert_contains(out, "loss (nats per masked word)");
}
END_TEST

START_TEST(corpus_is_what_made_trains_on) {
    sh("$T corpus --made order --sentences 60 --unlabelled 40 --out $D/c");
    const char *const lines[] = {"train.tsv: 60 sentences", "valid.tsv: 1000 sentences",
                                 "test.tsv: 1000 sentences", "unlabelled.txt: 40 sentences"};
    for (int i = 0; i < 4; i++) assert_contains(out, lines[i]);
    sh("cat $D/c/*.tsv | cut -f 2 | sort | uniq -d; wc -l <$D/c/unlabelled.txt; grep -c '\t' "
       "$D/c/unlabelled.txt || :");
    lines_are((const char *const[]){"40", "0"}, 2);
    const char *options = SMALL QUICK " --units words --pretokenize none --min-count 1 --pretrain 3";
    char command[1024];
    snprintf(command, sizeof command,
             "$T train --made order --sentences 60 --unlabelled 40 --out $D/made%s && $T train --train "
             "$D/c/train.tsv --valid "
             "$D/c/valid.tsv --pretrain-text $D/c/unlabelled.txt --out $D/files%s",
             options, options);
    sh(command);
    ck_assert(same_files("made/model.safetensors", "files/model.safetensors"));
    sh("$T evaluate --model $D/made --quiet | sed '1s/.*: loss/loss/' >$D/1; $T evaluate --model $D/files "
       "--test $D/c/test.tsv "
       "--quiet | sed '1s/.*: loss/loss/' >$D/2; cmp $D/1 $D/2");
    sh("$T corpus --made order --sentences 60 --out $D/c"); /* writing the same files again is allowed */
    fails_with(1, "$T corpus --made subject --out $D/c",
               "$D/c/train.tsv is there already, and not the same: choose another --out, or remove it");
}
END_TEST

START_TEST(demo) {
    sh("$T demo --out $D/demo --pretrain 4 --steps 3 --made order --quiet");
    assert_contains(out, "after 4 updates on masked words of 20000 more without labels");
    assert_contains(out, "\nFirst stage, on masked words:\n");
    assert_contains(out, "\nThe first stage is over; its best weights are what the second begins with.\n");
    assert_contains(out, "that it has never seen, with labels or without: accuracy ");
    assert_contains(out, "taken for");
    sh("$T demo --out $D/demo --pretrain 0 --steps 3 --quiet"); /* replaces an earlier demo's run */
    ck_assert_ptr_null(strstr(out, "First stage"));
    write_texts();
    sh(TRAIN " --out $D/mine");
    ck_assert_int_eq(try("$T demo --out $D/mine --pretrain 0 --steps 3 --quiet"), 1);
    assert_contains(err, "mine holds a trained model already");
    sh("$T train --made order --sentences 40 --steps 1 --out $D/like --quiet" SMALL); /* made here, but not by a demo */
    ck_assert_int_eq(try("$T demo --out $D/like --pretrain 0 --steps 3 --quiet"), 1);
    sh("$T demo --out $D/mine --overwrite --pretrain 0 --steps 3 --quiet --threads 1");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, labels_and_probabilities);
    tcase_add_test(tc, lines_without_a_label);
    tcase_add_loop_test(tc, a_text_is_alone, 0, 4);
    tcase_add_test(tc, all_labels_fall);
    tcase_add_test(tc, tables);
    tcase_add_test(tc, many_labels);
    tcase_add_test(tc, info);
    tcase_add_test(tc, files_of_a_run);
    tcase_add_test(tc, corpus_is_what_made_trains_on);
    tcase_add_test(tc, demo);
}

TL_TEST_MAIN("classify: commands")
