/* Values that no operation makes: constants, variables, and leaves (parameters), which outlive the step. */
#include "tape.h"
#include "tensor/sizes.h"

#include <stdlib.h>

/* Has the tensor data, a possible shape, and memory that the tape has not forgotten? `elsewhere`: its memory is not
 * the tape's (a leaf's never is). If not, the tape fails. */
static bool check_value(tl_tape *tape, tl_tensor value, const char *what, bool elsewhere) {
    const bool some = tl_numel(value) > 0; /* then it has data and a possible shape */
    if (some && (elsewhere || !tl_tape_forgot(tape, value.data))) return true;
    if (!value.data)
        tl_tape_fail(tape, "%s: the tensor has no data", what);
    else if (tl_shape_numel(tl_shape_of(value)) < 0)
        tl_tape_fail(tape, "%s: %s %s", what, TL_SHAPE_STRING_OF(value), tl_shape_fault(tl_shape_of(value)));
    else if (some)
        tl_tape_fail(tape,
                     "%s: the tensor's memory was forgotten by a tl_tape_reset or tl_tape_release; copy "
                     "what must outlive them",
                     what);
    else
        return true;
    return false;
}

static tl_var record(tl_tape *tape, tl_tensor value, bool wants_grad, tl_leaf *leaf) {
    const tl_var inert = tl_inert(tape);
    const char *what = !leaf ? wants_grad ? "variable" : "constant" : leaf->name ? leaf->name : "parameter";
    if (!tape || tl_failed(&tape->error) || !check_value(tape, value, what, leaf)) return inert;
    if (!tl_is_contiguous(value) && wants_grad) { /* a gradient is row-major, so its value must be */
        tl_tensor copy = tl_tape_tensor(tape, tl_shape_of(value));
        if (!copy.data) return inert;
        tl_tensor_copy(copy, value);
        value = copy;
    }
    int at = tl_tape_append(tape, 0);
    if (at < 0) return inert;
    tl_node *n = &tape->node[at];
    n->value = value;
    n->leaf = leaf;
    n->wants_grad = wants_grad && !tape->no_grad;
    if (leaf) {
        n->leaf_version = leaf->version;
        n->grad = leaf->grad;
    } else if (wants_grad) {
        n->kept = true;
    }
    if (tape->checking) {
        tl_check_value(tape, at);
        if (tl_failed(&tape->error)) return inert;
    }
    return (tl_var){tape, at, n->epoch};
}

static tl_var record_theirs(tl_tape *tape, tl_tensor value, bool wants_grad) {
    if (tape && tape->give_back) tl_hold_memory(tape, value.data);
    return record(tape, value, wants_grad, NULL);
}

tl_var tl_constant(tl_tape *tape, tl_tensor value) { return record_theirs(tape, value, false); }
tl_var tl_variable(tl_tape *tape, tl_tensor value) { return record_theirs(tape, value, true); }

tl_var tl_constant_copy(tl_tape *tape, tl_tensor value) {
    const tl_var inert = tl_inert(tape);
    if (!tape || tl_failed(&tape->error) || !check_value(tape, value, "constant", false)) return inert;
    tl_tensor copy = tl_tape_tensor(tape, tl_shape_of(value));
    if (!copy.data) return inert;
    tl_tensor_copy(copy, value);
    return record(tape, copy, false, NULL);
}

tl_var tl_full(tl_tape *tape, tl_shape shape, double value) {
    const tl_var inert = tl_inert(tape);
    if (!tape || tl_failed(&tape->error)) return inert;
    if (tl_shape_numel(shape) < 0)
        return tl_tape_fail(tape, "constant: %s %s", TL_SHAPE_STRING(shape), tl_shape_fault(shape));
    tl_tensor full = tl_tape_tensor(tape, shape);
    if (!full.data) return inert;
    tl_tensor_fill(full, value);
    return record(tape, full, false, NULL);
}

tl_var tl_zeros(tl_tape *tape, tl_shape shape) { return tl_full(tape, shape, 0); }
tl_var tl_scalar(tl_tape *tape, double value) { return tl_full(tape, TL_SCALAR_SHAPE, value); }

/* ---- one node for each leaf: a hash table of this step's leaves; entries of older epochs count as empty ---- */

static uint32_t hash_pointer(const void *p) {
    uint64_t h = (uint64_t)(uintptr_t)p * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32);
}

static bool live(const tl_tape *tape, const tl_leaf_slot *s) {
    return s->leaf && s->index < tape->nodes && tape->node[s->index].epoch == s->epoch &&
           tape->node[s->index].leaf == s->leaf;
}

static bool rehash(tl_tape *tape) {
    int old_size = tape->leaf_table_size, size = old_size ? 2 * old_size : 256;
    tl_leaf_slot *old = tape->leaf_table, *table = calloc((size_t)size, sizeof *table);
    if (!table) return tl_tape_out_of_memory(tape, "parameters", (size_t)size * sizeof *table);
    tape->leaf_table = table;
    tape->leaf_table_size = size;
    tape->leaf_count = 0;
    tape->table_allocations++;
    for (int i = 0; i < old_size; i++) {
        if (!live(tape, &old[i])) continue;
        uint32_t at = hash_pointer(old[i].leaf) & (uint32_t)(size - 1);
        while (table[at].leaf) at = (at + 1) & (uint32_t)(size - 1);
        table[at] = old[i];
        tape->leaf_count++;
    }
    free(old);
    return true;
}

tl_var tl_use_leaf(tl_tape *tape, tl_leaf *leaf) {
    const tl_var inert = tl_inert(tape);
    if (!tape || tl_failed(&tape->error)) return inert;
    if (!leaf)
        return tl_tape_fail(tape,
                            "parameter: there is none: its set has an error, or there was no memory for it");
    if (2 * (tape->leaf_count + 1) > tape->leaf_table_size && !rehash(tape)) return inert;
    bool wants = !leaf->frozen && leaf->grad && !tape->no_grad;
    uint32_t mask = (uint32_t)(tape->leaf_table_size - 1), at = hash_pointer(leaf) & mask;
    while (tape->leaf_table[at].leaf && tape->leaf_table[at].leaf != leaf) at = (at + 1) & mask;
    tl_leaf_slot *slot = &tape->leaf_table[at];
    if (slot->leaf && live(tape, slot) && tape->node[slot->index].wants_grad == wants &&
        tape->node[slot->index].leaf_version == leaf->version)
        return (tl_var){tape, slot->index, slot->epoch};
    tl_var x = record(tape, leaf->value, wants, leaf);
    if (x.index < 0) return x;
    if (!slot->leaf) tape->leaf_count++;
    *slot = (tl_leaf_slot){leaf, x.index, x.epoch};
    return x;
}
