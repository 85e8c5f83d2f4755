/* merge_heads: [B,H,T,d] to [B,T,H*d], the heads' columns side by side; the inverse of split_heads.
 *
 *     y[b,t,h*d + i] = x[b,h,t,i]
 *
 * A view if x has the strides that split_heads gives; else a copy.
 * backward of the copy: dx[b,h,t,i] += dy[b,t,h*d + i]. */
#include "split.h"
#include "tensor/map.h"

static void backward(tl_back *b) { tl_give(b, 0, tl_split_view(b->dy, tl_back_x(b, 0).dim[1])); }

const tl_op tl_op_merge_heads = {"merge_heads", backward};

tl_var tl_merge_heads(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_merge_heads, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    tl_tensor t = c.x[0];
    if (t.rank != 4) return tl_call_fail(&c, "%s is not [B,H,T,d]", TL_SHAPE_STRING_OF(t));
    tl_shape merged = TL_SHAPE(t.dim[0], t.dim[2], t.dim[1] * t.dim[3]);
    tl_tensor view;
    if (tl_tensor_reshape(tl_tensor_transpose(t, 1, 2), merged, &view)) {
        tl_call_view(&c, view);
    } else {
        tl_tensor y = tl_call_new(&c, merged);
        if (y.data) tl_tensor_copy(tl_split_view(y, t.dim[1]), t);
    }
    return tl_call_end(&c);
}

static tl_var merged(const tl_var *x) { return tl_merge_heads(x[0]); }
static tl_var there_and_back(const tl_var *x) { return tl_merge_heads(tl_split_heads(x[0], 2)); }
TL_GRAD_CASES(merge_heads, {.what = "copied", .f = merged, TL_INPUTS(TL_DIMS(2, 3, 4, 5))},
              {.what = "undoes split_heads", .f = there_and_back, TL_INPUTS(TL_DIMS(2, 3, 8))});
