/* Task 1, tier 1: see tape.h for what each function is given, and the handout for the mathematics. */
#include "tape.h"

#include <math.h>

void tape_forward(const tape_node *node, float *value, long n) {
    /* value[i] = number,  or  va + vb,  va - vb,  va · vb,  va / vb,  tanh va,  e^va
     * with va = value[a], vb = value[b], a and b being node i's inputs */
    /* >>> */
    for (long i = 0; i < n; i++) {
        const float va = node[i].a >= 0 ? value[node[i].a] : 0, vb = node[i].b >= 0 ? value[node[i].b] : 0;
        switch (node[i].operation) {
        case TAPE_NUMBER:
            value[i] = node[i].number;
            break;
        case TAPE_ADD:
            value[i] = va + vb;
            break;
        case TAPE_SUB:
            value[i] = va - vb;
            break;
        case TAPE_MUL:
            value[i] = va * vb;
            break;
        case TAPE_DIV:
            value[i] = va / vb;
            break;
        case TAPE_TANH:
            value[i] = tanhf(va);
            break;
        case TAPE_EXP:
            value[i] = expf(va);
            break;
        }
    }
    /* <<< */
}

void tape_slopes(const tape_node *node, const float *value, float *da, float *db, long n) {
    /* y = a + b: 1, 1      y = a - b: 1, -1      y = a · b: b, a      y = a / b: 1/b, -a/b²
     * y = tanh a: 1 - y²   y = e^a: y            a number: no slopes */
    /* >>> */
    for (long i = 0; i < n; i++) {
        const float va = node[i].a >= 0 ? value[node[i].a] : 0, vb = node[i].b >= 0 ? value[node[i].b] : 0;
        da[i] = db[i] = 0;
        switch (node[i].operation) {
        case TAPE_NUMBER:
            break;
        case TAPE_ADD:
            da[i] = 1, db[i] = 1;
            break;
        case TAPE_SUB:
            da[i] = 1, db[i] = -1;
            break;
        case TAPE_MUL:
            da[i] = vb, db[i] = va;
            break;
        case TAPE_DIV:
            da[i] = 1 / vb, db[i] = -va / (vb * vb);
            break;
        case TAPE_TANH:
            da[i] = 1 - value[i] * value[i];
            break;
        case TAPE_EXP:
            da[i] = value[i];
            break;
        }
    }
    /* <<< */
}

void tape_backward(const tape_node *node, const float *da, const float *db, float *grad, long n) {
    /* grad[last] = 1;   then, from the last node to the first:
     * grad[a] += grad[i] · da[i],   grad[b] += grad[i] · db[i] */
    /* >>> */
    for (long i = 0; i < n; i++) grad[i] = i == n - 1;
    for (long i = n - 1; i >= 0; i--) {
        if (node[i].a >= 0) grad[node[i].a] += grad[i] * da[i];
        if (node[i].b >= 0) grad[node[i].b] += grad[i] * db[i];
    }
    /* <<< */
}
