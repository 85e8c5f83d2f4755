/* Every option of the language model's program. */
#define _XOPEN_SOURCE 700
#define PROGRAM "lm"
#include "trials.h"

#define TEXT                                    \
 "the cat, the dog and the café sleep;\n"      \
 "the dog and the cat sleep, and so does it!\n" \
 "a cat sleeps: the dog sleeps, too.\n"
#define TINY                                                                                             \
 " --preset toy --d-model 16 --heads 2 --layers 1 --context 12 --batch 4 --warmup 2 --steps 3 --seed 7 " \
 "--threads 1"
#define TRAIN "$T train --out $D/run --train $D/a" TINY
#define LINES "--lines"

static void prepare(void) {
    put_text(in_folder("a"), TEXT TEXT TEXT TEXT);
    no_gnuplot();
    put_text(in_folder("b"), "another text is this,\n" TEXT TEXT TEXT);
}

START_TEST(train) {
    static const trial trials[] = {
        TRAINING_TRIALS,

        {"train", "$D/b", CHANGES, NULL},
        {"valid", "$D/b", CHANGES, NULL}, /* nothing is held out of the training file */
        {"valid", "$D/b", SAYS, "--valid $D/a"},
        {"valid-share", "0.4", CHANGES, NULL},
        {"made", NULL, ELSEWHERE, NULL}, /* below */
        {"sentences", NULL, ELSEWHERE, NULL},
        {"lines", NULL, CHANGES, NULL},
        {"units", "words", CHANGES, NULL},
        {"units", "bpe", CHANGES, NULL},
        {"merges", "5", CHANGES, "--units bpe"},
        {"tokenizer", NULL, ELSEWHERE, NULL},
        {"min-count", "4", CHANGES, "--units words"},
        {"max-vocab", "12", CHANGES, NULL},
        {"preset", "small", SAME, NULL}, /* all its sizes are given */
        {"d-model", "8", CHANGES, NULL},
        {"heads", "1", CHANGES, NULL},
        {"layers", "2", CHANGES, NULL},
        {"d-ff", "24", CHANGES, NULL},
        {"context", "9", CHANGES, NULL},
        {"positions", "rotary", CHANGES, NULL},
        {"positions", "sinusoidal", CHANGES, NULL},
        {"positions", "alibi", CHANGES, NULL},
        {"positions", "relative", CHANGES, NULL},
        {"positions", "none", CHANGES, NULL},
        {"positions", "learned", SAME, NULL},
        {"vocab", "60", CHANGES, NULL},
        {"no-feed-forward", NULL, CHANGES, NULL},
        {"no-bias", NULL, CHANGES, NULL},
        {"gelu-erf", NULL, CHANGES, NULL},
        {"untied", NULL, CHANGES, NULL},
        {"normaliser", "sigmoid", CHANGES, NULL},
        {"normaliser", "softmax", SAME, NULL},
        {"init-std", "0.02", CHANGES, NULL},
        {"dropout", "0.5", CHANGES, NULL},
        {"attention-dropout", "0.5", CHANGES, NULL},
        {"patience", "1", CHANGES, "--lr 0.3 --validate-every 1 --steps 12 --valid $D/b"},
        {"batch", "3", CHANGES, NULL},
        {"samples", "3", SAYS, NULL},
        {"samples", "0", SAYS, NULL}};
    TRY_OPTIONS("train", TRAIN, trials);
}
END_TEST

START_TEST(made) {
    static const trial trials[] = {{"made", "zh", CHANGES, NULL}, {"sentences", "30", CHANGES, NULL}};
    for (int i = 0; i < 2; i++)
        try_option("$T train --out $D/run --made en --sentences 60 --lines" TINY, &trials[i]);
}
END_TEST

static void train_two(void) {
    sh(TRAIN " --steps 30 --average 2 --validate-every 10 && mv $D/run $D/one");
    sh(TRAIN " --seed 8 && mv $D/run $D/two");
}

START_TEST(sample) {
    static const trial trials[] = {{"model", "$D/two", CHANGES, NULL},
                                   {"weights", "average", CHANGES, NULL},
                                   {"prompt", "sleep", CHANGES, NULL},
                                   {"tokens", "9", CHANGES, NULL},
                                   {"samples", "2", CHANGES, NULL},
                                   {"greedy", NULL, CHANGES, NULL},
                                   {"temperature", "0.1", CHANGES, NULL},
                                   {"top-k", "1", CHANGES, NULL},
                                   {"top-p", "0.01", CHANGES, NULL},
                                   {"seed", "3", CHANGES, NULL},
                                   {"check", NULL, SAME, NULL},
                                   {"threads", "2", SAME, NULL},
                                   {"quiet", NULL, SAME, NULL}};
    train_two();
    TRY_OPTIONS("sample", "$T sample --model $D/one", trials);
}
END_TEST

START_TEST(evaluate) {
    static const trial trials[] = {{"model", "$D/two", CHANGES, NULL}, {"weights", "average", CHANGES, NULL},
                                   {"text", "$D/b", CHANGES, NULL},    {"check", NULL, SAME, NULL},
                                   {"threads", "2", SAME, NULL},       {"quiet", NULL, SAME, NULL}};
    train_two();
    TRY_OPTIONS("evaluate", "$T evaluate --model $D/one", trials);
}
END_TEST

START_TEST(others) {
    static const trial info[] = {{"model", "$D/two", CHANGES, NULL}},
                       export[] = {{"model", "$D/two", SAME, NULL}, /* the file: test_lm.c */
                                   {"weights", "last", SAME, NULL},
                                   {"layout", "nanogpt", SAME, NULL},
                                   {"out", NULL, ELSEWHERE, NULL}},
                       import[] = {{"file", NULL, ELSEWHERE, NULL},     {"tokenizer", NULL, ELSEWHERE, NULL},
                                   {"heads", "4", CHANGES, NULL},       {"gelu-erf", NULL, SAME, NULL},
                                   {"out", "$D/elsewhere", SAME, NULL}, {"overwrite", NULL, SAME, NULL}},
                       demo[] = {{"out", "$D/elsewhere", SAME, NULL}, {"overwrite", NULL, SAME, NULL},
                                 {"made", "fr", CHANGES, NULL},       {"steps", "3", CHANGES, NULL},
                                 {"threads", "2", SAME, NULL},        {"quiet", NULL, SAME, NULL}};
    train_two();
    TRY_OPTIONS("info", "$T info --model $D/one", info);
    TRY_OPTIONS("export", "$T export --model $D/one --out $D/f", export);
    sh(TRAIN " --units bpe --merges 20 && mv $D/run $D/one.bpe && $T export --model $D/one.bpe --out $D/f");
    TRY_OPTIONS("import", "$T import --file $D/f --tokenizer $D/one.bpe --heads 2 --out $D/run", import);
    TRY_OPTIONS("demo", "$T demo --steps 2 --out $D/run", demo);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, prepare, NULL);
    tcase_add_test(tc, train);
    tcase_add_test(tc, made);
    tcase_add_test(tc, sample);
    tcase_add_test(tc, evaluate);
    tcase_add_test(tc, others);
}

TL_TEST_MAIN("lm: its options")
