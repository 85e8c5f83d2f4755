/* Task 1, tier 1: a tape of scalars, forward and backward.
 *
 * Node i of the tape computes one number from at most two nodes before it. The last node is the result, L. Arrays
 * have one element a node: value[i], da[i], db[i] and grad[i] belong to node[i]. */
#ifndef TAPE_H
#define TAPE_H

typedef enum tape_operation {
    TAPE_NUMBER, /* a number that is given: reads nothing */
    TAPE_ADD,    /* a + b */
    TAPE_SUB,    /* a - b */
    TAPE_MUL,    /* a · b */
    TAPE_DIV,    /* a / b */
    TAPE_TANH,   /* tanh a */
    TAPE_EXP     /* e^a */
} tape_operation;

typedef struct tape_node {
    tape_operation operation;
    long a, b;    /* the nodes it reads, both before it, perhaps the same one; -1: none */
    float number; /* TAPE_NUMBER: its value */
} tape_node;

/* value[i] = what node i computes.     node, value [n]; n may be 0 */
void tape_forward(const tape_node *node, float *value, long n);

/* da[i] = the derivative of node i's value by its input a, db[i] by its input b; 0 if it has no such input. All
 * arrays [n]. */
void tape_slopes(const tape_node *node, const float *value, float *da, float *db, long n);

/* grad[i] = the derivative of L by the value of node i. da and db as tape_slopes made them; the former contents of
 * grad mean nothing. All arrays [n]. */
void tape_backward(const tape_node *node, const float *da, const float *db, float *grad, long n);

#endif
