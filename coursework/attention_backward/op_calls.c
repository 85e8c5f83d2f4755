/* What the runner does with a call of task 6, tier 2: attention whose forward is made of the library's operations,
 * so that it is right, and whose backward is the student's. n: B, H, T, S, d, e, causal, is there an array of the
 * mask, is there dropout      p: scale arrays after those of op_calls.h: key_lengths, attend, kept */
#include "attention.h"
#include "op_calls.h"

#include <math.h>

static const tl_op op = {"scaled_dot_product_attention", attention_backward};

static bool copied(void *to, tl_var from) {
    const tl_tensor made = tl_value(from);
    return tl_ok(from) && to && tl_tensor_copy(tl_tensor_of(to, tl_shape_of(made)), made);
}

/* Keys or values with 0 for NaN and infinities: these are masked, but separate operations would multiply them by
 * weights of 0. */
static tl_var numbers(tl_tape *steps, tl_tensor x) {
    const tl_tensor copy = tl_tape_tensor(steps, tl_shape_of(x));
    for (long k = 0; copy.data && k < tl_numel(x); k++) copy.data[k] = isfinite(x.data[k]) ? x.data[k] : 0;
    return tl_constant(steps, copy);
}

/* Computes probs and y on a tape of their own. */
static bool compute(const tl_call *c, const tl_mask *mask, const attention_saved *s, tl_real *probs,
                    tl_real *y) {
    tl_tape *steps = tl_tape_new();
    const tl_var q = tl_constant(steps, c->x[0]), k = numbers(steps, c->x[1]), v = numbers(steps, c->x[2]);
    const tl_var p = tl_masked_softmax(tl_scale(tl_matmul(q, tl_transpose(k, -1, -2)), s->scale), mask);
    tl_var weights = p;
    if (s->kept)
        weights =
            tl_mul(p, tl_constant(steps, tl_tensor_of((tl_real *)s->kept, TL_SHAPE(s->B, s->H, s->T, s->S))));
    const bool ok = copied(probs, p) && copied(y, tl_merge_heads(tl_matmul(weights, v)));
    tl_tape_free(steps);
    return ok;
}

static tl_var attend(const tl_var *x, const tl_mask *mask, double scale, tl_real *kept) {
    tl_call c = tl_call_begin(&op, 3, x);
    if (!c.ok || !tl_call_dense(&c, 0) || !tl_call_dense(&c, 1) || !tl_call_dense(&c, 2))
        return tl_call_end(&c);
    attention_saved *s = tl_call_save(&c, sizeof *s);
    if (!s) return tl_call_end(&c);
    const tl_tensor q = c.x[0], k = c.x[1], v = c.x[2];
    *s = (attention_saved){q.dim[0], q.dim[1], q.dim[2], k.dim[2], q.dim[3], v.dim[3],
                           q.data,   k.data,   v.data,   NULL,     kept,     scale};
    tl_real *probs = tl_call_memory(&c, (size_t)(s->B * s->H * s->T * s->S) * sizeof *probs);
    const tl_tensor y = tl_call_new(&c, TL_SHAPE(s->B, s->T, s->H * s->e));
    if (c.ok && !compute(&c, mask, s, probs, y.data)) return tl_call_fail(&c, "the steps have failed");
    s->probs = probs;
    return tl_call_end(&c);
}

static void run(const course_call *c) {
    const long B = c->n[0], H = c->n[1], T = c->n[2], S = c->n[3], d = c->n[4], e = c->n[5];
    const int inputs = c->flags & COURSE_SHARED ? 1 : 3, more = 2 * inputs + 2;
    tl_tape *tape = tl_tape_new();
    uint8_t *seen = tl_tape_memory(tape, (size_t)c->count[more + 1] + 1);
    for (long k = 0; seen && k < c->count[more + 1]; k++)
        seen[k] = c->a[more + 1][k] > 0 ? TL_ATTEND : TL_BLOCK;
    const tl_mask mask = {.key_lengths = course_ints(c, more),
                          .causal = c->n[6],
                          .attend = c->n[7] ? seen : NULL,
                          .attend_dim = {1, H, T, S}};
    tl_var x[3];
    x[0] = x[1] = x[2] = course_input(tape, c, 0, TL_SHAPE(B, H, T, d));
    if (inputs > 1) x[1] = course_input(tape, c, 1, TL_SHAPE(B, H, S, d));
    if (inputs > 1) x[2] = course_input(tape, c, 2, TL_SHAPE(B, H, S, e));
    course_finish(tape, c, attend(x, &mask, c->p[0], c->n[8] ? c->a[more + 2] : NULL), x, inputs);
    tl_tape_free(tape);
}

const course_function course_functions[] = {{"attention_backward", run}, {0}};
