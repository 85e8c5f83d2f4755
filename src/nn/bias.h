/* A bias on the scores of an attention. */
#ifndef TL_NN_BIAS_H
#define TL_NN_BIAS_H

#include "tapeloom/nn.h"

/* scores [B,H,T,S] + bias, with the same bits as in scaled_dot_product_attention. A bias of TL_NO_VAR returns the
 * scores. The tape fails if the bias does not fit the scores or is not finite. */
tl_var tl_add_bias(tl_var scores, tl_var bias);

#endif
