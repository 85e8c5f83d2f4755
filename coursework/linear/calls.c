/* What the runner does with a call of task 2, tier 1. */
#include "linear.h"
#include "runner.h"

static void sum_forward(const course_call *c) {
    add_forward(c->a[0], c->a[1], c->a[2], c->a[3], c->n[0], c->n[1], c->n[2]);
}

static void sum_backward(const course_call *c) {
    add_backward(c->a[0], c->a[1], c->a[2], c->a[3], c->n[0], c->n[1], c->n[2]);
}

static void forward(const course_call *c) {
    linear_forward(c->a[0], c->a[1], c->a[2], c->a[3], c->n[0], c->n[1], c->n[2]);
}

static void backward(const course_call *c) {
    linear_backward(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5], c->n[0], c->n[1], c->n[2]);
}

const course_function course_functions[] = {{"add_forward", sum_forward},
                                            {"add_backward", sum_backward},
                                            {"linear_forward", forward},
                                            {"linear_backward", backward},
                                            {0}};
