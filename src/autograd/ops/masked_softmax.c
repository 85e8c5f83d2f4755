/* masked_softmax: softmax over the keys that a mask shows. x holds scores: [B,H,T,S], without heads [B,T,S],
 * without batch [T,S].
 *
 *     y[i,j] = e^(x[i,j] - m[i]) / sum over visible k of e^(x[i,k] - m[i])   if query i sees key j, else 0
 *
 * Hidden scores take no part in the arithmetic, even if they are NaN: their weight and gradient are exactly 0. The row
 * of a query that sees no key is all 0.
 * backward: given dy,   dx[i,j] += y[i,j]·(dy[i,j] - sum over visible k of y[i,k]·dy[i,k])   if i sees j. */
#include "key_mask.h"

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

tl_var tl_masked_softmax(tl_var x, const tl_mask *mask) {
    tl_call c = tl_call_begin(&tl_op_masked_softmax, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    if (!c.ok) return tl_call_end(&c);
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s || !tl_key_mask_of_scores(&c, &s->mask, mask, &s->rows, &s->keys)) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    tl_rows_masked_softmax(y.data, c.x[0].data, s->rows, s->keys, &s->mask);
    return tl_call_end(&c);
}

static tl_var lengths_and_causal(const tl_var *x) {
    return tl_masked_softmax(x[0], &(tl_mask){.key_lengths = (const int[]){5, 0, 2}, .causal = true});
}
static tl_var array(const tl_var *x) {
    static const uint8_t attend[2 * 3 * 4] = {
        1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0,  /* head 0: its query 1 sees nothing */
        1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0}; /* head 1 */
    return tl_masked_softmax(x[0], &(tl_mask){.attend = attend, .attend_dim = {1, 2, 3, 4}});
}
static tl_var of_a_view(const tl_var *x) {
    return tl_masked_softmax(tl_transpose(x[0], 0, 1), &(tl_mask){.causal = true});
}
TL_GRAD_CASES(masked_softmax,
              {.what = "lengths and causal",
               .f = lengths_and_causal,
               TL_INPUTS(TL_DIMS(3, 2, 4, 5)),
               .low = -3,
               .high = 3},
              {.what = "attend array", .f = array, TL_INPUTS(TL_DIMS(2, 2, 3, 4)), .low = -3, .high = 3},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(5, 4)), .low = -3, .high = 3});
