/* What the runner does with a call of task 1, tier 1. A node is sent as a row of four numbers: operation, a, b,
 * number. */
#include "runner.h"
#include "tape.h"

#include <stdlib.h>

static tape_node *nodes_of(const course_call *c) {
    const long n = c->n[0];
    tape_node *node = malloc((size_t)n * sizeof *node + 1);
    if (!node) exit(4);
    for (long i = 0; i < n; i++) {
        const float *row = c->a[0] + 4 * i;
        node[i] = (tape_node){(tape_operation)row[0], (long)row[1], (long)row[2], row[3]};
    }
    return node;
}

/* Sends the nodes back, so that a function that writes to them is found out. */
static void give_back(const course_call *c, tape_node *node) {
    for (long i = 0; i < c->n[0]; i++) {
        float *row = c->a[0] + 4 * i;
        row[0] = (float)node[i].operation, row[1] = (float)node[i].a, row[2] = (float)node[i].b;
        row[3] = node[i].number;
    }
    free(node);
}

static void forward(const course_call *c) {
    tape_node *node = nodes_of(c);
    tape_forward(node, c->a[1], c->n[0]);
    give_back(c, node);
}

static void slopes(const course_call *c) {
    tape_node *node = nodes_of(c);
    tape_slopes(node, c->a[1], c->a[2], c->a[3], c->n[0]);
    give_back(c, node);
}

static void backward(const course_call *c) {
    tape_node *node = nodes_of(c);
    tape_backward(node, c->a[1], c->a[2], c->a[3], c->n[0]);
    give_back(c, node);
}

const course_function course_functions[] = {
    {"tape_forward", forward}, {"tape_slopes", slopes}, {"tape_backward", backward}, {0}};
