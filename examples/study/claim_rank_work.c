/* Stacks of attention at initialisation, without and with skip connections: residuals and gradients, layer by layer. */
#include "claim_rank.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 32, PLACES = 16, LAYERS = 12 };
#define LOW 1e-13 /* window of residuals: above rounding, below the start of the collapse */
#define HIGH 0.1
#define GRADIENT_LOW 1e-6 /* gradients go with the residual's square, which rounding hides below this */

/* Scale of query and key weights at which the theorem's factor stays below 1 in the whole window. */
#define SMALL_SCALE 0.05

/* ---- a stack with one head a layer, no norm, no feed-forward, no bias ---- */

typedef struct stack {
    const job *job;
    tl_params *params;
    tl_tape *tape;
    tl_attention_layer layer[LAYERS];
    tl_var x[LAYERS + 1]; /* the input, and each layer's output, [1,PLACES,WIDTH] */
    tl_real input[PLACES * WIDTH], direction[PLACES * WIDTH];
    points pairs, queries, keys; /* logarithms */
    growth growth;
    double factor; /* the largest factor of the theorem */
} stack;

/* The part of queries, keys or values in the packed weight or its gradient. */
static tl_tensor part(tl_tensor packed, int which) {
    return tl_tensor_slice(packed, 0, which * WIDTH, (which + 1) * WIDTH);
}

static void scale_by(tl_tensor t, double factor) {
    for (long i = 0; i < t.dim[0] * t.dim[1]; i++) t.data[i] *= (tl_real)factor;
}

/* Xavier's bound over the packed matrix gives a variance of 1/(2·WIDTH). Multiplying by √2 makes it 1/WIDTH, as
 * out_proj has it, which keeps a vector's length. */
static bool begin(stack *s, const job *j) {
    s->job = j;
    s->growth = (growth){INFINITY, -INFINITY};
    s->params = tl_params_new(j->real_seed);
    s->tape = tl_tape_new();
    if (!s->params || !s->tape) return false;
    for (int l = 0; l < LAYERS; l++) {
        char name[32];
        snprintf(name, sizeof name, "layers.%d", l);
        s->layer[l] = tl_attention_init(
            s->params, name, &(tl_attention_config){.d_model = WIDTH, .heads = 1, .no_bias = true});
        if (tl_params_error(s->params)) return false;
        const tl_tensor packed = tl_param_value(s->layer[l].in_proj_weight);
        const double queries = j->arm.number == WITHIN_THEOREM ? SMALL_SCALE : 1;
        scale_by(part(packed, 0), queries * sqrt(2));
        scale_by(part(packed, 1), queries * sqrt(2));
        scale_by(part(packed, 2), sqrt(2));
    }
    tl_params_changed(s->params);
    return true;
}

/* Draws an input: a vector shared by all positions plus `apart` times a vector of each position; and the gradient
 * that comes from above. */
static void draw(stack *s, long number, double apart) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(s->job->real_seed, "inputs"), (uint64_t)number);
    const tl_rng_key above = tl_rng_key_mix(key, 1);
    for (long i = 0; i < PLACES * WIDTH; i++) {
        s->input[i] = (tl_real)(tl_rng_normal(key, (uint64_t)(i % WIDTH)) +
                                apart * tl_rng_normal(key, (uint64_t)(WIDTH + i)));
        s->direction[i] = (tl_real)tl_rng_normal(above, (uint64_t)i);
    }
}

/* Forward, and backward from that direction. Sums with a skip are divided by √2, which keeps lengths as a norm
 * would; otherwise scores would double in every layer until softmax saturates. */
static bool run(stack *s) {
    tl_tape_reset(s->tape);
    tl_zero_grad(s->params);
    const tl_shape shape = TL_SHAPE(1, PLACES, WIDTH);
    s->x[0] = tl_constant(s->tape, tl_tensor_of(s->input, shape));
    for (int l = 0; l < LAYERS; l++) {
        const tl_var given = tl_attention_forward(&s->layer[l], s->x[l], s->x[l], NULL, NULL);
        s->x[l + 1] = s->job->arm.number == WITH_SKIPS ? tl_scale(tl_add(s->x[l], given), sqrt(0.5)) : given;
    }
    return tl_backward_from(s->x[LAYERS], tl_tensor_of(s->direction, shape));
}

/* The size of the gradient of queries (0) or keys (1), relative to that of values. */
static double beside_values(tl_attention_layer *layer, int which) {
    const tl_tensor grad = tl_param_grad(layer->in_proj_weight);
    return tl_tensor_norm(part(grad, which)) / tl_tensor_norm(part(grad, 2));
}

/* ---- measuring ---- */

static void add_factor(stack *s, int l) {
    const tl_tensor packed = tl_param_value(s->layer[l].in_proj_weight);
    s->factor = fmax(s->factor, theorem_factor(tl_at(tl_value(s->x[l]), 0), part(packed, 0), part(packed, 1),
                                               part(packed, 2), tl_param_value(s->layer[l].out_proj.weight)));
}

/* Values differ by orders of magnitude, so logarithms are averaged; anything below this counts as 0. */
static void put_power(numbers *out, const job *j, const char *what, double at, double value) {
    put(out, j, what, at, log10(fmax(value, 1e-18)));
}

/* Measures one input. The first input, in which a position's own part is as large as the shared one, is also drawn
 * layer by layer. */
static void look(stack *s, long input, numbers *out) {
    double residual[LAYERS + 1];
    for (int l = 0; l <= LAYERS; l++) {
        residual[l] = relative_residual(tl_at(tl_value(s->x[l]), 0));
        if (!input) put_power(out, s->job, "log10 residual", l, residual[l]);
        if (l == LAYERS) break;
        const double queries = beside_values(&s->layer[l], 0), keys = beside_values(&s->layer[l], 1);
        if (!input) {
            put_power(out, s->job, "log10 queries beside values", l + 1, queries);
            put_power(out, s->job, "log10 keys beside values", l + 1, keys);
        }
        if (residual[l] >= LOW && residual[l] <= HIGH) add_factor(s, l);
        if (residual[l] < GRADIENT_LOW || residual[l] > HIGH) continue;
        add_point(&s->queries, log(residual[l]), log(queries));
        add_point(&s->keys, log(residual[l]), log(keys));
    }
    add_growth(&s->growth, &s->pairs, residual, LAYERS, LOW, HIGH);
    if (!input && s->job->arm.number == WITH_SKIPS)
        put(out, s->job, "residual kept a layer", 0, pow(residual[LAYERS] / residual[0], 1.0 / LAYERS));
}

static bool measure_all(stack *s, numbers *out) {
    const long inputs = budget_of(s->job->study, 64, 64, 16);
    for (long i = 0; i < inputs; i++) { /* apart 1 … 1e-4 covers the whole window */
        if (job_stopped(s->job)) return false;
        draw(s, i, pow(10, -4.0 * (double)i / (double)(inputs - 1)));
        if (!run(s)) return false;
        look(s, i, out);
    }
    if (!s->pairs.count) return true;
    put(out, s->job, "theorem factor", 0, s->factor);
    put(out, s->job, "layers in the window", 0, (double)s->pairs.count);
    put(out, s->job, "least growth", 0, s->growth.least);
    put(out, s->job, "greatest growth", 0, s->growth.greatest);
    put(out, s->job, "exponent", 0, slope_of(&s->pairs));
    put(out, s->job, "exponent of queries", 0, slope_of(&s->queries));
    put(out, s->job, "exponent of keys", 0, slope_of(&s->keys));
    return true;
}

bool measure_rank(const job *j, numbers *out, tl_error *error) {
    stack *s = calloc(1, sizeof *s);
    if (!s) return tl_error_set(error, "out of memory");
    const bool ok = begin(s, j) && measure_all(s, out);
    if (!ok) {
        const char *why = s->params && tl_params_error(s->params) ? tl_params_error(s->params)
                          : s->tape && tl_tape_error(s->tape)     ? tl_tape_error(s->tape)
                          : job_stopped(j)                        ? "interrupted"
                                                                  : "out of memory";
        tl_error_set(error, "%s", why);
    }
    tl_tape_free(s->tape);
    tl_params_free(s->params);
    free(s);
    return ok;
}
