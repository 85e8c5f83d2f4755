/* For writing operations, in the library (src/autograd/ops) or in a file of your own.
 *
 * An operation is one file: the mathematics, the backward, the descriptor, the public constructor with the forward,
 * the gradient cases. docs/add-an-operation.md walks through one.
 *
 *     tl_var tl_cube(tl_var x) {
 *         tl_call c = tl_call_begin(&tl_op_cube, 1, &x);
 *         if (!c.ok) return tl_call_end(&c);
 *         ... c.x[0] is the input's value; tl_tensor y = tl_call_new(&c, shape); compute y ...
 *         return tl_call_end(&c);
 *     }
 *
 * Rules: a backward ADDS into its inputs' gradients and skips inputs that want none. No operation writes into its
 * inputs. Data that backward needs beyond the inputs and the result goes into a typed struct from tl_call_save. */
#ifndef TAPELOOM_OP_H
#define TAPELOOM_OP_H

#include "autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The operation that is going backward. */
typedef struct tl_back tl_back;

/* The descriptor of an operation: one constant in its file. */
struct tl_op {
    const char *name;
    void (*backward)(tl_back *b); /* NULL if the operation makes views only */
};

/* ---- forward ---- */

/* An operation that is being recorded: a forward begins a call, fills it in and ends it. */
typedef struct tl_call {
    bool ok; /* false: an input is wrong or the tape has failed; return tl_call_end at once */
    tl_tape *tape;
    const tl_op *op;
    int inputs;
    unsigned optional; /* a bit for each input that may be left out */
    const tl_var *in;  /* [inputs] the handles as given */
    tl_tensor *x;      /* [inputs] their values, any strides; data NULL for an input that is left out */
    bool wants_grad;   /* some input wants a gradient: save what backward needs */
    tl_tensor y;       /* the result, once it is made */
    void *saved;
    bool view;
    /* What backward does not read, TL_UNREAD_…; 0, as at the beginning: it reads everything. */
    unsigned unread;
    tl_real *fresh; /* the memory from tl_call_new */
} tl_call;

/* Takes one input or more; the handles are copied. An input that is left out, zeroed, inert, stale, or of another tape
 * fails the tape with a sentence that names it. If no input has a tape, see tl_tape_error. */
tl_call tl_call_begin(const tl_op *op, int inputs, const tl_var *in);
/* The same for an operation with inputs that may be TL_NO_VAR, a bias for instance. `optional` says which:
 * TL_OPTIONAL(2) for input 2, several joined by |. An input that is left out has no data in x. */
tl_call tl_call_begin_optional(const tl_op *op, unsigned optional, int inputs, const tl_var *in);
/* Input number `input`, from 0, may be left out. */
#define TL_OPTIONAL(input) (1u << (input))
/* What a forward may declare of its backward (c.unread), joined by |: that it does not read the numbers of the result,
 * or of an input (all inputs from 30 on share a bit), nor data saved in their memory. Shapes can always be read. A
 * tape that gives memory back (tl_tape_set_give_back) then uses that memory again earlier. Declaring nothing is always
 * correct; the gradient check finds a declaration that is wrong. */
#define TL_UNREAD_RESULT (1u << 31)
#define TL_UNREAD_INPUT(input) (1u << ((input) < 30 ? (input) : 30))
#define TL_UNREAD_INPUTS (~TL_UNREAD_RESULT)
#define TL_UNREAD_ALL (~0u)
/* Will backward compute input i's gradient? For a forward that prepares for it. */
bool tl_call_wants(const tl_call *c, int i);
/* Makes x[i] contiguous, copying it into the tape if it is not. False if out of memory. */
bool tl_call_dense(tl_call *c, int i);
/* The result, which becomes c->y: contiguous memory of that shape, not zeroed. data is NULL, and the call has failed,
 * if memory runs out or no tensor can have that shape. */
tl_tensor tl_call_new(tl_call *c, tl_shape shape);
/* The result is a view of input 0: same memory, other dims and strides. Its gradient is a part of input 0's. */
void tl_call_view(tl_call *c, tl_tensor view);
/* Zeroed memory that lives as long as the node; it becomes c->saved. NULL if out of memory. */
void *tl_call_save(tl_call *c, size_t bytes);
/* More memory with the node's lifetime (copies of ids, masks, statistics); not zeroed. */
void *tl_call_memory(tl_call *c, size_t bytes);
/* The same as a contiguous tensor; data NULL when out of memory. */
tl_tensor tl_call_tensor(tl_call *c, tl_shape shape);
/* Fails the tape: "<operation>: <message> (<scope>)". Returns the inert var. */
tl_var tl_call_fail(tl_call *c, const char *format, ...) TL_PRINTF(2, 3);
/* The same in a function that returns bool: false. */
#define tl_call_refuse(...) (tl_call_fail(__VA_ARGS__), false)
/* Records the node and returns its handle (inert if c is not ok or has no result). */
tl_var tl_call_end(tl_call *c);

/* ---- backward ---- */

/* The argument of a backward. */
struct tl_back {
    tl_tape *tape;
    const tl_op *op;
    tl_tensor y, dy; /* the result and its gradient, both contiguous */
    const void *saved;
    int node;
};

/* The number of the operation's inputs, including those left out. */
int tl_back_inputs(const tl_back *b);
tl_tensor tl_back_x(const tl_back *b, int i); /* input i's value, any strides */
/* Does input i want a gradient? */
bool tl_back_wants(const tl_back *b, int i);

/* Where input i's gradient goes. If add, add to every element of `to`, else overwrite every element; then close. */
typedef struct tl_sink {
    tl_tensor to;
    bool add;
    int input;
    bool folded; /* `to` is scratch memory, which tl_sink_close adds to the strided gradient */
} tl_sink;
/* False if the input wants no gradient (or memory ran out). `to` has the input's dims and any strides. */
bool tl_sink_open(tl_back *b, int i, tl_sink *sink);
bool tl_sink_open_dense(tl_back *b, int i, tl_sink *sink); /* the same, contiguous */
/* Ends the writing to an open sink. Scratch memory is added to the gradient here. */
void tl_sink_close(tl_back *b, tl_sink *sink);
/* Adds g into input i's gradient, summed over the axes along which input i broadcasts to g's shape. If it does not
 * broadcast to that shape, the tape fails. */
void tl_give(tl_back *b, int i, tl_tensor g);
/* Contiguous scratch memory until this backward returns, not zeroed. data is NULL when out of memory. */
tl_tensor tl_back_scratch(tl_back *b, tl_shape shape);

/* ---- probes: callbacks that watch each operation, or change what it does ----
 *
 * For checks that find out which operation is wrong (checks.h). A tape without a probe pays one comparison for an
 * operation. */

/* Two functions that a tape calls while it computes. */
typedef struct tl_probe {
    void *context;
    /* Called before operation number `node` reads its inputs; it may write to them. NULL: no call. */
    void (*before)(void *context, tl_tape *tape, int node);
    /* Called instead of an operation's backward, and calls it: b->op->backward(b). NULL: no call. It is not called
     * where an operation goes backward once more for the gradient of a kept view (tl_grad). */
    void (*backward)(void *context, tl_back *b);
} tl_probe;
/* Sets the probe from here on, also over tl_tape_reset. It must live as long as it is set. NULL: none. */
void tl_tape_set_probe(tl_tape *tape, const tl_probe *probe);

/* A node of the tape. Nodes are counted from 0 in order of recording; tl_tape_stats has their number. */
typedef struct tl_recorded {
    const char *operation;    /* NULL: a parameter, a variable or a constant */
    const char *name, *scope; /* "" if it has none; a parameter's name is its full name */
    int base;                 /* the node that owns its memory: itself, or of a view another */
    int inputs;
    const int *input; /* [inputs] nodes, -1 for an input left out; valid until another node is recorded */
    bool wants_grad;
    tl_tensor value; /* no data: it was given back (tl_tape_set_give_back) */
    long first;      /* offset in its base's memory, in elements; 0 if it is no view */
    /* The gradient so far; of a view, its part of the base's. No data: there is none yet, or it was recycled. */
    tl_tensor grad;
} tl_recorded;
/* False, and *recorded untouched, if there is no such node. */
bool tl_tape_recorded(const tl_tape *tape, int node, tl_recorded *recorded);

/* ---- for forward and backward ---- */

/* Memory that lives until the tape's reset or release, not zeroed. NULL, and the tape fails, when out of memory. */
void *tl_tape_memory(tl_tape *tape, size_t bytes);
/* The same as a row-major tensor. Its data is NULL, and the tape fails, also if no tensor can have that shape. */
tl_tensor tl_tape_tensor(tl_tape *tape, tl_shape shape);
/* Does the address lie in memory of the tape that a reset or release took back and that was not handed out since? */
bool tl_tape_forgot(const tl_tape *tape, const void *memory);
/* The key of the next stream of random numbers in this scope. False if the tape is not in training mode. */
bool tl_tape_next_key(tl_tape *tape, tl_rng_key *key);

/* The axis as a number 0 … rank-1; negative axes count from the end. -1 if there is no such axis. */
int tl_axis(int rank, long axis);

/* An operation's gradient cases, tl_grad_case each:
 *     TL_GRAD_CASES(mul, {.what = "by a row", .f = product, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(17))}, …); */
#define TL_GRAD_CASES(name, ...) const tl_grad_case tl_cases_##name[] = {__VA_ARGS__, {0}}
/* A case's .inputs and .shape from the shapes of its inputs. */
#define TL_INPUTS(...) \
 .inputs = (int)(sizeof((tl_shape[]){__VA_ARGS__}) / sizeof(tl_shape)), .shape = {__VA_ARGS__}

#ifdef __cplusplus
}
#endif
#endif
