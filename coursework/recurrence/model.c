/* Task 7: a GRU's step and additive attention's score, the right formulas and common mistakes. */
#include "../marker/exercise.h"

#include <math.h>

/* ---- a GRU's step, one unit of one sequence ---- */

enum {
    Z_SWAPPED,
    NO_OLD,
    RESET_OUTSIDE,
    NO_RESET,
    ORDER,
    TANH_GATES,
    SIGMOID_NEW,
    INTERLEAVED,
    OVERFLOWS,
    STEP_SLIPS
};
#define Z_SWAPPED_SLIP \
 [Z_SWAPPED] = {"z and 1 - z swapped", "those of z·n + (1 - z)·h: z and 1 - z stand in each other's place"}
#define STEP_SLIPS_LIST                                                                                    \
 [NO_OLD] = {"no old state", "those of (1 - z)·n alone: what z keeps of h is missing"},                    \
 [RESET_OUTSIDE] = {"r on all of n",                                                                       \
                    "those of n = tanh(r·(x_n + w_n)): r belongs to the hidden part w_n alone"},           \
 [NO_RESET] = {"no r in n", "those of n = tanh(x_n + w_n): r is not used"},                                \
 [ORDER] = {"gates in another order",                                                                      \
            "those of a step that takes the first part for z and the second for r: the order is r, z, n"}, \
 [TANH_GATES] = {"tanh for the gates", "those with tanh in the place of σ in r and z"},                    \
 [SIGMOID_NEW] = {"σ for the new state", "those with σ in the place of tanh in n"},                        \
 [INTERLEAVED] = {"parts interleaved",                                                                     \
                  "those of a step that looks for unit i's three numbers at 3·i, 3·i + 1 and 3·i + 2: " \
                  "each part is hidden wide, one after the other"},                                        \
 [OVERFLOWS] = {"σ overflows",                                                                             \
                "those with σ(x) computed as e^x / (1 + e^x), which is infinity over infinity for a "     \
                "large x"}
static const course_slip step_slips[] = {Z_SWAPPED_SLIP, STEP_SLIPS_LIST, {0}};

/* Backward's own mistakes, bits after the forward's. The last is the backward of the forward's swap; tier 2 already
 * has that one. */
enum {
    NO_DIRECT,
    NO_TANH_SLOPE,
    N_FOR_SQUARE,
    NO_SIGMA_SLOPE,
    NO_R,
    R_TWICE,
    H_FOR_W,
    H_ALONE,
    SIGN_OF_Z,
    PLACES,
    BACK_SWAPPED,
    BACK_SLIPS
};
#define BACK(k) COURSE_SLIP(STEP_SLIPS + (k))
#define BACK_SLIPS_LIST(first)                                                                               \
 [first +                                                                                                    \
     NO_DIRECT] = {"no direct path", "those without dh += dy·z, the way from y straight back to h"},         \
     [first + NO_TANH_SLOPE] = {"no slope of tanh", "those with dn without its factor 1 - n²"},              \
     [first + N_FOR_SQUARE] = {"1 - n for 1 - n²", "those with 1 - n in the place of 1 - n²"},               \
     [first + NO_SIGMA_SLOPE] = {"no slope of σ", "those without r·(1 - r) in dr and z·(1 - z) in dz"},      \
     [first + NO_R] = {"no r in drecall", "those with dn, not dn·r, in the last part of drecall"},           \
     [first + R_TWICE] = {"r in dx", "those with dn·r, not dn, in the last part of dx"},                     \
     [first +                                                                                                \
         H_FOR_W] = {"h for w_n",                                                                            \
                     "those with h in the place of w_n in dr: r multiplies w_n, the last part of recall"},   \
     [first +                                                                                                \
         H_ALONE] = {"no n in dz", "those of dz = dy·h·z·(1 - z): h - n is meant, for n has its share too"}, \
     [first +                                                                                                \
         SIGN_OF_Z] = {"sign of dz", "those with n - h in the place of h - n in dz: its sign is turned"},    \
     [first + PLACES] = {"dr and dz swapped",                                                                \
                         "those with dz in the first part of dx and drecall, and dr in the second"}
static const course_slip back_slips[] = {
    BACK_SLIPS_LIST(0),
    [BACK_SWAPPED] = {"z and 1 - z swapped",
                      "those of y = z·n + (1 - z)·h: z and 1 - z stand in each other's place"},
    {0}};

typedef struct unit {
    double x[3], w[3], h; /* given: parts r, z, n of x and recall */
    double r, z, n;
} unit;

/* Index of part k (0: r, 1: z, 2: n) of unit i in a row of x, recall and gates. */
static long place(int k, long i, long hidden, unsigned slips) {
    if ((slips & COURSE_SLIP(ORDER)) && k < 2) k = 1 - k;
    return slips & COURSE_SLIP(INTERLEAVED) ? 3 * i + k : k * hidden + i;
}

static double sigma(double x, unsigned slips) {
    if (!(slips & COURSE_SLIP(OVERFLOWS))) return 1 / (1 + exp(-x));
    const double e = (double)(float)exp(fmin(x, 200)); /* float's infinity begins at e^88.7 */
    return e / (1 + e);
}

static double gate(double x, unsigned slips) {
    return slips & COURSE_SLIP(TANH_GATES) ? tanh(x) : sigma(x, slips);
}

/* Fills r, z, n; returns y. */
static double step_unit(unit *u, unsigned slips) {
    u->r = gate(u->x[0] + u->w[0], slips);
    u->z = gate(u->x[1] + u->w[1], slips);
    double in = u->x[2] + u->r * u->w[2];
    if (slips & COURSE_SLIP(RESET_OUTSIDE)) in = u->r * (u->x[2] + u->w[2]);
    if (slips & COURSE_SLIP(NO_RESET)) in = u->x[2] + u->w[2];
    u->n = slips & COURSE_SLIP(SIGMOID_NEW) ? sigma(in, slips) : tanh(in);
    const bool swapped = slips & COURSE_SLIP(Z_SWAPPED);
    const double old = slips & COURSE_SLIP(NO_OLD) ? 0 : u->h;
    return swapped ? u->z * u->n + (1 - u->z) * old : (1 - u->z) * u->n + u->z * old;
}

static double gate_slope(double g, unsigned slips) {
    if (slips & BACK(NO_SIGMA_SLOPE)) return 1;
    return slips & COURSE_SLIP(TANH_GATES) ? 1 - g * g : g * (1 - g);
}

static double new_slope(double n, unsigned slips) {
    if (slips & BACK(NO_TANH_SLOPE)) return 1;
    if (slips & BACK(N_FOR_SQUARE)) return 1 - n;
    return slips & COURSE_SLIP(SIGMOID_NEW) ? n * (1 - n) : 1 - n * n;
}

/* Given r, z and n: what dy gives to x, w and h. For a forward with slips these are its own gradients. */
static void step_unit_back(const unit *u, double dy, unsigned slips, double dx[3], double dw[3], double *dh) {
    const bool no_old = slips & COURSE_SLIP(NO_OLD);
    const bool swapped = slips & (COURSE_SLIP(Z_SWAPPED) | BACK(BACK_SWAPPED));
    const double old = no_old ? 0 : u->h, sign = swapped ? -1 : 1;
    const double y_n = swapped ? u->z : 1 - u->z;
    double y_z = sign * (old - u->n), y_h = swapped ? 1 - u->z : u->z;
    if (no_old || (slips & BACK(NO_DIRECT))) y_h = 0;
    if (slips & BACK(H_ALONE)) y_z = sign * old;
    if (slips & BACK(SIGN_OF_Z)) y_z = -y_z;
    const double before = dy * y_n * new_slope(u->n, slips);
    double n_x = 1, n_w = u->r, n_r = slips & BACK(H_FOR_W) ? u->h : u->w[2];
    if (slips & COURSE_SLIP(RESET_OUTSIDE)) n_x = u->r, n_r = u->x[2] + n_r;
    if (slips & COURSE_SLIP(NO_RESET)) n_x = n_w = 1, n_r = 0;
    if (slips & BACK(NO_R)) n_w = 1;
    if (slips & BACK(R_TWICE)) n_x = u->r;
    dx[0] = dw[0] = before * n_r * gate_slope(u->r, slips);
    dx[1] = dw[1] = dy * y_z * gate_slope(u->z, slips);
    dx[2] = before * n_x, dw[2] = before * n_w;
    *dh = dy * y_h;
    if (slips & BACK(PLACES)) {
        const double dr = dx[0];
        dx[0] = dw[0] = dx[1], dx[1] = dw[1] = dr;
    }
}

/* ---- all units ---- */

static unit unit_at(const course_case *c, long b, long i, unsigned slips) {
    const long hidden = c->n[1];
    const double *x = course_data(c, "x"), *w = course_data(c, "recall"), *g = course_data(c, "gates");
    unit u = {.h = course_data(c, "h")[b * hidden + i]};
    for (int k = 0; k < 3; k++) {
        const long at = b * 3 * hidden + place(k, i, hidden, slips);
        u.x[k] = x ? x[at] : 0;
        u.w[k] = w[at];
        if (g) *(double *[]){&u.r, &u.z, &u.n}[k] = g[at];
    }
    return u;
}

static void give(course_case *c, const unit *u, long b, long i, unsigned slips) {
    const long hidden = c->n[1];
    const bool shared = c->flags & COURSE_SHARED; /* x is recall: its gradient is the sum of both */
    double dx[3], dw[3], dh;
    step_unit_back(u, course_data(c, "dy")[b * hidden + i], slips, dx, dw, &dh);
    for (int k = 0; k < 3; k++) {
        const long at = b * 3 * hidden + place(k, i, hidden, slips);
        if (shared) dx[k] = dw[k] = dx[k] + dw[k];
        if (!(c->flags & COURSE_FROZEN)) course_data(c, "dx")[at] += dx[k];
        if (!(c->flags & COURSE_FROZEN << 1)) course_data(c, "drecall")[at] += dw[k];
    }
    if (!(c->flags & COURSE_FROZEN << 2)) course_data(c, "dh")[b * hidden + i] += dh;
}

static void model_step(course_case *c, unsigned slips) {
    for (long b = 0; b < c->n[0]; b++)
        for (long i = 0; i < c->n[1]; i++) {
            double *gates = course_data(c, "gates") + b * 3 * c->n[1];
            unit u = unit_at(c, b, i, slips);
            course_data(c, "y")[b * c->n[1] + i] = step_unit(&u, slips);
            gates[place(0, i, c->n[1], slips)] = u.r;
            gates[place(1, i, c->n[1], slips)] = u.z;
            gates[place(2, i, c->n[1], slips)] = u.n;
        }
}

static void model_step_back(course_case *c, unsigned slips) {
    slips <<= STEP_SLIPS;
    for (long b = 0; b < c->n[0]; b++)
        for (long i = 0; i < c->n[1]; i++) {
            const unit u = unit_at(c, b, i, slips);
            give(c, &u, b, i, slips);
        }
}

static void model_op(course_case *c, unsigned slips) {
    double *dx = course_data(c, "dx"), *dw = course_data(c, "drecall");
    if (c->flags & COURSE_SHARED) /* one gradient, including what both arrays had before */
        for (long k = 0; k < c->n[0] * 3 * c->n[1]; k++) dx[k] = dw[k] = dx[k] + dw[k];
    for (long b = 0; b < c->n[0]; b++)
        for (long i = 0; i < c->n[1]; i++) {
            unit u = unit_at(c, b, i, slips);
            course_data(c, "y")[b * c->n[1] + i] = step_unit(&u, slips);
            give(c, &u, b, i, slips);
        }
}

static void step_sizes(course_case *c, course_kind kind, course_rng *rng) {
    c->n[0] = 2 * course_between(rng, 1, 2) + 1, c->n[1] = c->n[0] + 2 * course_between(rng, 1, 3);
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 7, c->n[1] = 23;
    if (kind == COURSE_EMPTY) c->n[0] = 0;
    /* in float, x + w of 1e4 each has only three decimals */
    if (kind == COURSE_LARGE) c->tolerance = 1e-2;
    c->n_name[0] = "batch", c->n_name[1] = "hidden";
}

/* x, recall and h: the inputs of a step. */
static void step_inputs(course_case *c, course_kind kind, course_rng *rng) {
    const double scale = kind == COURSE_LARGE ? 1e4 : 1;
    double *x = course_array_normal(c, "x", scale, rng, COURSE_DIMS(c->n[0], 3 * c->n[1]));
    double *w = course_array_normal(c, "recall", scale, rng, COURSE_DIMS(c->n[0], 3 * c->n[1]));
    double *h = course_array_normal(c, "h", 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    for (long k = 0; kind == COURSE_EQUAL && k < c->n[0] * 3 * c->n[1]; k++) x[k] = w[k] = 0.5;
    for (long k = 0; kind == COURSE_EQUAL && k < c->n[0] * c->n[1]; k++) h[k] = 0.5;
    for (long k = 0; kind == COURSE_TWICE && k < c->n[0] * 3 * c->n[1]; k++) w[k] = x[k];
}

static void draw_step(course_case *c, course_kind kind, course_rng *rng) {
    step_sizes(c, kind, rng);
    step_inputs(c, kind, rng);
    course_array_new(c, COURSE_OUT, "gates", COURSE_DIMS(c->n[0], 3 * c->n[1]));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1]));
}

static void draw_gradients(course_case *c, const char *const *names, const course_array *const *like) {
    for (; *names; names++, like++) course_array_new(c, COURSE_ADD, *names, (*like)->rank, (*like)->dim);
}

static void draw_step_back(course_case *c, course_kind kind, course_rng *rng) {
    step_sizes(c, kind, rng);
    const long batch = c->n[0], hidden = c->n[1], wide = 3 * hidden;
    double *gates = course_array_normal(c, "gates", 1.5, rng, COURSE_DIMS(batch, wide));
    for (long k = 0; k < batch * wide; k++)
        gates[k] = (double)(float)(k % wide < 2 * hidden ? sigma(gates[k], 0) : tanh(gates[k]));
    course_array_normal(c, "recall", 1, rng, COURSE_DIMS(batch, wide));
    course_array_normal(c, "h", 1, rng, COURSE_DIMS(batch, hidden));
    course_array_normal(c, "dy", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(batch, hidden));
    draw_gradients(c, (const char *const[]){"dx", "drecall", "dh", NULL},
                   (const course_array *const[]){&c->a[0], &c->a[1], &c->a[2]});
}

static void draw_op(course_case *c, course_kind kind, course_rng *rng) {
    step_sizes(c, kind, rng);
    step_inputs(c, kind, rng);
    if (kind == COURSE_FROZENS) c->flags |= COURSE_FROZEN << course_between(rng, 0, 2);
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(c->n[0], c->n[1]));
    draw_gradients(c, (const char *const[]){"dx", "drecall", "dh", NULL},
                   (const course_array *const[]){&c->a[0], &c->a[1], &c->a[2]});
}

static bool gates_in_range(const course_case *given, const course_case *got, char *why) {
    const long hidden = given->n[1];
    const double *gates = course_data(got, "gates");
    for (long k = 0; k < given->n[0] * 3 * hidden; k++) {
        const int part = (int)(k / hidden % 3);
        if (gates[k] >= (part == 2 ? -1 : 0) && gates[k] <= 1) continue;
        snprintf(why, 256, "%c of unit %ld is %.6g: %s", "rzn"[part], k % hidden, gates[k],
                 part == 2 ? "a tanh lies between -1 and 1" : "a gate lies between 0 and 1");
        return false;
    }
    return true;
}

static bool between_n_and_h(const course_case *given, const course_case *got, char *why) {
    const long hidden = given->n[1];
    const double *gates = course_data(got, "gates"), *y = course_data(got, "y"), *h = course_data(given, "h");
    for (long k = 0; k < given->n[0] * hidden; k++) {
        const double n = gates[k / hidden * 3 * hidden + 2 * hidden + k % hidden];
        if (y[k] >= fmin(n, h[k]) - 1e-4 && y[k] <= fmax(n, h[k]) + 1e-4) continue;
        snprintf(why, 256, "a new state is %.6g, which is not between its n = %.6g and its h = %.6g", y[k], n,
                 h[k]);
        return false;
    }
    return true;
}
static const course_invariant step_invariants[] = {
    {"gates in range", gates_in_range}, {"y between n and h", between_n_and_h}, {0}};

/* ---- additive scores ---- */

enum { SWAPPED, PRODUCT, BY_COLUMNS, SIGMOID, NO_TANH, TANH_LAST, NO_V };
static const course_slip score_slips[] = {
    [SWAPPED] = {"W and U swapped", "those of tanh(U·s + W·h): W belongs to the query s, U to the key h"},
    [PRODUCT] = {"product for sum", "those of tanh((W·s)·(U·h)): the two are added, not multiplied"},
    [BY_COLUMNS] =
        {"W and U by columns",
         "those with W and U read along their columns: unit k's numbers lie side by side in row k"},
    [SIGMOID] = {"σ for tanh", "those with σ in the place of tanh"},
    [NO_TANH] = {"no tanh", "those of v·(W·s + U·h), without tanh"},
    [TANH_LAST] = {"tanh at the end", "those of tanh(v·(W·s + U·h)): tanh comes before the product with v"},
    [NO_V] = {"no v", "those of the plain sum of the tanhs: each is to be multiplied by its v first"},
    {0}};

enum { NO_SLOPE, A_FOR_SQUARE, NO_V_BACK, SWAPPED_BACK, STATES_SWAPPED, COLUMNS_BACK, SLOPE_IN_DV, AXES };
static const course_slip score_back_slips[] = {
    [NO_SLOPE] = {"no slope of tanh", "those without the factor 1 - a²"},
    [A_FOR_SQUARE] = {"1 - a for 1 - a²", "those with 1 - a in the place of 1 - a²"},
    [NO_V_BACK] = {"no v", "those with v left out of what goes through tanh"},
    [SWAPPED_BACK] = {"W and U swapped", "those with U in ds and W in dh: s came through W, h through U"},
    [STATES_SWAPPED] = {"s and h swapped", "those with h in dW and s in dU: W was multiplied by s, U by h"},
    [COLUMNS_BACK] = {"W and U by columns", "those with W and U read along their columns in ds and dh"},
    [SLOPE_IN_DV] = {"slope in dv", "those with dv made of 1 - a², not of a: v stands behind tanh"},
    [AXES] = {"axes of de", "those with de read as [keys, queries]: de[i][j] is query i's with key j"},
    {0}};

typedef struct pairs { /* sizes and inputs of a case */
    long queries, keys, width, units;
    const double *s, *h, *W, *U, *v;
} pairs;

static pairs pairs_of(const course_case *c) {
    return (pairs){c->n[0],
                   c->n[1],
                   c->n[2],
                   c->n[3],
                   course_data(c, "s"),
                   course_data(c, "h"),
                   course_data(c, "W"),
                   course_data(c, "U"),
                   course_data(c, "v")};
}

static long weight_at(const pairs *p, long k, long f, bool by_columns) {
    return by_columns ? f * p->units + k : k * p->width + f;
}

/* Row k of a matrix times a state. */
static double projected(const pairs *p, const double *M, const double *x, long k, unsigned slips) {
    double sum = 0;
    for (long f = 0; f < p->width; f++) sum += M[weight_at(p, k, f, slips & COURSE_SLIP(BY_COLUMNS))] * x[f];
    return sum;
}

static void model_score(course_case *c, unsigned slips) {
    const pairs p = pairs_of(c);
    const bool swapped = slips & COURSE_SLIP(SWAPPED);
    const bool straight = slips & (COURSE_SLIP(NO_TANH) | COURSE_SLIP(TANH_LAST));
    double *a = course_data(c, "a"), *e = course_data(c, "e");
    for (long at = 0; at < p.queries * p.keys; at++) {
        const double *s = p.s + at / p.keys * p.width, *h = p.h + at % p.keys * p.width;
        e[at] = 0;
        for (long k = 0; k < p.units; k++) {
            const double query = projected(&p, swapped ? p.U : p.W, s, k, slips);
            const double key = projected(&p, swapped ? p.W : p.U, h, k, slips);
            const double in = slips & COURSE_SLIP(PRODUCT) ? query * key : query + key;
            double *to = &a[at * p.units + k];
            *to = straight ? in : slips & COURSE_SLIP(SIGMOID) ? 1 / (1 + exp(-in)) : tanh(in);
            e[at] += (slips & COURSE_SLIP(NO_V) ? 1 : p.v[k]) * *to;
        }
        if (slips & COURSE_SLIP(TANH_LAST)) e[at] = tanh(e[at]);
    }
}

static double slope(double a, unsigned slips) {
    if (slips & COURSE_SLIP(NO_SLOPE)) return 1;
    return slips & COURSE_SLIP(A_FOR_SQUARE) ? 1 - a : 1 - a * a;
}

static void model_score_back(course_case *c, unsigned slips) {
    const pairs p = pairs_of(c);
    const bool columns = slips & COURSE_SLIP(COLUMNS_BACK);
    const double *W = slips & COURSE_SLIP(SWAPPED_BACK) ? p.U : p.W;
    const double *U = slips & COURSE_SLIP(SWAPPED_BACK) ? p.W : p.U;
    const double *a = course_data(c, "a"), *de = course_data(c, "de");
    double *ds = course_data(c, "ds"), *dh = course_data(c, "dh"), *dW = course_data(c, "dW"),
           *dU = course_data(c, "dU"), *dv = course_data(c, "dv");
    for (long at = 0; at < p.queries * p.keys * p.units; at++) {
        const long k = at % p.units, j = at / p.units % p.keys, i = at / p.units / p.keys;
        const double g = de[slips & COURSE_SLIP(AXES) ? j * p.queries + i : i * p.keys + j];
        const double d = g * (slips & COURSE_SLIP(NO_V_BACK) ? 1 : p.v[k]) * slope(a[at], slips);
        dv[k] += g * (slips & COURSE_SLIP(SLOPE_IN_DV) ? 1 - a[at] * a[at] : a[at]);
        for (long f = 0; f < p.width; f++) {
            const double s = p.s[i * p.width + f], h = p.h[j * p.width + f];
            const bool swapped = slips & COURSE_SLIP(STATES_SWAPPED);
            ds[i * p.width + f] += d * W[weight_at(&p, k, f, columns)];
            dh[j * p.width + f] += d * U[weight_at(&p, k, f, columns)];
            dW[k * p.width + f] += d * (swapped ? h : s);
            dU[k * p.width + f] += d * (swapped ? s : h);
        }
    }
}

/* Draws sizes, and the first five arrays: s, h, W, U, v. */
static void score_inputs(course_case *c, course_kind kind, course_rng *rng) {
    static const char *const names[] = {"queries", "keys", "width", "units"};
    const double scale = kind == COURSE_LARGE ? 1e4 : 1;
    c->n[0] = 3, c->n[1] = 5, c->n[2] = 7, c->n[3] = 9;
    for (int i = 3; i > 0; i--) { /* four unequal odd sizes in any order */
        const long with = course_between(rng, 0, i), was = c->n[i];
        c->n[i] = c->n[with], c->n[with] = was;
    }
    if (kind == COURSE_ONE) c->n[0] = c->n[1] = c->n[2] = c->n[3] = 1;
    if (kind == COURSE_PRIME) c->n[0] = 7, c->n[1] = 11, c->n[2] = 13, c->n[3] = 17;
    if (kind == COURSE_EMPTY) c->n[1] = 0;
    if (kind == COURSE_LARGE) c->tolerance = 1e-2; /* in float, sums of 1e4 have only three decimals */
    for (int i = 0; i < 4; i++) c->n_name[i] = names[i];
    double *s = course_array_normal(c, "s", scale, rng, COURSE_DIMS(c->n[0], c->n[2]));
    double *h = course_array_normal(c, "h", scale, rng, COURSE_DIMS(c->n[1], c->n[2]));
    course_array_normal(c, "W", 0.5, rng, COURSE_DIMS(c->n[3], c->n[2]));
    course_array_normal(c, "U", 0.5, rng, COURSE_DIMS(c->n[3], c->n[2]));
    course_array_normal(c, "v", 1, rng, COURSE_DIMS(c->n[3]));
    for (long k = 0; kind == COURSE_EQUAL && k < c->a[0].count; k++) s[k] = 0.5;
    for (long k = 0; kind == COURSE_EQUAL && k < c->a[1].count; k++) h[k] = 0.5;
}

static void draw_score(course_case *c, course_kind kind, course_rng *rng) {
    score_inputs(c, kind, rng);
    course_array_new(c, COURSE_OUT, "a", COURSE_DIMS(c->n[0], c->n[1], c->n[3]));
    course_array_new(c, COURSE_OUT, "e", COURSE_DIMS(c->n[0], c->n[1]));
}

static void draw_score_back(course_case *c, course_kind kind, course_rng *rng) {
    score_inputs(c, kind, rng);
    double *a = course_array_normal(c, "a", 1, rng, COURSE_DIMS(c->n[0], c->n[1], c->n[3]));
    for (long k = 0; k < c->n[0] * c->n[1] * c->n[3]; k++) a[k] = (double)(float)tanh(a[k]);
    course_array_normal(c, "de", 1, rng, COURSE_DIMS(c->n[0], c->n[1]));
    draw_gradients(c, (const char *const[]){"ds", "dh", "dW", "dU", "dv", NULL},
                   (const course_array *const[]){&c->a[0], &c->a[1], &c->a[2], &c->a[3], &c->a[4]});
}

static bool bounded_by_v(const course_case *given, const course_case *got, char *why) {
    const double *v = course_data(given, "v"), *e = course_data(got, "e");
    double most = 0;
    for (long k = 0; k < given->n[3]; k++) most += fabs(v[k]);
    for (long at = 0; at < given->n[0] * given->n[1]; at++) {
        if (fabs(e[at]) <= most * 1.0001) continue;
        snprintf(why, 256, "a score is %.6g; no score is larger than the sum of |v|, %.6g", e[at], most);
        return false;
    }
    return true;
}
static const course_invariant score_invariants[] = {{"scores within the sum of |v|", bounded_by_v}, {0}};

/* ---- the task ---- */

#define FORWARD_KINDS                                                                                     \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY) | \
  COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL))
#define BACKWARD_KINDS                                                                                    \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY) | \
  COURSE_HAS(COURSE_LARGE))

static const course_exercise tier1[] = {{.function = "gru_step_forward",
                                         .part = COURSE_FORWARD,
                                         .kinds = FORWARD_KINDS,
                                         .draw = draw_step,
                                         .model = model_step,
                                         .slips = step_slips,
                                         .invariants = step_invariants},
                                        {.function = "gru_step_backward",
                                         .part = COURSE_BACKWARD,
                                         .kinds = BACKWARD_KINDS,
                                         .draw = draw_step_back,
                                         .model = model_step_back,
                                         .slips = back_slips},
                                        {.function = "additive_score_forward",
                                         .part = COURSE_FORWARD,
                                         .kinds = FORWARD_KINDS,
                                         .draw = draw_score,
                                         .model = model_score,
                                         .slips = score_slips,
                                         .invariants = score_invariants},
                                        {.function = "additive_score_backward",
                                         .part = COURSE_BACKWARD,
                                         .kinds = BACKWARD_KINDS,
                                         .draw = draw_score_back,
                                         .model = model_score_back,
                                         .slips = score_back_slips},
                                        {0}};

static const course_slip op_slips[] = {Z_SWAPPED_SLIP, STEP_SLIPS_LIST, BACK_SLIPS_LIST(STEP_SLIPS), {0}};

static const course_exercise tier2[] = {{.function = "tl_gru_step",
                                         .part = COURSE_BOTH,
                                         .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) |
                                                  COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_VIEWS) |
                                                  COURSE_HAS(COURSE_TWICE) | COURSE_HAS(COURSE_FROZENS) |
                                                  COURSE_HAS(COURSE_EMPTY) | COURSE_HAS(COURSE_LARGE),
                                         .draw = draw_op,
                                         .model = model_op,
                                         .slips = op_slips,
                                         .gradients = 5},
                                        {0}};

/* ---- the worked example: two sequences of three units; two queries with three keys ---- */

static void print_rows(FILE *to, const char *name, const double *a, long rows, long columns) {
    for (long i = 0; i < rows; i++) {
        fprintf(to, "%-8s", i ? "" : name);
        for (long j = 0; j < columns; j++) fprintf(to, " %8.4f", a[i * columns + j] + 0.0);
        fputc('\n', to);
    }
}

static void fill(double *to, const double *from, long count) {
    for (long k = 0; k < count; k++) to[k] = from[k];
}

static void example_step(FILE *to) {
    static const double x[] = {0, 1, 2, 0, 1, -1, 0, 0.5, 1, 1, 0, -1, 2, 0, -2, 0.5, -0.5, 1};
    static const double recall[] = {0, -1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1};
    static const double h[] = {1, -1, 0.5, 0, 0.5, 1};
    course_case c = {.n = {2, 3}};
    const course_array *given = c.a;
    fill(course_array_new(&c, COURSE_IN, "x", COURSE_DIMS(2, 9)), x, 18);
    fill(course_array_new(&c, COURSE_IN, "recall", COURSE_DIMS(2, 9)), recall, 18);
    fill(course_array_new(&c, COURSE_IN, "h", COURSE_DIMS(2, 3)), h, 6);
    double *gates = course_array_new(&c, COURSE_OUT, "gates", COURSE_DIMS(2, 9));
    double *y = course_array_new(&c, COURSE_OUT, "y", COURSE_DIMS(2, 3));
    fill(course_array_new(&c, COURSE_IN, "dy", COURSE_DIMS(2, 3)), (const double[]){1, 1, 1, 1, 1, 1}, 6);
    draw_gradients(&c, (const char *const[]){"dx", "drecall", "dh", NULL},
                   (const course_array *const[]){&given[0], &given[1], &given[2]});
    model_step(&c, 0);
    model_step_back(&c, 0);
    fprintf(to, "A step, 2 sequences of 3 units (columns: r, z, n, three each)\n");
    print_rows(to, "x", x, 2, 9);
    print_rows(to, "recall", recall, 2, 9);
    print_rows(to, "h", h, 2, 3);
    print_rows(to, "gates", gates, 2, 9);
    print_rows(to, "y", y, 2, 3);
    fprintf(to, "backward, with dy = 1 everywhere\n");
    print_rows(to, "dx", course_data(&c, "dx"), 2, 9);
    print_rows(to, "drecall", course_data(&c, "drecall"), 2, 9);
    print_rows(to, "dh", course_data(&c, "dh"), 2, 3);
    course_case_free(&c);
}

static void example_score(FILE *to) {
    course_case c = {.n = {2, 3, 1, 2}};
    fill(course_array_new(&c, COURSE_IN, "s", COURSE_DIMS(2, 1)), (const double[]){1, -1}, 2);
    fill(course_array_new(&c, COURSE_IN, "h", COURSE_DIMS(3, 1)), (const double[]){0, 1, 2}, 3);
    fill(course_array_new(&c, COURSE_IN, "W", COURSE_DIMS(2, 1)), (const double[]){1, 0.5}, 2);
    fill(course_array_new(&c, COURSE_IN, "U", COURSE_DIMS(2, 1)), (const double[]){0.5, -1}, 2);
    fill(course_array_new(&c, COURSE_IN, "v", COURSE_DIMS(2)), (const double[]){2, 1}, 2);
    course_array_new(&c, COURSE_OUT, "a", COURSE_DIMS(2, 3, 2));
    double *e = course_array_new(&c, COURSE_OUT, "e", COURSE_DIMS(2, 3));
    fill(course_array_new(&c, COURSE_IN, "de", COURSE_DIMS(2, 3)), (const double[]){1, 0, 0, 0, 0, 1}, 6);
    draw_gradients(&c, (const char *const[]){"ds", "dh", "dW", "dU", "dv", NULL},
                   (const course_array *const[]){&c.a[0], &c.a[1], &c.a[2], &c.a[3], &c.a[4]});
    model_score(&c, 0);
    model_score_back(&c, 0);
    fprintf(to, "\nScores, 2 queries and 3 keys: s = (1, -1), h = (0, 1, 2), W = (1, 0.5), U = (0.5, -1), v "
                "= (2, 1)\n");
    for (int i = 5; i < 7; i++) print_rows(to, c.a[i].name, c.a[i].data, i == 5 ? 6 : 2, i == 5 ? 2 : 3);
    fprintf(to, "backward, with de = 1 for the first query's first key and the second's last\n");
    for (int i = 8; i < c.arrays; i++) print_rows(to, c.a[i].name, c.a[i].data, 1, c.a[i].count);
    (void)e;
    course_case_free(&c);
}

static void example(FILE *to) {
    example_step(to);
    example_score(to);
}

extern const course_task course_task_recurrence;
const course_task course_task_recurrence = {
    .number = 7,
    .name = "recurrence",
    .title = "Recurrence and additive attention",
    .hours = 4,
    .optional = true,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"gru_step", NULL},
    .questions =
        {{"z is 0.9 in each of ten steps. What share of dL/dh10 reaches h0 along the direct path alone?",
          0.348678, 0.002},
         {"v has four numbers, and each is 0.5. Which score can no query and no key exceed?", 2, 0.01}},
    .example = example};
