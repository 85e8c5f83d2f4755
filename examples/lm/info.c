/* lm info: what a run is, its size, its training, and its quality. */
#include "program.h"

#include <string.h>

static void print_model(const tl_run *run, const tl_run_settings *s) {
    const tl_gpt_config *c = &tl_run_gpt(run)->config;
    printf("model       decoder-only Transformer, %s: d_model %ld, %d heads, %d layers, ", s->model.preset,
           c->d_model, c->heads, c->layers);
    if (c->no_feed_forward)
        printf("no feed-forward");
    else
        printf("d_ff %ld", c->d_ff);
    printf("\n            pre-norm%s, %s positions, context %ld, output %s%s\n",
           c->no_bias ? " without biases" : "", s->model.positions, s->lm.context,
           c->untied ? "a matrix of its own" : "tied to the embedding",
           c->normaliser == TL_SIGMOID ? ", weights of a sigmoid" : "");
    printf("parameters  %ld\n", tl_params_numel(tl_run_params(run)));
}

static void print_text(const tl_run *run, const tl_run_settings *s) {
    if (tl_run_byte_bpe(run))
        printf("text        %ld byte-pair tokens of %ld merges", tl_byte_bpe_size(tl_run_byte_bpe(run)),
               tl_byte_bpe_merges(tl_run_byte_bpe(run)));
    else
        printf("text        %ld %s", tl_vocab_size(tl_run_vocab(run, TL_TARGET)),
               strcmp(s->text.units, "words") ? "characters" : "words");
    printf("%s\n", s->lm.lines ? ", each line a text by itself" : "");
}

static void print_data(const tl_run_settings *s) {
    const char *train = s->data.train;
    print_name("trained on  ",
               !train               ? "sentences made here: "
               : strcmp(train, "-") ? train
                                    : "standard input",
               train ? "" : s->lm.made);
    if (s->data.valid)
        print_name("; validated on ", s->data.valid, "\n");
    else if (s->lm.made)
        printf("; validated on sentences made like them\n");
    else
        printf("; validated on %g of it\n", s->lm.valid_share);
    printf("            %ld %s of at most %ld tokens a batch", s->lm.batch, s->lm.lines ? "lines" : "windows",
           s->lm.context);
    print_training(s);
}

int command_info(settings *s) {
    tl_error error = {""};
    tl_training_state now;
    tl_run *run = tl_run_open(s->common.model, &(tl_run_choice){"none", this_program.name}, &error);
    if (!run) return fail_with(error.message);
    const tl_run_settings *made = tl_run_settings_of(run);
    print_name("run         ", s->common.model, "\n");
    print_model(run, made);
    print_text(run, made);
    print_data(made);
    if (tl_run_state(run, &now)) print_state(&now, tl_run_score_label(run));
    if (!tl_run_error(run)) print_files(s->common.model, &error);
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
