/* How much of a token's vector attention takes (Kobayashi et al. 2020, equations 2-4): a weight says how much of
 * f(x) is taken, but not how large f(x) is.
 *
 *     f_h(x_j) = (x_j·W_V + b_V)·W_O with head h's rows; in torch's layout v_h[j]·W_O[:, h's columns]ᵀ
 *     head_norms[h,i,j] = A[h,i,j]·‖f_h(x_j)‖          norms[i,j] = ‖Σ_h A[h,i,j]·f_h(x_j)‖
 *
 * Attention of recurrent models has no projections: there f_h(x_j) is v_h[j], in head h's columns. Gates, also
 * learnt ones, count as a part of A. */
#include "lens.h"

#include "tapeloom/op.h"

#include <math.h>

typedef struct sizes {
    long heads, queries, keys, width, out; /* width: of a head; out: of f */
} sizes;

/* f [H,S,out] of one sentence. v [H,S,width], weight [out,H·width] or without data. */
static void transform(double *f, tl_tensor v, tl_tensor weight, const sizes *n) {
    for (long h = 0; h < n->heads; h++)
        for (long j = 0; j < n->keys; j++)
            for (long o = 0; o < n->out; o++) {
                double sum = 0;
                for (long d = 0; weight.data && d < n->width; d++)
                    sum += tl_element(v, h, j, d, 0) * tl_element(weight, o, h * n->width + d, 0, 0);
                if (!weight.data && o / n->width == h) sum = tl_element(v, h, j, o % n->width, 0);
                f[(h * n->keys + j) * n->out + o] = sum;
            }
}

static double length(const double *x, long n) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

/* a [H,T,S] weights with gates; norm_of [H,S] lengths of f; sum [out] */
static void measure(tl_seen_attention *to, long b, const double *f, double *norm_of, double *sum,
                    const double *gate, const sizes *n) {
    for (long i = 0; i < n->heads * n->keys; i++) norm_of[i] = length(f + i * n->out, n->out);
    for (long i = 0; i < n->queries; i++)
        for (long j = 0; j < n->keys; j++) {
            for (long o = 0; o < n->out; o++) sum[o] = 0;
            for (long h = 0; h < n->heads; h++) {
                const double a = gate[h] * tl_element(to->weights, b, h, i, j);
                const double *of = f + (h * n->keys + j) * n->out;
                for (long o = 0; a != 0 && o < n->out; o++) sum[o] += a * of[o];
                to->head_norms.data[((b * n->heads + h) * n->queries + i) * n->keys + j] =
                    (tl_real)(fabs(a) * norm_of[h * n->keys + j]);
            }
            to->norms.data[(b * n->queries + i) * n->keys + j] = (tl_real)length(sum, n->out);
        }
}

bool tl_seen_norms(tl_seen_attention *to, const tl_attention_maps *maps, tl_tape *tape) {
    const tl_tensor v = tl_value(maps->v), none = {.data = NULL};
    const bool projected = maps->layer && !maps->layer->unprojected;
    const tl_tensor weight = projected ? tl_param_value(maps->layer->out_proj.weight) : none;
    const sizes n = {to->heads, to->queries, to->keys, v.dim[3],
                     projected ? weight.dim[0] : to->heads * v.dim[3]};
    const long sentences = to->weights.dim[0];
    to->head_norms = tl_tape_tensor(tape, TL_SHAPE(sentences, n.heads, n.queries, n.keys));
    to->norms = tl_tape_tensor(tape, TL_SHAPE(sentences, n.queries, n.keys));
    double *f = tl_tape_memory(tape, sizeof *f * (size_t)(n.heads * n.keys * n.out + 1)),
           *norm_of = tl_tape_memory(tape, sizeof *norm_of * (size_t)(n.heads * n.keys + 1)),
           *sum = tl_tape_memory(tape, sizeof *sum * (size_t)(n.out + 1)),
           *gate = tl_tape_memory(tape, sizeof *gate * (size_t)(n.heads + 1));
    if (tl_tape_error(tape)) return false;
    tl_var own = maps->layer && maps->layer->head_gate
                     ? tl_hard_concrete(tl_use(tape, maps->layer->head_gate), NULL)
                     : TL_NO_VAR;
    for (long h = 0; h < n.heads; h++)
        gate[h] = (tl_ok(maps->gate) ? tl_element(tl_value(maps->gate), h, 0, 0, 0) : 1) *
                  (tl_ok(own) ? tl_element(tl_value(own), h, 0, 0, 0) : 1);
    for (long b = 0; b < sentences; b++) {
        transform(f, tl_at(v, b), weight, &n);
        measure(to, b, f, norm_of, sum, gate, &n);
    }
    return true;
}
