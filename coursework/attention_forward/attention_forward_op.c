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
#include "attention.h"

#include <math.h>
#include <string.h>

/* Element [b][h][i][j] of a bias whose axes may be 1; 0 without one. */
static double bias_at(tl_tensor bias, long b, long h, long i, long j) {
    if (!bias.data) return 0;
    const long place[4] = {b, h, i, j};
    long at = 0;
    for (int a = 0; a < 4; a++) at += bias.dim[a] == 1 ? 0 : place[a] * bias.stride[a];
    return (double)bias.data[at];
}

/* Row i of head h of sentence b: p [S]. */
static void weigh(tl_real *p, const attention_saved *s, tl_tensor bias, const tl_mask *mask, long b, long h,
                  long i) {
    const tl_real *q = s->q + ((b * s->H + h) * s->T + i) * s->d, *k = s->k + (b * s->H + h) * s->S * s->d;
    /* p[j] = e^(x[j] - m) / sum over seen j of e^(x[j] - m),   x[j] = scale·q·k[j] + bias,   m = the largest x seen;
     * 0 where tl_mask_shows says no, and everywhere where nothing is seen */
    /* >>> */
    tl_real largest = -INFINITY, sum = 0;
    for (long j = 0; j < s->S; j++) {
        p[j] = -INFINITY;
        if (!tl_mask_shows(mask, b, h, i, j, s->T, s->S)) continue;
        tl_real dot = 0;
        for (long c = 0; c < s->d; c++) dot += q[c] * k[j * s->d + c];
        p[j] = (tl_real)(s->scale * (double)dot + bias_at(bias, b, h, i, j));
        if (p[j] > largest) largest = p[j];
    }
    for (long j = 0; j < s->S; j++)
        sum += p[j] = p[j] == -INFINITY ? 0 : (tl_real)exp((double)(p[j] - largest));
    for (long j = 0; j < s->S && sum > 0; j++) p[j] /= sum;
    /* <<< */
}

/* kept [count] */
static void draw_kept(tl_real *kept, long count, double dropout, tl_rng_key key) {
    /* kept[n] = 1/(1 - dropout) if tl_rng_bits(key, n) >= dropout·2^32, else 0 */
    /* >>> */
    for (long n = 0; n < count; n++)
        kept[n] = (double)tl_rng_bits(key, (uint64_t)n) >= dropout * 4294967296.0
                      ? (tl_real)(1 / (1 - dropout))
                      : 0;
    /* <<< */
}

/* y [B,T,H·e]: each query's weights, with what dropout has left of them, times the values. */
static void mix(tl_real *y, const attention_saved *s) {
    /* y[b][i][h·e + c] = sum over j of probs[b][h][i][j]·kept[b][h][i][j]·v[b][h][j][c]
     * A weight of 0 is skipped: what stands in a value that nobody sees, NaN too, reaches nothing. */
    /* >>> */
    memset(y, 0, (size_t)(s->B * s->T * s->H * s->e) * sizeof *y);
    for (long row = 0; row < s->B * s->H * s->T; row++) {
        const long i = row % s->T, h = row / s->T % s->H, b = row / s->T / s->H;
        const tl_real *v = s->v + (b * s->H + h) * s->S * s->e;
        tl_real *to = y + ((b * s->T + i) * s->H + h) * s->e;
        for (long j = 0; j < s->S; j++) {
            const tl_real weight = s->probs[row * s->S + j] * (s->kept ? s->kept[row * s->S + j] : 1);
            for (long c = 0; c < s->e && weight != 0; c++) to[c] += weight * v[j * s->e + c];
        }
    }
    /* <<< */
}

const tl_op tl_op_scaled_dot_product_attention = {"scaled_dot_product_attention", attention_backward};

/* What the operation was given, as backward will find it; NULL if something is wrong. */
static attention_saved *save(tl_call *c, double dropout, double scale) {
    const tl_tensor q = c->x[0], k = c->x[1], v = c->x[2];
    if (q.rank != 4 || k.rank != 4 || v.rank != 4 || q.dim[3] != k.dim[3] || k.dim[2] != v.dim[2])
        return tl_call_fail(c, "q, k, v should be [B,H,T,d], [B,H,S,d], [B,H,S,e]"), NULL;
    attention_saved *s = tl_call_save(c, sizeof *s);
    if (!s || !tl_call_dense(c, 0) || !tl_call_dense(c, 1) || !tl_call_dense(c, 2)) return NULL;
    *s = (attention_saved){
        .B = q.dim[0], .H = q.dim[1], .T = q.dim[2], .S = k.dim[2], .d = q.dim[3], .e = v.dim[3]};
    s->q = c->x[0].data, s->k = c->x[1].data, s->v = c->x[2].data;
    s->scale = scale > 0 ? scale : 1 / sqrt((double)s->d);
    const long weights = s->B * s->H * s->T * s->S;
    s->probs = tl_call_memory(c, (size_t)weights * sizeof *s->probs);
    if (dropout > 0 && tl_tape_training(c->tape)) {
        tl_rng_key key;
        tl_real *kept = tl_call_memory(c, (size_t)weights * sizeof *kept);
        if (!kept) return NULL;
        if (!tl_tape_next_key(c->tape, &key)) return tl_call_fail(c, "no random stream"), NULL;
        draw_kept(kept, weights, dropout, key);
        s->kept = kept;
    }
    return s->probs ? s : NULL;
}

tl_var tl_scaled_dot_product_attention(tl_var q, tl_var k, tl_var v, tl_var bias, const tl_mask *mask,
                                       double dropout, double scale) {
    tl_call c = tl_call_begin_optional(&tl_op_scaled_dot_product_attention, TL_OPTIONAL(3), 4,
                                       (tl_var[]){q, k, v, bias});
    const attention_saved *s = c.ok ? save(&c, dropout, scale) : NULL;
    tl_tensor y = s ? tl_call_new(&c, TL_SHAPE(s->B, s->T, s->H * s->e)) : (tl_tensor){0};
    if (!y.data) return tl_call_end(&c);
    for (long row = 0; row < s->B * s->H * s->T; row++)
        weigh((tl_real *)s->probs + row * s->S, s, c.x[3], mask, row / s->T / s->H, row / s->T % s->H,
              row % s->T);
    mix(y.data, s);
    return tl_call_end(&c);
}

/* ---- cases for the gradient check (they need task 6's attention_backward) ---- */

static tl_var lengths_and_causal(const tl_var *x) {
    const tl_mask mask = {.key_lengths = (const int[]){5, 3}, .causal = true};
    return tl_scaled_dot_product_attention(x[0], x[1], x[2], TL_NO_VAR, &mask, 0, 0);
}
static tl_var packed(const tl_var *x) { /* as attention has it: parts of one projection */
    tl_var part[3];
    for (int i = 0; i < 3; i++) part[i] = tl_split_heads(tl_slice(x[0], -1, 4 * i, 4 * (i + 1)), 2);
    return tl_scaled_dot_product_attention(part[0], part[1], part[2], TL_NO_VAR, NULL, 0.3, 1.5);
}
TL_GRAD_CASES(
    scaled_dot_product_attention,
    {.what = "lengths and causal",
     .f = lengths_and_causal,
     TL_INPUTS(TL_DIMS(2, 3, 4, 2), TL_DIMS(2, 3, 5, 2), TL_DIMS(2, 3, 5, 3))},
    {.what = "packed projection, dropout", .f = packed, TL_INPUTS(TL_DIMS(2, 3, 12)), .train = true});
