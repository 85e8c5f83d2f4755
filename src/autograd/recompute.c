/* Gradient checkpointing: a part of the graph of which only the result is kept. Backward calls the function that made
 * the part again.
 *
 * The part is one node, in the place of its last operation. The node's inputs are the values recorded before the part
 * that the function read, and the parameters that it used. Backward records the part again, behind all nodes, and goes
 * back through it. The operations go backward in the same order, before and after the same others, so every gradient
 * gets the same contributions in the same order, bit for bit. While the function runs again, the state of the tape
 * that it depends on (random streams, scopes, modes) is what it was the first time. */
#include "recompute.h"

#include <string.h>

/* The state of the tape that the function depends on. */
typedef struct surroundings {
    uint64_t *draws; /* [scopes] random streams handed out in each; in scopes added later: none */
    int *stack;
    int scopes, depth;
    bool no_grad, training;
    uint64_t seed;
    long step, micro_batch;
    tl_matmul_precision precision;
} surroundings;

typedef struct saved {
    tl_recomputed *f;
    const void *context;
    surroundings before;
} saved;

static bool look(tl_tape *tape, surroundings *s) {
    const size_t scopes = (size_t)tape->scopes, depth = (size_t)tape->depth;
    *s = (surroundings){.draws = tl_tape_memory(tape, scopes * sizeof *s->draws),
                        .stack = tl_tape_memory(tape, depth * sizeof *s->stack),
                        .scopes = tape->scopes,
                        .depth = tape->depth,
                        .no_grad = tape->no_grad,
                        .training = tape->training,
                        .seed = tape->seed,
                        .step = tape->step,
                        .micro_batch = tape->micro_batch,
                        .precision = tape->precision};
    if (!s->draws || !s->stack) return false;
    for (int i = 0; i < s->scopes; i++)
        s->draws[i] = tape->scope[i].epoch == tape->step_epoch ? tape->scope[i].draws : 0;
    memcpy(s->stack, tape->stack, depth * sizeof *s->stack);
    return true;
}

static void set_back(tl_tape *tape, const surroundings *s) {
    for (int i = 0; i < tape->scopes; i++) {
        tape->scope[i].epoch = tape->step_epoch;
        tape->scope[i].draws = i < s->scopes ? s->draws[i] : 0;
    }
    memcpy(tape->stack, s->stack, (size_t)s->depth * sizeof *s->stack);
    tape->depth = s->depth;
    tape->no_grad = s->no_grad;
    tape->training = s->training;
    tape->seed = s->seed;
    tape->step = s->step;
    tape->micro_batch = s->micro_batch;
    tape->precision = s->precision;
}

/* Did an operation of the part make y, from something that wants a gradient? If not, y is a value recorded before, a
 * view of one, or a leaf, constant or variable. The stand-in's value is a contiguous copy of y, so y must be
 * contiguous too: otherwise tl_reshape of one would be a view and of the other a copy, and gradients would be added in
 * another order. */
static bool is_made(const tl_tape *tape, tl_var y, int first) {
    if (y.tape != tape || !tl_wants_grad(y)) return false;
    const tl_node *n = &tape->node[y.index];
    return n->base >= first && tape->node[n->base].op && tl_is_contiguous(n->value);
}

/* ---- backward ---- */

/* Takes memory for the gradients of the part's inputs before the mark: the release must not forget it. */
static bool make_room(tl_back *b) {
    bool ok = true;
    for (int i = 0; i < tl_back_inputs(b) && ok; i++)
        if (tl_back_wants(b, i))
            ok = tl_sink_room(b->tape, b->tape->edge[b->tape->node[b->node].first_edge + i]);
    return ok;
}

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_tape *tape = b->tape;
    surroundings now;
    if (!make_room(b) || !look(tape, &now)) return;
    const tl_mark mark = tl_tape_mark(tape);
    const int first = tape->nodes;
    set_back(tape, &s->before);
    tl_var y = s->f(tape, s->context);
    set_back(tape, &now);
    if (!tl_failed(&tape->error) &&
        (!is_made(tape, y, first) || !tl_shape_equal(tl_shape_of_var(y), tl_shape_of(b->dy))))
        tl_tape_fail(tape, "tl_recompute: called again, the function does not give what it gave before");
    if (tl_ok(y)) tl_walk_back(tape, y.index, first, b->dy);
    tl_tape_release(tape, mark);
}

const tl_op tl_op_recompute = {"recompute", backward};

/* ---- forward ---- */

/* A copy of the result, and what the part reads: nodes before it and leaves, each once. All in workspace memory. */
typedef struct found {
    tl_real *y;
    int *outer; /* [outers] nodes */
    tl_leaf **leaf;
    int outers, leaves;
} found;

static void add_outer(found *f, int node) {
    for (int i = 0; i < f->outers; i++)
        if (f->outer[i] == node) return;
    f->outer[f->outers++] = node;
}

static void add_leaf(found *f, tl_leaf *leaf) {
    for (int i = 0; i < f->leaves; i++)
        if (f->leaf[i] == leaf) return;
    f->leaf[f->leaves++] = leaf;
}

static bool find(tl_tape *tape, tl_mark mark, int first, tl_tensor y, found *f) {
    const int edges = tape->edges - tape->mark[mark.depth].edges; /* at most so many outer nodes, or leaves */
    const size_t bytes = tl_recycled_size((size_t)tl_numel(y) * sizeof *f->y),
                 pointers = (size_t)edges * sizeof *f->leaf;
    char *memory = tl_workspace_get(&tape->workspace, bytes + pointers + (size_t)edges * sizeof *f->outer);
    if (!memory) return tl_tape_out_of_memory(tape, "tl_recompute", bytes);
    *f = (found){.y = (tl_real *)memory,
                 .leaf = (tl_leaf **)(memory + bytes),
                 .outer = (int *)(memory + bytes + pointers)};
    tl_tensor_copy(tl_tensor_of(f->y, tl_shape_of(y)), y);
    for (int e = tape->edges - edges; e < tape->edges; e++) {
        const int from = tape->edge[e];
        if (from < 0) continue;
        if (tape->node[from].leaf)
            add_leaf(f, tape->node[from].leaf);
        else if (from < first)
            add_outer(f, from);
    }
    return true;
}

/* Records the node that stands for the part, whose own nodes are forgotten. */
static tl_var stand_in(tl_tape *tape, const found *f, tl_shape shape, const saved *of) {
    const int inputs = f->outers + f->leaves;
    tl_var *in = tl_tape_memory(tape, (size_t)inputs * sizeof *in);
    for (int i = 0; in && i < f->outers; i++)
        in[i] = (tl_var){tape, f->outer[i], tape->node[f->outer[i]].epoch};
    for (int i = 0; in && i < f->leaves; i++) in[f->outers + i] = tl_use_leaf(tape, f->leaf[i]);
    if (!in) return tl_inert(tape);
    tl_call c = tl_call_begin(&tl_op_recompute, inputs, in);
    c.unread = TL_UNREAD_RESULT;
    tl_tensor y = tl_call_new(&c, shape);
    saved *s = tl_call_save(&c, sizeof *s);
    if (s) {
        *s = *of;
        tl_tensor_copy(y, tl_tensor_of(f->y, shape));
    }
    return tl_call_end(&c);
}

tl_var tl_recompute(tl_tape *tape, tl_recomputed *f, const void *context, size_t bytes) {
    if (!tape || !f) return tl_tape_fail(tape, "tl_recompute: there is no %s", tape ? "function" : "tape");
    if (tape->no_grad || tape->keep_all || tape->probe || tl_failed(&tape->error)) return f(tape, context);
    saved s = {.f = f};
    void *copy = tl_tape_memory(tape, bytes);
    if (!copy || !look(tape, &s.before)) return tl_inert(tape);
    if (bytes) memcpy(copy, context, bytes);
    s.context = copy;
    const tl_mark mark = tl_tape_mark(tape);
    const int first = tape->nodes;
    tl_var y = f(tape, copy);
    if (!is_made(tape, y, first)) return y; /* nothing to go back through */
    const tl_tensor value = tl_value(y);
    const tl_shape shape = tl_shape_of(value);
    found found = {0};
    const bool ok = value.data && tl_tape_holds(tape, mark) && find(tape, mark, first, value, &found);
    tl_tape_release(tape, mark);
    return ok ? stand_in(tape, &found, shape, &s) : tl_inert(tape);
}

bool tl_tape_set_recompute(tl_tape *tape, bool on) { return tape && tl_switch(&tape->recompute, on); }
bool tl_tape_recomputes(const tl_tape *tape) { return tape && tape->recompute; }
