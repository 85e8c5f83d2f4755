/* Every option in --help is tried: it changes what is trained, or only what is printed, or nothing. The lists are
 * read from --help, so an option without a row in the tables below fails. */
#define _XOPEN_SOURCE 700
#include "program.h"

#include <tapeloom.h>

typedef struct trial {
    const char *option, *value; /* value NULL: a flag */
    enum {
        CHANGES, /* the weights; in other commands: the output */
        SAYS,    /* training: only the output; the weights stay the same, bit for bit */
        SAME,    /* neither */
        BELOW    /* has a test of its own below */
    } effect;
    const char *with; /* further options, in both runs; NULL: none */
    const char *data; /* training: where sentences come from; NULL: FILES */
} trial;

#define FILES "--train $D/a.tsv --valid $D/a.tsv"
#define TWO_FILES "--train-src $D/a.src --train-tgt $D/a.tgt --valid-src $D/a.src --valid-tgt $D/a.tgt"
#define TASK "--task copy --sentences 60 --symbols 9 --max-symbols 6"
#define RECURRENT "--model gru --preset rnn --heads 1 --d-ff 0"
#define PAIR "--pair en-fr --sentences 60"
#define WORSE "--train $D/a.tsv --valid $D/zut.tsv" /* validation pairs contradict training */
#define WORSENS "--steps 9 --validate-every 1 --lr 0.05 --warmup 0"
#define SPEAKS "--steps 12 --lr 0.05 --warmup 0" /* enough to get some words right */

static const trial train_trials[] = {
    {"train", "$D/b.tsv", CHANGES, NULL, NULL},
    {"train-src", "$D/b.src", CHANGES, NULL, TWO_FILES},
    {"train-tgt", "$D/b.tgt", CHANGES, NULL, TWO_FILES},
    {"valid", "$D/b.tsv", SAYS, NULL, NULL},
    {"valid-src", "$D/b.src", SAYS, NULL, TWO_FILES},
    {"valid-tgt", "$D/b.tgt", SAYS, NULL, TWO_FILES},
    {"pair", "en-zh", CHANGES, NULL, PAIR},
    {"task", "reverse", CHANGES, NULL, TASK},
    {"task", "sort", CHANGES, NULL, TASK},
    {"sentences", "30", CHANGES, NULL, TASK},
    {"sentences", "30", CHANGES, NULL, PAIR},
    {"min-symbols", "3", CHANGES, NULL, TASK},
    {"max-symbols", "5", CHANGES, NULL, TASK},
    {"symbols", "7", CHANGES, NULL, TASK},
    {"strict", NULL, SAME, NULL, NULL},
    {"max-length", "3", CHANGES, NULL, NULL},
    {"out", "$D/elsewhere", SAME, NULL, NULL},
    {"overwrite", NULL, SAME, NULL, NULL},
    {"resume", NULL, BELOW, NULL, NULL},
    {"pretokenize", "none", CHANGES, NULL, NULL},
    {"src-pretokenize", "none", CHANGES, NULL, NULL},
    {"tgt-pretokenize", "none", CHANGES, NULL, NULL},
    {"units", "words", CHANGES, "--min-count 1", NULL},
    {"units", "chars", CHANGES, NULL, NULL},
    {"src-units", "chars", CHANGES, NULL, NULL},
    {"tgt-units", "chars", CHANGES, NULL, NULL},
    {"merges", "5", CHANGES, NULL, NULL},
    {"min-count", "3", CHANGES, NULL, NULL},
    {"max-vocab", "8", CHANGES, NULL, NULL},
    {"joint", NULL, CHANGES, NULL, NULL},
    {"bpe-dropout", "0.3", CHANGES, NULL, NULL},
    {"bpe-vocabulary-threshold", "4", CHANGES, NULL, NULL},
    {"model", "lstm", CHANGES, RECURRENT, NULL},
    {"attention", "none", CHANGES, RECURRENT, NULL},
    {"attention", "additive", SAME, RECURRENT, NULL},
    {"attention", "dot", CHANGES, RECURRENT, NULL},
    {"attention", "general", CHANGES, RECURRENT, NULL},
    {"attention", "scaled-dot", CHANGES, RECURRENT, NULL},
    {"attention", "cosine", CHANGES, RECURRENT, NULL},
    {"bidirectional", NULL, CHANGES, RECURRENT, NULL},
    {"input-feeding", NULL, CHANGES, RECURRENT " --attention general", NULL},
    {"feed-context", NULL, CHANGES, RECURRENT " --attention none", NULL},
    {"embedding", "8", CHANGES, RECURRENT " --tie none", NULL},
    {"preset", "tiny", SAME, NULL, NULL}, /* its sizes: below */
    {"d-model", "8", CHANGES, NULL, NULL},
    {"d-model", "8", CHANGES, RECURRENT, NULL},
    {"heads", "1", CHANGES, NULL, NULL},
    {"heads", "2", CHANGES, RECURRENT, NULL},
    {"layers", "2", CHANGES, NULL, NULL},
    {"layers", "2", CHANGES, RECURRENT, NULL},
    {"d-ff", "24", CHANGES, NULL, NULL},
    {"tie", "none", CHANGES, NULL, NULL},
    {"tie", "none", CHANGES, RECURRENT, NULL},
    {"tie", "all", CHANGES, "--joint", NULL},
    {"activation", "gelu", CHANGES, NULL, NULL},
    {"positions", "learned", CHANGES, NULL, NULL},
    {"positions", "none", CHANGES, NULL, NULL},
    {"positions", "relative", CHANGES, NULL, NULL},
    {"positions", "rotary", CHANGES, NULL, NULL},
    {"positions", "alibi", CHANGES, "--encoder-positions sinusoidal", NULL},
    {"encoder-positions", "signed-alibi", CHANGES, NULL, NULL},
    {"score", "dot", CHANGES, NULL, NULL},
    {"score", "general", CHANGES, NULL, NULL},
    {"score", "additive", CHANGES, NULL, NULL},
    {"score", "cosine", CHANGES, NULL, NULL},
    {"score", "uniform", CHANGES, NULL, NULL},
    {"score", "scaled-dot", SAME, NULL, NULL},
    {"normaliser", "sigmoid", CHANGES, NULL, NULL},
    {"normaliser", "softmax", SAME, NULL, NULL},
    {"window", "1", CHANGES, NULL, NULL},
    {"no-causal", NULL, CHANGES, NULL, NULL},
    {"pre-norm", NULL, CHANGES, NULL, NULL},
    {"no-final-norm", NULL, CHANGES, NULL, NULL},
    {"dropout", "0.5", CHANGES, NULL, NULL},
    {"dropout", "0.5", CHANGES, RECURRENT, NULL},
    {"attention-dropout", "0.5", CHANGES, NULL, NULL},
    {"attention-dropout", "0.5", CHANGES, RECURRENT, NULL},
    {"activation-dropout", "0.5", CHANGES, NULL, NULL},
    /* also tests/run/test_head_gates.c, tests/attend */
    {"heads-kept", "encoder.0:none; cross.0:1", BELOW, NULL, NULL},
    {"head-gates", "l0", CHANGES, NULL, NULL},
    {"gate-penalty", "0.5", CHANGES, "--head-gates l0", NULL},
    {"gate-rate", "50", CHANGES, "--head-gates l0 --gate-penalty 1", NULL},
    {"from", NULL, BELOW, NULL, NULL},
    {"steps", "2", CHANGES, NULL, NULL},
    {"epochs", "1", CHANGES, "--steps 0", NULL}, /* otherwise 10 */
    {"minutes", "60", SAME, NULL, NULL},
    {"patience", "1", CHANGES, WORSENS, WORSE},
    {"batch-tokens", "16", CHANGES, NULL, NULL},
    {"accumulate", "2", CHANGES, NULL, NULL},
    {"shares", "2", CHANGES, "--accumulate 3 --batch-tokens 16", NULL},
    {"lr", "0.01", CHANGES, NULL, NULL},
    {"schedule", "cosine", CHANGES, NULL, NULL},
    {"schedule", "linear", CHANGES, NULL, NULL},
    {"schedule", "constant", CHANGES, NULL, NULL},
    {"warmup", "1", CHANGES, NULL, NULL},
    {"beta2", "0.9", CHANGES, NULL, NULL},
    {"weight-decay", "0.5", CHANGES, NULL, NULL},
    {"label-smoothing", "0", CHANGES, NULL, NULL},
    {"label-smoothing", "0", CHANGES, RECURRENT, NULL},
    {"clip", "0.01", CHANGES, NULL, NULL},
    {"matmul-precision", "highest", SAME, NULL, NULL},
    {"matmul-precision", NULL, BELOW, NULL, NULL},
    {"seed", "8", CHANGES, NULL, NULL},
    {"recompute", NULL, SAME, NULL, NULL},
    {"watch", "1", SAME, NULL, NULL}, /* tests/run/test_watch.c */
    {"validate-every", "1", SAYS, NULL, NULL},
    {"best-by", NULL, BELOW, NULL, NULL},
    {"average", "1", SAYS, NULL, NULL},
    {"samples", "3", SAYS, NULL, NULL},
    {"samples", "0", SAYS, NULL, NULL},
    {"tokenize", "char", SAYS, SPEAKS, NULL},
    {"lowercase", NULL, SAYS, SPEAKS, "--train $D/a.tsv --valid $D/capitals.tsv"},
    {"check", NULL, SAME, NULL, NULL}, /* and what it finds: below */
    {"threads", "2", SAME, NULL, NULL},
    {"quiet", NULL, BELOW, NULL, NULL}};

#define TWO_TESTS "--test-src $D/a.src --test-tgt $D/a.tgt"
static const trial translate_trials[] = {
    {"model", "$D/other", CHANGES, NULL, NULL},
    {"weights", "last", CHANGES, NULL, NULL},
    {"weights", "average", CHANGES, NULL, NULL},
    {"beam", "1", CHANGES, NULL, NULL},
    {"length-penalty", "4", CHANGES, NULL, NULL},
    {"batch-tokens", "8", SAME, NULL, NULL},
    {"nbest", NULL, CHANGES, NULL, NULL},
    {"check", NULL, SAME, NULL, NULL},
    {"replace-unknown", NULL, SAME, NULL, NULL}, /* all words are known */
    {"no-repeat-ngram", "1", CHANGES, NULL, NULL},
    {"sample", NULL, CHANGES, NULL, NULL},
    {"temperature", "0.01", CHANGES, "--sample", NULL},
    {"top-k", "1", CHANGES, "--sample", NULL},
    {"top-p", "0.01", CHANGES, "--sample", NULL},
    {"seed", "3", CHANGES, "--sample", NULL},
    {"alignment", "hard", CHANGES, NULL, NULL},
    {"alignment", "soft", CHANGES, NULL, NULL},
    {"alignment-layer", "1", CHANGES, "--alignment soft", NULL},
    {"prefix-column", NULL, BELOW, NULL, NULL}, /* test_choices.c */
    {"threads", "2", SAME, NULL, NULL},
    {"quiet", NULL, BELOW, NULL, NULL}};
static const trial evaluate_trials[] = {{"model", "$D/other", CHANGES, "--test $D/a.tsv", NULL},
                                        {"weights", "last", CHANGES, "--test $D/a.tsv", NULL},
                                        {"test", "$D/b.tsv", CHANGES, "--test $D/a.tsv", NULL},
                                        {"sentences", NULL, BELOW, NULL, NULL}, /* of tasks: test_made.c */
                                        {"min-symbols", NULL, BELOW, NULL, NULL},
                                        {"max-symbols", NULL, BELOW, NULL, NULL},
                                        {"strict", NULL, SAME, "--test $D/a.tsv", NULL},
                                        {"test-src", "$D/b.src", CHANGES, TWO_TESTS, NULL},
                                        {"test-tgt", "$D/b.tgt", CHANGES, TWO_TESTS, NULL},
                                        {"beam", "1", CHANGES, "--test $D/a.tsv", NULL},
                                        {"length-penalty", "4", CHANGES, "--test $D/a.tsv", NULL},
                                        {"batch-tokens", "8", SAME, "--test $D/a.tsv", NULL},
                                        {"replace-unknown", NULL, SAME, "--test $D/a.tsv", NULL},
                                        {"no-repeat-ngram", "1", CHANGES, "--test $D/a.tsv", NULL},
                                        {"sample", NULL, CHANGES, "--test $D/a.tsv", NULL},
                                        {"temperature", "0.01", CHANGES, "--test $D/a.tsv --sample", NULL},
                                        {"top-k", "1", CHANGES, "--test $D/a.tsv --sample", NULL},
                                        {"top-p", "0.01", CHANGES, "--test $D/a.tsv --sample", NULL},
                                        {"seed", "3", CHANGES, "--test $D/a.tsv --sample", NULL},
                                        {"check", NULL, SAME, "--test $D/a.tsv", NULL},
                                        {"tokenize", "char", CHANGES, "--test $D/a.tsv", NULL},
                                        {"lowercase", NULL, CHANGES, "--test $D/a.tsv", NULL},
                                        {"samples", "3", CHANGES, "--test $D/a.tsv", NULL},
                                        {"out", "$D/elsewhere", SAME, "--test $D/a.tsv", NULL},
                                        {"threads", "2", SAME, "--test $D/a.tsv", NULL},
                                        {"quiet", NULL, BELOW, NULL, NULL}};
static const trial score_trials[] = {
    {"model", "$D/other", CHANGES, NULL, NULL}, {"weights", "last", CHANGES, NULL, NULL},
    {"pairs", "$D/b.tsv", CHANGES, NULL, NULL}, {"strict", NULL, SAME, NULL, NULL},
    {"tokens", NULL, CHANGES, NULL, NULL},      {"batch-tokens", "8", SAME, NULL, NULL},
    {"check", NULL, SAME, NULL, NULL},          {"threads", "2", SAME, NULL, NULL},
    {"quiet", NULL, BELOW, NULL, NULL}};
static const trial attention_trials[] = {
    {"model", "$D/other", CHANGES, NULL, NULL}, {"weights", "last", CHANGES, NULL, NULL},
    {"layer", "1", CHANGES, NULL, NULL},        {"layer", "2", SAME, NULL, NULL}, /* the last one */
    {"head", "1", CHANGES, NULL, NULL},         {"threads", "2", SAME, NULL, NULL},
    {"quiet", NULL, BELOW, NULL, NULL}};
static const trial info_trials[] = {{"model", "$D/other", CHANGES, NULL, NULL}};
static const trial corpus_trials[] = {{"pair", "en-zh", CHANGES, NULL, NULL},
                                      {"sentences", "30", CHANGES, NULL, NULL},
                                      {"seed", "2", CHANGES, NULL, NULL},
                                      {"out", "$D/elsewhere", SAME, NULL, NULL}};
static const trial demo_trials[] = {{"out", "$D/elsewhere", SAME, NULL, NULL},
                                    {"overwrite", NULL, SAME, NULL, NULL}, /* test_made.c: over another run */
                                    {"pair", "en-zh", CHANGES, NULL, NULL},
                                    {"steps", "1", CHANGES, NULL, NULL},
                                    {"threads", "2", SAME, NULL, NULL},
                                    {"quiet", NULL, BELOW, NULL, NULL}};
#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

/* Sentences with rare words, signs, capitals and different lengths: enough batches of 32 tokens for three steps. */
static void write_files(void) {
    put_text(in_folder("a.tsv"),
             PAIRS "the zebra sleeps.\tle zebre dort.\nthe old dog eats!\tLe vieux chien mange !\n");
    put_text(in_folder("b.tsv"), PAIRS "the cat eats the black dog\tle chat mange le chien noir\n"
                                       "a dog sleeps.\tun chien dort.\n");
    put_text(in_folder("zut.tsv"), "the dog eats\tzut\nthe cat eats\tzut\n");
    put_text(in_folder("capitals.tsv"), "the dog eats\tLE CHIEN mange\na cat eats\tLE LE chat\n");
    sh("cd $D; for name in a b; do cut -f 1 $name.tsv > $name.src; cut -f 2 $name.tsv > $name.tgt; done");
}

/* "--name value" of a trial, as on a command line. */
static const char *said(const trial *t) {
    static char text[128];
    snprintf(text, sizeof text, "--%s%s%s", t->option, t->value ? " " : "", t->value ? t->value : "");
    return text;
}

static char *copy(const char *text) { return strcpy(malloc(strlen(text) + 1), text); }

/* What a trial may change in the output although nothing changes: times, threads, and paths. */
#define TIMELESS \
 "sed -e 's/, [0-9]* s:/:/' -e 's/ in [0-9.]* s,/,/' -e 's/OpenMP.*//' -e 's|/elsewhere|/run|g'"

/* ---- train ---- */

/* Trains, and keeps the weights as `to` and the output as `to`.txt. Options that both runs need come first: of an
 * option given twice the last one counts. */
static void train_as(const trial *t, const char *options, const char *to) {
    char command[1024];
    snprintf(command, sizeof command,
             "$T train --preset toy --d-model 16 --heads 2 --layers 1 --d-ff 16 --batch-tokens 32 --steps 3"
             " --warmup 2 --seed 7 --threads 1 --out $D/run %s %s %s > $D/said && " TIMELESS
             " $D/said > $D/%s.txt &&"
             "if [ -d $D/elsewhere ]; then mv $D/elsewhere $D/run; fi && mv $D/run/last.safetensors $D/%s",
             t->data ? t->data : FILES, t->with ? t->with : "", options, to, to);
    sh(command);
}

/* The config has the option, unless it does not concern how the run is made. */
static void look_into_config(const trial *t) {
    static const char *const not_kept = " out overwrite check threads quiet ";
    char name[64], line[128];
    snprintf(name, sizeof name, " %s ", t->option);
    if (strstr(not_kept, name)) return;
    const char *value = t->value ? t->value : "true";
    bool path = !strncmp(value, "$D", 2);
    snprintf(line, sizeof line, "\n%s = %s%s\n", t->option, path ? here.folder : "",
             path ? value + 2 : value);
    char *config = get_file(in_folder("run/config.txt"), NULL);
    /* default values of these are not written: files of runs without them stay the same */
    const bool usual = !strcmp(value, strcmp(t->option, "attention") ? "scaled-dot" : "additive") ||
                       !strcmp(value, "softmax");
    ck_assert_msg(!strstr(config, line) == usual, "%s: %s line \"%s\" in\n%s", said(t), usual ? "a" : "no",
                  line, config);
    free(config);
}

static bool equal(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

/* The run to compare with is made again only if it differs. */
static void try_training(const trial *t, const trial **compared) {
    static const char *const expected[] = {"change the weights", "only change what is said",
                                           "change nothing"};
    if (!*compared || !equal((*compared)->with, t->with) || !equal((*compared)->data, t->data)) {
        train_as(t, "", "base");
        sh("rm -rf $D/run");
        *compared = t;
    }
    train_as(t, said(t), "tried");
    bool weights = !same_files("base", "tried"), words = !same_files("base.txt", "tried.txt");
    bool as_expected = t->effect == CHANGES ? weights : !weights && words == (t->effect == SAYS);
    ck_assert_msg(as_expected, "%s should %s: weights %s, words %s", said(t), expected[t->effect],
                  weights ? "changed" : "same", words ? "changed" : "same");
    look_into_config(t);
    sh("rm -rf $D/run $D/elsewhere");
}

START_TEST(train_options) {
    const trial *compared = NULL;
    write_files();
    for (int i = 0; i < ROWS(train_trials); i++)
        if (train_trials[i].effect != BELOW) try_training(&train_trials[i], &compared);
}
END_TEST

/* Two steps, and one more after resuming, equal three in one go. */
START_TEST(resume) {
    trial plain = {0};
    write_files();
    train_as(&plain, "", "three");
    sh("rm -rf $D/run; $T train " FILES
       " --batch-tokens 32 --steps 2 --warmup 2 --seed 7 --out $D/run" SMALL);
    ck_assert(!same_files("three", "run/last.safetensors"));
    sh("$T train --resume $D/run --steps 3 --quiet");
    ck_assert(same_files("three", "run/last.safetensors"));
}
END_TEST

/* What is not given is as in the run that it starts from: sizes, text, data. A new limit replaces that run's limits. */
START_TEST(from_a_run) {
    const trial plain = {0};
    write_files();
    train_as(&plain, "--d-ff 24 --epochs 1 --steps 0", "one");
    sh("mv $D/run $D/first; cp $D/one $D/first/last.safetensors; "
       "$T train --from $D/first --head-gates l0 --gate-penalty 0.1 --steps 2 --threads 1 --out $D/run");
    char *config = get_file(in_folder("run/config.txt"), NULL);
    assert_contains(config, "\nd-ff = 24\n");
    assert_contains(config, "\nsteps = 2\nepochs = 0\n");
    assert_contains(config, "\nhead-gates = l0\ngate-penalty = 0.1\nfrom = ");
    free(config);
    sh("cmp $D/first/vocab.src.txt $D/run/vocab.src.txt && cmp $D/first/codes.txt $D/run/codes.txt");
    ck_assert_int_eq(try("$T train --resume $D/run --from $D/first --steps 5"), 1);
    assert_contains(err, "--from cannot change while a run goes on");
    ck_assert_int_eq(try("$T train --from $D/first --layers 2 --out $D/more"), 1);
    assert_contains(err, "leave the sizes as they are");
    ck_assert_int_eq(try("$T train --from $D/first --gate-penalty 0.1 --out $D/more"), 2);
    assert_contains(err, "--gate-penalty is of gates: say --head-gates l0, too");
    ck_assert_int_eq(try("$T train --from $D/nothing --out $D/more"), 1);
    assert_contains(err, "/nothing/config.txt");
    ck_assert_int_eq(try("$T train " FILES " --heads-kept 'encoder.0:3' --heads 2 --out $D/more"), 2);
    assert_contains(err,
                    "--heads-kept: heads \"encoder.0:3\", byte 11: there is no such head: they are 0 … 1");
}
END_TEST

/* A run keeps its attention when it is resumed, used and described. Whenever a run is opened whose decoder sees
 * later words, there is a warning. */
START_TEST(attention_of_a_run) {
#define UNUSUAL " --score additive --normaliser sigmoid --window 2 --no-causal"
    static const char caution[] = "translate: caution: the decoder of this run sees the words to come";
    const trial unusual = {0};
    write_files();
    train_as(&unusual, UNUSUAL, "three");
    assert_contains(err, caution);
    sh("rm -rf $D/run; $T train " FILES
       " --batch-tokens 32 --steps 2 --warmup 2 --seed 7 --out $D/run" SMALL UNUSUAL);
    sh("$T train --resume $D/run --steps 3 --quiet");
    assert_contains(err, caution);
    ck_assert(same_files("three", "run/last.safetensors"));
    sh("$T info --model $D/run");
    assert_contains(err, caution);
    assert_contains(
        out, "            attention: additive scores, sigmoid, self-attention in a window of 2, the decoder "
             "sees the words to come\n");
    sh("echo 'the dog eats' | $T translate --model $D/run --quiet");
    assert_contains(err, caution);
    sh("$T evaluate --model $D/run --test $D/a.tsv --quiet");
    assert_contains(err, caution);
    sh("rm -rf $D/run");
    train_as(&unusual, "", "three");
    sh("$T info --model $D/run");
    ck_assert_str_eq(err, "");
    ck_assert_ptr_null(strstr(out, "attention: "));
    ck_assert_int_eq(try("$T train --resume $D/run --steps 4 --score dot"), 1);
    assert_contains(err, "--score cannot change while a run goes on");
    ck_assert_int_eq(try("$T train " FILES " --score loud"), 2);
    assert_contains(err, "scaled-dot|dot|general|additive|cosine|uniform");
}
END_TEST

/* Does the first line of --help name this for the machine? */
static bool machine_has(const char *what) {
    sh("$T --help | head -n 1");
    return strstr(out, what) != NULL;
}

/* A lower precision changes what is trained on processors that are faster with it, and nothing elsewhere. It stays
 * with the run, when it is resumed and when it translates. */
START_TEST(matmul_precision) {
    const bool amx = machine_has(", amx"), bf16 = amx || machine_has("+bf16");
    const trial plain = {0}, high = {"matmul-precision", "high", CHANGES, NULL, NULL},
                medium = {"matmul-precision", "medium", CHANGES, NULL, NULL};
    write_files();
    train_as(&plain, "", "highest");
    sh("rm -rf $D/run");
    train_as(&high, said(&high), "high");
    look_into_config(&high);
    ck_assert(same_files("highest", "high") == !amx);
    sh("rm -rf $D/run");
    train_as(&medium, said(&medium), "medium");
    look_into_config(&medium);
    ck_assert(same_files("highest", "medium") == !bf16);
    char *text = get_file(in_folder("said"), NULL);
    assert_contains(text, ", matrix precision medium\n");
    free(text);
    sh("$T info --model $D/run");
    assert_contains(out, "matrix precision medium (");
    sh("rm -rf $D/run; $T train " FILES
       " --batch-tokens 32 --steps 2 --warmup 2 --seed 7 --out $D/run --matmul-precision medium" SMALL);
    sh("$T train --resume $D/run --steps 3 --quiet");
    ck_assert(same_files("medium", "run/last.safetensors"));
    ck_assert_int_eq(try("$T train --resume $D/run --steps 4 --matmul-precision high"), 1);
    assert_contains(err, "--matmul-precision cannot change while a run goes on");
    ck_assert_int_eq(try("$T train " FILES " --matmul-precision low"), 2);
    assert_contains(err, "highest|high|medium");
    sh("cut -f 1 $D/a.tsv > $D/in; $T translate --model $D/run --nbest --quiet < $D/in > $D/as-trained; "
       "sed -i 's/^matmul-precision.*/matmul-precision = highest/' $D/run/config.txt; "
       "$T translate --model $D/run --nbest --quiet < $D/in > $D/exact");
    ck_assert(same_files("as-trained", "exact") == !bf16);
}
END_TEST

/* TL_ISA selects an instruction set. Each set trains the same weights every time; all widths of fused multiply-adds
 * give the same. */
START_TEST(instruction_sets) {
    static const char *const sets[] = {"base", "avx2", "avx512", "amx"};
    const trial plain = {0};
    bool has[4];
    write_files();
    for (int i = 0; i < 4; i++) {
        setenv("TL_ISA", sets[i], 1);
        has[i] = tl_set_isa(sets[i], NULL);
        if (!has[i]) continue;
        sh("$T --help");
        assert_contains(out, sets[i]);
        train_as(&plain, "", sets[i]);
        sh("rm -rf $D/run");
        train_as(&plain, "", "again");
        sh("rm -rf $D/run");
        ck_assert_msg(same_files(sets[i], "again"), "%s: not the same weights twice", sets[i]);
    }
    ck_assert(has[0]);
    if (has[1]) ck_assert(!same_files("base", "avx2"));
    if (has[1] && has[2]) ck_assert(same_files("avx2", "avx512"));
    setenv("TL_ISA", "mmx", 1);
    ck_assert_int_eq(try("$T train --preset toy --steps 1 --out $D/run " FILES), 1);
    assert_contains(err, "translate: TL_ISA: instruction set \"mmx\": this machine and build have base");
    setenv("TL_ISA", "", 1); /* an empty value counts as unset */
    sh("$T --help");
}
END_TEST

/* The step of the best row of a log: highest BLEU, then (or, without by_bleu, first) lowest loss, then the earliest. */
static long best_step(const char *log, bool by_bleu) {
    long best = 0;
    double best_loss = 0, best_bleu = 0;
    for (const char *row = strchr(log, '\n') + 1; *row; row = strchr(row, '\n') + 1) {
        long step;
        double loss, bleu;
        ck_assert_int_eq(sscanf(row, "%ld,%*d,%*f,%*f,%*f,%lf,%*f,%lf", &step, &loss, &bleu), 3);
        if (!by_bleu) bleu = 0;
        if (best && (bleu < best_bleu || (bleu == best_bleu && loss >= best_loss))) continue;
        best = step;
        best_loss = loss;
        best_bleu = bleu;
    }
    return best;
}

/* One word of each reference is wrong: as the model learns, BLEU rises, and in the end the loss rises too. */
START_TEST(best_by) {
    write_pairs();
    put_text(in_folder("odd.tsv"), "the dog sleeps\tle chien zut\nthe black cat eats\tle chat noir zut\n"
                                   "a dog eats\tun chien zut\n");
    sh("for i in 1 2 3 4 5 6; do cat $D/pairs.tsv; done > $D/six.tsv");
    const char *const ways[] = {"bleu", "loss"};
    long steps[2];
    for (int i = 0; i < 2; i++) {
        char command[512], expected[64];
        snprintf(command, sizeof command,
                 "$T train --train $D/six.tsv --valid $D/odd.tsv --out $D/%s --best-by %s --steps 80 "
                 "--batch-tokens 32 --validate-every 5 --lr 0.02 --warmup 5 --dropout 0 --quiet" SMALL,
                 ways[i], ways[i]);
        sh(command);
        snprintf(command, sizeof command, "%s/log.csv", ways[i]);
        char *log = get_file(in_folder(command), NULL);
        steps[i] = best_step(log, i == 0);
        free(log);
        snprintf(expected, sizeof expected, "the best validation (update %ld, BLEU ", steps[i]);
        ck_assert_msg(strstr(out, expected), "%s: %.3000s", expected, strstr(out, "Ended"));
    }
    ck_assert_msg(steps[0] != steps[1], "the test needs two that differ, both are %ld", steps[0]);
    ck_assert(!same_files("bleu/model.safetensors", "loss/model.safetensors"));
    ck_assert(same_files("bleu/last.safetensors", "loss/last.safetensors"));
}
END_TEST

START_TEST(preset_sizes) {
    write_files();
    static const struct {
        const char *name, *sizes;
    } presets[] = {{"toy", "64 heads 4 layers 2 d-ff 128"},
                   {"tiny", "128 heads 4 layers 4 d-ff 256"},
                   {"small", "256 heads 4 layers 3 d-ff 1024"},
                   {"base", "512 heads 8 layers 6 d-ff 2048"}};
    for (int i = 0; i < 4; i++) {
        char command[512], expected[128];
        /* the width costs most time, so larger presets get a smaller one */
        const char *narrow = i < 2 ? "" : "--d-model 16 --d-ff 16";
        snprintf(command, sizeof command,
                 "$T train " FILES " --steps 1 --threads 1 --preset %s --out $D/run --overwrite --quiet %s "
                 ">$D/said && sed -n '/^d-model/,/^d-ff/p' $D/run/config.txt | tr -d '=' | xargs",
                 presets[i].name, narrow);
        sh(command);
        snprintf(expected, sizeof expected, "d-model %s\n", presets[i].sizes);
        if (i == 2) ck_assert_str_eq(out, "d-model 16 heads 4 layers 3 d-ff 16\n");
        if (i == 3) ck_assert_str_eq(out, "d-model 16 heads 8 layers 6 d-ff 16\n");
        if (i < 2) ck_assert_str_eq(out, expected);
    }
    sh("$T train " FILES " --steps 1 --threads 1 --out $D/default --quiet >$D/said; "
       "grep ^preset $D/default/config.txt");
    ck_assert_str_eq(out, "preset = tiny\n");
    sh("$T train " FILES " --model lstm --steps 1 --threads 1 --out $D/rnn --quiet >$D/said; "
       "sed -n '/^embedding/,/^d-ff/p' $D/rnn/config.txt | tr -d '=' | xargs");
    ck_assert_str_eq(out, "embedding 256 preset rnn d-model 256 heads 1 layers 1 d-ff 0\n");
}
END_TEST

/* ---- the other commands ---- */

/* `command` has a place for `with` and the trial, after its own options. */
static char *output_of(const char *command, const trial *t, const char *trying) {
    char line[1024], options[512];
    snprintf(options, sizeof options, "%s %s", t->with ? t->with : "", trying);
    snprintf(line, sizeof line, command, options);
    sh(line);
    return copy(out);
}

static void try_all(const char *command, const trial *trials, int count) {
    char *base = NULL;
    for (int i = 0; i < count; i++) {
        const trial *t = &trials[i];
        if (t->effect == BELOW) continue;
        if (!i || !equal(t->with, trials[i - 1].with) || trials[i - 1].effect == BELOW) {
            free(base);
            base = output_of(command, t, "");
        }
        char *tried = output_of(command, t, said(t));
        ck_assert_msg((strcmp(base, tried) == 0) == (t->effect == SAME), "%s: from\n%.1500sto\n%.1500s",
                      said(t), base, tried);
        free(tried);
    }
    free(base);
}

START_TEST(other_options) {
    write_files();
    static const char *const ways[] = {"--out $D/model --seed 1", "--out $D/other --seed 2 --steps 7"};
    for (int i = 0; i < 2; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "$T train " FILES " --steps 20 --warmup 0 --lr 0.02 --average 1 --quiet" SMALL
                 " --layers 2 %s",
                 ways[i]);
        sh(command);
    }
    sh("cp $D/other/model.safetensors $D/model/last.safetensors;"
       "cp $D/other/model.safetensors $D/model/average.safetensors");
    try_all("$T translate --model $D/model %s < $D/b.src", translate_trials, ROWS(translate_trials));
    try_all("$T evaluate --model $D/model %s | " TIMELESS, evaluate_trials, ROWS(evaluate_trials));
    ck_assert_int_eq(access(in_folder("elsewhere"), R_OK), 0);
    try_all("$T score --model $D/model %s < $D/a.tsv", score_trials, ROWS(score_trials));
    try_all("$T attention --model $D/model %s < $D/b.src", attention_trials, ROWS(attention_trials));
    try_all("$T info --model $D/model %s", info_trials, ROWS(info_trials));
}
END_TEST

START_TEST(corpus_options) {
    try_all("rm -rf $D/run $D/elsewhere; $T corpus --sentences 40 --out $D/run %s | " TIMELESS " && "
            "cat $D/[re]*/*.tsv $D/[re]*/*.align",
            corpus_trials, ROWS(corpus_trials));
}
END_TEST

/* Like try_all, but all options that change nothing are tried together, since a demo is slow. */
START_TEST(demo_option) {
    static const char *const ways[] = {"", "--out $D/elsewhere --threads 2", "--pair en-zh", "--steps 1"};
    char *base = NULL;
    for (int i = 0; i < 4; i++) {
        char command[256];
        snprintf(command, sizeof command, "$T demo --out $D/run --steps 2 --quiet %s | " TIMELESS, ways[i]);
        sh(command);
        ck_assert_msg(*err == 0, "%s wrote %s", ways[i], err);
        if (i == 0) base = copy(out);
        ck_assert_msg((strcmp(base, out) == 0) == (i < 2), "%s: from\n%.1500sto\n%.1500s", ways[i], base,
                      out);
    }
    ck_assert_int_eq(access(in_folder("elsewhere/model.safetensors"), R_OK), 0);
    free(base);
}
END_TEST

/* On a terminal each command shows its progress, or what it waits for; with --quiet only its result. */
START_TEST(quiet) {
    write_files();
    static const char *const commands[] = {
        "$T train " FILES " --steps 1 --overwrite --out $D/run" SMALL,
        "echo a dog | $T translate --model $D/run", "$T evaluate --model $D/run --test $D/a.tsv",
        "$T attention --model $D/run < $TERMINAL", "$T demo --steps 1 --out $D/demo"};
    for (int i = 0; i < 5; i++)
        for (int quiet = 0; quiet < 2; quiet++) {
            char command[512];
            int terminal = open_terminal();
            ck_assert_int_eq(write(terminal, "\004", 1), 1); /* nothing to read there */
            snprintf(command, sizeof command, "%s 2>$TERMINAL %s", commands[i], quiet ? "--quiet" : "");
            sh(command);
            char *text = received(terminal);
            ck_assert_msg((*text == 0) == quiet, "%s wrote %s", command, text);
            free(text);
            close(terminal);
        }
}
END_TEST

/* With --check NaN and infinities are reported where they arise: in training with step and sentences, and in
 * translation. */
START_TEST(check) {
    static const char *const ways[] = {"$T translate --model $D/run --quiet < $D/a.src",
                                       "$T evaluate --model $D/run --quiet --test $D/a.tsv"};
    char line[256];
    write_files();
    setenv("RATE", sizeof(tl_real) == 4 ? "1e30" : "1e300", 1);
    ck_assert_int_eq(try("$T train " FILES
                         " --steps 30 --batch-tokens 64 --validate-every 20 --lr $RATE --warmup 0 "
                         "--out $D/bad --quiet --check" SMALL),
                     1);
    assert_contains(err, "translate: step 2; a batch of ");
    assert_contains(err, " sentences, lines ");
    assert_contains(err, ": checking: linear gives a value that is not finite: element ");
    assert_contains(err, "(encoder.layers.0.self_attn)");
    sh("$T train " FILES " --steps 2 --out $D/run --quiet" SMALL " && "
       "size=$(wc -c < $D/run/model.safetensors) && printf '\\377\\377\\377\\377\\377\\377\\377\\177' | "
       "dd of=$D/run/model.safetensors bs=1 seek=$((size - 8)) conv=notrunc 2>/dev/null");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(try(ways[i]), 1);
        /* a library built with DEBUG=1 always checks */
        if (!strstr(err, "checking: ")) ck_assert_msg(strstr(err, "are its weights sound?"), "%s", err);
        snprintf(line, sizeof line, "%s --check", ways[i]);
        ck_assert_int_eq(try(line), 1);
        assert_contains(err, "translate: checking: ");
        assert_contains(err, " is not finite: element ");
    }
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
    assert_contains(out, "padding included (0: 4096) [4096]\n");
    assert_contains(out, "\n  --schedule inverse-sqrt|cosine|linear|constant\n      ");
    compare_with_help("translate", translate_trials, ROWS(translate_trials));
    assert_contains(out, " [5]\n");
    compare_with_help("evaluate", evaluate_trials, ROWS(evaluate_trials));
    compare_with_help("score", score_trials, ROWS(score_trials));
    compare_with_help("attention", attention_trials, ROWS(attention_trials));
    compare_with_help("info", info_trials, ROWS(info_trials));
    compare_with_help("corpus", corpus_trials, ROWS(corpus_trials));
    assert_contains(out, " [en-fr]\n"); /* the command's own default */
    compare_with_help("demo", demo_trials, ROWS(demo_trials));
    assert_contains(out, "updates (0: 10 passes over the sentences) [2500]\n");
    char *long_form = copy(out);
    sh("$T demo -h");
    ck_assert_str_eq(out, long_form);
    free(long_form);
}
END_TEST

START_TEST(usage) {
    static const char *const commands[] = {"train",     "translate", "evaluate", "score",
                                           "attention", "info",      "corpus",   "demo"};
    sh("$T --help");
    char *text = copy(out);
    for (int i = 0; i < 8; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n  translate %s ", commands[i]);
        assert_contains(text, line);
        const char *same = strstr(text, line) + 3;
        snprintf(line, sizeof line, "$T %s --help", commands[i]);
        sh(line); /* begins with the same usage line */
        ck_assert_msg(!strncmp(same, out, strcspn(out, "\n") + 1), "%s\n%s", text, out);
    }
    sh("$T -h");
    ck_assert_str_eq(out, text);
    ck_assert_int_eq(try("$T"), 2);
    ck_assert_str_eq(out, "");
    ck_assert_str_eq(err, text);
    assert_contains(err, "translate COMMAND --help lists a command's options.\n");
    free(text);
}
END_TEST

/* --name=value equals --name value; the last one counts. */
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

/* Waiting threads spin briefly, and each is bound to a core, unless the environment or an option says otherwise.
 * More threads than processors are not used, and that is reported. */
START_TEST(threads_are_bounded) {
    sh("$T --help");
    if (strstr(out, "without OpenMP")) {
        TL_SKIP("built without OpenMP: one thread");
        return;
    }
    static const char *const ways[] = {"", "OMP_NUM_THREADS=1000", "OMP_NUM_THREADS=100000"};
    sh("$T corpus --sentences 60 --out $D/c; $T train --train $D/c/train.tsv --valid $D/c/train.tsv --steps "
       "2 --out "
       "$D/run --threads 1 --quiet" SMALL);
    sh_input("the cat .\n", "$T translate --model $D/run --threads 1 --quiet");
    char *expected = strcpy(malloc(strlen(out) + 1), out), line[256];
    for (int i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "%s $T translate --model $D/run --quiet%s", ways[i],
                 i ? "" : " --threads 1000");
        sh_input("the cat .\n", line);
        ck_assert_str_eq(out, expected);
        assert_contains(err, "translate: warning: ");
        assert_contains(err, " threads would share ");
        assert_contains(err, " used, which changes no bit\n");
    }
    sh_input("the cat .\n", "$T translate --model $D/run --threads 1 --quiet");
    ck_assert_str_eq(err, "");
    free(expected);
}
END_TEST

START_TEST(threads_are_settled) {
    unsetenv("OMP_NUM_THREADS"), unsetenv("OMP_PROC_BIND"), unsetenv("OMP_PLACES");
    sh("$T --help");
    if (strstr(out, "without OpenMP")) {
        TL_SKIP("built without OpenMP: no threads wait");
        return;
    }
    sh("env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose $T --help"); /* GNU's and LLVM's OpenMP have different names */
    const char *bound = strstr(err, "GOMP_SPINCOUNT") ? "OMP_PROC_BIND = 'TRUE'" : " OMP_PROC_BIND='spread'";
    const char *calm = strstr(err, "GOMP_SPINCOUNT") ? "GOMP_SPINCOUNT = '1000'" : "KMP_BLOCKTIME='1'";
    assert_contains(err, calm);
    assert_contains(err, bound);
    sh("env -u OMP_WAIT_POLICY OMP_NUM_THREADS=1 OMP_DISPLAY_ENV=verbose $T --help");
    assert_contains(err, calm);
    ck_assert_msg(!strstr(err, bound), "%s", err);
    sh("env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose $T --help --threads=1");
    assert_contains(err, calm);
    ck_assert_msg(!strstr(err, bound), "%s", err);
    sh("OMP_WAIT_POLICY=active OMP_DISPLAY_ENV=verbose $T --help");
    ck_assert_msg(!strstr(err, calm), "%s", err);
    sh("env -u OMP_WAIT_POLICY GOMP_SPINCOUNT=5 OMP_DISPLAY_ENV=verbose $T --help");
    ck_assert_msg(!strstr(err, calm), "%s", err);
    ck_assert_int_eq(try("env -u OMP_WAIT_POLICY $T 'there is' none"), 2);
    assert_contains(err, "there is no command \"there is\"");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, train_options);
    tcase_add_test(tc, resume);
    tcase_add_test(tc, from_a_run);
    tcase_add_test(tc, attention_of_a_run);
    tcase_add_test(tc, matmul_precision);
    tcase_add_test(tc, instruction_sets);
    tcase_add_test(tc, best_by);
    tcase_add_test(tc, preset_sizes);
    tcase_add_test(tc, other_options);
    tcase_add_test(tc, corpus_options);
    tcase_add_test(tc, demo_option);
    tcase_add_test(tc, quiet);
    tcase_add_test(tc, check);
    tcase_add_test(tc, help);
    tcase_add_test(tc, usage);
    tcase_add_test(tc, forms);
    tcase_add_test(tc, threads_are_bounded);
    tcase_add_test(tc, threads_are_settled);
}

TL_TEST_MAIN("translate: every option")
