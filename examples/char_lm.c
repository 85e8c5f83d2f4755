/* A language model of characters: a decoder alone learns to predict the next byte of a text, then writes one. Shows
 * tl_gpt, windows of a text as batches, and tl_generate.
 *
 *     build/char_lm
 *     build/char_lm TEXT        (a file's name, or - for standard input)
 *
 * Without a text it learns six lines of its own by heart in seconds and recites them: the loss goes from 5.5 nats
 * per byte, which is chance, to less than 0.1. For a longer text use more and wider layers, and more steps; nothing
 * else changes. */
#include <tapeloom.h>

#include <stdlib.h>
#include <string.h>

enum { BYTES = 256, WINDOW = 64, WINDOWS = 8, STEPS = 300, WRITTEN = 300 };

#define LINES                               \
 "The weaver counts the threads of blue,\n" \
 "one goes under, one goes through;\n"      \
 "the shuttle flies, the heddle falls,\n"   \
 "the loom is quiet, the evening calls.\n"  \
 "Narrow the band and long the day:\n"      \
 "a thread remembers all its way.\n\n"
static const char own[] = LINES LINES; /* twice, so that windows show how they begin again */

/* Windows that begin anywhere in the text: `in` is read, `out` is the next byte at each position. */
static tl_batch windows(const char *text, long length, long step, int *in, int *out) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(1, "windows"), (uint64_t)step);
    for (long i = 0; i < WINDOWS * WINDOW; i++) {
        const char *at = text + tl_rng_below(key, (uint64_t)(i / WINDOW), length - WINDOW) + i % WINDOW;
        in[i] = (unsigned char)at[0], out[i] = (unsigned char)at[1];
    }
    return (tl_batch){.sentences = WINDOWS, .tgt_len = WINDOW, .tgt_in = in, .tgt_out = out, .pad = -1};
}

static bool print(void *nothing, int byte, double log_p) {
    (void)nothing, (void)log_p;
    putchar(byte);
    return true; /* continue */
}

int main(int argc, char **argv) {
    tl_streams_open(); /* so that failed writes are reported below */
    tl_set_threads(1); /* the model is so small that more threads only wait */
    tl_error error = {""};
    char *read = NULL;
    size_t length = sizeof own - 1;
    if (argc > 1 && strcmp(argv[1], "-")) tl_file_read(argv[1], &read, &length, &error);
    if (argc > 1 && !strcmp(argv[1], "-")) tl_input_read(&read, &length, &error);
    if (length <= WINDOW) tl_error_set(&error, "give a text of more than %d bytes", WINDOW);
    const char *text = read ? read : own;

    tl_params *params = tl_params_new(1 /* seed */);
    const tl_gpt_config config = {
        .vocab = BYTES, .d_model = 64, .heads = 4, .layers = 2, .positions = TL_ROTARY, .max_len = WINDOW};
    tl_gpt model = tl_gpt_init(params, "", &config);
    tl_adam *adam = tl_adam_new(params, &(tl_adam_config){.beta2 = 0.99});
    tl_tape *tape = tl_tape_new();
    int in[WINDOWS * WINDOW], out[WINDOWS * WINDOW];
    for (long step = 1; step <= STEPS && !tl_failed(&error); step++) {
        tl_tape_reset(tape); /* forget the last step's graph */
        tl_tape_set_training(tape, step);
        const tl_batch batch = windows(text, (long)length, step, in, out);
        tl_var loss = tl_model_loss(&model.model, tape, &batch, NULL, NULL, NULL); /* nats per byte */
        tl_zero_grad(params);
        if (!tl_backward(loss) || !tl_adam_step(adam, tl_cosine(0.003, 0.0003, 20, STEPS, step)))
            tl_error_set(&error, "%s", tl_tape_error(tape) ? tl_tape_error(tape) : tl_adam_error(adam));
        else if (step == 1 || step % 50 == 0)
            printf("step %3ld  loss %.3f\n", step, tl_item(tl_value(loss)));
    }
    const int first = (unsigned char)text[0];
    const tl_generate_options how = {
        .prompt = &first, .prompt_length = 1, .most = WRITTEN, .top_p = 0.7, .wrote = print};
    if (!tl_failed(&error)) printf("\n%c", first);
    if (!tl_failed(&error) && !tl_generate(&model.model, tape, &how))
        tl_error_set(&error, "%s", tl_tape_error(tape));
    if (!tl_output_close(stdout, &error) || tl_failed(&error))
        fprintf(stderr, "char_lm: %s\n", error.message);
    tl_tape_free(tape), tl_adam_free(adam), tl_params_free(params), free(read);
    return tl_failed(&error) ? EXIT_FAILURE : EXIT_SUCCESS;
}
