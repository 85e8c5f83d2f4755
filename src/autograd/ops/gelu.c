/* gelu: y = x·Φ(x), Φ(x) = (1 + erf(x/√2))/2 the normal distribution function (Hendrycks and Gimpel 2016).
 *
 * backward: given dy,   dx += dy·(Φ(x) + x·φ(x)),   φ(x) = e^(-x²/2)/√(2π). */
#include "unary.h"

TL_UNARY_OP(gelu, TL_UNREAD_RESULT, -4, 4);
