/* Task 3, softmax: the right formulas and common mistakes. */
#include "models.h"

#include <math.h>

/* ---- forward ---- */

enum { NO_MAXIMUM, OTHER_AXIS, NOT_DIVIDED, BASE_TWO, WHOLE, FORWARD_SLIPS };
#define COMMON_SLIPS                                                                       \
 [NOT_DIVIDED] = {"not divided", "those of e^(x - m): they are not divided by their sum"}, \
 [BASE_TWO] = {"powers of two", "those of 2^x over its sum: exp2 is not exp"}
#define OVERFLOWS \
 { "no maximum", "those of e^x over its sum without the largest x taken off first: they overflow" }
const course_slip course_softmax_forward_slips[] = {
    [NO_MAXIMUM] = OVERFLOWS,
    [OTHER_AXIS] = {"the wrong axis", "those of a softmax along columns, not along rows"},
    COMMON_SLIPS,
    [WHOLE] = {"one sum for all", "those with one sum for the whole matrix: each row has its own"},
    {0}};

/* Softmax of n numbers with stride `step`. */
static void line(const double *x, double *y, long n, long step, unsigned slips) {
    double largest = -INFINITY, sum = 0;
    for (long j = 0; j < n; j++) largest = fmax(largest, x[j * step]);
    if (slips & COURSE_SLIP(NO_MAXIMUM)) largest = 0;
    for (long j = 0; j < n; j++) {
        const double z = x[j * step] - largest;
        y[j * step] = slips & COURSE_SLIP(BASE_TWO) ? exp2(z) : exp(z);
        if (slips & COURSE_SLIP(NO_MAXIMUM)) y[j * step] = (double)(float)y[j * step];
        sum += y[j * step];
    }
    for (long j = 0; j < n && !(slips & COURSE_SLIP(NOT_DIVIDED)); j++) y[j * step] /= sum;
}

void course_softmax_forward_model(course_case *c, unsigned slips) {
    const long rows = c->n[0], columns = c->n[1];
    const double *x = course_data(c, "x");
    double *y = course_data(c, "y");
    const bool turned = slips & COURSE_SLIP(OTHER_AXIS);
    if (slips & COURSE_SLIP(WHOLE)) {
        line(x, y, rows * columns, 1, slips);
        return;
    }
    for (long i = 0; i < (turned ? columns : rows); i++)
        line(x + (turned ? i : i * columns), y + (turned ? i : i * columns), turned ? rows : columns,
             turned ? columns : 1, slips);
}

void course_softmax_sizes(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 1, 3) + 1, c->n[1] = c->n[0] + 2 * course_between(rng, 1, 4);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 11, c->n[1] = 37;
    if (kind == COURSE_EMPTY) c->n[0] = 0;
    c->n_name[0] = "rows", c->n_name[1] = "columns";
}

void course_softmax_forward_draw(course_case *c, course_kind kind, course_rng *rng) {
    course_softmax_sizes(c, kind, rng);
    double *x =
        course_array_normal(c, "x", kind == COURSE_LARGE ? 1e4 : 2, rng, COURSE_DIMS(c->n[0], c->n[1]));
    for (long k = 0; kind == COURSE_EQUAL && k < c->n[0] * c->n[1]; k++) x[k] = 3;
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1]));
}

static bool sums_to_one(const course_case *given, const course_case *got, char *why) {
    const double *y = course_data(got, "y");
    for (long i = 0; i < given->n[0]; i++) {
        double sum = 0;
        for (long j = 0; j < given->n[1]; j++) sum += y[i * given->n[1] + j];
        if (fabs(sum - 1) < 1e-4) continue;
        snprintf(why, 256, "row %ld of your y sums to %.6g, should sum to 1", i, sum);
        return false;
    }
    return true;
}
const course_invariant course_softmax_forward_invariants[] = {{"rows sum to 1", sums_to_one}, {0}};

/* ---- backward ---- */

enum { NO_SECOND_TERM, PLUS, MEAN, DOT_OF_DY, NO_Y };
const course_slip course_softmax_backward_slips[] = {COURSE_SOFTMAX_BACKWARD_SLIPS, {0}};

void course_softmax_line_backward(const double *y, const double *dy, double *dx, long n, long step,
                                  unsigned slips) {
    double dot = 0;
    for (long j = 0; j < n * step; j += step) dot += (slips & COURSE_SLIP(DOT_OF_DY) ? 1 : y[j]) * dy[j];
    if (slips & COURSE_SLIP(MEAN)) dot /= (double)n;
    if (slips & COURSE_SLIP(NO_SECOND_TERM)) dot = 0;
    if (slips & COURSE_SLIP(PLUS)) dot = -dot;
    for (long j = 0; j < n * step; j += step) dx[j] += (slips & COURSE_SLIP(NO_Y) ? 1 : y[j]) * (dy[j] - dot);
}

void course_softmax_backward_model(course_case *c, unsigned slips) {
    const long columns = c->n[1];
    for (long at = 0; at < c->n[0] * columns; at += columns)
        course_softmax_line_backward(course_data(c, "y") + at, course_data(c, "dy") + at,
                                     course_data(c, "dx") + at, columns, 1, slips);
}

void course_softmax_backward_draw(course_case *c, course_kind kind, course_rng *rng) {
    course_softmax_sizes(c, kind, rng);
    double *y = course_array_normal(c, "y", 2, rng, COURSE_DIMS(c->n[0], c->n[1]));
    for (long i = 0; i < c->n[0]; i++) line(y + i * c->n[1], y + i * c->n[1], c->n[1], 1, 0);
    for (long k = 0; k < c->n[0] * c->n[1]; k++) y[k] = (double)(float)y[k];
    course_array_normal(c, "dy", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], c->n[1]));
}

bool course_added_rows_sum_to_zero(const course_case *given, const course_case *got, const char *name,
                                   char *why) {
    int which = 0;
    while (which + 1 < got->arrays && course_data(got, name) != got->a[which].data) which++;
    const course_array *after = &got->a[which], *before = &given->a[which];
    const long n = after->dim[after->rank - 1];
    for (long at = 0; at < after->count; at += n) {
        double sum = 0, scale = 1;
        for (long k = at; k < at + n; k++) {
            sum += after->data[k] - before->data[k];
            scale = fmax(scale, fabs(after->data[k]));
        }
        if (fabs(sum) < 1e-4 * scale) continue;
        snprintf(why, 256, "what you added to row %ld of %s sums to %.6g, should sum to 0", at / n, name,
                 sum);
        return false;
    }
    return true;
}

static bool sums_to_zero(const course_case *given, const course_case *got, char *why) {
    return course_added_rows_sum_to_zero(given, got, "dx", why);
}
const course_invariant course_softmax_backward_invariants[] = {{"rows of dx sum to 0", sums_to_zero}, {0}};

/* ---- tier 2: any axis of three; y, then dx ---- */

const course_slip course_softmax_op_slips[] = {
    [NO_MAXIMUM] = OVERFLOWS,
    [OTHER_AXIS] = {"the last axis always",
                    "those of a softmax along the last axis, which was not asked for"},
    COMMON_SLIPS,
    [WHOLE] = {"one sum for all", "those with one sum for the whole tensor: each line has its own"},
    COURSE_SOFTMAX_BACKWARD_SLIPS,
    {0}};

void course_softmax_op_model(course_case *c, unsigned slips) {
    const long *n = c->n, all = n[0] * n[1] * n[2];
    const int axis = slips & COURSE_SLIP(OTHER_AXIS) ? 2 : (int)n[3];
    const double *x = course_data(c, "x"), *dy = course_data(c, "dy");
    double *y = course_data(c, "y"), *dx = course_data(c, "dx");
    long length = n[axis], step = axis == 2 ? 1 : axis == 1 ? n[2] : n[1] * n[2];
    if (slips & COURSE_SLIP(WHOLE)) length = all, step = 1;
    for (long at = 0; at < all; at++) {
        if (at / step % length != 0) continue; /* a line begins at index 0 along the axis */
        line(x + at, y + at, length, step, slips);
        course_softmax_line_backward(y + at, dy + at, dx + at, length, step, slips >> FORWARD_SLIPS);
    }
}

void course_softmax_op_draw(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 3, c->n[1] = 2 * course_between(rng, 2, 3) + 1,
    c->n[2] = c->n[1] + 2 * course_between(rng, 1, 3);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 5, c->n[1] = 7, c->n[2] = 37;
    if (kind == COURSE_EMPTY) c->n[1] = 0;
    c->n[3] = kind == COURSE_PRIME ? 2 : course_between(rng, 0, 1); /* the axis */
    const double scale = kind == COURSE_LARGE ? 1e4 : 2;
    double *x = course_array_normal(c, "x", scale, rng, COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    for (long k = 0; kind == COURSE_EQUAL && k < c->a[0].count; k++) x[k] = 3;
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], c->n[1], c->n[2]));
    c->n_name[0] = "the first axis", c->n_name[1] = "the second axis", c->n_name[2] = "the last axis";
}

/* Lines of y sum to 1 along the axis, and what was added to dx to 0. */
static bool lines_sum(const course_case *given, const course_case *got, char *why) {
    const long *n = given->n, step = n[3] == 2 ? 1 : n[3] == 1 ? n[2] : n[1] * n[2], length = n[n[3]];
    const double *y = course_data(got, "y"), *before = course_data(given, "dx"),
                 *after = course_data(got, "dx");
    for (long at = 0; at < n[0] * n[1] * n[2]; at++) {
        if (at / step % length != 0) continue;
        double one = 0, zero = 0;
        for (long j = at; j < at + length * step; j += step) one += y[j], zero += after[j] - before[j];
        if (fabs(one - 1) < 1e-4 && fabs(zero) < 1e-4) continue;
        snprintf(why, 256,
                 "along axis %ld a line of y sums to %.6g, what was added to dx to %.6g: not 1 and 0", n[3],
                 one, zero);
        return false;
    }
    return true;
}
const course_invariant course_softmax_op_invariants[] = {{"y sums to 1, dx to 0", lines_sum}, {0}};
