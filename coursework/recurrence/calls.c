/* What the runner does with a call of task 7, tier 1. */
#include "recurrence.h"
#include "runner.h"

/* n: batch, hidden */
static void step_forward(const course_call *c) {
    gru_step_forward(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->n[0], c->n[1]);
}

static void step_backward(const course_call *c) {
    gru_step_backward(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5], c->a[6], c->n[0], c->n[1]);
}

/* n: queries, keys, width, units */
static void score_forward(const course_call *c) {
    additive_score_forward(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5], c->a[6], c->n[0], c->n[1],
                           c->n[2], c->n[3]);
}

static void score_backward(const course_call *c) {
    additive_score_backward(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5], c->a[6], c->a[7], c->a[8],
                            c->a[9], c->a[10], c->a[11], c->n[0], c->n[1], c->n[2], c->n[3]);
}

const course_function course_functions[] = {{"gru_step_forward", step_forward},
                                            {"gru_step_backward", step_backward},
                                            {"additive_score_forward", score_forward},
                                            {"additive_score_backward", score_backward},
                                            {0}};
