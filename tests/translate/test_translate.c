/* The main use from end to end, as a user runs it: train on sentence pairs, look into the run's folder, translate
 * lines, evaluate; the same seed gives the same file for any number of threads. Options, errors, raw text, decoding,
 * sentences made here and attention have test files of their own. */
#define _XOPEN_SOURCE 700
#include "program.h"

#include <tapeloom.h>

/* ---- a run and its folder ---- */

START_TEST(run_folder) {
    write_pairs();
    sh(TRAIN_FILES " --out $D/new/run --epochs 3 --min-count 2" SMALL);
    static const char *const written[] = {"config.txt",        "codes.txt",        "vocab.src.txt",
                                          "vocab.tgt.txt",     "log.csv",          "curves.gp",
                                          "model.safetensors", "last.safetensors", "checkpoint.safetensors"};
    enum { WRITTEN = sizeof written / sizeof *written };
    for (int i = 0; i < WRITTEN; i++) {
        char name[64];
        snprintf(name, sizeof name, "new/run/%s", written[i]);
        ck_assert_msg(access(in_folder(name), R_OK) == 0, "there is no %s", name);
    }
    /* gnuplot draws the curves if it is installed */
    ck_assert_int_eq(count_files(in_folder("new/run")),
                     WRITTEN + (system("gnuplot --version >/dev/null 2>&1") == 0));

    char *config = get_file(in_folder("new/run/config.txt"), NULL);
    assert_contains(config, "preset = toy\nd-model = 16\nheads = 2\nlayers = 1\nd-ff = 16\n");
    assert_contains(config, "\nepochs = 3\n");
    free(config);
    assert_file(in_folder("new/run/vocab.src.txt"), "tapeloom-vocab 1 11\n<pad>\n<bos>\n<eos>\n<unk>\n"
                                                    "the\ncat\ndog\neats\nsleeps\nblack\na\n");
    assert_file(in_folder("new/run/vocab.tgt.txt"), "tapeloom-vocab 1 11\n<pad>\n<bos>\n<eos>\n<unk>\n"
                                                    "le\nchat\nchien\ndort\nmange\nnoir\nun\n");
    static const char *const files[] = {"new/run/model.safetensors", "new/run/last.safetensors"};
    for (int i = 0; i < 2; i++) {
        tl_error error = {""};
        tl_safetensors *weights = tl_safetensors_open(in_folder(files[i]), &error);
        ck_assert_msg(weights != NULL, "%s", error.message);
        const tl_safetensors_entry *e = tl_safetensors_find(weights, "src_embedding.weight");
        ck_assert_ptr_nonnull(e);
        ck_assert(tl_shape_equal(e->shape, TL_SHAPE(11, 16)));
        ck_assert_int_eq(e->dtype, sizeof(tl_real) == 4 ? TL_DTYPE_F32 : TL_DTYPE_F64);
        e = tl_safetensors_find(weights, "decoder.layers.0.multihead_attn.in_proj_weight");
        ck_assert_ptr_nonnull(e);
        ck_assert(tl_shape_equal(e->shape, TL_SHAPE(48, 16)));
        tl_safetensors_close(weights);
    }
    char *log = get_file(in_folder("new/run/log.csv"), NULL);
    const char *header =
        "step,epoch,seconds,learning_rate,train_loss,valid_loss,accuracy,bleu,tokens_per_second\n";
    ck_assert_msg(!strncmp(log, header, strlen(header)), "%s", log);
    ck_assert_int_eq(count_lines(log), 1 + 3);
    long step, epoch;
    double number[7];
    const char *row = log + strlen(header);
    for (int i = 1; i <= 3; i++, row = strchr(row, '\n') + 1) {
        int found = sscanf(row, "%ld,%ld,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &step, &epoch, &number[0], &number[1],
                           &number[2], &number[3], &number[4], &number[5], &number[6]);
        ck_assert_msg(found == 9 && step == i && epoch == i, "row %d: %s", i, row);
        for (int k = 0; k < 7; k++)
            ck_assert_msg(number[k] >= 0 && isfinite(number[k]), "row %d: %s", i, row);
    }
    free(log);
    assert_contains(out, "8 pairs to train on, 8 to validate on; vocabularies 11 and 11; ");
    assert_contains(out, "epoch 3, step 3, ");
    assert_contains(out, "\nEnded: all steps are done. The run is in ");
}
END_TEST

/* Everything that is known by heart is translated exactly, and evaluate confirms it. */
START_TEST(learns) {
    train_well();
    sh_input("a black cat sleeps\nthe dog eats\n", "$T translate --model $D/run --quiet");
    ck_assert_str_eq(out, "un chat noir dort\nle chien mange\n");
    sh("$T evaluate --model $D/run --test $D/pairs.tsv --quiet");
    assert_contains(out, "pairs.tsv: 8 sentences in ");
    assert_contains(out, ", beam 5, length penalty 1: loss 0.");
    assert_contains(out, ", accuracy 100.0 %, exact 8\nBLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|");
    assert_contains(out, " = 100.00 100.0/100.0/100.0/100.0 (BP = 1.000 ");
    put_text(in_folder("half.tsv"), "the dog eats\tle chien mange\nthe cat eats\tle chat dort\n");
    sh("$T evaluate --model $D/run --test $D/half.tsv --beam 1 --quiet");
    assert_contains(out, "half.tsv: 2 sentences in ");
    assert_contains(out, ", greedy: loss ");
    assert_contains(out, ", exact 1\n");
}
END_TEST

/* A validation that is not better does not replace the best weights. */
START_TEST(best_is_kept) {
    write_pairs();
    put_text(in_folder("other.tsv"), "the dog eats\tzut\nthe cat eats\tzut\n");
    sh("$T train --train $D/pairs.tsv --valid $D/other.tsv --epochs 8 --lr 0.05 --warmup 0 --out $D/bad "
       "--quiet" SMALL);
    char *last_best = NULL;
    for (char *p = out; (p = strstr(p, "epoch ")) != NULL; p++)
        if (strstr(p, "(best so far)") && strstr(p, "(best so far)") < strchr(p, '\n')) last_best = p;
    ck_assert_ptr_nonnull(last_best);
    ck_assert_msg(strncmp(last_best, "epoch 8,", 8) != 0, "the valid loss should rise: %s", out);
    ck_assert(!same_files("bad/model.safetensors", "bad/last.safetensors"));
}
END_TEST

/* ---- lines in, lines out ---- */

START_TEST(line_for_line) {
    train_well();
    static const struct {
        const char *input, *output;
    } cases[] = {
        {"", ""},
        {"the dog eats", "le chien mange\n"},
        {"the dog eats\n", "le chien mange\n"},
        {"the dog eats\r\na dog eats\r\n", "le chien mange\nun chien mange\n"},
        {"the dog eats\r\n\r\na dog eats", "le chien mange\n\nun chien mange\n"},
        {"\n", "\n"},
        {"\n\n  \t\nthe cat sleeps\n\n", "\n\n\nle chat dort\n\n"},
        {"\xC2\xA0 \xE3\x80\x80\n", "\n"}, /* only white space, though not ASCII */
        {"\xEF\xBB\xBFthe dog eats\n", "le chien mange\n"},
        {"  the   dog\teats  \n", "le chien mange\n"},
        {"the black cat eats\na dog eats\nthe black dog sleeps\nthe cat eats\na dog eats\n",
         "le chat noir mange\nun chien mange\nle chien noir dort\nle chat mange\nun chien mange\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sh_input(cases[i].input, "$T translate --model $D/run --quiet");
        ck_assert_msg(!strcmp(out, cases[i].output), "input %zu gave\n%s", i, out);
        ck_assert_str_eq(err, "");
    }
    /* any bytes: as many lines out as in */
    ck_assert_int_eq(
        try_input("the \xff\n\0dog\n<eos> <pad>\nle zut", 28, "$T translate --model $D/run --quiet"), 0);
    ck_assert_int_eq(count_lines(out), 4);
    /* from a pipe, and from a file that another program has partly read */
    sh("echo 'the dog eats' | $T translate --model $D/run --quiet");
    ck_assert_str_eq(out, "le chien mange\n");
    sh_input("head\nthe dog eats\n", "read -r first; $T translate --model $D/run --quiet");
    ck_assert_str_eq(out, "le chien mange\n");
}
END_TEST

/* A model that is hardly trained, so that lengths differ widely: each line gives the same alone, in one batch, and
 * in small batches. */
START_TEST(alone_as_in_a_batch) {
    write_pairs();
    sh(TRAIN_FILES " --out $D/run --steps 6 --lr 0.02 --warmup 0 --quiet" SMALL);
    static const char *const lines[] = {
        "a",      "the dog eats the cat",   "",       "a black black black dog sleeps and the cat eats a dog",
        "sleeps", "the unknown zebra eats", "the cat"};
    enum { LINES = sizeof lines / sizeof *lines };
    char all[512] = "", alone[8192] = "";
    for (int i = 0; i < LINES; i++) strcat(strcat(all, lines[i]), "\n");
    for (int i = 0; i < LINES; i++) {
        char line[128];
        snprintf(line, sizeof line, "%s\n", lines[i]);
        sh_input(line, "$T translate --model $D/run --quiet --threads 1");
        ck_assert_int_eq(count_lines(out), 1);
        strcat(alone, out);
    }
    static const char *const ways[] = {"", " --batch-tokens 1", " --batch-tokens 20", " --threads 3"};
    for (int i = 0; i < 4; i++) {
        char command[256];
        snprintf(command, sizeof command, "$T translate --model $D/run --quiet%s", ways[i]);
        sh_input(all, command);
        ck_assert_str_eq(out, alone);
    }
    ck_assert_msg(strlen(alone) > 3 * LINES, "the test needs a model that says something: %s", alone);
}
END_TEST

/* ---- the same run again ---- */

START_TEST(same_seed_same_bytes) {
    write_pairs();
    static const char *const ways[] = {"--threads 1", "--threads 1", "--threads 2", "--threads 3",
                                       "--seed 2"};
    for (int i = 0; i < 5; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 TRAIN_FILES " --preset toy --batch-tokens 24 --steps 6 --out $D/run%d --quiet %s", i,
                 ways[i]);
        sh(command);
    }
    static const char *const files[] = {"model.safetensors", "last.safetensors"};
    for (int i = 0; i < 2; i++) {
        char a[64], b[64];
        snprintf(a, sizeof a, "run0/%s", files[i]);
        for (int k = 1; k < 5; k++) {
            snprintf(b, sizeof b, "run%d/%s", k, files[i]);
            ck_assert_msg(same_files(a, b) == (k < 4), "%s: %s against the first run", b, ways[k]);
        }
    }
}
END_TEST

/* ---- time, progress, what was left out ---- */

START_TEST(minutes_stop) {
    write_pairs();
    sh(TRAIN_FILES " --minutes 0.01 --out $D/run" SMALL);
    ck_assert_ptr_nonnull(strstr(out, "\nEnded: the time is up."));
    char *log = get_file(in_folder("run/log.csv"), NULL);
    const char *last = log + strlen(log) - 1;
    while (last > log && last[-1] != '\n') last--;
    double seconds = 0;
    long step = 0, epoch = 0;
    ck_assert_int_eq(sscanf(last, "%ld,%ld,%lf", &step, &epoch, &seconds), 3);
    ck_assert_msg(epoch > 10 || seconds >= 0.1, "minutes alone: no limit of 10 epochs: %s", last);
    ck_assert_msg(seconds < 60, "%s", last);
    free(log);
}
END_TEST

START_TEST(progress_on_stderr) {
    write_pairs();
    static const char *const commands[] = {TRAIN_FILES " --steps 9 --out $D/run" SMALL " 2>$TERMINAL",
                                           "echo a dog | $T translate --model $D/run 2>$TERMINAL",
                                           "$T evaluate --model $D/run --test $D/pairs.tsv 2>$TERMINAL"};
    static const char *const bars[] = {"step ", "translating: sentence ", "translating: sentence "};
    for (int i = 0; i < 3; i++) { /* a progress bar, but not in the results */
        int terminal = open_terminal();
        sh(commands[i]);
        char *text = received(terminal);
        ck_assert_msg(strstr(text, bars[i]), "%s: %s", commands[i], text);
        ck_assert_ptr_null(strstr(out, "tok/s"));
        free(text);
        close(terminal);
    }
    int terminal = open_terminal(); /* a progress bar, removed before an error */
    int status =
        try(TRAIN_FILES " --lr 1e200 --warmup 0 --clip 0 --batch-tokens 8 --out $D/bad" SMALL " 2>$TERMINAL");
    char *text = received(terminal), *message = strstr(text, "translate: step ");
    ck_assert_int_eq(status, 1);
    ck_assert_msg(message > text && message[-1] == '\r', "%s", text);
    free(text);
    close(terminal);
}
END_TEST

START_TEST(typed_sentences) {
    train_well();
    int terminal = open_terminal();
    ck_assert_int_eq(write(terminal, "the dog eats\n\004", 14), 14);
    sh("$T translate --model $D/run <$TERMINAL");
    ck_assert_str_eq(out, "le chien mange\n");
    ck_assert_msg(!strncmp(err, "Type sentences, one a line, and end with Ctrl-D.\n", 49), "%s", err);
    close(terminal);
}
END_TEST

START_TEST(left_out_lines) {
    write_pairs();
    put_text(in_folder("bad.tsv"),
             "the dog eats\tle chien mange\nno tab here\n\tle chat\n\na dog\tun chien\n"
             "\xff\xff\tle chat\na a a a a a\tun un un un un\nthe cat\tle chat\tmore\n");
    sh("cat $D/bad.tsv $D/pairs.tsv > $D/both.tsv");
    sh("$T train --train $D/both.tsv --valid $D/pairs.tsv --max-length 5 --steps 1 --out $D/run" SMALL);
    char report[2048];
    snprintf(report, sizeof report,
             "%s: 16 lines, 12 pairs, 4 skipped\n  no tab: 1, line 2\n  blank side: 2, lines 3, 4\n"
             "  not UTF-8: 1, line 6\n%s: 12 lines, 11 pairs, 1 skipped\n"
             "  too long (more than 5 tokens): 1, line 7\n",
             in_folder("both.tsv"), in_folder("both.tsv"));
    ck_assert_str_eq(err, report);
    assert_contains(out, "11 pairs to train on, 8 to validate on");
    sh("$T evaluate --model $D/run --test $D/bad.tsv --threads 1"); /* --max-length concerns only training */
    assert_contains(err, ": 8 lines, 4 pairs, 4 skipped\n");
    assert_contains(out, "4 sentences in ");
    sh("$T train --train $D/both.tsv --valid $D/pairs.tsv --steps 1 --out $D/silent --quiet" SMALL);
    ck_assert_str_eq(err, "");
}
END_TEST

/* ---- real data ---- */

START_TEST(real_sentences) {
    const char *valid = "../shared/data/multi30k-en-de-tok/valid.tsv";
    if (access(valid, R_OK) != 0) {
        TL_SKIP("real sentences: no %s here", valid);
        return;
    }
    setenv("V", valid, 1);
    sh("head -n 40 $V > $D/valid.tsv; $T train --train $V --valid $D/valid.tsv --preset toy --steps 4"
       " --batch-tokens 1024 --units words --out $D/run --quiet");
    assert_contains(out, "1014 pairs to train on, 40 to validate on");
    sh("cut -f 1 $D/valid.tsv | head -n 7 | $T translate --model $D/run --beam 1 --quiet");
    ck_assert_int_eq(count_lines(out), 7);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, run_folder);
    tcase_add_test(tc, learns);
    tcase_add_test(tc, best_is_kept);
    tcase_add_test(tc, line_for_line);
    tcase_add_test(tc, alone_as_in_a_batch);
    tcase_add_test(tc, same_seed_same_bytes);
    tcase_add_test(tc, minutes_stop);
    tcase_add_test(tc, progress_on_stderr);
    tcase_add_test(tc, typed_sentences);
    tcase_add_test(tc, left_out_lines);
    tcase_add_test(tc, real_sentences);
}

TL_TEST_MAIN("translate: the main job")
