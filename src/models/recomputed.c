/* The inputs of a layer are saved on the tape, so that the layer can be called a second time in the backward. With maps
 * or caches the layer is called normally. */
#include "recomputed.h"

#include "nn/place.h"

/* The inputs of a layer of any of the three kinds. */
typedef struct call {
    const void *layer;
    tl_var x;
    tl_attended self, cross;
    tl_mask self_mask, cross_mask;
} call;

static bool is_recomputed(tl_var x, const tl_attended *a, const tl_stream_maps *stream) {
    return tl_ok(x) && tl_tape_recomputes(x.tape) && tl_shape_of_var(x).rank == 3 && !stream && !a->maps &&
           !a->own && !a->other && !a->made;
}

static void save(tl_var x, tl_attended *a, tl_mask *mask, const tl_attended *from) {
    *a = *from;
    *mask = tl_mask_on_tape(x.tape, from->mask, tl_shape_of_var(x).dim[0]);
}

/* The inputs with the mask at its current address: the call has been copied. */
static tl_attended attended(const tl_attended *a, const tl_mask *mask) {
    tl_attended now = *a;
    if (now.mask) now.mask = mask;
    return now;
}

static tl_var encode(tl_tape *tape, const void *context) {
    const call *c = context;
    (void)tape;
    return tl_encoder_layer_over(c->layer, c->x, attended(&c->self, &c->self_mask).mask, NULL, NULL);
}

tl_var tl_encoder_layer_recomputed(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                                   tl_attention_maps *maps, tl_stream_maps *stream) {
    const tl_attended self = {.mask = mask, .maps = maps};
    if (!is_recomputed(x, &self, stream)) return tl_encoder_layer_over(layer, x, mask, maps, stream);
    call c = {.layer = layer, .x = x};
    save(x, &c.self, &c.self_mask, &self);
    return tl_recompute(x.tape, encode, &c, sizeof c);
}

static tl_var decode(tl_tape *tape, const void *context) {
    const call *c = context;
    const tl_attended self = attended(&c->self, &c->self_mask), cross = attended(&c->cross, &c->cross_mask);
    (void)tape;
    return tl_decoder_layer_over(c->layer, c->x, &self, &cross, NULL);
}

tl_var tl_decoder_layer_recomputed(const tl_decoder_layer *layer, tl_var x, const tl_attended *self,
                                   const tl_attended *cross, tl_stream_maps *stream) {
    if (!is_recomputed(x, self, stream) || !is_recomputed(x, cross, stream))
        return tl_decoder_layer_over(layer, x, self, cross, stream);
    call c = {.layer = layer, .x = x};
    save(x, &c.self, &c.self_mask, self);
    save(x, &c.cross, &c.cross_mask, cross);
    return tl_recompute(x.tape, decode, &c, sizeof c);
}

static tl_var read_on(tl_tape *tape, const void *context) {
    const call *c = context;
    const tl_attended self = attended(&c->self, &c->self_mask);
    (void)tape;
    return tl_gpt_layer_over(c->layer, c->x, &self, NULL);
}

tl_var tl_gpt_layer_recomputed(const tl_gpt_layer *layer, tl_var x, const tl_attended *self,
                               tl_stream_maps *stream) {
    if (!is_recomputed(x, self, stream)) return tl_gpt_layer_over(layer, x, self, stream);
    call c = {.layer = layer, .x = x};
    save(x, &c.self, &c.self_mask, self);
    return tl_recompute(x.tape, read_on, &c, sizeof c);
}
