/* What the runner does with a call of task 5, tier 2.
 * n: B, H, T, S, d, e, causal, window (0: none), is there a bias, an array of the mask, the step of training (0: none)
 * p: scale, dropout */
#include "attention.h"
#include "op_calls.h"

#include <stdio.h>
#include <stdlib.h>

/* Stands in for task 6's function: keeps what it was given. */
static const attention_saved *left;
void attention_backward(tl_back *b) { left = b->saved; }

static void need(tl_tape *tape, bool ok) {
    if (ok && !tl_tape_error(tape)) return;
    fprintf(stderr, "%s\n", tl_tape_error(tape) ? tl_tape_error(tape) : "the tape has failed");
    exit(4);
}

static tl_tape *tape_of(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    if (!tape) exit(4);
    tl_tape_set_training(tape, c->n[10]);
    return tape;
}

/* bias, attend: number of the array; -1: none */
static tl_var attend(tl_tape *tape, const course_call *c, int bias, int attend) {
    const long B = c->n[0], H = c->n[1], T = c->n[2], S = c->n[3], d = c->n[4], e = c->n[5];
    uint8_t *seen = NULL;
    if (attend >= 0 && c->n[9]) {
        seen = tl_tape_memory(tape, (size_t)c->count[attend] + 1);
        need(tape, seen != NULL);
        for (long k = 0; k < c->count[attend]; k++) seen[k] = c->a[attend][k] > 0 ? TL_ATTEND : TL_BLOCK;
    }
    const tl_mask mask = {.key_lengths = course_ints(c, 3),
                          .causal = c->n[6],
                          .window = c->n[7],
                          .attend = seen,
                          .attend_dim = {1, H, T, S}};
    const tl_var q = course_input(tape, c, 0, TL_SHAPE(B, H, T, d));
    const bool once = c->flags & COURSE_SHARED;
    const tl_var k = once ? q : course_input(tape, c, 1, TL_SHAPE(B, H, S, d));
    const tl_var v = once ? q : course_input(tape, c, 2, TL_SHAPE(B, H, S, e));
    const tl_var added =
        bias >= 0 && c->n[8] ? tl_constant(tape, tl_tensor_of(c->a[bias], TL_SHAPE(1, H, T, S))) : TL_NO_VAR;
    return tl_scaled_dot_product_attention(q, k, v, added, &mask, c->p[1], c->p[0]);
}

static void copy_out(tl_tape *tape, float *to, tl_var y) {
    need(tape, tl_ok(y));
    const tl_tensor made = tl_value(y);
    need(tape, tl_tensor_copy(tl_tensor_of(to, tl_shape_of(made)), made));
}

static void forward(const course_call *c) {
    tl_tape *tape = tape_of(c);
    copy_out(tape, c->a[6], attend(tape, c, 4, 5));
    tl_tape_free(tape);
}

/* What tl_dropout makes of ones at this position of this step: [B,H,T,S]. */
static void draw(const course_call *c, float *kept) {
    tl_tape *tape = tape_of(c);
    tl_tensor ones = tl_tape_tensor(tape, TL_SHAPE(c->n[0], c->n[1], c->n[2], c->n[3]));
    need(tape, ones.data != NULL);
    tl_tensor_fill(ones, 1);
    copy_out(tape, kept, tl_dropout(tl_constant(tape, ones), c->p[1]));
    tl_tape_free(tape);
}

/* Returns what is saved for backward, and y without dropout: a weight that was kept is divided by its factor, for a
 * dropped one its probability is put back. */
static void saved(const course_call *c) {
    const long B = c->n[0], H = c->n[1], T = c->n[2], S = c->n[3];
    tl_tape *tape = tape_of(c);
    float *probs = c->a[4], *agrees = c->a[5], *undone = c->a[6];
    tl_var y = attend(tape, c, -1, -1);
    copy_out(tape, undone, y);
    tl_tensor dy = tl_tape_tensor(tape, tl_shape_of(tl_value(y)));
    need(tape, dy.data != NULL);
    tl_tensor_fill(dy, 0);
    left = NULL;
    need(tape, tl_backward_from(y, dy));
    if (left && left->probs) {
        const bool dropped = c->p[1] > 0;
        draw(c, agrees);
        for (long k = 0; k < B * H * T * S; k++) {
            const long j = k % S, i = k / S % T, h = k / S / T % H, b = k / S / T / H;
            float *weight = &undone[((b * T + i) * H + h) * S + j], drawn = dropped ? agrees[k] : 1;
            probs[k] = left->probs[k];
            *weight = drawn > 0 ? *weight / drawn : *weight + probs[k];
            agrees[k] = !left->kept ? !dropped : drawn > 0 ? left->kept[k] / drawn : 1 - left->kept[k];
        }
    }
    tl_tape_free(tape);
}

const course_function course_functions[] = {
    {"tl_scaled_dot_product_attention", forward}, {"saved for attention_backward", saved}, {0}};
