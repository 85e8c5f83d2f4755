/* One training step: zero gradients, forward with masks, label-smoothed loss, backward, clip, Adam. The model is that
 * of configurations.h. */
#define _POSIX_C_SOURCE 200809L /* getrusage */
#include "configurations.h"

#include <sys/resource.h>

#ifdef __clang__
# define COMPILER __VERSION__ /* contains the name clang */
#else
# define COMPILER "gcc " __VERSION__
#endif

typedef struct training {
    const configuration *c;
    tl_batch batch;
    tl_params *params;
    tl_transformer model;
    tl_adam *adam;
    tl_tape *tape;
    long steps;
    double first, last; /* losses */
} training;

static void training_end(training *t) {
    tl_adam_free(t->adam);
    tl_tape_free(t->tape);
    tl_params_free(t->params);
    free((void *)t->batch.src);
    *t = (training){0};
}

static bool training_begin(training *t, const configuration *c) {
    if (t->c == c) return true; /* continues the training of the last request */
    training_end(t);
    tl_transformer_config config = model_of(c);
    *t = (training){.c = c, .batch = random_batch(c, 0), .params = tl_params_new(1), .tape = tl_tape_new()};
    t->model = tl_transformer_init(t->params, "", &config);
    t->adam = tl_adam_new(t->params, &(tl_adam_config){.beta2 = 0.98, .eps = 1e-9});
    return t->batch.src != NULL;
}

static bool step(void *data) {
    training *t = data;
    tl_tape_reset(t->tape);
    tl_tape_set_training(t->tape, ++t->steps);
    tl_var loss = tl_transformer_loss(&t->model, t->tape, &t->batch);
    t->last = tl_item(tl_value(loss));
    if (t->steps == 1) t->first = t->last;
    tl_zero_grad(t->params);
    if (!tl_backward(loss)) return refuse("step:", tl_tape_error(t->tape));
    tl_clip_grad_norm(t->params, 1.0);
    return tl_adam_step(t->adam, 1e-4) || refuse("step:", tl_adam_error(t->adam));
}

static bool answer(const request *r) {
    static training t;
    const configuration *c = configuration_of(word_of(r, 0, "T1"));
    if (!c || !training_begin(&t, c) || !set_precision(t.tape, r)) return false;
    tl_tape_set_give_back(t.tape, strcmp(option_of(r, "memory", "given-back"), "kept"));
    tl_tape_set_recompute(t.tape, !strcmp(option_of(r, "memory", "given-back"), "recomputed"));
    set_threads(r);
    timing took = measure(step, &t, seconds_of(r, 8), t.steps ? 0 : 2);
    if (!took.runs) return false;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    print_timing(took, 3 * forward_flop(c, (double)c->sentences, (double)c->length, (double)c->length));
    printf(
        ", \"tokens\": %ld, \"tgt_tok_s\": %.0f, \"steps\": %ld, \"loss_first\": %.4f, \"loss_last\": %.4f, "
        "\"params\": %ld, \"tape_mb\": %.1f, \"peak_mb\": %.1f, \"rss_mb\": %.0f, \"compiler\": \"%s\", "
        "\"build\": \"%s\"}\n",
        t.batch.tgt_tokens, (double)t.batch.tgt_tokens / took.median, t.steps, t.first, t.last,
        tl_params_numel(t.params), (double)tl_tape_stats_of(t.tape).reserved / 1048576,
        (double)tl_tape_stats_of(t.tape).peak / 1048576, (double)usage.ru_maxrss / 1024, COMPILER,
        tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv,
                 "step [T0|T1|T2|T3] [seconds] [precision=highest|high|medium] [threads=N] "
                 "[memory=given-back|recomputed|kept]",
                 answer);
}
