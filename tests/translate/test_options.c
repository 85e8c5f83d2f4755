/* Every option that --help lists is tried here: each either changes what is trained (or said), or must not. The lists
 * are read from --help itself, so that a new option without a row in the tables below fails. */
#define _XOPEN_SOURCE 700
#include "program.h"

typedef struct trial {
    const char *option, *value; /* value NULL: a switch */
    enum { CHANGES, SAME } effect;
    const char *with;   /* further options, which the run to compare with has too; NULL = none */
    const char *config; /* a line of config.txt; NULL = none of its own */
} trial;

#define TASK "--task copy --sentences 60 --symbols 9 --max-symbols 6"
#define FILES "--train $D/a.tsv --valid $D/a.tsv"

static const trial train_trials[] = {{"train", "$D/b.tsv", CHANGES, "--valid $D/a.tsv", NULL},
                                     {"valid", "$D/b.tsv", SAME, "--train $D/a.tsv", NULL},
                                     {"task", "reverse", CHANGES, TASK, "task = reverse"},
                                     {"sentences", "30", CHANGES, TASK, "sentences = 30"},
                                     {"min-symbols", "3", CHANGES, TASK, "min-symbols = 3"},
                                     {"max-symbols", "5", CHANGES, TASK, "max-symbols = 5"},
                                     {"symbols", "7", CHANGES, TASK, "symbols = 7"},
                                     {"out", "$D/elsewhere", SAME, NULL, NULL},
                                     {"overwrite", NULL, SAME, NULL, NULL},
                                     {"min-count", "1", CHANGES, NULL, "min-count = 1"},
                                     {"max-vocab", "8", CHANGES, NULL, "max-vocab = 8"},
                                     {"joint", NULL, CHANGES, NULL, "joint = true"},
                                     {"max-length", "3", CHANGES, NULL, "max-length = 3"},
                                     {"strict", NULL, SAME, NULL, "strict = true"},
                                     {"preset", "tiny", SAME, NULL, "preset = tiny"}, /* its sizes: below */
                                     {"d-model", "8", CHANGES, NULL, "d-model = 8"},
                                     {"heads", "1", CHANGES, NULL, "heads = 1"},
                                     {"layers", "2", CHANGES, NULL, "layers = 2"},
                                     {"d-ff", "24", CHANGES, NULL, "d-ff = 24"},
                                     {"tie", "none", CHANGES, NULL, "tie = none"},
                                     {"tie", "all", CHANGES, "--joint", "tie = all"},
                                     {"activation", "gelu", CHANGES, NULL, "activation = gelu"},
                                     {"positions", "learned", CHANGES, NULL, "positions = learned"},
                                     {"pre-norm", NULL, CHANGES, NULL, "pre-norm = true"},
                                     {"no-final-norm", NULL, CHANGES, NULL, "no-final-norm = true"},
                                     {"dropout", "0.5", CHANGES, NULL, "dropout = 0.5"},
                                     {"attention-dropout", "0.5", CHANGES, NULL, "attention-dropout = 0.5"},
                                     {"activation-dropout", "0.5", CHANGES, NULL, "activation-dropout = 0.5"},
                                     {"steps", "2", CHANGES, NULL, "steps = 2"},
                                     {"epochs", "1", CHANGES, "--steps 0", "epochs = 1"}, /* otherwise 10 */
                                     {"minutes", "60", SAME, NULL, "minutes = 60"},
                                     {"batch-tokens", "16", CHANGES, NULL, "batch-tokens = 16"},
                                     {"lr", "0.01", CHANGES, NULL, "lr = 0.01"},
                                     {"schedule", "cosine", CHANGES, NULL, "schedule = cosine"},
                                     {"schedule", "linear", CHANGES, NULL, "schedule = linear"},
                                     {"schedule", "constant", CHANGES, NULL, "schedule = constant"},
                                     {"warmup", "1", CHANGES, NULL, "warmup = 1"},
                                     {"beta2", "0.9", CHANGES, NULL, "beta2 = 0.9"},
                                     {"label-smoothing", "0", CHANGES, NULL, "label-smoothing = 0"},
                                     {"clip", "0.01", CHANGES, NULL, "clip = 0.01"},
                                     {"seed", "8", CHANGES, NULL, "seed = 8"},
                                     {"threads", "2", SAME, NULL, NULL},
                                     {"quiet", NULL, SAME, NULL, NULL}};

static const trial translate_trials[] = {{"model", "$D/other", CHANGES, NULL, NULL},
                                         {"batch-tokens", "8", SAME, NULL, NULL},
                                         {"threads", "2", SAME, NULL, NULL},
                                         {"quiet", NULL, SAME, NULL, NULL}};
static const trial evaluate_trials[] = {{"model", "$D/other", CHANGES, NULL, NULL},
                                        {"test", "$D/b.tsv", CHANGES, NULL, NULL},
                                        {"batch-tokens", "8", SAME, NULL, NULL},
                                        {"threads", "2", SAME, NULL, NULL},
                                        {"quiet", NULL, SAME, NULL, NULL}};
static const trial demo_trials[] = {{"out", "$D/elsewhere", SAME, NULL, NULL},
                                    {"task", "sort", CHANGES, NULL, NULL},
                                    {"steps", "1", CHANGES, NULL, NULL},
                                    {"threads", "2", SAME, NULL, NULL},
                                    {"quiet", NULL, SAME, NULL, NULL}};
#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

/* Sentences with rare words and different lengths: enough batches of 32 tokens for three steps. */
static void write_files(void) {
    put_text(in_folder("a.tsv"),
             PAIRS "the zebra sleeps\tle zebre dort\nthe old dog eats\tle vieux chien mange\n");
    put_text(in_folder("b.tsv"), PAIRS "the cat eats the black dog\tle chat mange le chien noir\n"
                                       "a dog sleeps\tun chien dort\nthe dog eats\tle chien mange\n");
}

/* "--name value" of a trial, as a user writes it. */
static const char *said(const trial *t) {
    static char text[128];
    snprintf(text, sizeof text, "--%s%s%s", t->option, t->value ? " " : "", t->value ? t->value : "");
    return text;
}

static bool has_word(const char *text, const char *option) {
    char dashed[64];
    snprintf(dashed, sizeof dashed, "--%s ", option);
    return text && strstr(text, dashed) != NULL;
}

/* Trains, and keeps the weights as `to`. What both runs need and the trial does not say itself comes first. */
static void train_as(const trial *t, const char *options, const char *to) {
    char command[1024];
    bool files = !has_word(t->with, "task") && !has_word(t->with, "train") && !has_word(t->with, "valid");
    snprintf(command, sizeof command,
             "$T train --preset toy --d-model 16 --heads 2 --layers 1 --d-ff 16 --batch-tokens 32 --steps 3"
             " --warmup 2 --seed 7 --threads 1 --out $D/run %s %s %s && "
             "if [ -d $D/elsewhere ]; then cp -r $D/elsewhere $D/run; fi && mv $D/run/last.safetensors $D/%s",
             files ? FILES : "", t->with ? t->with : "", options, to);
    sh(command);
}

/* The run to compare with is made anew only where it is another one. */
static void try_training(const trial *t, const char **compared) {
    const char *base = t->with ? t->with : "";
    if (!*compared || strcmp(*compared, base) != 0) {
        const char *rest = has_word(base, "train")   ? "--valid $D/a.tsv"
                           : has_word(base, "valid") ? "--train $D/a.tsv"
                                                     : "";
        train_as(t, rest, "base");
        sh("rm -rf $D/run");
        *compared = base;
    }
    train_as(t, said(t), "tried");
    ck_assert_msg(same_files("base", "tried") == (t->effect == SAME), "%s: the weights should %s", said(t),
                  t->effect == SAME ? "not change" : "change");
    char *config = get_file(in_folder("run/config.txt"), NULL), line[128];
    snprintf(line, sizeof line, "\n%s\n", t->config ? t->config : "");
    ck_assert_msg(!t->config || strstr(config, line), "%s: no line \"%s\" in\n%s", said(t), t->config,
                  config);
    free(config);
    ck_assert_msg((*err == 0) == !strcmp(t->option, "quiet"), "%s wrote %s", said(t), err);
    sh("rm -rf $D/run $D/elsewhere");
}

START_TEST(train_options) {
    const char *compared = NULL;
    write_files();
    for (int i = 0; i < ROWS(train_trials); i++) try_training(&train_trials[i], &compared);
}
END_TEST

START_TEST(preset_sizes) {
    write_files();
    sh("$T train " FILES " --steps 1 --threads 1 --out $D/tiny");
    sh("$T train " FILES " --steps 1 --threads 1 --preset toy --out $D/toy");
    sh("for name in tiny toy; do sed -n '/^preset/,/^d-ff/p' $D/$name/config.txt; done");
    ck_assert_str_eq(out, "preset = tiny\nd-model = 128\nheads = 4\nlayers = 4\nd-ff = 256\n"
                          "preset = toy\nd-model = 64\nheads = 4\nlayers = 2\nd-ff = 128\n");
}
END_TEST

/* Output of a command that has every option of `base` but the one on trial, which it has instead. */
static char *output_of(const char *format, const trial *t) {
    char command[1024];
    snprintf(command, sizeof command, format, t ? said(t) : "");
    sh(command);
    return strcpy(malloc(strlen(out) + 1), out);
}

/* `command` has a place for the trial behind the options that it names itself: the last one counts. */
static void try_all(const char *command, const trial *trials, int count) {
    char *base = output_of(command, NULL);
    for (int i = 0; i < count; i++) {
        char *tried = output_of(command, &trials[i]);
        ck_assert_msg((strcmp(base, tried) == 0) == (trials[i].effect == SAME), "%s: from\n%sto\n%s",
                      said(&trials[i]), base, tried);
        ck_assert_msg((*err == 0) == !strcmp(trials[i].option, "quiet"), "%s wrote %s", said(&trials[i]),
                      err);
        free(tried);
    }
    free(base);
}

START_TEST(other_options) {
    write_files();
    sh("$T train " FILES " --out $D/model --steps 3 --warmup 0 --lr 0.02 --seed 1 --quiet" SMALL);
    sh("$T train " FILES " --out $D/other --steps 3 --warmup 0 --lr 0.02 --seed 2 --quiet" SMALL);
    sh("cut -f 1 $D/b.tsv > $D/lines");
    try_all("$T translate --model $D/model %s < $D/lines", translate_trials, ROWS(translate_trials));
    try_all("$T evaluate --model $D/model --test $D/a.tsv %s | sed 's/in [0-9.]* s/in … s/'", evaluate_trials,
            ROWS(evaluate_trials));
    try_all("$T demo --out $D/demo --steps 2 --threads 1 %s | sed -e 's/, [0-9]* s:/:/' -e 's/OpenMP.*//' "
            "-e 's|[^ ]*/elsewhere|'$D'/demo|'",
            demo_trials, ROWS(demo_trials));
}
END_TEST

/* ---- the tables are complete ---- */

static void compare_with_help(const char *command, const trial *trials, int count) {
    char line[128];
    int listed = 0, distinct = 0;
    snprintf(line, sizeof line, "$T %s --help", command);
    sh(line);
    ck_assert_str_eq(err, "");
    for (char *p = out; (p = strstr(p, "\n  --")) != NULL; p++, listed++) {
        char name[64];
        bool tried = false;
        ck_assert_int_eq(sscanf(p, "\n  --%63[a-z0-9-]", name), 1);
        for (int i = 0; i < count; i++) tried |= !strcmp(trials[i].option, name);
        ck_assert_msg(tried, "translate %s --%s has no trial in this test", command, name);
    }
    for (int i = 0; i < count; i++) distinct += i == 0 || strcmp(trials[i].option, trials[i - 1].option) != 0;
    ck_assert_msg(listed == distinct, "translate %s --help lists %d options, %d are tried", command, listed,
                  distinct);
}

START_TEST(help) {
    compare_with_help("train", train_trials, ROWS(train_trials));
    assert_contains(out, "\n  --batch-tokens N ");
    assert_contains(out, "padding included [4096]\n");
    compare_with_help("translate", translate_trials, ROWS(translate_trials));
    compare_with_help("evaluate", evaluate_trials, ROWS(evaluate_trials));
    compare_with_help("demo", demo_trials, ROWS(demo_trials));
    assert_contains(out, "[1500]\n"); /* the demo's own default */
    char *long_form = strcpy(malloc(strlen(out) + 1), out);
    sh("$T demo -h");
    ck_assert_str_eq(out, long_form);
    free(long_form);
    sh("$T --help");
    static const char *const commands[] = {"train", "translate", "evaluate", "demo"};
    for (int i = 0; i < 4; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n  translate %s ", commands[i]);
        assert_contains(out, line);
    }
    ck_assert_int_eq(try("$T"), 2);
    ck_assert_str_eq(out, "");
    assert_contains(err, "translate COMMAND --help lists a command's options.\n");
}
END_TEST

/* --name=value is --name value; what comes last counts. */
START_TEST(forms) {
    write_files();
    trial base = {.with = "--lr 0.01"}, same = {.with = "--lr=3 --lr=0.01"};
    train_as(&base, "", "one");
    sh("rm -rf $D/run");
    train_as(&same, "", "two");
    ck_assert(same_files("one", "two"));
    sh("mv $D/a.tsv $D/--a.tsv; cd $D; case $T in /*) ;; *) T=$OLDPWD/$T;; esac; "
       "$T train --train=--a.tsv --valid=--a.tsv --steps 1 --out --o" SMALL " || "
       "$T train --train=--a.tsv --valid=--a.tsv --steps 1 --out=--o" SMALL);
    ck_assert_int_eq(access(in_folder("--o/model.safetensors"), R_OK), 0);
    assert_contains(err, "--out: DIR is missing behind it");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, train_options);
    tcase_add_test(tc, preset_sizes);
    tcase_add_test(tc, other_options);
    tcase_add_test(tc, help);
    tcase_add_test(tc, forms);
}

TL_TEST_MAIN("translate: every option")
