/* masked_sigmoid: a weight for each key on its own, not normalised over the keys as in masked_softmax. x holds scores:
 * [B,H,T,S], without heads [B,T,S], without batch [T,S].
 *
 *     y[i,j] = 1 / (1 + e^-x[i,j])   if query i sees key j, else 0
 *
 * Hidden scores take no part in the arithmetic, even if they are NaN: their weight and gradient are exactly 0.
 * backward: given dy,   dx[i,j] += dy[i,j]·y[i,j]·(1 - y[i,j])   if i sees j. */
#include "key_mask.h"
#include "autograd/for_kernels.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"

/* Sets y to 0 where the mask hides the key. */
static void hide(tl_real *y, const tl_masked *s) {
    for (long r = 0; r < s->rows; r++) {
        const tl_row_mask row = tl_row_mask_of(&s->mask, r, s->keys);
        for (long j = 0; j < s->keys; j++)
            if (j >= row.visible || (row.attend && !row.attend[j])) y[r * s->keys + j] = 0;
    }
}

static void backward(tl_back *b) {
    const tl_masked *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return;
    for (long r = 0; r < s->rows; r++) {
        const tl_row_mask row = tl_row_mask_of(&s->mask, r, s->keys);
        for (long i = r * s->keys, j = 0; j < s->keys; i++, j++) {
            const bool seen = j < row.visible && (!row.attend || row.attend[j]);
            const tl_real g = seen ? b->dy.data[i] * (b->y.data[i] * (1 - b->y.data[i])) : 0;
            dx.to.data[i] = dx.add ? dx.to.data[i] + g : g;
        }
    }
    tl_sink_close(b, &dx);
}

const tl_op tl_op_masked_sigmoid = {"masked_sigmoid", backward};

tl_var tl_masked_sigmoid(tl_var x, const tl_mask *mask) {
    tl_call c = tl_call_begin(&tl_op_masked_sigmoid, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    const tl_masked *s = tl_masked_save(&c, mask);
    if (!s) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!c.ok) return tl_call_end(&c);
    tl_map1(y, c.x[0], tl_kernels_pick()->map->sigmoid, 0);
    hide(y.data, s);
    return tl_call_end(&c);
}

TL_MASKED_CASES(masked_sigmoid, {.window = 1});
