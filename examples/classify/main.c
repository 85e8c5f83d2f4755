/* classify: trains a classifier on labelled texts, and labels other texts with it. */
#include "program.h"

static const command commands[] = {
    {"train",
     "classify train --train F.tsv --valid F.tsv | --made agreement  [--model transformer|gru|average] "
     "[--pretrain N] "
     "--out DIR\n"
     "  classify train --resume DIR",
     "train a classifier; go on with a run", train_options, command_train},
    {"evaluate", "classify evaluate --model DIR --test F.tsv",
     "loss and accuracy on labelled texts, precision and recall of each label, which was taken for which",
     evaluate_options, command_evaluate},
    {"predict", "classify predict --model DIR [--probabilities] [--text] < texts > labels",
     "label texts, one a line: label, tab, probability (an empty line, and exit status 1, for one that is "
     "blank or too "
     "long)",
     predict_options, command_predict},
    {"info", "classify info --model DIR", "what a run is, how big, how it was trained", info_options,
     command_info},
    {"corpus", "classify corpus --made agreement|number|order|subject --out DIR",
     "write the labelled sentences that are made here to files", corpus_options, command_corpus},
    {"demo", "classify demo [--out DIR]",
     "learn agreement from few labelled sentences after many without labels, and show what was learnt (a "
     "minute or two)",
     demo_options, command_demo}};

static void defaults(const command *c, settings *s) {
    common *shared = &s->common;
    tl_run_settings *run = &shared->run;
    *s = (settings){.common = {.run = tl_run_settings_of_program("classify"),
                               .out = "runs/classify",
                               .model = "runs/classify",
                               .weights = "best"},
                    .batch_tokens = 4096};
    if (c->run == command_corpus) {
        shared->out = "runs/labelled";
        run->data.task = "agreement";
    }
    if (c->run == command_demo) { /* small enough for a minute or two on two cores */
        shared->out = "runs/demo-classify";
        run->data.task = "agreement";
        run->data.sentences = 200;
        run->classify.unlabelled = 20000;
        run->classify.pretrain = 1500;
        run->model.d_model = 64;
        run->training.steps = 200;
        run->training.lr = 0.002;
        run->validation.validate_every = 100;
        /* a second thread gains little for so small a model, and costs time on a busy machine */
        shared->threads = 1;
    }
}

program this_program = {.name = "classify",
                        .about = "Trains small classifiers on labelled texts, and labels others.",
                        .commands = commands,
                        .count = sizeof commands / sizeof *commands,
                        .together = (const char *const[]){"train", "evaluate", NULL},
                        .settings_size = sizeof(settings),
                        .unit = "text",
                        .defaults = defaults,
                        .may_train = may_train,
                        .print_size = print_size,
                        .print_quality = print_quality,
                        .say_next = say_next};

int main(int argc, char **argv) { return program_main(argc, argv); }
