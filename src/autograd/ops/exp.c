/* exp: y = e^x. Overflows to infinity, underflows to 0.
 *
 * backward: given dy,   dx += dy·y. */
#include "unary.h"

TL_UNARY_OP(exp, TL_UNREAD_INPUTS, -2, 2);
