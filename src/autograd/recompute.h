/* What backward.c and recompute.c call of each other. */
#ifndef TL_RECOMPUTE_H
#define TL_RECOMPUTE_H

#include "sinks.h"

extern const tl_op tl_op_recompute;

/* backward.c: goes backward from node `last`, given its dy, to node `first`. */
void tl_walk_back(tl_tape *tape, int last, int first, tl_tensor dy);

#endif
