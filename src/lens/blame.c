/* Which operation's backward is wrong; checks.h explains the method.
 *
 * A step's direction d is normal, drawn by (seed, base). The analytic derivative is the sum of gradient·d right
 * after the node's backward has returned. The numeric one is (f(+h) - f(-h)) / 2h, where the base is moved by h·d
 * just before the node reads it: this node and later ones read the moved value, earlier ones have read the original.
 * So both count the same readers of the base. */
#include "tapeloom/checks.h"
#include "tapeloom/op.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With the first h nearly every step agrees. A larger h helps against rounding, smaller ones near a kink. */
static const double moves[] = {1e-5, 1e-4, 1e-6, 1e-7};
enum { MOVES = sizeof moves / sizeof *moves };
static const double TOLERANCE = 1e-5;

typedef struct step {
    int node, base;
    bool run; /* analytic and size are set in this backward */
    double analytic, size;
    int known; /* how many of `numeric` are known, one for each h */
    double numeric[MOVES];
} step;

struct tl_blame {
    tl_params *params;
    tl_checked *f;
    void *data;
    tl_blame_options options;
    tl_tape *tape;
    tl_probe probe;
    tl_rng_key key;
    int nodes; /* nodes that f records */
    int operations;
    double value;
    long steps;
    step *step; /* in order from the result backwards */
    /* used while a value is moved: */
    const step *moved;
    double by;
    bool done;
    tl_real *original; /* saved values of a base that outlives the run */
    double size;       /* size of an element of the base, in bytes */
    /* used while going backward: */
    tl_fault *fault;
    tl_error error;
};

/* ---- running f ---- */

static tl_var run(tl_blame *b) {
    tl_tape_reset(b->tape);
    tl_tape_set_training(b->tape, b->options.train ? 1 : 0);
    tl_tape_set_probe(b->tape, &b->probe);
    return b->f(b->tape, NULL, b->data);
}

static bool value_of(tl_blame *b, tl_var y, double *value) {
    const tl_tensor t = tl_value(y);
    if (!tl_ok(y))
        tl_error_set(&b->error, "blame: the function failed: %s", tl_tape_error(b->tape));
    else if (tl_numel(t) != 1)
        tl_error_set(&b->error, "blame: the function must give one element, it gives %ld", tl_numel(t));
    else
        *value = tl_item(t);
    return !tl_failed(&b->error);
}

/* ---- steps ---- */

/* Is this the node's first input with its base, and does the base need a gradient? */
static bool is_step(const tl_tape *tape, const tl_recorded *node, int i, int *base) {
    tl_recorded input, earlier;
    if (!tl_tape_recorded(tape, node->input[i], &input) || !input.wants_grad) return false;
    for (int j = 0; j < i; j++)
        if (tl_tape_recorded(tape, node->input[j], &earlier) && earlier.wants_grad &&
            earlier.base == input.base)
            return false;
    *base = input.base;
    return true;
}

/* Lists the steps of nodes up to `last`; to NULL: only counts them. */
static long list_steps(const tl_tape *tape, int last, step *to, int *operations) {
    long count = 0;
    tl_recorded node;
    *operations = 0;
    for (int at = last; at >= 0 && tl_tape_recorded(tape, at, &node); at--) {
        if (!node.operation || node.base != at || !node.wants_grad) continue;
        ++*operations;
        for (int i = 0, base; i < node.inputs; i++)
            if (is_step(tape, &node, i, &base)) {
                if (to) to[count] = (step){.node = at, .base = base};
                count++;
            }
    }
    return count;
}

static bool record(tl_blame *b) {
    tl_var y = run(b);
    if (!value_of(b, y, &b->value)) return false;
    b->nodes = tl_tape_stats_of(b->tape).nodes;
    b->steps = list_steps(b->tape, y.index, NULL, &b->operations);
    b->step = calloc((size_t)b->steps + 1, sizeof *b->step);
    if (!b->step) return tl_error_set(&b->error, "blame: out of memory");
    list_steps(b->tape, y.index, b->step, &b->operations);
    return true;
}

/* ---- differences ---- */

static tl_rng_key direction(const tl_blame *b, int base) { return tl_rng_key_mix(b->key, (uint64_t)base); }

/* Moves the base of the current step just before its node reads it. Bases are contiguous. */
static void before(void *context, tl_tape *tape, int node) {
    tl_blame *b = context;
    tl_recorded base;
    if (!b->moved || b->done || node < b->moved->node || !tl_tape_recorded(tape, b->moved->base, &base))
        return;
    const long n = tl_numel(base.value);
    b->done = true;
    if (!base.operation) {
        b->original = malloc((size_t)n * sizeof *b->original);
        if (!b->original) {
            tl_error_set(&b->error, "blame: out of memory");
            return;
        }
        memcpy(b->original, base.value.data, (size_t)n * sizeof *b->original);
    }
    const tl_rng_key key = direction(b, b->moved->base);
    for (long i = 0; i < n; i++) base.value.data[i] += (tl_real)(b->by * tl_rng_normal(key, (uint64_t)i));
}

/* The value of f with the step's base moved; then restores the base. */
static bool moved_value(tl_blame *b, const step *s, double by, double *value) {
    b->moved = s, b->by = by, b->done = false;
    tl_var y = run(b);
    b->moved = NULL;
    tl_recorded base;
    if (b->original && tl_tape_recorded(b->tape, s->base, &base))
        memcpy(base.value.data, b->original, (size_t)tl_numel(base.value) * sizeof *b->original);
    free(b->original);
    b->original = NULL;
    if (!tl_failed(&b->error) && tl_ok(y) && (!b->done || tl_tape_stats_of(b->tape).nodes != b->nodes))
        tl_error_set(
            &b->error,
            "blame: the function recorded %d operations and values, and now %d; it must record the same "
            "ones every time",
            b->nodes, tl_tape_stats_of(b->tape).nodes);
    return !tl_failed(&b->error) && value_of(b, y, value);
}

static bool numeric_of(tl_blame *b, step *s, int move, double *numeric) {
    for (; s->known <= move; s->known++) {
        double up, down, h = moves[s->known];
        if (!moved_value(b, s, h, &up) || !moved_value(b, s, -h, &down)) return false;
        s->numeric[s->known] = (up - down) / (2 * h);
    }
    *numeric = s->numeric[move];
    return true;
}

/* ---- gradients ---- */

static void measure(const tl_blame *b, step *s, tl_tensor grad) {
    const tl_rng_key key = direction(b, s->base);
    double along = 0, square = 0;
    for (long i = 0; grad.data && i < tl_numel(grad); i++) {
        along += (double)grad.data[i] * tl_rng_normal(key, (uint64_t)i);
        square += (double)grad.data[i] * (double)grad.data[i];
    }
    s->analytic = along;
    s->size = sqrt(square);
    s->run = true;
}

static void backward(void *context, tl_back *back) {
    tl_blame *b = context;
    tl_recorded base;
    tl_fault_backward(b->fault, back);
    for (long i = 0; i < b->steps; i++) {
        step *s = &b->step[i];
        if (s->node == back->node && tl_tape_recorded(back->tape, s->base, &base)) measure(b, s, base.grad);
    }
}

static bool gradients(tl_blame *b, tl_fault *fault) {
    for (long i = 0; i < b->steps; i++) b->step[i].run = false;
    tl_zero_grad(b->params);
    if (fault) fault->nodes = 0, fault->change = 0;
    b->fault = fault;
    tl_var y = run(b);
    double value;
    bool ok = value_of(b, y, &value);
    if (ok && !tl_backward(y))
        ok = tl_error_set(&b->error, "blame: backward failed: %s", tl_tape_error(b->tape));
    if (ok && fault && fault->no_memory) ok = tl_error_set(&b->error, "blame: out of memory");
    b->fault = NULL;
    tl_zero_grad(b->params);
    return ok;
}

/* ---- the walk ---- */

/* Compares a step with each h until one agrees; keeps the smallest error. At the first h, an error that the rounding
 * of f explains counts as none. */
static bool look(tl_blame *b, step *s, tl_blamed *r) {
    double best = INFINITY;
    for (int move = 0; move < MOVES && !(best <= r->tolerance); move++) {
        double numeric;
        if (!numeric_of(b, s, move, &numeric)) return false;
        const double bottom = fmax(s->size, fabs(numeric)),
                     noise = 16 * DBL_EPSILON * fabs(b->value) / moves[0];
        const double error = fmax(0, fabs(s->analytic - numeric) - noise);
        const double relative = error > 0 ? error / bottom : 0;
        if (relative < best) best = relative, r->numeric = numeric;
    }
    r->analytic = s->analytic;
    r->relative = best;
    return true;
}

/* "parameter decoder.norm.weight [8]", "layer_norm (node 12, decoder.norm) [2,3,8]" */
static void describe(const tl_tape *tape, int node, char *to, size_t size) {
    tl_recorded r;
    char long_shape[TL_SHAPE_TEXT], shape[80];
    if (!tl_tape_recorded(tape, node, &r)) return;
    snprintf(shape, sizeof shape, "%.79s", tl_shape_text(tl_shape_of(r.value), long_shape));
    if (r.operation)
        snprintf(to, size, "%.40s (node %d%s%.70s) %s", r.operation, node, *r.scope ? ", " : "", r.scope,
                 shape);
    else
        snprintf(to, size, "parameter %.100s %s", r.name, shape);
}

static void report_wrong(tl_blame *b, const step *s, tl_blamed *r) {
    tl_recorded node, other;
    char shape[TL_SHAPE_TEXT];
    tl_tape_recorded(b->tape, s->node, &node);
    r->ok = false;
    r->node = s->node, r->input = s->base;
    snprintf(r->operation, sizeof r->operation, "%s", node.operation);
    snprintf(r->scope, sizeof r->scope, "%s", node.scope);
    snprintf(r->shape, sizeof r->shape, "%s", tl_shape_text(tl_shape_of(node.value), shape));
    describe(b->tape, s->base, r->gives_to, sizeof r->gives_to);
    for (int i = 0; tl_tape_recorded(b->tape, i, &other); i++)
        r->others +=
            other.operation && i != s->node && other.base == i && !strcmp(other.operation, node.operation);
    tl_error_set(
        &r->error,
        "%s is wrong (node %d%s%s): its own gradient agrees with differences, what it gives to %s does not: "
        "backward says %.9g, differences say %.9g (relative %.3g, allowed %.3g)",
        r->operation, r->node, *r->scope ? ", " : "", r->scope, r->gives_to, r->analytic, r->numeric,
        r->relative, r->tolerance);
}

static bool walk(tl_blame *b, tl_blamed *r) {
    double worst = 0;
    for (long i = 0; i < b->steps; i++) {
        step *s = &b->step[i];
        if (s->run) {
            r->steps++;
            if (!look(b, s, r)) return false;
            if (r->relative > r->tolerance) return report_wrong(b, s, r), true;
            worst = fmax(worst, r->relative);
        }
        if (b->options.progress && !b->options.progress(b->options.context, i + 1, b->steps))
            return tl_error_set(&b->error, "blame: stopped after %ld of %ld steps", i + 1, b->steps);
    }
    r->relative = worst;
    return true;
}

tl_blame *tl_blame_new(tl_params *params, tl_checked *f, void *data, const tl_blame_options *options) {
    tl_blame *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->params = params, b->f = f, b->data = data;
    if (options) b->options = *options;
    b->key = tl_rng_key_of(b->options.seed, "blame");
    b->probe = (tl_probe){b, before, backward};
    b->tape = tl_tape_new();
    if (sizeof(tl_real) < sizeof(double))
        tl_error_set(
            &b->error,
            "blame: in float, differences of single operations are lost in rounding; build with make "
            "PRECISION=double and look there");
    else if (!f || !b->tape)
        tl_error_set(&b->error, "blame: %s", f ? "out of memory" : "there is no function");
    else if (!(b->options.tolerance >= 0 && isfinite(b->options.tolerance)))
        tl_error_set(&b->error, "blame: tolerance is %g, should be 0 (the default) or more, and finite",
                     b->options.tolerance);
    else
        record(b);
    return b;
}

void tl_blame_free(tl_blame *b) {
    if (!b) return;
    tl_tape_free(b->tape);
    free(b->step);
    free(b);
}

bool tl_blame_find(tl_blame *b, tl_fault *fault, tl_blamed *blamed) {
    tl_blamed own, *r = blamed ? blamed : &own;
    *r = (tl_blamed){.ok = true, .node = -1, .input = -1};
    r->tolerance = b && b->options.tolerance > 0 ? b->options.tolerance : TOLERANCE;
    if (b) r->operations = b->operations;
    if (!b || tl_failed(&b->error) || !gradients(b, fault) || !walk(b, r)) {
        r->ok = false;
        tl_error_set(&r->error, "%s", b ? b->error.message : "blame: out of memory");
    }
    return r->ok;
}
