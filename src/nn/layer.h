/* What every layer's forward begins with: the layer must have been made. Their structs begin with their full name, which is
 * never NULL in one that an init has given. */
#ifndef TL_NN_LAYER_H
#define TL_NN_LAYER_H

#include "tapeloom/nn.h"

/* Its name; NULL for a layer that is NULL or zeroed. */
#define TL_LAYER(layer) ((layer) ? (layer)->name : NULL)

/* false, and the tape fails, if there is no such layer; `init` is what makes one. */
static inline bool tl_layer_made(tl_tape *tape, const char *name, const char *init) {
    if (!name) tl_tape_fail(tape, "the layer is NULL or zeroed: %s makes one", init);
    return name != NULL;
}

/* Enters its scope, too, to be left after use. */
static inline bool tl_layer_enter(tl_tape *tape, const char *name, const char *init) {
    if (!tl_layer_made(tape, name, init)) return false;
    tl_scope_enter(tape, name);
    return true;
}

static inline tl_var tl_inert(tl_tape *tape) { return (tl_var){tape, -1, 0}; }

#endif
