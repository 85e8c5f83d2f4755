/* gelu_tanh: y = x·(1 + tanh u)/2,   u = √(2/π)·(x + 0.044715·x³): gelu as many models approximate it
 * (Hendrycks and Gimpel 2016, section 2). With s(v) = 1/(1 + e^-v): (1 + tanh u)/2 = s(2u).
 *
 * backward: given dy,   dx += dy·(s(2u) + x·s(2u)·(1 - s(2u))·2u'),   u' = √(2/π)·(1 + 3·0.044715·x²). */
#include "unary.h"

TL_UNARY_OP(gelu_tanh, TL_UNREAD_RESULT, -4, 4);
