/* Gates and replacements in attentions and streams. Both are vars of the tape, and everything after a place reads what
 * was put there. So they need no backward of their own. */
#include "place.h"

#include "layer.h"

#include "tapeloom/op.h"

#include <string.h>

static bool has_gate(const tl_attention_maps *maps) { return maps->gate.tape != NULL; }

bool tl_maps_intervene(const tl_attention_maps *maps) {
    bool some = maps && has_gate(maps);
    for (int place = 0; maps && place < TL_PLACES; place++) some |= maps->replace[place].f != NULL;
    return some;
}

tl_attention_maps tl_maps_interventions(const tl_attention_maps *maps, tl_place_at at) {
    tl_attention_maps acting = {.at = at};
    if (!maps) return acting;
    acting.gate = maps->gate;
    for (int place = 0; place < TL_PLACES; place++) acting.replace[place] = maps->replace[place];
    return acting;
}

tl_stream_maps tl_stream_interventions(const tl_stream_maps *maps, tl_place_at at) {
    tl_stream_maps acting = {.at = at};
    for (int i = 0; maps && i < TL_STREAM_PLACES; i++) acting.replace[i] = maps->replace[i];
    return acting;
}

tl_var tl_gated(const tl_attention_maps *maps, tl_var context) {
    if (!has_gate(maps) || !tl_ok(context)) return context;
    if (!tl_ok(maps->gate)) return maps->gate;
    const long heads = tl_value(context).dim[1];
    const tl_shape shape = tl_shape_of_var(maps->gate);
    if (!tl_shape_equal(shape, TL_SHAPE(heads)))
        return tl_tape_fail(context.tape, "the gate is %s, should be [%ld], one number a head",
                            TL_SHAPE_STRING(shape), heads);
    return tl_mul(context, tl_reshape(maps->gate, TL_SHAPE(heads, 1, 1)));
}

/* ---- replacements ---- */

static const char *const names[TL_PLACES + TL_STREAM_PLACES] = {
    "scores", "pattern", "context", "out", "residual", "q", "k", "v", "feed_forward", "the stream"};

static tl_var replaced(const tl_replacement *replacement, tl_place place, tl_place_at at, tl_var x) {
    if (!replacement->f) return x;
    at.place = place;
    if (at.each < 1) at.each = 1;
    tl_var y = replacement->f(x, &at, replacement->context);
    if (tl_tape_error(x.tape)) return tl_inert(x.tape);
    if (y.tape != x.tape)
        return tl_tape_fail(x.tape, "the replacement of %s is %s: it should return a var of this tape",
                            names[place], y.tape ? "another tape's" : "no var at all");
    if (!tl_ok(y))
        return tl_tape_fail(x.tape, "the replacement of %s is a var that is not there any more",
                            names[place]);
    if (!tl_shape_equal(tl_shape_of_var(x), tl_shape_of_var(y)))
        return tl_tape_fail(x.tape, "the replacement of %s is %s, should be %s as what stands there",
                            names[place], TL_SHAPE_STRING(tl_shape_of_var(y)),
                            TL_SHAPE_STRING(tl_shape_of_var(x)));
    return y;
}

static tl_var kept(unsigned keep, tl_place place, tl_var x) {
    if (tl_ok(x)) tl_keep_value(x); /* the holder of the maps may read it */
    if (keep >> place & 1 && tl_ok(x)) tl_keep(x);
    return x;
}

tl_var tl_put(tl_attention_maps *maps, tl_place place, tl_var x) {
    if (!maps || !tl_ok(x)) return x;
    return kept(maps->keep, place, replaced(&maps->replace[place], place, maps->at, x));
}

tl_var tl_stream_put(tl_stream_maps *maps, tl_place place, tl_var x) {
    if (!maps || !tl_ok(x)) return x;
    x = kept(maps->keep, place, replaced(&maps->replace[place - TL_PLACE_FEED_FORWARD], place, maps->at, x));
    if (place == TL_PLACE_STREAM)
        maps->stream = x;
    else
        maps->feed_forward = x;
    return x;
}

/* ---- the mask in the maps ---- */

static const void *copied(tl_tape *tape, const void *from, size_t bytes) {
    void *to = from ? tl_tape_memory(tape, bytes) : NULL;
    if (to) memcpy(to, from, bytes);
    return to;
}

tl_mask tl_mask_on_tape(tl_tape *tape, const tl_mask *mask, long sentences) {
    if (!mask) return (tl_mask){0};
    tl_mask m = *mask;
    m.key_lengths = copied(tape, m.key_lengths, (size_t)sentences * sizeof *m.key_lengths);
    if (m.attend)
        m.attend = copied(tape, m.attend,
                          (size_t)(m.attend_dim[0] * m.attend_dim[1] * m.attend_dim[2] * m.attend_dim[3]));
    return m;
}

/* ---- gradients ---- */

static tl_var var_of(const tl_attention_maps *maps, tl_place place) {
    const tl_var vars[TL_PLACES] = {maps->scores,   maps->probs, maps->context, maps->output,
                                    maps->residual, maps->q,     maps->k,       maps->v};
    return vars[place];
}

tl_tensor tl_attention_grad(const tl_attention_maps *maps, tl_place place) {
    const tl_tensor none = {.data = NULL};
    if (!maps || (int)place < 0 || (int)place >= TL_PLACES) return none;
    tl_var x = var_of(maps, place);
    /* keys and values are made once, for all steps */
    if (!maps->step || !tl_ok(x) || place == TL_PLACE_K || place == TL_PLACE_V) return tl_grad(x);
    tl_tensor all = tl_tape_tensor(x.tape, tl_shape_of_var(x));
    const int steps = all.rank - 2; /* the axis of queries */
    if (all.data) tl_tensor_fill(all, 0);
    for (long t = 0; all.data && t < all.dim[steps]; t++) {
        const tl_tensor one = tl_grad(var_of(&maps->step[t], place));
        if (!one.data) return none;
        tl_tensor_copy(tl_tensor_slice(all, steps, t, t + 1), one);
    }
    return all.data ? all : none;
}

/* ---- parts of places ---- */

static bool in_range(tl_range r, long i) { return i >= r.from && (r.to == 0 || i < r.to); }

static long sentence_of(const tl_place_at *at, long row) {
    row /= at->each < 1 ? 1 : at->each;
    return at->sentences ? at->sentences[row] : row;
}

/* The condition for tl_where: 1 in the given ranges, 0 outside. [R,H,T,S] with size 1 on axes that do not matter, or
 * [R,T,1] for places without heads. In keys and values the T axis counts keys. */
static tl_tensor chosen(tl_tape *tape, tl_tensor x, const tl_place_at *at, const tl_replaced *where) {
    const bool heads = x.rank == 4, keys = at->place == TL_PLACE_SCORES || at->place == TL_PLACE_PROBS;
    const tl_range rows = at->place == TL_PLACE_K || at->place == TL_PLACE_V ? where->keys : where->positions;
    const long h_dim = heads ? x.dim[1] : 1, t_dim = x.dim[x.rank - 2], s_dim = keys ? x.dim[x.rank - 1] : 1;
    tl_tensor y = tl_tape_tensor(tape, heads ? TL_SHAPE(x.dim[0], h_dim, t_dim, s_dim)
                                             : TL_SHAPE(x.dim[0], t_dim, s_dim));
    for (long i = 0; y.data && i < tl_numel(y); i++) {
        const long j = i % s_dim, t = i / s_dim % t_dim, h = i / s_dim / t_dim % h_dim,
                   row = i / s_dim / t_dim / h_dim;
        y.data[i] = in_range(where->sentences, sentence_of(at, row)) && in_range(rows, at->from + t) &&
                    (!heads || in_range(where->heads, h)) && (!keys || in_range(where->keys, j));
    }
    return y;
}

tl_var tl_replace_where(tl_var original, tl_var replacement, const tl_place_at *at,
                        const tl_replaced *where) {
    static const tl_replaced everywhere = {0};
    tl_tape *tape = original.tape;
    if (!at)
        return tl_tape_fail(tape, "tl_replace_where: at is NULL: give what the replacing function was given");
    if (!tl_ok(original)) return tl_where(original, replacement, original); /* sets the error */
    const tl_tensor x = tl_value(original);
    if (x.rank != 3 && x.rank != 4)
        return tl_tape_fail(tape, "tl_replace_where: an attention's places have 3 or 4 axes, not %d", x.rank);
    tl_tensor condition = chosen(tape, x, at, where ? where : &everywhere);
    if (!condition.data) return tl_inert(tape);
    return tl_where(tl_constant(tape, condition), replacement, original);
}
