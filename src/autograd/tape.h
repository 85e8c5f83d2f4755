/* Inside the tape. Invariants:
 *
 * - nodes are in order of recording: a node's inputs come before it, so backward walks from the end.
 * - `base` is the node that owns a node's memory: itself, or for a view the node whose memory it names. Values of
 *   base nodes are contiguous. Gradient state (grad, grad_set) belongs to the base: what reaches a view goes into the
 *   matching part of its base's. A view that is kept has state of its own, beside it.
 * - everything a step needs (values, saved structs, gradients, scratch) is in the arena; the arrays of nodes and
 *   edges, the scope names and the two tables only grow, so a step of shapes seen before allocates nothing. */
#ifndef TL_TAPE_H
#define TL_TAPE_H

#include <stdarg.h>

#include "recycled.h"
#include "tapeloom/op.h"
#include "tensor/arena.h"
#include "tensor/product.h"
#include "tensor/workspace.h"

typedef struct tl_node {
    const tl_op *op; /* NULL for leaves and constants */
    tl_tensor value;
    void *saved;
    tl_leaf *leaf;
    unsigned long leaf_version; /* the leaf's, when it was used */
    const char *scope, *label;
    int base, first_edge, edges;
    uint32_t epoch;
    bool wants_grad, kept;
    bool grad_set;        /* grad holds something (a leaf's own flag is `reached`) */
    bool recycled;        /* base: its gradient was there and has been used up */
    bool read;            /* base: some backward will read its value */
    bool watched;         /* checking: it has a fingerprint */
    uint64_t fingerprint; /* of a leaf's, variable's or constant's value when it was first read */
    tl_real *grad;        /* base: laid out like the value; kept view: its own, laid out like its base's */
} tl_node;

typedef struct tl_scope {
    char *name;
    uint32_t epoch; /* draws counts for this epoch's step only */
    uint64_t draws; /* random streams handed out so far in this scope */
} tl_scope;

typedef struct tl_place { /* that a mark names */
    uint64_t number;
    int nodes, edges;
    tl_arena_mark memory;
} tl_place;

typedef struct tl_leaf_slot {
    const tl_leaf *leaf;
    int index;
    uint32_t epoch;
} tl_leaf_slot;

typedef struct tl_packed_weight {
    tl_tensor b; /* as it was given */
    tl_matmul_precision precision;
    unsigned long version, set; /* the parameter's, when it was packed */
    tl_real *panels;
    tl_product_packed packed;
} tl_packed_weight;

enum { TL_SCOPE_DEPTH = 64 };

struct tl_tape {
    tl_error error;
    tl_arena arena;
    tl_workspace workspace;
    tl_node *node;
    int nodes, node_capacity;
    int nodes_ever; /* the most there have been: beyond them the array was never written */
    int *edge;
    int edges, edge_capacity;
    uint32_t epoch;      /* counts resets and releases: older handles are stale */
    uint32_t step_epoch; /* counts resets: random streams start anew */
    bool no_grad, training, keep_all, consumed;
    bool checking;
    bool kept_views;       /* some view of this step is kept, or was */
    const tl_probe *probe; /* NULL: none */
    int beside;            /* while a kept view's gradient is summed: its index + 1, else 0 */
    tl_place *mark;
    int marks, mark_capacity;
    uint64_t mark_number; /* of the last mark ever made */
    uint64_t seed;
    long step, micro_batch;
    tl_matmul_precision precision;
    tl_scope *scope; /* every scope ever entered; names are never freed before the tape */
    int scopes, scope_capacity;
    int *scope_table; /* hash of names -> index + 1 */
    int scope_table_size;
    int stack[TL_SCOPE_DEPTH], depth;
    tl_leaf_slot *leaf_table;
    int leaf_table_size, leaf_count;
    tl_recycled recycled;
    bool reuse_weights;
    tl_arena packed_arena;
    tl_packed_weight *packed_weight;
    int packed_weights, packed_capacity;
    long table_allocations;
};

/* tape.c */
/* Grows an array that is kept for the tape's whole life. */
bool tl_tape_grow(tl_tape *tape, void **array, int *capacity, int needed, size_t element);
bool tl_tape_out_of_memory(tl_tape *tape, const char *what, size_t bytes);
void tl_tape_vfail(tl_tape *tape, const char *who, const char *scope, const char *format, va_list arguments);
/* Appends a node (zeroed, scope and epoch set); -1 when out of memory. */
int tl_tape_append(tl_tape *tape, int edges);

/* scopes.c */
static inline const char *tl_tape_scope(const tl_tape *tape) { /* "" outside */
    const int at = tape->depth ? tape->stack[tape->depth - 1] : -1;
    return at >= 0 ? tape->scope[at].name : "";
}
const char *tl_tape_name(tl_tape *tape, const char *name); /* a copy that lives as long; NULL: no memory */

/* handles.c */
/* The node behind a handle, or NULL, and then its tape, if it has one, has failed: "who: what is …" */
tl_node *tl_node_of(tl_var x, const char *who, const char *what);
static inline tl_node *tl_node_peek(tl_var x) { /* the same without failing the tape */
    if (!x.tape || x.index < 0 || x.index >= x.tape->nodes) return NULL;
    tl_node *n = &x.tape->node[x.index];
    return n->epoch == x.epoch ? n : NULL;
}
const char *tl_handle_fault(tl_var x);

/* stray.c */
/* For a handle without a tape, and what is wrong with it. Always false. */
bool tl_stray_fail(const char *who, const char *what, const char *fault);
void tl_stray_vfail(const char *format, va_list arguments);
const char *tl_stray_error(void); /* of this thread, or NULL */
void tl_stray_clear(void);

/* probe.c */
void tl_probe_before(tl_tape *tape);
void tl_probe_backward(tl_back *b);

/* sinks.c */
tl_tensor tl_node_grad(tl_tape *tape, int index); /* data NULL if there is none now */
/* While going backward: what has reached the node so far, a part of its base's as a rule. */
tl_tensor tl_node_grad_now(const tl_tape *tape, int index);

/* checking.c: in checking mode. What is wrong fails the tape. */
void tl_check_value(tl_tape *tape, int at); /* of a node that has just been recorded */
bool tl_check_dy(tl_tape *tape, tl_tensor dy);
bool tl_check_unchanged(tl_tape *tape);         /* of all that has been marked as read */
void tl_check_gradients(tl_tape *tape, int at); /* that node `at` has just given to its inputs */

#endif
