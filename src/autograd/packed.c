/* Packed copies of weights that multiply few rows many times, as in decoding (tl_tape_set_reuse_weights).
 *
 * While this is on, a weight's first product packs it, and later products find the packed copy by the weight's memory
 * and strides. If the parameter has changed since, it is packed again, into the same memory. The copies are in an
 * arena of their own, because a decoding step's releases and the tape's reset must not forget them. Switching off
 * empties the arena without freeing it. */
#include "tape.h"
#include "for_kernels.h"
#include "base/memory.h"

bool tl_tape_reuses_weights(const tl_tape *tape) { return tape && tape->reuse_weights; }

bool tl_tape_set_reuse_weights(tl_tape *tape, bool on) {
    if (!tape) return false;
    if (!on) {
        tape->packed_weights = 0;
        tl_arena_reset(&tape->packed_arena);
    }
    return tl_switch(&tape->reuse_weights, on);
}

static bool same(tl_tensor a, tl_tensor b) {
    return a.data == b.data && a.dim[0] == b.dim[0] && a.dim[1] == b.dim[1] && a.stride[0] == b.stride[0] &&
           a.stride[1] == b.stride[1];
}

/* Every step uses the same weights in the same order: the search begins behind the weight used last. */
static tl_packed_weight *find(tl_tape *tape, tl_tensor b) {
    const int count = tape->packed_weights;
    for (int i = 0, at = tape->packed_last + 1; i < count; i++, at++) {
        if (at >= count) at = 0;
        if (!same(tape->packed_weight[at].b, b) || tape->packed_weight[at].precision != tape->precision)
            continue;
        tape->packed_last = at;
        return &tape->packed_weight[at];
    }
    return NULL;
}

/* Adds an entry with memory for the packed copy. NULL if out of memory: then each product packs the weight itself. */
static tl_packed_weight *add(tl_tape *tape, tl_tensor b) {
    const size_t before = tape->packed_room;
    if (!TL_RESERVE(tape->packed_weight, tape->packed_room, (size_t)tape->packed_weights + 1)) return NULL;
    tape->table_allocations += tape->packed_room > before;
    const size_t bytes = (size_t)tl_product_packed_numel(b, tape->precision) * sizeof(tl_real);
    tl_real *panels = tl_arena_get(&tape->packed_arena, bytes);
    if (!panels) return NULL;
    tl_packed_weight *w = &tape->packed_weight[tape->packed_weights++];
    *w = (tl_packed_weight){.b = b, .precision = tape->precision, .panels = panels};
    return w;
}

const tl_product_packed *tl_tape_packed_leaf(tl_tape *tape, const tl_leaf *leaf, tl_tensor b) {
    if (!tape || !tape->reuse_weights || tape->arena.limit) return NULL; /* a limit forbids copies */
    if (tape->probe) return NULL; /* a probe may write to weights between products */
    tl_packed_weight *w = find(tape, b);
    /* set: a freed parameter's memory may belong to another set's parameter now */
    if (w && w->version == leaf->version && w->set == leaf->set) return &w->packed;
    if (!w && !(w = add(tape, b))) return NULL;
    w->packed = tl_product_prepack(w->panels, b, tape->precision);
    w->version = leaf->version;
    w->set = leaf->set;
    return &w->packed;
}

const tl_product_packed *tl_tape_packed(tl_var weight) {
    tl_tape *tape = weight.tape;
    if (!tape || !tape->reuse_weights) return NULL;
    const tl_node *n = tl_node_peek(weight);
    if (!n || !tape->node[n->base].leaf) return NULL; /* a computed weight has no version */
    return tl_tape_packed_leaf(tape, tape->node[n->base].leaf, tl_tensor_transpose(n->value, 0, 1));
}

bool tl_tape_needs_no_nodes(const tl_tape *tape) {
    return tape && tape->no_grad && !tape->training && !tape->checking && !tape->probe && !tape->keep_all &&
           !tl_failed(&tape->error);
}
