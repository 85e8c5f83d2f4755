/* First floor: the tape. It records every operation of a step, goes backward through them, and can be inspected.
 *
 * A tl_var is a handle to one recorded value. Operations (ops.h) take and return vars, so code reads like its formula.
 * Everything an operation makes lives in the tape until tl_tape_reset; nothing is freed one by one.
 *
 * The first failure on a tape is kept (tl_tape_error) and makes every later operation return the inert var;
 * tl_backward then refuses. So a step checks for an error once. Every function accepts a NULL tape and any var. A
 * wrong var (zeroed, stale, of another tape, or left out where it is required) fails the tape with a sentence and is
 * never followed. */
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
    uint32_t epoch; /* the tape's epoch when the var was made; shows that a handle is from a forgotten step */
} tl_var;
/* The inert var of a tape: what a failed operation returns. An operation with an inert input does nothing and returns
 * an inert var too. */
tl_var tl_inert(tl_tape *tape);

/* ---- life ---- */

tl_tape *tl_tape_new(void); /* NULL only when out of memory; free with tl_tape_free */
/* Frees the tape and every value on it. Its handles must not be used after that. */
void tl_tape_free(tl_tape *tape);
/* Forgets the graph and every value in it; keeps the memory for the next step, the modes and a kept error. */
void tl_tape_reset(tl_tape *tape);

/* A nested lifetime: a release forgets what was recorded after the mark, and keeps the rest. The tape can be released
 * to the same mark any number of times, until it is reset or released to an earlier mark: from then on the mark is
 * stale, and using it fails the tape. A value recorded before the mark stays, but its gradient is forgotten if the
 * gradient's memory was taken after the mark. A leaf's gradient stays. */
typedef struct tl_mark {
    const tl_tape *tape;
    int depth; /* number of marks below this one */
    uint64_t number;
} tl_mark;
tl_mark tl_tape_mark(tl_tape *tape);
void tl_tape_release(tl_tape *tape, tl_mark mark);
/* Is what was recorded before the mark still there? */
bool tl_tape_holds(const tl_tape *tape, tl_mark mark);

/* The first failure, or NULL. It survives reset: clear it to go on.
 *
 * An operation whose inputs have no tape at all (zeroed, TL_NO_VAR) has no tape to fail, nor has tl_backward of its
 * result. Its message is kept for the calling thread. Every tape without an error of its own then returns that
 * message, until the error of any tape is cleared. So the caller finds the reason by asking any tape. */
const char *tl_tape_error(const tl_tape *tape);
void tl_tape_clear_error(tl_tape *tape);
/* Fails the tape with the caller's message (for layers and user code); the current scope is appended. With a NULL tape
 * the message is kept for the thread (tl_tape_error). Returns the inert var. */
tl_var tl_tape_fail(tl_tape *tape, const char *format, ...) TL_PRINTF(2, 3);
/* The same in a function that returns bool: false. */
#define tl_tape_refuse(...) (tl_tape_fail(__VA_ARGS__), false)

/* ---- modes ---- */

/* step 1, 2, …: training mode. Dropout is on, its random numbers keyed by (seed, step, micro-batch, scope, count
 * within the scope). A new step number begins with micro-batch 0. step 0: evaluation mode, dropout off; a new tape is
 * in evaluation mode. Returns the step before (0: evaluation), so that it can be set back. */
long tl_tape_set_training(tl_tape *tape, long step);
/* The number, from 0, of the update's micro-batch that follows: each micro-batch has its own random numbers for
 * dropout. */
void tl_tape_set_micro_batch(tl_tape *tape, long number);
/* Is the tape in training mode? */
bool tl_tape_training(const tl_tape *tape);
/* The seed of dropout's random numbers; 0 until it is set. */
void tl_tape_set_seed(tl_tape *tape, uint64_t seed);
/* The precision of products with weights (tl_linear, tl_linear_cross_entropy; forward and gradients) computed from
 * here on. TL_HIGHEST until it is set; tl_tape_reset keeps it. Products of two values (tl_matmul, hence attention)
 * ignore it. */
void tl_tape_set_matmul_precision(tl_tape *tape, tl_matmul_precision precision);
tl_matmul_precision tl_tape_matmul_precision(const tl_tape *tape);
/* While on, also over tl_tape_reset, each weight of tl_linear is packed for products once and the packed copy is kept.
 * That is faster where the same weights multiply few rows many times, as in decoding, and takes the memory of a second
 * copy. The results have the same bits. Code that writes to a parameter meanwhile must call tl_params_changed
 * (optimisers and loaders do). tl_search switches this on for itself; switch it on around several searches to pack
 * once for all of them. Returns the setting before. */
bool tl_tape_set_reuse_weights(tl_tape *tape, bool on);
bool tl_tape_reuses_weights(const tl_tape *tape);
/* Checking fails the tape, with operation and scope, in three cases:
 * - an operation makes a value that is not finite;
 * - tl_backward makes a gradient that is not finite;
 * - tl_backward is about to read a constant, variable or parameter that has changed since an operation first read it
 *   (its owner wrote to it or freed it).
 * Memory that a reset or release takes back is overwritten with NaN, so that a tensor kept by mistake shows. Off in a
 * new tape, but on in a library made with DEBUG=1. Results have the same bits, and nothing more is allocated;
 * docs/performance.md has the cost in time. Returns the setting before. */
bool tl_tape_set_checking(tl_tape *tape, bool on);
bool tl_tape_checks(const tl_tape *tape);
/* With false nothing recorded from here on wants a gradient. Returns the setting before. */
bool tl_tape_set_grad(tl_tape *tape, bool on);

/* ---- memory ---- */

/* With true, from here on, the memory of a value is used again, for other values and for gradients, as soon as nothing
 * will read the value. In backward that is when the last operation that reads the value has gone backward; in forward,
 * when the value is declared done (tl_done) and no backward reads it, as operations declare (op.h). Results have the
 * same bits.
 *
 * A value that was given back cannot be read: tl_value, tl_grad, tl_keep and every operation fail the tape with a
 * sentence, and printing says "given back". A tensor that tl_value returned earlier then holds other numbers, without
 * notice.
 *
 * Three kinds of values are not given back: the loss, values that are kept (tl_keep, tl_keep_value,
 * tl_tape_set_keep_all), and values over whose memory a constant or variable of this tape was made. Off in a new tape;
 * tl_tape_reset keeps the setting. The training programs switch it on. Returns the setting before. */
bool tl_tape_set_give_back(tl_tape *tape, bool on);
bool tl_tape_gives_back(const tl_tape *tape);
/* Declares that x's handle will not be used again, now that `result` has been made from x; returns result. If both are
 * the same handle (tl_dropout in evaluation) nothing happens. A value is done when it and all its views are declared
 * done. Layers declare values done that they made themselves, never values that they were given. */
tl_var tl_done(tl_var x, tl_var result);

/* A function that records a part of a graph on the tape and returns the part's result. It must record the same
 * operations each time, and keep no handle of them. */
typedef tl_var tl_recomputed(tl_tape *tape, const void *context);
/* Calls f(tape, context) and keeps its result alone (gradient checkpointing): tl_backward calls f once more, and the
 * values inside last only until that part has gone backward. Every gradient has the same bits as without; dropout
 * draws the same numbers again.
 *
 * `bytes` of the context are copied; what it points to must stay until tl_backward. f may use vars recorded before and
 * parameters, which must not be frozen or unfrozen until tl_backward. Where memory is given back, a value that f reads
 * by tl_value alone must be kept (tl_keep_value).
 *
 * f is called once only, and everything is kept, if no gradient is wanted, if everything is kept anyway
 * (tl_tape_set_keep_all), if a probe is set, or if f's result is not a value that f made: a var recorded before, a
 * parameter, or a view that is not contiguous. */
tl_var tl_recompute(tl_tape *tape, tl_recomputed *f, const void *context, size_t bytes);
/* With true, from here on, the layers of Transformers and of decoder-only models are recomputed in backward, except
 * layers whose maps are asked for. Returns the setting before. */
bool tl_tape_set_recompute(tl_tape *tape, bool on);
bool tl_tape_recomputes(const tl_tape *tape);

/* ---- scopes: where in the model an operation is ("decoder.layers.0.multihead_attn") ---- */

/* `name` is the full name, not its last part alone; it is copied once. */
void tl_scope_enter(tl_tape *tape, const char *name);
void tl_scope_leave(tl_tape *tape);

/* ---- values ---- */

/* Vars over the caller's memory. The memory must stay valid and unchanged until tl_tape_reset, or until
 * tl_tape_release forgets the var, because backward reads it again: a local array of a function that returns before
 * tl_backward does not last long enough. A constant wants no gradient and may have any strides. A variable's gradient
 * is kept for tl_grad; the value is copied if it is not contiguous. Inert if the tensor has no data. */
tl_var tl_constant(tl_tape *tape, tl_tensor value);
tl_var tl_variable(tl_tape *tape, tl_tensor value);
/* Constants in the tape's own memory: a copy of a tensor of any strides, whose memory is not read after the call; all
 * elements 0; all elements one value. */
tl_var tl_constant_copy(tl_tape *tape, tl_tensor value);
tl_var tl_zeros(tl_tape *tape, tl_shape shape);
tl_var tl_full(tl_tape *tape, tl_shape shape, double value);
tl_var tl_scalar(tl_tape *tape, double value); /* of shape [] */

/* A leaf is a value whose memory and gradient live outside the tape: a parameter, for instance. A step has one node
 * for each leaf, however often the leaf is used. Two tapes must not go backward into one leaf at the same time. */
typedef struct tl_leaf {
    const char *name;
    tl_tensor value; /* contiguous */
    tl_real *grad;   /* same layout as the value; NULL if the leaf never wants a gradient */
    bool reached;    /* false: grad holds nothing yet, and backward's first contribution overwrites it */
    bool frozen;     /* wants no gradient */
    /* Code that changes the value adds 1: backward refuses if the version changed since the forward. */
    unsigned long version;
    /* The number of the tl_params that the leaf belongs to, unique among all of them; 0 if it belongs to none. */
    unsigned long set;
} tl_leaf;
tl_var tl_use_leaf(tl_tape *tape, tl_leaf *leaf);

bool tl_ok(tl_var x);         /* neither inert nor stale nor on a failed tape */
bool tl_wants_grad(tl_var x); /* will tl_backward compute its gradient? false if x is not ok */
tl_tensor tl_value(tl_var x);
tl_shape tl_shape_of_var(tl_var x);
/* dL/dx after tl_backward, strided like the value. data is NULL if it was not computed or has been recycled: an inner
 * gradient's memory is used again as soon as its operation has gone backward, unless tl_keep(x) was called before. The
 * gradient of a view (tl_transpose, tl_slice, …) is the sum of what the operations that read this view contributed,
 * without other readers of the same memory. It is computed only if the view is kept, by going backward through its
 * readers once more. */
tl_tensor tl_grad(tl_var x);
/* Keeps x's gradient, and its value where memory is given back. */
void tl_keep(tl_var x);
void tl_keep_value(tl_var x); /* its value alone */
/* Keeps every gradient and value from now on (for studying a model, or printing norms). */
void tl_tape_set_keep_all(tl_tape *tape, bool on);
tl_var tl_label(tl_var x, const char *name); /* a name for printing, copied once; returns x */

/* ---- backward ---- */

/* Adds d(loss)/d(leaf) into the gradient of every leaf and variable that the loss depends on. The loss has one
 * element. False, and tl_tape_error says why, if the loss has no tape, if the tape has failed or has gone backward
 * already, or if a leaf was updated since it was used. */
bool tl_backward(tl_var loss);
/* The same from any var, given dL/dy of y's shape. */
bool tl_backward_from(tl_var y, tl_tensor dy);

/* ---- looking ---- */

/* A table: id, operation, name with scope, shape, bytes, inputs, gradient norm ("not computed" before backward,
 * "recycled" where it was not kept, "not kept" of a view whose base's is there). A column is as wide as its widest
 * text. A name of more than 48 characters is shortened in its middle. */
void tl_tape_print(tl_tape *tape, FILE *out);
/* A depth for tl_tape_dot that closes no scope: every operation is drawn. Levels beyond it count as one. */
#define TL_ALL_SCOPES 64
/* A picture for Graphviz; `dot -Tsvg` draws it from top to bottom. An arrow goes from what makes a value to what
 * reads it. The arrows form no cycle. Beside an arrow stand the value's shape and the norm of its gradient
 * (|grad|) if there is one; of a single element, both numbers themselves. A dashed arrow's value wants no
 * gradient.
 *
 * Every scope is a frame. "encoder" is the frame around "encoder.norm". A number is no level of its own: the scope
 * "encoder.layers.0.norm1" has the three levels "encoder", "layers.0" and "norm1".
 *
 * depth: how many levels are drawn open, from 0 to TL_ALL_SCOPES; a negative one counts as 0. Scopes of more
 * levels are closed: what is inside is one box, which tells its name, how many operations it has, and how many
 * parameters of its own that only it reads. If that box would be both before and after another box, there are
 * several, "part 1 of 2" and so on. An ellipse is a closed scope without operations, a variable or a constant.
 *
 * Other parameters stand at the side of their first readers; those with the same readers share a box. A view
 * (tl_reshape, tl_slice, tl_transpose, …) that something reads has no box: its label, or its operation, stands
 * beside the arrow.
 *
 * If there is no memory to make the picture, the tape fails and nothing is written. Whether `out` could be
 * written, ferror says. */
void tl_tape_dot(tl_tape *tape, FILE *out, int depth);
/* The first operation, in order of recording, whose value holds NaN or infinity; inert if there is none. `text`
 * (may be NULL) receives a sentence that names it, its scope, shape, the element and its inputs. */
tl_var tl_tape_find_nonfinite(tl_tape *tape, char text[TL_ERROR_MAX]);
/* The first kept gradient that is not finite, in the order in which backward made them. */
tl_var tl_tape_find_nonfinite_grad(tl_tape *tape, char text[TL_ERROR_MAX]);

/* The size of a tape. */
typedef struct tl_tape_stats {
    int nodes;
    size_t used, peak, reserved; /* bytes: in use now, the most ever in use, taken from the system */
    long allocations;            /* requests to the system since tl_tape_new; constant in a steady state */
} tl_tape_stats;
/* The numbers as they are now; all 0 for NULL. */
tl_tape_stats tl_tape_stats_of(const tl_tape *tape);
/* The most bytes that the tape may take from the system: beyond them it fails ("out of memory"). 0: no limit. */
void tl_tape_set_limit(tl_tape *tape, size_t bytes);

/* ---- gradient check ---- */

/* Most inputs of a gradient case. */
#define TL_CASE_INPUTS 4
/* One case of an operation: a function of `inputs` variables, whose elements are drawn uniformly from [low, high).
 * TL_GRAD_CASES (op.h) makes an operation's list of cases. */
typedef struct tl_grad_case {
    const char *what;
    tl_var (*f)(const tl_var *x); /* the tape is x[0].tape */
    int inputs;
    tl_shape shape[TL_CASE_INPUTS];
    double low, high; /* both 0: [-1, 1) */
    bool train;       /* run in training mode (dropout) */
} tl_grad_case;

/* What a gradient check has found. */
typedef struct tl_gradcheck_report {
    bool ok;
    long elements; /* of all leaves that are not frozen */
    long checked;  /* elements that were compared, the three counts below included */
    /* Elements where x-h and x+h are on two sides of a kink even for the smallest h: not decided. */
    long kinks;
    /* Elements near a kink where the steps that avoid it are so small that f's rounding hides the difference (float):
     * not decided. */
    long unsure;
    /* Elements of which f's rounding is half or more (float): not decided, since a gradient off by a factor of 2 would
     * pass. */
    long small;
    /* the worst element */
    char input[96];
    long index;
    double analytic, numeric, absolute, relative;
    double tolerance;
    tl_error error; /* why not ok, as a sentence */
} tl_gradcheck_report;

/* The gradient check compares backward (a) with differences of f (n), element by element, for every leaf that is not
 * frozen. L is the sum of f(x) times fixed random weights, or f(x) itself if that has one element. The relative error
 * is
 *     |a-n| / max(|a|, |n|, 1e-3·max|g| of the tensor),
 * where |a-n| is reduced by what the rounding of f's results explains at the first step, epsilon·sum|L's terms| / step
 * (next to nothing in double). The check also shows that backward adds to gradients that are there already, that
 * freezing one input changes no other gradient, and that no gradient is zero everywhere. f is called many times; it
 * must depend on the leaves alone. tolerance 0: 1e-6 in double; 5e-3 in float, where the differences are less exact. */
typedef struct tl_gradcheck_options {
    double tolerance;
    uint64_t seed;
    bool train;        /* training mode, one fixed step */
    bool zero_is_fine; /* a gradient may be zero everywhere */
    double most_kinks; /* the largest share of elements that may be kinks, and that may be unsure; 0: 0.02 */
    /* Elements of each leaf to check: the one with the largest gradient, and one drawn by the seed from each of
     * sample-1 equal parts of the leaf. 0: all. */
    long sample;
    /* Called after each element with the numbers of elements done and of all; false stops the check, which then fails.
     * May be NULL. */
    bool (*progress)(void *context, long done, long all);
    void *context;
} tl_gradcheck_options;
bool tl_gradcheck(tl_var (*f)(tl_tape *tape, const tl_var *x, void *data), void *data, int leaves,
                  tl_leaf *const *leaf, const tl_gradcheck_options *options, tl_gradcheck_report *report);
/* Checks a case twice: with inputs of their own, and with all inputs of one shape being the same leaf (x∘x). */
bool tl_gradcheck_case(const tl_grad_case *c, tl_gradcheck_report *report);

/* ---- the list of ops.h as data ---- */

/* What an operation is to the tape: its name and its backward (op.h). */
typedef struct tl_op tl_op;
/* An operation of the list, with its gradient cases. */
typedef struct tl_op_entry {
    const char *name, *arguments, *meaning;
    const tl_op *op;
    const tl_grad_case *cases; /* the last one's f is NULL */
} tl_op_entry;
/* All operations of ops.h, in its order. *count receives their number; count may be NULL. */
const tl_op_entry *tl_ops(int *count);

#ifdef __cplusplus
}
#endif
#endif
