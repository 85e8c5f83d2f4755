/* tanh: y = tanh x.
 *
 * backward: given dy,   dx += dy·(1 - y²). */
#include "unary.h"

TL_UNARY_OP(tanh, TL_UNREAD_INPUTS, -2, 2);
