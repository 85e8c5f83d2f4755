/* translate: trains an encoder-decoder Transformer on sentence pairs, and translates with it. */
#include "run.h"

#include <string.h>

typedef struct command {
    const char *name, *usage, *what;
    const option *options;
    int (*run)(settings *s);
} command;

static const command commands[] = {
    {"train", "translate train --train F.tsv --valid F.tsv --out DIR [options]", "train a model",
     train_options, command_train},
    {"translate", "translate translate --model DIR < source > translations",
     "translate lines, one sentence each", translate_options, command_translate},
    {"evaluate", "translate evaluate --model DIR --test F.tsv",
     "loss, and BLEU of the translations, on sentence pairs", evaluate_options, command_evaluate},
    {"demo", "translate demo [--out DIR]", "train on a task made here and show five results (half a minute)",
     demo_options, command_demo}};
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
    if (c->run == command_demo) { /* small enough for half a minute on two cores */
        s.out = "runs/demo";
        s.overwrite = true;
        s.task = "reverse";
        s.preset = "toy";
        s.dropout = 0;
        s.steps = 1500;
        s.lr = 0.003;
        s.warmup = 200;
        s.batch_tokens = 1024;
        s.threads = 1; /* so small a model gains little by a second one, and waits for it on a busy machine */
    }
    return s;
}

enum { MOST_THREADS = 1024 };

static int run_command(const command *c, const char *program, int argc, char **argv) {
    settings s = defaults_of(c), shown = s;
    bool help = false;
    tl_error error = {""};
    s.program = program;
    if (!options_parse(c->options, argc, argv, &s, &help, &error)) return usage_with(c->name, error.message);
    if (help) {
        printf("%s\n    %s\n", c->usage, c->what);
        options_print(c->options, &shown, stdout);
        return 0;
    }
    if (s.threads > MOST_THREADS) {
        tl_error_set(&error, "--threads %ld: at most %d are possible", s.threads, MOST_THREADS);
        return usage_with(c->name, error.message);
    }
    if (s.threads) tl_set_threads((int)s.threads);
    return c->run(&s);
}

int main(int argc, char **argv) {
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return run_command(&commands[i], argv[0], argc - 2, argv + 2);
    fprintf(stderr, "translate: there is no command \"%s\"; translate --help lists them\n", argv[1]);
    return 2;
}
