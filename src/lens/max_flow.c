/* The largest flow through a network, and attention's layers as one (Abnar & Zuidema 2020, 3).
 *
 * Dinic's algorithm: as long as the sink can be reached, nodes are numbered by their distance from the source (their
 * level), and flow is sent along arcs that lead one level further until there is no such path. Each arc is followed
 * by its reverse, which can take flow back. An augmentation subtracts the path's smallest capacity from that very
 * arc, which becomes exactly 0; so rounding leaves no tiny capacity that would be sent again and again. */
#include "tapeloom/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct network {
    long nodes, arcs;                  /* arcs: two for each edge, 2e and its reverse 2e+1 */
    long *first;                       /* [nodes+1] where a node's arcs begin in `arc` */
    long *arc;                         /* [arcs] by node */
    long *head;                        /* [arcs] where an arc leads */
    double *room;                      /* [arcs] remaining capacity */
    long *level, *next, *queue, *path; /* [nodes]; path [nodes+1] of arcs */
} network;

static void network_free(network *g) {
    free(g->first);
    free(g->room);
}

static bool is_valid(long nodes, const tl_flow_edge *edges, long count, long from, const long *to,
                     long sinks) {
    if (nodes < 1 || count < 0 || sinks < 0 || from < 0 || from >= nodes) return false;
    for (long i = 0; i < sinks; i++)
        if (to[i] < 0 || to[i] >= nodes) return false;
    for (long e = 0; e < count; e++)
        if (edges[e].from < 0 || edges[e].from >= nodes || edges[e].to < 0 || edges[e].to >= nodes ||
            !(edges[e].capacity >= 0))
            return false;
    return true;
}

static bool network_new(network *g, long nodes, const tl_flow_edge *edges, long count) {
    *g = (network){.nodes = nodes, .arcs = 2 * count};
    g->first = calloc((size_t)(5 * nodes + 2 + 2 * g->arcs), sizeof *g->first);
    g->room = malloc((size_t)(g->arcs + 1) * sizeof *g->room);
    if (!g->first || !g->room) return network_free(g), false;
    g->level = g->first + nodes + 1;
    g->next = g->level + nodes;
    g->queue = g->next + nodes;
    g->path = g->queue + nodes;
    g->head = g->path + nodes + 1;
    g->arc = g->head + g->arcs;
    for (long e = 0; e < count; e++) {
        g->head[2 * e] = edges[e].to, g->head[2 * e + 1] = edges[e].from;
        g->first[edges[e].from + 1]++, g->first[edges[e].to + 1]++;
    }
    for (long v = 0; v < nodes; v++) g->first[v + 1] += g->first[v];
    memcpy(g->next, g->first, (size_t)nodes * sizeof *g->next);
    for (long e = 0; e < count; e++) {
        g->arc[g->next[edges[e].from]++] = 2 * e;
        g->arc[g->next[edges[e].to]++] = 2 * e + 1;
    }
    return true;
}

/* Distances from the source along arcs with remaining capacity; -1: not reached. Is the sink reached? */
static bool levels(network *g, long from, long to) {
    for (long v = 0; v < g->nodes; v++) g->level[v] = -1, g->next[v] = g->first[v];
    long read = 0, written = 0;
    g->level[from] = 0;
    for (g->queue[written++] = from; read < written; read++) {
        const long v = g->queue[read];
        for (long i = g->first[v]; i < g->first[v + 1]; i++) {
            const long a = g->arc[i], w = g->head[a];
            if (g->room[a] <= 0 || g->level[w] >= 0) continue;
            g->level[w] = g->level[v] + 1;
            g->queue[written++] = w;
        }
    }
    return g->level[to] >= 0;
}

/* Sends the path's smallest remaining capacity; returns how many arcs from its start still have capacity. */
static long send(network *g, long length, double *flow) {
    double least = g->room[g->path[0]];
    for (long i = 1; i < length; i++) least = fmin(least, g->room[g->path[i]]);
    long open = length;
    for (long i = length - 1; i >= 0; i--) {
        g->room[g->path[i]] -= least;
        g->room[g->path[i] ^ 1] += least;
        if (g->room[g->path[i]] <= 0) open = i;
    }
    *flow += least;
    return open;
}

/* The next arc from v with remaining capacity that leads one level further; -1: none. */
static long next_arc(network *g, long v) {
    for (; g->next[v] < g->first[v + 1]; g->next[v]++) {
        const long a = g->arc[g->next[v]];
        if (g->room[a] > 0 && g->level[g->head[a]] == g->level[v] + 1) return a;
    }
    return -1;
}

/* Sends flow along levels until no path is left. */
static double blocking_flow(network *g, long from, long to) {
    double flow = 0;
    long length = 0;
    for (long v = from;;) {
        if (v == to) {
            length = send(g, length, &flow);
            v = length ? g->head[g->path[length - 1]] : from;
        }
        const long found = next_arc(g, v);
        if (found >= 0) {
            g->path[length++] = found;
            v = g->head[found];
        } else if (length) {
            v = g->head[g->path[--length] ^ 1];
            g->next[v]++;
        } else {
            return flow;
        }
    }
}

bool tl_max_flow(long nodes, const tl_flow_edge *edges, long count, long from, const long *to, long sinks,
                 double *flow) {
    network g;
    if ((count > 0 && !edges) || (sinks > 0 && (!to || !flow))) return false;
    if (!is_valid(nodes, edges, count, from, to, sinks) || !network_new(&g, nodes, edges, count))
        return false;
    for (long i = 0; i < sinks; i++) {
        for (long e = 0; e < count; e++) g.room[2 * e] = edges[e].capacity, g.room[2 * e + 1] = 0;
        flow[i] = to[i] == from ? INFINITY : 0;
        while (to[i] != from && levels(&g, from, to[i])) flow[i] += blocking_flow(&g, from, to[i]);
    }
    network_free(&g);
    return true;
}

/* ---- attention as a network ----
 *
 * Nodes are positions between layers: the encoder's levels 0 (the input) … its layers, S nodes each, and after them
 * the decoder's, T nodes each, one level for each attention of a layer. Edges lead from a position to what it reads. */

typedef struct pipes {
    tl_flow_edge *edge;
    long count;
} pipes;

static void add(pipes *p, long from, long to, double capacity) {
    if (capacity > 0) p->edge[p->count++] = (tl_flow_edge){from, to, capacity};
}

/* The positions at `from` read those at `to` by A [rows,columns], and through their residual connection their own
 * position at `self` (-1: no such connection). Capacities sum to 1. */
static void connect(pipes *p, const double *a, long rows, long columns, long from, long to, long self) {
    for (long i = 0; i < rows; i++) {
        double whole = self >= 0;
        for (long j = 0; j < columns; j++) whole += a[i * columns + j];
        for (long j = 0; j < columns; j++) {
            const double own = self == to && i == j; /* the same edge */
            if (whole > 0) add(p, from + i, to + j, (a[i * columns + j] + own) / whole);
        }
        if (self >= 0 && self != to) add(p, from + i, self + i, 1 / whole);
    }
}

bool tl_attention_max_flow(const tl_flow_layers *l, int depth, long row, double *of_source,
                           double *of_target) {
    if (!l || depth < 0 || row < 0 || row >= tl_flow_rows(l)) return false;
    const long s = l->sources, t = l->targets;
    const bool decodes = l->decoder_layers > 0;
    const int encoder = decodes || !depth || depth > l->encoder_layers ? l->encoder_layers : depth;
    const int decoder = !depth || depth > l->decoder_layers ? l->decoder_layers : depth;
    const long top = encoder * s, words = top + s, nodes = words + (2 * decoder + 1) * t;
    const long edges = encoder * s * s + decoder * (t * t + t * s + t);
    pipes p = {.edge = malloc((size_t)(edges + 1) * sizeof *p.edge)};
    long *to = malloc((size_t)(s + t + 1) * sizeof *to);
    double *flow = malloc((size_t)(s + t + 1) * sizeof *flow);
    bool ok = p.edge && to && flow;
    for (int i = 0; i < encoder && ok; i++) connect(&p, l->encoder_self[i], s, s, (i + 1) * s, i * s, i * s);
    long at = words;
    for (int i = 0; i < decoder && ok; i++) {
        if (l->decoder_self) connect(&p, l->decoder_self[i], t, t, at + t, at, at), at += t;
        if (l->cross) connect(&p, l->cross[i], t, s, at + t, top, l->replaces ? -1 : at), at += t;
    }
    for (long j = 0; j < s + t && ok; j++) to[j] = j < s ? j : words + j - s;
    ok = ok &&
         tl_max_flow(nodes, p.edge, p.count, (decodes ? at : top) + row, to, s + (decodes ? t : 0), flow);
    if (ok && of_source) memcpy(of_source, flow, (size_t)s * sizeof *flow);
    if (ok && of_target && decodes) memcpy(of_target, flow + s, (size_t)t * sizeof *flow);
    free(p.edge);
    free(to);
    free(flow);
    return ok;
}
