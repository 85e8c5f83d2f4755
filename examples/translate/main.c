/* translate: trains an encoder-decoder Transformer on sentence pairs, and translates with it. */
#include "program.h"

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

static void defaults(const command *c, settings *s) {
    common *shared = &s->common;
    *s = (settings){.common = {.run = tl_run_settings_default(),
                               .out = "runs/translate",
                               .model = "runs/translate",
                               .weights = "best"},
                    .beam = 5,
                    .batch_tokens = 4096,
                    .length_penalty = 1};
    if (c->run == command_evaluate) shared->out = NULL;
    if (c->run == command_corpus) {
        shared->out = "runs/corpus";
        shared->run.data.pair = "en-fr";
    }
    if (c->run == command_demo) { /* small enough for a minute or two on two cores */
        shared->out = "runs/demo";
        shared->run.data.pair = "en-fr";
        shared->run.model.preset = "toy";
        shared->run.model.dropout = 0.05;
        shared->run.training.steps = 2500;
        shared->run.training.lr = 0.004;
        shared->run.training.warmup = 200;
        shared->run.training.schedule = "cosine";
        shared->run.training.batch_tokens = s->batch_tokens = 1024;
        shared->run.validation.validate_every = 500;
        shared->run.validation.samples = 0;
        s->beam = 1;
        /* a second thread gains little for so small a model, and costs time on a busy machine */
        shared->threads = 1;
    }
}

static int check(const command *c, settings *s) {
    tl_error error = {""};
    if (s->beam <= TL_BEAM_MOST) return 0;
    tl_error_set(&error, "--beam %ld: at most %d are possible", s->beam, TL_BEAM_MOST);
    return usage_with(c->name, error.message);
}

program this_program = {.name = "translate",
                        .about =
                            "Trains small encoder-decoder Transformers on sentence pairs, and translates.",
                        .commands = commands,
                        .count = sizeof commands / sizeof *commands,
                        .together = (const char *const[]){"train", "evaluate", NULL},
                        .settings_size = sizeof(settings),
                        .unit = "sentence",
                        .defaults = defaults,
                        .check = check,
                        .may_train = may_train,
                        .caution = caution_of,
                        .print_size = print_size,
                        .print_quality = print_quality,
                        .validated = show_validated,
                        .say_next = say_next};

int main(int argc, char **argv) { return program_main(argc, argv); }
