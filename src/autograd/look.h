/* Names and shapes of nodes as text, for everything that shows a tape. */
#ifndef TL_LOOK_H
#define TL_LOOK_H

#include "tape.h"

enum { TL_NODE_NAME = 512, TL_NODE_INPUTS = 64, TL_NODE_GRADIENT = 32 };

/* Its operation, "linear". Without one it is a "parameter", a "variable" (which wants a gradient) or a "constant". */
static inline const char *tl_node_kind(const tl_node *n) {
    return n->op ? n->op->name : n->leaf ? "parameter" : n->wants_grad ? "variable" : "constant";
}
/* The scope, a dot and the label, or a parameter's own name. The middle of a name that is too long is left out. */
void tl_node_name(const tl_node *n, char text[TL_NODE_NAME]);
/* The numbers of the nodes that it reads, "3 0". Of too many the first ones are given, then "…". */
void tl_node_inputs(const tl_tape *tape, const tl_node *n, char text[TL_NODE_INPUTS]);

#endif
