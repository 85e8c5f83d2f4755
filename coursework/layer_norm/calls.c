/* What the runner does with a call of task 4, tier 1. */
#include "layer_norm.h"
#include "runner.h"

/* p: eps */
static void forward(const course_call *c) {
    layer_norm_forward(c->a[0], c->a[1], c->a[2], (float)c->p[0], c->a[3], c->a[4], c->a[5], c->n[0],
                       c->n[1]);
}

static void backward(const course_call *c) {
    layer_norm_backward(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5], c->a[6], c->a[7], c->n[0],
                        c->n[1]);
}

const course_function course_functions[] = {
    {"layer_norm_forward", forward}, {"layer_norm_backward", backward}, {0}};
