/* A bias on the scores of an attention. */
#ifndef TL_NN_BIAS_H
#define TL_NN_BIAS_H

#include "tapeloom/nn.h"

/* Scores [B,H,T,S] plus a bias, TL_NO_VAR for none; the tape fails if it does not fit them, or is not finite. As
 * scaled_dot_product_attention adds it, to the bit. */
tl_var tl_biased(tl_var scores, tl_var bias);

#endif
