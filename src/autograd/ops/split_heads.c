/* split_heads: [B,T,D] to [B,H,T,D/H]; head h reads columns h*D/H … (h+1)*D/H - 1 of every row.
 *
 *     y[b,h,t,i] = x[b,t,h*D/H + i]
 *
 * A view: nothing is copied, and its gradient is x's, under the same strides. */
#include "split.h"

const tl_op tl_op_split_heads = {"split_heads", NULL};

tl_var tl_split_heads(tl_var x, int heads) {
    tl_call c = tl_call_begin(&tl_op_split_heads, 1, &x);
    if (!c.ok) return tl_call_end(&c);
    tl_tensor t = c.x[0];
    if (t.rank != 3 || heads < 1 || t.dim[2] % heads)
        return tl_call_fail(&c,
                            "%s does not split into %d heads: it must be [B,T,D] with D a multiple of them",
                            TL_SHAPE_STRING_OF(t), heads);
    tl_call_view(&c, tl_split_view(t, heads));
    return tl_call_end(&c);
}

static tl_var split(const tl_var *x) { return tl_split_heads(x[0], 3); }
static tl_var of_a_slice(const tl_var *x) { return tl_split_heads(tl_slice(x[0], -1, 4, 8), 2); }
TL_GRAD_CASES(split_heads, {.what = "three heads", .f = split, TL_INPUTS(TL_DIMS(2, 4, 6))},
              {.what = "of a slice", .f = of_a_slice, TL_INPUTS(TL_DIMS(2, 3, 12))});
