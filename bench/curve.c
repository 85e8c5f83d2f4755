/* Our side of the loss curve: trains a configuration without dropout on a few fixed batches and prints lines "step
 * loss". First it writes the initial weights and the batches to a file, with which bench/torch_curve.py trains the same
 * model. The sentences have different lengths, so there are padding and masks; the target is the source reversed.
 *
 *     build/bench/curve [T0|T1|T2|T3] [steps] file=FILE [lr=R] [precision=highest|high|medium] [threads=N] */
#include "configurations.h"

enum { BATCHES = 8 };

/* Sentences are between half as long and as long as the configuration's length; targets have one id more, <bos> or
 * <eos>. */
static tl_batch reversed_batch(const configuration *c, uint64_t stream) {
    tl_batch batch = random_batch(c, stream);
    long longest = c->length;
    if (!batch.src) return batch;
    int *src = (int *)batch.src, *in = (int *)batch.tgt_in, *out = (int *)batch.tgt_out;
    int *src_lengths = (int *)batch.src_lengths, *tgt_lengths = (int *)batch.tgt_lengths;
    tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(1, "lengths"), stream);
    batch.src_tokens = batch.tgt_tokens = 0;
    for (long b = 0; b < c->sentences; b++, src += longest, in += longest, out += longest) {
        long words = longest / 2 + tl_rng_below(key, (uint64_t)b, longest - longest / 2);
        src_lengths[b] = (int)words, tgt_lengths[b] = (int)words + 1;
        batch.src_tokens += words, batch.tgt_tokens += words + 1;
        for (long i = 0; i < longest; i++) {
            if (i >= words) src[i] = 0;
            in[i] = i == 0 ? 1 : i <= words ? src[words - i] : 0;
            out[i] = i < words ? src[words - 1 - i] : i == words ? 2 : 0;
        }
    }
    return batch;
}

/* Writes the weights under their names, and source, tgt_in and tgt_out [batches,sentences,length] as numbers. */
static bool write_weights_and_batches(const char *path, const configuration *c, const tl_params *params,
                                      const tl_batch *batch, tl_error *error) {
    enum { MOST = 1024 };
    tl_safetensors_item items[MOST];
    long n = c->sentences * c->length, count = 0;
    tl_shape shape = TL_SHAPE(BATCHES, c->sentences, c->length);
    tl_real *ids = malloc((size_t)(3 * BATCHES * n) * sizeof *ids);
    if (!ids || tl_params_count(params) + 3 > MOST) return tl_error_set(error, "no room for %s", path);
    for (long k = 0; k < BATCHES * n; k++) {
        ids[k] = (tl_real)batch[k / n].src[k % n];
        ids[BATCHES * n + k] = (tl_real)batch[k / n].tgt_in[k % n];
        ids[2 * BATCHES * n + k] = (tl_real)batch[k / n].tgt_out[k % n];
    }
    static const char *const names[] = {"source", "tgt_in", "tgt_out"};
    for (; count < 3; count++)
        items[count] =
            (tl_safetensors_item){names[count], tl_tensor_of(ids + count * BATCHES * n, shape), TL_DTYPE_F32};
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        items[count++] = (tl_safetensors_item){p->leaf.name, tl_param_value(p), TL_DTYPE_F32};
    }
    bool fine = tl_safetensors_write(path, items, count, NULL, 0, error);
    free(ids);
    return fine;
}

static bool answer(const request *r) {
    const configuration *c = configuration_of(word_of(r, 0, "T0"));
    const char *path = option_of(r, "file", NULL);
    long steps = strtol(word_of(r, 1, "60"), NULL, 10);
    double lr = strtod(option_of(r, "lr", "0.001"), NULL);
    if (!c) return false;
    tl_transformer_config config = model_of(c);
    config.dropout = config.attention_dropout = config.activation_dropout = 0;
    tl_params *params = tl_params_new(1);
    tl_transformer model = tl_transformer_init(params, "", &config);
    tl_adam *adam = tl_adam_new(params, &(tl_adam_config){.beta2 = 0.98, .eps = 1e-9});
    tl_tape *tape = tl_tape_new();
    tl_batch batch[BATCHES];
    tl_error error = {""};
    bool fine = set_precision(tape, r);
    for (int k = 0; k < BATCHES; k++) {
        batch[k] = reversed_batch(c, (uint64_t)k);
        if (!batch[k].src) fine = tl_error_set(&error, "out of memory");
    }
    set_threads(r);
    if (fine && path) fine = write_weights_and_batches(path, c, params, batch, &error);
    for (long step = 1; fine && step <= steps; step++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, step);
        tl_var loss = tl_transformer_loss(&model, tape, &batch[(step - 1) % BATCHES]);
        double value = tl_item(tl_value(loss));
        tl_zero_grad(params);
        fine = tl_backward(loss) || tl_error_set(&error, "%s", tl_tape_error(tape));
        tl_clip_grad_norm(params, 1.0);
        fine = fine && (tl_adam_step(adam, lr) || tl_error_set(&error, "%s", tl_adam_error(adam)));
        if (fine) printf("%ld %.9g\n", step, value);
    }
    if (!fine) fprintf(stderr, "curve: %s\n", error.message);
    for (int k = 0; k < BATCHES; k++) free((void *)batch[k].src);
    tl_tape_free(tape);
    tl_adam_free(adam);
    tl_params_free(params);
    return fine;
}

int main(int argc, char **argv) {
    return serve(argc, argv,
                 "curve [T0|T1|T2|T3] [steps] file=FILE [lr=R] [precision=highest|high|medium] [threads=N]",
                 answer);
}
