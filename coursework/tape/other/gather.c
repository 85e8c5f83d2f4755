/* Task 1 in another style: each node searches its readers and collects its own gradient. */
#include "tape.h"

#include <math.h>

static float add(float a, float b) { return a + b; }
static float sub(float a, float b) { return a - b; }
static float mul(float a, float b) { return a * b; }
static float quotient(float a, float b) { return a / b; }
static float tanh_of(float a, float b) { return (void)b, tanhf(a); }
static float exp_of(float a, float b) { return (void)b, expf(a); }

void tape_forward(const tape_node *node, float *value, long n) {
    static float (*const function[])(float, float) = {
        [TAPE_ADD] = add,      [TAPE_SUB] = sub,      [TAPE_MUL] = mul,
        [TAPE_DIV] = quotient, [TAPE_TANH] = tanh_of, [TAPE_EXP] = exp_of};
    for (long i = 0; i < n; i++) {
        const tape_node *it = node + i;
        value[i] = it->operation == TAPE_NUMBER
                       ? it->number
                       : function[it->operation](value[it->a], it->b < 0 ? 0 : value[it->b]);
    }
}

void tape_slopes(const tape_node *node, const float *value, float *da, float *db, long n) {
    for (long i = 0; i < n; i++, node++) {
        const float y = value[i];
        da[i] = db[i] = 0;
        if (node->operation == TAPE_ADD || node->operation == TAPE_SUB) da[i] = db[i] = 1;
        if (node->operation == TAPE_SUB) db[i] = -db[i];
        if (node->operation == TAPE_MUL) da[i] = value[node->b], db[i] = value[node->a];
        if (node->operation == TAPE_DIV) da[i] = 1 / value[node->b], db[i] = -y * da[i]; /* a/b² = y/b */
        if (node->operation == TAPE_TANH) da[i] = (1 - y) * (1 + y);
        if (node->operation == TAPE_EXP) da[i] = y;
    }
}

void tape_backward(const tape_node *node, const float *da, const float *db, float *grad, long n) {
    for (long i = n - 1; i >= 0; i--) {
        double sum = i == n - 1;
        for (long reader = i + 1; reader < n; reader++) {
            if (node[reader].a == i) sum += (double)grad[reader] * (double)da[reader];
            if (node[reader].b == i) sum += (double)grad[reader] * (double)db[reader];
        }
        grad[i] = (float)sum;
    }
}
