/* Multi-head attention as one layer, and looking inside it: the scores, the probabilities and their gradients of any
 * sentence and head.
 *
 * Shows: tl_attention_forward with maps, and that looking changes nothing: output and gradients with maps and
 * without are the same, bit for bit. Sizes are small, so that the matrices fit on the screen: 2 sentences of 5 and 4
 * words, d_model 16, 4 heads.
 *
 *     build/attention_layer
 *
 * attention_steps.c shows what the layer does inside.
 * */
#include <tapeloom.h>

#include <stdlib.h>
#include <string.h>

enum { B = 2, T = 5, D = 16, H = 4, SENTENCE = 0, HEAD = 2 };

/* The results of a run, for comparison. */
typedef struct result {
    tl_real y[B * T * D], dx[B * T * D];
    tl_real dparams[4 * D * D + 4 * D]; /* in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias */
} result;

static void copy_result(result *r, tl_var x, tl_var y, const tl_params *params) {
    tl_tensor_copy(tl_tensor_of(r->y, TL_SHAPE(B, T, D)), tl_value(y));
    tl_tensor_copy(tl_tensor_of(r->dx, TL_SHAPE(B, T, D)), tl_grad(x));
    tl_real *to = r->dparams;
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_tensor g = tl_param_grad(tl_params_at(params, i));
        tl_tensor_copy(tl_tensor_of(to, tl_shape_of(g)), g);
        to += tl_numel(g);
    }
}

static void show(const char *what, tl_tensor t) {
    printf("%s of sentence %d, head %d ", what, SENTENCE, HEAD);
    tl_print(tl_at(t, SENTENCE, HEAD), stdout);
    printf("\n");
}

/* One step of self-attention, forward and backward, with maps or (NULL) without. */
static bool run(tl_tape *tape, tl_params *params, const tl_attention_layer *layer, tl_tensor words,
                tl_tensor dy, tl_attention_maps *maps, result *r) {
    static const int lengths[B] = {4, 5}; /* sentence 0 has 4 words; its last position is padding */
    tl_mask mask = {.key_lengths = lengths};

    tl_tape_reset(tape);
    tl_var x = tl_variable(tape, words);
    /* queries and keys both come from x: self-attention */
    tl_var y = tl_attention_forward(layer, x, x, &mask, maps);
    tl_zero_grad(params);
    if (!tl_backward_from(y, dy)) return false;

    copy_result(r, x, y, params);
    if (maps) {
        show("scores QK^T / sqrt(d_k)", tl_value(maps->scores));
        show("probabilities P", tl_value(maps->probs));
        show("gradients dL/dP", tl_grad(maps->probs));
    }
    return true;
}

static void fill(tl_tensor t, const char *name) {
    tl_rng_key key = tl_rng_key_of(2017, name);
    for (long i = 0; i < tl_numel(t); i++) t.data[i] = (tl_real)tl_rng_normal(key, (uint64_t)i);
}

static void compare(const char *what, const tl_real *a, const tl_real *b, size_t bytes) {
    printf("%-24s with and without maps: %s\n", what, memcmp(a, b, bytes) ? "DIFFERENT" : "bit-identical");
}

int main(void) {
    tl_streams_open(); /* so that failed writes are reported below */
    static tl_real x_memory[B * T * D], dy_memory[B * T * D];
    tl_tensor words = tl_tensor_of(x_memory, TL_SHAPE(B, T, D));
    tl_tensor dy = tl_tensor_of(dy_memory, TL_SHAPE(B, T, D)); /* as if it came from a loss */
    fill(words, "words");
    fill(dy, "dy");

    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_attention_layer layer =
        tl_attention_init(params, "self_attn", &(tl_attention_config){.d_model = D, .heads = H});

    static result with, without;
    tl_attention_maps maps = {.keep_grad = true}; /* .scores, .probs, .context are set by the layer */
    bool ok = run(tape, params, &layer, words, dy, &maps, &with) &&
              run(tape, params, &layer, words, dy, NULL, &without);
    tl_error error = {""};
    if (ok) {
        compare("output", with.y, without.y, sizeof with.y);
        compare("gradient of the words", with.dx, without.dx, sizeof with.dx);
        compare("gradients of parameters", with.dparams, without.dparams, sizeof with.dparams);
    } else {
        tl_error_set(&error, "%s", tl_tape_error(tape));
    }
    /* output that could not be written is a failure too */
    if (!tl_output_close(stdout, &error) || !ok) fprintf(stderr, "attention_layer: %s\n", error.message);
    tl_tape_free(tape);
    tl_params_free(params);
    return tl_failed(&error) ? EXIT_FAILURE : EXIT_SUCCESS;
}
