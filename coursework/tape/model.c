/* Task 1: a tape of scalars, the right formulas and common mistakes. */
#include "../marker/exercise.h"
#include "../marker/marking.h"
#include "tape.h"

#include <math.h>
#include <string.h>

/* A node is sent as a row of four numbers: operation, a, b, number. */
static int operation(const double *node, long i) { return (int)node[4 * i]; }
static long input(const double *node, long i, int which) { return (long)node[4 * i + 1 + which]; }
static double read_at(const double *array, long i) { return i < 0 ? 0 : array[i]; }

/* ---- forward ---- */

enum { SUB_TURNED, DIV_TURNED, SQUARE, LOGISTIC, BASE_TWO, NEIGHBOUR };
static const course_slip forward_slips[] = {
    [SUB_TURNED] = {"subtraction turned round", "those with b - a in the place of a - b"},
    [DIV_TURNED] = {"division turned round", "those with b / a in the place of a / b"},
    [SQUARE] = {"a times a", "those with a · a in the place of a · b"},
    [LOGISTIC] = {"logistic for tanh", "those with 1 / (1 + e^-a) in the place of tanh a"},
    [BASE_TWO] = {"a power of two", "those with 2^a in the place of e^a: exp2 is not exp"},
    [NEIGHBOUR] =
        {"the neighbour for the input",
         "those of nodes whose input a is always the node just before them: the tape says which it is"},
    {0}};

static double compute(int op, double a, double b, unsigned slips) {
    switch (op) {
    case TAPE_ADD:
        return a + b;
    case TAPE_SUB:
        return slips & COURSE_SLIP(SUB_TURNED) ? b - a : a - b;
    case TAPE_MUL:
        return slips & COURSE_SLIP(SQUARE) ? a * a : a * b;
    case TAPE_DIV:
        return slips & COURSE_SLIP(DIV_TURNED) ? b / a : a / b;
    case TAPE_TANH:
        return slips & COURSE_SLIP(LOGISTIC) ? 1 / (1 + exp(-a)) : tanh(a);
    default:
        return slips & COURSE_SLIP(BASE_TWO) ? exp2(a) : exp(a);
    }
}

static void fill_values(const double *node, double *value, long n, unsigned slips) {
    for (long i = 0; i < n; i++) {
        long a = input(node, i, 0);
        if (slips & COURSE_SLIP(NEIGHBOUR) && a >= 0) a = i - 1;
        value[i] = operation(node, i) == TAPE_NUMBER ? node[4 * i + 3]
                                                     : compute(operation(node, i), read_at(value, a),
                                                               read_at(value, input(node, i, 1)), slips);
    }
}

static void model_forward(course_case *c, unsigned slips) {
    fill_values(course_data(c, "node"), course_data(c, "value"), c->n[0], slips);
}

static bool numbers_stay(const course_case *given, const course_case *got, char *why) {
    const double *node = course_data(given, "node"), *value = course_data(got, "value");
    for (long i = 0; i < given->n[0]; i++)
        if (operation(node, i) == TAPE_NUMBER && !(value[i] == node[4 * i + 3])) {
            snprintf(why, 256, "node %ld is the number %.6g, your value[%ld] is %.6g", i, node[4 * i + 3], i,
                     value[i]);
            return false;
        }
    return true;
}
static const course_invariant forward_invariants[] = {{"numbers are as given", numbers_stay}, {0}};

/* ---- slopes ---- */

enum { SUB_SIGN, OWN_VALUE, TANH_OF_X, TANH_NO_SQUARE, DIV_NO_SQUARE, DIV_SIGN, DIV_FIRST, POWER_RULE };
static const course_slip slopes_slips[] = {
    [SUB_SIGN] = {"no sign in a - b", "those with slope +1 for the second input of a - b"},
    [OWN_VALUE] = {"own value in a · b",
                   "those in which the slope of a · b towards a is a and towards b is b"},
    [TANH_OF_X] = {"tanh' of x", "those with 1 - a² as slope of y = tanh a: it is 1 - y²"},
    [TANH_NO_SQUARE] = {"tanh' without square", "those with 1 - y as slope of y = tanh a: it is 1 - y²"},
    [DIV_NO_SQUARE] = {"a / b without square",
                       "those in which the slope of a / b towards b is -a/b: b has no square"},
    [DIV_SIGN] = {"a / b without sign",
                  "those in which the slope of a / b towards b is +a/b²: its sign is lost"},
    [DIV_FIRST] = {"slope 1 in a / b", "those with slope 1 for the first input of a / b: it is 1/b"},
    [POWER_RULE] = {"power rule for e^a",
                    "those with a · e^(a - 1) as slope of e^a: the power rule is for powers of a"},
    {0}};

static double slope_a(int op, double a, double b, double y, unsigned slips) {
    switch (op) {
    case TAPE_MUL:
        return slips & COURSE_SLIP(OWN_VALUE) ? a : b;
    case TAPE_DIV:
        return slips & COURSE_SLIP(DIV_FIRST) ? 1 : 1 / b;
    case TAPE_TANH:
        if (slips & COURSE_SLIP(TANH_OF_X)) y = a;
        return 1 - (slips & COURSE_SLIP(TANH_NO_SQUARE) ? y : y * y);
    case TAPE_EXP:
        return slips & COURSE_SLIP(POWER_RULE) ? a * exp(a - 1) : y;
    default:
        return 1; /* of sums and differences */
    }
}

static double slope_b(int op, double a, double b, unsigned slips) {
    switch (op) {
    case TAPE_SUB:
        return slips & COURSE_SLIP(SUB_SIGN) ? 1 : -1;
    case TAPE_MUL:
        return slips & COURSE_SLIP(OWN_VALUE) ? b : a;
    case TAPE_DIV:
        return (slips & COURSE_SLIP(DIV_SIGN) ? a : -a) / (slips & COURSE_SLIP(DIV_NO_SQUARE) ? b : b * b);
    default:
        return 1;
    }
}

static void fill_slopes(const double *node, const double *value, double *da, double *db, long n,
                        unsigned slips) {
    for (long i = 0; i < n; i++) {
        const double a = read_at(value, input(node, i, 0)), b = read_at(value, input(node, i, 1));
        da[i] = input(node, i, 0) < 0 ? 0 : slope_a(operation(node, i), a, b, value[i], slips);
        db[i] = input(node, i, 1) < 0 ? 0 : slope_b(operation(node, i), a, b, slips);
    }
}

static void model_slopes(course_case *c, unsigned slips) {
    fill_slopes(course_data(c, "node"), course_data(c, "value"), course_data(c, "da"), course_data(c, "db"),
                c->n[0], slips);
}

static bool no_input_no_slope(const course_case *given, const course_case *got, char *why) {
    const double *node = course_data(given, "node");
    for (int which = 0; which < 2; which++) {
        const char *name = which ? "db" : "da";
        for (long i = 0; i < given->n[0]; i++)
            if (input(node, i, which) < 0 && !(course_data(got, name)[i] == 0)) {
                snprintf(why, 256, "node %ld has no input %s, your %s[%ld] is %.6g, should be 0", i, name + 1,
                         name, i, course_data(got, name)[i]);
                return false;
            }
    }
    return true;
}
static const course_invariant slopes_invariants[] = {{"no input, no slope", no_input_no_slope}, {0}};

/* ---- backward ---- */

enum { OVERWRITTEN, FORWARD, ZERO, ALL_ONES, NO_SECOND, ONCE, NO_UPSTREAM, NOT_CLEARED };
static const course_slip backward_slips[] = {
    [OVERWRITTEN] = {"overwritten", "those in which a node that several read keeps what its last visitor "
                                    "gave: write +=, gradients add"},
    [FORWARD] = {"walked forward", "those of a walk from the first node to the last: the gradients that it "
                                   "passes on are not complete yet"},
    [ZERO] = {"started with 0", "those of a walk that starts with gradient 0: L grows with itself by 1"},
    [ALL_ONES] = {"all started with 1",
                  "those of a walk before which every node has gradient 1: only the last has"},
    [NO_SECOND] = {"no second input", "those in which only input a is given its part: b has one, too"},
    [ONCE] = {"x · x counted once",
              "those in which a node that reads the same node twice gives to it once: each reading counts"},
    [NO_UPSTREAM] =
        {"slope without gradient",
         "those in which da and db are passed on by themselves, not times the node's own gradient"},
    [NOT_CLEARED] = {"not cleared",
                     "those of a walk that adds to whatever grad held before: begin with zeros"},
    {0}};

static void walk_back(const double *node, const double *da, const double *db, double *grad, long n,
                      unsigned slips) {
    for (long i = 0; i < n && !(slips & COURSE_SLIP(NOT_CLEARED)); i++)
        grad[i] = slips & COURSE_SLIP(ALL_ONES) ? 1 : 0;
    if (n > 0) grad[n - 1] = slips & COURSE_SLIP(ZERO) ? 0 : 1;
    for (long k = 0; k < n; k++) {
        const long i = slips & COURSE_SLIP(FORWARD) ? k : n - 1 - k;
        const double upstream = slips & COURSE_SLIP(NO_UPSTREAM) ? 1 : grad[i];
        for (int which = 0; which < 2; which++) {
            const long to = input(node, i, which);
            if (to < 0 || (which && slips & COURSE_SLIP(NO_SECOND))) continue;
            if (which && slips & COURSE_SLIP(ONCE) && to == input(node, i, 0)) continue;
            const double part = upstream * (which ? db : da)[i];
            grad[to] = slips & COURSE_SLIP(OVERWRITTEN) ? part : grad[to] + part;
        }
    }
}

static void model_backward(course_case *c, unsigned slips) {
    walk_back(course_data(c, "node"), course_data(c, "da"), course_data(c, "db"), course_data(c, "grad"),
              c->n[0], slips);
}

static bool ends_with_one(const course_case *given, const course_case *got, char *why) {
    const long last = given->n[0] - 1;
    const double *grad = course_data(got, "grad");
    if (last < 0 || grad[last] == 1) return true;
    snprintf(why, 256, "the last node is L itself: your grad[%ld] is %.6g, should be 1", last, grad[last]);
    return false;
}

static bool unread_is_zero(const course_case *given, const course_case *got, char *why) {
    const double *node = course_data(given, "node"), *grad = course_data(got, "grad");
    for (long i = 0; i + 1 < given->n[0]; i++) {
        bool read = false;
        for (long k = 0; k < given->n[0]; k++) read |= input(node, k, 0) == i || input(node, k, 1) == i;
        if (read || grad[i] == 0) continue;
        snprintf(why, 256, "no node reads node %ld: your grad[%ld] is %.6g, should be 0", i, i, grad[i]);
        return false;
    }
    return true;
}
static const course_invariant backward_invariants[] = {
    {"L's own gradient is 1", ends_with_one}, {"nobody reads it: 0", unread_is_zero}, {0}};

/* ---- drawing a tape ---- */

enum { NUMBERS = 4, UNREAD = 3, LONGEST = 37 }; /* nodes 0 … 3 are numbers; no node reads 3 */

typedef struct drawn {
    long n;
    double node[4 * LONGEST], value[LONGEST];
} drawn;

/* Appends a node; false, without appending, if its value is too large, or such that a mistake would not show. */
static bool append(drawn *t, int op, long a, long b, double number) {
    const double x = read_at(t->value, a), y = read_at(t->value, b);
    const double z = op == TAPE_NUMBER ? number : (double)(float)compute(op, x, y, 0);
    if (fabs(z) > 5 || (op == TAPE_DIV && fabs(y) < 0.4) || (op == TAPE_EXP && fabs(x) > 1.6) ||
        (op == TAPE_TANH && fabs(x) > 1.5))
        return false;
    const double row[4] = {op, (double)a, (double)b, number};
    memcpy(t->node + 4 * t->n, row, sizeof row);
    t->value[t->n++] = z;
    return true;
}

static bool reads_two(int op) { return op >= TAPE_ADD && op <= TAPE_DIV; }

/* A node that no node reads yet; -1 if there is none except `not` (and UNREAD). */
static long loose_end(const drawn *t, long not, course_rng *rng) {
    long loose[LONGEST], count = 0;
    for (long i = 0; i < t->n; i++) {
        bool read = i == UNREAD || i == not ;
        for (long k = 0; k < t->n; k++) read |= input(t->node, k, 0) == i || input(t->node, k, 1) == i;
        if (!read) loose[count++] = i;
    }
    return count ? loose[course_between(rng, 0, count - 1)] : -1;
}

static long some_node(const drawn *t, course_rng *rng) {
    const long i = course_between(rng, 0, t->n - 2);
    return i < UNREAD ? i : i + 1;
}

/* Appends a node that reads one unread node, towards the end two of them, so that all nodes reach L. */
static bool grow(drawn *t, long n, course_rng *rng) {
    /* the first computing node is x · x, so there always is one */
    static const int squares = NUMBERS;
    const int op = (int)course_between(rng, TAPE_ADD, TAPE_EXP);
    if (t->n == squares) {
        const long x = course_between(rng, 0, UNREAD - 1);
        return append(t, TAPE_MUL, x, x, 0);
    }
    const long a = loose_end(t, -1, rng), other = loose_end(t, a, rng);
    const bool join = other >= 0 && (n - t->n <= 3 || course_uniform(rng) < 0.3);
    if (join && !reads_two(op)) return false;
    const long b = !reads_two(op) ? -1 : join ? other : some_node(t, rng);
    if (a == b) return false;
    return course_uniform(rng) < 0.5 || b < 0 ? append(t, op, a, b, 0) : append(t, op, b, a, 0);
}

static bool has_all_operations(const drawn *t) {
    unsigned seen = 0;
    for (long i = 0; i < t->n; i++) seen |= 1u << operation(t->node, i);
    return seen == (2u << TAPE_EXP) - 1;
}

static bool try_tape(drawn *t, long n, bool equal, course_rng *rng) {
    t->n = 0;
    while (t->n < NUMBERS) {
        const double size = 0.5 + 1.5 * course_uniform(rng);
        append(t, TAPE_NUMBER, -1, -1, equal ? 1 : (double)(float)(course_uniform(rng) < 0.5 ? -size : size));
    }
    for (int tries = 0; t->n < n && tries < 1000; tries++) grow(t, n, rng);
    return t->n == n && loose_end(t, n - 1, rng) < 0 && (equal || has_all_operations(t));
}

/* x + x, y · y, z + z …: every node reads the one before it twice or, if that is large, it and x. */
static void draw_twice(drawn *t, course_rng *rng) {
    append(t, TAPE_NUMBER, -1, -1, (double)(float)(0.5 + 0.5 * course_uniform(rng)));
    while (t->n < 9) {
        const bool large = fabs(t->value[t->n - 1]) > 1.5;
        append(t, !large && course_uniform(rng) < 0.5 ? TAPE_ADD : TAPE_MUL, t->n - 1, large ? 0 : t->n - 1,
               0);
    }
}

/* Where e^a and tanh must not be computed from parts that overflow. */
static void draw_large(drawn *t, course_rng *rng) {
    static const double rows[][3] = {{TAPE_NUMBER, -1, -1}, {TAPE_NUMBER, -1, -1}, {TAPE_SUB, 0, 1},
                                     {TAPE_ADD, 0, 1},      {TAPE_DIV, 0, 1},      {TAPE_TANH, 0, -1},
                                     {TAPE_TANH, 1, -1},    {TAPE_EXP, 1, -1},     {TAPE_EXP, 5, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double *row = t->node + 4 * t->n++;
        memcpy(row, rows[i], sizeof rows[i]);
        row[3] = i > 1 ? 0 : (double)(float)((i ? -1e4 : 1e4) * (0.5 + 0.5 * course_uniform(rng)));
    }
    fill_values(t->node, t->value, t->n, 0);
    for (long i = 0; i < t->n; i++) t->value[i] = (double)(float)t->value[i];
}

static void draw_tape(drawn *t, course_kind kind, course_rng *rng) {
    *t = (drawn){0};
    if (kind == COURSE_EMPTY) return;
    if (kind == COURSE_ONE)
        append(t, TAPE_NUMBER, -1, -1, course_normal(rng));
    else if (kind == COURSE_TWICE)
        draw_twice(t, rng);
    else if (kind == COURSE_LARGE)
        draw_large(t, rng);
    else {
        bool found = false; /* about every fourth try succeeds */
        for (int tries = 0; !found && tries < 10000; tries++)
            found = try_tape(t, kind == COURSE_PRIME ? LONGEST : 13 + 2 * course_between(rng, 0, 2),
                             kind == COURSE_EQUAL, rng);
    }
}

static void put(course_case *c, const char *name, const double *from, long n) {
    double *to = course_array_new(c, COURSE_IN, name, COURSE_DIMS(n));
    for (long i = 0; i < n; i++) to[i] = (double)(float)from[i];
}

/* Are the right numbers and those of each mistake far apart? If not, another tape is drawn. */
static bool tells_apart(const course_case *c) {
    course_case made[12]; /* no function of this task has this many slips */
    int count = 0;
    bool apart = true;
    do {
        if (!course_case_copy(&made[count], c)) break;
        made[count].tolerance = 0.02;
        c->of->model(&made[count], count ? COURSE_SLIP(count - 1) : 0);
        for (int i = 0; i < count; i++)
            apart = apart && !course_agrees(&made[i], &made[count], 0, c->arrays, NULL) &&
                    !course_agrees(&made[count], &made[i], 0, c->arrays, NULL);
        count++;
    } while (c->of->slips[count - 1].name);
    while (count-- > 0) course_case_free(&made[count]);
    return apart;
}

static void draw_once(course_case *c, course_kind kind, course_rng *rng) {
    const bool slopes = c->of->model == model_slopes, back = c->of->model == model_backward;
    const char *made = slopes ? "da" : "value";
    double da[LONGEST], db[LONGEST];
    drawn t;
    draw_tape(&t, kind, rng);
    fill_slopes(t.node, t.value, da, db, t.n, 0);
    c->n[0] = t.n, c->n_name[0] = "n";
    double *node = course_array_new(c, COURSE_IN, "node", COURSE_DIMS(t.n, 4));
    memcpy(node, t.node, (size_t)t.n * 4 * sizeof *node);
    if (slopes) put(c, "value", t.value, t.n);
    if (back) put(c, "da", da, t.n), put(c, "db", db, t.n);
    double *out = course_array_new(c, COURSE_OUT, back ? "grad" : made, COURSE_DIMS(t.n));
    /* random numbers before the call also show mistakes */
    for (long i = 0; i < t.n; i++) out[i] = course_normal(rng);
    if (slopes) course_array_new(c, COURSE_OUT, "db", COURSE_DIMS(t.n));
}

/* Nearly every second tape is usable. If a thousand are not, a mistake cannot be detected at all, and the tests say
 * so. */
static void draw(course_case *c, course_kind kind, course_rng *rng) {
    for (int tries = 0; tries < 1000; tries++) {
        course_case_free(c);
        draw_once(c, kind, rng);
        if (kind != COURSE_ODD || tells_apart(c)) return;
    }
}

enum {
    ALWAYS =
        COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY),
    EXTREMES = COURSE_HAS(COURSE_LARGE) | COURSE_HAS(COURSE_EQUAL)
};

static const course_exercise tier1[] = {{.function = "tape_forward",
                                         .part = COURSE_FORWARD,
                                         .kinds = ALWAYS | EXTREMES,
                                         .draw = draw,
                                         .model = model_forward,
                                         .slips = forward_slips,
                                         .invariants = forward_invariants},
                                        {.function = "tape_slopes",
                                         .part = COURSE_BACKWARD,
                                         .kinds = ALWAYS | EXTREMES,
                                         .draw = draw,
                                         .model = model_slopes,
                                         .slips = slopes_slips,
                                         .invariants = slopes_invariants},
                                        {.function = "tape_backward",
                                         .part = COURSE_BACKWARD,
                                         .kinds = ALWAYS | COURSE_HAS(COURSE_TWICE),
                                         .draw = draw,
                                         .model = model_backward,
                                         .slips = backward_slips,
                                         .invariants = backward_invariants},
                                        {0}};

/* ---- tier 2: y = a·b, broadcast ---- */

enum { OWN, NO_OTHER, LAST_ONLY, MEAN, SHARED_ONCE, FIRST_OF_B };
static const course_slip mul_slips[] = {
    [OWN] = {"own value", "those with da += dy·a and db += dy·b: each needs the other's value"},
    [NO_OTHER] = {"no other factor", "those with dy alone as gradient: it is not times the other input"},
    [LAST_ONLY] = {"not summed",
                   "those in which an element that was broadcast gets only its last reader's part"},
    [MEAN] = {"mean for sum", "those with the mean over what was broadcast in the place of the sum"},
    [SHARED_ONCE] = {"a · a counted once",
                     "those in which y = a·a gives dy·a once: it gives to both its inputs"},
    [FIRST_OF_B] = {"b without strides",
                    "those in which b's first element multiplies all: its strides are not used"},
    {0}};

/* A shape at n (rank, sizes) extended to the result's three axes; step[k] is 0 along a broadcast axis. */
typedef struct spread {
    long dim[3], step[3], count;
} spread;

static spread spread_of(const long *n) {
    spread s = {{1, 1, 1}, {0}, 1};
    for (int k = 0; k < n[0]; k++) s.dim[3 - n[0] + k] = n[1 + k];
    for (int k = 2; k >= 0; k--) {
        s.step[k] = s.dim[k] == 1 ? 0 : s.count;
        s.count *= s.dim[k];
    }
    return s;
}

static long broadcast_dim(spread a, spread b, int k) { return a.dim[k] == 1 ? b.dim[k] : a.dim[k]; }

/* What one element of the result gives to input `to` at index `at`; readers: how many elements read that index. */
static void give(double *to, long at, double part, double readers, const double *before, unsigned slips) {
    if (slips & COURSE_SLIP(MEAN)) part /= readers;
    to[at] = (slips & COURSE_SLIP(LAST_ONLY) ? before[at] : to[at]) + part;
}

static void model_mul(course_case *c, unsigned slips) {
    const bool shared = c->flags & COURSE_SHARED;
    const spread sa = spread_of(c->n), sb = shared ? sa : spread_of(c->n + 4);
    const double *a = course_data(c, "a"), *b = shared ? a : course_data(c, "b"), *dy = course_data(c, "dy");
    double *y = course_data(c, "y"), *da = course_data(c, "da"), *db = course_data(c, "db");
    course_case before;
    long all = 1;
    for (int k = 0; k < 3; k++) all *= broadcast_dim(sa, sb, k);
    if (!course_case_copy(&before, c)) return;
    for (long i = 0; i < all; i++) {
        long pa = 0, pb = 0, rest = i;
        for (int k = 2; k >= 0; k--) {
            const long n = broadcast_dim(sa, sb, k);
            pa += rest % n * sa.step[k], pb += rest % n * sb.step[k];
            rest /= n;
        }
        if (slips & COURSE_SLIP(FIRST_OF_B)) pb = 0;
        y[i] = a[pa] * b[pb];
        const bool bare = slips & COURSE_SLIP(NO_OTHER), own = slips & COURSE_SLIP(OWN);
        const double ga = dy[i] * (bare  ? 1
                                   : own ? a[pa]
                                         : b[pb]),
                     gb = dy[i] * (bare  ? 1
                                   : own ? b[pb]
                                         : a[pa]);
        if (shared)
            da[pa] += slips & COURSE_SLIP(SHARED_ONCE) ? ga : ga + gb;
        else {
            if (!(c->flags & COURSE_FROZEN))
                give(da, pa, ga, (double)all / (double)sa.count, course_data(&before, "da"), slips);
            if (!(c->flags & COURSE_FROZEN << 1))
                give(db, pb, gb, (double)all / (double)sb.count, course_data(&before, "db"), slips);
        }
    }
    course_case_free(&before);
}

static void draw_mul(course_case *c, course_kind kind, course_rng *rng) {
    long B = 3, T = 5, D = 7 + 2 * course_between(rng, 0, 2);
    if (kind == COURSE_PRIME) B = 2, T = 11, D = 13;
    if (kind == COURSE_ONE) B = T = D = 1;
    if (kind == COURSE_EMPTY) B = 0;
    const long forms[][8] = {{3, B, T, D, 1, D},       /* by a row */
                             {3, B, T, D, 3, B, 1, D}, /* by a row for each */
                             {2, T, 1, 0, 3, B, 1, D}, /* both broadcast */
                             {3, B, T, D, 3, B, T, D}};
    const long *n = forms[kind == COURSE_TWICE ? 3 : course_between(rng, 0, kind == COURSE_ODD ? 2 : 3)];
    memcpy(c->n, n, sizeof forms[0]);
    if (kind == COURSE_FROZENS) c->flags |= (unsigned)COURSE_FROZEN << course_between(rng, 0, 1);
    if (kind == COURSE_TWICE) c->flags |= COURSE_FROZEN << 1; /* b is not used */
    const double scale = kind == COURSE_LARGE ? 1e4 : 1;
    course_array_normal(c, "a", scale, rng, (int)n[0], n + 1);
    course_array_normal(c, "b", scale, rng, (int)n[4], n + 5);
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(B, T, D));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(B, T, D));
    course_array_new(c, COURSE_ADD, "da", (int)n[0], n + 1);
    course_array_new(c, COURSE_ADD, "db", (int)n[4], n + 5);
}

static const course_exercise tier2[] = {{.function = "tl_mul",
                                         .part = COURSE_BOTH,
                                         .kinds = ALWAYS | COURSE_HAS(COURSE_VIEWS) |
                                                  COURSE_HAS(COURSE_TWICE) | COURSE_HAS(COURSE_FROZENS) |
                                                  COURSE_HAS(COURSE_LARGE),
                                         .draw = draw_mul,
                                         .model = model_mul,
                                         .slips = mul_slips,
                                         .gradients = 4},
                                        {0}};

/* ---- the handout's example: L = (x·y) / (x·x) - y at x = 2, y = 3 ---- */

static void example(FILE *to) {
    static const char *const text[] = {"x       ", "y       ", "x · y   ",
                                       "x · x   ", "n2 / n3 ", "n4 - y  "};
    static const double node[][4] = {{TAPE_NUMBER, -1, -1, 2}, {TAPE_NUMBER, -1, -1, 3}, {TAPE_MUL, 0, 1},
                                     {TAPE_MUL, 0, 0},         {TAPE_DIV, 2, 3},         {TAPE_SUB, 4, 1}};
    double value[6], da[6], db[6], grad[6];
    fill_values(*node, value, 6, 0);
    fill_slopes(*node, value, da, db, 6, 0);
    walk_back(*node, da, db, grad, 6, 0);
    fprintf(to, "node  computes  value       da       db     grad\n");
    for (int i = 0; i < 6; i++)
        fprintf(to, "n%d    %s %7.3f  %7.3f  %7.3f  %7.3f\n", i, text[i], value[i], da[i] + 0.0, db[i] + 0.0,
                grad[i] + 0.0);
}

extern const course_task course_task_tape;
const course_task course_task_tape = {
    .number = 1,
    .name = "tape",
    .title = "Tape",
    .hours = 2,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"mul", NULL},
    .questions =
        {{"L = x·x + x, x = 3. What is the gradient of x?", 7, 1e-3},
         {"Ten nodes one after another, each the sum of the one before it with itself, the first reading "
          "x. What is the gradient of x?",
          1024, 0.5}},
    .example = example};
