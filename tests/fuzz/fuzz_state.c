/* The state of a training, as a checkpoint's metadata hold it: any text is read, with numbers that a training can have, or
 * refused. The input: a byte that chooses the score, the text. */
#include "fuzz.h"

#include "run/training.h"

#include <stdio.h>

int tl_fuzz_state(const uint8_t *bytes, size_t size);

int tl_fuzz_state(const uint8_t *bytes, size_t size) {
    static const char *const scores[] = {NULL, "bleu", "accuracy", "exact"};
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const char *score = scores[fuzz_byte(&in) % 4];
    fuzz_part rest = fuzz_rest(&in);
    char *text = fuzz_string_of(rest.bytes, rest.size);
    const tl_safetensors_pair metadata[] = {{"format", "tapeloom-checkpoint"}, {"state", text}};
    tl_error error = {""};
    /* a text that is not UTF-8 cannot be in a checkpoint */
    if (tl_safetensors_write(fuzz_path("checkpoint.safetensors"), NULL, 0, metadata, 2, &error)) {
        tl_training_state state = {.step = -7};
        const bool ok = tl_training_state_read(fuzz_folder(), score, &state, &error);
        fuzz_outcome(ok, &error);
        if (ok) {
            FUZZ_MUST(state.step >= 0 && state.step <= TL_MOST_COUNT, "step %ld", state.step);
            FUZZ_MUST(state.best_step >= 0 && state.best_step <= state.step, "the best at %ld of %ld",
                      state.best_step, state.step);
            FUZZ_MUST(state.waited >= 0 && state.waited <= state.validations, "waited %ld of %ld",
                      state.waited, state.validations);
        } else
            FUZZ_MUST(state.step == -7, "a failure that changes the state");
    } else
        fuzz_message(error.message);
    free(text), free(rest.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char text[] =
        "step = 12\nepoch = 1\nposition.epoch = 1\nposition.batch = 2\nseconds = 1.5\nloss = 0.25\ntokens = "
        "100\n"
        "busy = 1\nupdates = 12\ndue = true\nvalidations = 4\nwaited = 1\nbest.step = 9\nbest.loss = 1e-3\n"
        "recent = 6 9 12\nfingerprint = 0123456789abcdef\n";
    char seed[1024];
    put(context, seed, (size_t)snprintf(seed, sizeof seed, "0%s", text));
    put(context, seed, (size_t)snprintf(seed, sizeof seed, "1best.bleu = 30.5\n%s", text));
    for (const char *at = strstr(text, "= "); at;
         at = strstr(at + 1, "= ")) { /* one number each made negative */
        const int front = (int)(at + 2 - text);
        put(context, seed, (size_t)snprintf(seed, sizeof seed, "0%.*s-%s", front, text, text + front));
    }
}

TL_FUZZ(state, "run: the state of a training in a checkpoint");
