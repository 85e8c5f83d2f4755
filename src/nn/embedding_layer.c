/* Embedding: from ids to rows of the weight [vocab,d_model]. */
#include "check.h"
#include "layer.h"

#include <math.h>

tl_embedding_layer tl_embedding_init(tl_params *params, const char *name, const tl_embedding_config *config) {
    if (!tl_check_given(params, "tl_embedding_init", name, config)) return (tl_embedding_layer){0};
    tl_embedding_layer layer = {.name = tl_params_text(params, "%s", name)};
    tl_init init = config->init;
    if (!init.kind && config->d_model > 0)
        init = (tl_init){TL_INIT_NORMAL, 1 / sqrt((double)config->d_model)};
    layer.weight = tl_add_part(params, name, "weight", TL_SHAPE(config->vocab, config->d_model), init);
    return layer;
}

tl_var tl_embedding_forward(const tl_embedding_layer *layer, tl_tape *tape, const int *ids, tl_shape shape) {
    if (!tl_layer_enter(tape, TL_LAYER(layer), "tl_embedding_init")) return tl_inert(tape);
    tl_var y = tl_embedding(tl_use(tape, layer->weight), ids, shape);
    tl_scope_leave(tape);
    return y;
}
