/* Task 4: layer normalisation, the right formulas and common mistakes. */
#include "../marker/exercise.h"

#include <math.h>

/* ---- forward ---- */

enum {
    LESS_ONE,
    EPS_OUTSIDE,
    NO_EPS,
    NO_ROOT,
    NOT_INVERTED,
    ONE_FOR_ALL,
    NOT_CENTRED,
    NO_GAMMA,
    NO_BETA,
    BETA_INSIDE,
    FORWARD_SLIPS
};
#define OF_STATISTICS                                                                                   \
 {"variance over D-1", "those with the variance over D - 1: here it is over D"},                        \
     {"eps outside the root", "those with eps added to the square root, not under it"},                 \
     {"no eps", "those without eps"},                                                                   \
     {"no square root", "those divided by the variance, not by its square root"},                       \
     {"not inverted", "those multiplied by the standard deviation, not by one over it"},                \
     {"one mean for all", "those with one mean and one variance for all rows: each row has its own"}, { \
  "mean not taken off", "those of x·rstd: the mean is not taken off"                                   \
 }
#define OF_SCALES                                                                                       \
 {"no gamma", "those without gamma"}, {"no beta", "those without beta"}, {                              \
  "beta scaled, too", "those of gamma·(h + beta): beta is added after gamma, and not multiplied by it" \
 }
static const course_slip forward_slips[] = {OF_STATISTICS, OF_SCALES, {0}};

/* Mean and rstd of n numbers. */
static void statistics(const double *x, long n, double eps, unsigned slips, double *mean, double *rstd) {
    double variance = 0;
    *mean = 0;
    for (long j = 0; j < n; j++) *mean += x[j] / (double)n;
    for (long j = 0; j < n; j++) variance += (x[j] - *mean) * (x[j] - *mean);
    variance /= (double)(slips & COURSE_SLIP(LESS_ONE) ? n - 1 : n);
    if (slips & COURSE_SLIP(NO_EPS)) eps = 0;
    const double under = slips & COURSE_SLIP(EPS_OUTSIDE) ? 0 : eps;
    double by = slips & COURSE_SLIP(NO_ROOT) ? variance + under : sqrt(variance + under);
    if (slips & COURSE_SLIP(EPS_OUTSIDE)) by += eps;
    *rstd = slips & COURSE_SLIP(NOT_INVERTED) ? by : 1 / by;
}

/* gamma, beta NULL: 1 and 0. Fills mean and rstd [rows]. */
static void forward(const double *x, const double *gamma, const double *beta, double eps, long rows, long n,
                    unsigned slips, double *mean, double *rstd, double *y) {
    for (long i = 0; i < rows; i++) {
        const bool all = slips & COURSE_SLIP(ONE_FOR_ALL);
        statistics(all ? x : x + i * n, all ? rows * n : n, eps, slips, &mean[i], &rstd[i]);
        for (long j = 0; j < n; j++) {
            const double from = slips & COURSE_SLIP(NOT_CENTRED) ? 0 : mean[i];
            const double by = gamma && !(slips & COURSE_SLIP(NO_GAMMA)) ? gamma[j] : 1;
            const double shift = beta && !(slips & COURSE_SLIP(NO_BETA)) ? beta[j] : 0;
            const double h = (x[i * n + j] - from) * rstd[i];
            y[i * n + j] = by * h + (slips & COURSE_SLIP(BETA_INSIDE) ? by * shift : shift);
        }
    }
}

/* ---- backward ---- */

enum {
    NO_GAMMA_IN_G,
    PLUS,
    NO_AVERAGE,
    NO_H_TERM,
    SUMS,
    NO_RSTD,
    H_NOT_SCALED,
    DGAMMA_LAST,
    DGAMMA_X,
    DGAMMA_CENTRED,
    DGAMMA_MEAN,
    DBETA_MEAN,
    DBETA_GAMMA
};
#define OF_GAMMA_IN_G \
 { "gamma not in g", "those of dx with g = dy: y = gamma·h + beta, so g = dy·gamma" }
#define OF_DX                                                                              \
 {"plus for minus", "those with h times the average of g·h added, not taken off"},         \
     {"no average of g", "those of dx without its second term, the average of g"},         \
     {"no h term", "those of dx without its third term, h times the average of g·h"},      \
     {"sums for averages", "those of dx with sums over the row in the place of averages"}, \
     {"no rstd in front", "those of dx not multiplied by rstd"}, {                         \
  "h without rstd", "those of dx with x - mean in the place of h"                          \
 }
#define OF_SUMS                                                                           \
 {"dgamma not summed", "those with dgamma of the last row alone: rows are summed"},       \
     {"x for h in dgamma", "those with dgamma summed over dy·x, not over dy·h"},          \
     {"no rstd in dgamma", "those with dgamma summed over dy·(x - mean), not over dy·h"}, \
     {"mean for sum in dgamma", "those with dgamma the mean over rows, not the sum"},     \
     {"mean for sum in dbeta", "those with dbeta the mean over rows, not the sum"}, {     \
  "gamma in dbeta", "those with dbeta multiplied by gamma"                                \
 }
static const course_slip backward_slips[] = {OF_GAMMA_IN_G, OF_DX, OF_SUMS, {0}};

/* One row of dx. gamma NULL: 1. */
static void backward_row(const double *x, const double *gamma, double mean, double rstd, const double *dy,
                         long n, unsigned slips, double *dx) {
    const double by = slips & COURSE_SLIP(H_NOT_SCALED) ? 1 : rstd;
    const bool scaled = gamma && !(slips & COURSE_SLIP(NO_GAMMA_IN_G));
    double sum = 0, dot = 0;
    for (long j = 0; j < n; j++) {
        const double g = dy[j] * (scaled ? gamma[j] : 1);
        sum += g, dot += g * (x[j] - mean) * by;
    }
    if (!(slips & COURSE_SLIP(SUMS))) sum /= (double)n, dot /= (double)n;
    if (slips & COURSE_SLIP(NO_AVERAGE)) sum = 0;
    if (slips & COURSE_SLIP(NO_H_TERM)) dot = 0;
    if (slips & COURSE_SLIP(PLUS)) dot = -dot;
    for (long j = 0; j < n; j++) {
        const double g = dy[j] * (scaled ? gamma[j] : 1), d = g - sum - (x[j] - mean) * by * dot;
        dx[j] += slips & COURSE_SLIP(NO_RSTD) ? d : d * rstd;
    }
}

static void backward_gamma(const double *x, const double *mean, const double *rstd, const double *dy,
                           long rows, long n, unsigned slips, double *dgamma) {
    for (long j = 0; j < n; j++) {
        double sum = 0;
        for (long i = 0; i < rows; i++) {
            double h = (x[i * n + j] - mean[i]) * rstd[i];
            if (slips & COURSE_SLIP(DGAMMA_CENTRED)) h = x[i * n + j] - mean[i];
            if (slips & COURSE_SLIP(DGAMMA_X)) h = x[i * n + j];
            sum = dy[i * n + j] * h + (slips & COURSE_SLIP(DGAMMA_LAST) ? 0 : sum);
        }
        dgamma[j] += slips & COURSE_SLIP(DGAMMA_MEAN) && rows > 0 ? sum / (double)rows : sum;
    }
}

static void backward_beta(const double *gamma, const double *dy, long rows, long n, unsigned slips,
                          double *dbeta) {
    for (long j = 0; j < n; j++) {
        double sum = 0;
        for (long i = 0; i < rows; i++) sum += dy[i * n + j];
        if (slips & COURSE_SLIP(DBETA_GAMMA)) sum *= gamma[j];
        dbeta[j] += slips & COURSE_SLIP(DBETA_MEAN) && rows > 0 ? sum / (double)rows : sum;
    }
}

/* ---- tier 1 ---- */

static void model_forward(course_case *c, unsigned slips) {
    forward(course_data(c, "x"), course_data(c, "gamma"), course_data(c, "beta"), c->p[0], c->n[0], c->n[1],
            slips, course_data(c, "mean"), course_data(c, "rstd"), course_data(c, "y"));
}

static void model_backward(course_case *c, unsigned slips) {
    const long rows = c->n[0], n = c->n[1];
    const double *x = course_data(c, "x"), *gamma = course_data(c, "gamma"), *dy = course_data(c, "dy");
    const double *mean = course_data(c, "mean"), *rstd = course_data(c, "rstd");
    double *dx = course_data(c, "dx");
    for (long i = 0; i < rows; i++)
        backward_row(x + i * n, gamma, mean[i], rstd[i], dy + i * n, n, slips, dx + i * n);
    backward_gamma(x, mean, rstd, dy, rows, n, slips, course_data(c, "dgamma"));
    backward_beta(gamma, dy, rows, n, slips, course_data(c, "dbeta"));
}

static void sizes(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 1, 3) + 1, c->n[1] = c->n[0] + 2 * course_between(rng, 1, 4);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 11, c->n[1] = 37;
    if (kind == COURSE_EMPTY) c->n[0] = 0;
    c->n_name[0] = "rows", c->n_name[1] = "columns";
}

static double float_between(course_rng *rng, double low, double high) {
    return (double)(float)(low + (high - low) * course_uniform(rng));
}

/* Rows that differ in mean and in spread. COURSE_LARGE: noise on top of ±1e4, where floats are good to 1e-3, and so
 * are the results. */
static double *draw_rows(course_case *c, course_kind kind, course_rng *rng, long rows, long n, int rank,
                         const long *dims) {
    double *x = course_array_normal(c, "x", 1, rng, rank, dims);
    if (kind == COURSE_LARGE) c->tolerance = 2e-3;
    if (kind == COURSE_ONE) c->tolerance = 1e-3; /* dx cancels completely */
    for (long i = 0; i < rows; i++) {
        const double spread = float_between(rng, 0.5, 1.5),
                     offset = float_between(rng, 1, 2) * (i % 2 ? -1 : 1);
        for (long j = i * n; j < (i + 1) * n; j++) {
            x[j] = (double)(float)(spread * x[j] + offset);
            if (kind == COURSE_LARGE) x[j] = (double)(float)(8 * x[j] + (i % 2 ? -1e4 : 1e4));
            if (kind == COURSE_EQUAL) x[j] = (double)(i + 3);
        }
    }
    return x;
}

/* Numbers away from 0, of either sign. */
static void draw_gamma(course_case *c, course_rng *rng, long n) {
    double *gamma = course_array_new(c, COURSE_IN, "gamma", COURSE_DIMS(n));
    for (long j = 0; j < n; j++)
        gamma[j] = float_between(rng, 0.5, 1.5) * (course_uniform(rng) < 0.3 ? -1 : 1);
}

/* Large enough to show, except in cases about precision. The variance of a row of one number is only eps: a small
 * eps would make a rounding error as large as a gradient. */
static double draw_eps(course_kind kind, course_rng *rng) {
    if (kind == COURSE_ONE) return 0.25;
    return kind == COURSE_ODD || kind == COURSE_VIEWS ? float_between(rng, 0.1, 0.4) : (double)1e-5f;
}

static void draw_forward(course_case *c, course_kind kind, course_rng *rng) {
    sizes(c, kind, rng);
    const long rows = c->n[0], n = c->n[1];
    c->p[0] = draw_eps(kind, rng);
    draw_rows(c, kind, rng, rows, n, COURSE_DIMS(rows, n));
    draw_gamma(c, rng, n);
    course_array_normal(c, "beta", 1, rng, COURSE_DIMS(n));
    course_array_new(c, COURSE_OUT, "mean", COURSE_DIMS(rows));
    course_array_new(c, COURSE_OUT, "rstd", COURSE_DIMS(rows));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(rows, n));
}

static void draw_backward(course_case *c, course_kind kind, course_rng *rng) {
    sizes(c, kind, rng);
    const long rows = c->n[0], n = c->n[1];
    const double *x = draw_rows(c, kind, rng, rows, n, COURSE_DIMS(rows, n));
    if (kind == COURSE_LARGE) c->tolerance = 0; /* the mean is given, so no precision is lost */
    draw_gamma(c, rng, n);
    double *mean = course_array_new(c, COURSE_IN, "mean", COURSE_DIMS(rows));
    double *rstd = course_array_new(c, COURSE_IN, "rstd", COURSE_DIMS(rows));
    const double eps = kind == COURSE_ONE ? 0.25 : 1e-5; /* small: dx is orthogonal to h */
    for (long i = 0; i < rows; i++) {
        statistics(x + i * n, n, eps, 0, &mean[i], &rstd[i]);
        mean[i] = (double)(float)mean[i], rstd[i] = (double)(float)rstd[i];
    }
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(rows, n));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(rows, n));
    course_array_new(c, COURSE_ADD, "dgamma", COURSE_DIMS(n));
    course_array_new(c, COURSE_ADD, "dbeta", COURSE_DIMS(n));
}

/* ---- invariants ---- */

/* h, computed from y, has mean 0 and variance v/(v + eps), where v is x's variance: nearly 1. */
static bool is_normalised(const course_case *given, const course_case *got, char *why) {
    const course_array *x = &given->a[0];
    const long n = x->dim[x->rank - 1];
    const double *gamma = course_data(given, "gamma"), *beta = course_data(given, "beta");
    const double *y = course_data(got, "y");
    for (long at = 0; at < x->count; at += n) {
        double mean, rstd, sum = 0, squares = 0;
        statistics(x->data + at, n, given->p[0], 0, &mean, &rstd);
        for (long j = 0; j < n; j++) {
            const double h = (y[at + j] - (beta ? beta[j] : 0)) / (gamma ? gamma[j] : 1);
            sum += h, squares += h * h;
        }
        const double variance = squares / (double)n, right = 1 - given->p[0] * rstd * rstd;
        if (fabs(sum) < 1e-3 * (double)n && fabs(variance - right) < 1e-3) continue;
        snprintf(why, 256,
                 "h of row %ld, (y - beta)/gamma, has mean %.4g and variance %.4g, should have 0 and %.4g",
                 at / n, sum / (double)n, variance, right);
        return false;
    }
    return true;
}
static const course_invariant forward_invariants[] = {{"mean 0, variance 1", is_normalised}, {0}};

/* What the call added to dx: its sum over row i, and its product with x. */
static void sums_of_row(const course_case *given, const course_case *got, long at, long n, double *sum,
                        double *dot, double *scale) {
    const double *before = course_data(given, "dx"), *after = course_data(got, "dx");
    const double *x = given->a[0].data;
    double mean, rstd;
    statistics(x + at, n, 1e-5, 0, &mean, &rstd);
    *sum = *dot = 0, *scale = 1;
    for (long j = at; j < at + n; j++) {
        const double d = after[j] - before[j];
        *sum += d;
        *dot += d * (x[j] - mean) * rstd;
        *scale = fmax(*scale, fabs(after[j]));
    }
}

static bool rows_sum_to_zero(const course_case *given, const course_case *got, char *why) {
    const course_array *x = &given->a[0];
    const long n = x->dim[x->rank - 1];
    for (long at = 0; at < x->count; at += n) {
        double sum, dot, scale;
        sums_of_row(given, got, at, n, &sum, &dot, &scale);
        if (fabs(sum) < 1e-3 * scale) continue;
        snprintf(why, 256, "what you added to row %ld of dx sums to %.4g, should sum to 0", at / n, sum);
        return false;
    }
    return true;
}

/* With an eps of 1e-5, as in tier 1's cases. */
static bool is_orthogonal(const course_case *given, const course_case *got, char *why) {
    const long n = given->n[1];
    for (long at = 0; at < given->a[0].count; at += n) {
        double sum, dot, scale;
        sums_of_row(given, got, at, n, &sum, &dot, &scale);
        if (fabs(dot) < 2e-3 * scale) continue;
        snprintf(why, 256, "row %ld of what you added to dx, times h, sums to %.4g, should sum to 0", at / n,
                 dot);
        return false;
    }
    return true;
}
static const course_invariant backward_invariants[] = {
    {"rows of dx sum to 0", rows_sum_to_zero}, {"dx is orthogonal to h", is_orthogonal}, {0}};

static const course_invariant op_invariants[] = {
    {"mean 0, variance 1", is_normalised}, {"rows of dx sum to 0", rows_sum_to_zero}, {0}};

static const course_exercise tier1[] = {
    {.function = "layer_norm_forward",
     .part = COURSE_FORWARD,
     .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) |
              COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL),
     .draw = draw_forward,
     .model = model_forward,
     .slips = forward_slips,
     .invariants = forward_invariants},
    {.function = "layer_norm_backward",
     .part = COURSE_BACKWARD,
     .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) |
              COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_LARGE),
     .draw = draw_backward,
     .model = model_backward,
     .slips = backward_slips,
     .invariants = backward_invariants},
    {0}};

/* ---- tier 2: x [B,T,D]; y, then dx, dgamma, dbeta ---- */

enum { MOST_ROWS = 64 };

static bool frozen(const course_case *c, int input) { return c->flags & (COURSE_FROZEN << input); }

static void model_op(course_case *c, unsigned slips) {
    const long rows = c->n[0] * c->n[1], n = c->n[2];
    const unsigned back = slips >> FORWARD_SLIPS;
    const double *x = course_data(c, "x"), *gamma = course_data(c, "gamma"), *dy = course_data(c, "dy");
    double mean[MOST_ROWS], rstd[MOST_ROWS];
    double *dx = course_data(c, "dx"), *dgamma = course_data(c, "dgamma"), *dbeta = course_data(c, "dbeta");
    forward(x, gamma, course_data(c, "beta"), c->p[0], rows, n, slips, mean, rstd, course_data(c, "y"));
    for (long i = 0; i < rows && !frozen(c, 0); i++)
        backward_row(x + i * n, gamma, mean[i], rstd[i], dy + i * n, n, back, dx + i * n);
    if (dgamma && !frozen(c, 1)) backward_gamma(x, mean, rstd, dy, rows, n, back, dgamma);
    if (dbeta && !frozen(c, 2)) backward_beta(gamma, dy, rows, n, back, dbeta);
    /* one variable: one gradient, read twice */
    for (long j = 0; c->flags & COURSE_SHARED && j < n; j++) dgamma[j] = dbeta[j] = dgamma[j] + dbeta[j];
}

static void draw_op_sizes(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 3, c->n[1] = 2 * course_between(rng, 1, 2) + 1,
    c->n[2] = c->n[1] + 2 * course_between(rng, 1, 4);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 5, c->n[1] = 7, c->n[2] = 37;
    if (kind == COURSE_EMPTY) c->n[1] = 0;
    c->n_name[2] = "columns";
    c->p[0] = draw_eps(kind, rng);
    draw_rows(c, kind, rng, c->n[0] * c->n[1], c->n[2], COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
}

static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    draw_op_sizes(c, kind, rng);
    const long n = c->n[2];
    draw_gamma(c, rng, n);
    double *beta = course_array_normal(c, "beta", 1, rng, COURSE_DIMS(n));
    for (long j = 0; c->flags & COURSE_SHARED && j < n; j++) beta[j] = course_data(c, "gamma")[j];
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(c->n[0], c->n[1], n));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1], n));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], c->n[1], n));
    course_array_new(c, COURSE_ADD, "dgamma", COURSE_DIMS(n));
    course_array_new(c, COURSE_ADD, "dbeta", COURSE_DIMS(n));
    if (kind == COURSE_FROZENS) c->flags |= (unsigned)COURSE_FROZEN << course_between(rng, 0, 2);
}

static void draw_bare(course_case *c, course_kind kind, course_rng *rng) {
    draw_op_sizes(c, kind, rng);
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
}

static const course_slip op_slips[] = {OF_STATISTICS, OF_SCALES, OF_GAMMA_IN_G, OF_DX, OF_SUMS, {0}};

/* Without gamma and beta their mistakes cannot be made. */
static const course_slip bare_slips[] = {OF_STATISTICS, OF_DX, {0}};

static void model_bare(course_case *c, unsigned slips) {
    const unsigned ahead = slips & (COURSE_SLIP(NO_GAMMA) - 1), back = slips >> NO_GAMMA << PLUS;
    model_op(c, ahead | back << FORWARD_SLIPS);
}

#define OF_OPERATIONS                                                                                     \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_VIEWS) | \
  COURSE_HAS(COURSE_EMPTY))
static const course_exercise tier2[] = {{.function = "tl_layer_norm",
                                         .part = COURSE_BOTH,
                                         .kinds = OF_OPERATIONS | COURSE_HAS(COURSE_TWICE) |
                                                  COURSE_HAS(COURSE_FROZENS) | COURSE_HAS(COURSE_LARGE) |
                                                  COURSE_HAS(COURSE_EQUAL),
                                         .draw = draw_op,
                                         .model = model_op,
                                         .slips = op_slips,
                                         .invariants = op_invariants,
                                         .gradients = 5},
                                        {.function = "tl_layer_norm_bare",
                                         .part = COURSE_BOTH,
                                         .kinds = OF_OPERATIONS,
                                         .draw = draw_bare,
                                         .model = model_bare,
                                         .slips = bare_slips,
                                         .invariants = op_invariants,
                                         .gradients = 3},
                                        {0}};

/* ---- the worked example, computed by the model and shown in the handout ---- */

static void print(FILE *to, const course_array *a) {
    const long n = a->dim[a->rank - 1];
    for (long k = 0; k < a->count; k++) {
        if (k % n == 0) fprintf(to, "%-7s", k == 0 ? a->name : "");
        fprintf(to, " %9.5f%s", a->data[k] + 0.0, k % n == n - 1 ? "\n" : ""); /* 0, never -0 */
    }
}

static void put(course_case *c, const char *name, int rank, const long *dims, const double *from) {
    double *to = course_array_new(c, from ? COURSE_IN : COURSE_ADD, name, rank, dims);
    for (long k = 0; from && k < c->a[c->arrays - 1].count; k++) to[k] = from[k];
}

static void example(FILE *to) {
    static const double x[] = {1, 2, 3, 0, 0, 6}, gamma[] = {1, 2, -1}, beta[] = {0, 1, 0},
                        dy[] = {1, 0, 0, 0, 1, -2};
    course_case c = {.n = {2, 3}, .p = {1e-5}};
    put(&c, "x", COURSE_DIMS(2, 3), x);
    put(&c, "gamma", COURSE_DIMS(3), gamma);
    put(&c, "beta", COURSE_DIMS(3), beta);
    put(&c, "mean", COURSE_DIMS(2), NULL);
    put(&c, "rstd", COURSE_DIMS(2), NULL);
    put(&c, "y", COURSE_DIMS(2, 3), NULL);
    model_forward(&c, 0);
    for (int i = 0; i < c.arrays; i++) print(to, &c.a[i]);
    put(&c, "dy", COURSE_DIMS(2, 3), dy);
    put(&c, "dx", COURSE_DIMS(2, 3), NULL);
    put(&c, "dgamma", COURSE_DIMS(3), NULL);
    put(&c, "dbeta", COURSE_DIMS(3), NULL);
    model_backward(&c, 0);
    fprintf(to, "\n");
    for (int i = 6; i < c.arrays; i++) print(to, &c.a[i]);
    course_case_free(&c);
}

extern const course_task course_task_layer_norm;
const course_task course_task_layer_norm = {
    .number = 4,
    .name = "layer_norm",
    .title = "LayerNorm",
    .hours = 3,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"layer_norm", NULL},
    .questions =
        {{"A row is (0, 0, 0, 1000); eps is 0, gamma 1, beta 0. What is the last number of y?", 1.732051,
          0.01},
         {"Every number of a row becomes ten times as large, dy stays as it is, and eps is 0. By what factor "
          "does dx change?",
          0.1, 0.001}},
    .example = example};
