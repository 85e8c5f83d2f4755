/* Task 2: broadcasting and Linear, the right formulas and common mistakes. */
#include "../marker/exercise.h"

#include <math.h>
#include <stdlib.h>

static bool has(unsigned slips, int k) { return slips & COURSE_SLIP(k); }

/* Does a mistake affect `row`: every row, or only the last? */
static bool counts(bool last_only, long row, long rows) { return !last_only || row == rows - 1; }

/* ---- y = x + p + s ---- */

enum { P_FIRST, S_FIRST, NO_P, NO_S, P_BY_SENTENCE };
static const course_slip add_forward_slips[] = {
    [P_FIRST] = {"one position for all", "those in which every word gets p's row of position 0"},
    [S_FIRST] = {"one sentence for all", "those in which every word gets s's row of sentence 0"},
    [NO_P] = {"no p", "those of x + s: p is not added"},
    [NO_S] = {"no s", "those of x + p: s is not added"},
    [P_BY_SENTENCE] = {"p by sentence",
                       "those in which p is read at the sentence's number, not at the position"},
    {0}};

static void model_add_forward(course_case *c, unsigned slips) {
    const long B = c->n[0], T = c->n[1], D = c->n[2];
    const double *x = course_data(c, "x"), *p = course_data(c, "p"), *s = course_data(c, "s");
    double *y = course_data(c, "y");
    for (long b = 0; b < B; b++)
        for (long t = 0; t < T; t++)
            for (long d = 0; d < D; d++) {
                const long here = (b * T + t) * D + d, sentence = has(slips, S_FIRST) ? 0 : b;
                const long position = has(slips, P_FIRST) ? 0 : has(slips, P_BY_SENTENCE) ? b % T : t;
                y[here] = x[here];
                if (!has(slips, NO_P)) y[here] += p[position * D + d];
                if (!has(slips, NO_S)) y[here] += s[sentence * D + d];
            }
}

enum { MEANS, P_LAST, S_LAST, P_WHOLE, S_WHOLE, P_GIVEN_BY_SENTENCE };
static const course_slip add_backward_slips[] = {
    [MEANS] = {"mean for sum", "those with means over what was broadcast in the place of sums"},
    [P_LAST] = {"dp of one sentence",
                "those in which dp gets the last sentence's dy alone: all sentences read p"},
    [S_LAST] = {"ds of one word", "those in which ds gets the last position's dy alone: all words read s"},
    [P_WHOLE] = {"dp summed over all", "those in which every row of dp gets the sum over all positions, too"},
    [S_WHOLE] = {"ds summed over all", "those in which every row of ds gets the sum over all sentences, too"},
    [P_GIVEN_BY_SENTENCE] = {"dp by sentence",
                             "those in which dp is written at the sentence's number, not at the position"},
    {0}};

static void model_add_backward(course_case *c, unsigned slips) {
    const long B = c->n[0], T = c->n[1], D = c->n[2];
    const double *dy = course_data(c, "dy");
    double *dx = course_data(c, "dx"), *dp = course_data(c, "dp"), *ds = course_data(c, "ds");
    const double to_p = has(slips, MEANS) ? (double)B : 1, to_s = has(slips, MEANS) ? (double)T : 1;
    for (long i = 0; i < B * T * D; i++) {
        const long b = i / (T * D), t = i / D % T, d = i % D;
        const long position = has(slips, P_GIVEN_BY_SENTENCE) ? b % T : t;
        dx[i] += dy[i];
        for (long k = 0; k < T; k++)
            if ((k == position || has(slips, P_WHOLE)) && counts(has(slips, P_LAST), b, B))
                dp[k * D + d] += dy[i] / to_p;
        for (long k = 0; k < B; k++)
            if ((k == b || has(slips, S_WHOLE)) && counts(has(slips, S_LAST), t, T))
                ds[k * D + d] += dy[i] / to_s;
    }
}

static double *arrays_of_sum(course_case *c, course_kind kind, course_rng *rng, bool back) {
    c->n[0] = 3, c->n[1] = 5 + 2 * course_between(rng, 0, 2), c->n[2] = 11 + 2 * course_between(rng, 0, 2);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 7, c->n[1] = 13, c->n[2] = 37;
    if (kind == COURSE_EMPTY) c->n[course_between(rng, 0, 2)] = 0;
    const long B = c->n[0], T = c->n[1], D = c->n[2];
    const double scale = kind == COURSE_LARGE ? 1e4 : 1;
    c->n_name[0] = "batch", c->n_name[1] = "length", c->n_name[2] = "d_model";
    double *first = course_array_normal(c, back ? "dy" : "x", scale, rng, COURSE_DIMS(B, T, D));
    if (back) {
        course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(B, T, D));
        course_array_new(c, COURSE_ADD, "dp", COURSE_DIMS(T, D));
        course_array_new(c, COURSE_ADD, "ds", COURSE_DIMS(B, 1, D));
    } else {
        course_array_normal(c, "p", scale, rng, COURSE_DIMS(T, D));
        course_array_normal(c, "s", scale, rng, COURSE_DIMS(B, 1, D));
        course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(B, T, D));
    }
    return first;
}
static void draw_add_forward(course_case *c, course_kind kind, course_rng *rng) {
    arrays_of_sum(c, kind, rng, false);
}
static void draw_add_backward(course_case *c, course_kind kind, course_rng *rng) {
    double *dy = arrays_of_sum(c, kind, rng, true);
    for (long i = 0; kind == COURSE_EQUAL && i < c->n[0] * c->n[1] * c->n[2]; i++) dy[i] = 1;
}

/* The sum of what the call added to an array. */
static double added(const course_case *given, const course_case *got, const char *name, const double *times) {
    double sum = 0;
    for (int i = 0; i < given->arrays; i++)
        if (course_data(given, name) == given->a[i].data)
            for (long k = 0; k < given->a[i].count; k++)
                sum += (got->a[i].data[k] - given->a[i].data[k]) * (times ? times[k] : 1);
    return sum;
}

static bool near(double a, double b, double scale) { return fabs(a - b) <= 1e-3 * (1 + scale); }

static bool sums_agree(const course_case *given, const course_case *got, char *why) {
    const double x = added(given, got, "dx", NULL), p = added(given, got, "dp", NULL),
                 s = added(given, got, "ds", NULL);
    if (near(x, p, fabs(x)) && near(x, s, fabs(x))) return true;
    snprintf(why, 256,
             "all that was added to dx sums to %.6g, to dp %.6g, to ds %.6g: the three should be equal", x, p,
             s);
    return false;
}
static const course_invariant add_invariants[] = {{"three equal sums", sums_agree}, {0}};

/* ---- y = x·wᵀ + bias: the mistakes of forward, then those of backward ---- */

enum {
    W_TURNED,
    NO_BIAS,
    BIAS_EACH,
    LAST_PRODUCT,
    ONE_ROW,
    FORWARD_SLIPS,
    DX_TURNED = FORWARD_SLIPS,
    DW_TURNED,
    DW_LAST,
    DW_MEAN,
    DX_FIRST,
    DBIAS_LAST,
    DBIAS_MEAN,
    DBIAS_EACH
};
#define FORWARDS                                                                                          \
 {"w read as [in,out]", "those with w read as if it were [in,out]: it is [out,in]"},                      \
     {"no bias", "those of x·wᵀ: the bias is not added"},                                                 \
     {"bias in every product", "those with the bias added once for each product, not once for each sum"}, \
     {"one product for the sum", "those of the last product alone: y = where y += is meant"}, {           \
  "one row for all", "those in which every row of y is made of x's row 0"                                 \
 }
#define BACKWARDS                                                                                      \
 {"dx with w as [in,out]", "those in which dx reads w as if it were [in,out]: it is [out,in]"},        \
     {"dw as [in,out]", "those in which dw is written as if it were [in,out]: it is [out,in]"},        \
     {"dw of one row", "those in which dw gets the last row's part alone: w is read by all rows"},     \
     {"mean for sum in dw", "those with dw's mean over the rows in the place of its sum"},             \
     {"dx of one output", "those in which dx gets the part of output 0 alone: all outputs read x"},    \
     {"bias not summed",                                                                               \
      "those in which dbias gets the last row of dy alone: the bias is read by all rows"},             \
     {"mean for sum in dbias", "those with dbias's mean over the rows in the place of its sum"}, {     \
  "dbias in the inner loop", "those in which dbias is added to once for each input, in times too much" \
 }
static const course_slip linear_forward_slips[] = {FORWARDS, {0}};
static const course_slip linear_backward_slips[] = {BACKWARDS, {0}};
static const course_slip linear_slips[] = {FORWARDS, BACKWARDS, {0}};

typedef struct layer {
    long rows, in, out;
    const double *x, *w, *bias; /* bias NULL: none */
} layer;

static void fill_y(const layer *l, double *y, unsigned slips) {
    for (long r = 0; r < l->rows; r++)
        for (long o = 0; o < l->out; o++) {
            const double bias = l->bias && !has(slips, NO_BIAS) ? l->bias[o] : 0;
            double sum = 0;
            for (long i = 0; i < l->in; i++) {
                const double x = l->x[(has(slips, ONE_ROW) ? 0 : r) * l->in + i];
                const double part = x * l->w[has(slips, W_TURNED) ? i * l->out + o : o * l->in + i];
                sum = has(slips, LAST_PRODUCT) ? part : sum + part;
            }
            y[r * l->out + o] = sum + bias * (has(slips, BIAS_EACH) ? (double)l->in : 1);
        }
}

/* Adds to the gradients that are not NULL. */
static void give(const layer *l, const double *dy, double *dx, double *dw, double *dbias, unsigned slips) {
    const double n = (double)l->rows;
    for (long r = 0; r < l->rows; r++)
        for (long o = 0; o < l->out; o++) {
            const double g = dy[r * l->out + o];
            double to_bias = has(slips, DBIAS_MEAN) ? g / n : g;
            if (has(slips, DBIAS_EACH)) to_bias *= (double)l->in;
            if (dbias && counts(has(slips, DBIAS_LAST), r, l->rows)) dbias[o] += to_bias;
            for (long i = 0; i < l->in; i++) {
                const long as_is = o * l->in + i, turned = i * l->out + o;
                if (dx && (o == 0 || !has(slips, DX_FIRST)))
                    dx[r * l->in + i] += g * l->w[has(slips, DX_TURNED) ? turned : as_is];
                if (dw && counts(has(slips, DW_LAST), r, l->rows))
                    dw[has(slips, DW_TURNED) ? turned : as_is] +=
                        g * l->x[r * l->in + i] / (has(slips, DW_MEAN) ? n : 1);
            }
        }
}

static layer layer_of(const course_case *c) {
    return (layer){
        c->n[0], c->n[1], c->n[2], course_data(c, "x"), course_data(c, "w"), course_data(c, "bias")};
}
static void model_forward(course_case *c, unsigned slips) {
    const layer l = layer_of(c);
    fill_y(&l, course_data(c, "y"), slips);
}
static void model_backward(course_case *c, unsigned slips) {
    const layer l = layer_of(c);
    give(&l, course_data(c, "dy"), course_data(c, "dx"), course_data(c, "dw"), course_data(c, "dbias"),
         slips << FORWARD_SLIPS);
}

static void odd_sizes(long *in, long *out, course_rng *rng) {
    *in = 5 + 2 * course_between(rng, 0, 2);
    do *out = 5 + 2 * course_between(rng, 0, 3);
    while (*out == *in);
}

static double *arrays_of_layer(course_case *c, course_kind kind, course_rng *rng, bool back) {
    c->n[0] = 3, odd_sizes(&c->n[1], &c->n[2], rng);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 23, c->n[1] = 31, c->n[2] = 17;
    if (kind == COURSE_EMPTY) c->n[course_between(rng, 0, 2)] = 0;
    const long rows = c->n[0], in = c->n[1], out = c->n[2];
    const double scale = kind == COURSE_LARGE ? 1e4 : 1;
    c->n_name[0] = "rows", c->n_name[1] = "in", c->n_name[2] = "out";
    double *x = course_array_normal(c, "x", scale, rng, COURSE_DIMS(rows, in));
    course_array_normal(c, "w", scale, rng, COURSE_DIMS(out, in));
    course_array_normal(c, back ? "dy" : "bias", 1, rng, back ? 2 : 1,
                        back ? (long[]){rows, out} : (long[]){out});
    if (back) {
        course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(rows, in));
        course_array_new(c, COURSE_ADD, "dw", COURSE_DIMS(out, in));
        course_array_new(c, COURSE_ADD, "dbias", COURSE_DIMS(out));
    } else
        course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(rows, out));
    for (long i = 0; kind == COURSE_EQUAL && i < rows * in; i++) x[i] = 1;
    return x;
}
static void draw_forward(course_case *c, course_kind kind, course_rng *rng) {
    arrays_of_layer(c, kind, rng, false);
}
static void draw_backward(course_case *c, course_kind kind, course_rng *rng) {
    arrays_of_layer(c, kind, rng, true);
}

/* y without the bias has degree 1 in x and in w, so both sums equal the sum of dy·y (Euler's theorem). */
static bool products_agree(const course_case *given, const course_case *got, char *why) {
    const double x = added(given, got, "dx", course_data(given, "x")),
                 w = added(given, got, "dw", course_data(given, "w"));
    if (near(x, w, fabs(x))) return true;
    snprintf(why, 256,
             "what was added to dx, times x, sums to %.6g; what was added to dw, times w, to %.6g: the two "
             "should be equal",
             x, w);
    return false;
}
static const course_invariant backward_invariants[] = {{"x·dx is w·dw", products_agree}, {0}};

enum {
    ALWAYS = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) |
             COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_LARGE)
};

static const course_exercise tier1[] = {{.function = "add_forward",
                                         .part = COURSE_FORWARD,
                                         .kinds = ALWAYS,
                                         .draw = draw_add_forward,
                                         .model = model_add_forward,
                                         .slips = add_forward_slips},
                                        {.function = "add_backward",
                                         .part = COURSE_BACKWARD,
                                         .kinds = ALWAYS | COURSE_HAS(COURSE_EQUAL),
                                         .draw = draw_add_backward,
                                         .model = model_add_backward,
                                         .slips = add_backward_slips,
                                         .invariants = add_invariants},
                                        {.function = "linear_forward",
                                         .part = COURSE_FORWARD,
                                         .kinds = ALWAYS | COURSE_HAS(COURSE_EQUAL),
                                         .draw = draw_forward,
                                         .model = model_forward,
                                         .slips = linear_forward_slips},
                                        {.function = "linear_backward",
                                         .part = COURSE_BACKWARD,
                                         .kinds = ALWAYS,
                                         .draw = draw_backward,
                                         .model = model_backward,
                                         .slips = linear_backward_slips,
                                         .invariants = backward_invariants},
                                        {0}};

/* ---- tier 2: x of one, two or three axes; with a bias or without; one weight used once or twice ---- */

enum { BATCH, LENGTH, IN, OUT, RANK, BIAS };

static double *wanted(const course_case *c, int input, const char *name) {
    return c->flags & COURSE_FROZEN << input ? NULL : course_data(c, name);
}

static void model_op(course_case *c, unsigned slips) {
    const long rows = c->n[BATCH] * c->n[LENGTH], in = c->n[IN], out = c->n[OUT];
    const double *dy = course_data(c, "dy"), *bias = c->n[BIAS] ? course_data(c, "bias") : NULL;
    double *y = course_data(c, "y"), *dx = wanted(c, 0, "dx"), *dw = wanted(c, 1, "dw"),
           *dbias = wanted(c, 2, "dbias");
    layer l = {rows, in, out, course_data(c, "x"), course_data(c, "w"), bias};
    if (!(c->flags & COURSE_SHARED)) {
        fill_y(&l, y, slips);
        give(&l, dy, dx, dw, dbias, slips);
        return;
    }
    double *made = calloc((size_t)(rows * out) + 1, sizeof *made),
           *given = calloc((size_t)(rows * out) + 1, sizeof *given);
    if (made && given) {
        layer second = l;
        fill_y(&l, made, slips);
        second.x = made;
        fill_y(&second, y, slips);
        give(&second, dy, given, dw, dbias, slips);
        give(&l, given, dx, dw, dbias, slips);
    }
    free(made), free(given);
}

static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    long *n = c->n, dims[3] = {1, 1, 1};
    n[BATCH] = 3, n[LENGTH] = 3, odd_sizes(&n[IN], &n[OUT], rng);
    n[RANK] = course_between(rng, 2, 3), n[BIAS] = kind == COURSE_ODD || course_uniform(rng) < 0.5;
    if (kind == COURSE_ONE) n[BATCH] = n[LENGTH] = 1, n[OUT] = 1, n[RANK] = 1;
    if (kind == COURSE_PRIME) n[BATCH] = 5, n[LENGTH] = 7, n[IN] = 31, n[OUT] = 17;
    if (kind == COURSE_EMPTY) n[BATCH] = 0;
    if (kind == COURSE_TWICE) n[OUT] = n[IN];
    if (kind == COURSE_FROZENS) c->flags |= (unsigned)COURSE_FROZEN << course_between(rng, 0, 2);
    if (!n[BIAS]) c->flags |= COURSE_FROZEN << 2; /* the bias is not used */
    const long rows = n[BATCH] * n[LENGTH], sizes[] = {n[BATCH], n[LENGTH], n[IN]};
    const int rank = (int)n[RANK];
    for (int k = 0; k < rank; k++) dims[k] = sizes[3 - rank + k];
    if (rank == 2) dims[0] = rows;
    const double scale = kind == COURSE_LARGE ? 1e4 : 1;
    course_array_normal(c, "x", scale, rng, rank, dims);
    course_array_normal(c, "w", kind == COURSE_TWICE ? 0.5 : 1, rng, COURSE_DIMS(n[OUT], n[IN]));
    course_array_normal(c, "bias", 1, rng, COURSE_DIMS(n[OUT]));
    long of_y[3] = {dims[0], dims[1], dims[2]};
    of_y[rank - 1] = n[OUT];
    course_array_normal(c, "dy", 1, rng, rank, of_y);
    course_array_new(c, COURSE_OUT, "y", rank, of_y);
    course_array_new(c, COURSE_ADD, "dx", rank, dims);
    course_array_new(c, COURSE_ADD, "dw", COURSE_DIMS(n[OUT], n[IN]));
    course_array_new(c, COURSE_ADD, "dbias", COURSE_DIMS(n[OUT]));
}

static const course_exercise tier2[] = {
    {.function = "tl_linear",
     .part = COURSE_BOTH,
     .kinds = ALWAYS | COURSE_HAS(COURSE_VIEWS) | COURSE_HAS(COURSE_TWICE) | COURSE_HAS(COURSE_FROZENS),
     .draw = draw_op,
     .model = model_op,
     .slips = linear_slips,
     .gradients = 5},
    {0}};

/* ---- the handout's example ---- */

static void print(FILE *to, const char *name, const double *a, long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        fprintf(to, "%-6s", r ? "" : name);
        for (long k = 0; k < columns; k++) fprintf(to, "%5g", a[r * columns + k] + 0.0);
        fputc('\n', to);
    }
}

static void example(FILE *to) {
    static const double x[] = {1, 2, 3, 0, 1, -1}, w[] = {1, 0, -1, 2, 1, 0}, bias[] = {1, -1},
                        dy[] = {1, -1, 2, 0};
    double y[4], dx[6] = {0}, dw[6] = {0}, dbias[2] = {0};
    const layer l = {2, 3, 2, x, w, bias};
    fill_y(&l, y, 0);
    give(&l, dy, dx, dw, dbias, 0);
    print(to, "x", x, 2, 3), print(to, "w", w, 2, 3), print(to, "bias", bias, 1, 2), print(to, "y", y, 2, 2);
    print(to, "dy", dy, 2, 2), print(to, "dx", dx, 2, 3), print(to, "dw", dw, 2, 3),
        print(to, "dbias", dbias, 1, 2);
}

extern const course_task course_task_linear;
const course_task course_task_linear = {
    .number = 2,
    .name = "linear",
    .title = "Broadcasting and Linear",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"linear", NULL},
    .questions =
        {{"x is [4,5,8], p is [5,8], y = x + p, every element of dy is 1. What is added to dp[0][0]?", 4,
          1e-3},
         {"Every element of w is 0, those of x, bias and dy are random. How many of the three arrays dx, dw "
          "and dbias "
          "are given anything but zeros?",
          2, 1e-3}},
    .example = example};
