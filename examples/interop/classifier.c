/* A classifier that is trained here and read by other programs. Its task: are most of nine words large numbers? */
#include "program.h"

enum { WORDS = 12, LENGTH = 9, BATCH = 32, STEPS = 60 };

static const tl_classifier_config sizes = {
    .vocab = WORDS, .classes = 2, .d_model = 16, .heads = 2, .layers = 2, .d_ff = 32};

/* Sentences number first … first+BATCH-1 of a stream. */
static tl_batch sentences(uint64_t first, int *src, int *lengths, int *labels) {
    const tl_rng_key key = tl_rng_key_of(1, "sentences");
    for (int b = 0; b < BATCH; b++) {
        const tl_rng_key one = tl_rng_key_mix(key, first + (uint64_t)b);
        int *word = src + b * LENGTH;
        int large = 0;
        for (int t = 0; t < LENGTH; t++) {
            word[t] = (int)tl_rng_below(one, (uint64_t)t, WORDS);
            large += word[t] >= WORDS / 2;
        }
        lengths[b] = LENGTH;
        labels[b] = large > LENGTH / 2;
    }
    return (tl_batch){
        .sentences = BATCH, .src_len = LENGTH, .src = src, .src_lengths = lengths, .labels = labels};
}

int classifier_train(words w) {
    if (w.count != 1) return wrong_words("the file to write");
    tl_params *params = tl_params_new(1 /* seed */);
    tl_classifier model = tl_classifier_init(params, "", &sizes);
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_tape *tape = tl_tape_new();
    tl_error error = {""};
    bool ok = true;
    for (int step = 1; ok && step <= STEPS; step++) {
        int src[BATCH * LENGTH], lengths[BATCH], labels[BATCH];
        const tl_batch batch = sentences((uint64_t)(step * BATCH), src, lengths, labels);
        tl_tape_reset(tape);
        tl_tape_set_training(tape, step);
        tl_var loss = tl_classifier_loss(&model, tape, &batch);
        tl_zero_grad(params);
        ok = tl_backward(loss) && tl_adam_step(adam, 0.003);
        if (ok && step % 20 == 0) printf("step %d  loss %.3f\n", step, tl_item(tl_value(loss)));
    }
    int status = !ok ? fail(tl_tape_error(tape) ? tl_tape_error(tape) : tl_adam_error(adam)) : 0;
    if (ok && !tl_params_save(params, w.word[0], NULL, 0, &error)) status = fail(error.message);
    tl_tape_free(tape);
    tl_adam_free(adam);
    tl_params_free(params);
    return status;
}

int classifier_logits(words w) {
    int ids[64];
    if (!read_ids(w, 1, ids, 64)) return wrong_words("FILE id …");
    tl_params *params = tl_params_new_empty();
    tl_classifier model = tl_classifier_init(params, "", &sizes);
    tl_tape *tape = tl_tape_new();
    tl_error error = {""};
    const int length = w.count - 1;
    const tl_batch batch = {.sentences = 1, .src_len = length, .src = ids, .src_lengths = &length};
    const int status = tl_params_load(params, w.word[0], &error)
                           ? print_logits(tape, tl_classifier_logits(&model, tape, &batch, NULL))
                           : fail(error.message);
    tl_tape_free(tape);
    tl_params_free(params);
    return status;
}
