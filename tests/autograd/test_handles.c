/* Wrong handles: every operation of the list with each of its inputs left out, zeroed, inert, stale, of another tape,
 * or invented; every function of autograd.h with each of these; marks that have become stale. Each gives a sentence,
 * and nothing is computed. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

/* ---- a call of each operation; inputs_of has the inputs ---- */

#define CALL(name, ...)                       \
 static tl_var call_##name(const tl_var *x) { \
  (void)x;                                    \
  return tl_##name(__VA_ARGS__);              \
 }
static const int ids[6] = {1, 0, 1, 0, 1, 1};
CALL(add, x[0], x[1])
CALL(sub, x[0], x[1])
CALL(mul, x[0], x[1])
CALL(div, x[0], x[1])
CALL(maximum, x[0], x[1])
CALL(minimum, x[0], x[1])
CALL(where, x[0], x[1], x[2])
CALL(neg, x[0])
CALL(scale, x[0], 2)
CALL(power, x[0], 2)
CALL(exp, x[0])
CALL(log, x[0])
CALL(sqrt, x[0])
CALL(tanh, x[0])
CALL(sigmoid, x[0])
CALL(abs, x[0])
CALL(clamp, x[0], 0, 1)
CALL(relu, x[0])
CALL(gelu, x[0])
CALL(gelu_tanh, x[0])
CALL(matmul, x[0], x[1])
CALL(linear, x[0], x[1], x[2])
CALL(reshape, x[0], TL_SHAPE(-1))
CALL(transpose, x[0], 0, 1)
CALL(permute, x[0], TL_AXES(1, 0))
CALL(split_heads, x[0], 1)
CALL(merge_heads, x[0])
CALL(concat, x, 3, 0)
CALL(stack, x, 3, 0)
CALL(slice, x[0], 0, 0, 1)
CALL(sum, x[0], TL_ALL_AXES, false)
CALL(mean, x[0], TL_ALL_AXES, false)
CALL(max, x[0], 0, false)
CALL(softmax, x[0], 0)
CALL(log_softmax, x[0], 0)
CALL(masked_softmax, x[0], NULL)
CALL(masked_sigmoid, x[0], NULL)
CALL(scaled_dot_product_attention, x[0], x[1], x[2], x[3], NULL, 0, 0)
CALL(rotary, x[0], 0, 0)
CALL(gru_step, x[0], x[1], x[2])
CALL(lstm_step, x[0], x[1], x[2])
CALL(lstm_steps, x[0], x[1], x[2], x[3], x[4], NULL, false)
CALL(layer_norm, x[0], x[1], x[2], 1e-5)
CALL(rms_norm, x[0], x[1], 1e-5)
CALL(dropout, x[0], 0.5)
CALL(embedding, x[0], ids, TL_SHAPE(6))
CALL(gather, x[0], 0, ids, TL_SHAPE(2, 2))
CALL(mse_loss, x[0], x[1], TL_REDUCE_MEAN)
CALL(binary_cross_entropy, x[0], x[1], x[2], TL_REDUCE_MEAN)
CALL(cross_entropy, x[0], ids, NULL, NULL)
CALL(linear_cross_entropy, x[0], x[1], x[2], ids, NULL, NULL)

/* The inputs of an operation, where they are not one square matrix that is required. */
typedef struct inputs {
    int count;
    unsigned optional;
    int rank;     /* 0 means 2 */
    bool vectors; /* all inputs but input 0 and the weight */
} inputs;
typedef struct operation {
    const char *name;
    tl_var (*call)(const tl_var *x);
} operation;
static const operation operations[] = {
#define TL_OP(name, arguments, meaning) {#name, call_##name},
    TL_OPS_LIST
#undef TL_OP
};
enum { OPERATIONS = sizeof operations / sizeof *operations, MOST_INPUTS = 5 };

static inputs inputs_of(const char *name) {
    static const struct {
        const char *name;
        inputs in;
    } more[] = {{"add", {.count = 2}},
                {"sub", {.count = 2}},
                {"mul", {.count = 2}},
                {"div", {.count = 2}},
                {"maximum", {.count = 2}},
                {"minimum", {.count = 2}},
                {"where", {.count = 3}},
                {"matmul", {.count = 2}},
                {"linear", {.count = 3, .optional = 4}},
                {"split_heads", {.count = 1, .rank = 3}},
                {"merge_heads", {.count = 1, .rank = 4}},
                {"concat", {.count = 3}},
                {"stack", {.count = 3}},
                {"scaled_dot_product_attention", {.count = 4, .optional = 8, .rank = 4}},
                {"rotary", {.count = 1, .rank = 4}},
                {"gru_step", {.count = 3}},
                {"lstm_step", {.count = 3}},
                {"lstm_steps", {.count = 5, .optional = 4}},
                {"layer_norm", {.count = 3, .optional = 6}},
                {"rms_norm", {.count = 2, .optional = 2}},
                {"mse_loss", {.count = 2}},
                {"binary_cross_entropy", {.count = 3, .optional = 4}},
                {"linear_cross_entropy", {.count = 3, .optional = 4}}};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (!strcmp(more[i].name, name)) return more[i].in;
    return (inputs){.count = 1};
}

/* ---- good inputs and bad ones ---- */

static tl_real numbers[64];

static tl_var good(tl_tape *tape, const char *name, int i) {
    const inputs in = inputs_of(name);
    const bool vector = (in.optional >> i & 1) && in.rank == 0 && strcmp(name, "binary_cross_entropy") != 0;
    tl_shape shape = {vector ? 1 : in.rank ? in.rank : 2, {2, 2, 2, 2}};
    if (i < 2 && !strcmp(name, "gru_step")) shape.dim[1] = 6; /* gates side by side */
    if (i < 2 && !strcmp(name, "lstm_step")) shape.dim[1] = 8;
    if (!strcmp(name, "lstm_steps")) /* x, weight, bias */
        shape = (tl_shape[]){TL_SHAPE(2, 2, 8), TL_SHAPE(8, 2), TL_SHAPE(8), shape, shape}[i];
    const tl_tensor value = tl_tensor_of(numbers, shape);
    const bool given = (i == 2 && !strcmp(name, "binary_cross_entropy")) || /* which gets no gradient */
                       (i == 3 && !strcmp(name, "scaled_dot_product_attention"));
    return given ? tl_constant(tape, value) : tl_variable(tape, value);
}

typedef enum fault {
    LEFT_OUT,
    ZEROED,
    INERT_OF_NO_TAPE,
    INERT,
    STALE,
    FOREIGN,
    TOO_HIGH,
    NEGATIVE,
    FAULTS
} fault;
static const char *const says[FAULTS] = {"is TL_NO_VAR, but cannot be left out",
                                         "no operation has given",
                                         "is inert",
                                         "is inert",
                                         "stale handle",
                                         "two different tapes",
                                         "stale handle",
                                         "no handle that this tape has given"};

static tl_var bad(tl_tape *tape, tl_tape *other, fault kind) {
    const tl_var stale = tl_constant(tape, tl_tensor_of(numbers, TL_SHAPE(2, 2)));
    const uint32_t now = stale.epoch + 1;
    switch (kind) {
    case LEFT_OUT:
        return TL_NO_VAR;
    case ZEROED:
        return (tl_var){0};
    case INERT_OF_NO_TAPE:
        return tl_scalar(NULL, 1);
    case INERT:
        return (tl_var){tape, -1, 0};
    case STALE:
        tl_tape_reset(tape);
        return stale;
    case FOREIGN:
        return tl_constant(other, tl_tensor_of(numbers, TL_SHAPE(2, 2)));
    case TOO_HIGH:
        tl_tape_reset(tape);
        return (tl_var){tape, 1000000, now};
    default:
        tl_tape_reset(tape);
        return (tl_var){tape, -1000000, now};
    }
}

static bool has_tape(fault kind) { return kind >= INERT; }

static void refuses(const operation *op, int i, fault kind) {
    const inputs in = inputs_of(op->name);
    tl_tape *tape = tl_tape_new(), *other = tl_tape_new();
    tl_var x[MOST_INPUTS] = {TL_NO_VAR, TL_NO_VAR, TL_NO_VAR, TL_NO_VAR};
    const tl_var wrong = bad(tape, other, kind);
    for (int k = 0; k < in.count; k++) x[k] = k == i ? wrong : good(tape, op->name, k);
    const bool some_tape = in.count > 1 || has_tape(kind);
    tl_var y = op->call(x);
    if (kind == LEFT_OUT && (in.optional >> i & 1)) {
        must_msg(tl_ok(y), "%s: input %d may be left out: %s", op->name, i, tl_tape_error(tape));
    } else {
        must_msg(!tl_ok(y) && !tl_value(y).data, "%s, input %d, fault %d: it is computed", op->name, i, kind);
        const bool foreign = kind == FOREIGN && in.count == 1; /* with one input there is one tape */
        if (!foreign && (some_tape || kind != INERT_OF_NO_TAPE)) {
            const char *error = tl_tape_error(tape);
            must_msg(error && strstr(error, says[kind]) && strstr(error, op->name),
                     "%s, input %d, fault %d: \"%s\"", op->name, i, kind, error ? error : "(null)");
            if (some_tape) must_msg(!tl_ok(good(tape, op->name, 0)), "%s: the tape goes on", op->name);
        }
        /* user code: if (!tl_backward(loss)) die(tl_tape_error(tape)); */
        must_msg(!tl_backward(y) && tl_tape_error(y.tape ? y.tape : tape), "%s: backward says nothing",
                 op->name);
    }
    tl_tape_clear_error(tape);
    must(!tl_tape_error(tape));
    tl_tape_free(tape);
    tl_tape_free(other);
}

START_TEST(every_operation_with_every_wrong_handle) {
    int count;
    ck_assert_ptr_nonnull(tl_ops(&count));
    ck_assert_int_eq(count, OPERATIONS);
    const operation *op = &operations[_i];
    for (int i = 0; i < 64; i++) numbers[i] = (tl_real)0.5;
    tl_tape *tape = tl_tape_new(); /* the same function with good handles */
    tl_var x[MOST_INPUTS];
    for (int k = 0; k < MOST_INPUTS; k++) x[k] = good(tape, op->name, k);
    tl_var y = op->call(x);
    ck_assert_msg(tl_ok(y), "%s", tl_tape_error(tape));
    tl_tape_free(tape);
    for (int i = 0; i < inputs_of(op->name).count; i++)
        for (int kind = 0; kind < FAULTS; kind++) {
            if (kind == FOREIGN && inputs_of(op->name).count == 1) continue; /* its own tape */
            refuses(op, i, (fault)kind);
        }
}
END_TEST

START_TEST(no_inputs_at_all) {
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_scalar(tape, 1);
    ck_assert(!tl_ok(tl_concat(NULL, 2, 0)) && tl_tape_error(tape));
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_stack(&x, 0, 0)) && tl_tape_error(tape));
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_stack(&x, -3, 0)) && tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

/* ---- other functions that take a var ---- */

START_TEST(every_other_function_with_every_wrong_handle) {
    if (_i == FOREIGN) return; /* a function of one var has one tape */
    for (int which = 0; which < 7; which++) {
        static const char *const name[] = {"tl_value", "tl_value",    "tl_grad",    "tl_keep",
                                           "tl_label", "tl_backward", "tl_backward"};
        tl_tape *tape = tl_tape_new(), *other = tl_tape_new();
        const tl_var x = bad(tape, other, (fault)_i);
        const tl_tensor dy = tl_tensor_of(numbers, TL_SCALAR_SHAPE);
        bool refused = true;
        switch (which) {
        case 0:
            refused = !tl_value(x).data;
            break;
        case 1:
            refused = tl_shape_of_var(x).rank == 0;
            break;
        case 2:
            refused = !tl_grad(x).data;
            break;
        case 3:
            tl_keep(x);
            break;
        case 4:
            refused = !tl_ok(tl_label(x, "name"));
            break;
        case 5:
            refused = !tl_backward(x);
            break;
        case 6:
            refused = !tl_backward_from(x, dy);
            break;
        }
        ck_assert_msg(refused, "%s of fault %d", name[which], _i);
        /* tl_backward fails in any case; the others only if there is a tape */
        const bool asks_backward = which >= 5;
        if (has_tape((fault)_i) || asks_backward) {
            assert_contains(tl_tape_error(tape), name[which]);
            assert_contains(tl_tape_error(tape), says[_i]);
        } else {
            assert_no_error(tl_tape_error(tape));
        }
        tl_tape_clear_error(tape);
        tl_tape_free(tape);
        tl_tape_free(other);
    }
}
END_TEST

START_TEST(a_loss_without_a_tape) {
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_neg(TL_NO_VAR);
    ck_assert(!tl_ok(x) && !tl_backward(tl_sum(x, TL_ALL_AXES, false)));
    assert_contains(tl_tape_error(tape), "neg: input 0 is TL_NO_VAR"); /* the first failure */
    tl_var sound = tl_scalar(tape, 2); /* a tape without an error still works */
    ck_assert(tl_ok(tl_exp(sound)));
    tl_tape_reset(tape);
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    tl_tape_clear_error(tape);
    assert_no_error(tl_tape_error(tape));
    ck_assert(!tl_backward((tl_var){0}));
    assert_contains(tl_tape_error(tape), "tl_backward: the loss is a tl_var that no operation has given");
    tl_tape_clear_error(NULL);
    assert_no_error(tl_tape_error(tape));
    ck_assert(!tl_backward(tl_scalar(NULL, 1)));
    assert_contains(tl_tape_error(tape), "tl_backward: the loss is inert");
    tl_tape_free(tape);
}
END_TEST

/* ---- user-defined operations ---- */

static void wrong_shape(tl_back *b) { tl_give(b, 0, tl_back_scratch(b, TL_SHAPE(3))); }

START_TEST(an_operation_that_is_wrong_itself) {
    static const tl_op gives = {"gives", wrong_shape}, goes_nowhere = {"goes_nowhere", NULL};
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2)));
    tl_call c = tl_call_begin(&gives, 1, &x);
    ck_assert(!tl_ok(tl_call_end(&c)));
    ck_assert_str_eq(tl_tape_error(tape), "gives: it has made no result");
    tl_tape_clear_error(tape);
    c = tl_call_begin(&goes_nowhere, 1, &x);
    tl_tensor_fill(tl_call_new(&c, TL_SHAPE(2)), 1);
    ck_assert(!tl_ok(tl_call_end(&c)));
    assert_contains(tl_tape_error(tape),
                    "goes_nowhere: it makes more than a view, so it must have a backward");
    tl_tape_clear_error(tape);
    c = tl_call_begin(&gives, 1, &x);
    ck_assert(!tl_call_new(&c, TL_SHAPE(1L << 40, 1L << 40)).data && !tl_ok(tl_call_end(&c)));
    assert_contains(tl_tape_error(tape),
                    "gives: the result: [1099511627776,1099511627776] has more elements than");
    tl_tape_clear_error(tape);
    c = tl_call_begin(&gives, 1, &x);
    ck_assert(!tl_call_dense(&c, 1) && !tl_call_dense(&c, -1) && !tl_call_wants(&c, 1) &&
              !tl_call_wants(&c, -1));
    tl_tensor_fill(tl_call_new(&c, TL_SHAPE(2)), 1);
    tl_var y = tl_call_end(&c);
    ck_assert(tl_ok(y) && !tl_backward(tl_sum(y, TL_ALL_AXES, false)));
    assert_contains(tl_tape_error(tape), "gives: backward gives input 0, [2], a gradient of shape [3]");
    tl_tape_free(tape);
}
END_TEST

/* ---- marks ---- */

static tl_var ones(tl_tape *tape, long n) { return tl_full(tape, TL_SHAPE(n), 1); }

START_TEST(a_mark_from_before_a_reset) {
    tl_tape *tape = tl_tape_new();
    ones(tape, 3), ones(tape, 3);
    tl_mark old = tl_tape_mark(tape);
    ck_assert(tl_tape_holds(tape, old));
    tl_tape_reset(tape);
    ck_assert(!tl_tape_holds(tape, old));
    tl_var e = tl_exp(tl_zeros(tape, TL_SHAPE(1000)));
    const tl_real *at_500 = &tl_value(e).data[500];
    tl_tape_release(tape, old);
    assert_contains(tl_tape_error(tape),
                    "tl_tape_release: the mark is from before the last reset or release");
    ck_assert(!tl_ok(tl_neg(tl_full(tape, TL_SHAPE(1000), 3))) && !tl_ok(e));
    ck_assert(*at_500 == 1);
    tl_tape_clear_error(tape);
    ck_assert(tl_ok(e) && tl_value(e).data[500] == 1);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_mark_above_one_that_was_released_to) {
    for (int nodes = 0; nodes < 2; nodes++) { /* marks that differ in nodes, or in memory alone */
        tl_tape *tape = tl_tape_new();
        tl_mark outer = tl_tape_mark(tape);
        nodes ? (void)ones(tape, 5) : (void)tl_tape_memory(tape, 5);
        tl_mark inner = tl_tape_mark(tape);
        tl_tape_release(tape, outer);
        assert_no_error(tl_tape_error(tape));
        char *now = tl_tape_memory(tape, 100000);
        tl_var e = ones(tape, 1000);
        tl_tape_release(tape, inner);
        assert_contains(tl_tape_error(tape), "mark again");
        ck_assert_ptr_nonnull(now);
        tl_tape_clear_error(tape);
        ck_assert(tl_ok(e));
        tl_tape_release(tape, outer); /* which is still valid */
        assert_no_error(tl_tape_error(tape));
        ck_assert(!tl_ok(e));
        tl_tape_release(tape, outer); /* any number of times */
        assert_no_error(tl_tape_error(tape));
        tl_tape_free(tape);
    }
}
END_TEST

START_TEST(marks_that_are_none) {
    tl_tape *tape = tl_tape_new(), *other = tl_tape_new();
    const struct {
        tl_mark mark;
        const char *says;
    } wrong[] = {{{0}, "the mark is zeroed"},
                 {tl_tape_mark(other), "the mark is another tape's"},
                 {tl_tape_mark(NULL), "the mark is zeroed"},
                 {{tape, 7, 1}, "mark again"},
                 {{tape, -7, 1}, "mark again"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert(!tl_tape_holds(tape, wrong[i].mark) && !tl_tape_holds(NULL, wrong[i].mark));
        tl_tape_release(tape, wrong[i].mark);
        assert_contains(tl_tape_error(tape), wrong[i].says);
        tl_tape_clear_error(tape);
    }
    tl_tape_release(NULL, wrong[1].mark);
    tl_tape_free(tape);
    tl_tape_free(other);
}
END_TEST

START_TEST(marking_the_same_place_is_one_mark) { /* a loop's marks take no memory */
    tl_tape *tape = tl_tape_new();
    tl_var kept = ones(tape, 3);
    tl_mark first = tl_tape_mark(tape);
    tl_tape_stats before = {0};
    for (int i = 0; i < 10000; i++) {
        tl_mark mark = tl_tape_mark(tape);
        tl_exp(kept);
        tl_tape_release(tape, mark);
        if (i == 0) before = tl_tape_stats_of(tape);
    }
    ck_assert(tl_tape_holds(tape, first));
    const tl_tape_stats after = tl_tape_stats_of(tape);
    ck_assert(after.used == before.used && after.allocations == before.allocations);
    tl_tape_free(tape);
}
END_TEST

/* such a value takes no memory of the tape, but the marks are two */
START_TEST(marks_around_a_value_of_the_callers) {
    tl_tape *tape = tl_tape_new();
    const tl_mark before = tl_tape_mark(tape);
    tl_var x = tl_constant(tape, tl_tensor_of(numbers, TL_SHAPE(4)));
    tl_tape_release(tape, tl_tape_mark(tape));
    ck_assert(tl_ok(x));
    tl_tape_release(tape, before);
    ck_assert(!tl_ok(x));
    tl_tape_free(tape);
}
END_TEST

/* ---- other references to memory that is gone ---- */

START_TEST(a_gradient_whose_memory_is_released) {
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(4)));
    tl_mark mark = tl_tape_mark(tape);
    ck_assert(tl_backward(tl_sum(tl_exp(x), TL_ALL_AXES, false)));
    ck_assert_ptr_nonnull(tl_grad(x).data);
    tl_tape_release(tape, mark);
    ck_assert(tl_ok(x));
    ck_assert_ptr_null(tl_grad(x).data);
    assert_no_error(tl_tape_error(tape));
    tl_tape_reset(tape);
    tl_params *params = tl_params_new(1); /* a parameter's memory is not the tape's */
    tl_var w = tl_use(tape, tl_params_add(params, "w", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0}));
    mark = tl_tape_mark(tape);
    ck_assert(tl_backward(tl_sum(tl_exp(w), TL_ALL_AXES, false)));
    tl_tape_release(tape, mark);
    ck_assert(tl_ok(w) && tl_grad(w).data && tl_grad(w).data[1] > 2);
    tl_params_free(params);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_value_whose_memory_is_forgotten) {
    tl_tape *tape = tl_tape_new();
    tl_tensor old = tl_value(tl_exp(ones(tape, 4)));
    tl_tape_reset(tape);
    ck_assert(!tl_ok(tl_constant(tape, old)));
    assert_contains(tl_tape_error(tape), "constant: the tensor's memory was forgotten by a tl_tape_reset");
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_constant_copy(tape, old)));
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_variable(tape, old)));
    assert_contains(tl_tape_error(tape), "variable: the tensor's memory");
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_name_whose_memory_is_gone) { /* the name of a label, and of a forgotten parameter */
    tl_tape *tape = tl_tape_new();
    tl_params *params = tl_params_new(1);
    char label[] = "hidden";
    tl_var w = tl_use(tape, tl_params_add(params, "w", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0}));
    tl_var h = tl_label(tl_exp(w), label);
    memset(label, 'x', sizeof label);
    char text[TL_ERROR_MAX];
    tl_value(h).data[0] = NAN;
    tl_tape_find_nonfinite(tape, text);
    assert_contains(text, "exp (hidden)");
    tl_tape_reset(tape);
    tl_params_free(params);
    ck_assert(!tl_ok(tl_exp(w)));
    assert_contains(tl_tape_error(tape), "exp: stale handle: node 0 (parameter)");
    tl_tape_clear_error(tape);
    tl_real one = 1;
    const tl_var x = tl_variable(tape, tl_tensor_of(&one, TL_SHAPE(1)));
    tl_tape_reset(tape);
    ck_assert(!tl_ok(tl_exp(x)));
    assert_contains(tl_tape_error(tape), "exp: stale handle: node 0 (variable)");
    tl_tape_free(tape);
}
END_TEST

/* A second set of parameters at the address of a freed one: the packed weights of the first must not be used. */
START_TEST(packed_weights_of_a_set_that_is_gone) {
    tl_tape *tape = tl_tape_new();
    tl_tape_set_reuse_weights(tape, true);
    for (int round = 1; round <= 20; round++) {
        tl_params *params = tl_params_new(1);
        tl_param *w = tl_params_add(params, "w", TL_SHAPE(40, 40), (tl_init){0});
        tl_tensor_fill(tl_param_value(w), round);
        tl_tape_reset(tape);
        tl_var y = tl_linear(tl_full(tape, TL_SHAPE(1, 40), 1), tl_use(tape, w), TL_NO_VAR);
        ck_assert_double_eq((double)tl_value(y).data[0], 40.0 * round);
        tl_params_free(params);
    }
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_frozen_parameter_that_changes_before_backward) {
    tl_tape *tape = tl_tape_new();
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
    tl_param *v = tl_params_add(params, "v", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
    tl_freeze(params, "v", true);
    tl_var loss = tl_sum(tl_mul(tl_use(tape, w), tl_use(tape, v)), TL_ALL_AXES, false);
    tl_tensor_fill(tl_param_value(v), 5); /* dL/dw would be 5 */
    v->leaf.version++;
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(tape), "parameter \"v\" was updated between forward and backward");
    tl_params_free(params);
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, every_operation_with_every_wrong_handle, 0, OPERATIONS);
    tcase_add_test(tc, no_inputs_at_all);
    tcase_add_loop_test(tc, every_other_function_with_every_wrong_handle, 0, FAULTS);
    tcase_add_test(tc, a_loss_without_a_tape);
    tcase_add_test(tc, an_operation_that_is_wrong_itself);
    tcase_add_test(tc, a_mark_from_before_a_reset);
    tcase_add_test(tc, a_mark_above_one_that_was_released_to);
    tcase_add_test(tc, marks_that_are_none);
    tcase_add_test(tc, marks_around_a_value_of_the_callers);
    tcase_add_test(tc, marking_the_same_place_is_one_mark);
    tcase_add_test(tc, a_gradient_whose_memory_is_released);
    tcase_add_test(tc, a_value_whose_memory_is_forgotten);
    tcase_add_test(tc, a_name_whose_memory_is_gone);
    tcase_add_test(tc, packed_weights_of_a_set_that_is_gone);
    tcase_add_test(tc, a_frozen_parameter_that_changes_before_backward);
}
TL_TEST_MAIN("autograd: handles")
