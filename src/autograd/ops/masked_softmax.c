/* masked_softmax: softmax over the keys that a mask shows. x holds scores: [B,H,T,S], without heads [B,T,S],
 * without batch [T,S].
 *
 *     y[i,j] = e^(x[i,j] - m[i]) / sum over visible k of e^(x[i,k] - m[i])   if query i sees key j, else 0
 *
 * Hidden scores take no part in the arithmetic, even if they are NaN: their weight and gradient are exactly 0. The row
 * of a query that sees no key is all 0.
 * backward: given dy,   dx[i,j] += y[i,j]·(dy[i,j] - sum over visible k of y[i,k]·dy[i,k])   if i sees j. */
#include "key_mask.h"

static void backward(tl_back *b) {
    const tl_masked *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return;
    tl_rows_masked_softmax_backward(dx.to.data, b->y.data, b->dy.data, s->rows, s->keys, &s->mask, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_masked_softmax = {"masked_softmax", backward};

tl_var tl_masked_softmax(tl_var x, const tl_mask *mask) {
    tl_call c = tl_call_begin(&tl_op_masked_softmax, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    const tl_masked *s = tl_masked_save(&c, mask);
    if (!s) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    tl_rows_masked_softmax(y.data, c.x[0].data, s->rows, s->keys, &s->mask);
    return tl_call_end(&c);
}

TL_MASKED_CASES(masked_softmax, {.causal = true});
