/* The tape: graphs that bytes decide (tape_graph.h). The first byte chooses: right graphs, arguments that no operation
 * takes, handles that are none, long axes, training mode.
 *
 * Of a right graph:
 *   - no operation fails;
 *   - with two threads, memory given back, everything kept, parts computed again or a look at the tape in between, the
 *     results and every variable's gradient have the same bits;
 *   - in double, backward agrees with differences of the loss (below).
 * Of any graph: after a failure there is a message, later operations make nothing, backward refuses, and the tape is as
 * good as new once it is reset and the error cleared.
 *
 * Why the comparison with differences is sound, though nothing is known of the graph. All variables (or one) move along
 * a fixed random direction d; L(x + h d) is a function of one number, and backward says its slope, g·d. Four slopes are
 * measured: left and right of x, and central ones of step h and h/4. Where the loss has a kink, a pole or much curvature
 * near x, left and right differ, or the two central ones; then nothing is concluded. If they agree to a thousandth, the
 * slope is known about as well, unless rounding has made all of them wrong alike. Rounding errs in each value v of the
 * graph by a few epsilon·|v|, and that moves L by |dL/dv| times as much; so it is at most a small multiple of
 * epsilon·sum of |v|·|dL/dv| over all values, which backward with all gradients kept gives (a backward that is wrong
 * there is found by other graphs, that end there). Differences below that sum, times ROUNDINGS, over the step are not
 * held against backward. What remains is a true difference. */
#define _XOPEN_SOURCE 700
#include "tape_graph.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

int tl_fuzz_tape(const uint8_t *bytes, size_t size);

enum { WILD = 1, WRONG = 2, BIG = 12, TRAIN = 8 };

/* How the same graph is recorded the second time. */
typedef enum other_way { THREADS, GIVE_BACK, KEEP_ALL, RECOMPUTE, LOOK, CHECKING, WAYS } other_way;

static graph g;

/* Values that the loss is made of: the last one, and some before. */
enum { ENDS = 3 };

static int end_of(int k) { return g.count - 1 - 2 * k; }

/* The sum over the ends' elements, each times a fixed random weight. */
static tl_var loss_of(tl_real *weights[ENDS]) {
    tl_var loss = tl_scalar(g.tape, 0);
    for (int k = 0; k < ENDS && end_of(k) >= 0; k++) {
        const tl_var x = g.pool[end_of(k)];
        const long count = tl_shape_numel(tl_shape_of_var(x));
        weights[k] = fuzz_memory((size_t)count * sizeof **weights);
        for (long i = 0; i < count; i++) weights[k][i] = (tl_real)graph_number(&g, 5, k, i);
        const tl_var w = tl_constant(g.tape, tl_tensor_of(weights[k], tl_shape_of_var(x)));
        loss = tl_add(loss, graph_note(&g, tl_sum(graph_note(&g, tl_mul(x, w)), TL_ALL_AXES, false)));
    }
    return loss;
}

static uint64_t hashed(uint64_t hash, tl_tensor t) {
    const long count = t.data ? tl_numel(t) : 0;
    for (long i = 0; i < count; i++) {
        tl_real x = t.data[graph_offset(t, i)];
        if (isnan(x)) x = (tl_real)NAN; /* whatever its sign */
        unsigned char bytes[sizeof x];
        memcpy(bytes, &x, sizeof x);
        for (size_t k = 0; k < sizeof x; k++) hash = (hash ^ bytes[k]) * 1099511628211u;
    }
    return (hash ^ (uint64_t)count) * 1099511628211u;
}

/* ---- after a failure ---- */

/* f = sum of x·x on a tape that has failed before, and was reset and cleared. */
static void check_usable(tl_tape *tape) {
    tl_real numbers[3] = {1, -2, 3};
    tl_tape_reset(tape);
    FUZZ_MUST(!tl_tape_error(tape), "%s", tl_tape_error(tape));
    const tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(3))),
                 y = tl_sum(tl_mul(x, x), TL_ALL_AXES, false);
    FUZZ_MUST(tl_item(tl_value(y)) == 14 && tl_backward(y), "%s", tl_tape_error(tape));
    for (long i = 0; i < 3; i++) FUZZ_MUST(tl_grad(x).data[i] == 2 * numbers[i], "gradient %ld", i);
}

static void check_failed(void) {
    char message[TL_ERROR_MAX];
    const char *error = tl_tape_error(g.tape);
    snprintf(message, sizeof message, "%s", error ? error : tl_tape_error(g.foreign));
    fuzz_message(message);
    const tl_var y = tl_scalar(g.tape, 1);
    if (!tl_ok(y)) /* else the message is the thread's: no tape has failed */
        FUZZ_MUST(error && !tl_backward(y) && !tl_ok(tl_neg(y)), "a tape that has failed goes on");
    tl_tape_reset(g.tape);
    if (error) FUZZ_MUST(tl_tape_error(g.tape), "a reset has cleared the error: %s", message);
    tl_tape_clear_error(g.tape);
    tl_tape_clear_error(g.foreign);
    check_usable(g.tape);
    check_usable(g.foreign);
}

/* ---- a right graph ---- */

typedef struct outcome {
    uint64_t hash;
    double loss;
    bool grad; /* does the loss want one? */
} outcome;

static void look(void) {
    char *text = NULL, why[TL_ERROR_MAX];
    size_t size;
    FILE *to = open_memstream(&text, &size);
    FUZZ_MUST(to, "out of memory");
    tl_tape_print(g.tape, to);
    tl_tape_dot(g.tape, to, (int)(g.seed % 4));
    (void)tl_tape_find_nonfinite(g.tape, why);
    fclose(to);
    free(text);
}

static outcome go(const uint8_t *bytes, size_t size, bool looking, bool backward) {
    tl_real *weights[ENDS] = {NULL};
    g.in = fuzz_bytes_of(bytes, size);
    graph_record(&g);
    const tl_var loss = loss_of(weights);
    outcome o = {.hash = 14695981039346656037u};
    if (!tl_tape_error(g.tape)) {
        if (looking) look();
        o.hash = hashed(o.hash, tl_value(loss));
        o.loss = tl_item(tl_value(loss));
        o.grad = tl_wants_grad(loss);
        if (backward && o.grad) {
            FUZZ_MUST(tl_backward(loss) || tl_tape_checks(g.tape), "%s", tl_tape_error(g.tape));
            for (int i = 0; i < g.leaves; i++)
                if (g.leaf[i].variable && tl_ok(g.leaf[i].var))
                    o.hash = hashed(o.hash, tl_grad(g.leaf[i].var));
            if (looking) look();
        }
    }
    for (int k = 0; k < ENDS; k++) free(weights[k]);
    return o;
}

static void set_way(other_way way, bool on) {
    tl_set_threads(way == THREADS && on ? 2 : 1);
    tl_tape_set_give_back(g.tape, way == GIVE_BACK && on);
    tl_tape_set_keep_all(g.tape, way == KEEP_ALL && on);
    tl_tape_set_checking(g.tape, way == CHECKING && on);
    g.recompute = way == RECOMPUTE && on;
}

static void check_bits(const uint8_t *bytes, size_t size, other_way way, outcome first) {
    static const char *const names[WAYS] = {"two threads",          "memory given back", "everything kept",
                                            "parts computed again", "a look at it",      "checking"};
    set_way(way, true);
    const outcome second = go(bytes, size, way == LOOK, true);
    if (way == CHECKING &&
        tl_tape_error(g.tape)) { /* something is not finite: that is what checking is for */
        FUZZ_MUST(strstr(tl_tape_error(g.tape), "finite") || strstr(tl_tape_error(g.tape), "NaN") ||
                      strstr(tl_tape_error(g.tape), "inf"),
                  "%s", tl_tape_error(g.tape));
        tl_tape_clear_error(g.tape);
    } else {
        FUZZ_MUST(!tl_tape_error(g.tape), "%s: %s", names[way], tl_tape_error(g.tape));
        FUZZ_MUST(first.hash == second.hash, "%s: other bits (loss %.9g, %.9g)", names[way], first.loss,
                  second.loss);
    }
    graph_free(&g);
    tl_tape_reset(g.tape);
    set_way(way, false);
}

#ifdef TL_DOUBLE
/* ---- differences ---- */

static const double STEP = 1e-5, AGREE = 1e-3, ROUNDINGS = 512;

static long graphs_seen, graphs_decided;
static void say_decided(void) {
    if (getenv("TL_FUZZ_SAY"))
        fprintf(stderr, "tape: %ld right graphs, %ld compared with differences\n", graphs_seen,
                graphs_decided);
}

static double loss_at(const uint8_t *bytes, size_t size, double shift) {
    g.shift = shift;
    const outcome o = go(bytes, size, false, false);
    graph_free(&g);
    g.shift = 0;
    return o.loss;
}

/* g·d by backward, and what rounding may do to the loss. */
static double slope_of(const uint8_t *bytes, size_t size, double *rounding) {
    double slope = 0;
    tl_tape_set_keep_all(g.tape, true);
    go(bytes, size, false, true);
    *rounding = 0;
    for (int i = 0; i < g.mades; i++) {
        if (!tl_wants_grad(g.made[i])) continue;
        const tl_tensor v = tl_value(g.made[i]), dv = tl_grad(g.made[i]);
        if (!dv.data || !v.data) continue;
        for (long k = 0; k < tl_numel(v); k++)
            *rounding += fabs((double)v.data[graph_offset(v, k)] * (double)dv.data[graph_offset(dv, k)]);
    }
    *rounding *= DBL_EPSILON * ROUNDINGS;
    for (int i = 0; i < g.leaves; i++) {
        if (!g.leaf[i].variable || !tl_ok(g.leaf[i].var) || (g.only >= 0 && g.only != i)) continue;
        const tl_tensor dv = tl_grad(g.leaf[i].var);
        for (long k = 0; dv.data && k < tl_numel(dv); k++)
            slope += (double)dv.data[graph_offset(dv, k)] * graph_number(&g, 1, i, k);
    }
    FUZZ_MUST(!tl_tape_error(g.tape), "%s", tl_tape_error(g.tape));
    graph_free(&g);
    tl_tape_set_keep_all(g.tape, false);
    return slope;
}

static void check_slope(const uint8_t *bytes, size_t size, double loss) {
    double rounding;
    const double slope = slope_of(bytes, size, &rounding), h = STEP / 4;
    const double far = (loss_at(bytes, size, STEP) - loss_at(bytes, size, -STEP)) / (2 * STEP);
    const double up = loss_at(bytes, size, h), down = loss_at(bytes, size, -h);
    const double right = (up - loss) / h, left = (loss - down) / h, central = (up - down) / (2 * h);
    const double size_of = fmax(fabs(slope), fabs(central)), noise = rounding / h;
    graphs_seen++;
    if (!isfinite(slope) || !isfinite(far) || !isfinite(right) || !isfinite(left) || !isfinite(noise)) return;
    if (!(noise <= AGREE * size_of + 1e-9)) return; /* rounding hides it */
    if (fabs(right - left) > AGREE * size_of + noise || fabs(far - central) > AGREE * size_of + noise) return;
    graphs_decided++;
    FUZZ_MUST(fabs(slope - central) <= 2 * AGREE * size_of + 2 * noise,
              "backward says %.12g, differences %.12g, %.12g (left %.12g, right %.12g, rounding %.3g)", slope,
              central, far, left, right, noise);
}
#endif

int tl_fuzz_tape(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in), more = fuzz_byte(&in);
    if (!g.tape) {
        g.tape = tl_tape_new(), g.foreign = tl_tape_new();
        FUZZ_MUST(g.tape && g.foreign, "out of memory");
        tl_tape_set_limit(g.tape, (size_t)1 << 26);
        tl_set_threads(1);
#ifdef TL_DOUBLE
        atexit(say_decided);
#endif
    }
    g.wild = choice & WILD, g.wrong = choice & WRONG, g.big = (choice & BIG) == BIG, g.train = choice & TRAIN;
    g.seed = more;
    g.only = choice & 16 ? (int)(more % 4) : -1;
    bytes = in.at, size = (size_t)(in.end - in.at);
    const outcome first = go(bytes, size, false, true);
    const bool right = !g.wild && !g.wrong;
    if (right) FUZZ_MUST(!tl_tape_error(g.tape), "%s", tl_tape_error(g.tape));
    const bool failed = tl_tape_error(g.tape) || tl_tape_error(g.foreign);
    if (failed) check_failed();
    graph_free(&g);
    tl_tape_reset(g.tape);
    if (failed || !right) return 0;
    check_bits(bytes, size, (other_way)(choice / 32 % WAYS), first);
    if (choice / 32 == 7) check_bits(bytes, size, THREADS, first);
#ifdef TL_DOUBLE
    if (first.grad && isfinite(first.loss) && !g.stopped) check_slope(bytes, size, first.loss);
#endif
    return 0;
}

/* Every choice, and random bytes, drawn by the library's own numbers. */
static void seeds(tl_fuzz_put *put, void *context) {
    for (unsigned choice = 0; choice < 256; choice += choice < 32 ? 1 : 32) {
        unsigned char seed[96];
        const tl_rng_key key = tl_rng_key_of(choice, "seeds");
        seed[0] = (unsigned char)choice;
        for (size_t i = 1; i < sizeof seed; i++) seed[i] = (unsigned char)tl_rng_bits(key, i);
        put(context, seed, sizeof seed);
    }
}

TL_FUZZ(tape, "tensor, autograd: random graphs, right and wrong, forward and backward");
