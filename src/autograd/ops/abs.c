/* abs: y = |x|.
 *
 * backward: given dy,   dx += dy where x > 0,   -dy where x < 0,   0 at the kink, x = 0. */
#include "unary.h"

TL_UNARY_OP(abs, TL_UNREAD_RESULT, -1, 1);
