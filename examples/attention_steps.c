/* Multi-head attention, one plain operation a step, with the shape of everything: first forward, then the gradients
 * on their way back. 32 sentences of up to 10 words, d_model 512, 8 heads (Vaswani et al. 2017, 3.2).
 *
 * In the shapes B is the sentence, T the word that attends (query), S the word attended to (key), H the head, D =
 * d_model the features of a word and d = D / H those of one head.
 *
 *     build/attention_steps
 *     build/attention_steps tape.dot && dot -Tsvg tape.dot > tape.svg     and a picture of it, for Graphviz
 *
 * attention_layer.c shows the same as one layer of the library.
 */
#include <tapeloom.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { B = 32, T = 10, D = 512, H = 8 };

/* ---- the steps so far, listed again on the way back ---- */

enum { MAX_STEPS = 32 };
typedef struct step {
    const char *name;
    tl_var x;
} step;
static step steps[MAX_STEPS];
static int step_count;

/* Prints a step's name, formula and shape, and keeps its gradient, whose memory would otherwise be reused. */
static tl_var show(const char *name, const char *formula, tl_var x) {
    char shape[TL_SHAPE_TEXT];
    printf("%-12s %-34s %s\n", name, formula, tl_shape_text(tl_shape_of_var(x), shape));
    tl_keep(x);
    steps[step_count++] = (step){name, x};
    return tl_label(x, name);
}

static tl_tensor random_tensor(tl_real *memory, tl_shape shape, const char *name) {
    tl_rng_key key = tl_rng_key_of(2017, name);
    for (long i = 0; i < tl_shape_numel(shape); i++) memory[i] = (tl_real)tl_rng_normal(key, (uint64_t)i);
    return tl_tensor_of(memory, shape);
}

static tl_param *weight(tl_params *params, const char *name) {
    return tl_params_add(params, name, TL_SHAPE(D, D), (tl_init){TL_INIT_XAVIER, 0});
}

/* ---- attention ---- */

static tl_var attention(tl_var x, tl_params *params, const uint8_t *attend) {
    tl_tape *tape = x.tape;
    tl_var w_q = show("W_q", "parameter [out,in]", tl_use(tape, weight(params, "W_q")));
    tl_var w_k = show("W_k", "parameter", tl_use(tape, weight(params, "W_k")));
    tl_var w_v = show("W_v", "parameter", tl_use(tape, weight(params, "W_v")));
    tl_var w_o = show("W_o", "parameter", tl_use(tape, weight(params, "W_o")));

    /* 1. Project: each word's query (what it looks for), key (what it is found by) and value (what it passes on). */
    tl_var q = show("Q", "x W_q^T", tl_linear(x, w_q, TL_NO_VAR));
    tl_var k = show("K", "x W_k^T", tl_linear(x, w_k, TL_NO_VAR));
    tl_var v = show("V", "x W_v^T", tl_linear(x, w_v, TL_NO_VAR));

    /* 2. Split the features among the heads. This is a view: other strides over the same numbers; nothing is copied. */
    q = show("Q heads", "split_heads(Q)", tl_split_heads(q, H));
    k = show("K heads", "split_heads(K)", tl_split_heads(k, H));
    v = show("V heads", "split_heads(V)", tl_split_heads(v, H));

    /* 3. Score: how well does each query fit each key? One product for each sentence and head. */
    tl_var k_t = show("K^T", "transpose(K heads)", tl_transpose(k, -1, -2));
    tl_var scores = show("scores", "Q heads K^T", tl_matmul(q, k_t));

    /* 4. Scale: a sum of d products of variance 1 has variance d; dividing it by sqrt(d) restores variance 1. */
    tl_var scaled = show("scaled", "scores / sqrt(d)", tl_scale(scores, 1 / sqrt((double)D / H)));

    /* 5. Mask: which keys each query may see. Axes are [batch][head][query][key]; size 1 means the same for all.
     * Here every head and query of a sentence sees the sentence's words but not its padding; .key_lengths says the
     * same with one number a sentence. */
    tl_mask mask = {.attend = attend, .attend_dim = {B, 1, 1, T}};
    printf("%-12s %-34s [%ld,%ld,%ld,%ld]\n", "mask", "TL_ATTEND for words, else TL_BLOCK",
           mask.attend_dim[0], mask.attend_dim[1], mask.attend_dim[2], mask.attend_dim[3]);

    /* 6. Softmax over the visible keys: each row sums to 1. Blocked keys are skipped, so their weight and their
     * gradient are exactly 0. */
    tl_var probs = show("P", "masked_softmax(scaled, mask)", tl_masked_softmax(scaled, &mask));

    /* 7. Mix: each query gets the sum of the values, weighted by its row. */
    tl_var context = show("context", "P V heads", tl_matmul(probs, v));

    /* 8. Concatenate the heads: side by side, as they were before the split. */
    tl_var joined = show("joined", "merge_heads(context)", tl_merge_heads(context));

    /* 9. Project: mix the heads' results. */
    return show("y", "joined W_o^T", tl_linear(joined, w_o, TL_NO_VAR));
}

/* ---- the way back ---- */

/* A view (heads, K^T) shares its numbers with another step, and so its gradient too. */
static void show_gradients(void) {
    for (int i = step_count - 1; i >= 0; i--) {
        char shape[TL_SHAPE_TEXT], name[32];
        tl_tensor g = tl_grad(steps[i].x);
        snprintf(name, sizeof name, "dL/d %s", steps[i].name);
        printf("%-18s %-16s norm %10.4f\n", name, tl_shape_text(tl_shape_of(g), shape), tl_tensor_norm(g));
    }
}

static double largest_at_padding(tl_tensor t, const int *lengths) {
    double largest = 0;
    for (long b = 0; b < B; b++)
        largest = fmax(largest, tl_tensor_norm(tl_tensor_slice(tl_at(t, b), -1, lengths[b], T)));
    return largest;
}

static tl_var find(const char *name) {
    int i = 0;
    while (i < step_count - 1 && strcmp(steps[i].name, name)) i++;
    return steps[i].x;
}

/* The tape as boxes and arrows, with the shapes and gradients that stand above. */
static bool draw(tl_tape *tape, const char *path, tl_error *error) {
    FILE *out = fopen(path, "w");
    if (!out) return tl_error_set(error, "%s: cannot be written", path), false;
    tl_tape_dot(tape, out, TL_ALL_SCOPES);
    const bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed || tl_tape_error(tape))
        tl_error_set(error, "%s: %s", path,
                     tl_tape_error(tape) ? tl_tape_error(tape) : "could not be written");
    return !tl_failed(error);
}

int main(int arguments, char **argument) {
    tl_streams_open(); /* so that failed writes are reported below */
    tl_real *x_memory = malloc(sizeof(tl_real) * B * T * D), *dy_memory = malloc(sizeof(tl_real) * B * T * D);
    int lengths[B];       /* sentence b has 5 … 10 words; the rest of its row is padding */
    uint8_t attend[B][T]; /* [batch][key] */
    for (int b = 0; b < B; b++) {
        lengths[b] = T - b % 6;
        for (int s = 0; s < T; s++) attend[b][s] = s < lengths[b] ? TL_ATTEND : TL_BLOCK;
    }
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_error error = {""};
    bool ok = x_memory && dy_memory;
    if (ok) {
        printf("forward\n\n");
        tl_var x = tl_variable(tape, random_tensor(x_memory, TL_SHAPE(B, T, D), "x"));
        tl_var y = attention(show("x", "words", x), params, &attend[0][0]);

        /* There is no loss here: backward starts from a random gradient, as if it came from a loss. */
        ok = tl_backward_from(y, random_tensor(dy_memory, TL_SHAPE(B, T, D), "dy"));
    }
    if (ok) {
        printf("\nbackward, from a random dL/dy\n\n");
        show_gradients();
        printf("\nat padded keys: norm of P %g, norm of dL/d scaled %g\n",
               largest_at_padding(tl_value(find("P")), lengths),
               largest_at_padding(tl_grad(find("scaled")), lengths));
        if (arguments > 1) ok = draw(tape, argument[1], &error);
    } else {
        tl_error_set(&error, "%s", x_memory && dy_memory ? tl_tape_error(tape) : "out of memory");
    }
    /* output that could not be written is a failure too */
    if (!tl_output_close(stdout, &error) || !ok) fprintf(stderr, "attention_steps: %s\n", error.message);
    tl_tape_free(tape);
    tl_params_free(params);
    free(x_memory);
    free(dy_memory);
    return tl_failed(&error) ? EXIT_FAILURE : EXIT_SUCCESS;
}
