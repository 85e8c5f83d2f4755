/* A tape for Graphviz: operations as boxes, in a frame for each scope (Graphviz calls a frame a cluster). */
#include "dot_text.h"

#include "autograd/look.h"
#include "autograd/sinks.h"

#include <string.h>

enum { MOST_VALUES = 3 };

/* ---- boxes ---- */

static void write_count(FILE *out, int count, const char *what) {
    fprintf(out, "\\n%d %s%s", count, what, count == 1 ? "" : "s");
}

static void draw_closed(const tl_picture *p, FILE *out, const tl_picture_box *b) {
    const size_t skipped = b->frame_bytes + (b->frame_bytes > 0); /* and the dot */
    const int parts = p->group[b->group].parts;
    fprintf(out, "n%d [shape=%s,label=\"", b->node, b->operations ? "box,peripheries=2" : "ellipse");
    tl_dot_part(out, b->scope + skipped, b->name_bytes - skipped);
    if (parts > 1) fprintf(out, "\\npart %d of %d", b->part, parts);
    if (b->operations == 1 && p->tape->node[b->node].op)
        fprintf(out, "\\n%s", tl_node_kind(&p->tape->node[b->node]));
    else if (b->operations)
        write_count(out, b->operations, "operation");
    if (!b->operations && b->inputs == 1)
        fprintf(out, "\\n%s", tl_node_kind(&p->tape->node[b->node]));
    else if (!b->operations)
        write_count(out, b->inputs, "input");
    if (b->parameters) {
        write_count(out, b->parameters, "parameter");
        fprintf(out, ": %ld number%s", b->numbers, b->numbers == 1 ? "" : "s");
    }
    fprintf(out, "\",fillcolor=\"%s\"];\n", b->operations ? "#dce9f7" : "#eeeeee");
}

/* Its name without the part that the frame says already. */
static void write_parameter(tl_tape *tape, FILE *out, const tl_picture_box *b, const char *between) {
    const tl_node *n = &tape->node[b->node];
    char name[TL_NODE_NAME];
    tl_node_name(n, name);
    const size_t frame = b->frame_bytes;
    tl_dot_text(out,
                frame && !strncmp(name, b->scope, frame) && name[frame] == '.' ? name + frame + 1 : name);
    fprintf(out, *name ? " " : "parameter ");
    tl_dot_value(tape, out, b->node);
    tl_dot_gradient(tape, out, b->node, between);
}

/* A line for each; two for one that stands alone. */
static void draw_parameters(const tl_picture *p, FILE *out, const tl_picture_box *b) {
    fprintf(out, "n%d [shape=note,fillcolor=\"#fdf0d5\",label=\"", b->node);
    write_parameter(p->tape, out, b, b->next < 0 ? "\\n" : ", ");
    for (int at = b->next; at >= 0; at = p->box[at].next) {
        fprintf(out, "\\n");
        write_parameter(p->tape, out, &p->box[at], ", ");
    }
    fprintf(out, "\"];\n");
}

static void draw_node(const tl_picture *p, FILE *out, const tl_picture_box *b, bool read) {
    const tl_node *n = &p->tape->node[b->node];
    const char *colour = n->op ? "white" : n->wants_grad ? "#e2f0d9" : "#eeeeee";
    fprintf(out, "n%d [shape=%s,fillcolor=\"%s\",label=\"%s", b->node, n->op ? "box" : "ellipse", colour,
            tl_node_kind(n));
    if (n->label) fprintf(out, "\\n"), tl_dot_text(out, n->label);
    if (!read) { /* else the arrow tells it */
        fprintf(out, "\\n");
        tl_dot_value(p->tape, out, b->node);
        tl_dot_gradient(p->tape, out, b->node, "\\n");
    }
    fprintf(out, "\"];\n");
}

/* Are arrows drawn from it? They are sorted by where they begin. */
static bool is_read(const tl_picture *p, int box) {
    int low = 0, high = p->arrows;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (p->arrow[middle].from < box)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->arrows && p->arrow[low].from == box;
}

static void draw_box(const tl_picture *p, FILE *out, int at) {
    const tl_picture_box *b = &p->box[at];
    if (b->name_bytes)
        draw_closed(p, out, b);
    else if (tl_picture_is_parameter(p, at))
        draw_parameters(p, out, b);
    else
        draw_node(p, out, b, is_read(p, at));
}

/* ---- frames ---- */

static void indent(FILE *out, int level) { fprintf(out, "%*s", 2 * level + 2, ""); }

static void open_frame(FILE *out, const char *scope, size_t outer, size_t bytes, int level) {
    const size_t skipped = outer + (outer > 0);
    indent(out, level);
    fprintf(out, "subgraph \"cluster ");
    tl_dot_part(out, scope, bytes);
    fprintf(out, "\" {\n");
    indent(out, level + 1);
    fprintf(out, "label=\"");
    tl_dot_part(out, scope + skipped, bytes - skipped);
    fprintf(out, "\"; fillcolor=\"%s\";\n", level % 2 ? "#ffffff" : "#f4f4f4");
}

/* A box and the parameters beside it are in an invisible frame, or Graphviz would put other boxes between them. */
static void draw_with_parameters(const tl_picture *p, FILE *out, int box, int level) {
    const bool alone = p->box[box].beside < 0;
    if (!alone) {
        indent(out, level);
        fprintf(out, "subgraph \"cluster beside n%d\" {\n", p->box[box].node);
        indent(out, level + 1);
        fprintf(out, "rank=same; label=\"\"; peripheries=0; style=\"\"; margin=0;\n");
    }
    for (int i = p->box[box].beside; i >= 0; i = p->box[i].after) {
        indent(out, level + 1);
        draw_box(p, out, i);
    }
    indent(out, level + !alone);
    draw_box(p, out, box);
    if (!alone) indent(out, level), fprintf(out, "}\n");
}

/* Draws the boxes in a scope's frame and the frames inside it. The scope's name is the first `bytes` bytes of
 * `scope`, and has `level` levels. p->mark says which boxes are drawn. */
static void draw_inside(const tl_picture *p, FILE *out, const char *scope, size_t bytes, int level) {
    for (int i = 0; i < p->boxes; i++) {
        const tl_picture_box *b = &p->box[i];
        if (p->mark[i] || b->joined || b->placed || b->frame_bytes < bytes || memcmp(b->scope, scope, bytes))
            continue;
        const size_t inner = tl_scope_cut(b->scope, level + 1);
        if (b->frame_bytes == bytes) {
            p->mark[i] = true;
            draw_with_parameters(p, out, i, level);
        } else if (!bytes || b->scope[bytes] == '.') {
            open_frame(out, b->scope, bytes, inner, level);
            draw_inside(p, out, b->scope, inner, level + 1);
            indent(out, level);
            fprintf(out, "}\n");
        }
    }
}

/* ---- arrows ---- */

/* Would the lines of two values be the same? */
static bool looks_same(const tl_picture *p, int x, int y) {
    tl_tape *tape = p->tape;
    if (!tl_shape_equal(tl_shape_of(tape->node[x].value), tl_shape_of(tape->node[y].value))) return false;
    if (tl_numel(tape->node[x].value) == 1 || tl_node_grad(tape, x).data || tl_node_grad(tape, y).data)
        return false;
    if (tape->node[tape->node[x].base].given_back != tape->node[tape->node[y].base].given_back) return false;
    while (p->box_of[x] == TL_PICTURE_VIEW && p->box_of[y] == TL_PICTURE_VIEW) {
        if (tape->node[x].op != tape->node[y].op || tape->node[x].label || tape->node[y].label) return false;
        x = tl_node_viewed(tape, x), y = tl_node_viewed(tape, y);
    }
    return p->box_of[x] != TL_PICTURE_VIEW && p->box_of[y] != TL_PICTURE_VIEW;
}

/* The values of all arrows from one box to another: `first` to `end` - 1. How often a closed scope reads a value,
 * and through which views, is not told. */
static void write_values(const tl_picture *p, FILE *out, int first, int end) {
    const tl_picture_arrow *a = p->arrow;
    const bool closed = p->box[a[first].to].name_bytes != 0;
    int at = first;
    for (int lines = 0, i; at < end && lines < MOST_VALUES; lines++) {
        int times = 0;
        for (i = at; at < end && (at == i || looks_same(p, a[i].value, a[at].value)); at++)
            times += closed ? 1 : a[at].times;
        fprintf(out, i > first ? "\\n " : " ");
        if (times > 1) fprintf(out, "%d × ", times);
        if (!closed) tl_dot_views(p, out, a[i].value);
        tl_dot_value(p->tape, out, a[i].value);
        tl_dot_gradient(p->tape, out, a[i].value, " \\n ");
        fprintf(out, " ");
    }
    if (at < end) fprintf(out, "\\n and more ");
}

static bool wants_grad(const tl_picture *p, int first, int end) {
    for (int i = first; i < end; i++)
        if (p->tape->node[p->arrow[i].value].wants_grad) return true;
    return false;
}

/* The views through which parameters of one box are read, and what is read more than once. The box tells the rest. */
static void write_parameter_views(const tl_picture *p, FILE *out, int first, int end) {
    const int offset = first - p->box[p->arrow[first].from].out;
    const char *before = ",label=\" ";
    for (int at = p->arrow[first].from; at >= 0; at = p->box[at].next)
        for (int i = p->box[at].out + offset; i < p->box[at].out + offset + end - first; i++) {
            const tl_picture_arrow *a = &p->arrow[i];
            const bool view = a->value != p->box[at].node;
            if (!view && a->times == 1) continue;
            fprintf(out, "%s", before);
            before = "\\n ";
            if (a->times > 1) fprintf(out, view ? "%d × " : "%d times ", a->times);
            if (view) tl_dot_views(p, out, a->value), tl_dot_value(p->tape, out, a->value), fprintf(out, " ");
        }
    if (*before == '\\') fprintf(out, "\"");
}

static void draw_arrow(const tl_picture *p, FILE *out, int first, int end) {
    const tl_picture_arrow *a = &p->arrow[first];
    const bool parameter = tl_picture_is_parameter(p, a->from), closed = p->box[a->to].name_bytes != 0;
    fprintf(out, "  n%d -> n%d [", p->box[a->from].node, p->box[a->to].node);
    fprintf(out, parameter ? "color=\"#b08a3c\"" : "color=\"#333333\"");
    if (!wants_grad(p, first, end)) fprintf(out, ",style=dashed");
    if (parameter && !closed) write_parameter_views(p, out, first, end);
    if (!parameter) {
        fprintf(out, ",label=\"");
        write_values(p, out, first, end);
        fprintf(out, "\"");
    }
    fprintf(out, "];\n");
}

static void draw_arrows(const tl_picture *p, FILE *out) {
    for (int i = 0, end; i < p->arrows; i = end) {
        const tl_picture_arrow *a = &p->arrow[i];
        for (end = i; end < p->arrows && p->arrow[end].from == a->from && p->arrow[end].to == a->to;) end++;
        if (!p->box[a->from].joined) draw_arrow(p, out, i, end);
    }
    /* Parameters in another frame than their first readers have at least the same height. */
    for (int i = 0; i < p->arrows; i++) {
        const int from = p->arrow[i].from;
        const bool first = !i || p->arrow[i - 1].from != from;
        if (!first || !tl_picture_is_parameter(p, from) || p->box[from].joined || p->box[from].placed)
            continue;
        fprintf(out, "  {rank=same; n%d; n%d}\n", p->box[from].node, p->box[p->arrow[i].to].node);
    }
}

/* ---- the picture ---- */

static const char head[] =
    "digraph tape {\n"
    "  newrank=true; fontname=\"sans-serif\"; fontsize=11; nodesep=0.25; ranksep=0.35;\n"
    "  style=\"rounded,filled\"; color=\"#aaaaaa\"; labeljust=l;\n"
    "  node [fontname=\"sans-serif\",fontsize=10,style=filled,height=0.3];\n"
    "  edge [fontname=\"sans-serif\",fontsize=8,fontcolor=\"#444444\",arrowsize=0.6];\n";

void tl_tape_dot(tl_tape *tape, FILE *out, int depth) {
    if (!tape || !out) return;
    tl_picture p;
    if (tl_picture_make(&p, tape, depth < 0 ? 0 : depth)) {
        memset(p.mark, 0, (size_t)p.boxes * sizeof *p.mark);
        fprintf(out, "%s", head);
        draw_inside(&p, out, "", 0, 0);
        draw_arrows(&p, out);
        fprintf(out, "}\n");
    }
    tl_picture_free(&p);
}
