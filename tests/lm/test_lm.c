/* The language model's program as a user runs it: training and resuming, texts, measurements, other programs' files. */
#define _XOPEN_SOURCE 700
#define PROGRAM "lm"
#include "trials.h"

#include <math.h>

#define POEM                                    \
 "the cat, the dog and the café sleep;\n"      \
 "the dog and the cat sleep, and so does it!\n" \
 "\n"                                           \
 "a cat sleeps: the dog sleeps, too.\n"
#define TINY \
 " --preset toy --d-model 16 --heads 2 --layers 1 --context 12 --batch 4 --warmup 2 --threads 1 --quiet"
#define TRAIN "$T train --train $D/poem --valid-share 0.3 --samples 1 --validate-every 2" TINY

static void prepare(void) {
    put_text(in_folder("poem"), POEM POEM POEM);
    no_gnuplot();
}

/* ---- training ---- */

/* Position in the data, moments and random samples are restored: a run stopped anywhere and resumed takes the same
 * steps bit for bit, and prints the same. */
START_TEST(going_on) {
    static const char *const kinds[] = {"--units chars", "--units words --lines --context 0 --min-count 1",
                                        "--units bpe --merges 20 --dropout 0.3",
                                        "--units chars --accumulate 2 --shares 2"};
    for (int k = 0; k < 4; k++) {
        char command[1024];
        snprintf(command, sizeof command,
                 TRAIN " %s --schedule constant --steps 11 --out $D/whole > $D/whole.txt", kinds[k]);
        sh(command);
        snprintf(command, sizeof command,
                 TRAIN " %s --schedule constant --steps 3 --out $D/parts > $D/parts.txt"
                       " && $T train --resume $D/parts --quiet --steps 4 >> $D/parts.txt"
                       " && $T train --resume $D/parts --quiet --steps 11 >> $D/parts.txt",
                 kinds[k]);
        sh(command);
        ck_assert_msg(same_files("whole/last.safetensors", "parts/last.safetensors"), "%s", kinds[k]);
        /* the same texts at the same steps; a training that ends validates once more */
        sh("for run in whole parts; do sed -n '/ step 10,/,/^---$/{s/, [0-9]* s:/:/;p}' $D/$run.txt > "
           "$D/$run.said; done");
        ck_assert(same_files("whole.said", "parts.said"));
        sh("test -s $D/whole.said && rm -r $D/whole $D/parts");
    }
}
END_TEST

START_TEST(from_standard_input) {
    sh("$T train --train - --valid-share 0.3 --steps 4 --out $D/piped" TINY " < $D/poem");
    sh(TRAIN " --steps 4 --out $D/file");
    ck_assert(same_files("piped/last.safetensors", "file/last.safetensors"));
    sh("$T train --resume $D/piped --quiet --steps 6 < $D/poem && $T train --resume $D/file --quiet --steps "
       "6");
    ck_assert(same_files("piped/last.safetensors", "file/last.safetensors"));
    ck_assert_int_eq(try("echo something else | $T train --resume $D/piped --quiet --steps 8"), 1);
    assert_contains(err, "lm: the sentences are not those that the run in");
    ck_assert_int_eq(try("$T evaluate --model $D/piped --quiet"), 1);
    assert_contains(err, "came from standard input: give a text");
    sh("$T evaluate --model $D/piped --text - --quiet < $D/poem");
    ck_assert_int_eq(try("$T train --train - --out $D/none" TINY), 1);
    assert_contains(err, "standard input is empty");
}
END_TEST

/* A run's texts must not change; sample texts differ from each other. */
START_TEST(its_own_texts) {
    sh("cp $D/poem $D/other; $T train --train $D/poem --valid $D/other --steps 4 --samples 2 --out "
       "$D/run" TINY);
    char first[512] = "", second[512] = "";
    const char *at = strstr(out, "--- it writes\n");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, "--- it writes\n%511[^$]", first), 1);
    char *next = strstr(first, "--- it writes\n");
    ck_assert_ptr_nonnull(next);
    snprintf(second, sizeof second, "%s", next + strlen("--- it writes\n"));
    *next = 0;
    ck_assert(strncmp(first, second, 20));
    sh("echo more >> $D/other");
    ck_assert_int_eq(try("$T train --resume $D/run --steps 6 --quiet"), 1);
    assert_contains(err, "are not those that the run in");
    sh("cp $D/poem $D/other; $T train --resume $D/run --steps 6 --quiet; echo more >> $D/poem");
    ck_assert_int_eq(try("$T train --resume $D/run --steps 8 --quiet"), 1);
    /* a changed setting holds from then on */
    sh("cp $D/other $D/poem; $T train --resume $D/run --steps 9 --lr 0.5 --quiet; grep 'lr = 0.5' "
       "$D/run/config.txt");
}
END_TEST

/* Validation lines are drawn by the seed, and training does not use them. */
START_TEST(lines_are_held_out) {
    sh("seq 1000 1099 > $D/numbers; $T train --train $D/numbers --lines --valid-share 0.2 --steps 2 --out "
       "$D/run" TINY " --context 0");
    assert_contains(out, "80 lines to train on, 20 to validate on; vocabulary 14; context 5; ");
    sh("$T info --model $D/run");
    assert_contains(out, ", each line a text by itself");
    sh("echo 100010001000 > $D/longer; $T train --train $D/numbers --valid $D/longer --lines --steps 1 --out "
       "$D/other" TINY " --context 0");
    assert_contains(out, "100 lines to train on, 1 to validate on; vocabulary 14; context 13; ");
}
END_TEST

START_TEST(it_learns) {
    sh("$T train --train $D/poem --valid $D/poem --steps 600 --lr 0.02 --out $D/run --dropout 0 --samples "
       "0" TINY " --context 40");
    sh("$T sample --model $D/run --prompt 'a cat sleeps' --greedy --tokens 22");
    ck_assert_str_eq(out, "a cat sleeps: the dog sleeps, too.\n");
    sh("$T evaluate --model $D/run --quiet");
    double nats, bits;
    long tokens, bytes;
    const char *numbers = strchr(out, '\n') + 1;
    ck_assert_int_eq(sscanf(out, "what training validates on: %ld tokens, %ld bytes", &tokens, &bytes), 2);
    ck_assert_int_eq(sscanf(numbers, "%lf nats a token, perplexity %*f, %lf bits per byte", &nats, &bits), 2);
    ck_assert(tokens == bytes - 3 && nats < 0.4); /* é has two bytes, three times over */
    ck_assert_double_eq_tol(bits, nats * (double)tokens / (double)bytes / log(2), 2e-4);
    sh("printf 'the zebra' | $T evaluate --model $D/run --text - --quiet");
    assert_contains(err, "lm: warning: 3 tokens are not in the vocabulary"); /* z, b, r */
}
END_TEST

/* ---- texts ---- */

START_TEST(samples) {
    sh(TRAIN " --steps 40 --out $D/run");
    sh("$T sample --model $D/run --tokens 80 --seed 3 > $D/a; $T sample --model $D/run --tokens 80 --seed 3 "
       "--threads 2 > $D/b");
    ck_assert(same_files("a", "b"));
    sh("$T sample --model $D/run --tokens 80 --seed 3 --samples 2 > $D/two; head -c $(wc -c < $D/a) $D/two > "
       "$D/first");
    ck_assert(same_files("a", "first"));
    sh("cat $D/two");
    assert_contains(out, "\n---\n");
    /* text reaches a pipe as it is written, and writing ends when the reader closes the pipe */
    sh("$T sample --model $D/run --tokens 100000000 2> /dev/null | head -c 40 > $D/begun");
    sh("$T sample --model $D/run --tokens 100 --prompt 'a caf\xC3\xA9 $%' 2> $D/said > $D/text");
    sh("cat $D/said");
    assert_contains(out, "does not know 2 tokens of the prompt");
    sh("$T sample --model $D/run --tokens 100 --top-k 1 > $D/a; $T sample --model $D/run --tokens 100 "
       "--greedy > $D/b");
    ck_assert(same_files("a", "b"));
}
END_TEST

/* ---- other programs' files ---- */

/* A run is exported in both layouts and imported again, with the same bits. */
START_TEST(out_and_in) {
    for (int nanogpt = 0; nanogpt < 2; nanogpt++) {
        sh(nanogpt ? TRAIN
               " --units bpe --merges 20 --steps 4 --out $D/run --overwrite --no-bias --vocab 300 --untied"
                   : TRAIN " --units bpe --merges 20 --steps 4 --out $D/run");
        sh(nanogpt ? "$T export --model $D/run --layout nanogpt --out $D/out.safetensors"
                   : "$T export --model $D/run --out $D/out.safetensors");
        sh("$T import --file $D/out.safetensors --tokenizer $D/run --heads 2 --out $D/back --overwrite");
        assert_contains(out, nanogpt ? "1 layers, context 12, vocabulary 300."
                                     : "d_model 16, 2 heads, 1 layers, context 12, vocabulary 277.");
        ck_assert(same_files("run/model.safetensors", "back/model.safetensors"));
        ck_assert(same_files("run/vocab.json", "back/vocab.json") &&
                  same_files("run/merges.txt", "back/merges.txt"));
        sh("for run in run back; do $T sample --model $D/$run --tokens 60 > $D/$run.text; done");
        ck_assert(same_files("run.text", "back.text"));
    }
    sh("$T import --file $D/out.safetensors --tokenizer $D/run --heads 2 --gelu-erf --out $D/erf");
    sh("for run in back erf; do $T evaluate --model $D/$run --text $D/poem --quiet | tail -n 1 > "
       "$D/$run.nats; done");
    ck_assert(!same_files("back.nats", "erf.nats")); /* the other gelu */
    ck_assert_int_eq(try("$T import --file $D/out.safetensors --tokenizer $D/run --out $D/back --heads 2"),
                     1);
    assert_contains(err, "holds a trained model already");
    ck_assert_int_eq(try("$T import --file $D/run/vocab.json --tokenizer $D/run --out $D/other"), 1);
    ck_assert_int_eq(try("$T import --file $D/out.safetensors --out $D/other"), 1);
    assert_contains(err, "vocab.json");
    ck_assert_int_eq(try("$T import --tokenizer $D/run"), 2);
    ck_assert_int_eq(try("$T export --model $D/run"), 2);
    ck_assert_int_eq(try("$T train --resume $D/back --steps 9 --quiet"), 1);
    assert_contains(err, "there is no text to learn");
}
END_TEST

/* ---- what is refused ---- */

START_TEST(wrong_command_lines) {
    static const struct {
        const char *command, *says;
        int status;
    } wrong[] = {{"$T train --out $D/run",
                  "lm: give --train FILE (- is standard input), or --made en; see lm train --help", 2},
                 {"$T train --train $D/none --out $D/run --quiet", "none", 1},
                 {"$T train --train $D/poem --made en", "leave out --train", 2},
                 {"$T train --train $D/poem --units letters", "chars|words|bpe", 2},
                 {"$T train --train $D/poem --heads 3", "does not split into --heads 3", 2},
                 {"$T sample --model $D/none", "config.txt", 1},
                 {"$T sample --top-p 1.5", "at most 1", 2},
                 {"$T sample --greedy --top-k 3", "--greedy draws nothing", 2},
                 {"$T weave", "there is no command \"weave\"; lm --help lists them", 2},
                 {"$T train --train $D/poem --out $D/run --threads 2000", "--threads 2000: at most 1024", 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const int status = try(wrong[i].command);
        ck_assert_msg(status == wrong[i].status, "%s: exit status %d, %s", wrong[i].command, status, err);
        assert_contains(err, wrong[i].says);
    }
    sh(TRAIN " --steps 2 --out $D/run");
    ck_assert_int_eq(try("$T train --resume $D/run --heads 1"), 1);
    assert_contains(err, "--heads cannot change while a run goes on");
    ck_assert_int_eq(try("printf 'a\\0b' | $T evaluate --model $D/run --text -"), 1);
    assert_contains(err, "the text has a zero byte at 1");
    ck_assert_int_eq(try("$T evaluate --model $D/run --text - < /dev/null"), 1);
    assert_contains(err, "the text is empty");
    sh("sed -i 's/^d-model = 16/d-model = 160000/' $D/run/config.txt");
    ck_assert_int_eq(try("$T info --model $D/run"), 1);
    assert_contains(err, "--d-model 160000: at most 65536");
}
END_TEST

/* A folder never holds one run's weights with another run's text. */
START_TEST(another_run_in_its_folder) {
    sh(TRAIN " --units bpe --merges 5 --steps 2 --out $D/run && test -f $D/run/vocab.json");
    sh(TRAIN " --units chars --steps 2 --out $D/run --overwrite && test -f $D/run/vocab.txt");
    sh("test ! -e $D/run/vocab.json && test ! -e $D/run/merges.txt");
}
END_TEST

START_TEST(demo) {
    sh("$T demo --steps 3 --out $D/demo --quiet");
    assert_contains(out, "It writes:\n");
    sh("$T demo --steps 3 --out $D/demo --quiet --made zh");
    ck_assert_int_eq(try("$T demo --steps 1 --out $D/demo --made de"), 2);
    sh(TRAIN " --steps 2 --out $D/run");
    ck_assert_int_eq(try("$T demo --steps 2 --out $D/run --quiet"), 1);
    assert_contains(err, "holds a trained model already");
    sh("$T demo --steps 2 --out $D/run --quiet --overwrite");
    /* like a demo's run, but by train */
    sh("$T train --made en --lines --units words --steps 1 --out $D/like" TINY " --context 0");
    ck_assert_int_eq(try("$T demo --steps 2 --out $D/like --quiet"), 1);
    sh("$T train --resume $D/run --steps 3 --quiet"); /* a demo's run, trained further */
    ck_assert_int_eq(try("$T demo --steps 2 --out $D/run --quiet"), 1);
    assert_contains(err, "holds a trained model already");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, prepare, NULL);
    tcase_add_test(tc, going_on);
    tcase_add_test(tc, from_standard_input);
    tcase_add_test(tc, its_own_texts);
    tcase_add_test(tc, lines_are_held_out);
    tcase_add_test(tc, it_learns);
    tcase_add_test(tc, samples);
    tcase_add_test(tc, out_and_in);
    tcase_add_test(tc, wrong_command_lines);
    tcase_add_test(tc, another_run_in_its_folder);
    tcase_add_test(tc, demo);
}

TL_TEST_MAIN("lm: the program")
