/* translate info: what a run is, its size, its training, and its quality. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* Prints only what differs from the defaults. */
static void print_attention(const tl_model_settings *s) {
    if (!strcmp(s->score, "scaled-dot") && !strcmp(s->normaliser, "softmax") && !s->window && !s->no_causal)
        return;
    printf("            attention: %s scores, %s", s->score, s->normaliser);
    if (s->window) printf(", self-attention in a window of %ld", s->window);
    if (s->no_causal) printf(", the decoder sees the words to come");
    printf("\n");
}

/* Prints removed heads, and heads whose gates are closed. */
static void print_heads(const tl_run *run, const tl_model_settings *s) {
    if (s->heads_kept)
        print_name("            heads left: ", s->heads_kept, " (of all other attentions every one)\n");
    if (!s->head_gates) return;
    double gate[1024];
    tl_run *with = tl_run_open(tl_run_dir(run), NULL, NULL); /* info opens a run without its weights */
    const long heads = tl_prune_heads(tl_run_model(with));
    long shut = 0, half = 0;
    if (heads > 0 && heads <= 1024 && tl_prune_gates(with, gate)) {
        for (long i = 0; i < heads; i++) shut += gate[i] == 0, half += gate[i] > 0 && gate[i] < 1;
        printf("            heads have gates, penalty %g: of %ld %ld are shut, %ld between shut and open\n",
               s->gate_penalty, heads, shut, half);
    }
    tl_run_free(with);
}

static void print_transformer(const tl_run *run, const tl_transformer *model, const tl_model_settings *s) {
    const tl_transformer_config *c = &model->config;
    printf("model       encoder-decoder Transformer, %s: d_model %ld, %d heads, %d + %d layers, d_ff %ld\n",
           s->preset, c->d_model, c->heads, model->encoder.layers, model->decoder.layers, c->d_ff);
    printf("            %s-norm%s, %s, %s positions", c->pre_norm ? "pre" : "post",
           c->no_final_norm ? " without final norms" : "", s->activation, s->positions);
    if (s->encoder_positions) printf(" (encoder: %s)", s->encoder_positions);
    printf(", embeddings tied: %s\n", s->tie);
    print_attention(s);
    if (s->heads_kept || s->head_gates) print_heads(run, s);
    if (s->from) print_name("            began with the weights of ", s->from, "\n");
}

static void print_recurrent(const tl_seq2seq *model, const tl_model_settings *s) {
    const tl_seq2seq_config *c = &model->config;
    printf("model       encoder-decoder %s, %s: d_model %ld, embeddings %ld, %d + %d layers%s\n",
           c->kind == TL_LSTM ? "LSTM" : "GRU", s->preset, c->d_model, c->embedding, c->layers, c->layers,
           c->bidirectional ? ", read from both ends" : "");
    if (c->no_attention)
        printf("            no attention, one vector of the source%s",
               c->feed_context ? " that each step reads" : "");
    else
        printf("            %s attention, %d head%s%s", s->attention, c->heads, c->heads == 1 ? "" : "s",
               c->input_feeding ? ", input feeding" : "");
    printf("; embeddings tied: %s\n", s->tie);
}

static bool begins(const char *name, const char *with) { return !strncmp(name, with, strlen(with)); }

static void print_model(const tl_run *run, const tl_model_settings *s) {
    const tl_params *params = tl_run_params(run);
    if (tl_run_transformer(run)) print_transformer(run, tl_run_transformer(run), s);
    if (tl_run_seq2seq(run)) print_recurrent(tl_run_seq2seq(run), s);
    printf("parameters  %ld (", tl_params_numel(params));
    long encoder = 0, decoder = 0, all = tl_params_numel(params);
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        const char *name = p->leaf.name;
        long n = tl_numel(tl_param_value(p));
        if (begins(name, "encoder.")) encoder += n;
        if (begins(name, "decoder.") || begins(name, "bridge_") || begins(name, "attention.") ||
            begins(name, "readout."))
            decoder += n;
    }
    printf("encoder %ld, decoder %ld, embeddings and output %ld)\n", encoder, decoder,
           all - encoder - decoder);
}

static void print_side(const tl_run *run, const tl_run_settings *s, tl_side side) {
    const char *units = tl_units_of(s, side);
    printf("%s      %ld %s", side == TL_SOURCE ? "source" : "target", tl_vocab_size(tl_run_vocab(run, side)),
           !strcmp(units, "bpe")     ? "byte-pair subwords"
           : !strcmp(units, "chars") ? "characters"
                                     : "words");
    if (!strcmp(units, "bpe")) printf(" of %ld merges", tl_bpe_merges(tl_run_bpe(run)));
    if (!strcmp(tl_pretokenize_of(s, side), "words") && strcmp(units, "chars"))
        printf(", raw text cut into words");
    printf("%s\n", s->text.joint ? " (one vocabulary for both sides)" : "");
}

static void print_data(const tl_run_settings *s) {
    const tl_data_settings *d = &s->data;
    print_name("trained on  ",
               d->train       ? d->train
               : d->train_src ? d->train_src
               : d->pair      ? d->pair
               : d->task      ? d->task
                              : "sentences that it does not name",
               "");
    print_name("; validated on ",
               d->valid       ? d->valid
               : d->valid_src ? d->valid_src
                              : "sentences made like them",
               "\n");
    printf("            %ld tokens a batch", s->training.batch_tokens);
    print_training(s);
}

int command_info(settings *s) {
    tl_error error = {""};
    tl_training_state now;
    tl_run *run = tl_run_open(s->common.model, &(tl_run_choice){"none", this_program.name}, &error);
    if (!run) return fail_with(error.message);
    const tl_run_settings *made = tl_run_settings_of(run);
    caution_of(run);
    print_name("run         ", s->common.model, "\n");
    print_model(run, &made->model);
    print_side(run, made, TL_SOURCE);
    print_side(run, made, TL_TARGET);
    print_data(made);
    if (tl_run_state(run, &now)) print_state(&now, tl_run_score_label(run));
    if (!tl_run_error(run)) print_files(s->common.model, &error);
    int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
