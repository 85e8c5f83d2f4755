/* What the runner does with a call of task 3, tier 1. */
#include "runner.h"
#include "softmax.h"

static void forward(const course_call *c) { softmax_forward(c->a[0], c->a[1], c->n[0], c->n[1]); }

static void backward(const course_call *c) { softmax_backward(c->a[0], c->a[1], c->a[2], c->n[0], c->n[1]); }

const course_function course_functions[] = {
    {"softmax_forward", forward}, {"softmax_backward", backward}, {0}};
