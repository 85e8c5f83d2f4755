/* Probes, called while a tape computes, and access to what a tape has recorded, node by node (op.h). */
#include "tape.h"

void tl_tape_set_probe(tl_tape *tape, const tl_probe *probe) {
    if (tape) tape->probe = probe;
}

void tl_probe_before(tl_tape *tape) {
    if (tape->probe->before) tape->probe->before(tape->probe->context, tape, tape->nodes);
}

/* Going backward once more for a kept view's own gradient does not call the probe. */
void tl_probe_backward(tl_back *b) {
    const tl_probe *probe = b->tape->probe;
    if (probe->backward && !b->tape->beside)
        probe->backward(probe->context, b);
    else
        b->op->backward(b);
}

bool tl_tape_recorded(const tl_tape *tape, int node, tl_recorded *recorded) {
    if (!tape || !recorded || node < 0 || node >= tape->nodes) return false;
    const tl_node *n = &tape->node[node];
    *recorded = (tl_recorded){.operation = n->op ? n->op->name : NULL,
                              .name = n->label  ? n->label
                                      : n->leaf ? n->leaf->name
                                                : "",
                              .scope = n->scope,
                              .base = n->base,
                              .inputs = n->edges,
                              .input = tape->edge ? tape->edge + n->first_edge : NULL,
                              .wants_grad = n->wants_grad,
                              .value = n->value,
                              .first = n->value.data - tape->node[n->base].value.data,
                              .grad = tl_node_grad_now(tape, node)};
    if (tape->node[n->base].given_back) recorded->value.data = NULL;
    return true;
}
