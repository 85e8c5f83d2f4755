/* caption: trains a Transformer that reads a picture's patches and writes a caption, and shows where it attends. */
#include "program.h"

#include <math.h>

static const command commands[] = {
    {"train",
     "caption train [--pictures N] [--steps N] --out DIR\n"
     "  caption train --resume DIR",
     "train a model on pictures that are drawn here; go on with a run", train_options, command_train},
    {"show", "caption show --model DIR [--picture N | --scene LINE] [--svg FILE]",
     "write a picture's caption, and draw which patches each word looked at", show_options, command_show},
    {"evaluate", "caption evaluate --model DIR [--count N]",
     "how many captions are right, of combinations that training never has too, and whether attention points "
     "at "
     "what a word names",
     evaluate_options, command_evaluate},
    {"info", "caption info --model DIR", "what a run is, how big, how it was trained", info_options,
     command_info},
    {"demo", "caption demo [--out DIR]", "train, measure and show (a minute or two)", demo_options,
     command_demo}};

static void defaults(const command *c, settings *s) {
    *s = (settings){.common = {.run = tl_run_settings_of_program("caption"),
                               .out = "runs/caption",
                               .model = "runs/caption",
                               .weights = "best"},
                    .part = "held-out"};
    if (c->run == command_demo) {
        s->common.out = "runs/caption-demo";
        s->common.run.validation.samples = 0;
        /* a second thread gains little for so small a model, and costs time on a busy machine */
        s->common.threads = 1;
    }
}

static int check(const command *c, settings *s) {
    if (c->run == command_show && s->scene && (s->picture || s->count))
        return usage_with(c->name, "--scene is one picture: leave out --picture and --count");
    if (s->svg && s->count > 1) return usage_with(c->name, "--svg is of one picture: leave out --count");
    return 0;
}

static bool may_train(settings *s, tl_error *error) {
    return tl_run_settings_complete(&s->common.run, error);
}

static void print_size(const tl_run *run) {
    printf("%ld words; %d patches; ", tl_vocab_size(tl_run_vocab(run, TL_TARGET)), TL_PICTURE_PATCHES);
}

static void print_quality(const tl_quality *q) {
    printf("perplexity %.3f, accuracy %.1f %%, exact %ld/%ld", exp(q->loss), 100 * q->accuracy, q->exact,
           q->sentences);
}

/* Shows some captions beside the true ones, spread over the pictures. */
static void show_samples(listener *l, const tl_validation *v) {
    const tl_translations *t = v->translations;
    const long wanted = common_of(l->settings)->run.validation.samples,
               count = wanted < t->count ? wanted : t->count;
    for (long i = 0; l->valid && i < count; i++) {
        const long at = i * t->count / count;
        const char *text = t->text[at], *truth = tl_corpus_sentence(l->valid, TL_TARGET, at);
        print_line("  it says    ", text ? text : "", "\n");
        print_line("  true       ", truth, "\n");
    }
}

static void say_next(settings *s, tl_run *run) {
    char program[WORD_SIZE];
    tl_shell_word(s->common.program, program, sizeof program);
    printf("Go on:\n  %s show", program);
    print_option("model", tl_run_dir(run));
    printf("\n  %s evaluate", program);
    print_option("model", tl_run_dir(run));
    printf("\n");
}

program this_program = {.name = "caption",
                        .about =
                            "Trains small Transformers to say what is on a picture, and shows where they "
                            "look. Pictures are drawn here.",
                        .commands = commands,
                        .count = sizeof commands / sizeof *commands,
                        .together = (const char *const[]){"train", "evaluate", NULL},
                        .settings_size = sizeof(settings),
                        .unit = "picture",
                        .writing = "captioning",
                        .defaults = defaults,
                        .check = check,
                        .may_train = may_train,
                        .print_size = print_size,
                        .print_quality = print_quality,
                        .validated = show_samples,
                        .say_next = say_next};

int main(int argc, char **argv) { return program_main(argc, argv); }
