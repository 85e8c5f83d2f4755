/* Every option of the captioner's program. */
#define _XOPEN_SOURCE 700
#define PROGRAM "caption"
#include "trials.h"

#define SCENE ". . . . . . . red-cross . . blue-ring . . . . . . . . . . . . . . . . . . . . . . . . ."
#define TINY                                                                                          \
 " --pictures 80 --batch 16 --d-model 16 --heads 2 --encoder-layers 1 --decoder-layers 2 --warmup 2 " \
 "--weight-decay 0 --steps 3 --seed 7 --threads 1"
#define TRAIN "$T train --out $D/run" TINY

static void prepare(void) { no_gnuplot(); }

START_TEST(train) {
    static const trial trials[] = {
        TRAINING_TRIALS,

        {"pictures", "60", CHANGES, NULL},
        {"noise", "0.3", CHANGES, NULL},
        {"d-model", "8", CHANGES, NULL},
        {"heads", "4", CHANGES, NULL},
        {"encoder-layers", "2", CHANGES, NULL},
        {"decoder-layers", "1", CHANGES, NULL},
        {"encoder-positions", "sinusoidal", CHANGES, NULL},
        {"encoder-positions", "learned", SAME, NULL},
        {"d-ff", "8", CHANGES, NULL},
        {"dropout", "0.3", CHANGES, NULL},
        {"attention-dropout", "0.3", CHANGES, NULL},
        {"patience", "1", CHANGES, "--lr 1 --clip 0 --validate-every 1 --steps 6"},
        {"batch", "8", CHANGES, NULL},
        {"best-by", "loss", SAME, NULL}, /* no caption is right, so the loss decides anyway */
        {"samples", "3", SAYS, NULL},
        {"samples", "0", SAYS, NULL}};
    TRY_OPTIONS("train", TRAIN, trials);
}
END_TEST

START_TEST(others) {
    static const trial show[] = {{"model", "$D/two", CHANGES, NULL},
                                 {"weights", "average", CHANGES, NULL},
                                 {"picture", "2", CHANGES, NULL},
                                 {"count", "2", CHANGES, NULL},
                                 {"part", "train", CHANGES, NULL},
                                 {"part", "held-out", SAME, NULL},
                                 {"scene", "'" SCENE "'", CHANGES, NULL},
                                 {"layer", "1", CHANGES, NULL},
                                 {"layer", "2", SAME, NULL},
                                 {"head", "1", CHANGES, NULL},
                                 {"svg", "$D/x.svg", SAME, NULL},
                                 {"check", NULL, SAME, NULL},
                                 {"threads", "2", SAME, NULL},
                                 {"quiet", NULL, SAME, NULL}},
                       evaluate[] = {{"model", "$D/two", CHANGES, NULL},
                                     {"weights", "average", CHANGES, NULL},
                                     {"count", "20", CHANGES, NULL},
                                     {"wrong", "1", CHANGES, NULL},
                                     {"check", NULL, SAME, NULL},
                                     {"threads", "2", SAME, NULL},
                                     {"quiet", NULL, SAME, NULL}},
                       info[] = {{"model", "$D/two", CHANGES, NULL}},
                       demo[] = {{"out", NULL, ELSEWHERE, NULL}, /* test_caption.c; slow, so tested there */
                                 {"overwrite", NULL, ELSEWHERE, NULL},
                                 {"steps", "2", CHANGES, NULL},
                                 {"threads", NULL, ELSEWHERE, NULL},
                                 {"quiet", NULL, ELSEWHERE, NULL}};
    sh(TRAIN " --steps 8 --average 2 --validate-every 4 && mv $D/run $D/one");
    sh(TRAIN " --seed 8 && mv $D/run $D/two");
    TRY_OPTIONS("show", "$T show --model $D/one", show);
    TRY_OPTIONS("evaluate", "$T evaluate --count 10 --model $D/one", evaluate);
    TRY_OPTIONS("info", "$T info --model $D/one", info);
    TRY_OPTIONS("demo", "$T demo --steps 1 --out $D/run", demo);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, prepare, NULL);
    tcase_add_test(tc, train);
    tcase_add_test(tc, others);
}

TL_TEST_MAIN("caption: options")
