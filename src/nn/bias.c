/* Adding a bias by itself, for the way of single steps. Its checks are those of scaled_dot_product_attention. */
#include "bias.h"

#include "tensor/inspect.h"

static bool fits(tl_tensor scores, tl_tensor bias) {
    bool fit = bias.rank == 4 && scores.rank == 4;
    for (int i = 0; i < 4; i++) fit = fit && (bias.dim[i] == 1 || bias.dim[i] == scores.dim[i]);
    return fit;
}

tl_var tl_add_bias(tl_var scores, tl_var bias) {
    if (bias.index == -2 || !tl_ok(scores)) return scores;
    if (!tl_ok(bias)) return tl_add(scores, bias); /* sets the error */
    const tl_tensor value = tl_value(bias);
    if (!fits(tl_value(scores), value))
        return tl_tape_fail(scores.tape,
                            "the bias %s: should be the scores' %s, or 1 where it is the same for all",
                            TL_SHAPE_STRING_OF(value), TL_SHAPE_STRING_OF(tl_value(scores)));
    const long at = tl_tensor_nonfinite(value);
    if (at >= 0)
        return tl_tape_fail(
            scores.tape,
            "the bias holds %g: should be finite; what must not be seen is a mask's business: use tl_mask",
            tl_tensor_element(value, at));
    return tl_add(scores, bias);
}
