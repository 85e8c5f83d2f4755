/* Every number that the program takes, at its limits: what is refused, and what 0 means. Options are read from
 * --help, where a number is one capital letter, so new ones are tested too. */
#define _XOPEN_SOURCE 700
#include "program.h"

#include <tapeloom.h>

static const char *const commands[] = {"train", "translate", "evaluate", "attention", "corpus", "demo"};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* ---- what is refused ---- */

static void refused(const char *command, const char *option, const char *value) {
    char line[256], begin[128];
    snprintf(line, sizeof line, "$T %s --%s '%s'", command, option, value);
    snprintf(begin, sizeof begin, "translate: --%s \"%s\": a ", option, value);
    ck_assert_int_eq(try(line), 2);
    ck_assert_msg(!strncmp(err, begin, strlen(begin)) && strstr(err, " is expected; see translate "),
                  "%s\n%s", line, err);
    ck_assert_str_eq(out, "");
}

START_TEST(nonsense_is_refused) {
    static const char *const never[] = {"-1",    "nan",
                                        "inf",   "-inf",
                                        "",      "x",
                                        "0x10",  "1,5",
                                        " 1",    "1 ",

                                        "1e999", "-99999999999999999999",
                                        "1e"};
    static const char *const no_count[] = {"99999999999999999999999", "1.5", "1e3", "2147483648",
                                           "9223372036854775807"};
    int options = 0;
    for (int c = 0; c < COMMANDS; c++) {
        char line[64], *help;
        snprintf(line, sizeof line, "$T %s --help", commands[c]);
        sh(line);
        help = strcpy(malloc(strlen(out) + 1), out);
        for (char *p = help; (p = strstr(p, "\n  --")) != NULL; p++) {
            char name[64];
            ck_assert_int_eq(sscanf(p, "\n  --%63[a-z0-9-]", name), 1);
            const char *takes = p + strlen("\n  --") + strlen(name), letter = takes[1];
            if (*takes != ' ' || letter < 'A' || letter > 'Z' || !strchr(" \n", takes[2])) continue;
            options++;
            const bool count = strchr("NKG", letter) && strcmp(name, "clip"); /* a norm whose letter is N */
            for (size_t i = 0; i < sizeof never / sizeof *never; i++) refused(commands[c], name, never[i]);
            for (size_t i = 0; i < sizeof no_count / sizeof *no_count && count; i++)
                refused(commands[c], name, no_count[i]);
            if (!count) refused(commands[c], name, "1e-999"); /* would become 0 */
            if (strchr("PBE", letter)) refused(commands[c], name, "1");
            if (strchr("PBE", letter)) refused(commands[c], name, "0.99999999999999999999");
        }
        free(help);
    }
    ck_assert_int_gt(options, 45);
}
END_TEST

/* ---- what 0 means ---- */

#define FILES "--train $D/pairs.tsv --valid $D/pairs.tsv"
#define TASK "--task copy --sentences 40 --symbols 9 --max-symbols 6"

/* Trains and keeps the weights as `to`, the settings as to.txt. Of an option given twice the last one counts. */
static void train_as(const char *data, const char *options, const char *to) {
    char command[1024];
    snprintf(
        command, sizeof command,
        "$T train %s --preset toy --batch-tokens 32 --steps 3 --warmup 2 --threads 1 --quiet --overwrite "
        "--out $D/run %s > $D/said && mv $D/run/last.safetensors $D/%s && cp $D/run/config.txt $D/%s.txt",
        data, options, to, to);
    sh(command);
}

/* 0 means what --help says: the same weights, and the same config.txt, which has the actual number. */
START_TEST(zeros_of_training) {
    static const struct {
        const char *option, *same, *other, *data;
    } cases[] = {
        {"d-model", "64", "32", FILES},        {"heads", "4", "2", FILES},
        {"layers", "2", "1", FILES},           {"d-ff", "128", "64", FILES},
        {"batch-tokens", "4096", "16", FILES}, {"accumulate", "1", "2", FILES},
        {"merges", "10000", "2", FILES},       {"min-count", "1", "4", FILES},
        {"min-symbols", "1", "3", TASK},       {"max-symbols", "10", "5", TASK},
        {"symbols", "20", "9", TASK},          {"sentences", "20000", "90", "--task copy --max-symbols 5"}};
    write_pairs();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *values[] = {"0", cases[i].same, cases[i].other}, *names[] = {"zero", "same", "other"};
        for (int v = 0; v < 3; v++) {
            char option[64];
            snprintf(option, sizeof option, "--%s %s", cases[i].option, values[v]);
            train_as(cases[i].data, option, names[v]);
        }
        ck_assert_msg(same_files("zero", "same") && same_files("zero.txt", "same.txt"), "--%s 0 is not %s",
                      cases[i].option, cases[i].same);
        ck_assert_msg(!same_files("zero", "other"), "--%s %s changes nothing", cases[i].option,
                      cases[i].other);
    }
}
END_TEST

/* Where 0 is an ordinary number it means 0. */
START_TEST(zeros_that_are_meant) {
    write_pairs();
    train_as(FILES, "--beta2 0", "zero");
    /* So small that beside Adam's eps (1e-8) the root of beta2 · v is nothing for any gradient of a training. */
    train_as(FILES, sizeof(tl_real) == 4 ? "--beta2 1e-36" : "--beta2 1e-300", "tiny");
    ck_assert(same_files("zero", "tiny"));
    static const char *const others[] = {"--beta2 0.98", "--beta2 0.999", "--beta2 0.1"};
    for (int i = 0; i < 3; i++) {
        train_as(FILES, others[i], "other");
        ck_assert_msg(!same_files("zero", "other"), "--beta2 0 is %s", others[i]);
    }
    static const char *const schedules[] = {"inverse-sqrt", "cosine", "linear", "constant"};
    for (int i = 0; i < 4; i++) {
        char one[128], three[128];
        snprintf(one, sizeof one, "--lr 0 --warmup 100 --steps 1 --schedule %s", schedules[i]);
        snprintf(three, sizeof three, "--lr 0 --warmup 100 --steps 7 --schedule %s", schedules[i]);
        train_as(FILES, one, "one");
        train_as(FILES, three, "three");
        ck_assert_msg(same_files("one", "three"), "--lr 0 learns something by %s", schedules[i]);
    }
    /* below the start of warm-up */
    train_as(FILES, "--lr 1e-9 --warmup 100 --steps 50 --validate-every 1", "small");
    char *log = get_file(in_folder("run/log.csv"), NULL);
    for (const char *row = strchr(log, '\n') + 1; *row; row = strchr(row, '\n') + 1) {
        double rate;
        ck_assert_int_eq(sscanf(row, "%*d,%*d,%*f,%lf", &rate), 1);
        ck_assert_msg(rate <= 1e-9, "a rate of %g, the peak is 1e-9", rate);
    }
    free(log);
    train_as(FILES, "--seed 0", "zero"); /* a seed like any other */
    train_as(FILES, "--seed 1", "other");
    ck_assert(!same_files("zero", "other"));
    train_as(FILES, "--max-length 0", "zero");
    train_as(FILES, "--max-length 1023", "same");
    train_as(FILES, "--max-length 2147483647", "other"); /* as much as a model reads */
    ck_assert(same_files("zero", "same") && same_files("zero", "other"));
    ck_assert_int_eq(try("$T train " FILES " --max-vocab 4"), 2);
    assert_contains(err, "--max-vocab 4: 4 entries are <pad>, <bos>, <eos> and <unk> already");
}
END_TEST

START_TEST(zeros_of_searching) {
    write_pairs();
    sh(TRAIN_FILES " --out $D/run --steps 25 --lr 0.02 --warmup 0 --quiet --layers 2" SMALL);
    static const char *const same[][3] = {{"translate --nbest", "--beam 0", "--beam 5"},
                                          {"translate --nbest", "--batch-tokens 0", "--batch-tokens 4096"},
                                          {"evaluate --test $D/pairs.tsv", "--beam 0", "--beam 5"},
                                          {"attention", "--layer 0", "--layer 1"}};
    for (int i = 0; i < 4; i++) {
        char command[256], *zero;
        const char *after = "< $D/lines | sed 's/ in [0-9.]* s,//'";
        put_text(in_folder("lines"), "the dog eats\na black cat sleeps\n");
        for (int v = 0; v < 2; v++) {
            snprintf(command, sizeof command, "$T %s --model $D/run --quiet --threads 1 %s %s", same[i][0],
                     same[i][1 + v], after);
            sh(command);
            if (v == 0) zero = strcpy(malloc(strlen(out) + 1), out);
        }
        ck_assert_msg(!strcmp(zero, out), "%s %s is not %s:\n%snot\n%s", same[i][0], same[i][1], same[i][2],
                      zero, out);
        free(zero);
    }
    ck_assert_int_eq(try("$T translate --beam 1001"), 2);
    assert_contains(err, "--beam 1001: at most 1000 are possible");
}
END_TEST

/* A config.txt with 0, as earlier programs wrote it, opens, and resumes to the same bits as one with the number. */
START_TEST(configs_with_zeros_go_on) {
    write_pairs();
    for (int zeros = 0; zeros < 2; zeros++) {
        train_as(FILES, "--batch-tokens 4096 --steps 5", zeros ? "five" : "five-too");
        if (zeros)
            sh("sed -i 's/^\\(sentences\\|min-symbols\\|max-symbols\\|symbols\\|batch-tokens\\|accumulate\\) "
               "= .*/\\1 = 0/' "
               "$D/run/config.txt && grep -c ' = 0$' $D/run/config.txt");
        sh("$T train --resume $D/run --steps 9 --quiet && echo a dog | $T translate --model $D/run --quiet "
           "--nbest");
        sh(zeros ? "cp $D/run/last.safetensors $D/zeros" : "cp $D/run/last.safetensors $D/numbers");
    }
    ck_assert(same_files("zeros", "numbers") && !same_files("zeros", "five"));
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, nonsense_is_refused);
    tcase_add_test(tc, zeros_of_training);
    tcase_add_test(tc, zeros_that_are_meant);
    tcase_add_test(tc, zeros_of_searching);
    tcase_add_test(tc, configs_with_zeros_go_on);
}

TL_TEST_MAIN("translate: every number")
