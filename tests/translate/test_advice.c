/* Commands that the program advises can be typed as printed: each is run here, in the folder where it was printed. */
#define _XOPEN_SOURCE 700
#include "program.h"

/* Commands run in the test's folder, so $T must be an absolute path. */
#define THERE "case $T in /*) ;; *) T=$PWD/$T ;; esac; cd \"$D\" && "
#define SMALL_RUN " --steps 2 --quiet --warmup 1" SMALL

/* The rest of the line that begins with `begin`; the caller frees it. */
static char *line_after(const char *text, const char *begin) {
    const char *line = strstr(text, begin);
    ck_assert_msg(line != NULL, "no \"%s\" in\n%s", begin, text);
    line += strlen(begin);
    const size_t size = strcspn(line, "\n");
    char *copy = calloc(1, size + 1);
    return memcpy(copy, line, size);
}

/* Asserts that the command succeeds, prints something, and reports nothing on standard error. */
static void works(const char *command, const char *more) {
    char line[4096];
    snprintf(line, sizeof line, THERE "%s%s", command, more);
    int status = try(line);
    ck_assert_msg(status == 0 && *out && !*err, "%s%s\nexit status %d\n%s%s", command, more, status, out,
                  err);
}

static char *text_of(const char *text) { return strcpy(malloc(strlen(text) + 1), text); }

START_TEST(after_training) {
    static const struct {
        const char *from, *dir;
    } cases[] = {
        {"--task copy --sentences 40 --symbols 2 --max-symbols 12", "run"},
        {"--task reverse --sentences 40 --symbols 9 --max-symbols 6", "a run"},
        {"--pair en-fr --sentences 4000", "it's"},
        {"--pair en-zh --sentences 4000", "run"},
        {"--train pairs.tsv --valid pairs.tsv", "run"},
        {"--train=--odd.tsv --valid=--odd.tsv", "--run"},
        {"--train \"it's & more\" --valid \"it's & more\"", "#1"},
        {"--train-src a --train-tgt b --valid-src a --valid-tgt b", "run"},
        {"--train-src a --train-tgt b --valid pairs.tsv", "run"},
        {"--train pairs.tsv --valid-src a --valid-tgt=--b", "run"},
    };
    write_pairs();
    sh("cd $D; cp pairs.tsv ./--odd.tsv; cp pairs.tsv \"it's & more\"; cut -f 1 pairs.tsv > a; cut -f 2 "
       "pairs.tsv > b; "
       "cp b ./--b");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[1024];
        setenv("DIR", cases[i].dir, 1);
        snprintf(line, sizeof line, THERE "$T train %s --out=\"$DIR\" --overwrite" SMALL_RUN, cases[i].from);
        sh(line);
        char *said = text_of(out), *first = line_after(said, "\nGo on:\n  ");
        char *second = line_after(strstr(said, "\nGo on:\n"), "\n  "),
             *rest = strstr(said, first) + strlen(first);
        free(second);
        second = line_after(rest, "\n  ");
        works(first, " --threads 1"); /* (a redirection may stand before an option) */
        works(second, " --threads 1 --quiet");
        assert_contains(out, "BLEU|");
        snprintf(line, sizeof line, THERE "$T train --resume=\"$DIR\" --steps 3 --quiet");
        sh(line); /* a resumed run advises the same */
        ck_assert_msg(strstr(out, first) && strstr(out, second), "%s\n%s\nnot in\n%s", first, second, out);
        free(said);
        free(first);
        free(second);
    }
}
END_TEST

START_TEST(after_the_demo) {
    sh(THERE "$T demo --steps 2 --quiet --threads 1");
    static const struct {
        const char *begin, *more;
    } lines[] = {
        {"\nTry it:", ""},
        {"\nLook:", ""},
        {"\nThe other:", " --steps 1 --quiet"},
        {"\nFiles:", " --preset toy --steps 1 --merges 50 --batch-tokens 256 --validate-every 9 --quiet"}};
    char *said = text_of(out);
    for (int i = 0; i < 4; i++) {
        char *command = line_after(strstr(said, "\nThe run is in "), lines[i].begin);
        works(command, lines[i].more);
        free(command);
    }
    ck_assert_int_eq(access(in_folder("runs/other/model.safetensors"), R_OK), 0);
    ck_assert_int_eq(access(in_folder("runs/mine/model.safetensors"), R_OK), 0);
    free(said);
}
END_TEST

/* Advice inside error sentences: the option that is named solves the problem. */
START_TEST(in_sentences) {
    write_pairs();
    sh(TRAIN_FILES " --out $D/run --average 1 --steps 2 --quiet" SMALL);
    assert_contains(out, "use it with --weights average\n");
    sh("echo a dog | $T translate --model $D/run --weights average");
    ck_assert_int_eq(try("$T train --resume $D/run --quiet"), 1);
    assert_contains(err, "give --steps, --epochs, --minutes or --patience anew to go on");
    sh("$T train --resume $D/run --steps 3 --quiet");
    sh("$T train --resume $D/run --epochs 4 --quiet");
    sh("$T train --resume $D/run --minutes 0.01 --steps 5 --quiet");
    ck_assert_int_eq(try(TRAIN_FILES " --out $D/run --quiet" SMALL), 1);
    assert_contains(err, "choose another --out, say --overwrite, or go on with it by --resume ");
    sh(TRAIN_FILES " --out $D/run --overwrite --steps 1 --quiet" SMALL);
    ck_assert_int_eq(try("echo a dog | $T translate --model $D/run --weights average"), 1);
    assert_contains(err, "train with --average N, or leave out --weights average");
    ck_assert_int_eq(try("$T train"), 2);
    assert_contains(err, "see translate train --help");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, after_training);
    tcase_add_test(tc, after_the_demo);
    tcase_add_test(tc, in_sentences);
}

TL_TEST_MAIN("translate: what is advised")
