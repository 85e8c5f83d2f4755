/* What the runner does with a call of task 8, tier 1. What a function changes is handed over twice: as it is before, to be read, and as
 * the array that it is to become. */
#include "runner.h"
#include "training.h"

#include <string.h>

static float *becomes(const course_call *c, int to, int from) {
    memcpy(c->a[to], c->a[from], (size_t)c->count[from] * sizeof(float));
    return c->a[to];
}

/* n: count, step; p: rate, beta1, beta2, eps, decay; arrays: p, g, m, v as they are before, then m, v, p */
static void adam(const course_call *c) {
    float *m = becomes(c, 4, 2), *v = becomes(c, 5, 3), *p = becomes(c, 6, 0);
    adam_step(p, c->a[1], m, v, c->n[0], c->n[1], c->p[0], c->p[1], c->p[2], c->p[3], c->p[4]);
}

/* n: d_model, warmup, the first step, how many; arrays: their rates */
static void rate(const course_call *c) {
    for (long i = 0; i < c->n[3]; i++) c->a[0][i] = (float)noam_rate(c->n[0], c->n[1], c->n[2] + i);
}

/* p: two limits; arrays: three gradients, the two norms, the gradients under the first limit, those under the second */
static void clip(const course_call *c) {
    for (int call = 0; call < 2; call++) {
        float *g[3];
        for (int i = 0; i < 3; i++) g[i] = becomes(c, 4 + 3 * call + i, i);
        c->a[3][call] = (float)clip_gradients(g, c->count, 3, c->p[call]);
    }
}

/* n: count, elements */
static void sum(const course_call *c) {
    accumulate(c->a[0], course_ints(c, 1), c->a[2], (int)c->n[0], c->n[1]);
}

const course_function course_functions[] = {
    {"adam_step", adam}, {"noam_rate", rate}, {"clip_gradients", clip}, {"accumulate", sum}, {0}};
