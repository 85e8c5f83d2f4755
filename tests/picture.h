/* For tests of tl_tape_dot: parses the picture's text and compares it with the tape. */
#ifndef TL_TESTS_PICTURE_H
#define TL_TESTS_PICTURE_H

#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

#include <ctype.h>

enum { PICTURE_FRAME = 200, PICTURE_DEEP = 16 };

typedef struct picture {
    char *text;
    int nodes; /* of the tape */
    /* For each node: the innermost frame around its box ("" for none), whether it has a box, and how many operations
     * the box stands for (1, or more if it is a closed scope). */
    char (*frame)[PICTURE_FRAME];
    bool *drawn;
    int *operations;
    int (*arrow)[2]; /* from, to */
    int arrows;
    int parts; /* boxes with the text "part N of M" */
} picture;

static inline char *picture_text(tl_tape *tape, int depth) {
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    tl_tape_dot(tape, f, depth);
    const long size = ftell(f);
    char *text = calloc(1, (size_t)size + 1);
    rewind(f);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, f), (size_t)size);
    fclose(f);
    return text;
}

/* ---- parsing ---- */

/* A box: "n7 [shape=…". */
static inline void picture_box(picture *p, const char *line, const char *frame) {
    int node, operations = 1;
    must_msg(sscanf(line, "n%d [shape=", &node) == 1 && node >= 0 && node < p->nodes, "not a box: %s", line);
    must_msg(!p->drawn[node], "node %d has two boxes", node);
    must_msg(strstr(line, "label=\"") != NULL, "a box without label: %s", line);
    p->drawn[node] = true;
    snprintf(p->frame[node], PICTURE_FRAME, "%s", frame);
    const char *count = strstr(line, " operations");
    if (count && strstr(line, "peripheries=2")) {
        while (isdigit((unsigned char)count[-1])) count--;
        operations = atoi(count);
        must_msg(operations > 1, "wrong number of operations: %s", line);
    }
    p->operations[node] = strstr(line, "shape=box") ? operations : 0;
    p->parts += strstr(line, "\\npart ") != NULL;
}

static inline void picture_line(picture *p, const char *line, char stack[][PICTURE_FRAME], int *depth) {
    int from, to;
    if (!strncmp(line, "subgraph \"cluster ", 18)) {
        must(*depth + 1 < PICTURE_DEEP);
        char *name = stack[*depth + 1], *outer = stack[*depth];
        snprintf(name, PICTURE_FRAME, "%.*s", (int)strcspn(line + 18, "\""), line + 18);
        ++*depth;
        /* this frame is not a scope */
        if (!strncmp(name, "beside ", 7))
            memmove(name, outer, PICTURE_FRAME);
        else if (*outer)
            must_msg(!strncmp(name, outer, strlen(outer)) && name[strlen(outer)] == '.',
                     "frame %s is inside frame %s", name, outer);
    } else if (!strcmp(line, "}")) {
        --*depth;
    } else if (sscanf(line, "n%d -> n%d [", &from, &to) == 2) {
        must_msg(from >= 0 && from < p->nodes && p->drawn[from] && to >= 0 && to < p->nodes && p->drawn[to],
                 "an arrow from or to a missing box: %s", line);
        p->arrow[p->arrows][0] = from, p->arrow[p->arrows++][1] = to;
    } else if (*line == 'n' && isdigit((unsigned char)line[1])) {
        picture_box(p, line, stack[*depth]);
    }
}

static inline picture picture_of(tl_tape *tape, int depth) {
    picture p = {.text = picture_text(tape, depth), .nodes = tl_tape_stats_of(tape).nodes};
    size_t lines = 1;
    for (const char *c = p.text; *c; c++) lines += *c == '\n';
    const size_t nodes = (size_t)p.nodes;
    p.frame = calloc(nodes, sizeof *p.frame), p.drawn = calloc(nodes, sizeof *p.drawn);
    p.operations = calloc(nodes, sizeof *p.operations), p.arrow = calloc(lines, sizeof *p.arrow);
    char *copy = strdup(p.text), *rest = copy, stack[PICTURE_DEEP][PICTURE_FRAME] = {""};
    int open = 0;
    must(!strncmp(copy, "digraph tape {\n", 15));
    rest += 15;
    while (*rest) {
        char *line = rest, *end = strchr(rest, '\n');
        must(end != NULL);
        *end = 0, rest = end + 1;
        while (*line == ' ') line++;
        must(open >= 0);
        picture_line(&p, line, stack, &open);
    }
    /* The last brace closes the picture itself. */
    must_msg(open == -1, "%d braces are not closed", open + 1);
    free(copy);
    return p;
}

static inline void picture_free(picture *p) {
    free(p->text), free(p->frame), free(p->drawn), free(p->operations), free(p->arrow);
}

/* ---- checks ---- */

/* Removes boxes without incoming arrows, one by one. If boxes remain, there is a cycle. */
static inline void picture_has_no_cycle(const picture *p) {
    int *before = calloc((size_t)p->nodes, sizeof *before), *ready = calloc((size_t)p->nodes, sizeof *ready);
    int boxes = 0, taken = 0, found = 0;
    for (int a = 0; a < p->arrows; a++) before[p->arrow[a][1]]++;
    for (int i = 0; i < p->nodes; i++) {
        boxes += p->drawn[i];
        if (p->drawn[i] && !before[i]) ready[found++] = i;
    }
    for (; taken < found; taken++)
        for (int a = 0; a < p->arrows; a++)
            if (p->arrow[a][0] == ready[taken] && !--before[p->arrow[a][1]]) ready[found++] = p->arrow[a][1];
    must_msg(taken == boxes, "%d of %d boxes are on a cycle or behind one:\n%.2000s", boxes - taken, boxes,
             p->text);
    free(before), free(ready);
}

/* The first levels of a scope's name; "layers.0" is one level. */
static inline void picture_levels(const char *scope, int levels, char name[PICTURE_FRAME]) {
    size_t bytes = 0;
    for (int level = 0; level < levels && scope[bytes]; level++) {
        bytes += scope[bytes] == '.';
        while (scope[bytes] && (scope[bytes] != '.' || isdigit((unsigned char)scope[bytes + 1]))) bytes++;
    }
    snprintf(name, PICTURE_FRAME, "%.*s", (int)bytes, scope);
}

static inline tl_recorded picture_recorded(tl_tape *tape, int node) {
    tl_recorded r;
    must(tl_tape_recorded(tape, node, &r));
    return r;
}

static inline bool picture_has_arrow(const picture *p, int from, int to) {
    for (int a = 0; a < p->arrows; a++)
        if (p->arrow[a][0] == from && p->arrow[a][1] == to) return true;
    return false;
}

/* Every operation has a box, or is counted in its closed scope's box, in the frame of its scope; and every drawn input
 * of a drawn operation has an arrow to it. Views that something reads have no box. */
static inline void picture_has_all(const picture *p, tl_tape *tape, int depth) {
    bool *hidden = calloc((size_t)p->nodes, sizeof *hidden);
    int operations = 0, counted = 0;
    for (int i = 0; i < p->nodes; i++) {
        const tl_recorded r = picture_recorded(tape, i);
        for (int e = 0; e < r.inputs; e++)
            if (r.input[e] >= 0) hidden[r.input[e]] = picture_recorded(tape, r.input[e]).base != r.input[e];
    }
    for (int i = 0; i < p->nodes; i++) {
        const tl_recorded r = picture_recorded(tape, i);
        char frame[PICTURE_FRAME];
        picture_levels(r.scope, depth, frame);
        const bool open = !strcmp(frame, r.scope);
        must_msg(!hidden[i] || !p->drawn[i], "node %d is a view that something reads, and has a box", i);
        operations += r.operation && !hidden[i], counted += p->operations[i];
        if (p->drawn[i])
            must_msg(!strcmp(p->frame[i], frame), "node %d of scope %s is in frame \"%s\"", i, r.scope,
                     p->frame[i]);
        if (!r.operation || hidden[i] || !open) continue;
        must_msg(p->drawn[i], "node %d (%s in scope %s) has no box", i, r.operation, r.scope);
        for (int e = 0; e < r.inputs; e++) {
            int from = r.input[e];
            while (from >= 0 && hidden[from]) from = picture_recorded(tape, from).input[0];
            if (from >= 0 && p->drawn[from])
                must_msg(picture_has_arrow(p, from, i), "no arrow from %d to %d", from, i);
        }
    }
    must_msg(operations == counted, "%d operations of %d are drawn or counted, depth %d", counted, operations,
             depth);
    free(hidden);
}

/* Draws the tape to the given depth and makes all checks. Returns how many boxes are parts of a scope. */
static inline int picture_is_good(tl_tape *tape, int depth) {
    picture p = picture_of(tape, depth);
    picture_has_no_cycle(&p);
    picture_has_all(&p, tape, depth);
    const int parts = p.parts;
    picture_free(&p);
    return parts;
}

#endif
