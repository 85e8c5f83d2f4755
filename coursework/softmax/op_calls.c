/* What the runner does with a call of task 3, tier 2. */
#include "op_calls.h"

#include <stdio.h>
#include <stdlib.h>

/* n: the three sizes, the axis */
static void softmax(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    tl_var x = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1], c->n[2]));
    course_finish(tape, c, tl_softmax(x, (int)c->n[3]), &x, 1);
    tl_tape_free(tape);
}

/* n: B, H, T, S, causal; arrays after dx: key_lengths [B], attend [B,T,S]. The operation must copy both: they are
 * overwritten before backward. */
static void masked_softmax(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    tl_var x = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1], c->n[2], c->n[3]));
    uint8_t *attend = calloc((size_t)c->count[5] + 1, 1);
    int *lengths = calloc((size_t)c->count[4] + 1, sizeof *lengths);
    if (!attend || !lengths) exit(4);
    for (long k = 0; k < c->count[5]; k++) attend[k] = c->a[5][k] != 0 ? TL_ATTEND : TL_BLOCK;
    for (long b = 0; b < c->n[0]; b++) lengths[b] = (int)c->a[4][b];
    tl_var y = tl_masked_softmax(x, &(tl_mask){.key_lengths = lengths,
                                               .attend = attend,
                                               .attend_dim = {c->n[0], 1, c->n[2], c->n[3]},
                                               .causal = c->n[4] != 0});
    for (long k = 0; k < c->count[5]; k++) attend[k] ^= 1;
    for (long b = 0; b < c->n[0]; b++) lengths[b] = 0;
    course_finish(tape, c, y, &x, 1);
    free(attend);
    free(lengths);
    tl_tape_free(tape);
}

static tl_loss_options options_of(const course_call *c) {
    return (tl_loss_options){
        .label_smoothing = c->p[0], .divisor = c->p[1], .ignore = c->n[4] != 0, .ignore_id = (int)c->n[3]};
}

/* n: B, T, V, ignore_id, ignore; p: label_smoothing, divisor. The targets, in array `which`, are also overwritten
 * before backward. */
static tl_var loss_of(const course_call *c, tl_var x, int which, tl_loss_report *report) {
    int *targets = malloc((size_t)(c->count[which] + 1) * sizeof *targets);
    if (!targets) exit(4);
    for (long i = 0; i < c->count[which]; i++) targets[i] = (int)c->a[which][i];
    tl_loss_options options = options_of(c);
    tl_var y = tl_cross_entropy(x, targets, &options, report);
    for (long i = 0; i < c->count[which]; i++) targets[i] = 0;
    free(targets);
    return y;
}

static void cross_entropy(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    tl_var x = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1], c->n[2]));
    course_finish(tape, c, loss_of(c, x, 4, NULL), &x, 1);
    tl_tape_free(tape);
}

static void report(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    tl_var x = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1], c->n[2]));
    tl_loss_report said = {-1, -1, -1};
    if (!tl_ok(loss_of(c, x, 1, &said))) {
        fprintf(stderr, "%s\n", tl_tape_error(tape));
        exit(4);
    }
    c->a[2][0] = (float)said.count;
    c->a[2][1] = (float)said.correct;
    c->a[2][2] = (float)said.nll;
    tl_tape_free(tape);
}

const course_function course_functions[] = {{"tl_softmax", softmax},
                                            {"tl_masked_softmax", masked_softmax},
                                            {"tl_cross_entropy", cross_entropy},
                                            {"tl_cross_entropy_report", report},
                                            {0}};
