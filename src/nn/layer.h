/* The beginning of every layer's forward: a check that the layer was made. A layer's struct begins with its full name,
 * which an init never leaves NULL. */
#ifndef TL_NN_LAYER_H
#define TL_NN_LAYER_H

#include "tapeloom/nn.h"

/* The layer's name; NULL for a layer that is NULL or zeroed. */
#define TL_LAYER(layer) ((layer) ? (layer)->name : NULL)

/* Was the layer made? If not, returns false, and the tape fails with a message that names `init`, the function that
 * makes one. */
static inline bool tl_layer_made(tl_tape *tape, const char *name, const char *init) {
    if (!name) tl_tape_fail(tape, "the layer is NULL or zeroed: %s makes one", init);
    return name != NULL;
}

/* The same, and enters the layer's scope; leave it with tl_scope_leave. */
static inline bool tl_layer_enter(tl_tape *tape, const char *name, const char *init) {
    if (!tl_layer_made(tape, name, init)) return false;
    tl_scope_enter(tape, name);
    return true;
}

/* x·weightᵀ + bias, bias may be NULL. The bias enters the tape first: the order of a function's arguments would leave the
 * nodes' numbers to the compiler. */
static inline tl_var tl_project(tl_var x, tl_param *weight, tl_param *bias) {
    tl_var b = bias ? tl_use(x.tape, bias) : TL_NO_VAR;
    return tl_linear(x, tl_use(x.tape, weight), b);
}

#endif
