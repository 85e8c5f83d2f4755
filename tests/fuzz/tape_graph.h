/* A graph that bytes decide: tape_graph.c makes values, shapes and handles of them, tape_calls.c and tape_layers.c operations,
 * fuzz_tape.c what is checked. The same bytes record the same graph again, with variables moved a little along a direction. */
#ifndef TL_TESTS_FUZZ_TAPE_GRAPH_H
#define TL_TESTS_FUZZ_TAPE_GRAPH_H

#include "fuzz.h"

#include <tapeloom.h>

enum {
    GRAPH_POOL = 40,     /* values that an operation may read */
    GRAPH_MADE = 256,    /* all values */
    GRAPH_LEAVES = 192,  /* variables and constants */
    GRAPH_STEPS = 20,    /* operations of an input */
    GRAPH_IDS = 1 << 13, /* ids and flags of an operation */
    GRAPH_MOST = 1 << 14 /* elements of a value */
};

typedef struct graph_leaf {
    tl_real *data;
    tl_tensor value;
    tl_var var;
    bool variable;
} graph_leaf;

typedef struct graph {
    /* what the first bytes choose: arguments that no operation takes; handles that are none; long axes; training mode */
    bool wild, wrong, big, train;
    bool recompute; /* parts by tl_recompute instead of plain calls */
    uint64_t seed;
    fuzz_bytes in;
    tl_tape *tape, *foreign;
    tl_var stale, other; /* a handle of a forgotten step, one of the other tape */
    double shift;        /* of variables along the direction */
    int only;            /* the one variable that is moved; -1: all */

    tl_var pool[GRAPH_POOL];
    bool leafy[GRAPH_POOL]; /* is it a leaf? */
    int count;
    tl_var made[GRAPH_MADE];
    int mades;
    graph_leaf leaf[GRAPH_LEAVES];
    int leaves, live; /* live: those that no release has forgotten */
    struct {
        tl_mark mark;
        int count, mades, live;
    } mark[4];
    int marks, scopes;
    bool grad_off, stopped; /* stopped: some gradient was cut off, so that it is not the loss's slope */
    int ids[GRAPH_IDS];
    uint8_t flags[GRAPH_IDS];
} graph;

/* Records the whole graph on the tape, which is reset. */
void graph_record(graph *g);
/* One operation. */
void graph_call(graph *g);
void graph_free(graph *g); /* the leaves' memory */

/* ---- numbers ---- */

/* Something that the direction moves, or a weight of the loss: number i of stream k, in [-1, 1). */
double graph_number(const graph *g, unsigned stream, int k, long i);
long graph_pick(graph *g, long count); /* 0 … count-1; 0 if there are none */
bool graph_chance(graph *g, unsigned of_8);
/* A small number that an argument may be or, if the graph is wild, any. */
long graph_long(graph *g, long right);
double graph_double(graph *g, double right);
int graph_axis(graph *g, int rank);

/* ---- shapes ---- */

tl_shape graph_shape(graph *g, int rank);            /* rank -1: any */
tl_shape graph_shape_like(graph *g, tl_shape shape); /* that broadcasts to it */
long graph_dim(graph *g);

/* ---- values ---- */

void graph_put(graph *g, tl_var x);           /* a result: to be read by others */
tl_var graph_note(graph *g, tl_var x);        /* a result that only one reads */
tl_var graph_any(graph *g);                   /* a value, or a wrong handle */
tl_var graph_of_rank(graph *g, int rank);     /* of that rank; a new one if need be */
tl_var graph_fit(graph *g, tl_shape shape);   /* of that shape */
tl_var graph_maybe(graph *g, tl_shape shape); /* the same, or TL_NO_VAR */
tl_var graph_leaf_of(graph *g, tl_shape shape, bool variable);
tl_shape graph_shape_of(tl_var x); /* {0} for a wrong handle, without failing its tape */

/* More than 0, mostly. */
tl_var graph_positive(graph *g, tl_var x);

/* ---- operations that have sizes to fit (tape_layers.c) ---- */

typedef enum graph_recurrent { GRAPH_GRU_STEP, GRAPH_LSTM_STEP, GRAPH_LSTM_STEPS } graph_recurrent;
tl_var graph_cross_entropy(graph *g, bool linear);
tl_var graph_other_loss(graph *g, bool binary);
tl_var graph_masked(graph *g, bool sigmoid);
tl_var graph_attention(graph *g);
tl_var graph_recurrence(graph *g, graph_recurrent kind);
tl_var graph_product(graph *g);
tl_var graph_linear(graph *g);
tl_var graph_looked_up(graph *g, bool gather);
tl_var graph_with_heads(graph *g, bool split);
tl_var graph_rotated(graph *g);
tl_var graph_normalised(graph *g, bool layer);

static inline tl_shape graph_dims(long rank, long a, long b, long c, long d) {
    return (tl_shape){(int)rank, {a, b, c, d, 0, 0}};
}
/* Is a result of so many elements too large to go on with? */
static inline bool graph_too_large(long numel) { return numel < 0 || numel > GRAPH_MOST; }

/* Element i of a tensor, row by row. */
long graph_offset(tl_tensor t, long i);

#endif
