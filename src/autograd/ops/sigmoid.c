/* sigmoid: y = 1/(1 + e^-x).
 *
 * backward: given dy,   dx += dy·y·(1 - y). */
#include "unary.h"

TL_UNARY_OP(sigmoid, TL_UNREAD_INPUTS, -4, 4);
