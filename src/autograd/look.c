/* Looking at a tape: the table, the drawing, the first value that is not finite. Looking changes nothing. */
#include "tape.h"
#include "base/format.h"
#include "tensor/inspect.h"

#include <math.h>
#include <string.h>

static const char *kind(const tl_node *n) {
    return n->op ? n->op->name : n->leaf ? "parameter" : n->wants_grad || n->kept ? "variable" : "constant";
}

static void full_name(const tl_node *n, char *text, size_t size) {
    const char *label = n->label ? n->label : n->leaf ? n->leaf->name : "";
    if (n->leaf && !n->label)
        snprintf(text, size, "%s", label); /* a parameter's name is a full one */
    else
        snprintf(text, size, "%s%s%s", n->scope, *n->scope && *label ? "." : "", label);
}

static void inputs_text(const tl_tape *tape, const tl_node *n, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < n->edges && used < size; i++) {
        int from = tape->edge[n->first_edge + i];
        if (from >= 0) used += (size_t)snprintf(text + used, size - used, "%s%d", used ? " " : "", from);
    }
}

static void gradient_text(tl_tape *tape, int at, char *text, size_t size) {
    const tl_node *n = &tape->node[at], *base = &tape->node[n->base];
    tl_tensor g = tl_node_grad(tape, at);
    if (g.data)
        tl_format(text, size, "%.6g", tl_tensor_norm(g));
    else if (base->recycled)
        snprintf(text, size, "recycled");
    else if (n->base != at && base->grad_set && !n->kept)
        snprintf(text, size, "not kept");
    else if (!n->wants_grad)
        snprintf(text, size, "none wanted");
    else
        snprintf(text, size, "not computed");
}

void tl_tape_print(tl_tape *tape, FILE *out) {
    if (!tape || !out) return;
    fprintf(out, "%5s  %-20s %-44s %-18s %10s  %-14s %s\n", "id", "operation", "name", "shape", "bytes",
            "inputs", "gradient norm");
    for (int i = 0; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        char name[160], shape[TL_SHAPE_TEXT], inputs[64], gradient[32], bytes[32];
        full_name(n, name, sizeof name);
        inputs_text(tape, n, inputs, sizeof inputs);
        gradient_text(tape, i, gradient, sizeof gradient);
        if (n->base != i)
            snprintf(bytes, sizeof bytes, "view");
        else
            snprintf(bytes, sizeof bytes, "%zu", (size_t)tl_numel(n->value) * sizeof(tl_real));
        fprintf(out, "%5d  %-20s %-44s %-18s %10s  %-14s %s\n", i, kind(n), name,
                tl_shape_text(tl_shape_of(n->value), shape), bytes, inputs, gradient);
    }
}

/* ---- Graphviz ---- */

static void quoted(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
}

/* A node's scope as an id; without one it stands alone. Parameters stand in the scope that their name begins with,
 * that is, where they are used first. */
static const char *box_of(const tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    if (*n->scope || n->op) return n->scope;
    for (int i = at + 1; i < tape->nodes; i++)
        for (int e = 0; e < tape->node[i].edges; e++)
            if (tape->edge[tape->node[i].first_edge + e] == at) return tape->node[i].scope;
    return "";
}

static void draw_nodes(tl_tape *tape, FILE *out) {
    for (int i = 0; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        char name[160], shape[TL_SHAPE_TEXT];
        full_name(n, name, sizeof name);
        fprintf(out, "  n%d [shape=%s,label=\"%s\\n", i, n->op ? "box" : "ellipse", kind(n));
        if (*name) quoted(out, name), fprintf(out, "\\n");
        fprintf(out, "%s\"%s];\n", tl_shape_text(tl_shape_of(n->value), shape),
                n->base != i ? ",style=dashed" : "");
    }
    for (int i = 0; i < tape->nodes; i++)
        for (int e = 0; e < tape->node[i].edges; e++) {
            int from = tape->edge[tape->node[i].first_edge + e];
            if (from >= 0) fprintf(out, "  n%d -> n%d;\n", from, i);
        }
}

/* Has this scope (as box) been seen on a node before `at`? */
static bool seen(const tl_tape *tape, const char *box, int at) {
    for (int i = 0; i < at; i++)
        if (box_of(tape, i) == box || !strcmp(box_of(tape, i), box)) return true;
    return false;
}

static bool edge_drawn(const tl_tape *tape, const char *from, const char *to, int before) {
    for (int i = 0; i < before; i++) {
        if (strcmp(box_of(tape, i), to)) continue;
        for (int e = 0; e < tape->node[i].edges; e++) {
            int source = tape->edge[tape->node[i].first_edge + e];
            if (source >= 0 && !strcmp(box_of(tape, source), from)) return true;
        }
    }
    return false;
}

static void draw_boxes(tl_tape *tape, FILE *out) {
    for (int i = 0; i < tape->nodes; i++) {
        const char *box = box_of(tape, i);
        if (seen(tape, box, i)) continue;
        int inside = 0;
        for (int j = i; j < tape->nodes; j++) inside += tape->node[j].op && !strcmp(box_of(tape, j), box);
        fprintf(out, "  \"");
        quoted(out, box);
        fprintf(out, "\" [shape=box,label=\"");
        quoted(out, *box ? box : "(no scope)");
        fprintf(out, "\\n%d operation%s\"];\n", inside, inside == 1 ? "" : "s");
    }
    for (int i = 0; i < tape->nodes; i++)
        for (int e = 0; e < tape->node[i].edges; e++) {
            int source = tape->edge[tape->node[i].first_edge + e];
            if (source < 0) continue;
            const char *from = box_of(tape, source), *to = box_of(tape, i);
            if (!strcmp(from, to) || edge_drawn(tape, from, to, i)) continue;
            fprintf(out, "  \"");
            quoted(out, from);
            fprintf(out, "\" -> \"");
            quoted(out, to);
            fprintf(out, "\";\n");
        }
}

void tl_tape_dot(tl_tape *tape, FILE *out, bool collapse) {
    if (!tape || !out) return;
    fprintf(out, "digraph tape {\n  rankdir=BT;\n  node [fontname=\"sans-serif\",fontsize=10];\n");
    if (collapse)
        draw_boxes(tape, out);
    else
        draw_nodes(tape, out);
    fprintf(out, "}\n");
}

/* ---- the first value that is not finite ---- */

/* Row-major number of the first non-finite element, or -1. */
static long first_nonfinite(tl_tensor t, double *what) {
    const long at = tl_tensor_nonfinite(t);
    if (at >= 0) *what = tl_tensor_element(t, at);
    return at;
}

static tl_var found(tl_tape *tape, int at, bool gradient, long element, double what,
                    char text[TL_ERROR_MAX]) {
    const tl_node *n = &tape->node[at];
    char name[160], shape[TL_SHAPE_TEXT], inputs[64];
    full_name(n, name, sizeof name);
    inputs_text(tape, n, inputs, sizeof inputs);
    if (text)
        tl_format(text, TL_ERROR_MAX, "%snode %d, %s%s%s%s, %s: element %ld is %s (inputs: %s)",
                  gradient ? "gradient of " : "", at, kind(n), *name ? " (" : "", name, *name ? ")" : "",
                  tl_shape_text(tl_shape_of(n->value), shape), element,
                  isnan(what) ? "nan" /* NaN's sign says nothing, and differs from machine to machine */
                  : what > 0  ? "inf"
                              : "-inf",
                  *inputs ? inputs : "none");
    return (tl_var){tape, at, n->epoch};
}

tl_var tl_tape_find_nonfinite(tl_tape *tape, char text[TL_ERROR_MAX]) {
    if (text) text[0] = 0;
    for (int i = 0; tape && i < tape->nodes; i++) {
        double what;
        long element = tape->node[i].base == i ? first_nonfinite(tape->node[i].value, &what) : -1;
        if (element >= 0) return found(tape, i, false, element, what, text);
    }
    return (tl_var){tape, -1, 0};
}

tl_var tl_tape_find_nonfinite_grad(tl_tape *tape, char text[TL_ERROR_MAX]) {
    if (text) text[0] = 0;
    for (int i = tape ? tape->nodes - 1 : -1; i >= 0; i--) {
        tl_tensor g = tl_node_grad(tape, i);
        double what;
        long element = g.data ? first_nonfinite(g, &what) : -1;
        if (element >= 0) return found(tape, i, true, element, what, text);
    }
    return (tl_var){tape, -1, 0};
}
