/* For those who write operations, in the library (src/autograd/ops) or in a file of their own.
 *
 * An operation is one file: the mathematics, the forward (the public constructor calls it), the backward, the
 * descriptor, the gradient cases. docs/add-an-operation.md walks through one.
 *
 *     tl_var tl_cube(tl_var x) {
 *         tl_call c = tl_call_begin(&tl_op_cube, 1, &x);
 *         if (!c.ok) return tl_call_end(&c);
 *         ... c.x[0] is the value; tl_tensor y = tl_call_new(&c, shape); compute y ...
 *         return tl_call_end(&c);
 *     }
 *
 * Rules: a backward ADDS into its inputs' gradients and skips inputs that want none. No operation writes into its
 * inputs. What backward needs beyond the inputs and the result goes into a typed struct from tl_call_save. */
#ifndef TAPELOOM_OP_H
#define TAPELOOM_OP_H

#include "autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A node that is being gone back through. */
typedef struct tl_back tl_back;

/* The descriptor of an operation: one constant a file. */
struct tl_op {
    const char *name;
    void (*backward)(tl_back *b); /* NULL for one that only makes views */
};

/* ---- forward ---- */

/* An operation that is being recorded: a forward begins one, fills it in and ends it. */
typedef struct tl_call {
    bool ok; /* false: an input is wrong, or the tape has failed: return tl_call_end at once */
    tl_tape *tape;
    const tl_op *op;
    int inputs;
    unsigned optional; /* which of them may be left out */
    const tl_var *in;  /* inputs of them, as they were given */
    tl_tensor *x;      /* their values, any strides; data NULL for one that is left out */
    bool wants_grad;   /* some input wants a gradient: save what backward needs */
    tl_tensor y;       /* the result, once made */
    void *saved;
    bool view;
} tl_call;

/* One input or more; the handles are copied. An input that is left out, zeroed, inert, stale, or another tape's fails the tape
 * with a sentence that names it. If no input has a tape there is none to fail: tl_tape_error says what happens then. */
tl_call tl_call_begin(const tl_op *op, int inputs, const tl_var *in);
/* The same for an operation some of whose inputs may be TL_NO_VAR; this is where it says which: TL_OPTIONAL(2) for input 2, a
 * bias as a rule, several joined by |. Such an input has no data in x. */
tl_call tl_call_begin_optional(const tl_op *op, unsigned optional, int inputs, const tl_var *in);
/* Input number `input`, from 0, may be left out. */
#define TL_OPTIONAL(input) (1u << (input))
/* Will backward ask for input i's gradient? For a forward that prepares it. */
bool tl_call_wants(const tl_call *c, int i);
/* Makes x[i] contiguous, copying it into the tape if it is not. False if out of memory. */
bool tl_call_dense(tl_call *c, int i);
/* The result: contiguous memory of that shape, undefined contents; becomes c->y. data NULL, and the call has failed, if out of
 * memory, or no tensor can have that shape. */
tl_tensor tl_call_new(tl_call *c, tl_shape shape);
/* The result is another name for input 0: same memory, other dims and strides. Its gradient is input 0's. */
void tl_call_view(tl_call *c, tl_tensor view);
/* Zeroed memory that lives as long as the node; becomes c->saved. NULL if out of memory. */
void *tl_call_save(tl_call *c, size_t bytes);
/* More memory with the node's lifetime (copies of ids, masks, statistics); not zeroed. */
void *tl_call_memory(tl_call *c, size_t bytes);
/* Fails the tape: "<operation>: <message> (<scope>)". Returns the inert var. */
tl_var tl_call_fail(tl_call *c, const char *format, ...) TL_PRINTF(2, 3);
/* Records the node and returns its handle (inert if c is not ok or has no result). */
tl_var tl_call_end(tl_call *c);

/* ---- backward ---- */

/* What a backward is given. */
struct tl_back {
    tl_tape *tape;
    const tl_op *op;
    tl_tensor y, dy; /* the result and its gradient, both contiguous */
    const void *saved;
    int node;
};

/* How many inputs the operation has, those that were left out counted. */
int tl_back_inputs(const tl_back *b);
tl_tensor tl_back_x(const tl_back *b, int i); /* input i's value as it is, any strides */
/* Does input i want a gradient? */
bool tl_back_wants(const tl_back *b, int i);

/* Where input i's gradient goes. Write `to` (add: accumulate; else overwrite every element), then close. */
typedef struct tl_sink {
    tl_tensor to;
    bool add;
    int input;
    bool folded; /* `to` is a scratch copy that close adds into strided memory */
} tl_sink;
/* False if the input wants no gradient (or memory ran out). `to` has the input's dims and any strides. */
bool tl_sink_open(tl_back *b, int i, tl_sink *sink);
bool tl_sink_open_dense(tl_back *b, int i, tl_sink *sink); /* the same, contiguous */
/* Ends the writing to a sink that was opened; of a scratch copy it adds what was written to the gradient. */
void tl_sink_close(tl_back *b, tl_sink *sink);
/* Adds g into input i's gradient, summing it over the axes along which input i was broadcast to g's shape; the tape fails if it
 * was not. */
void tl_give(tl_back *b, int i, tl_tensor g);
/* Contiguous scratch until this backward returns; undefined contents; data NULL when out of memory. */
tl_tensor tl_back_scratch(tl_back *b, tl_shape shape);

/* ---- probes: who stands beside a tape while it computes, to watch each operation or to change what it does ----
 *
 * For checks that need to know which operation is wrong (checks.h). A tape without one pays for a comparison an operation. */

/* Two functions that are asked while a tape computes. */
typedef struct tl_probe {
    void *context;
    /* Before operation number `node` reads its inputs: what it reads may be written to. NULL: not asked. */
    void (*before)(void *context, tl_tape *tape, int node);
    /* In the place of an operation's backward, which it calls: b->op->backward(b). NULL: that itself. What kept views are given
     * beside (tl_grad) does not come by here. */
    void (*backward)(void *context, tl_back *b);
} tl_probe;
/* From here on, also over tl_tape_reset; the probe must live as long. NULL: none. */
void tl_tape_set_probe(tl_tape *tape, const tl_probe *probe);

/* What a node of the tape is. Nodes are counted from 0 in order of recording; tl_tape_stats has their number. */
typedef struct tl_recorded {
    const char *operation;    /* NULL: a parameter, a variable or a constant */
    const char *name, *scope; /* "" where it has none; a parameter's name is a full one */
    int base;                 /* the node whose memory it names: itself, or what a view is a view of */
    int inputs;
    const int *input; /* [inputs] nodes, -1 where one was left out; until another node is recorded */
    bool wants_grad;
    tl_tensor value;
    tl_tensor
        grad; /* what has reached it so far, a view its part of the base's; no data: nothing has, or it is used up */
} tl_recorded;
/* False, and *recorded untouched, if there is no such node. */
bool tl_tape_recorded(const tl_tape *tape, int node, tl_recorded *recorded);

/* ---- both ---- */

/* Memory that lives until the tape's reset or release; not zeroed. NULL, and the tape fails, when out of memory. */
void *tl_tape_memory(tl_tape *tape, size_t bytes);
/* The same as a tensor, row-major. Without data, and the tape fails, also if no tensor can have that shape. */
tl_tensor tl_tape_tensor(tl_tape *tape, tl_shape shape);
/* Is that an address in the tape's memory which a reset or release has taken back, and nobody has got since? */
bool tl_tape_forgot(const tl_tape *tape, const void *memory);
/* Key of the next stream of random numbers in this scope; false if the tape is not in training mode. */
bool tl_tape_next_key(tl_tape *tape, tl_rng_key *key);

/* -1 … -rank and 0 … rank-1 to 0 … rank-1; -1 if outside. */
int tl_axis(int rank, long axis);

/* TL_GRAD_CASES(exp, {"odd size", f, 1, {TL_DIMS(3, 17)}}, …); */
#define TL_GRAD_CASES(name, ...) const tl_grad_case tl_cases_##name[] = {__VA_ARGS__, {0}}

#ifdef __cplusplus
}
#endif
#endif
