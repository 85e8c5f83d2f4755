/* log: y = log x, the natural logarithm. log 0 is -infinity, the logarithm of a negative number NaN.
 *
 * backward: given dy,   dx += dy/x. */
#include "unary.h"

TL_UNARY_OP(log, TL_UNREAD_RESULT, 0.3, 3);
