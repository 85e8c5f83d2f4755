/* masked_softmax: softmax over the keys that a mask shows. x holds scores, [B,H,T,S], or without heads [B,T,S], or
 * without batch [T,S].
 *
 *     y[i,j] = e^(x[i,j] - m[i]) / sum over visible k of e^(x[i,k] - m[i])   if query i sees key j, else 0
 *
 * Hidden scores never enter the arithmetic, whatever they hold: weight exactly 0, gradient exactly 0. A query that
 * sees nothing gets zeros.
 * backward: given dy,   dx[i,j] += y[i,j]·(dy[i,j] - sum over visible k of y[i,k]·dy[i,k])   if i sees j. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

#include <string.h>

typedef struct saved {
    tl_key_mask mask; /* over the tape's own copies */
    long rows, keys;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return;
    tl_rows_masked_softmax_backward(dx.to.data, b->y.data, b->dy.data, s->rows, s->keys, &s->mask, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_masked_softmax = {"masked_softmax", backward};

static bool copy_lengths(tl_call *c, saved *s, const int *lengths, long sentences) {
    int *copy = tl_call_memory(c, (size_t)sentences * sizeof *copy);
    for (long b = 0; b < sentences && copy; b++) {
        if (lengths[b] < 0 || lengths[b] > s->keys) {
            tl_call_fail(c, "key_lengths[%ld] is %d, should be 0 … %ld, the number of keys", b, lengths[b],
                         s->keys);
            return false;
        }
        copy[b] = lengths[b];
    }
    s->mask.lengths = copy;
    return copy != NULL;
}

/* dim: B, H, T, S of the scores */
static bool copy_attend(tl_call *c, saved *s, const tl_mask *mask, const long dim[4]) {
    tl_shape have = {4, {0}}, want = {4, {dim[0], dim[1], dim[2], dim[3]}};
    bool fits = true;
    for (int a = 0; a < 4; a++) {
        have.dim[a] = mask->attend_dim[a];
        fits &= have.dim[a] == 1 || have.dim[a] == dim[a];
    }
    char first[TL_SHAPE_TEXT], second[TL_SHAPE_TEXT];
    if (!fits) {
        tl_call_fail(c, "attend is %s, scores are %s [batch,head,query,key]: each size must be the same or 1",
                     tl_shape_text(have, first), tl_shape_text(want, second));
        return false;
    }
    const long count = tl_shape_numel(have);
    uint8_t *copy = tl_call_memory(c, (size_t)count);
    for (long i = 0; i < count && copy; i++) {
        if (mask->attend[i] != TL_ATTEND && mask->attend[i] != TL_BLOCK) {
            tl_call_fail(c, "attend[%ld] is %d, neither TL_ATTEND nor TL_BLOCK", i, mask->attend[i]);
            return false;
        }
        copy[i] = mask->attend[i];
    }
    s->mask.attend = copy;
    long stride = 1;
    for (int a = 3; a >= 0; a--) {
        s->mask.stride[a] = have.dim[a] == 1 ? 0 : stride;
        stride *= have.dim[a];
    }
    return copy != NULL;
}

tl_var tl_masked_softmax(tl_var x, const tl_mask *mask) {
    tl_call c = tl_call_begin(&tl_op_masked_softmax, 1, &x);
    if (!c.ok) return tl_call_end(&c);
    const tl_shape shape = tl_shape_of(c.x[0]);
    char text[TL_SHAPE_TEXT];
    if (shape.rank < 2 || shape.rank > 4)
        return tl_call_fail(&c, "%s is not [batch,head,query,key], [batch,query,key] or [query,key]",
                            tl_shape_text(shape, text));
    const long queries = shape.dim[shape.rank - 2], keys = shape.dim[shape.rank - 1];
    const long dim[4] = {shape.rank > 2 ? shape.dim[0] : 1, shape.rank > 3 ? shape.dim[1] : 1, queries, keys};
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, shape);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    s->rows = dim[0] * dim[1] * queries;
    s->keys = keys;
    s->mask = (tl_key_mask){.heads = dim[1], .queries = queries, .causal = mask && mask->causal};
    if (mask && mask->key_lengths && !copy_lengths(&c, s, mask->key_lengths, dim[0])) return tl_call_end(&c);
    if (mask && mask->attend && !copy_attend(&c, s, mask, dim)) return tl_call_end(&c);
    tl_rows_masked_softmax(y.data, c.x[0].data, s->rows, keys, &s->mask);
    return tl_call_end(&c);
}

static tl_var lengths_and_causal(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_masked_softmax(x[0], &(tl_mask){.key_lengths = (const int[]){5, 0, 2}, .causal = true});
}
static tl_var array(tl_tape *tape, const tl_var *x) {
    (void)tape;
    static const uint8_t attend[2 * 3 * 4] = {
        1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0,  /* head 0: its query 1 sees nothing */
        1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0}; /* head 1 */
    return tl_masked_softmax(x[0], &(tl_mask){.attend = attend, .attend_dim = {1, 2, 3, 4}});
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_masked_softmax(tl_transpose(x[0], 0, 1), &(tl_mask){.causal = true});
}
TL_GRAD_CASES(masked_softmax,
              {"lengths and causal", lengths_and_causal, 1, {TL_DIMS(3, 2, 4, 5)}, -3, 3, false},
              {"attend array", array, 1, {TL_DIMS(2, 2, 3, 4)}, -3, 3, false},
              {"of a view", of_a_view, 1, {TL_DIMS(5, 4)}, -3, 3, false});
