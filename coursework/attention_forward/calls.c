/* What the runner does with a call of task 5, tier 1. n: B, H, T, S, d, d, causal */
#include "attention_forward.h"
#include "runner.h"

static sizes of(const course_call *c) { return (sizes){c->n[0], c->n[1], c->n[2], c->n[3], c->n[4]}; }

static void split(const course_call *c) { split_heads(c->a[0], c->a[1], c->n[0], c->n[2], c->n[1], c->n[4]); }
static void merge(const course_call *c) { merge_heads(c->a[0], c->a[1], c->n[0], c->n[2], c->n[1], c->n[4]); }
static void scores(const course_call *c) { attention_scores(c->a[0], c->a[1], c->a[2], of(c)); }
static void mask(const course_call *c) { attention_mask(course_ints(c, 0), (int)c->n[6], c->a[1], of(c)); }
static void softmax(const course_call *c) { attention_softmax(c->a[0], c->a[1], c->a[2], of(c)); }
static void mix(const course_call *c) { attention_mix(c->a[0], c->a[1], c->a[2], of(c)); }
static void forward(const course_call *c) {
    attention_forward(c->a[0], c->a[1], c->a[2], course_ints(c, 3), (int)c->n[6], c->a[4], c->a[5], c->a[6],
                      c->a[7], of(c));
}

const course_function course_functions[] = {{"split_heads", split},         {"merge_heads", merge},
                                            {"attention_scores", scores},   {"attention_mask", mask},
                                            {"attention_softmax", softmax}, {"attention_mix", mix},
                                            {"attention_forward", forward}, {0}};
