/* Inside the tape. Invariants:
 *
 * - Nodes are in order of recording: a node's inputs come before it, so backward walks from the end.
 * - `base` is the node that owns a node's memory: the node itself, or for a view another node. Values of base nodes are
 *   contiguous. Gradient state (grad, grad_set) belongs to the base: a contribution to a view goes into the view's part
 *   of its base's gradient. A kept view has a gradient of its own in addition.
 * - Everything a step needs (values, saved structs, gradients, scratch memory) is in the arena. The arrays of nodes and
 *   edges, the scope names and the two hash tables only grow, so a step of shapes seen before allocates nothing. */
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
    unsigned long leaf_version; /* the leaf's version when it was used */
    const char *scope, *label;
    int base, first_edge, edges;
    int reader;  /* base: the first node whose backward reads its value, plus 1; 0: none */
    int handles; /* base: number of nodes over its memory, views included, that are not declared done */
    uint32_t epoch;
    bool wants_grad, kept;
    bool grad_set;        /* grad holds something (a leaf's own flag is `reached`) */
    bool recycled;        /* base: the memory of its gradient was recycled after use */
    bool read;            /* base: some backward will read its value */
    bool owned;           /* base: the tape took its memory for this result */
    bool held;            /* base: its memory must not be given back */
    bool done;            /* its handle has been declared done (tl_done) */
    bool given_back;      /* base: its memory was given back (given_back.c) */
    bool watched;         /* checking: it has a fingerprint */
    uint64_t fingerprint; /* of a leaf's, variable's or constant's value when it was first read */
    /* base: laid out like the value; kept view: its own gradient, laid out like its base's value */
    tl_real *grad;
} tl_node;

typedef struct tl_scope {
    char *name;
    uint32_t epoch; /* the step (tape's step_epoch) that draws belongs to */
    uint64_t draws; /* random streams handed out in this scope and step */
} tl_scope;

typedef struct tl_place { /* what a mark stands for */
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
    tl_tensor b; /* the weight as given, not packed */
    tl_matmul_precision precision;
    unsigned long version, set; /* the parameter's when it was packed */
    tl_real *panels;
    tl_product_packed packed;
} tl_packed_weight;

enum { TL_SCOPE_DEPTH = 64 };

struct tl_tape {
    tl_error error;
    tl_arena arena;
    tl_workspace workspace;
    tl_node *node;
    int nodes;
    size_t node_room;
    int nodes_ever; /* the most nodes so far: the array behind them was never written */
    int *edge;
    int edges;
    size_t edge_room;
    uint32_t epoch;      /* counts resets and releases: older handles are stale */
    uint32_t step_epoch; /* counts resets: at each, random streams start again */
    bool no_grad, training, keep_all, consumed;
    bool checking;
    bool recompute;
    bool give_back, spoils; /* spoils: memory given back is filled with NaN, also the loss's (gradcheck.c) */
    bool kept_views;        /* some view of this step is or was kept */
    const tl_probe *probe;  /* NULL: none */
    int beside;             /* while a kept view's own gradient is summed: its index + 1; else 0 */
    tl_place *mark;
    int marks;
    size_t mark_room;
    uint64_t mark_number; /* of the last mark ever made */
    uint64_t seed;
    long step, micro_batch;
    tl_matmul_precision precision;
    tl_scope *scope; /* every scope ever entered; names are never freed before the tape */
    int scopes;
    size_t scope_room;
    int *scope_table; /* hash of names -> index + 1 */
    int scope_table_size;
    int stack[TL_SCOPE_DEPTH], depth;
    tl_leaf_slot *leaf_table;
    int leaf_table_size, leaf_count;
    int packed_last; /* index of the weight that was used last */
    tl_recycled recycled;
    bool reuse_weights;
    tl_arena packed_arena;
    tl_packed_weight *packed_weight;
    int packed_weights;
    size_t packed_room;
    long table_allocations;
};

/* Sets one of a tape's switches. Returns what it was. */
static inline bool tl_switch(bool *flag, bool on) {
    const bool was = *flag;
    *flag = on;
    return was;
}

/* tape.c */
/* Grows an array that lasts as long as the tape. */
bool tl_tape_grow(tl_tape *tape, void *array, size_t *room, int needed, size_t element);
#define TL_TAPE_GROW(tape, array, room, needed) tl_tape_grow(tape, &(array), &(room), needed, sizeof *(array))
bool tl_tape_out_of_memory(tl_tape *tape, const char *what, size_t bytes);
void tl_tape_vfail(tl_tape *tape, const char *who, const char *scope, const char *format, va_list arguments);
/* Appends a node (zeroed, scope and epoch set); -1 when out of memory. */
int tl_tape_append(tl_tape *tape, int edges);

/* scopes.c */
static inline const char *tl_tape_scope(const tl_tape *tape) { /* "" outside any scope */
    const int at = tape->depth ? tape->stack[tape->depth - 1] : -1;
    return at >= 0 ? tape->scope[at].name : "";
}
/* A copy of the name that lasts as long as the tape; NULL if out of memory. */
const char *tl_tape_name(tl_tape *tape, const char *name);

/* handles.c */
/* The node behind a handle. NULL if the handle is wrong; its tape, if it has one, then fails: "who: what is …" */
tl_node *tl_node_of(tl_var x, const char *who, const char *what);
static inline tl_node *tl_node_peek(tl_var x) { /* the same, but no tape fails */
    if (!x.tape || x.index < 0 || x.index >= x.tape->nodes) return NULL;
    tl_node *n = &x.tape->node[x.index];
    return n->epoch == x.epoch ? n : NULL;
}
const char *tl_handle_fault(tl_var x);
/* Was the memory of x given back? If so the tape fails: "who: what, node …" */
bool tl_node_given_back(tl_var x, const char *who, const char *what);

/* given_back.c */
/* For the node that was just recorded. */
void tl_readers_note(tl_tape *tape, int at, unsigned unread);
void tl_readers_forget(tl_tape *tape, int nodes);
void tl_hold_memory(tl_tape *tape, const tl_real *data);
/* Before going backward from node `last` to node `first`. */
void tl_give_back_unread(tl_tape *tape, int first, int last);
/* After node `at` has gone backward. */
void tl_give_back_read(tl_tape *tape, int at);

/* stray.c */
/* Keeps "who: what fault; it has no tape" as the thread's message, for a handle without a tape. Always false. */
bool tl_stray_fail(const char *who, const char *what, const char *fault);
void tl_stray_vfail(const char *format, va_list arguments);
const char *tl_stray_error(void); /* the thread's message, or NULL */
void tl_stray_clear(void);

/* probe.c */
void tl_probe_before(tl_tape *tape);
void tl_probe_backward(tl_back *b);

/* sinks.c */
tl_tensor tl_node_grad(tl_tape *tape, int index); /* data NULL if there is none now */
/* While going backward: the gradient of node `index` so far, a part of its base's. */
tl_tensor tl_node_grad_now(const tl_tape *tape, int index);

/* checking.c: called in checking mode. A fault fails the tape. */
void tl_check_value(tl_tape *tape, int at); /* of the node that was just recorded */
bool tl_check_dy(tl_tape *tape, tl_tensor dy);
bool tl_check_unchanged(tl_tape *tape);         /* all values that are marked as read */
void tl_check_gradients(tl_tape *tape, int at); /* of the inputs of node `at`, which has just gone backward */

#endif
