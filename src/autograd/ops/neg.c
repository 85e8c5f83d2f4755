/* neg: y = -x.
 *
 * backward: given dy,   dx -= dy. */
#include "unary.h"

TL_UNARY_OP(neg, TL_UNREAD_ALL, -1, 1);
