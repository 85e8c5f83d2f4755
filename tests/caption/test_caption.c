/* The captioner as a user runs it: training and resuming bit for bit, what it prints and draws on a terminal and in
 * files, and what it refuses. The model is small and knows little. */
#define _XOPEN_SOURCE 700
#define PROGRAM "caption"
#include "trials.h"

#define TINY                                                                                          \
 " --pictures 80 --batch 16 --d-model 16 --heads 2 --encoder-layers 1 --decoder-layers 2 --warmup 2 " \
 "--threads 1"
#define COUNT(table) (int)(sizeof(table) / sizeof *(table))
#define SCENE ". . . . . . . red-cross . . blue-ring . . . . . . . . . . . . . . . . . . . . . . . . ."

static void train(const char *options) {
    char command[1024];
    snprintf(command, sizeof command, "$T train --out $D/run --steps 6 --validate-every 3" TINY " %s",
             options);
    sh(command);
}

/* ---- training ---- */

START_TEST(trains) {
    train("");
    assert_contains(out, "80 pictures to train on, 500 to validate on; 29 words; 36 patches; ");
    assert_contains(out, "epoch 0, step 3, ");
    assert_contains(out, "exact 0/500 (best so far)\n  it says    ");
    assert_contains(out, "\n  true       ");
    assert_contains(out, "Ended: all steps are done. The run is in ");
    assert_contains(out, "show --model ");
    static const char *const files[] = {
        "config.txt", "vocab.txt", "model.safetensors", "last.safetensors", "checkpoint.safetensors",
        "log.csv"};
    for (int i = 0; i < 6; i++) {
        char command[64];
        snprintf(command, sizeof command, "test -s $D/run/%s", files[i]);
        sh(command);
    }
    char *log = get_file(in_folder("run/log.csv"), NULL);
    assert_contains(
        log, "step,epoch,seconds,learning_rate,train_loss,valid_loss,accuracy,exact,tokens_per_second\n");
    ck_assert_int_eq(count_lines(log), 3);
    free(log);
    char *config = get_file(in_folder("run/config.txt"), NULL);
    assert_contains(config, "\nprogram = caption\npictures = 80\n");
    free(config);
}
END_TEST

/* Two steps and four more, through a checkpoint, equal six. */
START_TEST(goes_on_to_the_same_bytes) {
    train("--schedule constant");
    sh("mv $D/run $D/whole");
    train("--schedule constant --steps 2");
    ck_assert(!same_files("whole/last.safetensors", "run/last.safetensors"));
    sh("$T train --resume $D/run --steps 6 --threads 2");
    assert_contains(out, "Going on after update 2");
    ck_assert(same_files("whole/last.safetensors", "run/last.safetensors"));
    ck_assert(same_files("whole/model.safetensors", "run/model.safetensors"));
    ck_assert_int_eq(try("$T train --resume $D/run --steps 8 --noise 0.2"), 1);
    assert_contains(err, "caption: --noise cannot change while a run goes on");
}
END_TEST

/* Ctrl-C in the middle. */
START_TEST(interrupted) {
    const int status = try("timeout --preserve-status -s INT -k 20 2 $T train --out $D/run --steps 100000"
                           " --schedule constant --validate-every 0" TINY);
    ck_assert_int_eq(status, 130);
    assert_contains(out, "Interrupted after update ");
    assert_contains(out, " train --resume ");
}
END_TEST

/* ---- what it writes, and where it attends ---- */

START_TEST(shows) {
    train("");
    sh("$T show --model $D/run --picture 3 --count 2 --svg $D/a.svg || $T show --model $D/run --picture 3 "
       "--count 2");
    int grids = 0;
    for (const char *at = out; (at = strstr(at, "It says:")); at++) grids++;
    ck_assert_int_eq(grids, 2);
    assert_contains(out, "True:    ");
    assert_contains(out, "Where layer 2 of the decoder looked at each word (mean of its heads):\n");
    ck_assert_ptr_null(strchr(out, '\033'));
    sh("$T show --model $D/run --scene '" SCENE "' --layer 1 --head 2 --svg $D/a.svg");
    assert_contains(out, "True:    a red cross left of a blue ring\n");
    assert_contains(out, "Where layer 1 of the decoder looked at each word (head 2):\n");
    assert_contains(out, "\n  .  r✚ .  .  b○ . \n");
    char *svg = get_file(in_folder("a.svg"), NULL);
    must(!strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 38));
    assert_contains(svg, "true: a red cross left of a blue ring</text>");
    assert_contains(svg, "<use href=\"#picture\"/>");
    assert_contains(svg, "</svg>\n");
    int pixels = 0, panels = 0, words = 0;
    for (const char *at = svg; (at = strstr(at, "<path ")); at++) pixels++;
    for (const char *at = svg; (at = strstr(at, "<use ")); at++) panels++;
    const char *said = strstr(out, "It says:") + strlen("It says:");
    for (const char *at = said; *at && *at != '(' && *at != '\n'; at++)
        words += *at == ' ' && at[1] != ' ' && at[1] != '(';
    ck_assert_int_eq(pixels, 48 * 48);
    ck_assert_int_eq(panels, words + 1);
    free(svg);
}
END_TEST

/* Words of a vocabulary are neither markup nor control sequences for a terminal. */
START_TEST(words_from_somebody_else) {
    train("");
    sh("sed -i '6,$s/$/<b>\\&\\x1b[31m/' $D/run/vocab.txt; $T show --model $D/run --svg $D/a.svg");
    char *svg = get_file(in_folder("a.svg"), NULL);
    ck_assert_ptr_null(strstr(svg, "<b>"));
    ck_assert_ptr_null(strchr(svg, '\033'));
    assert_contains(svg, "&#60;b&#62;&#38;");
    free(svg);
    const int terminal = open_terminal();
    sh("NO_COLOR=1 $T show --model $D/run > $TERMINAL &");
    char *seen = received(terminal);
    ck_assert_ptr_null(strchr(seen, '\033'));
    free(seen);
    close(terminal);
}
END_TEST

/* The output is longer than a terminal buffers, so it is read while it is written. */
START_TEST(a_terminal_gets_colours) {
    train("");
    int terminal = open_terminal();
    sh("$T show --model $D/run --scene '" SCENE "' > $TERMINAL &");
    char *seen = received(terminal);
    close(terminal);
    assert_contains(seen, "\033[38;2;");
    assert_contains(seen, "▀");
    free(seen);
    terminal = open_terminal();
    sh("NO_COLOR=1 $T show --model $D/run --scene '" SCENE "' > $TERMINAL &");
    seen = received(terminal);
    ck_assert_ptr_null(strchr(seen, '\033'));
    assert_contains(seen, "r✚");
    free(seen);
    close(terminal);
}
END_TEST

START_TEST(evaluates) {
    train("");
    sh("$T evaluate --model $D/run --count 60 --wrong 2");
    assert_contains(
        out, "Pictures like those of training: 0 of 60 captions are right to the last word (0.0 %); loss ");
    assert_contains(out, "Pictures with combinations that training never has: 0 of 60 captions");
    assert_contains(out, "  picture 0\n    it says  ");
    assert_contains(out, "  picture 1\n");
    ck_assert_ptr_null(strstr(out, "  picture 2\n"));
    assert_contains(out, "Where the decoder looked most at ");
    assert_contains(out, "\nlayer 1, mean ");
    assert_contains(out, "\n  head 2 ");
    assert_contains(out, "\nlayer 2, mean ");
    for (const char *at = strstr(out, "\nlayer 1, mean"); at;
         at = strchr(at + 1, '\n')) { /* rows are whole */
        double share[5], sum = 0;
        char row[200];
        if (!at[1]) break;
        snprintf(row, sizeof row, "%.60s", strpbrk(at + 1, "h") + 1);
        const char *numbers = strstr(at + 1, "mean") && strstr(at + 1, "mean") < at + 20
                                  ? strstr(at + 1, "mean") + 4
                                  : strstr(at + 1, "head") + 6;
        must(sscanf(numbers, "%lf %lf %lf %lf %lf", share, share + 1, share + 2, share + 3, share + 4) == 5);
        for (int i = 0; i < 5; i++) sum += share[i];
        must_msg(sum > 99.7 && sum < 100.3, "%.80s", at);
    }
}
END_TEST

START_TEST(informs) {
    train("");
    sh("$T info --model $D/run");
    assert_contains(
        out, "model       Transformer from patches to words: d_model 16, 2 heads, 1 + 2 layers, d_ff 32\n");
    assert_contains(out, "pictures    6 x 6 patches of 8 x 8 pixels, noise 0.1; 29 words\n");
    assert_contains(out, "trained on  80 pictures drawn here\n            16 a batch, Adam, cosine from ");
    assert_contains(out, "so far      6 updates, ");
}
END_TEST

START_TEST(demonstrates) {
    sh("$T demo --out $D/demo --steps 2 --quiet");
    assert_contains(out, "A small Transformer learns to say what is on pictures");
    assert_contains(out, "Pictures with combinations that training never has: ");
    assert_contains(out, "Where the decoder looked most at ");
    assert_contains(out, "It says:");
    assert_contains(out, "picture.svg");
    ck_assert_str_eq(err, "");
    sh("test -s $D/demo/picture.svg");
    train("");
    ck_assert_int_eq(try("$T demo --out $D/run --steps 1 --quiet"), 1);
    assert_contains(err, "holds a trained model already");
    sh("rm -rf $D/run; mv $D/demo $D/run; $T demo --out $D/run --steps 1 --quiet"); /* over an earlier demo */
    sh("rm -rf $D/run");
    train(" --samples 0"); /* like a demo's run, but by train */
    ck_assert_int_eq(try("$T demo --out $D/run --steps 1 --quiet"), 1);
}
END_TEST

/* ---- what it refuses ---- */

static const struct {
    const char *command;
    int status;
    const char *says;
} wrong[] = {
    {"$T", 2, "caption train"},
    {"$T paint", 2, "caption: there is no command \"paint\"; caption --help lists them"},
    {"$T train --out $D/x --heads 3", 2, "caption: --d-model 64 does not split into --heads 3"},
    {"$T train --out $D/x --pictures 90000", 2, "--pictures 90000: at most 80000 are possible"},
    {"$T train --out $D/x --noise 1", 2, "--noise"},
    {"$T train --out $D/x --best-by bleu", 2, "exact|loss"},
    {"$T train --resume $D/none", 1, "none/config.txt"},
    {"$T show --model $D/none", 1, "none/config.txt"},
    {"$T show --model $D/run --layer 3", 1,
     "caption: --layer 3: the decoder has 2: give 1 … 2, or 0 for the last"},
    {"$T show --model $D/run --head 3", 1, "caption: --head 3: a layer has 2: give 1 … 2"},
    {"$T show --model $D/run --part test", 2, "held-out|train"},
    {"$T show --model $D/run --picture 100000", 1,
     "caption: pictures: found 1 from number 100000 on, but there are 100000"},
    {"$T show --model $D/run --scene red-cross", 1, "caption: picture: found 1 tokens, expected 36"},
    {"$T show --model $D/run --scene red-cross --picture 3", 2,
     "--scene is one picture: leave out --picture and --count"},
    {"$T show --model $D/run --count 2 --svg $D/x.svg", 2, "--svg is of one picture: leave out --count"},
    {"$T show --model $D/run --svg $D/none/x.svg", 1, "none/x.svg"},
    {"$T evaluate --model $D/run --weights average", 1, "average"},
    {"$T evaluate --model $D/run --count 100001", 1, "ask for fewer"},
    {"echo program = weave >> $D/run/config.txt; $T info --model $D/run", 1, "config.txt"},
};

START_TEST(refused) {
    train("");
    for (int i = 0; i < COUNT(wrong); i++) {
        const int status = try(wrong[i].command);
        ck_assert_msg(status == wrong[i].status, "%s: exit status %d\n%s", wrong[i].command, status, err);
        ck_assert_msg(strstr(err, wrong[i].says), "%s\nsays: %s\nshould say: %s", wrong[i].command, err,
                      wrong[i].says);
    }
}
END_TEST

/* Damaged files of a run. */
START_TEST(damaged_runs) {
    static const struct {
        const char *damage, *says;
    } trials[] = {
        {"rm $D/bad/vocab.txt", "vocab.txt"},
        {"echo tapeloom-vocab 1 3 > $D/bad/vocab.txt", "vocab.txt"},
        {"sed -i '$d' $D/bad/vocab.txt", "vocab.txt"},
        {"sed -i 's/^d-model.*/d-model = 32/' $D/bad/config.txt", "patch_projection.weight"},
        {"sed -i 's/^d-model.*/d-model = 60000/' $D/bad/config.txt", "patch_projection.weight"},
        {"sed -i 's/^encoder-layers.*/encoder-layers = 900/' $D/bad/config.txt", "encoder.layers"},
        {"sed -i 's/^noise.*/noise = nan/' $D/bad/config.txt", "noise"},
        {"sed -i 's/^program.*/program = translate/' $D/bad/config.txt",
         "bad is a run of translate, and this is caption"},
        {"sed -i 's/^program.*/program = weave/' $D/bad/config.txt", "there is no program \"weave\""},
        {"truncate -s 3000 $D/bad/model.safetensors", "model.safetensors"}};
    train("");
    for (int i = 0; i < COUNT(trials); i++) {
        char command[512];
        snprintf(command, sizeof command, "rm -rf $D/bad; cp -r $D/run $D/bad; %s; $T show --model $D/bad",
                 trials[i].damage);
        const int status = try(command);
        ck_assert_msg(status == 1 && strstr(err, trials[i].says), "%s: exit status %d\n%s", trials[i].damage,
                      status, err);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, no_gnuplot, NULL);
    tcase_add_test(tc, trains);
    tcase_add_test(tc, goes_on_to_the_same_bytes);
    tcase_add_test(tc, interrupted);
    tcase_add_test(tc, shows);
    tcase_add_test(tc, words_from_somebody_else);
    tcase_add_test(tc, a_terminal_gets_colours);
    tcase_add_test(tc, evaluates);
    tcase_add_test(tc, informs);
    tcase_add_test(tc, demonstrates);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, damaged_runs);
}

TL_TEST_MAIN("caption")
