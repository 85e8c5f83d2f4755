/* classify info: what a run is, its size, its training, and its quality. */
#include "program.h"

#include <string.h>

static void print_model(const tl_run *run, const tl_run_settings *s) {
    const tl_classifier_config *c = &tl_run_classifier(run)->config;
    if (c->kind == TL_CLASSIFY_TRANSFORMER)
        printf("model       Transformer's encoder: d_model %ld, %d heads, %d layers, d_ff %ld\n"
               "            %s-norm%s, %s, %s positions, the label from %s\n",
               c->d_model, c->heads, c->layers, c->d_ff, c->pre_norm ? "pre" : "post",
               c->no_final_norm ? " without a final norm" : "", s->model.activation, s->model.positions,
               c->mean_pooling ? "the mean of the words' places" : "the place of [CLS]");
    if (c->kind == TL_CLASSIFY_GRU)
        printf("model       GRU: d_model %ld, embeddings %ld, %d layer%s%s; %s of its states, %d head%s\n",
               c->d_model, c->embedding, c->layers, c->layers == 1 ? "" : "s",
               c->bidirectional ? ", read from both ends" : "",
               c->score == TL_UNIFORM ? "the mean" : "a learnt query's sum", c->heads,
               c->heads == 1 ? "" : "s");
    if (c->kind == TL_CLASSIFY_AVERAGE)
        printf("model       %s of embeddings: %ld wide, %d layers of %ld over it\n",
               c->weighted ? "a learnt query's sum" : "mean", c->embedding, c->layers, c->d_model);
    if (s->model.score) printf("            attention: %s scores\n", s->model.score);
    printf("parameters  %ld\n", tl_params_numel(tl_run_params(run)));
}

static void print_labels(const tl_labels *labels) {
    enum { SHOWN = 10 };
    const long count = tl_labels_count(labels);
    printf("labels      %ld:", count);
    for (long i = 0; i < count && i < SHOWN; i++) print_name(i ? ", " : " ", tl_labels_name(labels, i), "");
    printf("%s\n", count > SHOWN ? ", …" : "");
}

static void print_text(const tl_run *run, const tl_run_settings *s) {
    const char *units = tl_units_of(s, TL_SOURCE);
    printf("text        %ld %s", tl_vocab_size(tl_run_vocab(run, TL_SOURCE)),
           !strcmp(units, "bpe")     ? "byte-pair subwords"
           : !strcmp(units, "chars") ? "characters"
                                     : "words");
    if (!strcmp(units, "bpe")) printf(" of %ld merges", tl_bpe_merges(tl_run_bpe(run)));
    if (!strcmp(tl_pretokenize_of(s, TL_SOURCE), "words") && strcmp(units, "chars"))
        printf(", raw text cut into words");
    printf("\n");
}

static void print_data(const tl_run_settings *s) {
    const tl_data_settings *d = &s->data;
    print_name("trained on  ", d->task ? d->task : d->train ? d->train : "texts that it does not name", "");
    if (d->task) printf(", %ld sentences made here", d->sentences);
    print_name("; validated on ", d->task || !d->valid ? "sentences made like them" : d->valid, "\n");
    printf("            %ld tokens a batch", s->training.batch_tokens);
    print_training(s);
}

/* The first stage, read from its own folder. */
static void print_pretraining(const char *dir, const tl_classify_settings *c) {
    char path[PATH_SIZE];
    tl_training_state now;
    tl_error none = {""};
    if (!c->pretrain) return;
    printf("first       %ld updates on masked words (%g of the words)", c->pretrain, c->mask);
    if (c->pretrain_text) print_name(", also of ", c->pretrain_text, "");
    if (c->unlabelled) printf(", also of %ld sentences without labels", c->unlabelled);
    if (tl_training_state_read(path_in(path, dir, "pretraining"), NULL, &now, &none))
        printf("; so far %ld, best loss %.3f", now.step, now.best_loss);
    printf("\n");
}

static void print_far(const tl_training_state *now) {
    printf("so far      %ld updates, %ld epochs, %.0f s", now->step, now->epoch, now->seconds);
    if (now->validations)
        printf("; best accuracy %.2f %%, loss %.3f (update %ld)", now->best_score, now->best_loss,
               now->best_step);
    printf("\n");
}

int command_info(settings *s) {
    tl_error error = {""};
    tl_training_state now;
    tl_run *run = tl_run_open(s->common.model, &(tl_run_choice){"none", this_program.name}, &error);
    if (!run) return fail_with(error.message);
    const tl_run_settings *made = tl_run_settings_of(run);
    print_name("run         ", s->common.model, "\n");
    print_model(run, made);
    print_labels(tl_run_labels(run));
    print_text(run, made);
    print_data(made);
    print_pretraining(s->common.model, &made->classify);
    if (tl_run_state(run, &now)) print_far(&now);
    if (!tl_run_error(run)) print_files(s->common.model, &error);
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
