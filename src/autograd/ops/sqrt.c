/* sqrt: y = √x. NaN for negative x.
 *
 * backward: given dy,   dx += dy/(2y); infinite at x = 0, as the derivative is. */
#include "unary.h"

TL_UNARY_OP(sqrt, TL_UNREAD_INPUTS, 0.3, 3);
