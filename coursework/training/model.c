/* Task 8, tier 1: Adam, the rate, clipping and accumulation, the right formulas and common mistakes. */
#include "model_update.h"

#include <math.h>

/* ---- Adam ---- */

enum {
    NO_CORRECTION,
    STEP_BEFORE,
    EPS_INSIDE,
    EPS_EARLY,
    BETA2_FOR_BOTH,
    BETAS_SWAPPED,
    COUPLED,
    DECAY_ALONE,
    UPHILL,
    NO_ROOT,
    NO_MOMENTUM,
    OLD_MOMENTS
};
static const course_slip adam_slips[] = {
    [NO_CORRECTION] = {"no bias correction", "those of Adam without bias correction: m and v as they are"},
    [STEP_BEFORE] = {"correction a step late",
                     "those with step - 1 in the bias correction: steps count from 1, and this one counts"},
    [EPS_INSIDE] = {"eps inside the root", "those with eps inside the root: √(v + eps), not √v + eps"},
    [EPS_EARLY] = {"eps before the correction",
                   "those with eps added to √v before v is corrected: it belongs behind the corrected root"},
    [BETA2_FOR_BOTH] = {"one beta for both", "those with β2 for m, too: m has β1"},
    [BETAS_SWAPPED] = {"betas swapped", "those with β1 and β2 in each other's place"},
    [COUPLED] = {"decay in the gradient",
                 "those with decay·p added to the gradient: decoupled, it never passes through m and v"},
    [DECAY_ALONE] = {"decay without rate",
                     "those with p - decay·p: the decay is multiplied by the rate, too"},
    [UPHILL] = {"uphill", "those with Adam's step added to p, not taken off"},
    [NO_ROOT] = {"no root", "those with v in the place of its root"},
    [NO_MOMENTUM] = {"g for m", "those with the gradient itself in the place of m"},
    [OLD_MOMENTS] = {"old moments", "those with p moved before m and v are: first the moments, then p"},
    {0}};

typedef struct adam_numbers {
    double rate, beta1, beta2, eps, decay, bias1, bias2;
} adam_numbers;

static adam_numbers adam_numbers_of(const course_case *c, unsigned slips) {
    adam_numbers a = {c->p[0], c->p[1], c->p[2], c->p[3], c->p[4], 1, 1};
    const double first = a.beta1, second = a.beta2;
    if (slips & (COURSE_SLIP(BETA2_FOR_BOTH) | COURSE_SLIP(BETAS_SWAPPED))) a.beta1 = second;
    if (slips & COURSE_SLIP(BETAS_SWAPPED)) a.beta2 = first;
    const double step = (double)(slips & COURSE_SLIP(STEP_BEFORE) ? c->n[1] - 1 : c->n[1]);
    if (slips & COURSE_SLIP(NO_CORRECTION)) return a;
    a.bias1 = 1 - pow(a.beta1, step), a.bias2 = 1 - pow(a.beta2, step);
    return a;
}

static double below(const adam_numbers *a, double v, unsigned slips) {
    const double corrected = v / a->bias2;
    if (slips & COURSE_SLIP(NO_ROOT)) return corrected + a->eps;
    if (slips & COURSE_SLIP(EPS_INSIDE)) return sqrt(corrected + a->eps);
    if (slips & COURSE_SLIP(EPS_EARLY)) return (sqrt(v) + a->eps) / sqrt(a->bias2);
    return sqrt(corrected) + a->eps;
}

static void model_adam(course_case *c, unsigned slips) {
    const adam_numbers a = adam_numbers_of(c, slips);
    const double *p = c->a[0].data, *g = c->a[1].data, *m = c->a[2].data, *v = c->a[3].data;
    const bool coupled = slips & COURSE_SLIP(COUPLED);
    for (long i = 0; i < c->n[0]; i++) {
        const double gradient = coupled ? g[i] + a.decay * p[i] : g[i];
        const double first = a.beta1 * m[i] + (1 - a.beta1) * gradient;
        const double second = a.beta2 * v[i] + (1 - a.beta2) * gradient * gradient;
        const bool old = slips & COURSE_SLIP(OLD_MOMENTS);
        const double up = slips & COURSE_SLIP(NO_MOMENTUM) ? gradient : (old ? m[i] : first) / a.bias1;
        const double move = a.rate * up / below(&a, old ? v[i] : second, slips);
        const double kept = coupled                            ? 1
                            : slips & COURSE_SLIP(DECAY_ALONE) ? 1 - a.decay
                                                               : 1 - a.rate * a.decay;
        c->a[4].data[i] = first, c->a[5].data[i] = second;
        c->a[6].data[i] = kept * p[i] + (slips & COURSE_SLIP(UPHILL) ? move : -move);
    }
}

/* Rates and eps are larger than in real training, so that every part of the formula shows. */
static void draw_adam(course_case *c, course_kind kind, course_rng *rng) {
    const bool first = kind == COURSE_ONE || kind == COURSE_EQUAL; /* m and v are 0 before the first step */
    c->n[0] = kind == COURSE_ONE ? 1 : kind == COURSE_PRIME ? 101 : kind == COURSE_EMPTY ? 0 : 7;
    c->n[1] = first ? 1 : kind == COURSE_PRIME ? 997 : course_between(rng, 2, 6);
    c->n_name[0] = "n", c->n_name[1] = "step";
    c->p[0] = 0.5 + 0.5 * course_uniform(rng);
    c->p[1] = 0.6 + 0.2 * course_uniform(rng), c->p[2] = 0.9 + 0.08 * course_uniform(rng);
    c->p[3] = kind == COURSE_EQUAL || kind == COURSE_LARGE ? 1e-8 : 0.3 + 0.3 * course_uniform(rng);
    c->p[4] = 0.2 + 0.3 * course_uniform(rng);
    const double scale = kind == COURSE_EQUAL ? 0 : kind == COURSE_LARGE ? 1e4 : 1, past = first ? 0 : scale;
    course_array_normal(c, "p before", 1, rng, COURSE_DIMS(c->n[0]));
    course_array_normal(c, "g", scale, rng, COURSE_DIMS(c->n[0]));
    course_array_normal(c, "m before", 0.5 * past, rng, COURSE_DIMS(c->n[0]));
    double *v = course_array_normal(c, "v before", 0.5 * past, rng, COURSE_DIMS(c->n[0]));
    for (long i = 0; i < c->n[0]; i++) v[i] = (double)(float)(v[i] * v[i] + 0.01 * past * past);
    course_array_new(c, COURSE_OUT, "m", COURSE_DIMS(c->n[0]));
    course_array_new(c, COURSE_OUT, "v", COURSE_DIMS(c->n[0]));
    course_array_new(c, COURSE_OUT, "p", COURSE_DIMS(c->n[0]));
}

static bool v_is_a_square(const course_case *given, const course_case *got, char *why) {
    for (long i = 0; i < given->n[0]; i++) {
        if (got->a[5].data[i] >= 0) continue;
        snprintf(why, 256, "v[%ld] is %.6g; a mean of squares is not negative", i, got->a[5].data[i]);
        return false;
    }
    return true;
}
static const course_invariant adam_invariants[] = {{"v is not negative", v_is_a_square}, {0}};

/* ---- the rate ---- */

enum { LARGER, STEP_LATE, STAYS, NO_WARMUP, STEEP, NO_SQUARE_ROOT };
static const course_slip rate_slips[] = {
    [LARGER] = {"the larger of the two",
                "those with the larger of step^-0.5 and step·warmup^-1.5: the smaller counts"},
    [STEP_LATE] = {"warm-up a step late",
                   "those with step - 1: steps count from 1, and the first has a rate already"},
    [STAYS] = {"no decay after warm-up",
               "those of a rate that stays at its peak: from step `warmup` on it falls with step^-0.5"},
    [NO_WARMUP] = {"no warm-up",
                   "those of d_model^-0.5·step^-0.5 from the first step on: it does not rise at first"},
    [STEEP] = {"warmup^-0.5",
               "those with step·warmup^-0.5: it is warmup^-1.5, so that the two meet at step `warmup`"},
    [NO_SQUARE_ROOT] = {"1/step", "those that fall with 1/step from the peak on: it is step^-0.5"},
    {0}};

static double model_rate_at(double d_model, double warmup, double step, unsigned slips) {
    if (slips & COURSE_SLIP(STEP_LATE)) step -= 1;
    double falls = pow(step, -0.5), rises = step * pow(warmup, slips & COURSE_SLIP(STEEP) ? -0.5 : -1.5);
    if (slips & COURSE_SLIP(NO_SQUARE_ROOT)) falls = sqrt(warmup) / step;
    if (slips & COURSE_SLIP(STAYS)) falls = pow(warmup, -0.5);
    if (slips & COURSE_SLIP(NO_WARMUP)) rises = falls;
    return pow(d_model, -0.5) * (slips & COURSE_SLIP(LARGER) ? fmax(falls, rises) : fmin(falls, rises));
}

static void model_rate(course_case *c, unsigned slips) {
    for (long i = 0; i < c->n[3]; i++)
        c->a[0].data[i] = model_rate_at((double)c->n[0], (double)c->n[1], (double)(c->n[2] + i), slips);
}

static void draw_rate(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 4, 30) + 1, c->n[1] = 2 * course_between(rng, 1, 4) + 1;
    c->n[2] = 1, c->n[3] = 2 * c->n[1] + 2 * course_between(rng, 1, 3) + 1;
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[3] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 127, c->n[1] = 37, c->n[3] = 101;
    if (kind == COURSE_LARGE) c->n[1] = 10007, c->n[2] = 10001, c->n[3] = 13;
    c->n_name[0] = "d_model", c->n_name[1] = "warmup";
    course_array_new(c, COURSE_OUT, "rate", COURSE_DIMS(c->n[3]));
}

static bool peak_at_warmup(const course_case *given, const course_case *got, char *why) {
    const double *rate = got->a[0].data;
    const long peak = given->n[1] - given->n[2];
    for (long i = 0; i < given->n[3]; i++) {
        if (i == peak || rate[i] <= rate[peak]) continue;
        snprintf(why, 256, "the rate of step %ld is above that of step %ld, where warm-up ends",
                 given->n[2] + i, given->n[1]);
        return false;
    }
    return true;
}
static const course_invariant rate_invariants[] = {{"largest at the end of warm-up", peak_at_warmup}, {0}};

/* ---- clipping: a case is two calls, the second with a limit above the norm ---- */

enum {
    EACH,
    ALWAYS,
    NO_ROOT_OF_SUM,
    SUM_OF_NORMS,
    ROOT_OF_MEAN,
    LARGEST,
    ABSOLUTE,
    UPSIDE_DOWN,
    ONLY_MEASURED
};
static const course_slip clip_slips[] = {
    [EACH] = {"each array by itself",
              "those with each array clipped by its own norm: the norm is that of all together"},
    [ALWAYS] = {"always clipped",
                "those of gradients that are scaled to the limit also where the norm is below it"},
    [NO_ROOT_OF_SUM] = {"no root of the sum",
                        "those with the sum of squares as the norm: its root is missing"},
    [SUM_OF_NORMS] = {"sum of norms",
                      "those with the arrays' norms added up: their squares add up, and the root comes last"},
    [ROOT_OF_MEAN] = {"mean for sum", "those with the mean of the squares under the root, not their sum"},
    [LARGEST] = {"largest number", "those with the largest |g| as the norm"},
    [ABSOLUTE] = {"sum of |g|", "those with the sum of |g| as the norm: squares are meant, and a root"},
    [UPSIDE_DOWN] = {"factor upside down",
                     "those of gradients multiplied by norm / limit: it is limit / norm"},
    [ONLY_MEASURED] = {"only measured",
                       "those of gradients whose norm is measured and which then stay as they are"},
    {0}};

static double array_norm(const course_array *a, int kind) { /* 2: squares; 1: |g|; 0: the largest */
    double sum = 0;
    for (long i = 0; i < a->count; i++) {
        const double g = fabs(a->data[i]);
        sum = kind == 2 ? sum + g * g : kind == 1 ? sum + g : fmax(sum, g);
    }
    return sum;
}

static double norm_of(const course_array *g, int count, unsigned slips) {
    double squares = 0, absolute = 0, largest = 0, norms = 0, elements = 0;
    for (int i = 0; i < count; i++) {
        squares += array_norm(&g[i], 2), norms += sqrt(array_norm(&g[i], 2));
        absolute += array_norm(&g[i], 1), largest = fmax(largest, array_norm(&g[i], 0));
        elements += (double)g[i].count;
    }
    if (slips & COURSE_SLIP(ABSOLUTE)) return absolute;
    if (slips & COURSE_SLIP(LARGEST)) return largest;
    if (slips & COURSE_SLIP(SUM_OF_NORMS)) return norms;
    if (slips & COURSE_SLIP(NO_ROOT_OF_SUM)) return squares;
    if (slips & COURSE_SLIP(ROOT_OF_MEAN)) return sqrt(squares / elements);
    return sqrt(squares);
}

static double factor_of(double norm, double limit, unsigned slips) {
    if (slips & COURSE_SLIP(ONLY_MEASURED)) return 1;
    if (!(norm > limit) && !(slips & COURSE_SLIP(ALWAYS))) return 1;
    return slips & COURSE_SLIP(UPSIDE_DOWN) ? norm / limit : limit / norm;
}

static void model_clip(course_case *c, unsigned slips) {
    const double norm = norm_of(c->a, 3, slips);
    for (int call = 0; call < 2; call++)
        for (int i = 0; i < 3; i++) {
            const double own = slips & COURSE_SLIP(EACH) ? norm_of(&c->a[i], 1, slips) : norm;
            const double factor = factor_of(own, c->p[call], slips);
            for (long k = 0; k < c->a[i].count; k++)
                c->a[4 + 3 * call + i].data[k] = factor * c->a[i].data[k];
            c->a[3].data[call] = norm;
        }
}

static void draw_clip(course_case *c, course_kind kind, course_rng *rng) {
    static const char *const names[] = {"g[0]",
                                        "g[1]",
                                        "g[2]",
                                        "norm",
                                        "g[0] clipped",
                                        "g[1] clipped",
                                        "g[2] clipped",
                                        "g[0] below the limit",
                                        "g[1] below the limit",
                                        "g[2] below the limit"};
    long size[3] = {3, 5 + 2 * course_between(rng, 0, 2), 11};
    if (kind == COURSE_ONE) size[0] = size[1] = size[2] = 1;
    if (kind == COURSE_PRIME) size[0] = 13, size[1] = 97, size[2] = 41;
    if (kind == COURSE_EMPTY) size[course_between(rng, 0, 2)] = 0;
    const double scale = kind == COURSE_LARGE ? 1e4 : kind == COURSE_EQUAL ? 0 : 1;
    for (int i = 0; i < 3; i++) course_array_normal(c, names[i], scale, rng, COURSE_DIMS(size[i]));
    course_array_new(c, COURSE_OUT, names[3], COURSE_DIMS(2));
    for (int i = 4; i < 10; i++) course_array_new(c, COURSE_OUT, names[i], COURSE_DIMS(size[(i - 4) % 3]));
    /* all gradients are 0: nothing to clip */
    const double norm = kind == COURSE_EQUAL ? 1 : norm_of(c->a, 3, 0);
    c->p[0] = norm * (0.2 + 0.2 * course_uniform(rng)), c->p[1] = norm * (1.5 + course_uniform(rng));
}

static bool within_limit(const course_case *given, const course_case *got, char *why) {
    const double norm = norm_of(&got->a[4], 3, 0);
    if (norm <= given->p[0] * 1.0001) return true;
    snprintf(why, 256, "after clipping to %.6g the norm is %.6g", given->p[0], norm);
    return false;
}
static const course_invariant clip_invariants[] = {{"no norm above the limit", within_limit}, {0}};

/* ---- accumulation ---- */

enum { MEAN_OF_MEANS, PLAIN_SUM, NOT_ZEROED, LAST_ALONE, DIVIDED_TWICE };
static const course_slip sum_slips[] = {
    [MEAN_OF_MEANS] = {"mean of means",
                       "those of the mean of the micro-batches' gradients: each counts by its tokens"},
    [PLAIN_SUM] =
        {"plain sum",
         "those of the sum of the micro-batches' gradients: each counts by its share of all tokens"},
    [NOT_ZEROED] = {"not zeroed", "those of a sum that begins with what stood in g before: it begins with 0"},
    [LAST_ALONE] = {"the last one alone",
                    "those of the last micro-batch alone: each one overwrites those before it"},
    [DIVIDED_TWICE] = {"divided twice",
                       "those of the sum over all tokens: a mean is multiplied by its own tokens first"},
    {0}};

static double weight_of(const double *tokens, long i, long count, unsigned slips) {
    double all = 0;
    for (long k = 0; k < count; k++) all += tokens[k];
    if (slips & COURSE_SLIP(PLAIN_SUM)) return 1;
    if (slips & COURSE_SLIP(MEAN_OF_MEANS)) return 1 / (double)count;
    return slips & COURSE_SLIP(DIVIDED_TWICE) ? 1 / all : tokens[i] / all;
}

static void model_sum(course_case *c, unsigned slips) {
    const long count = c->n[0], n = c->n[1];
    double *g = c->a[2].data;
    for (long k = 0; k < n; k++) {
        if (!(slips & COURSE_SLIP(NOT_ZEROED))) g[k] = 0;
        for (long i = slips & COURSE_SLIP(LAST_ALONE) ? count - 1 : 0; i < count; i++)
            g[k] += weight_of(c->a[1].data, i, count, slips) * c->a[0].data[i * n + k];
    }
}

static void draw_sum(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 1, 2) + 1, c->n[1] = c->n[0] + 2 * course_between(rng, 1, 4);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 11, c->n[1] = 97;
    if (kind == COURSE_EMPTY) c->n[1] = 0;
    c->n_name[0] = "count", c->n_name[1] = "n";
    course_array_normal(c, "micro", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    double *tokens = course_array_new(c, COURSE_IN, "tokens", COURSE_DIMS(c->n[0]));
    for (long i = 0; i < c->n[0]; i++)
        tokens[i] = kind == COURSE_EQUAL ? 7 : (double)((i % 2 ? 3 : 20) + course_between(rng, 0, 4));
    course_array_new(c, COURSE_OUT, "g", COURSE_DIMS(c->n[1]));
}

static bool between_them(const course_case *given, const course_case *got, char *why) {
    const long count = given->n[0], n = given->n[1];
    for (long k = 0; k < n; k++) {
        double low = INFINITY, high = -INFINITY;
        for (long i = 0; i < count; i++)
            low = fmin(low, given->a[0].data[i * n + k]), high = fmax(high, given->a[0].data[i * n + k]);
        const double g = got->a[2].data[k], room = 1e-4 * (1 + high - low);
        if (g >= low - room && g <= high + room) continue;
        snprintf(why, 256, "g[%ld] is %.6g; a mean lies between its parts, here %.6g and %.6g", k, g, low,
                 high);
        return false;
    }
    return true;
}
static const course_invariant sum_invariants[] = {{"a mean lies between its parts", between_them}, {0}};

/* ---- the task ---- */

#define KINDS                                                                                             \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY) | \
  COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL))

static const course_exercise tier1[] = {
    {.function = "adam_step",
     .part = COURSE_FORWARD,
     .kinds = KINDS,
     .draw = draw_adam,
     .model = model_adam,
     .slips = adam_slips,
     .invariants = adam_invariants},
    {.function = "noam_rate",
     .part = COURSE_FORWARD,
     .kinds = KINDS & ~(COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_EQUAL)),
     .draw = draw_rate,
     .model = model_rate,
     .slips = rate_slips,
     .invariants = rate_invariants},
    {.function = "clip_gradients",
     .part = COURSE_FORWARD,
     .kinds = KINDS,
     .draw = draw_clip,
     .model = model_clip,
     .slips = clip_slips,
     .invariants = clip_invariants},
    {.function = "accumulate",
     .part = COURSE_FORWARD,
     .kinds = KINDS,
     .draw = draw_sum,
     .model = model_sum,
     .slips = sum_slips,
     .invariants = sum_invariants},
    {0}};

/* ---- the worked example: two micro-batches, three parameters ---- */

static void print_row(FILE *to, const char *name, const double *a, long count) {
    fprintf(to, "%-24s", name);
    for (long i = 0; i < count; i++) fprintf(to, " %9.5f", a[i] + 0.0);
    fputc('\n', to);
}

static double *array_of(course_case *c, const char *name, const double *from, long count) {
    double *to = course_array_new(c, from ? COURSE_IN : COURSE_OUT, name, COURSE_DIMS(count));
    for (long i = 0; from && i < count; i++) to[i] = from[i];
    return to;
}

static void example_sum(FILE *to, double g[3]) {
    static const double micro[] = {3, 0, 2, 1, 4, -2}, tokens[] = {6, 2};
    course_case sum = {.n = {2, 3}};
    array_of(&sum, "micro", micro, 6), array_of(&sum, "tokens", tokens, 2), array_of(&sum, "g", NULL, 3);
    model_sum(&sum, 0);
    print_row(to, "micro-batch, 6 tokens", micro, 3);
    print_row(to, "micro-batch, 2 tokens", micro + 3, 3);
    print_row(to, "accumulated", sum.a[2].data, 3);
    model_sum(&sum, COURSE_SLIP(MEAN_OF_MEANS));
    print_row(to, "  (mean of means)", sum.a[2].data, 3);
    model_sum(&sum, 0);
    for (int i = 0; i < 3; i++) g[i] = sum.a[2].data[i];
    course_case_free(&sum);
}

static void example_clip(FILE *to, double g[3]) {
    course_case clip = {.p = {1, 100}};
    for (int i = 0; i < 3; i++) array_of(&clip, "g", &g[i], 1);
    array_of(&clip, "norm", NULL, 2);
    for (int i = 0; i < 6; i++) array_of(&clip, "clipped", NULL, 1);
    model_clip(&clip, 0);
    print_row(to, "norm", clip.a[3].data, 1);
    for (int i = 0; i < 3; i++) g[i] = clip.a[4 + i].data[0];
    print_row(to, "clipped to 1", g, 3);
    course_case_free(&clip);
}

static void example_adam(FILE *to, const double g[3]) {
    static const double zeros[3], ones[] = {1, 1, 1};
    double p[3], m[3], v[3];
    for (int i = 0; i < 3; i++) p[i] = ones[i], m[i] = v[i] = zeros[i];
    for (long step = 1; step <= 2; step++) { /* the same gradient twice */
        const double rate = model_rate_at(4, 4, (double)step, 0);
        course_case adam = {.n = {3, step}, .p = {rate, 0.9, 0.98, 1e-8, 0.1}};
        array_of(&adam, "p", p, 3), array_of(&adam, "g", g, 3), array_of(&adam, "m", m, 3),
            array_of(&adam, "v", v, 3);
        for (int i = 0; i < 3; i++) array_of(&adam, "out", NULL, 3);
        model_adam(&adam, 0);
        for (int i = 0; i < 3; i++)
            m[i] = adam.a[4].data[i], v[i] = adam.a[5].data[i], p[i] = adam.a[6].data[i];
        fprintf(to, "step %ld\n", step);
        print_row(to, "  rate", &rate, 1);
        print_row(to, "  m", m, 3);
        print_row(to, "  v", v, 3);
        print_row(to, "  p", p, 3);
        course_case_free(&adam);
    }
}

static void example(FILE *to) {
    double g[3];
    example_sum(to, g);
    example_clip(to, g);
    fprintf(to, "Adam: p = 1, beta1 = 0.9, beta2 = 0.98, decay = 0.1, d_model = 4, warmup = 4\n");
    example_adam(to, g);
}

extern const course_task course_task_training;
const course_task course_task_training = {
    .number = 8,
    .name = "training",
    .title = "Training",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = course_training_tier2,
    .operations = (const char *const[]){NULL},
    .questions = {{"Adam's first step, rate 0.01, no decay, eps 1e-8: how far does a number move whose "
                   "gradient is 1000?",
                   0.01, 1e-5},
                  {"Two micro-batches: 30 tokens with a mean loss of 2, and 10 tokens with a mean loss of 4. "
                   "What is the "
                   "mean loss of all 40?",
                   2.5, 0.001}},
    .example = example};
