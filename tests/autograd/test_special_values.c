/* NaN, infinities, zeros of both signs, denormal, huge and tiny numbers through every operation that computes with
 * single elements or reduces, forward and backward, against PyTorch's (tests/fixtures/special_values.py). Where the two
 * differ, docs/special-values.md has a row; the test asserts the rows of its tables, exactly these and no others.
 *
 * Numbers agree if both are NaN, the same infinity, zeros of the same sign, or equal to within rounding. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "fixtures/fixture.h"

#include <float.h>
#include <tapeloom.h>

/* ---- the operations ---- */

#define UNARY(name, call) \
 static tl_var name(const tl_var *x) { return call; }
UNARY(neg, tl_neg(x[0]))
UNARY(twice, tl_scale(x[0], 2))
UNARY(scale_0, tl_scale(x[0], 0))
UNARY(exponential, tl_exp(x[0]))
UNARY(logarithm, tl_log(x[0]))
UNARY(root, tl_sqrt(x[0]))
UNARY(tangent, tl_tanh(x[0]))
UNARY(sigmoid, tl_sigmoid(x[0]))
UNARY(absolute, tl_abs(x[0]))
UNARY(clamp, tl_clamp(x[0], -1, 1))
UNARY(clamp_below, tl_clamp(x[0], 0, HUGE_VAL))
UNARY(relu, tl_relu(x[0]))
UNARY(gelu, tl_gelu(x[0]))
UNARY(gelu_tanh, tl_gelu_tanh(x[0]))
UNARY(power_0, tl_power(x[0], 0))
UNARY(power_1, tl_power(x[0], 1))
UNARY(power_2, tl_power(x[0], 2))
UNARY(power_3, tl_power(x[0], 3))
UNARY(power_m1, tl_power(x[0], -1))
UNARY(power_m2, tl_power(x[0], -2))
UNARY(power_half, tl_power(x[0], 0.5))
UNARY(power_m_half, tl_power(x[0], -0.5))
UNARY(power_2_half, tl_power(x[0], 2.5))
UNARY(add, tl_add(x[0], x[1]))
UNARY(sub, tl_sub(x[0], x[1]))
UNARY(mul, tl_mul(x[0], x[1]))
UNARY(quotient, tl_div(x[0], x[1]))
UNARY(maximum, tl_maximum(x[0], x[1]))
UNARY(minimum, tl_minimum(x[0], x[1]))
UNARY(mse, tl_mse_loss(x[0], x[1], TL_REDUCE_NONE))
UNARY(mse_mean, tl_mse_loss(x[0], x[1], TL_REDUCE_MEAN))
UNARY(binary, tl_binary_cross_entropy(x[0], x[1], TL_NO_VAR, TL_REDUCE_NONE))
UNARY(binary_weight, tl_binary_cross_entropy(x[0], x[1], tl_scalar(x[0].tape, 2), TL_REDUCE_NONE))
UNARY(binary_mean, tl_binary_cross_entropy(x[0], x[1], TL_NO_VAR, TL_REDUCE_MEAN))
UNARY(matmul, tl_matmul(x[0], x[1]))
UNARY(sum, tl_sum(x[0], TL_AXES(-1), false))
UNARY(mean, tl_mean(x[0], TL_AXES(-1), false))
UNARY(max, tl_max(x[0], -1, false))
UNARY(sum_all, tl_sum(x[0], TL_ALL_AXES, false))
UNARY(mean_all, tl_mean(x[0], TL_ALL_AXES, false))
UNARY(softmax, tl_softmax(x[0], -1))
UNARY(log_softmax, tl_log_softmax(x[0], -1))
UNARY(layer_norm, tl_layer_norm(x[0], TL_NO_VAR, TL_NO_VAR, 1e-5))
UNARY(rms_norm, tl_rms_norm(x[0], TL_NO_VAR, 1e-5))

static tl_var loss_of(tl_var x, int target, tl_loss_options options) {
    int targets[64];
    for (int i = 0; i < 64; i++) targets[i] = target;
    return tl_cross_entropy(x, targets, &options, NULL);
}
UNARY(cross_entropy, loss_of(x[0], 0, (tl_loss_options){.reduction = TL_REDUCE_NONE}))
UNARY(cross_entropy_second, loss_of(x[0], 1, (tl_loss_options){.reduction = TL_REDUCE_NONE}))
UNARY(cross_entropy_smooth,
      loss_of(x[0], 1, (tl_loss_options){.reduction = TL_REDUCE_NONE, .label_smoothing = 0.125}))
static tl_var ignored(tl_var x, tl_reduction reduction) {
    return loss_of(x, 1, (tl_loss_options){.reduction = reduction, .ignore = true, .ignore_id = 1});
}
UNARY(ignored_mean, ignored(x[0], TL_REDUCE_MEAN))
UNARY(ignored_sum, ignored(x[0], TL_REDUCE_SUM))
UNARY(ignored_none, ignored(x[0], TL_REDUCE_NONE))
static const tl_real second_weighs_nothing[3] = {1, 0, 1};
UNARY(weightless, loss_of(x[0], 1, (tl_loss_options){.class_weight = second_weighs_nothing}))
UNARY(loss_of_nothing, loss_of(x[0], 0, (tl_loss_options){.class_weight = NULL}))

static const uint8_t first_two[4] = {TL_ATTEND, TL_ATTEND, TL_BLOCK, TL_BLOCK}, no_keys[4] = {TL_BLOCK};
#define SHOWS(keys, count) (&(tl_mask){.attend = keys, .attend_dim = {1, 1, 1, count}})
UNARY(masked_softmax, tl_masked_softmax(x[0], SHOWS(first_two, 4)))
UNARY(masked_softmax_none, tl_masked_softmax(x[0], SHOWS(no_keys, 4)))
UNARY(masked_sigmoid, tl_masked_sigmoid(x[0], SHOWS(first_two, 4)))
static tl_var attend(const tl_var *x, const tl_mask *mask) {
    return tl_scaled_dot_product_attention(x[0], x[1], x[2], TL_NO_VAR, mask, 0, 0);
}
UNARY(attention, attend(x, NULL))
UNARY(attention_hidden, attend(x, SHOWS(first_two, 3)))
UNARY(attention_none, attend(x, SHOWS(no_keys, 3)))
UNARY(gru_step, tl_gru_step(x[0], x[1], x[2]))
UNARY(lstm_step, tl_lstm_step(x[0], x[1], x[2]))
UNARY(rotary, tl_rotary(x[0], 0, 0))

typedef struct operation {
    const char *name;
    tl_var (*f)(const tl_var *x);
    int inputs; /* 1: x; 2 and 3: a, b, c */
    bool
        rows; /* a result depends on a whole row: signs of zeros may differ, and rounding errors are those of sums */
} operation;
static const operation operations[] = {
    {"neg", neg, 1, false},
    {"scale", twice, 1, false},
    {"scale_0", scale_0, 1, false},
    {"power_0", power_0, 1, false},
    {"power_1", power_1, 1, false},
    {"power_2", power_2, 1, false},
    {"power_3", power_3, 1, false},
    {"power_minus_1", power_m1, 1, false},
    {"power_minus_2", power_m2, 1, false},
    {"power_half", power_half, 1, false},
    {"power_minus_half", power_m_half, 1, false},
    {"power_2_and_half", power_2_half, 1, false},
    {"exp", exponential, 1, false},
    {"log", logarithm, 1, false},
    {"sqrt", root, 1, false},
    {"tanh", tangent, 1, false},
    {"sigmoid", sigmoid, 1, false},
    {"abs", absolute, 1, false},
    {"clamp", clamp, 1, false},
    {"clamp_below", clamp_below, 1, false},
    {"relu", relu, 1, false},
    {"gelu", gelu, 1, false},
    {"gelu_tanh", gelu_tanh, 1, false},
    {"add", add, 2, false},
    {"sub", sub, 2, false},
    {"mul", mul, 2, false},
    {"div", quotient, 2, false},
    {"maximum", maximum, 2, false},
    {"minimum", minimum, 2, false},
    {"mse_loss", mse, 2, false},
    {"binary_cross_entropy", binary, 2, false},
    {"binary_cross_entropy_weight", binary_weight, 2, false},
    {"matmul", matmul, 2, true},
    {"sum", sum, 1, true},
    {"mean", mean, 1, true},
    {"max", max, 1, true},
    {"softmax", softmax, 1, true},
    {"log_softmax", log_softmax, 1, true},
    {"layer_norm", layer_norm, 1, true},
    {"rms_norm", rms_norm, 1, true},
    {"cross_entropy", cross_entropy, 1, true},
    {"cross_entropy_second", cross_entropy_second, 1, true},
    {"cross_entropy_smooth", cross_entropy_smooth, 1, true},
    {"masked_softmax", masked_softmax, 1, true},
    {"masked_softmax_seen", masked_softmax, 1, true},
    {"masked_softmax_none", masked_softmax_none, 1, true},
    {"masked_sigmoid", masked_sigmoid, 1, true},
    {"attention", attention, 3, true},
    {"attention_hidden", attention_hidden, 3, true},
    {"attention_none", attention_none, 3, true},
    {"gru_step", gru_step, 3, true},
    {"lstm_step", lstm_step, 3, true},
    {"rotary", rotary, 1, true},
    {"ignored_mean", ignored_mean, 1, true},
    {"ignored_sum", ignored_sum, 1, true},
    {"ignored_none", ignored_none, 1, true},
    {"weightless", weightless, 1, true},
    {"sum_of_nothing", sum_all, 1, true},
    {"mean_of_nothing", mean_all, 1, true},
    {"mse_of_nothing", mse_mean, 2, true},
    {"binary_of_nothing", binary_mean, 2, true},
    {"cross_entropy_of_nothing", loss_of_nothing, 1, true},
};

/* ---- comparing ---- */

static bool agree(double ours, double theirs, bool rows) {
    if (isnan(ours) || isnan(theirs)) return isnan(ours) && isnan(theirs);
    if (isinf(ours) || isinf(theirs)) return ours == theirs;
    if (ours == 0 && theirs == 0) return rows || signbit(ours) == signbit(theirs);
    const bool narrow = sizeof(tl_real) == 4;
    const double relative = (rows ? 1e-3 : 1e-5) * (narrow ? 1 : 1e-7), least = narrow ? 0x1p-149 : 0x1p-1074;
    return fabs(ours - theirs) <= relative * fabs(theirs) + 4 * least;
}

/* A number as the page has it. `coarse`: numbers other than 0 are only "a number". */
static const char *number_text(double x, bool coarse, char text[32]) {
    const bool narrow = sizeof(tl_real) == 4;
    const double size = fabs(x), max = narrow ? FLT_MAX : DBL_MAX, min = narrow ? FLT_MIN : DBL_MIN;
    const char *sign = signbit(x) ? "-" : "";
    if (isnan(x))
        strcpy(text, "NaN");
    else if (isinf(x))
        snprintf(text, 32, "%sinf", sign);
    else if (coarse)
        strcpy(text, x == 0 ? "0" : "a number");
    else if (size == max)
        snprintf(text, 32, "%smax", sign);
    else if (size > 0 && size < min)
        snprintf(text, 32, "%sdenormal", sign);
    else
        snprintf(text, 32, "%.3g", x);
    return text;
}

/* Rows of the page's table: what differs how, and where, each place once. */
typedef struct difference {
    char what[96], how[96], where[2048];
} difference;
static difference found[128];
static int differences;

static void differs(const char *operation, const char *result, const char *theirs, const char *ours,
                    const char *where) {
    char what[96], how[96];
    snprintf(what, sizeof what, "| `%s` | %s |", operation, result);
    snprintf(how, sizeof how, "| %s | %s |", theirs, ours);
    int at = 0;
    while (at < differences && (strcmp(found[at].what, what) != 0 || strcmp(found[at].how, how) != 0)) at++;
    must(at < 128);
    difference *d = &found[at];
    if (at == differences) {
        differences++;
        strcpy(d->what, what), strcpy(d->how, how);
        strcpy(d->where, where);
        return;
    }
    char listed[sizeof d->where + 8], item[300];
    snprintf(listed, sizeof listed, "; %s; ", d->where);
    snprintf(item, sizeof item, "; %s; ", where);
    if (strstr(listed, item)) return;
    must(strlen(d->where) + strlen(item) < sizeof d->where);
    strcat(strcat(d->where, "; "), where);
}

/* Element i's inputs, as the page has them. */
static void place_text(char text[256], const operation *o, const tl_tensor *in, tl_tensor dy, long elements,
                       long i) {
    char number[32];
    *text = 0;
    const long all = tl_numel(in[0]), width = o->rows && in[0].rank > 0 ? in[0].dim[in[0].rank - 1] : 1;
    if (all == 0 || (o->inputs == 3 && in[0].rank != 2)) {
        strcpy(text, all == 0 ? "nothing" : "everywhere");
        return;
    }
    const long rows = all / width;
    long row = o->rows ? i * rows / elements : i;
    if (o->inputs == 3 && elements == 2 * rows) row = i % rows; /* an LSTM's h' of all rows, then c' */
    for (int k = 0; k < o->inputs; k++) {
        const long wide = o->rows ? tl_numel(in[k]) / rows : 1;
        for (long j = 0; j < wide; j++)
            sprintf(text + strlen(text), "%s%s", k + j ? (j ? " " : ", ") : "",
                    number_text((double)in[k].data[row * wide + j], false, number));
    }
    if (!o->rows && dy.data && dy.data[i] != 1)
        sprintf(text + strlen(text), " (dy %s)", number_text((double)dy.data[i], false, number));
}

static void compare(const operation *o, const char *result, tl_tensor theirs, tl_tensor ours,
                    const tl_tensor *in, tl_tensor dy) {
    char a[32], b[32], where[256];
    must_msg(tl_numel(theirs) == 0 || ours.data, "%s: no %s", o->name, result);
    for (long i = 0; i < tl_numel(theirs); i++) {
        const double t = (double)theirs.data[i], u = (double)ours.data[i];
        if (agree(u, t, o->rows)) continue;
        place_text(where, o, in, dy, tl_numel(theirs), i);
        number_text(t, o->rows, a), number_text(u, o->rows, b);
        differs(o->name, result, a, b, where);
    }
}

static const char *const file = sizeof(tl_real) == 4 ? "special_values_float" : "special_values_double";

static void compare_operation(const operation *o) {
    static const char *const names[2][3] = {{"x"}, {"a", "b", "c"}};
    char prefix[64], name[32], result[32];
    snprintf(prefix, sizeof prefix, "%s.", o->name);
    fixture f = fixture_open(file, prefix);
    tl_tape *tape = tl_tape_new();
    tl_tape_set_checking(tape, false);
    tl_tensor in[3];
    tl_var x[3];
    for (int i = 0; i < o->inputs; i++) {
        in[i] = fixture_read(&f, "%s", names[o->inputs > 1][i]);
        x[i] = tl_variable(tape, in[i]);
    }
    tl_var y = o->f(x);
    tl_tensor dy = fixture_read(&f, "dy"), theirs = fixture_read(&f, "output");
    const bool failed = tl_tape_error(tape) != NULL;
    if (failed) { /* where PyTorch has a result */
        char text[32];
        differs(o->name, "value", number_text((double)theirs.data[0], true, text), "an error", "nothing");
    } else {
        compare(o, "value", theirs, tl_value(y), in, (tl_tensor){0});
        must_msg(tl_backward_from(y, dy), "%s: %s", o->name, tl_tape_error(tape));
    }
    for (int i = 0; i < o->inputs; i++) {
        snprintf(name, sizeof name, "grad.%s", names[o->inputs > 1][i]);
        snprintf(result, sizeof result, o->inputs > 1 ? "gradient of %s" : "gradient",
                 names[o->inputs > 1][i]);
        theirs = fixture_read(&f, "%s", name);
        if (!failed) compare(o, result, theirs, tl_grad(x[i]), in, dy);
    }
    tl_tape_free(tape);
    fixture_close(&f);
}

/* where has a condition, dropout no gradient to compare (its mask is random). */
static void compare_where_and_dropout(void) {
    tl_tape *tape = tl_tape_new();
    tl_tape_set_checking(tape, false);
    fixture f = fixture_open(file, "where.");
    const operation where = {"where", NULL, 2, false};
    tl_tensor in[2] = {fixture_read(&f, "a"), fixture_read(&f, "b")}, dy = fixture_read(&f, "dy");
    tl_var x[2] = {tl_variable(tape, in[0]), tl_variable(tape, in[1])};
    tl_var y = tl_where(tl_constant(tape, fixture_read(&f, "cond")), x[0], x[1]);
    compare(&where, "value", fixture_read(&f, "output"), tl_value(y), in, (tl_tensor){0});
    must(tl_backward_from(y, dy));
    compare(&where, "gradient of a", fixture_read(&f, "grad.a"), tl_grad(x[0]), in, dy);
    compare(&where, "gradient of b", fixture_read(&f, "grad.b"), tl_grad(x[1]), in, dy);
    fixture_close(&f);

    f = fixture_open(file, "dropout.");
    const operation dropout = {"dropout", NULL, 1, false};
    tl_tape_set_training(tape, 1);
    in[0] = fixture_read(&f, "x");
    compare(&dropout, "value", fixture_read(&f, "output"),
            tl_value(tl_dropout(tl_variable(tape, in[0]), 0.5)), in, (tl_tensor){0});
    fixture_close(&f);
    tl_tape_free(tape);
}

/* ---- the page ---- */

/* The page's table for this precision: a line for each row, without the last column (why). */
static char *page_rows(int *count) {
    const char *root = getenv("TL_ROOT"), *heading = sizeof(tl_real) == 4 ? "## float" : "## double";
    char path[4096], line[4096];
    snprintf(path, sizeof path, "%s/docs/special-values.md", root ? root : ".");
    FILE *page = fopen(path, "r");
    ck_assert_msg(page != NULL, "%s is not here", path);
    char *rows = calloc(1, 1 << 18);
    bool ours = false;
    *count = 0;
    while (fgets(line, sizeof line, page)) {
        if (strncmp(line, "## ", 3) == 0) ours = strncmp(line, heading, strlen(heading)) == 0;
        if (!ours || strncmp(line, "| `", 3) != 0) continue;
        strcat(rows, line);
        ++*count;
    }
    fclose(page);
    return rows;
}

START_TEST(differences_are_those_of_the_page) {
    char row[sizeof(difference) + 16];
    int rows, missing = 0;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) compare_operation(&operations[i]);
    compare_where_and_dropout();
    char *page = page_rows(&rows);
    for (int i = 0; i < differences; i++) {
        const difference *d = &found[i];
        strcpy(row, d->what);
        strcat(strcat(strcat(strcat(row, " "), d->where), " "), d->how);
        if (strstr(page, row)) continue;
        missing++;
        printf("docs/special-values.md has no row\n%s\n", row);
    }
    fflush(stdout);
    free(page);
    ck_assert_msg(missing == 0 && rows == differences,
                  "%d differences, %d of them not on the page; the page has %d rows", differences, missing,
                  rows);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, differences_are_those_of_the_page); }
TL_TEST_MAIN("autograd: special values")
