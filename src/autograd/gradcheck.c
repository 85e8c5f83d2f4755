/* The gradient check: backward against differences of the function itself, element by element.
 *
 * L(x) = sum of f(x) times fixed random weights (with a plain sum, softmax's gradient would be zero everywhere). The
 * difference is the five-point formula  L' ~ [8(L(+h) - L(-h)) - (L(+2h) - L(-2h))] / 12h,  whose error is of order
 * h^4, so h can be large enough that rounding does not matter. Where the two are not alike, h shrinks: a kink between
 * x-2h and x+2h spoils the difference, and is told from a wrong gradient by the slopes on its two sides. */
#include "tape.h"
#include "base/format.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef TL_DOUBLE
static const double FIRST_STEP = 1e-3, TOLERANCE = 1e-6, EPSILON = DBL_EPSILON;
enum { SHRINKS = 3, SHRINKS_BY = 10 };
#else
/* Between the steps that straddle a kink and those that are lost in rounding lies little room, and by tens it is stepped over: of a
 * trained model's elements 6 to 12 % were left undecided so, by halves 1 to 3 %. */
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
    double
        farthest; /* relative error of the worst element so far before rounding is taken off; -1: none yet */
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
    for (int i = 0; i < k->leaves; i++) k->x[i] = tl_use_leaf(k->tape, k->leaf[i]);
    return k->f(k->tape, k->x, k->data);
}

/* Of element i of `count`; a result of one element is its own L, so that what is reported is its gradient. */
static double weight(const check *k, long i, long count) {
    if (count == 1) return 1;
    double u = tl_rng_uniform(k->weights, (uint64_t)i); /* away from 0, both signs */
    return u < 0.5 ? -0.5 - u : u;
}

/* Row-major element i of a tensor with any strides. */
static double element(tl_tensor t, long i) {
    long offset = 0;
    for (int a = t.rank - 1; a >= 0; a--) {
        offset += i % t.dim[a] * t.stride[a];
        i /= t.dim[a];
    }
    return (double)t.data[offset];
}

static bool loss(check *k, double *out) {
    bool was = tl_tape_set_grad(k->tape, false);
    tl_var y = forward(k);
    tl_tape_set_grad(k->tape, was);
    if (!tl_ok(y)) return fail(k, "the function failed: %s", tl_tape_error(k->tape));
    tl_tensor v = tl_value(y);
    double sum = 0, magnitude = 0;
    for (long i = 0; i < tl_numel(v); i++) {
        double term = weight(k, i, tl_numel(v)) * element(v, i);
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

/* L at leaf[i] + by; the value that was really set (rounded) is what counts. */
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
    bool hidden = false; /* at a smaller step, the difference is within the rounding of f */
    bool small = false;  /* what the rounding of f explains is half of the element, or more */
    slope s = {0};
    for (int shrink = 0; shrink <= SHRINKS; shrink++, h /= SHRINKS_BY) {
        if (!difference(k, leaf->value.data + i, h, &s)) return false;
        double bottom = fmax(fmax(fabs(a), fabs(s.central)), 1e-3 * scale);
        /* What rounding explains at the first step is no error. A smaller step rounds worse, but is given no more: else
         * shrinking would in the end excuse anything. */
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
    /* Near a kink only small steps serve, and at those the rounding of f hides the answer: counted and capped too. */
    if (best > r->tolerance && hidden) {
        r->unsure++;
        return true;
    }
    /* A missing factor of two would agree as well: nothing is known of it. */
    if (best <= r->tolerance && small) {
        r->small++;
        return true;
    }
    /* In float rounding explains most errors whole: of those that it leaves at 0 the farthest off is the worst. */
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

/* Which element is number i of leaf l's `count`: all in their order, or the largest gradient's and one of each equal part. */
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

/* Gradients that are there already must be added to, not replaced. */
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

/* Freezing one input must leave every other gradient as it was, to the bit, and its own untouched. */
static bool check_freezing(check *k) {
    int wanted = 0; /* where one alone is, nothing is left to go backward to without it */
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
    bool ok =
        check_options(&k) && prepare(&k) && check_elements(&k) && check_accumulates(&k) && check_freezing(&k);
    if (k.grad) forget_gradients(&k);
    for (int l = 0; l < leaves && k.grad; l++) free(k.grad[l]);
    free(k.grad);
    free(k.x);
    tl_tape_free(k.tape);
    return ok;
}

/* ---- cases of operations ---- */

typedef struct case_data {
    const tl_grad_case *c;
    int source[TL_CASE_INPUTS]; /* input i reads leaf source[i] */
} case_data;

static tl_var run_case(tl_tape *tape, const tl_var *x, void *data) {
    const case_data *d = data;
    tl_var in[TL_CASE_INPUTS];
    for (int i = 0; i < d->c->inputs; i++) in[i] = x[d->source[i]];
    return d->c->f(tape, in);
}

/* The counts of both runs, and the worst element of either. */
static void add_up(tl_gradcheck_report *r, const tl_gradcheck_report *first) {
    const tl_gradcheck_report second = *r;
    if (second.ok && (first->relative > second.relative || !second.input[0])) *r = *first;
    r->elements = first->elements + second.elements;
    r->checked = first->checked + second.checked;
    r->kinks = first->kinks + second.kinks;
    r->unsure = first->unsure + second.unsure;
    r->small = first->small + second.small;
}

bool tl_gradcheck_case(const tl_grad_case *c, tl_gradcheck_report *report) {
    tl_gradcheck_report own, *r = report ? report : &own;
    *r = (tl_gradcheck_report){.ok = true};
    if (!c || !c->f || c->inputs < 0 || c->inputs > TL_CASE_INPUTS) {
        tl_error_set(&r->error, "gradcheck: no case, or one of more than %d inputs", TL_CASE_INPUTS);
        return r->ok = false;
    }
    for (int i = 0; i < c->inputs; i++)
        if (tl_shape_numel(c->shape[i]) < 0) {
            tl_error_set(&r->error, "gradcheck: input %d of a case has a shape that no tensor can have", i);
            return r->ok = false;
        }
    static const char *const names[TL_CASE_INPUTS] = {"input 0", "input 1", "input 2", "input 3"};
    tl_leaf leaf[TL_CASE_INPUTS] = {{0}}, *pointer[TL_CASE_INPUTS];
    double low = c->low, high = c->low == 0 && c->high == 0 ? 1 : c->high;
    if (c->low == 0 && c->high == 0) low = -1;
    bool memory = true, shares = false;
    case_data alone = {.c = c}, shared = {.c = c};
    int distinct = 0; /* leaves of the shared run come first */
    for (int i = 0; i < c->inputs; i++) {
        long n = tl_shape_numel(c->shape[i]);
        tl_real *numbers = calloc((size_t)(2 * n) + 1, sizeof *numbers);
        if (!numbers) {
            memory = false;
            break;
        }
        leaf[i] =
            (tl_leaf){.name = names[i], .value = tl_tensor_of(numbers, c->shape[i]), .grad = numbers + n};
        tl_rng_key key = tl_rng_key_of(7, names[i]);
        for (long e = 0; e < n; e++)
            numbers[e] = (tl_real)(low + (high - low) * tl_rng_uniform(key, (uint64_t)e));
        pointer[i] = &leaf[i];
        alone.source[i] = i;
    }
    tl_gradcheck_options options = {.train = c->train};
    bool ok = memory && tl_gradcheck(run_case, &alone, c->inputs, pointer, &options, r);
    if (!memory) tl_error_set(&r->error, "gradcheck: out of memory");
    const tl_gradcheck_report first = *r;
    for (int i = 0; i < c->inputs && ok; i++) { /* inputs of one shape become one leaf */
        int same = -1;
        for (int j = 0; j < i; j++)
            if (tl_shape_equal(c->shape[j], c->shape[i])) same = shared.source[j];
        shares |= same >= 0;
        if (same < 0) pointer[distinct] = &leaf[i];
        shared.source[i] = same >= 0 ? same : distinct++;
    }
    options.zero_is_fine = true; /* x - x, x / x */
    if (ok && shares) {
        ok = tl_gradcheck(run_case, &shared, distinct, pointer, &options, r);
        add_up(r, &first);
    }
    for (int i = 0; i < c->inputs; i++) free(leaf[i].value.data);
    return r->ok = ok;
}
