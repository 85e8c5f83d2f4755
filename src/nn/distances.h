/* Distances for those who hand them on. */
#ifndef TL_NN_DISTANCES_H
#define TL_NN_DISTANCES_H

#include "tapeloom/nn.h"

/* Is that a kind which self-attention is told of, rather than one that is added to embeddings? */
bool tl_positions_are_distances(tl_position_kind kind);
/* What the distances of a pair of places are multiplied by, and taken off its score. head is 0 … H-1; after: the key stands
 * after the query. */
double tl_alibi_slope(const tl_distances *distances, int head, bool after);

#endif
