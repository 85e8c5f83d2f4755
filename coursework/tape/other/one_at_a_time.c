/* Task 1, slow on purpose: values are swept until they no longer change, slopes of tanh are made from e^x, and a
 * gradient is found by moving one node's value and computing the change of L, with one forward for each node. */
#include "tape.h"

#include <math.h>
#include <stdlib.h>

static double result_of(tape_operation operation, double a, double b) {
    switch (operation) {
    case TAPE_ADD:
        return a + b;
    case TAPE_SUB:
        return a + -b;
    case TAPE_MUL:
        return a * b;
    case TAPE_DIV:
        return a * (1 / b);
    case TAPE_TANH:
        return a > 0 ? 1 - 2 / (exp(2 * a) + 1) : 2 / (exp(-2 * a) + 1) - 1;
    default:
        return exp(a);
    }
}

void tape_forward(const tape_node *node, float *value, long n) {
    for (long i = 0; i < n; i++) value[i] = node[i].number;
    for (long sweep = 0; sweep < n; sweep++) /* from the end: each sweep makes at least one more node right */
        for (long i = n - 1; i >= 0; i--) {
            if (node[i].operation == TAPE_NUMBER) continue;
            const float b = node[i].b >= 0 ? value[node[i].b] : 1;
            value[i] = (float)result_of(node[i].operation, (double)value[node[i].a], (double)b);
        }
}

void tape_slopes(const tape_node *node, const float *value, float *da, float *db, long n) {
    for (long i = n; i-- > 0;) {
        const tape_operation is = node[i].operation;
        const float a = node[i].a >= 0 ? value[node[i].a] : 0, b = node[i].b >= 0 ? value[node[i].b] : 0;
        const float cosh_a = is == TAPE_TANH ? coshf(a) : 1;
        da[i] = is == TAPE_NUMBER ? 0
                : is == TAPE_MUL  ? b
                : is == TAPE_DIV  ? 1 / b
                : is == TAPE_TANH ? 1 / (cosh_a * cosh_a)
                : is == TAPE_EXP  ? expf(a)
                                  : 1;
        db[i] = is == TAPE_ADD   ? 1
                : is == TAPE_SUB ? -1
                : is == TAPE_MUL ? a
                : is == TAPE_DIV ? -a / b / b
                                 : 0;
    }
}

void tape_backward(const tape_node *node, const float *da, const float *db, float *grad, long n) {
    double *moved = malloc(((size_t)n + 1) * sizeof *moved);
    if (!moved) return;
    for (long which = 0; which < n; which++) {
        for (long i = 0; i < n; i++) {
            moved[i] = i == which;
            if (node[i].a >= 0) moved[i] += moved[node[i].a] * (double)da[i];
            if (node[i].b >= 0) moved[i] += moved[node[i].b] * (double)db[i];
        }
        grad[which] = (float)moved[n - 1];
    }
    free(moved);
}
