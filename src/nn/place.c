/* Gates and replacements. Both are vars of the tape like any other, so the gradient needs nothing of its own: what is put in a
 * place is what everything after it reads. */
#include "place.h"

#include "layer.h"

#include "tapeloom/op.h"

static bool has_gate(const tl_attention_maps *maps) { return maps->gate.tape != NULL; }

bool tl_maps_intervene(const tl_attention_maps *maps) {
    bool some = maps && has_gate(maps);
    for (int place = 0; maps && place < TL_PLACES; place++) some |= maps->replace[place].f != NULL;
    return some;
}

tl_attention_maps tl_maps_acting(const tl_attention_maps *maps, tl_place_at at) {
    tl_attention_maps acting = {.at = at};
    if (!maps) return acting;
    acting.gate = maps->gate;
    for (int place = 0; place < TL_PLACES; place++) acting.replace[place] = maps->replace[place];
    return acting;
}

tl_var tl_gated(const tl_attention_maps *maps, tl_var context) {
    if (!has_gate(maps) || !tl_ok(context)) return context;
    if (!tl_ok(maps->gate)) return maps->gate;
    const long heads = tl_value(context).dim[1];
    const tl_shape shape = tl_shape_of_var(maps->gate);
    char text[TL_SHAPE_TEXT];
    if (!tl_shape_equal(shape, TL_SHAPE(heads)))
        return tl_tape_fail(context.tape, "the gate is %s, should be [%ld], one number a head",
                            tl_shape_text(shape, text), heads);
    return tl_mul(context, tl_reshape(maps->gate, TL_SHAPE(heads, 1, 1)));
}

/* ---- replacements ---- */

static const char *const names[TL_PLACES] = {"scores", "probs", "context", "output", "residual"};

tl_var tl_put(tl_attention_maps *maps, tl_place place, tl_var x) {
    if (!maps || !maps->replace[place].f || !tl_ok(x)) return x;
    tl_place_at at = maps->at;
    at.place = place;
    if (at.each < 1) at.each = 1;
    tl_var y = maps->replace[place].f(x, &at, maps->replace[place].context);
    char want[TL_SHAPE_TEXT], have[TL_SHAPE_TEXT];
    if (tl_tape_error(x.tape)) return tl_inert(x.tape);
    if (y.tape != x.tape)
        return tl_tape_fail(x.tape, "the replacement of %s is %s: it should return a var of this tape",
                            names[place], y.tape ? "another tape's" : "no var at all");
    if (!tl_ok(y))
        return tl_tape_fail(x.tape, "the replacement of %s is a var that is not there any more",
                            names[place]);
    if (!tl_shape_equal(tl_shape_of_var(x), tl_shape_of_var(y)))
        return tl_tape_fail(x.tape, "the replacement of %s is %s, should be %s as what stands there",
                            names[place], tl_shape_text(tl_shape_of_var(y), have),
                            tl_shape_text(tl_shape_of_var(x), want));
    return y;
}

/* ---- gradients ---- */

static tl_var var_of(const tl_attention_maps *maps, tl_place place) {
    const tl_var vars[TL_PLACES] = {maps->scores, maps->probs, maps->context, maps->output, maps->residual};
    return vars[place];
}

tl_tensor tl_attention_grad(const tl_attention_maps *maps, tl_place place) {
    const tl_tensor none = {.data = NULL};
    if (!maps || (int)place < 0 || (int)place >= TL_PLACES) return none;
    tl_var x = var_of(maps, place);
    if (!maps->step || !tl_ok(x)) return tl_grad(x);
    tl_tensor all = tl_tape_tensor(x.tape, tl_shape_of_var(x));
    const int steps = all.rank - 2; /* the axis */
    if (all.data) tl_tensor_fill(all, 0);
    for (long t = 0; all.data && t < all.dim[steps]; t++) {
        const tl_tensor one = tl_grad(var_of(&maps->step[t], place));
        if (!one.data) return none;
        tl_tensor_copy(tl_tensor_slice(all, steps, t, t + 1), one);
    }
    return all.data ? all : none;
}

/* ---- chosen places ---- */

static bool in_range(tl_range r, long i) { return i >= r.from && (r.to == 0 || i < r.to); }

static long sentence_of(const tl_place_at *at, long row) {
    row /= at->each < 1 ? 1 : at->each;
    return at->sentences ? at->sentences[row] : row;
}

/* 1 where it is chosen, [R,H,T,S] with sizes of 1 for what does not matter; without heads [R,T,1]. */
static tl_tensor chosen(tl_tape *tape, tl_tensor x, const tl_place_at *at, const tl_replaced *where) {
    const bool heads = x.rank == 4, keys = at->place == TL_PLACE_SCORES || at->place == TL_PLACE_PROBS;
    const long h_dim = heads ? x.dim[1] : 1, t_dim = x.dim[x.rank - 2], s_dim = keys ? x.dim[x.rank - 1] : 1;
    tl_tensor y = tl_tape_tensor(tape, heads ? TL_SHAPE(x.dim[0], h_dim, t_dim, s_dim)
                                             : TL_SHAPE(x.dim[0], t_dim, s_dim));
    for (long i = 0; y.data && i < tl_numel(y); i++) {
        const long j = i % s_dim, t = i / s_dim % t_dim, h = i / s_dim / t_dim % h_dim,
                   row = i / s_dim / t_dim / h_dim;
        y.data[i] = in_range(where->sentences, sentence_of(at, row)) &&
                    in_range(where->positions, at->from + t) && (!heads || in_range(where->heads, h)) &&
                    (!keys || in_range(where->keys, j));
    }
    return y;
}

tl_var tl_replace_where(tl_var original, tl_var replacement, const tl_place_at *at,
                        const tl_replaced *where) {
    static const tl_replaced everywhere = {0};
    tl_tape *tape = original.tape;
    if (!at)
        return tl_tape_fail(tape, "tl_replace_where: at is NULL: give what the replacing function was given");
    if (!tl_ok(original)) return tl_where(original, replacement, original); /* which says why not */
    const tl_tensor x = tl_value(original);
    if (x.rank != 3 && x.rank != 4)
        return tl_tape_fail(tape, "tl_replace_where: an attention's places have 3 or 4 axes, not %d", x.rank);
    tl_tensor condition = chosen(tape, x, at, where ? where : &everywhere);
    if (!condition.data) return tl_inert(tape);
    return tl_where(tl_constant(tape, condition), replacement, original);
}
