/* From a tape to boxes and arrows.
 *
 * Nodes get their boxes in order of recording, so each comes after the nodes that it reads. A node of a closed
 * scope goes into the scope's newest box, unless that box leads to a box that the node reads: this would be a
 * cycle. Then the scope gets another box, its next part. Parameters come last: they read nothing, so they close no
 * cycle. */
#include "picture.h"

#include "autograd/sinks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t tl_scope_cut(const char *scope, int levels) {
    if (levels >= TL_ALL_SCOPES) return strlen(scope);
    if (levels <= 0) return 0;
    size_t at = 0;
    for (; scope[at]; at++)
        if (scope[at] == '.' && !isdigit((unsigned char)scope[at + 1]) && --levels == 0) break;
    return at;
}

int tl_picture_shown(const tl_picture *p, int node) {
    while (p->box_of[node] == TL_PICTURE_VIEW) node = tl_node_viewed(p->tape, node);
    return node;
}

bool tl_picture_is_parameter(const tl_picture *p, int box) {
    return p->tape->node[p->box[box].node].leaf && !p->box[box].name_bytes;
}

/* ---- memory ---- */

void tl_picture_free(tl_picture *p) {
    free(p->box_of), free(p->box), free(p->arrow), free(p->group), free(p->mark), free(p->stack);
    *p = (tl_picture){0};
}

static bool make_room(tl_picture *p, tl_tape *tape) {
    const size_t nodes = (size_t)tape->nodes + 1, edges = (size_t)tape->edges + 1;
    *p = (tl_picture){.tape = tape,
                      .box_of = malloc(nodes * sizeof *p->box_of),
                      .box = malloc(nodes * sizeof *p->box),
                      .arrow = malloc(edges * sizeof *p->arrow),
                      .group = malloc(nodes * sizeof *p->group),
                      .mark = calloc(nodes, sizeof *p->mark),
                      .stack = malloc(nodes * sizeof *p->stack)};
    if (p->box_of && p->box && p->arrow && p->group && p->mark && p->stack) return true;
    return tl_tape_out_of_memory(tape, "tl_tape_dot",
                                 nodes * (3 * sizeof(int) + sizeof *p->box + sizeof *p->group) +
                                     edges * sizeof *p->arrow);
}

/* ---- arrows while boxes are made ---- */

static void add_arrow(tl_picture *p, int from, int to, int value) {
    p->arrow[p->arrows] = (tl_picture_arrow){from, to, value, 1, p->box[to].in};
    p->box[to].in = p->arrows++;
}

/* Do arrows lead from one box to another? Goes back from the second. */
static bool is_reachable(tl_picture *p, int from, int to) {
    int depth = 0;
    p->marks++;
    p->stack[depth++] = to;
    p->mark[to] = p->marks;
    while (depth) {
        const int at = p->stack[--depth];
        if (at == from) return true;
        for (int a = p->box[at].in; a >= 0; a = p->arrow[a].next) {
            const int before = p->arrow[a].from;
            if (p->mark[before] == p->marks) continue;
            p->mark[before] = p->marks;
            p->stack[depth++] = before;
        }
    }
    return false;
}

static bool has_arrow(const tl_picture *p, int from, int to) {
    for (int a = p->box[to].in; a >= 0; a = p->arrow[a].next)
        if (p->arrow[a].from == from) return true;
    return false;
}

/* ---- boxes of operations, constants and variables ---- */

static int new_box(tl_picture *p, int node, int depth) {
    const char *scope = p->tape->node[node].scope;
    p->box[p->boxes] = (tl_picture_box){.scope = scope,
                                        .frame_bytes = tl_scope_cut(scope, depth),
                                        .node = node,
                                        .in = -1,
                                        .next = -1,
                                        .beside = -1,
                                        .after = -1};
    return p->boxes++;
}

static tl_picture_group *group_of(tl_picture *p, const char *scope, size_t bytes) {
    for (int i = p->groups - 1; i >= 0; i--)
        if (p->group[i].bytes == bytes && !memcmp(p->group[i].scope, scope, bytes)) return &p->group[i];
    p->group[p->groups] = (tl_picture_group){scope, bytes, -1, 0};
    return &p->group[p->groups++];
}

/* The box that an input's value comes from, or -1: there is no input, or a parameter. */
static int box_before(const tl_picture *p, int input) {
    return input < 0 ? -1 : p->box_of[tl_picture_shown(p, input)];
}

static bool would_close_a_cycle(tl_picture *p, int node, int box) {
    const tl_node *n = &p->tape->node[node];
    for (int e = 0; e < n->edges; e++) {
        const int before = box_before(p, p->tape->edge[n->first_edge + e]);
        if (before >= 0 && before != box && !has_arrow(p, before, box) && is_reachable(p, box, before))
            return true;
    }
    return false;
}

static int closed_box(tl_picture *p, int node, int depth) {
    const tl_node *n = &p->tape->node[node];
    tl_picture_group *g = group_of(p, n->scope, tl_scope_cut(n->scope, depth + 1));
    if (g->newest < 0 || would_close_a_cycle(p, node, g->newest)) {
        g->newest = new_box(p, node, depth);
        tl_picture_box *b = &p->box[g->newest];
        b->name_bytes = g->bytes, b->group = (int)(g - p->group), b->part = ++g->parts;
    }
    p->box[g->newest].operations += n->op != NULL;
    p->box[g->newest].inputs += !n->op;
    return g->newest;
}

static bool is_closed(const char *scope, int depth) { return scope[tl_scope_cut(scope, depth)] != 0; }

static void place_nodes(tl_picture *p, int depth) {
    const tl_tape *tape = p->tape;
    for (int i = 0; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        if (n->leaf || p->box_of[i] == TL_PICTURE_VIEW) continue;
        const int box = is_closed(n->scope, depth) ? closed_box(p, i, depth) : new_box(p, i, depth);
        p->box_of[i] = box;
        for (int e = 0; e < n->edges; e++) {
            const int value = tape->edge[n->first_edge + e], before = box_before(p, value);
            if (before >= 0 && before != box) add_arrow(p, before, box, value);
        }
    }
}

/* ---- parameters ---- */

/* Sets p->mark of each node that is read: to 1 + the box that reads it, or to -1 if there are several. */
static void find_readers(tl_picture *p) {
    const tl_tape *tape = p->tape;
    memset(p->mark, 0, (size_t)tape->nodes * sizeof *p->mark);
    for (int i = 0; i < tape->nodes; i++)
        for (int e = 0; e < tape->node[i].edges && p->box_of[i] >= 0; e++) {
            const int input = tape->edge[tape->node[i].first_edge + e];
            if (input < 0) continue;
            int *reader = &p->mark[tl_picture_shown(p, input)];
            *reader = *reader && *reader != p->box_of[i] + 1 ? -1 : p->box_of[i] + 1;
        }
}

/* Is a node's scope that of a closed box, or inside it? */
static bool is_inside(const tl_picture_box *b, const tl_node *n, int depth) {
    return b->name_bytes && tl_scope_cut(n->scope, depth + 1) == b->name_bytes &&
           !memcmp(n->scope, b->scope, b->name_bytes);
}

/* A parameter of a closed scope that a single box of that scope reads is counted there. All others have boxes of their
 * own. */
static void place_parameters(tl_picture *p, int depth) {
    const tl_tape *tape = p->tape;
    find_readers(p);
    const int boxes = p->boxes;
    for (int i = 0; i < tape->nodes; i++) {
        if (!tape->node[i].leaf || p->box_of[i] == TL_PICTURE_VIEW) continue;
        tl_picture_box *reader = p->mark[i] > 0 ? &p->box[p->mark[i] - 1] : NULL;
        if (reader && is_inside(reader, &tape->node[i], depth)) {
            reader->parameters++;
            reader->numbers += tl_numel(tape->node[i].value);
            p->box_of[i] = (int)(reader - p->box);
        } else {
            p->box_of[i] = new_box(p, i, depth);
        }
    }
    for (int i = 0; i < tape->nodes; i++) {
        if (p->box_of[i] < 0 || tape->node[i].leaf) continue;
        for (int e = 0; e < tape->node[i].edges; e++) {
            const int value = tape->edge[tape->node[i].first_edge + e], before = box_before(p, value);
            if (before >= boxes) add_arrow(p, before, p->box_of[i], value);
        }
    }
}

/* ---- arrows when boxes are made ---- */

static int compare_arrows(const void *a, const void *b) {
    const tl_picture_arrow *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static void sort_arrows(tl_picture *p) {
    int kept = 0;
    qsort(p->arrow, (size_t)p->arrows, sizeof *p->arrow, compare_arrows);
    for (int i = 0; i < p->arrows; i++)
        if (kept && !compare_arrows(&p->arrow[kept - 1], &p->arrow[i]))
            p->arrow[kept - 1].times++;
        else
            p->arrow[kept++] = p->arrow[i];
    p->arrows = kept;
}

/* Two parameters, with arrows a … b-1 and b … end-1: have they the same readers? */
static bool same_readers(const tl_picture *p, int a, int b, int end) {
    if (b - a != end - b) return false;
    for (int i = 0; i < end - b; i++)
        if (p->arrow[a + i].to != p->arrow[b + i].to) return false;
    return true;
}

/* Weight and bias of a layer have the same readers: one box for both. */
static void join_parameters(tl_picture *p) {
    for (int i = 0, before = -1, end; i < p->arrows; i = end) {
        for (end = i; end < p->arrows && p->arrow[end].from == p->arrow[i].from;) end++;
        const int at = p->arrow[i].from;
        if (!tl_picture_is_parameter(p, at)) continue;
        p->box[at].out = i;
        if (before >= 0 && same_readers(p, before, i, end)) {
            p->box[p->arrow[before].from].next = at;
            p->box[at].joined = true;
        }
        before = i;
    }
}

static bool same_frame(const tl_picture_box *a, const tl_picture_box *b) {
    return a->frame_bytes == b->frame_bytes && !memcmp(a->scope, b->scope, a->frame_bytes);
}

/* From the last to the first, so that parameters beside a box are in order. */
static void place_beside_readers(tl_picture *p) {
    for (int i = p->arrows - 1; i >= 0; i--) {
        const tl_picture_arrow *a = &p->arrow[i];
        tl_picture_box *from = &p->box[a->from], *to = &p->box[a->to];
        const bool first = !i || p->arrow[i - 1].from != a->from;
        if (!first || !tl_picture_is_parameter(p, a->from) || from->joined || !same_frame(from, to)) continue;
        from->after = to->beside;
        to->beside = a->from;
        from->placed = true;
    }
}

bool tl_picture_make(tl_picture *p, tl_tape *tape, int depth) {
    if (!make_room(p, tape)) return false;
    for (int i = 0; i < tape->nodes; i++) p->box_of[i] = TL_PICTURE_NO_BOX;
    for (int i = 0; i < tape->edges; i++)
        if (tape->edge[i] >= 0 && tl_node_is_view(tape, tape->edge[i]))
            p->box_of[tape->edge[i]] = TL_PICTURE_VIEW;
    place_nodes(p, depth);
    place_parameters(p, depth);
    sort_arrows(p);
    join_parameters(p);
    place_beside_readers(p);
    return true;
}
