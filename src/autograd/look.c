/* Names of nodes, and the first value that is not finite. Looking changes nothing. */
#include "look.h"

#include "base/format.h"
#include "tensor/inspect.h"

#include <string.h>

/* ---- text ---- */

void tl_node_name(const tl_node *n, char text[TL_NODE_NAME]) {
    const char *label = n->label ? n->label : n->leaf ? n->leaf->name : "";
    const bool full = n->leaf && !n->label; /* a parameter's own name begins with a scope */
    if (!label) label = "";
    const char *scope = full ? "" : n->scope, *dot = *scope && *label ? "." : "";
    enum { HALF = TL_NODE_NAME / 2 - 2 };
    const size_t before = strlen(scope), after = strlen(label);
    if (before + after + 1 < TL_NODE_NAME)
        snprintf(text, TL_NODE_NAME, "%s%s%s", scope, dot, label);
    else if (after < HALF)
        snprintf(text, TL_NODE_NAME, "%.*s…%s%s", HALF, scope, dot, label);
    else
        snprintf(text, TL_NODE_NAME, "%.*s%s%.*s…%s", HALF / 2, scope, dot, HALF / 2, label,
                 label + after - HALF / 2);
}

void tl_node_inputs(const tl_tape *tape, const tl_node *n, char text[TL_NODE_INPUTS]) {
    enum { LONGEST = sizeof " -2147483648 …" };
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < n->edges; i++) {
        const int from = tape->edge[n->first_edge + i];
        if (from < 0) continue;
        if (used + LONGEST > TL_NODE_INPUTS) {
            snprintf(text + used, TL_NODE_INPUTS - used, " …");
            return;
        }
        used += (size_t)snprintf(text + used, TL_NODE_INPUTS - used, "%s%d", used ? " " : "", from);
    }
}

/* ---- the first value that is not finite ---- */

/* Says that an element of a node's value or gradient t is not finite. Its node, or the inert var if all are finite. */
static tl_var found(tl_tape *tape, int at, bool gradient, tl_tensor t, char text[TL_ERROR_MAX]) {
    const tl_node *n = &tape->node[at];
    const long element = t.data ? tl_tensor_nonfinite(t) : -1;
    char name[TL_NODE_NAME], inputs[TL_NODE_INPUTS];
    if (element < 0) return tl_inert(tape);
    tl_node_name(n, name);
    tl_node_inputs(tape, n, inputs);
    if (text)
        tl_format(text, TL_ERROR_MAX, "%snode %d, %s%s%s%s, %s: element %ld is %s (inputs: %s)",
                  gradient ? "gradient of " : "", at, tl_node_kind(n), *name ? " (" : "", name,
                  *name ? ")" : "", TL_SHAPE_STRING_OF(n->value), element,
                  tl_nonfinite_text(tl_tensor_element(t, element)), *inputs ? inputs : "none");
    return (tl_var){tape, at, n->epoch};
}

tl_var tl_tape_find_nonfinite(tl_tape *tape, char text[TL_ERROR_MAX]) {
    tl_var x = tl_inert(tape);
    if (text) text[0] = 0;
    for (int i = 0; tape && i < tape->nodes && x.index < 0; i++)
        if (tape->node[i].base == i && !tape->node[i].given_back)
            x = found(tape, i, false, tape->node[i].value, text);
    return x;
}

tl_var tl_tape_find_nonfinite_grad(tl_tape *tape, char text[TL_ERROR_MAX]) {
    tl_var x = tl_inert(tape);
    if (text) text[0] = 0;
    for (int i = tape ? tape->nodes - 1 : -1; i >= 0 && x.index < 0; i--)
        x = found(tape, i, true, tl_node_grad(tape, i), text);
    return x;
}
