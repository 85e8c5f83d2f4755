/* Reversing: one encoder layer with one head reverses sixteen digits, all positions at once. Which digit goes where
 * depends on positions alone, so attention at position t must find position 15 - t. Shows a model built from layers.
 * Task and sizes are those of UvA's tutorial on Transformers (Lippe 2022, tutorial 6, "Sequence to Sequence"), which
 * also reaches 100 %.
 *
 *     build/reverse_digits
 *
 * takes seconds, and its last line is
 *
 *     sequences it has never seen: 10000, digits right: 100.00 % */
#include <tapeloom.h>

#include <stdlib.h>

enum { LENGTH = 16, DIGITS = 10, D = 32, BATCH = 128, STEPS = 500, UNSEEN = 10000 };

typedef struct model {
    tl_embedding_layer digit;
    tl_positions place;
    tl_encoder encoder;
    tl_linear_layer output;
} model;

static model make(tl_params *params) {
    const tl_block_config block = {.d_model = D, .d_ff = 2 * D, .heads = 1};
    return (model){
        .digit = tl_embedding_init(params, "digit", &(tl_embedding_config){.vocab = DIGITS, .d_model = D}),
        .place = tl_positions_init(params, "place", &(tl_positions_config){.max_len = LENGTH, .d_model = D}),
        .encoder = tl_encoder_init(params, "encoder", 1 /* layer */, false, &block),
        .output = tl_linear_init(params, "output", &(tl_linear_config){.in = D, .out = DIGITS})};
}

/* The model's output at each position: logits [BATCH,LENGTH,DIGITS] */
static tl_var say(const model *m, tl_tape *tape, const int *digits) {
    tl_var x = tl_embedding_forward(&m->digit, tape, digits, TL_SHAPE(BATCH, LENGTH));
    x = tl_add(x, tl_positions_forward(&m->place, tape, 0, LENGTH)); /* sinusoids */
    return tl_linear_forward(&m->output, tl_encoder_forward(&m->encoder, x, NULL, NULL));
}

/* Sequences number first … first+BATCH-1 of a random stream, and their reversals. */
static void draw(long first, int *digits, int *reversed) {
    const tl_rng_key key = tl_rng_key_of(1, "digits");
    for (long i = 0; i < BATCH * LENGTH; i++) {
        digits[i] = (int)tl_rng_below(key, (uint64_t)(first * LENGTH + i), DIGITS);
        reversed[i / LENGTH * LENGTH + LENGTH - 1 - i % LENGTH] = digits[i];
    }
}

int main(void) {
    tl_streams_open(); /* so that failed writes are reported below */
    tl_set_threads(1); /* the model is so small that more threads only wait */
    tl_params *params = tl_params_new(1 /* seed */);
    const model m = make(params);
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_tape *tape = tl_tape_new();
    tl_error error = {""};
    int digits[BATCH * LENGTH], reversed[BATCH * LENGTH];
    for (long step = 1; step <= STEPS && !tl_failed(&error); step++) {
        tl_tape_reset(tape); /* forget the last step's graph */
        draw(step * BATCH, digits, reversed);
        tl_var loss = tl_cross_entropy(say(&m, tape, digits), reversed, NULL, NULL); /* nats per digit */
        tl_zero_grad(params);
        if (!tl_backward(loss) || !tl_adam_step(adam, tl_cosine(0.005, 0, 50, STEPS, step)))
            tl_error_set(&error, "%s", tl_tape_error(tape) ? tl_tape_error(tape) : tl_adam_error(adam));
        else if (step == 1 || step % 100 == 0)
            printf("step %3ld  loss %.4f\n", step, tl_item(tl_value(loss)));
    }
    long right = 0, asked = 0;
    while (asked < UNSEEN && !tl_failed(&error)) {
        tl_loss_report report = {0};
        tl_tape_reset(tape);
        draw((STEPS + 1) * (long)BATCH + asked, digits, reversed);
        const long count = UNSEEN - asked < BATCH ? UNSEEN - asked : BATCH;
        tl_var said = tl_slice(say(&m, tape, digits), 0, 0, count);
        if (!tl_ok(tl_cross_entropy(said, reversed, NULL, &report)))
            tl_error_set(&error, "%s", tl_tape_error(tape));
        right += report.correct, asked += count;
    }
    if (!tl_failed(&error))
        printf("sequences it has never seen: %ld, digits right: %.2f %%\n", asked,
               100.0 * (double)right / (double)(asked * LENGTH));
    if (!tl_output_close(stdout, &error) || tl_failed(&error))
        fprintf(stderr, "reverse_digits: %s\n", error.message);
    tl_tape_free(tape), tl_adam_free(adam), tl_params_free(params);
    return tl_failed(&error) ? EXIT_FAILURE : EXIT_SUCCESS;
}
