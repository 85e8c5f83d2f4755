/* Numbers that show whether two builds, or two processors, train alike: loss, gradient norm and a hash of every
 * weight's bits after some steps of a small Transformer with dropout, masks and GELU. tests/arm64 compares them. The
 * last line names the build; TL_ISA forces an instruction set. */
#include <tapeloom.h>

#include <inttypes.h>

enum { SENTENCES = 6, LENGTH = 11, VOCAB = 301, WORDS = SENTENCES * LENGTH, STEPS = 20 };

/* FNV-1a (Fowler, Noll, Vo; 64 bits) over all parameters. */
static uint64_t hash_of(const tl_params *params) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_tensor value = tl_param_value(tl_params_at(params, i));
        const unsigned char *byte = (const unsigned char *)value.data;
        for (size_t k = 0; k < (size_t)tl_numel(value) * sizeof(tl_real); k++)
            hash = (hash ^ byte[k]) * 0x100000001b3u;
    }
    return hash;
}

static int word(uint64_t place) {
    return 3 + (int)tl_rng_below(tl_rng_key_of(1, "fingerprint"), place, VOCAB - 3);
}

int main(void) {
    int src[WORDS], in[WORDS], out[WORDS], src_lengths[SENTENCES], tgt_lengths[SENTENCES];
    for (int i = 0; i < WORDS; i++)
        src[i] = word((uint64_t)i), in[i] = word((uint64_t)i + WORDS), out[i] = word((uint64_t)i + WORDS + 1);
    for (int s = 0; s < SENTENCES; s++) src_lengths[s] = LENGTH - s, tgt_lengths[s] = LENGTH - s * 2 % 5;
    tl_batch batch = {.sentences = SENTENCES,
                      .src_len = LENGTH,
                      .tgt_len = LENGTH,
                      .src = src,
                      .tgt_in = in,
                      .tgt_out = out,
                      .src_lengths = src_lengths,
                      .tgt_lengths = tgt_lengths,
                      .src_tokens = WORDS,
                      .tgt_tokens = WORDS};
    tl_params *params = tl_params_new(1);
    tl_transformer_config config = {.src_vocab = VOCAB,
                                    .tgt_vocab = VOCAB,
                                    .tie = TL_TIE_ALL,
                                    .d_model = 64,
                                    .d_ff = 144,
                                    .heads = 4,
                                    .layers = 2,
                                    .activation = TL_GELU,
                                    .dropout = 0.1,
                                    .attention_dropout = 0.1,
                                    .activation_dropout = 0.1,
                                    .label_smoothing = 0.1};
    tl_transformer model = tl_transformer_init(params, "", &config);
    tl_adam *adam = tl_adam_new(params, &(tl_adam_config){.beta2 = 0.98, .eps = 1e-9});
    tl_tape *tape = tl_tape_new();
    for (long step = 1; step <= STEPS; step++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, step);
        tl_var loss = tl_transformer_loss(&model, tape, &batch);
        double nats = tl_item(tl_value(loss));
        tl_zero_grad(params);
        tl_backward(loss);
        double norm = tl_clip_grad_norm(params, 1);
        if (!tl_adam_step(adam, 1e-3)) {
            fprintf(stderr, "fingerprint: %s\n",
                    tl_tape_error(tape) ? tl_tape_error(tape) : tl_adam_error(adam));
            return 1;
        }
        if (step == 1 || step % 5 == 0)
            printf("step %2ld  loss %.17g  norm %.17g  weights %016" PRIx64 "\n", step, nats, norm,
                   hash_of(params));
    }
    printf("%s\n", tl_build_text());
    tl_adam_free(adam);
    tl_tape_free(tape);
    tl_params_free(params);
    return 0;
}
