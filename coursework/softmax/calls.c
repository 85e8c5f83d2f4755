/* What the runner does with a call of task 3, tier 1. */
#include "runner.h"
#include "softmax.h"

static void forward(const course_call *c) { softmax_forward(c->a[0], c->a[1], c->n[0], c->n[1]); }

static void backward(const course_call *c) { softmax_backward(c->a[0], c->a[1], c->a[2], c->n[0], c->n[1]); }

static void masked_forward(const course_call *c) {
    masked_softmax_forward(c->a[0], course_ints(c, 1), c->a[2], c->n[0], c->n[1]);
}

static void masked_backward(const course_call *c) {
    masked_softmax_backward(c->a[0], course_ints(c, 1), c->a[2], c->a[3], c->n[0], c->n[1]);
}

/* p: smoothing, dloss */
static void loss_forward(const course_call *c) {
    *c->a[2] = cross_entropy_forward(c->a[0], course_ints(c, 1), c->n[0], c->n[1], (float)c->p[0]);
}

static void loss_backward(const course_call *c) {
    cross_entropy_backward(c->a[0], course_ints(c, 1), c->n[0], c->n[1], (float)c->p[0], (float)c->p[1],
                           c->a[2]);
}

const course_function course_functions[] = {{"softmax_forward", forward},
                                            {"softmax_backward", backward},
                                            {"masked_softmax_forward", masked_forward},
                                            {"masked_softmax_backward", masked_backward},
                                            {"cross_entropy_forward", loss_forward},
                                            {"cross_entropy_backward", loss_backward},
                                            {0}};
