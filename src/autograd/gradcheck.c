/* The gradient check: backward against differences of the function itself, element by element.
 *
 * L(x) = sum of f(x) times fixed random weights (with a plain sum, softmax's gradient would be zero everywhere). The
 * difference is the five-point formula  L' ~ [8(L(+h) - L(-h)) - (L(+2h) - L(-2h))] / 12h,  whose error is of order
 * h^4, so h can be large enough that rounding does not matter. If the two disagree, h shrinks: a kink between x-2h and
 * x+2h makes the difference wrong. The slopes on the two sides of x tell a kink from a wrong gradient. */
#include "tape.h"
#include "base/format.h"
#include "tapeloom/ops.h"
#include "tensor/inspect.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef TL_DOUBLE
static const double FIRST_STEP = 1e-3, TOLERANCE = 1e-6, EPSILON = DBL_EPSILON;
enum { SHRINKS = 3, SHRINKS_BY = 10 };
#else
/* In float the range of useful steps is small: larger ones reach over a kink, smaller ones are lost in rounding.
 * Dividing the step by 10 jumps over that range: it left 6 to 12 % of a trained model's elements undecided, dividing
 * by 2 leaves 1 to 3 %. */
static const double FIRST_STEP = 0.03, TOLERANCE = 5e-3, EPSILON = FLT_EPSILON;
enum { SHRINKS = 7, SHRINKS_BY = 2 };
#endif

typedef struct check {
    tl_var (*f)(tl_tape *tape, const tl_var *x, void *data);
    void *data;
    int leaves;
    tl_leaf *const *leaf;
    const tl_gradcheck_options *options;
    tl_tape *tape;
    tl_var *x;
    tl_real **grad; /* this check's copy of each leaf's gradient */
    tl_rng_key weights;
    double magnitude; /* sum of |weight·f(x)|: the results of f are rounded to epsilon times that */
    long all;         /* elements to compare */
    /* Relative error of the worst element so far, before rounding is subtracted; -1: none yet. */
    double farthest;
    tl_gradcheck_report *report;
} check;

static bool fail(check *k, const char *format, ...) TL_PRINTF(2, 3);
static bool fail(check *k, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char text[TL_ERROR_MAX];
    tl_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    tl_error_set(&k->report->error, "gradcheck: %s", text);
    k->report->ok = false;
    return false;
}

static tl_var forward(check *k) {
    tl_tape_reset(k->tape);
    if (k->options->train) tl_tape_set_training(k->tape, 1);
    for (int i = 0; i < k->leaves; i++) {
        k->x[i] = tl_use_leaf(k->tape, k->leaf[i]);
        if (k->tape->spoils) k->x[i] = tl_scale(k->x[i], 1); /* a value that can be given back */
    }
    return k->f(k->tape, k->x, k->data);
}

/* The weight of element i of `count`. For a result of one element it is 1, so that the report has f's own gradient. */
static double weight(const check *k, long i, long count) {
    if (count == 1) return 1;
    double u = tl_rng_uniform(k->weights, (uint64_t)i); /* away from 0, both signs */
    return u < 0.5 ? -0.5 - u : u;
}

static bool loss(check *k, double *out) {
    bool was = tl_tape_set_grad(k->tape, false);
    tl_var y = forward(k);
    tl_tape_set_grad(k->tape, was);
    if (!tl_ok(y)) return fail(k, "the function failed: %s", tl_tape_error(k->tape));
    tl_tensor v = tl_value(y);
    double sum = 0, magnitude = 0;
    for (long i = 0; i < tl_numel(v); i++) {
        double term = weight(k, i, tl_numel(v)) * tl_tensor_element(v, i);
        sum += term;
        magnitude += fabs(term);
    }
    *out = sum;
    k->magnitude = magnitude;
    return true;
}

/* Runs forward and backward; the gradients are then in the leaves. */
static bool gradients(check *k) {
    tl_var y = forward(k);
    if (!tl_ok(y)) return fail(k, "the function failed: %s", tl_tape_error(k->tape));
    long n = tl_numel(tl_value(y));
    tl_real *memory = tl_tape_memory(k->tape, (size_t)n * sizeof *memory);
    if (!memory) return fail(k, "%s", tl_tape_error(k->tape));
    for (long i = 0; i < n; i++) memory[i] = (tl_real)weight(k, i, n);
    if (!tl_backward_from(y, tl_tensor_of(memory, tl_shape_of_var(y))))
        return fail(k, "backward failed: %s", tl_tape_error(k->tape));
    return true;
}

static void forget_gradients(check *k) {
    for (int i = 0; i < k->leaves; i++) k->leaf[i]->reached = false;
}

static size_t bytes_of(const tl_leaf *leaf) { return (size_t)tl_numel(leaf->value) * sizeof(tl_real); }

static double largest(const tl_real *g, long n) {
    double m = 0;
    for (long i = 0; i < n; i++)
        if (!(fabs((double)g[i]) <= m)) m = fabs((double)g[i]);
    return m;
}

/* L with *place set to `value`. */
static bool at(check *k, tl_real *place, tl_real value, double *out) {
    tl_real keep = *place;
    *place = value;
    bool ok = loss(k, out);
    *place = keep;
    return ok;
}

typedef struct slope {
    double central, left, right;
} slope;

static bool difference(check *k, tl_real *place, double h, slope *s) {
    double x = (double)*place, up, up2, down, down2, here;
    h *= fmax(1, fabs(x));
    if (!at(k, place, (tl_real)(x + h), &up) || !at(k, place, (tl_real)(x - h), &down) ||
        !at(k, place, (tl_real)(x + 2 * h), &up2) || !at(k, place, (tl_real)(x - 2 * h), &down2) ||
        !loss(k, &here))
        return false;
    s->central = (8 * (up - down) - (up2 - down2)) / (12 * h);
    s->right = (up2 - here) / (2 * h);
    s->left = (here - down2) / (2 * h);
    return true;
}

static bool check_element(check *k, const tl_leaf *leaf, const tl_real *grad, long i, double scale) {
    tl_gradcheck_report *r = k->report;
    double a = (double)grad[i], h = FIRST_STEP, best = INFINITY, numeric = 0, absolute = 0, far = 0;
    bool hidden = false; /* at a smaller step the error is within the rounding of f */
    bool small = false;  /* the rounding of f is half of the element, or more */
    slope s = {0};
    for (int shrink = 0; shrink <= SHRINKS; shrink++, h /= SHRINKS_BY) {
        if (!difference(k, leaf->value.data + i, h, &s)) return false;
        double bottom = fmax(fmax(fabs(a), fabs(s.central)), 1e-3 * scale);
        /* The rounding of the first step is subtracted from the error. A smaller step rounds worse, but no more is
         * subtracted: otherwise a small enough step would excuse any error. */
        const double rounding = EPSILON * k->magnitude / FIRST_STEP;
        double error = fmax(0, fabs(a - s.central) - rounding);
        hidden |= shrink > 0 && fabs(a - s.central) <= EPSILON * k->magnitude / h;
        double relative = bottom > 0 ? error / bottom : error > 0 ? INFINITY : 0;
        if (!(relative >= best)) {
            best = relative;
            numeric = s.central;
            absolute = error;
            far = bottom > 0 ? fabs(a - s.central) / bottom : 0;
            small = rounding >= bottom / 2 && bottom > 0;
        }
        if (best <= r->tolerance) break;
    }
    r->checked++;
    /* A kink: the slopes left and right differ even for the smallest h, and the gradient is between them. */
    if (best > r->tolerance && fabs(s.left - s.right) > 0.05 * scale &&
        a >= fmin(s.left, s.right) - 1e-3 * scale && a <= fmax(s.left, s.right) + 1e-3 * scale) {
        r->kinks++;
        return true;
    }
    /* Near a kink only small steps are useful, and there the rounding of f hides the answer: counted and capped too. */
    if (best > r->tolerance && hidden) {
        r->unsure++;
        return true;
    }
    /* A gradient off by a factor of 2 would pass as well: the element is not decided. */
    if (best <= r->tolerance && small) {
        r->small++;
        return true;
    }
    /* In float, subtracting the rounding makes most errors 0: among those the one that was largest before is the
     * worst. */
    if (!(best <= r->relative) || (best == r->relative && far > k->farthest)) {
        snprintf(r->input, sizeof r->input, "%s", leaf->name);
        r->index = i;
        r->analytic = a;
        r->numeric = numeric;
        r->absolute = absolute;
        r->relative = isnan(best) ? INFINITY : best;
        k->farthest = far;
    }
    return true;
}

static long sampled(const check *k, long n) {
    return k->options->sample > 0 && k->options->sample < n ? k->options->sample : n;
}

static long most(const tl_real *g, long n) {
    long at = 0;
    for (long i = 1; i < n; i++)
        if (fabs((double)g[i]) > fabs((double)g[at])) at = i;
    return at;
}

/* The element of leaf l that is checked as number i of `count`: all in order, or first the element with the largest
 * gradient, then one drawn from each of count-1 equal parts. */
static long chosen(const check *k, int l, long i, long count) {
    const long n = tl_numel(k->leaf[l]->value);
    if (count == n) return i;
    if (i == 0) return most(k->grad[l], n);
    const tl_rng_key key = tl_rng_key_of(k->options->seed, k->leaf[l]->name);
    const double part = (double)n / (double)(count - 1);
    const long at = (long)(((double)(i - 1) + tl_rng_uniform(key, (uint64_t)i)) * part);
    return at < n ? at : n - 1;
}

static void count_elements(check *k) {
    for (int l = 0; l < k->leaves; l++) {
        if (k->leaf[l]->frozen) continue;
        k->report->elements += tl_numel(k->leaf[l]->value);
        k->all += sampled(k, tl_numel(k->leaf[l]->value));
    }
}

static bool tell(check *k) {
    const tl_gradcheck_options *o = k->options;
    if (!o->progress || o->progress(o->context, k->report->checked, k->all)) return true;
    return fail(k, "stopped after %ld of %ld elements", k->report->checked, k->all);
}

static bool check_elements(check *k) {
    count_elements(k);
    for (int l = 0; l < k->leaves; l++) {
        const tl_leaf *leaf = k->leaf[l];
        if (leaf->frozen) continue;
        long n = tl_numel(leaf->value);
        double scale = largest(k->grad[l], n);
        if (n && scale == 0 && !k->options->zero_is_fine)
            return fail(k, "the gradient of %s is zero everywhere", leaf->name);
        for (long i = 0; i < sampled(k, n); i++)
            if (!check_element(k, leaf, k->grad[l], chosen(k, l, i, sampled(k, n)), scale) || !tell(k))
                return false;
    }
    tl_gradcheck_report *r = k->report;
    if (r->relative > r->tolerance)
        return fail(
            k, "%s[%ld]: backward says %.9g, differences say %.9g (off by %.3g, relative %.3g, allowed %.3g)",
            r->input, r->index, r->analytic, r->numeric, r->absolute, r->relative, r->tolerance);
    double most = k->options->most_kinks > 0 ? k->options->most_kinks : 0.02;
    if ((double)r->kinks > most * (double)r->checked)
        return fail(k, "%ld of %ld elements straddle a kink, at most %.3g %% may", r->kinks, r->checked,
                    100 * most);
    if ((double)r->unsure > most * (double)r->checked)
        return fail(k, "%ld of %ld elements cannot be decided in this precision, at most %.3g %% may",
                    r->unsure, r->checked, 100 * most);
    return true;
}

/* Backward must add to a gradient that is there already. */
static bool check_accumulates(check *k) {
    for (int l = 0; l < k->leaves; l++) {
        tl_leaf *leaf = k->leaf[l];
        for (long i = 0; i < tl_numel(leaf->value) && leaf->grad; i++)
            leaf->grad[i] = (tl_real)tl_rng_normal(k->weights, (uint64_t)(1000003 * (l + 1) + i));
        leaf->reached = true;
    }
    if (!gradients(k)) return false;
    for (int l = 0; l < k->leaves; l++) {
        const tl_leaf *leaf = k->leaf[l];
        if (leaf->frozen) continue;
        double scale = 4 + largest(k->grad[l], tl_numel(leaf->value));
        for (long i = 0; i < tl_numel(leaf->value); i++) {
            double before = tl_rng_normal(k->weights, (uint64_t)(1000003 * (l + 1) + i));
            double gained = (double)leaf->grad[i] - before, want = (double)k->grad[l][i];
            if (!(fabs(gained - want) <= 1e3 * EPSILON * scale))
                return fail(
                    k, "backward does not add to the gradient of %s[%ld]: it changed by %.9g, not by %.9g",
                    leaf->name, i, gained, want);
        }
    }
    return true;
}

/* Freezing one input must not change a bit of any other gradient, and must not touch its own. */
static bool check_freezing(check *k) {
    int wanted = 0; /* with a single leaf, freezing it leaves nothing to go backward to */
    for (int l = 0; l < k->leaves; l++) wanted += !k->leaf[l]->frozen;
    for (int f = 0; f < k->leaves && wanted > 1; f++) {
        if (k->leaf[f]->frozen) continue;
        k->leaf[f]->frozen = true;
        forget_gradients(k);
        bool ok = gradients(k), touched = k->leaf[f]->reached;
        k->leaf[f]->frozen = false;
        if (!ok) return false;
        if (touched) return fail(k, "%s is frozen and still got a gradient", k->leaf[f]->name);
        for (int l = 0; l < k->leaves; l++) {
            const tl_leaf *leaf = k->leaf[l];
            if (l == f || leaf->frozen || !leaf->reached) continue;
            if (memcmp(leaf->grad, k->grad[l], bytes_of(leaf)))
                return fail(k, "freezing %s changes the gradient of %s", k->leaf[f]->name, leaf->name);
        }
    }
    return true;
}

/* Before backward begins, everything that operations declare unread (op.h) is overwritten with NaN: no bit of a
 * gradient may change. */
static bool check_giving_back(check *k) {
    forget_gradients(k);
    tl_tape_set_give_back(k->tape, k->tape->spoils = true);
    const bool ok = gradients(k);
    tl_tape_set_give_back(k->tape, k->tape->spoils = false);
    for (int l = 0; l < k->leaves && ok; l++) {
        const tl_leaf *leaf = k->leaf[l];
        if (leaf->frozen || !leaf->reached) continue;
        for (long i = 0; i < tl_numel(leaf->value); i++)
            if (memcmp(&leaf->grad[i], &k->grad[l][i], sizeof *leaf->grad))
                return fail(k,
                            "where memory is given back the gradient of %s[%ld] is %.9g, not %.9g: some "
                            "operation's backward reads what its forward says it does not (unread, op.h)",
                            leaf->name, i, (double)leaf->grad[i], (double)k->grad[l][i]);
    }
    return ok;
}

static bool prepare(check *k) {
    k->tape = tl_tape_new();
    k->x = calloc((size_t)k->leaves + 1, sizeof *k->x);
    k->grad = calloc((size_t)k->leaves + 1, sizeof *k->grad);
    if (!k->tape || !k->x || !k->grad) return fail(k, "out of memory");
    forget_gradients(k);
    if (!gradients(k)) return false;
    for (int l = 0; l < k->leaves; l++) {
        const tl_leaf *leaf = k->leaf[l];
        k->grad[l] = calloc(1, bytes_of(leaf) + 1);
        if (!k->grad[l]) return fail(k, "out of memory");
        if (leaf->frozen) continue;
        if (leaf->reached)
            memcpy(k->grad[l], leaf->grad, bytes_of(leaf));
        else if (!k->options->zero_is_fine)
            return fail(k, "no gradient reached %s", leaf->name);
    }
    return true;
}

static bool check_options(check *k) {
    const tl_gradcheck_options *o = k->options;
    if (!(o->tolerance >= 0 && isfinite(o->tolerance)))
        return fail(k, "tolerance is %g, should be 0 (the default) or more, and finite", o->tolerance);
    if (!(o->most_kinks >= 0 && o->most_kinks <= 1))
        return fail(k, "most_kinks is %g, should be a share in [0, 1]; 0 means 0.02", o->most_kinks);
    if (o->sample < 0) return fail(k, "sample is %ld, should be 0 (all elements) or more", o->sample);
    return true;
}

bool tl_gradcheck(tl_var (*f)(tl_tape *tape, const tl_var *x, void *data), void *data, int leaves,
                  tl_leaf *const *leaf, const tl_gradcheck_options *options, tl_gradcheck_report *report) {
    static const tl_gradcheck_options defaults = {0};
    tl_gradcheck_report own;
    check k = {.f = f,
               .data = data,
               .leaves = leaves,
               .leaf = leaf,
               .options = options ? options : &defaults,
               .farthest = -1,
               .report = report ? report : &own};
    *k.report = (tl_gradcheck_report){.ok = true};
    if (!f || leaves < 0 || (leaves > 0 && !leaf)) return fail(&k, "no function, or no leaves, to check");
    for (int i = 0; i < leaves; i++)
        if (!leaf[i] || !leaf[i]->name || !leaf[i]->value.data)
            return fail(&k, "leaf %d is NULL, or has no name or no data", i);
    k.report->tolerance = k.options->tolerance > 0 ? k.options->tolerance : TOLERANCE;
    k.weights = tl_rng_key_of(k.options->seed, "gradcheck.weights");
    bool ok = check_options(&k) && prepare(&k) && check_giving_back(&k) && check_elements(&k) &&
              check_accumulates(&k) && check_freezing(&k);
    if (k.grad) forget_gradients(&k);
    for (int l = 0; l < leaves && k.grad; l++) free(k.grad[l]);
    free(k.grad);
    free(k.x);
    tl_tape_free(k.tape);
    return ok;
}
