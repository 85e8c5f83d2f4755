/* Task 3, masked softmax: the right formulas and common mistakes. */
#include "models.h"

#include <math.h>
#include <stdlib.h>

/* ---- forward ---- */

enum {
    AFTER,
    LEAKS,
    DIVIDES_BY_ZERO,
    INVERTED,
    UNMASKED,
    ZERO_SCORE,
    HIDDEN_MAXIMUM,
    NO_MAXIMUM,
    FORWARD_SLIPS
};
#define SLIPS                                                                                             \
 [AFTER] = {"masked after softmax",                                                                       \
            "those of a softmax over all, set to 0 where hidden afterwards: rows no longer sum to 1"},    \
 [LEAKS] = {"a large negative number",                                                                    \
            "those with a number like -1e9 for what is hidden: where nothing is visible, all of it is"},  \
 [DIVIDES_BY_ZERO] = {"nothing visible", "those of 0/0 in rows in which nothing is visible: they are 0"}, \
 [INVERTED] = {"the mask inverted", "those with 0 and 1 of the mask exchanged"},                          \
 [UNMASKED] = {"no mask", "those without the mask"},                                                      \
 [ZERO_SCORE] = {"scores times the mask",                                                                 \
                 "those with x set to 0 where hidden: e^0 is 1, so what is hidden counts"},               \
 [HIDDEN_MAXIMUM] = {"the hidden maximum",                                                                \
                     "those with the largest x of all of the row taken off, hidden ones too: what is "    \
                     "visible vanishes beside it"},                                                       \
 [NO_MAXIMUM] = {"no maximum behind the mask",                                                            \
                 "those of e^x over its sum without the largest visible x taken off first: they overflow"}
const course_slip course_masked_forward_slips[] = {SLIPS, {0}};

static bool seen(double visible, unsigned slips) {
    return (visible != 0) != ((slips & COURSE_SLIP(INVERTED)) != 0) || (slips & COURSE_SLIP(UNMASKED));
}

/* The value of y in a row in which nothing is visible. */
static double of_nothing(long n, unsigned slips) {
    return slips & COURSE_SLIP(DIVIDES_BY_ZERO) ? NAN : slips & COURSE_SLIP(LEAKS) ? 1.0 / (double)n : 0;
}

/* One row of n numbers. Two choices are separate: which elements enter the sum and the maximum, and which are shown
 * in y. */
static void row(const double *x, const double *visible, double *y, long n, unsigned slips) {
    const bool zero = slips & COURSE_SLIP(ZERO_SCORE), all = zero || (slips & COURSE_SLIP(AFTER));
    double largest = -INFINITY, sum = 0;
    bool any = false;
    for (long j = 0; j < n; j++) {
        const bool sees = seen(visible[j], slips);
        y[j] = zero && !sees ? 0 : x[j];
        any |= sees;
        if (all || sees || (slips & COURSE_SLIP(HIDDEN_MAXIMUM))) largest = fmax(largest, y[j]);
    }
    if (slips & COURSE_SLIP(NO_MAXIMUM)) largest = 0;
    for (long j = 0; j < n; j++) {
        y[j] = all || seen(visible[j], slips) ? (double)(float)exp(y[j] - largest) : 0;
        sum += y[j];
    }
    for (long j = 0; j < n; j++) {
        if (all || seen(visible[j], slips)) y[j] /= sum;
        if (!any && !all) y[j] = of_nothing(n, slips);
        if ((slips & COURSE_SLIP(AFTER)) && !seen(visible[j], slips)) y[j] = 0;
    }
}

void course_masked_forward_model(course_case *c, unsigned slips) {
    const long n = c->n[1];
    for (long at = 0; at < c->n[0] * n; at += n)
        row(course_data(c, "x") + at, course_data(c, "visible") + at, course_data(c, "y") + at, n, slips);
}

/* Makes some but not all elements of each row visible, except for kinds that need more. `one` is visible, `other` is
 * not. */
static void draw_row(double *visible, long n, long i, course_kind kind, course_rng *rng) {
    const long one = course_between(rng, 0, n - 1),
               other = (one + 1 + course_between(rng, 0, n > 1 ? n - 2 : 0)) % n;
    for (long j = 0; j < n; j++) visible[j] = course_uniform(rng) < 0.6;
    visible[other] = 0, visible[one] = 1;
    for (long j = 0; kind == COURSE_MASKED && i < 2 && j < n; j++) visible[j] = (double)i;
    for (long j = 0; kind == COURSE_NOTHING && j < n; j++) visible[j] = 0;
}

void course_masked_forward_draw(course_case *c, course_kind kind, course_rng *rng) {
    course_softmax_sizes(c, kind, rng);
    const long n = c->n[1];
    double *x = course_array_normal(c, "x", kind == COURSE_LARGE ? 1e4 : 2, rng, COURSE_DIMS(c->n[0], n));
    double *visible = course_array_new(c, COURSE_IN, "visible", COURSE_DIMS(c->n[0], n));
    for (long i = 0; i < c->n[0]; i++) draw_row(visible + i * n, n, i, kind, rng);
    for (long k = 0; k < c->n[0] * n; k++) {
        if (kind == COURSE_EQUAL) x[k] = 3;
        if (kind == COURSE_LARGE && visible[k] == 0) x[k] = 8e4; /* larger than every visible number */
    }
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], n));
}

static bool sums(const course_case *given, const course_case *got, char *why) {
    const double *y = course_data(got, "y"), *visible = course_data(given, "visible");
    const long n = given->a[0].dim[given->a[0].rank - 1];
    for (long at = 0; at < given->a[0].count; at += n) {
        double sum = 0, right = 0;
        for (long j = at; j < at + n; j++) sum += y[j], right = fmax(right, visible[j]);
        if (fabs(sum - right) < 1e-4) continue;
        snprintf(why, 256, "row %ld of your y sums to %.6g, should sum to %g", at / n, sum, right);
        return false;
    }
    return true;
}

static bool hidden_are_zero(const course_case *given, const course_case *got, char *why) {
    const double *y = course_data(got, "y"), *visible = course_data(given, "visible");
    for (long k = 0; k < given->a[0].count; k++) {
        if (visible[k] != 0 || y[k] == 0) continue;
        snprintf(why, 256, "element %ld of your y is %.6g, but it is hidden: exactly 0", k, y[k]);
        return false;
    }
    return true;
}
const course_invariant course_masked_forward_invariants[] = {
    {"visible rows sum to 1", sums}, {"hidden is exactly 0", hidden_are_zero}, {0}};

/* ---- backward: softmax's own, since y is 0 where masked ---- */

void course_masked_backward_draw(course_case *c, course_kind kind, course_rng *rng) {
    course_softmax_sizes(c, kind, rng);
    const long n = c->n[1];
    double *y = course_array_normal(c, "y", 2, rng, COURSE_DIMS(c->n[0], n));
    double *visible = course_array_new(c, COURSE_IN, "visible", COURSE_DIMS(c->n[0], n));
    double x[64];
    for (long at = 0; at < c->n[0] * n; at += n) {
        draw_row(visible + at, n, at / n, kind, rng);
        for (long j = 0; j < n; j++) x[j] = y[at + j];
        row(x, visible + at, y + at, n, 0);
        for (long j = at; j < at + n; j++) y[j] = (double)(float)y[j];
    }
    course_array_normal(c, "dy", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(c->n[0], n));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], n));
}

static bool sums_to_zero(const course_case *given, const course_case *got, char *why) {
    return course_added_rows_sum_to_zero(given, got, "dx", why);
}

static bool hidden_get_nothing(const course_case *given, const course_case *got, char *why) {
    const double *before = course_data(given, "dx"), *after = course_data(got, "dx");
    const double *visible = course_data(given, "visible");
    for (long k = 0; k < given->a[0].count; k++) {
        if (visible[k] != 0 || before[k] == after[k]) continue;
        snprintf(why, 256, "element %ld of dx was %.6g and is %.6g, but it is hidden: its gradient is 0", k,
                 before[k], after[k]);
        return false;
    }
    return true;
}
const course_invariant course_masked_backward_invariants[] = {
    {"rows of dx sum to 0", sums_to_zero}, {"hidden gets no gradient", hidden_get_nothing}, {0}};

/* ---- tier 2: scores [B,H,T,S]; visibility follows from lengths, `shown` and n[4] (causal) ---- */

const course_slip course_masked_op_slips[] = {SLIPS, COURSE_SOFTMAX_BACKWARD_SLIPS, {0}};

/* Computes `visible`, of the scores' shape, from the mask; the runner does not use it. */
static void see(course_case *c) {
    const long B = c->n[0], H = c->n[1], T = c->n[2], S = c->n[3];
    const double *lengths = course_data(c, "key_lengths"), *attend = course_data(c, "attend");
    double *visible = course_data(c, "visible");
    for (long k = 0; k < B * H * T * S; k++) {
        const long j = k % S, i = k / S % T, b = k / (S * T * H);
        visible[k] =
            (double)j < lengths[b] && attend[(b * T + i) * S + j] != 0 && (!c->n[4] || j <= i + S - T);
    }
}

void course_masked_op_model(course_case *c, unsigned slips) {
    const long n = c->n[3];
    double *y = course_data(c, "y"), *dx = course_data(c, "dx");
    for (long at = 0; at < c->n[0] * c->n[1] * c->n[2] * n; at += n) {
        row(course_data(c, "x") + at, course_data(c, "visible") + at, y + at, n, slips);
        course_softmax_line_backward(y + at, course_data(c, "dy") + at, dx + at, n, 1,
                                     slips >> FORWARD_SLIPS);
    }
}

static void op_sizes(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 3, c->n[1] = 2, c->n[2] = 2 * course_between(rng, 2, 3) + 1;
    c->n[3] = c->n[2] + 2 * course_between(rng, 1, 3);
    /* with a single key there is nothing to choose */
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = 1, c->n[3] = 3;
    if (kind == COURSE_PRIME) c->n[0] = 2, c->n[1] = 3, c->n[2] = 11, c->n[3] = 17;
    if (kind == COURSE_EMPTY) c->n[2] = 0;
    c->n[4] = kind == COURSE_PRIME || kind == COURSE_VIEWS; /* causal */
    c->n_name[0] = "B", c->n_name[1] = "heads", c->n_name[2] = "queries", c->n_name[3] = "keys";
}

void course_masked_op_draw(course_case *c, course_kind kind, course_rng *rng) {
    op_sizes(c, kind, rng);
    const long B = c->n[0], H = c->n[1], T = c->n[2], S = c->n[3];
    double *x = course_array_normal(c, "x", kind == COURSE_LARGE ? 1e4 : 2, rng, COURSE_DIMS(B, H, T, S));
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(B, H, T, S));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(B, H, T, S));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(B, H, T, S));
    double *lengths = course_array_new(c, COURSE_IN, "key_lengths", COURSE_DIMS(B));
    double *attend = course_array_new(c, COURSE_IN, "attend", COURSE_DIMS(B, T, S));
    double *visible = course_array_new(c, COURSE_IN, "visible", COURSE_DIMS(B, H, T, S));
    for (long b = 0; b < B; b++) lengths[b] = (double)(S - b % 3);
    for (long i = 0; i < B * T; i++) draw_row(attend + i * S, S, i, kind, rng);
    see(c);
    for (long k = 0; kind == COURSE_LARGE && k < B * H * T * S; k++)
        if (visible[k] == 0) x[k] = 8e4;
}
const course_invariant course_masked_op_invariants[] = {{"visible rows sum to 1", sums},
                                                        {"hidden is exactly 0", hidden_are_zero},
                                                        {"rows of dx sum to 0", sums_to_zero},
                                                        {"hidden gets no gradient", hidden_get_nothing},
                                                        {0}};
