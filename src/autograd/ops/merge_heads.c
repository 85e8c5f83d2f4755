/* merge_heads: [B,H,T,d] to [B,T,H*d], the heads' columns side by side; the inverse of split_heads.
 *
 *     y[b,t,h*d + i] = x[b,h,t,i]
 *
 * A view if x has the strides that split_heads gives; else a copy.
 * backward of the copy: dx[b,h,t,i] += dy[b,t,h*d + i]. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"

/* [B,T,D] as a view [B,H,T,d] */
static tl_tensor as_split(tl_tensor t, long heads, long d) {
    tl_tensor s = {.data = t.data, .rank = 4, .dim = {t.dim[0], heads, t.dim[1], d}};
    s.stride[0] = t.stride[0];
    s.stride[1] = d * t.stride[2];
    s.stride[2] = t.stride[1];
    s.stride[3] = t.stride[2];
    return s;
}

static void backward(tl_back *b) {
    tl_tensor x = tl_back_x(b, 0);
    tl_give(b, 0, as_split(b->dy, x.dim[1], x.dim[3]));
}

const tl_op tl_op_merge_heads = {"merge_heads", backward};

tl_var tl_merge_heads(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_merge_heads, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    tl_tensor t = c.x[0];
    if (t.rank != 4) return tl_call_fail(&c, "%s is not [B,H,T,d]", TL_SHAPE_STRING_OF(t));
    long heads = t.dim[1], d = t.dim[3];
    tl_shape merged = TL_SHAPE(t.dim[0], t.dim[2], heads * d);
    tl_tensor view;
    if (tl_tensor_reshape(tl_tensor_transpose(t, 1, 2), merged, &view)) {
        tl_call_view(&c, view);
    } else {
        tl_tensor y = tl_call_new(&c, merged);
        if (y.data) tl_tensor_copy(as_split(y, heads, d), t);
    }
    return tl_call_end(&c);
}

static tl_var merged(const tl_var *x) { return tl_merge_heads(x[0]); }
static tl_var there_and_back(const tl_var *x) { return tl_merge_heads(tl_split_heads(x[0], 2)); }
TL_GRAD_CASES(merge_heads, {.what = "copied", .f = merged, TL_INPUTS(TL_DIMS(2, 3, 4, 5))},
              {.what = "undoes split_heads", .f = there_and_back, TL_INPUTS(TL_DIMS(2, 3, 8))});
