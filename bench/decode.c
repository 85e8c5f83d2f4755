/* Greedy decoding with key/value caches, timed: sentences of the configuration's length to as many words (random
 * weights never choose to stop). Prints one line of JSON.
 *
 *     build/bench/decode [T0|T1|T2|T3] [seconds] [sentences] */
#include "configurations.h"

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "T1";
    double budget = argc > 2 ? atof(argv[2]) : 4;
    const configuration *c = configuration_of(name);
    long sentences = argc > 3 ? atol(argv[3]) : 1, ids = sentences * c->length;
    int *src = calloc((size_t)(ids + sentences), sizeof *src), *lengths = src + ids;
    if (!src) return 1;
    for (long i = 0; i < ids; i++)
        src[i] = 3 + (int)tl_rng_below(tl_rng_key_of(1, "bench"), (uint64_t)i, c->vocab - 3);
    for (long b = 0; b < sentences; b++) lengths[b] = (int)c->length;
    tl_params *params = tl_params_new(1);
    tl_transformer_config config = model_of(c);
    tl_transformer model = tl_transformer_init(params, "", &config);
    tl_tape *tape = tl_tape_new();
    /* as many words as the configuration's sentences have: the ratio is nothing */
    tl_greedy_options options = {.bos = 1, .eos = -1, .max_ratio = 1e-9, .max_extra = c->length};
    enum { MOST = 100000 };
    double *times = calloc(MOST, sizeof *times), start = now();
    long n = 0, words = 0;
    for (long run = 0; n < MOST && (n < 5 || now() - start < budget); run++) {
        double t = now();
        tl_greedy_result result;
        tl_tape_reset(tape);
        if (!tl_transformer_greedy(&model, tape, src, sentences, c->length, lengths, &options, &result)) {
            fprintf(stderr, "bench: %s\n", tl_tape_error(tape));
            return 1;
        }
        words = result.lengths[0];
        if (run > 1) times[n++] = now() - t;
    }
    qsort(times, (size_t)n, sizeof *times, by_size);
    printf("{\"config\": \"%s\", \"sentences\": %ld, \"words\": %ld, \"ms_median\": %.3f, \"ms_min\": %.3f, "
           "\"runs\": %ld, "
           "\"tok_s\": %.0f, \"build\": \"%s\"}\n",
           name, sentences, words, 1e3 * times[n / 2], 1e3 * times[0], n,
           (double)(sentences * words) / times[n / 2], tl_build_text());
    tl_tape_free(tape);
    tl_params_free(params);
    free(src);
    free(times);
    return 0;
}
