/* Gives the memory of forward values back before the step is over (tl_tape_set_give_back).
 *
 * A base's `reader` is the first recorded operation whose backward reads its memory. Backward runs in the opposite
 * order, so it is the last operation that reads it. The memory goes to the pool of recycled memory (recycled.c):
 *
 * - at once, if every handle over it is declared done and no backward reads it;
 * - when backward begins, if no backward reads it;
 * - otherwise when its reader has gone backward.
 *
 * Only memory that the tape took for a result is given back: never memory of a leaf, constant or variable, nor of a
 * value that is kept. In checking mode it is overwritten with NaN. */
#include "tape.h"

#include <string.h>

bool tl_tape_set_give_back(tl_tape *tape, bool on) {
    if (!tape) return false;
    const bool was = tl_switch(&tape->give_back, on);
    for (int i = 0; on && !was && i < tape->nodes; i++) /* memory of constants and variables made before */
        if (!tape->node[i].op && !tape->node[i].leaf) tl_hold_memory(tape, tape->node[i].value.data);
    return was;
}
bool tl_tape_gives_back(const tl_tape *tape) { return tape && tape->give_back; }

static void give_back(tl_tape *tape, tl_node *base) {
    if (!base->owned || base->held || base->given_back) return;
    const size_t bytes = (size_t)tl_numel(base->value) * sizeof(tl_real);
    base->given_back = true;
    if (tape->checking || tape->spoils) memset(base->value.data, 0xff, bytes);
    tl_recycled_give(&tape->recycled, base->value.data, bytes);
}

/* ---- which backward reads which value ---- */

static bool is_unread(unsigned unread, int input) { return unread >> (input < 30 ? input : 30) & 1; }

static void read_by(tl_tape *tape, int of, int at) {
    tl_node *base = &tape->node[tape->node[of].base];
    if (!base->reader) base->reader = at + 1;
}

void tl_readers_note(tl_tape *tape, int at, unsigned unread) {
    tl_node *n = &tape->node[at];
    if (n->base != at) { /* a view is one more handle over its base's memory */
        tl_node *base = &tape->node[n->base];
        base->handles++;
        base->held |= n->kept;
        return;
    }
    n->handles = 1;
    if (!n->wants_grad) return;
    for (int i = 0; i < n->edges; i++)
        if (tape->edge[n->first_edge + i] >= 0 && !is_unread(unread, i))
            read_by(tape, tape->edge[n->first_edge + i], at);
    if (!(unread & TL_UNREAD_RESULT)) read_by(tape, at, at);
}

void tl_keep_value(tl_var x) {
    const tl_node *n = tl_node_of(x, "tl_keep_value", "the var");
    if (n && !tl_node_given_back(x, "tl_keep_value", "")) x.tape->node[n->base].held = true;
}

/* Nodes from number `nodes` on have been forgotten: they read nothing any more. */
void tl_readers_forget(tl_tape *tape, int nodes) {
    for (int i = 0; i < nodes; i++)
        if (tape->node[i].reader > nodes) tape->node[i].reader = 0;
}

/* Holds the memory of the value that `data` points into: a constant was made over it, to stop a gradient for
 * instance. */
void tl_hold_memory(tl_tape *tape, const tl_real *data) {
    for (int i = 0; tape->give_back && i < tape->nodes; i++) {
        tl_node *n = &tape->node[i];
        if (n->owned && data >= n->value.data && data < n->value.data + tl_numel(n->value)) n->held = true;
    }
}

/* ---- giving back ---- */

tl_var tl_done(tl_var x, tl_var result) {
    tl_node *n = tl_node_peek(x);
    if (!n || !x.tape->give_back || n->done || (result.tape == x.tape && result.index == x.index))
        return result;
    tl_node *base = &x.tape->node[n->base];
    n->done = true;
    if (--base->handles == 0 && !base->reader) give_back(x.tape, base);
    return result;
}

void tl_give_back_unread(tl_tape *tape, int first, int last) {
    const int loss = first > 0 || tape->spoils ? -1 : tape->node[last].base;
    for (int i = first; i <= last; i++) {
        tl_node *n = &tape->node[i];
        if (i == loss)
            n->held = true;
        else if (!n->reader)
            give_back(tape, n);
    }
}

void tl_give_back_read(tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    for (int e = 0; e < n->edges; e++) {
        const int from = tape->edge[n->first_edge + e];
        tl_node *base = from < 0 ? NULL : &tape->node[tape->node[from].base];
        if (base && base->reader == at + 1) give_back(tape, base);
    }
    if (n->reader == at + 1) give_back(tape, &tape->node[at]);
}
