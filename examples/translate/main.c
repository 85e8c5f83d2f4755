/* translate: trains an encoder-decoder Transformer on sentence pairs, and translates with it. */
#define _XOPEN_SOURCE 700 /* setenv */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
    const char *name, *usage, *what;
    const tl_option *options;
    int (*run)(settings *s);
} command;

static const command commands[] = {
    {"train",
     "translate train --train F.tsv | --train-src A --train-tgt B | --pair en-fr | --task reverse  --valid … "
     "--out DIR\n"
     "  translate train --resume DIR",
     "train a model; go on with a run", train_options, command_train},
    {"translate",
     "translate translate --model DIR [--beam K] [--nbest] [--sample] [--prefix-column] < source > "
     "translations",
     "translate lines, one sentence each (an empty line, and exit status 1, for one that is too long)",
     translate_options, command_translate},
    {"evaluate", "translate evaluate --model DIR --test F.tsv [--beam K] [--lowercase] [--tokenize T]",
     "loss, BLEU, chrF2 and exact matches on sentence pairs", evaluate_options, command_evaluate},
    {"score", "translate score --model DIR [--pairs F.tsv] [--tokens] < pairs",
     "log p of given translations: of each, a token, and how many tokens (an empty line, and exit status 1, "
     "for a line that is "
     "no pair)",
     score_options, command_score},
    {"attention", "translate attention --model DIR [--layer N] [--head N] < source",
     "draw where the decoder looks while it translates (a line that is too long is left out: exit status 1)",
     attention_options, command_attention},
    {"info", "translate info --model DIR", "what a run is, how big, how it was trained", info_options,
     command_info},
    {"corpus", "translate corpus --pair en-fr|en-zh --out DIR",
     "write the built-in grammar's sentences and word alignments to files", corpus_options, command_corpus},
    {"demo", "translate demo [--pair en-fr|en-zh] [--out DIR]",
     "train on the grammar's sentences and show what was learnt (a minute or two)", demo_options,
     command_demo}};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fprintf(
        out,
        "translate %s (%s)\nTrains small encoder-decoder Transformers on sentence pairs, and translates.\n\n",
        TL_VERSION, tl_build_text());
    for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %s\n      %s\n", commands[i].usage, commands[i].what);
    fprintf(out, "\ntranslate COMMAND --help lists a command's options.\n");
}

static settings defaults_of(const command *c) {
    settings s = settings_default();
    if (c->run == command_evaluate) s.out = NULL;
    if (c->run == command_corpus) {
        s.out = "runs/corpus";
        s.run.data.pair = "en-fr";
    }
    if (c->run == command_demo) { /* small enough for a minute or two on two cores */
        s.out = "runs/demo";
        s.run.data.pair = "en-fr";
        s.run.model.preset = "toy";
        s.run.model.dropout = 0.05;
        s.run.training.steps = 2500;
        s.run.training.lr = 0.004;
        s.run.training.warmup = 200;
        s.run.training.schedule = "cosine";
        s.run.training.batch_tokens = s.batch_tokens = 1024;
        s.run.validation.validate_every = 500;
        s.run.validation.samples = 0;
        s.beam = 1;
        s.threads = 1; /* so small a model gains little by a second one, and waits for it on a busy machine */
    }
    return s;
}

enum { MOST_THREADS = 1024 };

/* More threads than processors wait for each other: sixteen on two take ten times as long as two, to the same bits. */
static void settle_count(const settings *s) {
#ifdef _OPENMP
    const long processors = tl_processors(), wanted = s->threads ? s->threads : tl_threads();
    if (wanted > processors)
        fprintf(stderr,
                "translate: warning: %ld threads would share %ld processor%s and wait for each other; %ld "
                "are used, which "
                "changes no bit\n",
                wanted, processors, processors == 1 ? "" : "s", processors);
    tl_set_threads((int)(wanted < processors ? wanted : processors));
#else
    (void)s;
#endif
}

static int run_command(const command *c, const char *program, int argc, char **argv) {
    settings s = defaults_of(c), shown = s;
    bool help = false;
    tl_error error = {""};
    s.program = program;
    s.options = c->options;
    s.argc = argc;
    s.argv = argv;
    if (!tl_options_parse(c->options, &s, argc, argv, &help, &error))
        return usage_with(c->name, error.message);
    if (help) {
        printf("%s\n    %s\n", c->usage, c->what);
        tl_options_print(c->options, &shown, stdout);
        return 0;
    }
    if (s.threads > MOST_THREADS) {
        tl_error_set(&error, "--threads %ld: at most %d are possible", s.threads, MOST_THREADS);
        return usage_with(c->name, error.message);
    }
    if (s.beam > TL_BEAM_MOST) {
        tl_error_set(&error, "--beam %ld: at most %d are possible", s.beam, TL_BEAM_MOST);
        return usage_with(c->name, error.message);
    }
    settle_count(&s);
    return c->run(&s);
}

#if defined(_OPENMP) && defined(__linux__)
static bool says_threads(char **argv) {
    for (; *argv; argv++)
        if (!strncmp(*argv, "--threads", strlen("--threads"))) return true;
    return getenv("OMP_NUM_THREADS") || getenv("OMP_PROC_BIND") || getenv("OMP_PLACES") ||
           getenv("GOMP_CPU_AFFINITY") || getenv("KMP_AFFINITY");
}
#endif

/* OpenMP's threads spin while they wait for each other. Where other programs want the cores too, they then keep those
 * that they wait for from running, and two threads become many times slower than one. A short while of it is nearly as
 * fast as a long one. And where threads are as many as cores, each keeps to its own; two that share one while the other
 * works for somebody else were twice as slow. (Fewer threads are not bound: two programs of one thread would share a
 * core.) All this is read from the environment when OpenMP is loaded, before main begins; so it is said there, in GNU's words
 * and in LLVM's, and the program starts once more. */
static void settle_threads(char **argv) {
#if defined(_OPENMP) && defined(__linux__)
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || getenv("KMP_BLOCKTIME"))
        return; /* somebody knows better, or it is done */
    if (!says_threads(argv)) setenv("OMP_PROC_BIND", "true", 1);
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0 && setenv("KMP_BLOCKTIME", "1", 1) == 0)
        execv("/proc/self/exe", argv);
#else
    (void)argv;
#endif
}

static int run_program(int argc, char **argv) {
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return run_command(&commands[i], argv[0], argc - 2, argv + 2);
    tl_error error = {""};
    tl_error_set(&error, "there is no command \"%s\"; translate --help lists them", argv[1]);
    fail_with(error.message);
    return 2;
}

/* Whatever a command says of its end: results that did not arrive are a failure too. And a file that grows beyond `ulimit -f`
 * is one more error to tell, rather than a reason to be killed. */
int main(int argc, char **argv) {
    tl_error error = {""};
    settle_threads(argv);
    tl_streams_open();
    const int status = run_program(argc, argv);
    if (tl_output_close(stdout, &error) || status) return status;
    return fail_with(error.message);
}
