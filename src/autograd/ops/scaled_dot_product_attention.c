/* scaled_dot_product_attention: the heads' contexts, side by side, from queries, keys and values (Vaswani et al. 2017,
 * equation 1), in one operation.
 *
 *     p[i,j] = softmax over the keys j that the mask shows of scale·q[i]·k[j] + bias[i,j]
 *     y[i]   = sum over j of dropout(p)[i,j]·v[j]
 *
 * q [B,H,T,d], k [B,H,S,d], v [B,H,S,e], y [B,T,H·e]; bias [B|1,H|1,T|1,S|1], a constant, or TL_NO_VAR. scale 0 means
 * 1 / √d.
 *
 * The same bits as matmul, scale, (add,) masked_softmax, dropout, matmul and merge_heads one after another, which
 * store five arrays of the scores' shape; this operation stores the probabilities alone. (If inputs share elements,
 * their gradients are added in another order.) A bias that wants a gradient is refused: that would be the gradient of
 * the scores, which are not kept. Keys and values that no query sees change neither y nor a gradient, even if they are
 * NaN; their own gradient is 0.
 *
 * backward: given dy,   dv += dropout(p)ᵀ·dy,   ds = scale times softmax's gradient of dropout's of dy·vᵀ,
 *                       dq += ds·k,   dk += dsᵀ·q. */
#include "key_mask.h"
#include "split.h"
#include "autograd/for_kernels.h"
#include "tensor/attention.h"
#include "tensor/inspect.h"

#include <math.h>

typedef struct saved {
    tl_key_mask mask;
    /* k, v: the inputs, or copies with hidden keys set to 0 (tl_key_mask_clear); bias: the input, or a copy with
     * contiguous rows of S */
    tl_attending a;
    tl_real *probs; /* [B,H,T,S] */
} saved;

/* ---- backward ---- */

/* The offset of the last element. */
static long reach(tl_tensor t) {
    long last = 0;
    for (int i = 0; i < t.rank; i++) last += (t.dim[i] - 1) * t.stride[i];
    return last;
}

/* True only if a and b have no element in common. Two cases are recognised: ranges of memory that do not overlap, and
 * different columns of the same rows, as in a packed projection. */
static bool disjoint(tl_tensor a, tl_tensor b) {
    const uintptr_t first = (uintptr_t)a.data, second = (uintptr_t)b.data;
    if (first > second) return disjoint(b, a);
    const long distance = (long)((second - first) / sizeof(tl_real)), row = a.stride[2];
    if (distance > reach(a)) return true;
    for (int i = 0; i < 4; i++)
        if (a.stride[i] != b.stride[i]) return false;
    const long columns = (a.dim[1] - 1) * a.stride[1] + a.dim[3],
               others = (b.dim[1] - 1) * b.stride[1] + b.dim[3];
    return a.stride[3] == 1 && row > 0 && a.stride[0] % row == 0 && distance >= columns &&
           distance + others <= row;
}

/* Opens input i's gradient. If its elements may also belong to an input before it, the gradient goes to scratch memory
 * first. */
static tl_attend_gradient gradient_of(tl_back *b, int i, tl_sink *sink) {
    bool direct = true;
    *sink = (tl_sink){.input = i};
    if (!tl_back_wants(b, i)) return (tl_attend_gradient){0};
    for (int j = 0; j < i; j++) direct &= !tl_back_wants(b, j) || disjoint(tl_back_x(b, j), tl_back_x(b, i));
    if (direct)
        tl_sink_open(b, i, sink);
    else
        *sink = (tl_sink){.input = i, .folded = true, .to = tl_back_scratch(b, tl_shape_of(tl_back_x(b, i)))};
    return (tl_attend_gradient){sink->to, sink->add};
}

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink sink[3];
    tl_attend_gradient d[3];
    for (int i = 0; i < 3; i++) d[i] = gradient_of(b, i, &sink[i]);
    if (!tl_attend_backward(d[0], d[1], d[2], tl_split_view(b->dy, s->mask.heads), s->probs, &s->a,
                            tl_tape_workspace(b->tape)))
        tl_tape_fail(b->tape, "scaled_dot_product_attention: out of memory in backward");
    for (int i = 0; i < 3; i++)
        if (sink[i].to.data) tl_sink_close(b, &sink[i]);
}

const tl_op tl_op_scaled_dot_product_attention = {"scaled_dot_product_attention", backward};

/* ---- forward ---- */

static bool check_shapes(tl_call *c) {
    const tl_tensor q = c->x[0], k = c->x[1], v = c->x[2];
    bool fits = q.rank == 4 && k.rank == 4 && v.rank == 4 && q.dim[3] == k.dim[3] && k.dim[2] == v.dim[2] &&
                q.dim[1] > 0 && q.dim[3] > 0;
    for (int i = 0; i < 2; i++) fits = fits && q.dim[i] == k.dim[i] && k.dim[i] == v.dim[i];
    if (!fits)
        tl_call_fail(c, "q %s, k %s, v %s: should be [B,H,T,d], [B,H,S,d], [B,H,S,e]", TL_SHAPE_STRING_OF(q),
                     TL_SHAPE_STRING_OF(k), TL_SHAPE_STRING_OF(v));
    if (fits && tl_shape_numel(TL_SHAPE(q.dim[0], q.dim[1], q.dim[2], k.dim[2])) < 0)
        tl_call_fail(c, "q %s, k %s: there would be more scores than memory can hold", TL_SHAPE_STRING_OF(q),
                     TL_SHAPE_STRING_OF(k));
    return c->ok;
}

/* Does the bias fit the scores, is it a constant, and are all of its numbers finite? */
static bool check_bias(tl_call *c, const long scores[4]) {
    const tl_tensor bias = c->x[3];
    bool fits = bias.rank == 4;
    for (int i = 0; i < 4; i++) fits = fits && (bias.dim[i] == 1 || bias.dim[i] == scores[i]);
    if (!fits)
        tl_call_fail(c, "bias %s: should be the scores' %s, or 1 where it is the same for all",
                     TL_SHAPE_STRING_OF(bias),
                     TL_SHAPE_STRING(TL_SHAPE(scores[0], scores[1], scores[2], scores[3])));
    else if (tl_call_wants(c, 3))
        tl_call_fail(c,
                     "the bias wants a gradient, which goes through the steps alone: tl_add it to the scaled "
                     "scores, then tl_masked_softmax");
    else if (tl_tensor_nonfinite(bias) >= 0)
        tl_call_fail(
            c, "the bias holds %g: should be finite; what must not be seen is a mask's business: use tl_mask",
            tl_tensor_element(bias, tl_tensor_nonfinite(bias)));
    return c->ok;
}

/* Saves the bias with contiguous rows of S, as the kernels read it. */
static bool save_bias(tl_call *c, saved *s, const long scores[4]) {
    tl_tensor bias = c->x[3];
    if (!bias.data) return true;
    if (!check_bias(c, scores)) return false;
    s->a.bias = bias;
    if (bias.dim[3] == scores[3] && (bias.stride[3] == 1 || scores[3] < 2)) return true;
    const tl_shape rows = TL_SHAPE(bias.dim[0], bias.dim[1], bias.dim[2], scores[3]);
    s->a.bias = tl_call_tensor(c, rows);
    return s->a.bias.data && tl_tensor_copy(s->a.bias, bias);
}

/* Saves everything that backward needs. NULL if an option is wrong or memory runs out. */
static saved *save(tl_call *c, const tl_mask *mask, double dropout, double scale) {
    const long dim[4] = {c->x[0].dim[0], c->x[0].dim[1], c->x[0].dim[2], c->x[1].dim[2]};
    saved *s = tl_call_save(c, sizeof *s);
    if (!s || !tl_key_mask_copy(c, &s->mask, mask, dim) || !save_bias(c, s, dim)) return NULL;
    s->a.mask = &s->mask;
    s->a.q = c->x[0];
    s->a.k = tl_key_mask_clear(c, 1, &s->mask);
    s->a.v = tl_key_mask_clear(c, 2, &s->mask);
    if (!(dropout >= 0 && dropout < 1)) {
        tl_call_fail(c, "dropout is %g, should be a probability in [0, 1)", dropout);
        return NULL;
    }
    if (!(scale >= 0 && isfinite(scale))) {
        tl_call_fail(c, "scale is %g, should be above 0, and finite (or 0 for 1 / sqrt(d))", scale);
        return NULL;
    }
    s->a.scale = scale > 0 ? scale : 1 / sqrt((double)c->x[0].dim[3]);
    if (dropout > 0 && tl_tape_training(c->tape)) {
        s->a.dropout = dropout;
        if (!tl_tape_next_key(c->tape, &s->a.key)) {
            tl_call_fail(c, "no random stream: out of memory");
            return NULL;
        }
    }
    if (c->wants_grad)
        s->probs = tl_call_memory(c, (size_t)(dim[0] * dim[1] * dim[2] * dim[3]) * sizeof(tl_real));
    return c->ok ? s : NULL;
}

tl_var tl_scaled_dot_product_attention(tl_var q, tl_var k, tl_var v, tl_var bias, const tl_mask *mask,
                                       double dropout, double scale) {
    tl_call c = tl_call_begin_optional(&tl_op_scaled_dot_product_attention, TL_OPTIONAL(3), 4,
                                       (tl_var[]){q, k, v, bias});
    c.unread = TL_UNREAD_RESULT;
    if (!c.ok || !check_shapes(&c)) return tl_call_end(&c);
    const saved *s = save(&c, mask, dropout, scale);
    if (!s) return tl_call_end(&c);
    const long heads = c.x[0].dim[1];
    tl_tensor y = tl_call_new(&c, TL_SHAPE(c.x[0].dim[0], c.x[0].dim[2], heads * c.x[2].dim[3]));
    if (y.data && !tl_attend(tl_split_view(y, heads), s->probs, &s->a, tl_tape_workspace(c.tape)))
        return tl_call_fail(&c, "out of memory");
    return tl_call_end(&c);
}

/* ---- cases for the gradient check ---- */

static tl_var apart_masked(const tl_var *x) {
    const tl_mask mask = {.key_lengths = (const int[]){5, 3}, .causal = true};
    return tl_scaled_dot_product_attention(x[0], x[1], x[2], TL_NO_VAR, &mask, 0, 0);
}
static tl_var windowed(const tl_var *x) {
    return tl_scaled_dot_product_attention(x[0], x[1], x[2], TL_NO_VAR,
                                           &(tl_mask){.causal = true, .window = 1}, 0, 1.5);
}
static tl_var packed(const tl_var *x) { /* as in attention: parts of one projection */
    tl_var part[3];
    for (int i = 0; i < 3; i++) part[i] = tl_split_heads(tl_slice(x[0], -1, 4 * i, 4 * (i + 1)), 2);
    return tl_scaled_dot_product_attention(part[0], part[1], part[2], TL_NO_VAR, NULL, 0.3, 0);
}
static tl_var one_for_all(const tl_var *x) { /* the gradients of all three are the same memory */
    return tl_scaled_dot_product_attention(x[0], tl_transpose(x[0], 0, 1), x[0], TL_NO_VAR, NULL, 0, 0);
}
static tl_var constant_keys(const tl_var *x) {
    static tl_real k[2 * 4 * 3] = {1, -1, 2, 0.5, 0, -2, 1, 1, 0, 2, -1, 0.25};
    tl_var keys = tl_constant(x[0].tape, tl_tensor_of(k, TL_SHAPE(1, 2, 4, 3)));
    return tl_scaled_dot_product_attention(x[0], keys, x[1], TL_NO_VAR, NULL, 0, 0);
}
static tl_var with_bias(const tl_var *x) {
    static tl_real numbers[3 * 5] = {2, -1, 0, 0.5, -3, 1, 1, -2, 0.25, 3};
    tl_var bias = tl_constant(x[0].tape, tl_tensor_of(numbers, TL_SHAPE(1, 3, 1, 5)));
    const tl_mask mask = {.key_lengths = (const int[]){5, 3}, .causal = true};
    return tl_scaled_dot_product_attention(x[0], x[1], x[2], bias, &mask, 0, 0.4);
}
TL_GRAD_CASES(
    scaled_dot_product_attention,
    {.what = "lengths and causal",
     .f = apart_masked,
     TL_INPUTS(TL_DIMS(2, 3, 4, 2), TL_DIMS(2, 3, 5, 2), TL_DIMS(2, 3, 5, 3))},
    {.what = "a window and a scale",
     .f = windowed,
     TL_INPUTS(TL_DIMS(1, 2, 4, 2), TL_DIMS(1, 2, 5, 2), TL_DIMS(1, 2, 5, 3))},
    {.what = "packed projection, dropout", .f = packed, TL_INPUTS(TL_DIMS(2, 3, 12)), .train = true},
    {.what = "one for all", .f = one_for_all, TL_INPUTS(TL_DIMS(2, 2, 3, 3))},
    {.what = "constant keys", .f = constant_keys, TL_INPUTS(TL_DIMS(1, 2, 3, 3), TL_DIMS(1, 2, 4, 2))},
    {.what = "bias",
     .f = with_bias,
     TL_INPUTS(TL_DIMS(2, 3, 4, 2), TL_DIMS(2, 3, 5, 2), TL_DIMS(2, 3, 5, 3))});
