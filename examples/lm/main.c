/* lm: trains a decoder-only language model on any text, and continues texts. */
#include "program.h"

#include <math.h>

static const command commands[] = {
    {"train",
     "lm train --train FILE|- [--valid FILE] [--units chars|words|bpe] [--lines] --out DIR\n"
     "  lm train --resume DIR",
     "train a model on a text; go on with a run", train_options, command_train},
    {"sample", "lm sample --model DIR [--prompt TEXT] [--temperature T] [--top-k K] [--top-p P] [--seed N]",
     "write a text, as it comes", sample_options, command_sample},
    {"evaluate", "lm evaluate --model DIR [--text FILE|-]",
     "nats a token, perplexity and bits per byte of a text (of the one that training validates on)",
     evaluate_options, command_evaluate},
    {"info", "lm info --model DIR", "what a run is, how big, how it was trained", info_options, command_info},
    {"import", "lm import --file F.safetensors --tokenizer DIR [--heads N] --out DIR",
     "make a run of GPT-2's files: Hugging Face's or nanoGPT's weights, vocab.json and merges.txt",
     import_options, command_import},
    {"export", "lm export --model DIR [--layout hugging-face|nanogpt] --out F.safetensors",
     "write a run's weights as GPT-2's files have them", export_options, command_export},
    {"demo", "lm demo [--made en|fr|zh] [--out DIR]",
     "train on sentences that a grammar makes, and write some (half a minute)", demo_options, command_demo}};

static void defaults(const command *c, settings *s) {
    *s = (settings){.common = {.run = tl_run_settings_of_program("lm"),
                               .out = "runs/lm",
                               .model = "runs/lm",
                               .weights = "best"},
                    .prompt = "",
                    .tokens = 500,
                    .samples = 1,
                    .seed = 1};
    if (c->run == command_export) s->common.out = NULL;
    if (c->run == command_demo) { /* small enough for half a minute on one core */
        tl_run_settings *run = &s->common.run;
        s->common.out = "runs/lm-demo";
        run->lm.made = "en";
        run->lm.lines = true;
        run->lm.batch = 32;
        run->text.units = "words";
        run->model.preset = "toy";
        run->model.dropout = 0.05;
        run->training.steps = 1000;
        run->training.lr = 0.004;
        run->validation.validate_every = 250;
        run->validation.samples = 0;
        s->common.threads = 1;
    }
}

static int check(const command *c, settings *s) {
    if (s->top_p > 1) return usage_with(c->name, "--top-p: a share of the probability is at most 1");
    if (s->greedy && (s->temperature > 0 || s->top_k || s->top_p > 0))
        return usage_with(c->name, "--greedy draws nothing: leave out --temperature, --top-k and --top-p");
    return 0;
}

static bool may_train(settings *s, tl_error *error) {
    const tl_run_settings *run = &s->common.run;
    if (!run->data.train && !run->lm.made)
        return tl_error_set(error, "give --train FILE (- is standard input), or --made en");
    return tl_run_settings_complete(&s->common.run, error);
}

static void print_size(const tl_run *run) {
    const tl_gpt *model = tl_run_gpt(run);
    printf("vocabulary %ld; context %ld; ", model->config.vocab, model->config.max_len);
}

static void print_quality(const tl_quality *q) {
    printf("perplexity %.2f, %.3f bits per byte, accuracy %.1f %%", exp(q->loss), tl_bits_per_byte(q),
           100 * q->accuracy);
}

static void show(listener *l, const tl_validation *v) {
    (void)l;
    for (long i = 0; i < v->translations->count; i++) {
        print_line("--- it writes\n", v->translations->text[i], "\n");
        if (i + 1 == v->translations->count) printf("---\n");
    }
}

static void say_next(settings *s, tl_run *run) {
    char program[WORD_SIZE];
    tl_shell_word(s->common.program, program, sizeof program);
    printf("Go on:\n  %s sample", program);
    print_option("model", tl_run_dir(run));
    printf("\n  %s evaluate", program);
    print_option("model", tl_run_dir(run));
    printf("\n");
}

program this_program = {.name = "lm",
                        .about = "Trains small decoder-only language models on any text, and writes on.",
                        .commands = commands,
                        .count = sizeof commands / sizeof *commands,
                        .together = (const char *const[]){"train", "evaluate", NULL},
                        .settings_size = sizeof(settings),
                        .unit = "batch",
                        .cut = "line",
                        .trains_on_input = true,
                        .defaults = defaults,
                        .check = check,
                        .may_train = may_train,
                        .print_size = print_size,
                        .print_quality = print_quality,
                        .validated = show,
                        .say_next = say_next};

int main(int argc, char **argv) { return program_main(argc, argv); }
