/* relu: y = max(x, 0). NaN stays NaN.
 *
 * backward: given dy,   dx += dy where x > 0. At the kink, x = 0, the derivative is taken as 0.
 *
 * Backward reads y instead of x: both are above 0 at the same elements, and y is mostly kept anyway, as the input of
 * the next operation. */
#include "unary.h"

TL_UNARY_OP(relu, TL_UNREAD_INPUTS, -1, 1);
