/* attention_backward: the backward of scaled_dot_product_attention, on what its forward has left (attention.h).
 *
 *     w[i,j] = probs[i,j]·kept[i,j],   y[i] = sum over j of w[i,j]·v[j],   probs[i] = softmax of scale·q[i]·k[j] over the keys j that i sees
 *
 * given dy,   dprobs[i,j] = kept[i,j]·(dy[i]·v[j])
 *             dscores[i,j] = probs[i,j]·(dprobs[i,j] - sum over k of probs[i,k]·dprobs[i,k])
 *             dq[i] += scale · sum over j of dscores[i,j]·k[j]
 *             dk[j] += scale · sum over i of dscores[i,j]·q[i]
 *             dv[j] += sum over i of w[i,j]·dy[i]
 *
 * Where a probability is 0, so are dscores and w: such pairs are skipped, and what stands in keys and values that nobody sees, NaN
 * too, reaches nothing. One input may stand in several places; its gradients are opened and closed one after another. */
#include "attention.h"

/* dscores [B,H,T,S] */
static void score_gradients(tl_real *dscores, const attention_saved *s, const tl_real *dy) {
    /* >>> */
    for (long row = 0; row < s->B * s->H * s->T; row++) {
        const long i = row % s->T, h = row / s->T % s->H, b = row / s->T / s->H;
        const tl_real *g = dy + ((b * s->T + i) * s->H + h) * s->e, *p = s->probs + row * s->S;
        const tl_real *v = s->v + (b * s->H + h) * s->S * s->e;
        tl_real *ds = dscores + row * s->S, sum = 0;
        for (long j = 0; j < s->S; j++) {
            tl_real dot = 0;
            for (long c = 0; c < s->e && p[j] != 0; c++) dot += g[c] * v[j * s->e + c];
            ds[j] = dot * (s->kept ? s->kept[row * s->S + j] : 1);
            sum += p[j] * ds[j];
        }
        for (long j = 0; j < s->S; j++) ds[j] = p[j] * (ds[j] - sum);
    }
    /* <<< */
}

/* Adds to dq [B,H,T,d]. */
static void query_gradients(tl_real *dq, const attention_saved *s, const tl_real *dscores) {
    /* >>> */
    for (long row = 0; row < s->B * s->H * s->T; row++) {
        const tl_real *k = s->k + row / s->T * s->S * s->d, *ds = dscores + row * s->S;
        for (long j = 0; j < s->S; j++)
            for (long c = 0; c < s->d && ds[j] != 0; c++)
                dq[row * s->d + c] += (tl_real)s->scale * ds[j] * k[j * s->d + c];
    }
    /* <<< */
}

/* Adds to dk [B,H,S,d]. */
static void key_gradients(tl_real *dk, const attention_saved *s, const tl_real *dscores) {
    /* >>> */
    for (long row = 0; row < s->B * s->H * s->T; row++) {
        const tl_real *q = s->q + row * s->d, *ds = dscores + row * s->S;
        tl_real *keys = dk + row / s->T * s->S * s->d;
        for (long j = 0; j < s->S; j++)
            for (long c = 0; c < s->d && ds[j] != 0; c++)
                keys[j * s->d + c] += (tl_real)s->scale * ds[j] * q[c];
    }
    /* <<< */
}

/* Adds to dv [B,H,S,e]. */
static void value_gradients(tl_real *dv, const attention_saved *s, const tl_real *dy) {
    /* >>> */
    for (long row = 0; row < s->B * s->H * s->T; row++) {
        const long i = row % s->T, h = row / s->T % s->H, b = row / s->T / s->H;
        const tl_real *g = dy + ((b * s->T + i) * s->H + h) * s->e, *p = s->probs + row * s->S;
        tl_real *values = dv + (b * s->H + h) * s->S * s->e;
        for (long j = 0; j < s->S; j++) {
            const tl_real weight = p[j] * (s->kept ? s->kept[row * s->S + j] : 1);
            for (long c = 0; c < s->e && weight != 0; c++) values[j * s->e + c] += weight * g[c];
        }
    }
    /* <<< */
}

void attention_backward(tl_back *b) {
    const attention_saved *s = b->saved;
    tl_tensor dscores = tl_back_scratch(b, TL_SHAPE(s->B, s->H, s->T, s->S));
    if (!dscores.data) return;
    score_gradients(dscores.data, s, b->dy.data);
    for (int input = 0; input < 3; input++) {
        tl_sink sink;
        if (!tl_sink_open_dense(b, input, &sink)) continue; /* nobody wants it */
        if (!sink.add) tl_tensor_fill(sink.to, 0);
        if (input == 0) query_gradients(sink.to.data, s, dscores.data);
        if (input == 1) key_gradients(sink.to.data, s, dscores.data);
        if (input == 2) value_gradients(sink.to.data, s, b->dy.data);
        tl_sink_close(b, &sink);
    }
}
