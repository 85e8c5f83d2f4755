/* Task 3, the loss: the right formulas and common mistakes. */
#include "models.h"

#include <math.h>

/* Mistakes: of the loss only; of the loss and so of its gradient; of the gradient only; of the operation only. Each
 * exercise's list is a consecutive part of these. */
enum { LOG_OF_ZERO, BASE_TWO, NEGATIVE, NO_TARGET, LOSS_ALONE };
enum {
    OVERFLOWS = LOSS_ALONE,
    OTHERS,
    NO_SMOOTHING,
    WHOLE_TARGET,
    SUM_OF_ALL,
    ALL_ROWS,
    NOT_DIVIDED,
    CLASSES_TOO,
    BOTH
};
enum { NO_ONE = BOTH, NO_DLOSS, IGNORED_TOO, OPPOSITE, GRADIENT };
enum { NO_DIVISOR = GRADIENT };
#define OF_THE_LOSS                                                                                         \
 {"log of a softmax", "those of the logarithm of a softmax: where that has come out as 0, it is infinite"}, \
     {"logarithm to base 2", "those with log2 in the place of log: bits, not nats"},                        \
     {"log without minus", "those of log p, not of -log p"}, {                                              \
  "no target at all", "those of 0/0 where no row has a target: the loss is 0"                               \
 }
#define OF_BOTH                                                                                            \
 {"no maximum in the loss",                                                                                \
  "those of e^x and its sum without the largest logit taken off first: they overflow, or vanish"},         \
     {"smoothing over the others",                                                                         \
      "those with the smoothing over the other classes - 1, not over all classes, the target among them"}, \
     {"no smoothing", "those without label smoothing"},                                                    \
     {"target not lessened", "those with 1, not 1 - smoothing, in front of the target's part"},            \
     {"smoothing by the sum",                                                                              \
      "those with smoothing times the sum over the classes in the place of their average"},                \
     {"divided by all rows", "those divided by all rows: rows without a target do not count"},             \
     {"sum for mean", "those of the rows' sum: it is not divided by their number"}, {                      \
  "mean over classes", "those divided by rows and by classes: a row has one loss, not one a class"         \
 }
#define OF_THE_GRADIENT                                                                            \
 {"target not subtracted", "those of p without the target's 1 - smoothing subtracted"},            \
     {"no dloss", "those without dloss, the gradient from above"},                                 \
     {"ignored rows too", "those with a gradient in rows without a target, too"}, {                \
  "target minus p", "those with the sign turned round: the target minus p, not p minus the target" \
 }
const course_slip course_loss_forward_slips[] = {OF_THE_LOSS, OF_BOTH, {0}};
const course_slip course_loss_backward_slips[] = {OF_BOTH, OF_THE_GRADIENT, {0}};
const course_slip course_loss_op_slips[] = {
    OF_THE_LOSS,
    OF_BOTH,
    OF_THE_GRADIENT,
    {"divisor not used", "those of the mean over the targets, though the options have a divisor"},
    {0}};

/* ---- one row: l = sum over v of share(v) · (-log p[v]) ---- */

typedef struct loss {
    long rows, classes;
    double smoothing;
    int ignored; /* the target that means none */
    bool ignores;
    unsigned slips;
} loss;

static bool made(const loss *l, int slip) { return l->slips & COURSE_SLIP(slip); }

static bool is_real(const loss *l, double target) { return !(l->ignores && target == (double)l->ignored); }

static double share(const loss *l, long v, long target) {
    const double s = made(l, NO_SMOOTHING) ? 0 : l->smoothing, n = (double)l->classes;
    double each = made(l, SUM_OF_ALL) ? s : s / n;
    if (made(l, OTHERS)) each = v == target ? 0 : each * n / (n - 1);
    return v == target ? each + (made(l, WHOLE_TARGET) ? 1 : 1 - s) : each;
}

/* Computes e^(x - m) and their sum; returns m. */
static double powers(const loss *l, const double *x, double *e, double *sum) {
    double largest = -INFINITY;
    *sum = 0;
    for (long v = 0; v < l->classes; v++) largest = fmax(largest, x[v]);
    if (made(l, OVERFLOWS)) largest = 0;
    for (long v = 0; v < l->classes; v++) *sum += e[v] = (double)(float)exp(x[v] - largest);
    return largest;
}

enum { CLASSES = 64 };

static double loss_of_row(const loss *l, const double *x, long target) {
    double e[CLASSES], sum, all = 0;
    const double largest = powers(l, x, e, &sum);
    for (long v = 0; v < l->classes; v++) {
        const double part = share(l, v, target);
        double nll = log(sum) - (x[v] - largest);
        if (made(l, LOG_OF_ZERO)) nll = -log((double)(float)(e[v] / sum));
        if (part != 0) all += part * nll;
    }
    if (made(l, BASE_TWO)) all /= log(2);
    return made(l, NEGATIVE) ? -all : all;
}

static double divisor(const loss *l, const double *targets, double given) {
    double real = 0;
    for (long i = 0; i < l->rows; i++) real += is_real(l, targets[i]);
    if (made(l, ALL_ROWS)) real = (double)l->rows;
    if (given > 0 && !made(l, NO_DIVISOR)) real = given;
    if (made(l, NOT_DIVIDED)) real = 1;
    if (made(l, CLASSES_TOO)) real *= (double)l->classes;
    return real > 0 ? real : made(l, NO_TARGET) ? 0 : 1;
}

static void add_gradient(const loss *l, const double *x, double target, double dloss, double *dx) {
    double e[CLASSES], sum, shares = 0;
    if (!is_real(l, target) && !made(l, IGNORED_TOO)) return;
    powers(l, x, e, &sum);
    for (long v = 0; v < l->classes; v++) shares += share(l, v, (long)target);
    if (target < 0) shares = 1;
    for (long v = 0; v < l->classes; v++) {
        double d = e[v] / sum * shares - share(l, v, (long)target);
        if (made(l, NO_ONE) && v == (long)target) d += made(l, WHOLE_TARGET) ? 1 : 1 - l->smoothing;
        dx[v] += dloss * (made(l, OPPOSITE) ? -d : d);
    }
}

/* ---- tier 1 ---- */

static loss of_case(const course_case *c, unsigned slips) {
    return (loss){.rows = c->n[0],
                  .classes = c->n[1],
                  .smoothing = c->p[0],
                  .ignored = -1,
                  .ignores = true,
                  .slips = slips};
}

static double whole_loss(const loss *l, const double *x, const double *targets, double given) {
    double sum = 0;
    for (long i = 0; i < l->rows; i++)
        if (is_real(l, targets[i])) sum += loss_of_row(l, x + i * l->classes, (long)targets[i]);
    return sum / divisor(l, targets, given);
}

static void whole_gradient(const loss *l, const double *x, const double *targets, double given, double dloss,
                           double *dx) {
    const double each = (made(l, NO_DLOSS) ? 1 : dloss) / divisor(l, targets, given);
    for (long i = 0; i < l->rows; i++)
        add_gradient(l, x + i * l->classes, targets[i], each, dx + i * l->classes);
}

void course_loss_forward_model(course_case *c, unsigned slips) {
    const loss l = of_case(c, slips);
    *course_data(c, "loss") = whole_loss(&l, course_data(c, "logits"), course_data(c, "targets"), 0);
}

void course_loss_backward_model(course_case *c, unsigned slips) {
    const loss l = of_case(c, slips << LOSS_ALONE);
    whole_gradient(&l, course_data(c, "logits"), course_data(c, "targets"), 0, c->p[1],
                   course_data(c, "dlogits"));
}

/* Some rows have no target, but fewer than half; at least two rows have one. */
static void draw_targets(double *targets, long rows, long classes, double none, course_kind kind,
                         course_rng *rng) {
    for (long i = 0; i < rows; i++) targets[i] = (double)course_between(rng, 0, classes - 1);
    if (rows < 3) return;
    const long from = course_between(rng, 0, rows - 1);
    const long count = kind == COURSE_NOTHING ? rows : course_between(rng, 1, rows / 2);
    for (long k = 0; k < count; k++) targets[(from + k) % rows] = none;
}

/* The target is not the most likely class, so its loss is above average. Rows of large numbers are alternately far
 * above 0 and far below. */
static void draw_logits(double *x, const double *targets, long rows, long classes, double none,
                        course_kind kind) {
    double sign = 1;
    for (long i = 0; i < rows; i++, x += classes) {
        if (targets[i] == none) continue;
        x[(long)targets[i]] = (double)(float)(x[(long)targets[i]] - 3);
        for (long v = 0; v < classes; v++) {
            if (kind == COURSE_LARGE) x[v] = (double)(float)(sign * (1e4 * fabs(x[v]) + 200));
            if (kind == COURSE_EQUAL) x[v] = 1e4;
        }
        sign = -sign;
    }
}

/* A number in [low, high), rounded to float. */
static double float_between(course_rng *rng, double low, double high) {
    return (double)(float)(low + (high - low) * course_uniform(rng));
}

/* Tolerance with a single class: the gradient cancels completely, so rounding is as large as that of dloss. */
#define OF_ONE 1e-3

static void draw_loss(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 1, 3) + 1, c->n[1] = 2 * course_between(rng, 2, 5) + 1;
    if (c->n[1] == c->n[0]) c->n[1] += 2;
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = 1, c->tolerance = OF_ONE;
    if (kind == COURSE_PRIME) c->n[0] = 13, c->n[1] = 37;
    if (kind == COURSE_EMPTY) c->n[0] = 0;
    c->n_name[0] = "rows", c->n_name[1] = "classes";
    c->p[0] = kind == COURSE_PRIME ? 0 : float_between(rng, 0.15, 0.35);
    double *x = course_array_normal(c, "logits", 2, rng, COURSE_DIMS(c->n[0], c->n[1]));
    double *targets = course_array_new(c, COURSE_IN, "targets", COURSE_DIMS(c->n[0]));
    draw_targets(targets, c->n[0], c->n[1], -1, kind, rng);
    draw_logits(x, targets, c->n[0], c->n[1], -1, kind);
}

void course_loss_forward_draw(course_case *c, course_kind kind, course_rng *rng) {
    draw_loss(c, kind, rng);
    course_array_new(c, COURSE_OUT, "loss", COURSE_DIMS(1));
}

void course_loss_backward_draw(course_case *c, course_kind kind, course_rng *rng) {
    draw_loss(c, kind, rng);
    c->p[1] = float_between(rng, 10, 30);
    course_array_new(c, COURSE_ADD, "dlogits", COURSE_DIMS(c->n[0], c->n[1]));
}

static bool rows_sum_to_zero(const course_case *given, const course_case *got, char *why) {
    return course_added_rows_sum_to_zero(given, got, "dlogits", why);
}

/* The operation's own ignore_id is n[3], if n[4] says that there is one. */
static bool ignored_get_nothing(const course_case *given, const course_case *got, char *why) {
    const course_array *x = &given->a[0];
    const long n = x->dim[x->rank - 1];
    const double *targets = course_data(given, "targets"), none = given->n[4] ? (double)given->n[3] : -1;
    const double *before = course_data(given, "dlogits"), *after = course_data(got, "dlogits");
    for (long k = 0; k < x->count; k++) {
        if (targets[k / n] != none || before[k] == after[k]) continue;
        snprintf(why, 256, "row %ld has no target, but its dlogits went from %.6g to %.6g", k / n, before[k],
                 after[k]);
        return false;
    }
    return true;
}
const course_invariant course_loss_backward_invariants[] = {
    {"rows sum to 0", rows_sum_to_zero}, {"ignored rows get nothing", ignored_get_nothing}, {0}};

/* ---- tier 2: logits [B,T,V]; n[3] the id that is ignored if n[4]; p: smoothing, divisor ---- */

static loss of_op(const course_case *c, unsigned slips) {
    return (loss){.rows = c->n[0] * c->n[1],
                  .classes = c->n[2],
                  .smoothing = c->p[0],
                  .ignored = (int)c->n[3],
                  .ignores = c->n[4] != 0,
                  .slips = slips};
}

void course_loss_op_model(course_case *c, unsigned slips) {
    const loss l = of_op(c, slips);
    const double *x = course_data(c, "logits"), *targets = course_data(c, "targets");
    *course_data(c, "loss") = whole_loss(&l, x, targets, c->p[1]);
    whole_gradient(&l, x, targets, c->p[1], *course_data(c, "dloss"), course_data(c, "dlogits"));
}

/* Draws sizes, options and logits; the caller adds further arrays between these and the targets. */
static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 3, c->n[1] = 2 * course_between(rng, 0, 1) + 1, c->n[2] = 2 * course_between(rng, 2, 5) + 1;
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = 1, c->tolerance = OF_ONE;
    if (kind == COURSE_PRIME) c->n[0] = 5, c->n[1] = 7, c->n[2] = 37;
    c->n_name[2] = "classes";
    c->n[3] = 2, c->n[4] = kind != COURSE_ONE;
    c->p[0] = kind == COURSE_EQUAL ? 0 : float_between(rng, 0.15, 0.35);
    c->p[1] = kind == COURSE_PRIME ? 50 : 0;
    course_array_normal(c, "logits", 2, rng, COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
}

static void draw_op_targets(course_case *c, course_kind kind, course_rng *rng) {
    const long rows = c->n[0] * c->n[1];
    double *targets = course_array_new(c, COURSE_IN, "targets", COURSE_DIMS(c->n[0], c->n[1]));
    draw_targets(targets, rows, c->n[2], 2, kind, rng);
    for (long i = 0, real = 0; kind != COURSE_NOTHING && i < rows && real < 2;
         i++) { /* 2 may also be drawn */
        real += targets[i] != 2;
        if (rows - i <= 2 - real && targets[i] == 2) targets[i] = 0, real++;
    }
    draw_logits(c->a[0].data, targets, rows, c->n[2], c->n[4] ? 2 : -1, kind);
}

void course_loss_op_draw(course_case *c, course_kind kind, course_rng *rng) {
    draw_op(c, kind, rng);
    double *dloss = course_array_new(c, COURSE_IN, "dloss", COURSE_DIMS(1));
    *dloss = float_between(rng, 10, 30);
    course_array_new(c, COURSE_OUT, "loss", COURSE_DIMS(1));
    course_array_new(c, COURSE_ADD, "dlogits", COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    draw_op_targets(c, kind, rng);
}

/* ---- tier 2: the report ---- */

enum { COUNTS_ALL, MEAN_NLL, SMOOTHED, LAST_OF_EQUALS };
const course_slip course_report_slips[] = {
    [COUNTS_ALL] = {"ignored targets counted", "those with ignored targets counted"},
    [MEAN_NLL] = {"nll divided", "those with the mean of -log p: the report holds its sum"},
    [SMOOTHED] = {"nll smoothed", "those with label smoothing in nll: the report's nll is without it"},
    [LAST_OF_EQUALS] = {"the last of equals",
                        "those with the last of equally large logits as the guess: it is the first"},
    {0}};

void course_report_draw(course_case *c, course_kind kind, course_rng *rng) {
    draw_op(c, kind, rng);
    draw_op_targets(c, kind, rng);
    const long rows = c->n[0] * c->n[1], classes = c->n[2];
    double *x = course_data(c, "logits"), *targets = course_data(c, "targets");
    /* some predictions are right; class 0 ties with the last class */
    for (long i = 0; i < rows && kind == COURSE_ODD; i += 2)
        if (targets[i] != 2) targets[i] = 0, x[i * classes] = x[(i + 1) * classes - 1] = 11;
    course_array_new(c, COURSE_OUT, "report", COURSE_DIMS(3));
}

static long guess(const double *x, long n, bool last) {
    long best = 0;
    for (long v = 1; v < n; v++)
        if (x[v] > x[best] || (last && x[v] == x[best])) best = v;
    return best;
}

void course_report_model(course_case *c, unsigned slips) {
    loss l = of_op(c, 0);
    const double *x = course_data(c, "logits"), *targets = course_data(c, "targets");
    double *report = course_data(c, "report"); /* count, correct, nll */
    report[0] = report[1] = report[2] = 0;
    if (!(slips & COURSE_SLIP(SMOOTHED))) l.smoothing = 0;
    for (long i = 0; i < l.rows; i++, x += l.classes) {
        const bool real = is_real(&l, targets[i]);
        if (!real && !(slips & COURSE_SLIP(COUNTS_ALL))) continue;
        report[0]++;
        report[1] += guess(x, l.classes, slips & COURSE_SLIP(LAST_OF_EQUALS)) == (long)targets[i];
        report[2] += loss_of_row(&l, x, (long)targets[i]);
    }
    if ((slips & COURSE_SLIP(MEAN_NLL)) && report[0] > 0) report[2] /= report[0];
}
