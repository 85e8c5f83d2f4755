/* First floor: the tape. It records every operation of a step, goes backward through them, and can be looked at.
 *
 * A tl_var is a handle to one recorded value. Operations (ops.h) take and return vars, so code reads like its
 * formula. Everything an operation makes lives in the tape until tl_tape_reset; nothing is freed one by one.
 *
 * The first failure on a tape is kept (tl_tape_error) and makes every later operation return the inert var;
 * tl_backward then refuses. So a step checks once. Every function accepts a NULL tape and any var: a wrong one (zeroed, stale,
 * another tape's, left out where it must not be) fails the tape with a sentence and is never followed. */
#ifndef TAPELOOM_AUTOGRAD_H
#define TAPELOOM_AUTOGRAD_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The record of one step: operations, their values, their gradients. One thread uses it at a time. */
typedef struct tl_tape tl_tape;

/* A recorded value. Small: pass it and return it by value. tl_value(x) and tl_grad(x) are its numbers. */
typedef struct tl_var {
    tl_tape *tape;
    int index;      /* -1 = inert: what a failed operation returns */
    uint32_t epoch; /* of the tape when it was made; tells a handle from a forgotten step */
} tl_var;

/* ---- life ---- */

tl_tape *tl_tape_new(void); /* NULL only when out of memory; free with tl_tape_free */
/* Frees the tape and every value on it. Handles of it must not be used any more. */
void tl_tape_free(tl_tape *tape);
/* Forgets the graph and every value in it; keeps the memory for the next step, the modes and a kept error. */
void tl_tape_reset(tl_tape *tape);

/* A nested lifetime: what was recorded after the mark is forgotten by release, the rest stays. A mark can be released to again
 * and again, until the tape is reset or released to an earlier one: then it is stale, and the tape fails. Gradients of values
 * that stay are forgotten with the memory they were made in, if that was after the mark; a leaf's own is not. */
typedef struct tl_mark {
    const tl_tape *tape;
    int depth; /* among the tape's marks */
    uint64_t number;
} tl_mark;
tl_mark tl_tape_mark(tl_tape *tape);
void tl_tape_release(tl_tape *tape, tl_mark mark);
/* Is what was recorded before the mark still there? */
bool tl_tape_holds(const tl_tape *tape, tl_mark mark);

/* The first failure, or NULL. It survives reset: clear it to go on.
 *
 * An operation whose inputs have no tape at all (zeroed, TL_NO_VAR), and a tl_backward of what it returned, have no tape to fail.
 * Their sentence is kept for the calling thread, and every tape without an error of its own gives it, until one of them is
 * cleared: so whoever asks the tape after a refusal reads why. */
const char *tl_tape_error(const tl_tape *tape);
void tl_tape_clear_error(tl_tape *tape);
/* Fails the tape with a message of the caller's (layers, user code); the current scope is appended. Without a tape the message
 * is the thread's (tl_tape_error). Returns the inert var. */
tl_var tl_tape_fail(tl_tape *tape, const char *format, ...) TL_PRINTF(2, 3);

/* ---- modes ---- */

/* step 1, 2, …: training, dropout on, its random numbers keyed by (seed, step, micro-batch, scope, count within the
 * scope); another step than before begins with micro-batch 0. step 0: evaluation, dropout off, as a tape begins.
 * Returns what it was, to be set back after a while of the other. */
long tl_tape_set_training(tl_tape *tape, long step);
/* Which of an update's micro-batches, from 0, is computed from here on: each has random numbers of its own for
 * dropout. */
void tl_tape_set_micro_batch(tl_tape *tape, long number);
/* Is the tape in training mode? */
bool tl_tape_training(const tl_tape *tape);
/* The seed of dropout's random numbers; 0 until told. */
void tl_tape_set_seed(tl_tape *tape, uint64_t seed); /* 0 until told */
/* Of products with weights (tl_linear, tl_linear_cross_entropy; forward and gradients) computed from here on. Kept
 * over tl_tape_reset; TL_HIGHEST until told. Products of values with each other (tl_matmul, so attention) do not
 * follow it. */
void tl_tape_set_matmul_precision(tl_tape *tape, tl_matmul_precision precision);
tl_matmul_precision tl_tape_matmul_precision(const tl_tape *tape);
/* From switching on until switching off, also over tl_tape_reset, weights of tl_linear are packed for products once and
 * kept: faster where the same weights meet few rows many times, as in decoding, at the price of a second copy of them.
 * The bits are the same. Whoever writes to a parameter meanwhile says so (tl_params_changed; optimisers and loaders
 * do). A search (tl_search) switches it on for itself; switched on around several, it packs once for all of them.
 * Returns what it was. */
bool tl_tape_set_reuse_weights(tl_tape *tape, bool on);
bool tl_tape_reuses_weights(const tl_tape *tape);
/* Checking: fails the tape, with operation and scope, at the first value that is not finite, where it is made; in tl_backward at
 * the first gradient that is not; and before it if a constant, variable or parameter that backward will read is no longer what
 * it was when an operation first read it (its owner has changed or freed it). Memory that a reset or release takes back is overwritten
 * with NaN, so that a tensor which somebody has kept of it is noticed. Off as a tape begins, but on in a library made with
 * DEBUG=1. Numbers are the same; nothing more is allocated; what it costs is in docs/performance.md. Returns what it was. */
bool tl_tape_set_checking(tl_tape *tape, bool on);
bool tl_tape_checks(const tl_tape *tape);
/* With false nothing recorded from here on wants a gradient. Returns what it was. */
bool tl_tape_set_grad(tl_tape *tape, bool on);

/* ---- scopes: where in the model an operation stands ("decoder.layers.0.multihead_attn") ---- */

void tl_scope_enter(tl_tape *tape, const char *name); /* the full name, not a part of it; copied once */
void tl_scope_leave(tl_tape *tape);

/* ---- values ---- */

/* Vars over the caller's memory. It must live and stay as it is until tl_tape_reset, or until tl_tape_release forgets
 * the var: backward reads it once more, long after the operation that took it has returned, so an array of a function
 * that returns before tl_backward will not do. A constant wants no gradient and may have any strides; a variable's
 * gradient is kept for tl_grad (and it is copied if it is not contiguous). Inert if the tensor has no data. */
tl_var tl_constant(tl_tape *tape, tl_tensor value);
tl_var tl_variable(tl_tape *tape, tl_tensor value);
/* Constants in the tape's own memory. A copy of a tensor of any strides, whose memory may go at once; all elements 0,
 * or one value. */
tl_var tl_constant_copy(tl_tape *tape, tl_tensor value);
tl_var tl_zeros(tl_tape *tape, tl_shape shape);
tl_var tl_full(tl_tape *tape, tl_shape shape, double value);
tl_var tl_scalar(tl_tape *tape, double value); /* of shape [] */

/* A leaf is a value whose memory and gradient live outside the tape, a parameter for instance. One node per leaf
 * and step however often it is used. Two tapes must not go backward into one leaf at the same time. */
typedef struct tl_leaf {
    const char *name;
    tl_tensor value; /* contiguous */
    tl_real *grad;   /* the same layout; NULL if it never wants one */
    bool reached;    /* false: grad holds nothing yet; backward's first contribution then overwrites */
    bool frozen;     /* wants no gradient */
    unsigned long
        version;       /* whoever changes the value counts up: backward refuses if it changed since forward */
    unsigned long set; /* of one in a tl_params: the set's number, no two sets have the same; else 0 */
} tl_leaf;
tl_var tl_use_leaf(tl_tape *tape, tl_leaf *leaf);

bool tl_ok(tl_var x);         /* neither inert nor stale nor on a failed tape */
bool tl_wants_grad(tl_var x); /* will tl_backward ask for its gradient? false for what is not ok */
tl_tensor tl_value(tl_var x);
tl_shape tl_shape_of_var(tl_var x);
/* dL/dx after tl_backward, strided like the value. data is NULL where it was not computed or has been recycled:
 * inner gradients are recycled as soon as they are used; tl_keep(x) before backward keeps one. A view's (tl_transpose,
 * tl_slice, …) is what its own readers gave: what others of its base's memory gave is not in it. It is summed beside its
 * base's, by going backward through those readers once more, and only if the view is kept. */
tl_tensor tl_grad(tl_var x);
void tl_keep(tl_var x);
void tl_tape_set_keep_all(tl_tape *tape,
                          bool on);          /* keep every gradient from now on (studying, printing norms) */
tl_var tl_label(tl_var x, const char *name); /* a name for printing, copied once; returns x */

/* ---- backward ---- */

/* Adds d(loss)/d(leaf) into every leaf and variable below; loss has one element. False, and an error that tl_tape_error gives,
 * if the loss has no tape, the tape has failed, has gone backward already, or a leaf was updated since it was used. */
bool tl_backward(tl_var loss);
/* The same from any var, given dL/dy of y's shape. */
bool tl_backward_from(tl_var y, tl_tensor dy);

/* ---- looking ---- */

/* A table: id, operation, name with scope, shape, bytes, inputs, gradient norm ("not computed" before backward,
 * "recycled" where it was not kept, "not kept" of a view whose base's is there). */
void tl_tape_print(tl_tape *tape, FILE *out);
/* Graphviz: every node, or with collapse one box per scope. `dot -Tsvg` draws it. */
void tl_tape_dot(tl_tape *tape, FILE *out, bool collapse);
/* The first operation, in order of recording, whose value holds NaN or infinity; inert if there is none. `text`
 * (may be NULL) receives a sentence that names it, its scope, shape, the element and its inputs. */
tl_var tl_tape_find_nonfinite(tl_tape *tape, char text[TL_ERROR_MAX]);
/* The same for kept gradients, in the order in which backward made them. */
tl_var tl_tape_find_nonfinite_grad(tl_tape *tape, char text[TL_ERROR_MAX]);

/* What a tape holds, and what memory it takes. */
typedef struct tl_tape_stats {
    int nodes;
    size_t used, peak, reserved; /* bytes: in use now, highest ever, got from the system */
    long allocations;            /* requests to the system since tl_tape_new; constant in a steady state */
} tl_tape_stats;
/* The numbers as they are now; all 0 for NULL. */
tl_tape_stats tl_tape_stats_of(const tl_tape *tape);
/* The tape fails ("out of memory") rather than reserve more than this; 0 = no limit. */
void tl_tape_set_limit(tl_tape *tape, size_t bytes);

/* ---- gradient check ---- */

/* Most inputs of a gradient case. */
#define TL_CASE_INPUTS 4
/* One case of an operation: f over inputs drawn uniformly from [low, high) (both 0: [-1, 1)). */
typedef struct tl_grad_case {
    const char *what;
    tl_var (*f)(tl_tape *tape, const tl_var *x);
    int inputs;
    tl_shape shape[TL_CASE_INPUTS];
    double low, high;
    bool train; /* run in training mode (dropout) */
} tl_grad_case;

/* What a gradient check has found. */
typedef struct tl_gradcheck_report {
    bool ok;
    long elements; /* of all leaves that are not frozen */
    long checked;  /* elements of them looked at */
    long kinks;    /* elements where f(x-h), f(x+h) straddle a kink even for the smallest h: not compared */
    long
        unsure; /* elements near a kink where the steps that fit are lost in f's rounding (float): not decided */
    long
        small; /* elements of which f's rounding explains half or more (float): not decided, a missing factor of 2 would agree */
    /* the worst element */
    char input[96];
    long index;
    double analytic, numeric, absolute, relative;
    double tolerance;
    tl_error error; /* why not ok, as a sentence */
} tl_gradcheck_report;

/* Compares backward with differences of f, element by element, for every leaf that is not frozen.
 * L = sum of f(x) times fixed random weights, or f(x) itself if that is one element. Error = |a-n| / max(|a|, |n|, 1e-3·max|g| of the tensor), after
 * taking off what the rounding of f's results explains at the first step (epsilon·sum|L's terms| / step; nothing in
 * double). Also checks that backward adds to gradients that are there, that freezing inputs one at a time changes
 * no other gradient, and that no gradient is all zero. f is called many times; it must be a function of the leaves alone.
 * tolerance 0: 1e-6 in double; in float, where differences themselves are that inexact, 5e-3. */
typedef struct tl_gradcheck_options {
    double tolerance;
    uint64_t seed;
    bool train;        /* training mode, one fixed step */
    bool zero_is_fine; /* some gradient may rightly be zero everywhere */
    double most_kinks; /* share of elements that may straddle, and that may be unsure; default 0.02 */
    /* Of each leaf so many elements: that of the largest gradient, and the others drawn by the seed, each out of as many that lie
     * side by side; 0: all. */
    long sample;
    /* Told after each element how many of how many are done; false ends the check, which then fails. NULL: nobody. */
    bool (*progress)(void *context, long done, long all);
    void *context;
} tl_gradcheck_options;
bool tl_gradcheck(tl_var (*f)(tl_tape *tape, const tl_var *x, void *data), void *data, int leaves,
                  tl_leaf *const *leaf, const tl_gradcheck_options *options, tl_gradcheck_report *report);
/* A case: as it stands, and with all inputs of one shape shared (x∘x). */
bool tl_gradcheck_case(const tl_grad_case *c, tl_gradcheck_report *report);

/* ---- the list of operations, as ops.h has it ---- */

/* What an operation is to the tape: its name and its backward (op.h). */
typedef struct tl_op tl_op;
/* An operation of the list, with its gradient cases. */
typedef struct tl_op_entry {
    const char *name, *arguments, *meaning;
    const tl_op *op;
    const tl_grad_case *cases; /* ends with one whose f is NULL */
} tl_op_entry;
/* All operations of ops.h, in its order; *count (may be NULL) of them. */
const tl_op_entry *tl_ops(int *count);

#ifdef __cplusplus
}
#endif
#endif
