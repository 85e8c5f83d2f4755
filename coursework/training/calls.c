/* What the runner does with a call of task 8, tier 1. An array that a function changes is passed twice: its values
 * before, to be read, and the array for the result. If a function does nothing, the result keeps the garbage that
 * was there, as in all tasks. */
#include "runner.h"
#include "training.h"

#include <stdlib.h>
#include <string.h>

static size_t bytes(const course_call *c, int i) { return (size_t)c->count[i] * sizeof(float); }

/* Copies array `from` to array `to`, and returns what was there before. */
static float *becomes(const course_call *c, int to, int from) {
    float *garbage = malloc(bytes(c, to) + sizeof *garbage);
    if (!garbage) exit(3);
    memcpy(garbage, c->a[to], bytes(c, to));
    memcpy(c->a[to], c->a[from], bytes(c, from));
    return garbage;
}

static void put_back(const course_call *c, int to, float *garbage, int idle) {
    if (idle) memcpy(c->a[to], garbage, bytes(c, to));
    free(garbage);
}

/* n: count, step; p: rate, beta1, beta2, eps, decay; arrays: p, g, m, v as they are before, then m, v, p */
static void adam(const course_call *c) {
    static const int from[] = {2, 3, 0};
    float *garbage[3];
    int idle = 1;
    for (int i = 0; i < 3; i++) garbage[i] = becomes(c, 4 + i, from[i]);
    adam_step(c->a[6], c->a[1], c->a[4], c->a[5], c->n[0], c->n[1], c->p[0], c->p[1], c->p[2], c->p[3],
              c->p[4]);
    for (int i = 0; i < 3; i++) idle &= memcmp(c->a[4 + i], c->a[from[i]], bytes(c, 4 + i)) == 0;
    for (int i = 0; i < 3; i++) put_back(c, 4 + i, garbage[i], idle);
}

/* n: d_model, warmup, the first step, how many; arrays: their rates */
static void rate(const course_call *c) {
    for (long i = 0; i < c->n[3]; i++) c->a[0][i] = (float)noam_rate(c->n[0], c->n[1], c->n[2] + i);
}

/* p: two limits; arrays: three gradients, two norms, the gradients under the first limit, and under the second */
static void clip(const course_call *c) {
    float *garbage[6];
    int idle = 0; /* the function did nothing */
    for (int i = 0; i < 3; i++)
        for (long k = 0; k < c->count[i]; k++) idle |= c->a[i][k] != 0;
    for (int i = 0; i < 6; i++) garbage[i] = becomes(c, 4 + i, i % 3);
    for (int call = 0; call < 2; call++) {
        c->a[3][call] = (float)clip_gradients(c->a + 4 + 3 * call, c->count, 3, c->p[call]);
        idle &= c->a[3][call] == 0;
    }
    for (int i = 0; i < 6; i++) idle &= memcmp(c->a[4 + i], c->a[i % 3], bytes(c, 4 + i)) == 0;
    for (int i = 0; i < 6; i++) put_back(c, 4 + i, garbage[i], idle);
}

/* n: count, elements */
static void sum(const course_call *c) {
    accumulate(c->a[0], course_ints(c, 1), c->a[2], (int)c->n[0], c->n[1]);
}

const course_function course_functions[] = {
    {"adam_step", adam}, {"noam_rate", rate}, {"clip_gradients", clip}, {"accumulate", sum}, {0}};
