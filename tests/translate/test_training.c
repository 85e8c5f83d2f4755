/* What the command line says about training holds: when it ends, which weights are best, which are averaged, how
 * many batches make an update; log and curves show it; and NaN or infinities stop it with the reason and the place. */
#define _XOPEN_SOURCE 700
#include "running.h"

/* Runs TRAIN_SMALL with more options into $D/<run>. */
static void train(const char *run, const char *options) {
    char line[4096];
    snprintf(line, sizeof line, TRAIN_SMALL " --out $D/%s --overwrite %s", run, options);
    sh(line);
}

static void assert_columns(const log_table *t, const char *name, int column, const double *expected,
                           long rows) {
    ck_assert_int_eq(t->rows, rows);
    for (long i = 0; i < rows; i++)
        ck_assert_msg(t->at[i][column] == expected[i], "%s, row %ld: column %d is %g, expected %g", name,
                      i + 1, column, t->at[i][column], expected[i]);
}

/* ---- when it ends ---- */

/* Four batches an epoch. */
START_TEST(steps_and_epochs) {
    static const struct {
        const char *options;
        long rows;
        double step[6], epoch[6];
    } cases[] = {
        {"--steps 6", 2, {4, 6}, {1, 1}},
        {"--epochs 2", 2, {4, 8}, {1, 2}},
        {"--epochs 3 --steps 9", 3, {4, 8, 9}, {1, 2, 2}},
        {"--epochs 1 --steps 9", 1, {4}, {1}},
        {"--steps 6 --validate-every 2", 3, {2, 4, 6}, {0, 1, 1}},
        {"--steps 7 --validate-every 3", 3, {3, 6, 7}, {0, 1, 1}},
        {"--steps 7 --validate-every 100", 1, {7}, {1}},
        {"--epochs 2 --accumulate 2", 2, {2, 4}, {1, 2}},
        {"--epochs 2 --accumulate 3", 2, {2, 4}, {1, 2}}, /* three batches, then the remaining one */
        {"--epochs 2 --accumulate 9", 2, {1, 2}, {1, 2}},
        {"--steps 5 --accumulate 3 --validate-every 1", 5, {1, 2, 3, 4, 5}, {0, 1, 1, 2, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        train("run", cases[i].options);
        log_table log = read_log("run");
        assert_columns(&log, cases[i].options, LOG_STEP, cases[i].step, cases[i].rows);
        assert_columns(&log, cases[i].options, LOG_EPOCH, cases[i].epoch, cases[i].rows);
        assert_contains(out, "Ended: all steps are done. The run is in ");
    }
    train("run", "--samples 0"); /* as --help says */
    ck_assert_int_eq(read_log("run").rows, 10);
}
END_TEST

START_TEST(minutes) {
    train("run", "--minutes 0.002"); /* more than a step, less than ten epochs or not */
    assert_contains(out, "Ended: the time is up.");
    ck_assert_int_eq(state_long("run", "updates"), 0); /* every update was validated */
    log_table log = read_log("run");
    ck_assert_int_eq((long)log.at[log.rows - 1][LOG_STEP], state_long("run", "step"));
    train("run", "--minutes 100 --steps 5");
    assert_contains(out, "Ended: all steps are done.");
}
END_TEST

/* The weights do not change, so the first validation is the best. */
START_TEST(patience) {
    static const char *const by[] = {"bleu", "loss"};
    for (int n = 1; n <= 4; n += 3)
        for (int i = 0; i < 2; i++) {
            char options[256];
            snprintf(options, sizeof options,
                     "--lr 0 --schedule constant --warmup 0 --validate-every 2 --best-by %s --patience %d",
                     by[i], n);
            train("run", options);
            assert_contains(out, "Ended: no validation was better for as long as --patience says.");
            assert_contains(out, "best validation (update 2, BLEU ");
            ck_assert_int_eq(read_log("run").rows, 1 + n);
            ck_assert(same_files("run/model.safetensors", "run/last.safetensors"));
        }
    /* a loss that goes up and down: counting starts anew at each improvement */
    train("run", "--lr 0.01 --schedule constant --warmup 0 --dropout 0.3 --best-by loss --validate-every 1 "
                 "--patience 12 --steps 200");
    log_table log = read_log("run");
    long best = 0, waited = 0, resets = 0;
    for (long i = 0; i < log.rows; i++) {
        ck_assert_msg(waited < 12, "row %ld should not be there", i + 1);
        bool better = i == 0 || log.at[i][LOG_VALID] < log.at[best][LOG_VALID];
        resets += better && waited > 0;
        waited = better ? 0 : waited + 1;
        if (better) best = i;
    }
    ck_assert_msg(resets > 1, "the test needs a loss that goes up and down, not %ld times", resets);
    ck_assert(waited == 12 || log.rows == 200);
    ck_assert_int_eq(state_long("run", "waited"), waited);
}
END_TEST

/* ---- which weights are the best ---- */

/* By loss, or by BLEU and then by loss: checked by the log. Half of the references are nonsense, so the loss rises
 * as the model becomes more certain, whatever BLEU does. All weights are kept, so that the best ones are known. */
START_TEST(best_by) {
    int differ = 0;
    sh("(head -n 4 $D/pairs.tsv; tail -n 4 $D/pairs.tsv | sed 's/\t.*/\tzut zut zut/') > $D/valid.tsv");
    for (int seed = 1; seed <= 3 || (!differ && seed <= 20); seed++) {
        long best[2] = {0, 0};
        for (int by = 0; by < 2; by++) {
            char options[512], text[128], name[64];
            snprintf(options, sizeof options,
                     "--valid $D/valid.tsv --lr 0.01 --warmup 0 --schedule constant --dropout 0 --steps 80 "
                     "--validate-every 5 --average 100 --best-by %s --seed %d",
                     by ? "loss" : "bleu", seed);
            train("run", options);
            log_table log = read_log("run");
            ck_assert_int_eq(log.rows, 16);
            for (long i = 1; i < log.rows; i++) {
                const double *x = log.at[i], *y = log.at[best[by]];
                bool lower = x[LOG_VALID] < y[LOG_VALID];
                if (by ? lower : x[LOG_BLEU] > y[LOG_BLEU] || (x[LOG_BLEU] == y[LOG_BLEU] && lower))
                    best[by] = i;
            }
            long step = (long)log.at[best[by]][LOG_STEP];
            snprintf(name, sizeof name, "run/recent/step-%ld.safetensors", step);
            ck_assert_msg(same_files(name, "run/model.safetensors"), "%s is not model.safetensors", name);
            ck_assert_int_eq(state_long("run", "best.step"), step);
            snprintf(text, sizeof text, "best validation (update %ld, BLEU %.2f).", step,
                     log.at[best[by]][LOG_BLEU]);
            assert_contains(out, text);
        }
        differ += best[0] != best[1];
    }
    ck_assert_msg(differ > 0, "the test needs a best loss that is not the best BLEU");
}
END_TEST

/* ---- the mean of recent weights ---- */

/* One tensor of a file; at most `room` elements. Returns how many. */
static long read_tensor(const char *file, const char *name, tl_real *to, long room) {
    tl_error error = {""};
    tl_safetensors *in = tl_safetensors_open(in_folder(file), &error);
    const tl_safetensors_entry *e = tl_safetensors_find(in, name);
    must_msg(e != NULL, "%s: no %s %s", file, name, error.message);
    tl_tensor tensor = tl_tensor_of(to, e->shape);
    long count = tl_numel(tensor);
    must(count <= room);
    must_msg(tl_safetensors_read(in, name, tensor, &error), "%s", error.message);
    tl_safetensors_close(in);
    return count;
}

START_TEST(average) {
    enum { ROOM = 4096, FILES = 3 };
    static tl_real mean[ROOM], part[FILES][ROOM];
    static const long steps[FILES] = {8, 10, 11};
    train("run", "--lr 0.01 --warmup 0 --steps 11 --validate-every 2 --average 3");
    char *said = strcpy(malloc(strlen(out) + 1), out), loss[32];
    ck_assert_int_eq(count_files(in_folder("run/recent")), FILES);
    ck_assert_str_eq(state_string("run", "recent"), "6 8 10 11"); /* 6 is removed after this was written */
    tl_error error = {""};
    tl_safetensors *in = tl_safetensors_open(in_folder("run/average.safetensors"), &error);
    ck_assert_msg(in != NULL, "%s", error.message);
    ck_assert_int_gt(tl_safetensors_count(in), 20);
    long moved = 0;
    for (long i = 0; i < tl_safetensors_count(in); i++) {
        const char *name = tl_safetensors_at(in, i)->name;
        long count = read_tensor("run/average.safetensors", name, mean, ROOM);
        for (int k = 0; k < FILES; k++) {
            char file[64];
            snprintf(file, sizeof file, "run/recent/step-%ld.safetensors", steps[k]);
            ck_assert_int_eq(read_tensor(file, name, part[k], ROOM), count);
        }
        for (long j = 0; j < count; j++) {
            double sum = (double)part[0][j] + (double)part[1][j] + (double)part[2][j];
            double close = sizeof(tl_real) == 4 ? 1.2e-7 : 4.5e-16;
            must_msg(fabs(sum / 3 - (double)mean[j]) <= close * fabs(sum / 3), "%s[%ld]: %.17g, not %.17g",
                     name, j, (double)mean[j], sum / 3);
            moved += part[0][j] != part[2][j];
        }
    }
    tl_safetensors_close(in);
    ck_assert_int_gt(moved, 1000);
    ck_assert(same_files("run/recent/step-11.safetensors", "run/last.safetensors"));
    /* the report equals what evaluate prints */
    const char *at = strstr(said, "average of the last 3: valid loss ");
    ck_assert_msg(at && sscanf(at, "average of the last 3: valid loss %31[0-9.],", loss) == 1, "%s", said);
    free(said);
    sh("$T evaluate --model $D/run --weights average --test $D/pairs.tsv --quiet");
    char line[64];
    snprintf(line, sizeof line, "loss %s,", loss);
    assert_contains(out, line);
    train("run", "--steps 4 --validate-every 2"); /* a new run keeps nothing of the old one */
    ck_assert_int_eq(count_files(in_folder("run/recent")), 0);
    ck_assert_int_ne(access(in_folder("run/average.safetensors"), F_OK), 0);
    train("run", "--steps 4 --validate-every 2 --average 9"); /* fewer validations than that */
    assert_contains(out, "average of the last 2: ");
    ck_assert_int_eq(count_files(in_folder("run/recent")), 2);
}
END_TEST

/* ---- several batches to an update ---- */

/* Eight batches of one sentence each, of different lengths, against one batch of all: the same sum of gradients,
 * except for rounding. (Weights are not compared: where a gradient is zero Adam's steps are noise.) */
START_TEST(accumulate) {
    static const char *const options[] = {"--batch-tokens 1000", "--batch-tokens 5 --accumulate 8",
                                          "--batch-tokens 5 --accumulate 20",
                                          "--batch-tokens 5 --accumulate 7"};
    log_table logs[4];
    for (int i = 0; i < 4; i++) {
        char line[512];
        snprintf(line, sizeof line,
                 "--dropout 0 --lr 0.003 --warmup 0 --schedule constant --clip 3 --epochs 6 %s", options[i]);
        train("run", line);
        logs[i] = read_log("run");
    }
    for (int i = 1; i < 4; i++) {
        ck_assert_int_eq(logs[i].rows, 6);
        double largest = 0;
        for (long r = 0; r < 6; r++) {
            double a = logs[i].at[r][LOG_LOSS], b = logs[0].at[r][LOG_LOSS], c = logs[i].at[r][LOG_VALID],
                   d = logs[0].at[r][LOG_VALID];
            largest = fmax(largest, fmax(fabs(a - b) / b, fabs(c - d) / d));
            ck_assert_int_eq((long)logs[i].at[r][LOG_STEP], i < 3 ? r + 1 : 2 * (r + 1));
        }
        ck_assert_msg(i < 3 ? largest < 1e-4 : largest > 1e-2, "%s: %g", options[i], largest);
    }
    ck_assert(logs[0].at[5][LOG_VALID] < 0.9 * logs[0].at[0][LOG_VALID]); /* training does learn */
}
END_TEST

/* Dropout differs between the batches of an update: if it were the same, two equal sentences would count as one. */
START_TEST(dropout_of_each_batch) {
    sh("for i in 1 2 3 4; do head -n 1 $D/pairs.tsv; done > $D/same.tsv");
    log_table logs[2];
    for (int i = 0; i < 2; i++) {
        train("run", i ? "--train $D/same.tsv --dropout 0.5 --batch-tokens 5 --accumulate 4 --epochs 1"
                       : "--train $D/same.tsv --dropout 0.5 --batch-tokens 5 --steps 1");
        logs[i] = read_log("run");
    }
    ck_assert_msg(fabs(logs[0].at[0][LOG_LOSS] - logs[1].at[0][LOG_LOSS]) > 1e-3, "%g and %g",
                  logs[0].at[0][LOG_LOSS], logs[1].at[0][LOG_LOSS]);
}
END_TEST

/* ---- the log ---- */

/* Validation changes nothing, so a row about three updates can be computed from a run that validates after each. */
START_TEST(log_columns) {
#define LOGGED "--dropout 0.3 --lr 0.01 --warmup 4 --schedule constant --steps 12 --validate-every "
    train("ones", LOGGED "1");
    train("threes", LOGGED "3");
    ck_assert(same_files("ones/last.safetensors", "threes/last.safetensors"));
    log_table ones = read_log("ones"), threes = read_log("threes");
    ck_assert_int_eq(ones.rows, 12);
    ck_assert_int_eq(threes.rows, 4);
    for (long i = 0; i < 12; i++) {
        const double *row = ones.at[i];
        ck_assert(row[LOG_STEP] == (double)(i + 1) && row[LOG_EPOCH] == (double)((i + 1) / 4));
        ck_assert(fabs(row[LOG_RATE] - (i < 3 ? 0.01 * (double)(i + 1) / 4 : 0.01)) < 1e-12);
        ck_assert(row[LOG_SECONDS] > (i ? row[LOG_SECONDS - LOG_COLUMNS] : 0));
        ck_assert(row[LOG_ACCURACY] >= 0 && row[LOG_ACCURACY] <= 1);
        ck_assert(row[LOG_BLEU] >= 0 && row[LOG_BLEU] <= 100 && row[LOG_SPEED] > 0);
    }
    for (long i = 0; i < 4; i++) {
        const double *three = threes.at[i], *last = ones.at[3 * i + 2];
        double mean = (ones.at[3 * i][LOG_LOSS] + ones.at[3 * i + 1][LOG_LOSS] + last[LOG_LOSS]) / 3;
        ck_assert(fabs(three[LOG_LOSS] - mean) < 1e-12 * mean);
        for (int c = LOG_VALID; c <= LOG_BLEU; c++) ck_assert(three[c] == last[c]);
    }
    char loss[64], line[128]; /* standard output says the same */
    snprintf(loss, sizeof loss, "train loss %.3f, valid loss %.3f, perplexity %.2f", threes.at[3][LOG_LOSS],
             threes.at[3][LOG_VALID], exp(threes.at[3][LOG_VALID]));
    snprintf(line, sizeof line, "epoch 3, step 12, %.0f s: ", threes.at[3][LOG_SECONDS]);
    assert_contains(out, loss);
    assert_contains(out, line);
}
END_TEST

/* ---- curves ---- */

START_TEST(curves) {
    char asked[2048];
    sh("PATH=$REAL_PATH; command -v gnuplot || true");
    bool real = *out != 0;
    if (real) {
        sh("PATH=$REAL_PATH; " TRAIN_SMALL " --steps 6 --validate-every 2 --out $D/run");
        char *picture = get_file(in_folder("run/curves.svg"), NULL);
        assert_contains(picture, "<svg");
        assert_contains(picture, "BLEU");
        free(picture);
        sh("cd $D/run && rm curves.svg && PATH=$REAL_PATH && gnuplot curves.gp && test -s curves.svg");
    } else
        TL_SKIP("gnuplot is not here: no picture was drawn");
    fake_gnuplot("#!/bin/sh\necho \"$(basename \"$PWD\") $*\" >>\"$D/asked\"\n");
    train("run", "--steps 2"); /* an older picture is removed */
    ck_assert_int_ne(access(in_folder("run/curves.svg"), F_OK), 0);
    assert_file(in_folder("asked"), "run -d ./curves.gp\n");
    sh("rm -r $D/run; P=$(dirname $(command -v sed)); PATH=$D/nothing; " TRAIN_SMALL
       " --steps 2 --out $D/run");
    assert_contains(out, "Ended: all steps are done.");
    ck_assert_int_eq(access(in_folder("run/curves.gp"), R_OK), 0);
    ck_assert_int_ne(access(in_folder("run/curves.svg"), F_OK), 0);
    /* a gnuplot that fails: reported, and nothing else is lost */
    fake_gnuplot("#!/bin/sh\necho 'no paint left'\nexit 3\n");
    sh(TRAIN_SMALL " --steps 4 --average 2 --validate-every 2 --out $D/run --overwrite");
    snprintf(asked, sizeof asked, "translate: warning: %s: gnuplot failed: no paint left",
             in_folder("run/curves.gp"));
    assert_contains(err, asked);
    static const char *const files[] = {"run/last.safetensors", "run/average.safetensors",
                                        "run/checkpoint.safetensors"};
    for (int i = 0; i < 3; i++) ck_assert_int_eq(access(in_folder(files[i]), R_OK), 0);
}
END_TEST

/* ---- NaN and infinities ---- */

/* Changes a tensor of a run's checkpoint: `count` elements from `first` on (0: all) become scale·x + shift. */
static void edit_checkpoint(const char *run, const char *name, long first, long count, double scale,
                            double shift) {
    enum { TENSORS = 256 };
    char file[64];
    tl_safetensors_item items[TENSORS];
    tl_safetensors_pair pairs[TENSORS];
    tl_error error = {""};
    snprintf(file, sizeof file, "%s/checkpoint.safetensors", run);
    tl_safetensors *in = tl_safetensors_open(in_folder(file), &error);
    ck_assert_msg(in != NULL, "%s", error.message);
    long tensors = tl_safetensors_count(in), texts = tl_safetensors_metadata_count(in);
    ck_assert(tensors <= TENSORS && texts <= TENSORS && tl_safetensors_find(in, name));
    for (long i = 0; i < texts; i++) pairs[i] = tl_safetensors_metadata_at(in, i);
    for (long i = 0; i < tensors; i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(in, i);
        long size = (long)((e->end - e->begin) / sizeof(tl_real));
        tl_real *data = malloc((size_t)size * sizeof *data);
        items[i] = (tl_safetensors_item){e->name, tl_tensor_of(data, e->shape), TL_DTYPE_REAL};
        must_msg(tl_safetensors_read(in, e->name, items[i].tensor, &error), "%s", error.message);
        if (strcmp(e->name, name) != 0) continue;
        for (long k = first; k < (count ? first + count : size); k++)
            data[k] = (tl_real)(scale * (double)data[k] + shift);
    }
    ck_assert_msg(tl_safetensors_write(in_folder(file), items, tensors, pairs, texts, &error), "%s",
                  error.message);
    for (long i = 0; i < tensors; i++) free(items[i].tensor.data);
    tl_safetensors_close(in);
}

/* Asserts that the run stops, and that its files stay the same. The error begins with `text`; returns what follows. */
static const char *stops(const char *options, const char *text) {
    static char said[1024];
    char line[512];
    sh("rm -rf $D/before; cp -r $D/run $D/before");
    snprintf(line, sizeof line, "$T train --resume $D/run --quiet %s", options);
    int status = try(line);
    ck_assert_msg(status == 1, "exit status %d\n%s%s", status, out, err);
    ck_assert_int_eq(count_lines(err), 1);
    ck_assert_msg(!strncmp(err, "translate: ", 11) && !strncmp(err + 11, text, strlen(text)), "%s", err);
    ck_assert_msg(strstr(err,
                         "; the checkpoint is the one before: try a smaller --lr, a longer --warmup or a "
                         "smaller --clip\n"),
                  "%s", err);
    snprintf(said, sizeof said, "%s", err + 11 + strlen(text));
    assert_same_run("run", "before");
    return said;
}

#define TWO_MORE "--steps 12 --validate-every 100 "

/* Steps that are far too long: after one the weights are not finite, and the next update finds it. */
START_TEST(weights_blow_up) {
    static const char *const more[] = {"", " --accumulate 3"};
    for (int i = 0; i < 2; i++) {
        /* lines that are left out come first: the 8 pairs begin at line 21 */
        sh("(seq 20; cat $D/pairs.tsv) > $D/late.tsv");
        char options[256];
        snprintf(
            options, sizeof options,
            "--train $D/late.tsv --batch-tokens 1000 --steps 8 --lr 0.002 --schedule constant --warmup 0%s",
            more[i]);
        train("run", options);
        const char *said =
            stops(TWO_MORE "--lr 1e200", "step 10: the loss is not a number; a batch of 8 sentences, ");
        long line[5];
        ck_assert_msg(sscanf(said, "lines %ld, %ld, %ld, %ld, %ld …; what went wrong first: node ", &line[0],
                             &line[1], &line[2], &line[3], &line[4]) == 5,
                      "%s", said);
        for (int k = 0; k < 5; k++) {
            ck_assert(line[k] > 20 && line[k] <= 28);
            for (int j = 0; j < k; j++) ck_assert_int_ne(line[j], line[k]);
        }
        /* the files are intact: training resumes normally */
        sh("$T train --resume $D/run --quiet " TWO_MORE "--lr 0.002");
        snprintf(options, sizeof options,
                 "--out $D/whole --train $D/late.tsv --batch-tokens 1000 --steps 12 --lr 0.002 --schedule "
                 "constant --warmup 0%s",
                 more[i]);
        train("whole", options);
        ck_assert(same_files("run/last.safetensors", "whole/last.safetensors"));
    }
}
END_TEST

/* One word's embedding is NaN: its sentence is named, and the place. */
START_TEST(one_bad_word) {
    sh("cd $D && (echo no tab; cat pairs.tsv; printf 'zebra\tdort\\n') > late.tsv");
    train("run", "--train $D/late.tsv --batch-tokens 5 --steps 9 --dropout 0");
    sh("grep -n zebra $D/run/vocab.src.txt");
    long row = strtol(out, NULL, 10) - 2; /* a line before the first entry */
    edit_checkpoint("run", "model.src_embedding.weight", row * 16, 16, 0, NAN);
    const char *where = stops("--steps 18", "step ");
    assert_contains(
        where, ": the loss is not a number; a batch of 1 sentence, line 10; what went wrong first: node ");
    assert_contains(where, "src_embedding");
}
END_TEST

/* The loss is finite but a gradient is not: attention to zero values through an enormous matrix, by which only the
 * backward multiplies. */
START_TEST(gradient_blows_up) {
    double enormous = sizeof(tl_real) == 4 ? 3e38 : 1.7e308;
    for (int i = 0; i < 2; i++) {
        train("run", i ? "--batch-tokens 5 --steps 9 --dropout 0 --tie none --accumulate 2"
                       : "--batch-tokens 5 --steps 9 --dropout 0 --tie none");
#define CROSS "model.decoder.layers.0.multihead_attn."
        edit_checkpoint("run", CROSS "in_proj_weight", 0, 0, 0, 0);
        edit_checkpoint("run", CROSS "in_proj_bias", 0, 0, 0, 0);
        edit_checkpoint("run", CROSS "out_proj.weight", 0, 0, 0, 0);
        edit_checkpoint("run", CROSS "out_proj.weight", 0, 16, 0, enormous);
        edit_checkpoint("run", "model.output.weight", 0, 0, 1e4, 0);
        const char *where = stops("--steps 10", "step 10: the norm of the gradients is ");
        assert_contains(where, "; a batch of 1 sentence, line ");
        assert_contains(where, "; what went wrong first: gradient of node ");
        assert_contains(where, ", scaled_dot_product_attention (decoder.layers.0.multihead_attn), ");
    }
}
END_TEST

/* Only validation finds it, since an epoch is a single update. */
START_TEST(validation_blows_up) {
    train("run", "--batch-tokens 1000 --steps 2 --lr 0.002 --schedule constant --warmup 0");
    const char *where =
        stops("--steps 3 --lr 1e200", "step 3: the loss on the validation sentences is not a number");
    assert_contains(where, "; what went wrong first: ");
    ck_assert_ptr_null(strstr(where, "a batch of"));
}
END_TEST

/* ---- the warning ---- */

/* The source says nothing; the target counts up from a number. Each word follows from the true one before, but the
 * first number cannot be known: the model always writes the same one, which no validation sentence has. */
START_TEST(warns_of_a_gap) {
    char text[16384] = "", valid[1024] = "", line[128];
    for (int n = 0; n < 80; n++) {
        int begin = n % 4 == 0 ? 1 : 1 + n % 17; /* 1 is the most frequent */
        snprintf(line, sizeof line, "go\t%d %d %d %d %d %d\n", begin, begin + 1, begin + 2, begin + 3,
                 begin + 4, begin + 5);
        strcat(text, line);
    }
    for (int begin = 8; begin <= 16; begin++) {
        snprintf(line, sizeof line, "go\t%d %d %d %d %d %d\n", begin, begin + 1, begin + 2, begin + 3,
                 begin + 4, begin + 5);
        strcat(valid, line);
    }
    put_text(in_folder("counting.tsv"), text);
    put_text(in_folder("valid.tsv"), valid);
#define LEARN \
 "--batch-tokens 200 --dropout 0 --lr 0.01 --warmup 10 --d-model 32 --d-ff 32 --min-count 1 --quiet "
    train("run", LEARN "--epochs 40 --train $D/counting.tsv --valid $D/valid.tsv");
    log_table log = read_log("run");
    bool gap = false;
    int warnings = 0, gaps = 0;
    for (long i = 0; i < log.rows; i++) {
        bool now = log.at[i][LOG_ACCURACY] > 0.7 && log.at[i][LOG_BLEU] < 1;
        gaps += now && !gap;
        gap = now;
    }
    for (const char *at = err; (at = strstr(at, "translate: warning: given the true words before, ")); at++)
        warnings++;
    ck_assert_msg(gap, "the test needs such a run: %s", out);
    ck_assert_int_eq(warnings, gaps); /* warned once, not at each validation */
    ck_assert_int_eq(count_lines(err), gaps);
    assert_contains(err, " % of the next words are right, but BLEU of the translations is 0.");
    assert_contains(err, "see whether the lines of source and target match.\n");

    train("run", LEARN "--epochs 60"); /* a good run, with a BLEU of 0 in the beginning */
    log = read_log("run");
    ck_assert(log.at[0][LOG_BLEU] < 1 && log.at[log.rows - 1][LOG_BLEU] > 90);
    ck_assert_str_eq(err, "");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, enter_running, NULL);
    tcase_add_test(tc, steps_and_epochs);
    tcase_add_test(tc, minutes);
    tcase_add_test(tc, patience);
    tcase_add_test(tc, best_by);
    tcase_add_test(tc, average);
    tcase_add_test(tc, accumulate);
    tcase_add_test(tc, dropout_of_each_batch);
    tcase_add_test(tc, log_columns);
    tcase_add_test(tc, curves);
    tcase_add_test(tc, weights_blow_up);
    tcase_add_test(tc, one_bad_word);
    tcase_add_test(tc, gradient_blows_up);
    tcase_add_test(tc, validation_blows_up);
    tcase_add_test(tc, warns_of_a_gap);
}

TL_TEST_MAIN("translate: training")
