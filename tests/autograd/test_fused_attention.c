/* scaled_dot_product_attention against the operations that it combines: the same bits forward and backward, for all
 * sizes, masks, layouts and numbers of threads; and its errors. */
#include "check.h"
#include "tapeloom/autograd.h"
#include "tapeloom/ops.h"

enum { ROOM = 1 << 18 };

typedef struct sizes {
    long b, h, t, s, d, e;
} sizes;
static const sizes shapes[] = {
    {2, 3, 4, 5, 2, 3},       {1, 1, 1, 1, 1, 1},      {3, 4, 12, 12, 16, 16}, {8, 4, 16, 16, 32, 32},
    {2, 2, 33, 17, 8, 5},     {5, 1, 1, 40, 24, 24},   {1, 2, 300, 400, 8, 8}, /* in blocks of queries … */
    {1, 3, 200, 2000, 3, 12}, {1, 1, 13, 70000, 2, 1}, /* … of as few as a tile has */
    {3, 3, 20, 20, 8, 8},     {2, 2, 0, 3, 4, 4},      {2, 2, 3, 0, 4, 4},     {1, 2, 3, 4, 5, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static uint64_t state = 7;
static void fill(tl_real *x, long n) {
    for (long i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = (tl_real)((double)(state >> 40) / (1 << 23) - 1);
    }
}

static tl_var by_steps(tl_var q, tl_var k, tl_var v, tl_var bias, const tl_mask *mask, double dropout,
                       double scale) {
    const long d = tl_value(q).dim[3];
    tl_var scores = tl_scale(tl_matmul(q, tl_transpose(k, -1, -2)), scale > 0 ? scale : 1 / sqrt((double)d));
    if (bias.tape) scores = tl_add(scores, bias);
    tl_var probs = tl_dropout(tl_masked_softmax(scores, mask), dropout);
    return tl_merge_heads(tl_matmul(probs, v));
}

/* Layouts of queries, keys and values: three variables [B,H,T,d]; three [B,T,H·d], split into heads; parts of one
 * projection [B,T,3·H·d] (if the sizes allow it); one variable for all three (if the sizes allow it). */
typedef enum layout { APART, SPLIT, PACKED, ONE, LAYOUTS } layout;
static bool allows(sizes n, layout how) {
    return how < PACKED || (n.t == n.s && n.d == n.e && (how == PACKED || n.b == n.h));
}

typedef struct inputs {
    tl_var variable[3], part[3]; /* q, k, v */
    int variables;
} inputs;

static inputs inputs_of(tl_tape *tape, tl_real *x, sizes n, layout how, int wanted) {
    inputs in = {.variables = how < PACKED ? 3 : 1};
    const long rows[3] = {n.t, n.s, n.s}, columns[3] = {n.d, n.d, n.e};
    for (int i = 0; i < in.variables; i++) {
        tl_shape shape = TL_SHAPE(n.b, n.h, rows[i], columns[i]);
        if (how == SPLIT) shape = TL_SHAPE(n.b, rows[i], n.h * columns[i]);
        if (how == PACKED) shape = TL_SHAPE(n.b, n.t, 3 * n.h * n.d);
        const tl_tensor value = tl_tensor_of(x + i * ROOM, shape);
        in.variable[i] = wanted >> i & 1 ? tl_variable(tape, value) : tl_constant(tape, value);
        in.part[i] = how == SPLIT ? tl_split_heads(in.variable[i], (int)n.h) : in.variable[i];
    }
    for (int i = 0; i < 3 && how == PACKED; i++)
        in.part[i] =
            tl_split_heads(tl_slice(in.variable[0], -1, i * n.h * n.d, (i + 1) * n.h * n.d), (int)n.h);
    if (how == ONE) in.part[1] = tl_transpose(in.part[0], 0, 1), in.part[2] = in.part[0];
    return in;
}

typedef tl_var attention(tl_var q, tl_var k, tl_var v, tl_var bias, const tl_mask *mask, double dropout,
                         double scale);

typedef struct result {
    tl_real *y, *gradient[3];
    long numel, gradients[3];
} result;

/* Runs f twice over the same inputs and adds the results, so that gradients are both overwritten and added to. */
static result run(attention *f, sizes n, layout how, int wanted, const tl_tensor *bias, const tl_mask *mask,
                  double dropout, double scale, tl_real *x) {
    result r = {0};
    tl_tape *tape = tl_tape_new();
    if (dropout > 0) tl_tape_set_training(tape, 3);
    inputs in = inputs_of(tape, x, n, how, wanted);
    tl_var b = bias ? tl_constant(tape, *bias) : TL_NO_VAR;
    tl_var y = f(in.part[0], in.part[1], in.part[2], b, mask, dropout, scale);
    if (wanted & 8) y = tl_add(y, f(in.part[0], in.part[1], in.part[2], b, NULL, dropout, scale));
    assert_no_error(tl_tape_error(tape));
    r.numel = tl_numel(tl_value(y));
    must((r.y = malloc((size_t)r.numel * sizeof *r.y)) != NULL);
    memcpy(r.y, tl_value(y).data, (size_t)r.numel * sizeof *r.y);
    if (wanted & 7) {
        must(tl_backward_from(y, tl_tensor_of(x + 3 * ROOM, tl_shape_of(tl_value(y)))));
        for (int i = 0; i < in.variables; i++) {
            const tl_tensor g = tl_grad(in.variable[i]);
            if (!g.data) continue;
            r.gradients[i] = tl_numel(g);
            must((r.gradient[i] = malloc((size_t)tl_numel(g) * sizeof *g.data)) != NULL);
            memcpy(r.gradient[i], g.data, (size_t)tl_numel(g) * sizeof *g.data);
        }
    }
    tl_tape_free(tape);
    return r;
}

static void result_free(result *r) {
    free(r->y);
    for (int i = 0; i < 3; i++) free(r->gradient[i]);
}

/* The same bits, or within a tolerance; a zero may have either sign. */
static void assert_same(const tl_real *a, const tl_real *b, long n, double tolerance, const char *what,
                        int shape) {
    for (long i = 0; i < n; i++)
        must_msg(a[i] == b[i] || fabs((double)(a[i] - b[i])) < tolerance,
                 "shape %d, %s[%ld]: %.9g, step by step %.9g", shape, what, i, (double)a[i], (double)b[i]);
}

static void compare(int shape, layout how, int wanted, const tl_tensor *bias, const tl_mask *mask,
                    double dropout, double scale) {
    static const char *const what[] = {"dq", "dk", "dv"};
    const sizes n = shapes[shape];
    tl_real *x = calloc(4 * ROOM, sizeof *x);
    must(x != NULL);
    fill(x, 4 * ROOM);
    result a = run(tl_scaled_dot_product_attention, n, how, wanted, bias, mask, dropout, scale, x);
    result b = run(by_steps, n, how, wanted, bias, mask, dropout, scale, x);
    must(a.numel == b.numel && a.numel == n.b * n.h * n.t * n.e);
    assert_same(a.y, b.y, a.numel, 0, "y", shape);
    for (int i = 0; i < 3; i++) {
        must(a.gradients[i] == b.gradients[i]);
        /* three gradients of one variable are added in another order */
        assert_same(a.gradient[i], b.gradient[i], a.gradients[i], how == ONE ? 1e-5 : 0, what[i], shape);
    }
    result_free(&a);
    result_free(&b);
    free(x);
}

enum { Q = 1, K = 2, V = 4, TWICE = 8, ALL = Q | K | V };

/* Every shape in every layout, with and without dropout, gradients overwritten and added to. */
START_TEST(all_shapes) {
    tl_set_threads(1 + _i % 2);
    for (int how = 0; how < LAYOUTS; how++)
        for (int k = 0; k < 4; k++)
            if (allows(shapes[_i], (layout)how))
                compare(_i, (layout)how, ALL | (k / 2 ? TWICE : 0), NULL, NULL, k % 2 ? 0.2 : 0, 0);
}
END_TEST

START_TEST(all_masks) {
    enum { MASKED = 4 };
    static const int masked[MASKED] = {0, 2, 4, 6};
    for (int i = 0; i < MASKED; i++) {
        const sizes n = shapes[masked[i]];
        int lengths[8];
        for (long b = 0; b < n.b; b++) lengths[b] = (int)((5 * b + 3) % (n.s + 1)); /* some are 0 */
        uint8_t *attend = malloc((size_t)(n.h * n.t * n.s));
        must(attend != NULL);
        for (long k = 0; k < n.h * n.t * n.s; k++) attend[k] = k % 7 != 0 && k % 5 != 2;
        const tl_mask masks[] = {
            {.key_lengths = lengths},
            {.causal = true},
            {.key_lengths = lengths, .causal = true},
            {.attend = attend, .attend_dim = {1, n.h, n.t, n.s}},
            {.attend = attend, .attend_dim = {1, 1, n.t, n.s}, .key_lengths = lengths},
            {.window = 1, .causal = true},
            {.window = 3, .key_lengths = lengths, .attend = attend, .attend_dim = {1, n.h, 1, n.s}},
        };
        for (size_t m = 0; m < sizeof masks / sizeof *masks; m++)
            compare(masked[i], SPLIT, ALL, NULL, &masks[m], _i * 0.3, _i * 0.7);
        free(attend);
    }
}
END_TEST

/* Biases of every shape that broadcasts, with contiguous rows or not, with masks, dropout and one or two threads. */
START_TEST(all_biases) {
    static const int biased[] = {0, 2, 4, 6};
    static tl_real numbers[2 * ROOM];
    fill(numbers, 2 * ROOM);
    tl_set_threads(1 + _i % 2);
    for (size_t i = 0; i < sizeof biased / sizeof *biased; i++) {
        const sizes n = shapes[biased[i]];
        const long full[4] = {n.b, n.h, n.t, n.s};
        for (int which = _i; which < 16; which += 4) {
            if (biased[i] == 6 && which % 5) continue; /* it is large */
            tl_shape shape = {4, {1, 1, 1, 1}};
            for (int axis = 0; axis < 4; axis++)
                if (which >> axis & 1) shape.dim[axis] = full[axis];
            const tl_tensor bias = tl_tensor_of(numbers, shape);
            const tl_shape other = TL_SHAPE(shape.dim[0], shape.dim[1], shape.dim[3], shape.dim[2]);
            const tl_tensor transposed = tl_tensor_transpose(tl_tensor_of(numbers, other), -1, -2);
            compare(biased[i], SPLIT, ALL, &bias, NULL, 0, which % 2 * 0.7);
            compare(biased[i], APART, ALL | TWICE, &transposed, &(tl_mask){.causal = true}, which % 3 * 0.2,
                    0);
        }
    }
}
END_TEST

/* Queries and keys that share elements of one variable: shifted by a head, a position, or a sentence. Threads that
 * wrote both gradients at once would lose contributions. */
static tl_var overlapping(tl_tape *tape, attention *f, int by, tl_var x) {
    enum { H = 2, T = 200, W = 16 }; /* x [3,201,3·W] or, by sentences, [200,3,W] */
    tl_var part[3];
    for (int i = 0; i < 3; i++) {
        if (by == 0) part[i] = tl_slice(tl_slice(x, 1, 0, T), -1, i * W / H, i * W / H + W);
        if (by == 1) part[i] = tl_slice(tl_slice(x, 1, (i + 1) / 2, (i + 1) / 2 + T), -1, 0, W);
        if (by == 2) part[i] = tl_transpose(tl_slice(x, 1, (i + 1) / 2, (i + 1) / 2 + 2), 0, 1);
        part[i] = tl_split_heads(part[i], H);
    }
    tl_var y = f(part[0], part[1], part[2], TL_NO_VAR, NULL, 0, 0);
    assert_no_error(tl_tape_error(tape));
    return y;
}

START_TEST(inputs_that_overlap) {
    const tl_shape shape = _i == 2 ? TL_SHAPE(200, 3, 16) : TL_SHAPE(3, 201, 48);
    tl_real *x = calloc(4 * ROOM, sizeof *x);
    must(x != NULL);
    fill(x, 4 * ROOM);
    tl_set_threads(2);
    attention *const f[] = {by_steps, tl_scaled_dot_product_attention};
    const long n = tl_shape_numel(shape);
    tl_real *wanted = x + ROOM;
    for (int round = 0; round < 20; round++) {
        tl_tape *tape = tl_tape_new();
        tl_var v = tl_variable(tape, tl_tensor_of(x, shape)), y = overlapping(tape, f[round > 0], _i, v);
        must(tl_backward_from(y, tl_tensor_of(x + 2 * ROOM, tl_shape_of(tl_value(y)))));
        if (round == 0)
            memcpy(wanted, tl_grad(v).data, (size_t)n * sizeof *wanted);
        else
            assert_same(tl_grad(v).data, wanted, n, 1e-4, "gradient", -1);
        tl_tape_free(tape);
    }
    free(x);
}
END_TEST

/* Any subset of the three inputs may want a gradient; if none does, nothing is saved. */
START_TEST(some_gradients) {
    for (int wanted = 0; wanted < 8; wanted++)
        for (int shape = 0; shape < 7; shape += 2) compare(shape, APART, wanted, NULL, NULL, _i * 0.1, 0);
}
END_TEST

/* The number of threads changes no bit. */
START_TEST(any_number_of_threads) {
    const sizes n = shapes[3];
    tl_real *x = calloc(4 * ROOM, sizeof *x);
    must(x != NULL);
    fill(x, 4 * ROOM);
    result first = {0};
    for (int threads = 1; threads <= 5; threads++) {
        tl_set_threads(threads);
        result r =
            run(tl_scaled_dot_product_attention, n, PACKED, ALL, NULL, &(tl_mask){.causal = true}, 0.1, 0, x);
        if (threads > 1) {
            assert_same(r.y, first.y, r.numel, 0, "y", 3);
            assert_same(r.gradient[0], first.gradient[0], r.gradients[0], 0, "gradient", 3);
            result_free(&r);
        } else
            first = r;
    }
    result_free(&first);
    free(x);
}
END_TEST

static void fails(tl_tape *tape, tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
}

START_TEST(errors) {
    static tl_real x[1000];
    tl_tape *tape = tl_tape_new();
    const tl_shape good = TL_SHAPE(2, 2, 3, 4);
    const tl_shape bad[][3] = {{TL_SHAPE(2, 2, 12), good, good},
                               {good, TL_SHAPE(2, 2, 3, 5), good},
                               {good, TL_SHAPE(2, 2, 4, 4), good},
                               {good, TL_SHAPE(1, 2, 3, 4), TL_SHAPE(1, 2, 3, 4)},
                               {good, good, TL_SHAPE(2, 1, 3, 4)},
                               {TL_SHAPE(2, 0, 3, 4), TL_SHAPE(2, 0, 3, 4), TL_SHAPE(2, 0, 3, 4)},
                               {TL_SHAPE(2, 2, 3, 0), TL_SHAPE(2, 2, 3, 0), good}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_var in[3];
        for (int k = 0; k < 3; k++) in[k] = tl_constant(tape, tl_tensor_of(x, bad[i][k]));
        fails(tape, tl_scaled_dot_product_attention(in[0], in[1], in[2], TL_NO_VAR, NULL, 0, 0),
              "should be [B,H,T,d], [B,H,S,d], [B,H,S,e]");
    }
    tl_var in = tl_constant(tape, tl_tensor_of(x, good));
    fails(tape, tl_scaled_dot_product_attention(in, in, in, TL_NO_VAR, NULL, 1, 0),
          "scaled_dot_product_attention: dropout is 1, should be");
    fails(tape, tl_scaled_dot_product_attention(in, in, in, TL_NO_VAR, NULL, -0.1, 0), "dropout is -0.1");
    fails(tape, tl_scaled_dot_product_attention(in, in, in, TL_NO_VAR, NULL, 0, -1),
          "scale is -1, should be above 0");
    fails(tape, tl_scaled_dot_product_attention(in, in, in, TL_NO_VAR, NULL, 0, (double)NAN), "scale is nan");
    fails(tape, tl_scaled_dot_product_attention(in, in, in, TL_NO_VAR, &(tl_mask){.window = -1}, 0, 0),
          "the mask's window is -1, should be 1 or more, or 0 for none");
    fails(tape,
          tl_scaled_dot_product_attention(in, in, in, TL_NO_VAR, &(tl_mask){.key_lengths = (int[]){3, 4}}, 0,
                                          0),
          "scaled_dot_product_attention: key_lengths[1] is 4, should be 0 … 3");
    const tl_shape wrong[] = {TL_SHAPE(2, 3, 3), TL_SHAPE(3, 2, 3, 3), TL_SHAPE(2, 2, 3, 2)};
    for (int i = 0; i < 3; i++)
        fails(tape,
              tl_scaled_dot_product_attention(in, in, in, tl_constant(tape, tl_tensor_of(x, wrong[i])), NULL,
                                              0, 0),
              ": should be the scores' [2,2,3,3], or 1 where it is the same for all");
    const tl_tensor bias = tl_tensor_of(x + 500, TL_SHAPE(1, 2, 1, 3));
    fails(tape, tl_scaled_dot_product_attention(in, in, in, tl_variable(tape, bias), NULL, 0, 0),
          "the bias wants a gradient, which goes through the steps alone");
    const double bad_numbers[] = {-INFINITY, INFINITY, NAN};
    tl_tape_set_checking(tape, false);
    for (int i = 0; i < 3; i++) {
        x[504] = (tl_real)bad_numbers[i];
        fails(tape, tl_scaled_dot_product_attention(in, in, in, tl_constant(tape, bias), NULL, 0, 0),
              "should be finite; what must not be seen is a mask's business: use tl_mask");
    }
    x[504] = (tl_real)-INFINITY;
    fails(tape, tl_scaled_dot_product_attention(in, in, in, tl_constant(tape, bias), NULL, 0, 0),
          "scaled_dot_product_attention: the bias holds -inf");
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, all_shapes, 0, SHAPES);
    tcase_add_loop_test(tc, all_masks, 0, 2);
    tcase_add_loop_test(tc, all_biases, 0, 4);
    tcase_add_loop_test(tc, inputs_that_overlap, 0, 3);
    tcase_add_loop_test(tc, some_gradients, 0, 2);
    tcase_add_test(tc, any_number_of_threads);
    tcase_add_test(tc, errors);
}
TL_TEST_MAIN("autograd: fused attention")
