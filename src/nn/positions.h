/* The vector of one position, for code without a tape. */
#ifndef TL_NN_POSITIONS_H
#define TL_NN_POSITIONS_H

#include "tapeloom/nn.h"

/* Writes to [d_model] what tl_positions_forward returns for position `at`, 0 … max_len-1. Not for TL_NO_POSITIONS. */
void tl_positions_at(const tl_positions *layer, tl_real *to, long at);

#endif
