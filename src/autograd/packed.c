/* Weights that meet few rows many times, as in decoding, are laid out for products once.
 *
 * While it is switched on, each weight's first product packs it, and later ones look the packed copy up by the
 * weight's memory and strides; one whose parameter has changed since is packed anew, in the same place. The copies live
 * in an arena of their own, because neither a decoding step's marks nor the tape's reset must forget them; it is emptied,
 * not freed, when the switch goes off. */
#include "tape.h"
#include "for_kernels.h"

#include <stdlib.h>

bool tl_tape_reuses_weights(const tl_tape *tape) { return tape && tape->reuse_weights; }

bool tl_tape_set_reuse_weights(tl_tape *tape, bool on) {
    if (!tape) return false;
    const bool was = tape->reuse_weights;
    tape->reuse_weights = on;
    if (!on) {
        tape->packed_weights = 0;
        tl_arena_reset(&tape->packed_arena);
    }
    return was;
}

static bool same(tl_tensor a, tl_tensor b) {
    return a.data == b.data && a.dim[0] == b.dim[0] && a.dim[1] == b.dim[1] && a.stride[0] == b.stride[0] &&
           a.stride[1] == b.stride[1];
}

static tl_packed_weight *find(tl_tape *tape, tl_tensor b) {
    for (int i = 0; i < tape->packed_weights; i++)
        if (same(tape->packed_weight[i].b, b) && tape->packed_weight[i].precision == tape->precision)
            return &tape->packed_weight[i];
    return NULL;
}

/* Memory for one more; NULL if there is none: then each product packs the weight anew. */
static tl_packed_weight *add(tl_tape *tape, tl_tensor b) {
    if (tape->packed_weights == tape->packed_capacity) {
        const int capacity = tape->packed_capacity ? 2 * tape->packed_capacity : 64;
        tl_packed_weight *grown = realloc(tape->packed_weight, (size_t)capacity * sizeof *grown);
        if (!grown) return NULL;
        tape->packed_weight = grown;
        tape->packed_capacity = capacity;
        tape->table_allocations++;
    }
    const size_t bytes = (size_t)tl_product_packed_numel(b, tape->precision) * sizeof(tl_real);
    tl_real *panels = tl_arena_get(&tape->packed_arena, bytes);
    if (!panels) return NULL;
    tl_packed_weight *w = &tape->packed_weight[tape->packed_weights++];
    *w = (tl_packed_weight){.b = b, .precision = tape->precision, .panels = panels};
    return w;
}

const tl_product_packed *tl_tape_packed(tl_var weight) {
    tl_tape *tape = weight.tape;
    if (!tape || !tape->reuse_weights || tape->arena.limit) return NULL; /* a limit leaves none for copies */
    if (tape->probe) return NULL; /* it may write to a weight in between */
    const tl_node *n = tl_node_peek(weight);
    if (!n || !tape->node[n->base].leaf) return NULL; /* a computed one may have changed */
    const tl_tensor b = tl_tensor_transpose(n->value, 0, 1);
    const tl_leaf *leaf = tape->node[n->base].leaf;
    tl_packed_weight *w = find(tape, b);
    /* another set's parameter may lie where one that is gone lay */
    if (w && w->version == leaf->version && w->set == leaf->set) return &w->packed;
    if (!w && !(w = add(tape, b))) return NULL;
    w->packed = tl_product_prepack(w->panels, b, tape->precision);
    w->version = leaf->version;
    w->set = leaf->set;
    return &w->packed;
}
