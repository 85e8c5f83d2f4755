/* One training step, timed: zero gradients, forward with masks, label-smoothed loss, backward, clip, Adam. The
 * configurations and the model (post-norm, no final norm, one matrix tied three ways, dropout 0.1 everywhere) are those
 * of the PyTorch side, so that the two can be run in turn. Prints one line of JSON.
 *
 *     build/bench/step [T0|T1|T2|T3] [seconds] */
#define _POSIX_C_SOURCE 200809L /* getrusage */
#include "configurations.h"

#include <sys/resource.h>

/* Matrix products of one step: three times the forward's. */
static double flop(const configuration *c) {
    double B = (double)c->sentences, T = (double)c->length, D = (double)c->d_model, F = (double)c->d_ff;
    double encoder = B * T * (8 * D * D + 4 * D * F) + 4 * B * T * T * D;
    double decoder = B * T * (12 * D * D + 4 * D * F) + B * T * 4 * D * D + 8 * B * T * T * D;
    return 3 * (c->layers * (encoder + decoder) + B * T * 2 * D * (double)c->vocab);
}

static tl_batch random_batch(const configuration *c) {
    long n = c->sentences * c->length;
    int *ids = calloc((size_t)(3 * n + 2 * c->sentences), sizeof *ids);
    if (!ids) exit(1);
    int *in = ids + n, *out = in + n, *lengths = out + n;
    tl_rng_key key = tl_rng_key_of(1, "bench");
    for (long i = 0; i < n; i++) {
        ids[i] = 3 + (int)tl_rng_below(key, (uint64_t)i, c->vocab - 3);
        in[i] = 3 + (int)tl_rng_below(key, (uint64_t)(n + i), c->vocab - 3);
    }
    for (long i = 0; i < n; i++) out[i] = i + 1 < n ? in[i + 1] : 3;
    for (long b = 0; b < 2 * c->sentences; b++) lengths[b] = (int)c->length;
    return (tl_batch){.sentences = c->sentences,
                      .src_len = c->length,
                      .tgt_len = c->length,
                      .src = ids,
                      .tgt_in = in,
                      .tgt_out = out,
                      .src_lengths = lengths,
                      .tgt_lengths = lengths + c->sentences,
                      .src_tokens = n,
                      .tgt_tokens = n};
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "T1";
    double budget = argc > 2 ? atof(argv[2]) : 8;
    const configuration *c = configuration_of(name);
    tl_batch batch = random_batch(c);
    tl_params *params = tl_params_new(1);
    tl_transformer_config config = model_of(c);
    tl_transformer model = tl_transformer_init(params, "", &config);
    tl_adam *adam = tl_adam_new(params, &(tl_adam_config){.beta2 = 0.98, .eps = 1e-9});
    tl_tape *tape = tl_tape_new();
    enum { MOST = 100000 };
    double *times = calloc(MOST, sizeof *times), first = 0, last = 0, start = now();
    long n = 0, warm = 3;
    for (long step = 1; n < MOST && (n < 5 || now() - start < budget); step++) {
        double t = now();
        tl_tape_reset(tape);
        tl_tape_train(tape, step);
        tl_var loss = tl_transformer_loss(&model, tape, &batch);
        last = tl_item(tl_value(loss));
        tl_zero_grad(params);
        tl_backward(loss);
        tl_clip_grad_norm(params, 1.0);
        if (!tl_adam_step(adam, 1e-4)) {
            fprintf(stderr, "bench: %s %s\n", tl_tape_error(tape) ? tl_tape_error(tape) : "",
                    tl_adam_error(adam));
            return 1;
        }
        if (step == 1) first = last;
        if (step > warm) times[n++] = now() - t;
    }
    qsort(times, (size_t)n, sizeof *times, by_size);
    double median = times[n / 2];
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "{\"config\": \"%s\", \"ms_median\": %.3f, \"ms_min\": %.3f, \"ms_p90\": %.3f, \"steps\": %ld, "
        "\"gflops\": %.1f, \"tgt_tok_s\": %.0f, \"loss_first\": %.4f, \"loss_last\": %.4f, \"params\": %ld, "
        "\"tape_mb\": %.1f, \"rss_mb\": %.0f, \"build\": \"%s\"}\n",
        name, 1e3 * median, 1e3 * times[0], 1e3 * times[n * 9 / 10], n, flop(c) / median * 1e-9,
        (double)batch.tgt_tokens / median, first, last, tl_params_numel(params),
        (double)tl_tape_stats_of(tape).reserved / 1048576, (double)usage.ru_maxrss / 1024, tl_build_text());
    tl_adam_free(adam);
    tl_tape_free(tape);
    tl_params_free(params);
    free((void *)batch.src);
    free(times);
    return 0;
}
