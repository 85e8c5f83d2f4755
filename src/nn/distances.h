/* Distances, for other files of the library. */
#ifndef TL_NN_DISTANCES_H
#define TL_NN_DISTANCES_H

#include "tapeloom/nn.h"

/* Is this a kind that self-attention uses (tl_distances), not one that is added to embeddings (tl_positions)? */
bool tl_positions_are_distances(tl_position_kind kind);
/* The slope m: m·|j - i| is subtracted from the score. head is 0 … H-1. after: the key is after the query. */
double tl_alibi_slope(const tl_distances *distances, int head, bool after);

#endif
