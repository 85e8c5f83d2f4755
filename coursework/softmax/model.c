/* Task 3: softmax and cross-entropy, what is right and what people write instead. */
#include "../marker/exercise.h"

#include <math.h>

/* ---- forward ---- */

enum { NO_MAXIMUM, COLUMNS, NOT_DIVIDED, BASE_TWO, WHOLE };
static const course_slip forward_slips[] = {
    [NO_MAXIMUM] = {"no maximum",
                    "those of e^x over its sum without the largest x taken off first: they overflow"},
    [COLUMNS] = {"the wrong axis", "those of a softmax along columns, not along rows"},
    [NOT_DIVIDED] = {"not divided", "those of e^(x - m): they are not divided by their sum"},
    [BASE_TWO] = {"powers of two", "those of 2^x over its sum: exp2 is not exp"},
    [WHOLE] = {"one sum for all", "those with one sum for the whole matrix: each row has its own"},
    {0}};

/* Softmax of n numbers that are `step` apart. */
static void softmax(const double *x, double *y, long n, long step, unsigned slips) {
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

static void model_forward(course_case *c, unsigned slips) {
    const long rows = c->n[0], columns = c->n[1];
    const double *x = course_data(c, "x");
    double *y = course_data(c, "y");
    const bool turned = slips & COURSE_SLIP(COLUMNS);
    if (slips & COURSE_SLIP(WHOLE)) {
        softmax(x, y, rows * columns, 1, slips);
        return;
    }
    for (long i = 0; i < (turned ? columns : rows); i++)
        softmax(x + (turned ? i : i * columns), y + (turned ? i : i * columns), turned ? rows : columns,
                turned ? columns : 1, slips);
}

static void sizes(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 1, 3) + 1, c->n[1] = c->n[0] + 2 * course_between(rng, 1, 4);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 11, c->n[1] = 37;
    if (kind == COURSE_EMPTY) c->n[0] = 0;
    c->n_name[0] = "rows", c->n_name[1] = "columns";
}

static void draw_forward(course_case *c, course_kind kind, course_rng *rng) {
    sizes(c, kind, rng);
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
static const course_invariant forward_invariants[] = {{"rows sum to 1", sums_to_one}, {0}};

/* ---- backward ---- */

enum { NO_SECOND_TERM, PLUS, MEAN, DOT_OF_DY, NO_Y };
static const course_slip backward_slips[] = {
    [NO_SECOND_TERM] = {"no second term", "those of softmax's backward without its second term: y·dy alone"},
    [PLUS] = {"plus for minus", "those with the row's sum of y·dy added, not taken off"},
    [MEAN] = {"mean for sum", "those with the row's mean of y·dy in the place of its sum"},
    [DOT_OF_DY] = {"sum of dy", "those with the row's sum of dy in the place of that of y·dy"},
    [NO_Y] = {"no y in front", "those of dy minus the row's sum of y·dy, not multiplied by y"},
    {0}};

static void model_backward(course_case *c, unsigned slips) {
    const long rows = c->n[0], columns = c->n[1];
    const double *y = course_data(c, "y"), *dy = course_data(c, "dy");
    double *dx = course_data(c, "dx");
    for (long i = 0; i < rows; i++) {
        double dot = 0;
        for (long j = i * columns; j < (i + 1) * columns; j++)
            dot += (slips & COURSE_SLIP(DOT_OF_DY) ? 1 : y[j]) * dy[j];
        if (slips & COURSE_SLIP(MEAN)) dot /= (double)columns;
        if (slips & COURSE_SLIP(NO_SECOND_TERM)) dot = 0;
        if (slips & COURSE_SLIP(PLUS)) dot = -dot;
        for (long j = i * columns; j < (i + 1) * columns; j++)
            dx[j] += (slips & COURSE_SLIP(NO_Y) ? 1 : y[j]) * (dy[j] - dot);
    }
}

static void draw_backward(course_case *c, course_kind kind, course_rng *rng) {
    sizes(c, kind, rng);
    double *y = course_array_normal(c, "y", 2, rng, COURSE_DIMS(c->n[0], c->n[1]));
    for (long i = 0; i < c->n[0]; i++) softmax(y + i * c->n[1], y + i * c->n[1], c->n[1], 1, 0);
    for (long k = 0; k < c->n[0] * c->n[1]; k++) y[k] = (double)(float)y[k];
    course_array_normal(c, "dy", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], c->n[1]));
}

static const course_exercise tier1[] = {
    {.function = "softmax_forward",
     .part = COURSE_FORWARD,
     .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) |
              COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL),
     .draw = draw_forward,
     .model = model_forward,
     .slips = forward_slips,
     .invariants = forward_invariants},
    {.function = "softmax_backward",
     .part = COURSE_BACKWARD,
     .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) |
              COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_LARGE),
     .draw = draw_backward,
     .model = model_backward,
     .slips = backward_slips},
    {0}};

/* ---- tier 2: y, then dx ---- */

static void model_op(course_case *c, unsigned slips) {
    const long rows = c->n[0], columns = c->n[1];
    const bool last = c->n[2] == 1;
    const double *x = course_data(c, "x"), *dy = course_data(c, "dy");
    double *y = course_data(c, "y"), *dx = course_data(c, "dx");
    const long lines = last ? rows : columns, n = last ? columns : rows, step = last ? 1 : columns;
    (void)slips;
    for (long i = 0; i < lines; i++) {
        const long at = last ? i * columns : i;
        softmax(x + at, y + at, n, step, 0);
        double dot = 0;
        for (long j = 0; j < n; j++) dot += y[at + j * step] * dy[at + j * step];
        for (long j = 0; j < n; j++) dx[at + j * step] += y[at + j * step] * (dy[at + j * step] - dot);
    }
}

static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    sizes(c, kind, rng);
    c->n[2] = course_between(rng, 0, 1); /* the axis */
    course_array_normal(c, "x", 2, rng, COURSE_DIMS(c->n[0], c->n[1]));
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1]));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(c->n[0], c->n[1]));
}

static const course_exercise tier2[] = {{.function = "tl_softmax",
                                         .part = COURSE_BOTH,
                                         .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) |
                                                  COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_VIEWS),
                                         .draw = draw_op,
                                         .model = model_op,
                                         .gradients = 3},
                                        {0}};

extern const course_task course_task_softmax;
const course_task course_task_softmax = {.number = 3,
                                         .name = "softmax",
                                         .title = "Softmax and cross-entropy",
                                         .hours = 4,
                                         .tier1 = tier1,
                                         .tier2 = tier2,
                                         .operations = (const char *const[]){"softmax", NULL}};
