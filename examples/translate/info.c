/* translate info: what a run is, how big, how it was trained, how good it became. */
#define _POSIX_C_SOURCE 200809L /* stat */
#include "run.h"
#include "state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void print_model(const run *r) {
    const settings *s = &r->settings;
    const tl_transformer_config *c = &r->model.config;
    printf("model       encoder-decoder Transformer, %s: d_model %ld, %d heads, %d + %d layers, d_ff %ld\n",
           s->preset, c->d_model, c->heads, r->model.encoder.layers, r->model.decoder.layers, c->d_ff);
    printf("            %s-norm%s, %s, %s positions, embeddings tied: %s\n", c->pre_norm ? "pre" : "post",
           c->no_final_norm ? " without final norms" : "", s->activation, s->positions, s->tie);
    printf("parameters  %ld (", tl_params_numel(r->params));
    long encoder = 0, decoder = 0, all = tl_params_numel(r->params);
    for (int i = 0; i < tl_params_count(r->params); i++) {
        const tl_param *p = tl_params_at(r->params, i);
        long n = tl_numel(tl_param_value(p));
        if (!strncmp(p->leaf.name, "encoder.", 8)) encoder += n;
        if (!strncmp(p->leaf.name, "decoder.", 8)) decoder += n;
    }
    printf("encoder %ld, decoder %ld, embeddings and output %ld)\n", encoder, decoder,
           all - encoder - decoder);
}

static void print_side(const run *r, tl_side side) {
    const settings *s = &r->settings;
    const char *units = units_of(s, side);
    printf("%s      %ld %s", side == TL_SOURCE ? "source" : "target",
           tl_vocab_size(side == TL_SOURCE ? r->source : r->target),
           !strcmp(units, "bpe")     ? "byte-pair subwords"
           : !strcmp(units, "chars") ? "characters"
                                     : "words");
    if (!strcmp(units, "bpe")) printf(" of %ld merges", tl_bpe_merges(r->bpe));
    if (!strcmp(pretokenize_of(s, side), "words") && strcmp(units, "chars"))
        printf(", raw text cut into words");
    printf("%s\n", s->joint ? " (one vocabulary for both sides)" : "");
}

static void print_training(const run *r) {
    const settings *s = &r->settings;
    const char *from = s->train ? s->train : s->train_src ? s->train_src : s->pair ? s->pair : s->task;
    printf("trained on  %s; validated on %s\n", from,
           s->valid       ? s->valid
           : s->valid_src ? s->valid_src
                          : "sentences made like them");
    /* the settings' own are those to translate with */
    printf("            %ld tokens a batch", tl_config_long(r->config, "batch-tokens", s->batch_tokens));
    if (s->accumulate > 1) printf(" x %ld", s->accumulate);
    printf(
        ", Adam, %s from %g after %ld steps of warm-up, dropout %g, label smoothing %g, clip %g, seed %ld\n",
        s->schedule, s->lr, s->warmup, s->dropout, s->label_smoothing, s->clip, s->seed);
    printf("            matrix precision %s (%s)\n", s->matmul_precision, tl_build_text());
}

static void print_state(const state *now) {
    printf("so far      %ld updates, %ld epochs, %.0f s", now->step, now->epoch, now->seconds);
    if (now->validations)
        printf("; best BLEU %.2f, loss %.3f, perplexity %.2f (update %ld)", now->best_bleu, now->best_loss,
               exp(now->best_loss), now->best_step);
    printf("\n");
}

static void print_files(const char *dir) {
    static const char *const files[] = {"model.safetensors", "last.safetensors",       "average.safetensors",
                                        "codes.txt",         "checkpoint.safetensors", "log.csv",
                                        "curves.svg"};
    char path[PATH_SIZE];
    printf("files      ");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat about;
        if (stat(run_path(path, dir, files[i]), &about) == 0)
            printf(" %s (%.1f kB)", files[i], (double)about.st_size / 1e3);
    }
    printf("\n");
}

int command_info(settings *s) {
    run r = {.settings = *s};
    state now = {0};
    if (run_load_settings(&r, s->model, false) && run_load_text(&r, s->model) && run_make_model(&r, false)) {
        printf("run         %s\n", s->model);
        print_model(&r);
        print_side(&r, TL_SOURCE);
        print_side(&r, TL_TARGET);
        print_training(&r);
        if (state_peek(&now, s->model, &r.error)) print_state(&now);
        if (!tl_failed(&r.error)) print_files(s->model);
    }
    int status = tl_failed(&r.error) ? fail_with(r.error.message) : 0;
    run_free(&r);
    return status;
}
