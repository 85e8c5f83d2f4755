/* Every option of the classifier's program. */
#define _XOPEN_SOURCE 700
#include "classify.h"
#include "trials.h"

#define START "$T train --out $D/run" SMALL " --batch-tokens 24 --lr 0.01 --warmup 4 --steps 6 --seed 7"
#define LEARN START FILES
#define GRU "--model gru"
#define AVERAGE "--model average --heads 0 --layers 0"
#define STAGE "--pretrain 3"

static void prepare(void) {
    write_texts();
    put_text(in_folder("a.tsv"), "good\tit is fine, is it not?\n" TEXTS);
    put_text(in_folder("odd.tsv"), "bad\tfine actors\nbad\tfine actors\nbad\tfine actors\n" TEXTS);
    put_text(in_folder("b.tsv"), "bad\tthe film is not fine\n" TEXTS);
    put_text(in_folder("worse.tsv"),
             "bad\tfine actors\ngood\tdull actors\nbad\ta fine film\ngood\ta dull film\n");
    no_gnuplot();
}

START_TEST(train) {
    static const trial trials[] = {
        TRAINING_TRIALS,

        {"train", "$D/b.tsv", CHANGES, NULL},
        {"valid", "$D/b.tsv", SAYS, NULL},
        {"made", NULL, ELSEWHERE, NULL}, /* below */
        {"sentences", NULL, ELSEWHERE, NULL},
        {"unlabelled", NULL, ELSEWHERE, NULL},
        {"strict", NULL, SAME, NULL},
        {"max-length", "3", CHANGES, NULL},
        {"pretokenize", "none", CHANGES, NULL},
        {"units", "words", CHANGES, "--min-count 1"},
        {"units", "chars", CHANGES, NULL},
        {"merges", "5", CHANGES, NULL},
        {"min-count", "3", CHANGES, NULL},
        {"max-vocab", "8", CHANGES, NULL},
        {"model", "gru", CHANGES, NULL},
        {"model", "average", CHANGES, "--heads 0"},
        {"d-model", "8", CHANGES, NULL},
        {"d-model", "8", CHANGES, GRU},
        {"d-model", "8", CHANGES, "--model average --heads 0"},
        {"d-model", "8", SAME, AVERAGE " --embedding 16"}, /* it has no layer */
        {"layers", "2", CHANGES, NULL},
        {"layers", "2", CHANGES, GRU},
        {"layers", "2", CHANGES, "--model average --heads 0"},
        {"embedding", "8", CHANGES, GRU},
        {"embedding", "8", CHANGES, AVERAGE},
        {"heads", "1", CHANGES, NULL},
        {"heads", "1", CHANGES, GRU},
        {"score", "additive", CHANGES, NULL},
        {"score", "additive", CHANGES, GRU},
        {"score", "uniform", CHANGES, GRU},
        {"score", "scaled-dot", SAME, GRU},
        {"score", "scaled-dot", CHANGES, AVERAGE},
        {"score", "uniform", SAME, AVERAGE},
        {"bidirectional", NULL, CHANGES, GRU},
        {"pooling", "mean", CHANGES, NULL},
        {"pooling", "cls", SAME, NULL},
        {"d-ff", "24", CHANGES, NULL},
        {"activation", "gelu", CHANGES, NULL},
        {"positions", "learned", CHANGES, NULL},
        {"positions", "none", CHANGES, NULL},
        {"positions", "signed-alibi", CHANGES, NULL},
        {"positions", "relative", CHANGES, NULL},
        {"positions", "rotary", CHANGES, NULL},
        {"pre-norm", NULL, CHANGES, NULL},
        {"no-final-norm", NULL, CHANGES, NULL},
        {"dropout", "0.5", CHANGES, NULL},
        {"dropout", "0.5", CHANGES, GRU},
        {"dropout", "0.5", CHANGES, AVERAGE},
        {"attention-dropout", "0.5", CHANGES, NULL},
        {"attention-dropout", "0.5", CHANGES, GRU},
        {"activation-dropout", "0.5", CHANGES, NULL},
        {"pretrain", "3", CHANGES, NULL},
        {"pretrain", "3", CHANGES, "--pooling mean"},
        {"pretrain-text", "$D/plain.txt", CHANGES, STAGE},
        {"pretrain-lr", "0.05", CHANGES, STAGE},
        {"mask", "0.6", CHANGES, STAGE},
        {"patience", "1", CHANGES, "--lr 0.05 --validate-every 1 --steps 20 --valid $D/worse.tsv"},
        {"batch-tokens", "16", CHANGES, NULL},
        {"best-by", NULL, ELSEWHERE, NULL},
        /* below */};
    TRY_OPTIONS("train", LEARN, trials);
}
END_TEST

START_TEST(made) {
    static const trial trials[] = {{"made", "order", CHANGES, NULL},
                                   {"sentences", "30", CHANGES, NULL},
                                   {"unlabelled", "30", CHANGES, STAGE}},
                       subject = {"made", "subject", CHANGES, NULL};
    for (int i = 0; i < 3; i++)
        try_option(START " --made agreement --sentences 60 --batch-tokens 256", &trials[i]);
    try_option(START " --made agreement --sentences 900 --batch-tokens 256", &subject);
}
END_TEST

/* Three texts have wrong labels: the more certain a model becomes of the others, the more these cost. */
START_TEST(best_by) {
    static const char options[] =
        " --units words --min-count 1 --validate-every 3 --steps 60 --dropout 0 --valid $D/odd.tsv --quiet";
    char line[1024];
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, LEARN "%s --best-by %s", options, i ? "loss" : "accuracy");
        sh(line);
        snprintf(line, sizeof line, "sed -n 's/.*best validation (update \\([0-9]*\\),.*/\\1/p' $D/said%d",
                 i);
        put_text(in_folder(i ? "said1" : "said0"), out);
        sh(line);
        put_text(in_folder(i ? "step1" : "step0"), out);
        sh("rm -r $D/run");
    }
    sh("test $(cat $D/step0) -gt $(cat $D/step1)");
}
END_TEST

static void train_two(void) {
    sh(LEARN
       " --units words --average 2 --validate-every 2 --steps 40 --valid $D/worse.tsv && mv $D/run $D/one");
    sh(LEARN " --units words --seed 8 && mv $D/run $D/two");
}

START_TEST(evaluate) {
    static const trial trials[] = {{"model", "$D/two", CHANGES, NULL},
                                   {"weights", "last", CHANGES, NULL},
                                   {"weights", "average", CHANGES, NULL},
                                   {"test", "$D/b.tsv", CHANGES, NULL},
                                   {"strict", NULL, SAME, NULL},
                                   {"batch-tokens", "8", SAME, NULL},
                                   {"check", NULL, SAME, NULL},
                                   {"threads", "2", SAME, NULL},
                                   {"quiet", NULL, SAME, NULL}};
    train_two();
    TRY_OPTIONS("evaluate", "$T evaluate --model $D/one --test $D/a.tsv", trials);
}
END_TEST

START_TEST(predict) {
    static const trial trials[] = {{"model", "$D/two", CHANGES, NULL},
                                   {"weights", "last", CHANGES, NULL},
                                   {"weights", "average", CHANGES, NULL},
                                   {"probabilities", NULL, CHANGES, NULL},
                                   {"text", NULL, CHANGES, NULL},
                                   {"batch-tokens", "8", SAME, NULL},
                                   {"check", NULL, SAME, NULL},
                                   {"threads", "2", SAME, NULL},
                                   {"quiet", NULL, SAME, NULL}};
    train_two();
    sh("cut -f 2 $D/a.tsv >$D/texts");
    TRY_OPTIONS("predict", "<$D/texts $T predict --model $D/one", trials);
}
END_TEST

START_TEST(others) {
    static const trial info[] = {{"model", "$D/two", CHANGES, NULL}},
                       corpus[] = {{"made", "subject", SAME, NULL}, /* the files: test_classify.c */
                                   {"sentences", "30", CHANGES, NULL},
                                   {"unlabelled", "30", CHANGES, NULL},
                                   {"seed", "2", SAME, NULL},
                                   {"out", "$D/elsewhere", SAME, NULL}},
                       demo[] = {{"out", "$D/elsewhere", SAME, NULL}, {"overwrite", NULL, SAME, NULL},
                                 {"made", "order", CHANGES, NULL},    {"pretrain", "2", CHANGES, NULL},
                                 {"steps", "3", CHANGES, NULL},       {"threads", "2", SAME, NULL},
                                 {"quiet", NULL, SAME, NULL}};
    train_two();
    TRY_OPTIONS("info", "$T info --model $D/one", info);
    TRY_OPTIONS("corpus", "$T corpus --out $D/run", corpus);
    TRY_OPTIONS("demo", "$T demo --pretrain 0 --steps 2 --out $D/run", demo);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, prepare, NULL);
    tcase_add_test(tc, train);
    tcase_add_test(tc, made);
    tcase_add_test(tc, best_by);
    tcase_add_test(tc, evaluate);
    tcase_add_test(tc, predict);
    tcase_add_test(tc, others);
}

TL_TEST_MAIN("classify: its options")
