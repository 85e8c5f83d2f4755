/* Optimiser updates over flat ranges; update.h has the formulas. One pass: every number is read and written once.
 * Constants are computed in double and rounded to tl_real once, as PyTorch's scalars are. */
#include "kernels.h"
#include "row_pieces.h"

/* 2^-102 in float, 2^-969 in double: still a normal number after it is multiplied by a learning rate. */
#define LEAST_MOMENT (TL_REAL_MIN * (tl_real)((tl_uint)2 << TL_MANTISSA))

/* A moment too small to move a parameter becomes 0 (update.h); NaN stays. */
TL_SIMD tl_vec settled(tl_vec m) { return tl_vec_select(tl_vec_abs(m) < LEAST_MOMENT, tl_vec_zero(), m); }
/* A second moment v becomes 0 only where its first moment m is 0: with v alone at 0, m / (sqrt(v) + eps) could be
 * large. */
TL_SIMD tl_vec settled_beside(tl_vec m, tl_vec v) {
    return tl_vec_select((m == tl_vec_zero()) & (v < TL_REAL_MIN), tl_vec_zero(), v);
}

static void sgd(tl_real *p, tl_real *b, const tl_real *grad, long n, const tl_sgd_update *u) {
    tl_real lr = (tl_real)u->lr, momentum = (tl_real)u->momentum, decay = (tl_real)u->decay;
    tl_real scale = (tl_real)u->grad_scale;
    for (long i = 0; i < n; i += TL_LANES) {
        /* g = grad_scale·grad + decay·p */
        tl_vec x = row_load(p, i, n, 0), g = row_load(grad, i, n, 0) * scale;
        if (u->decay != 0) g = g + decay * x;
        /* b = settled(momentum·b + g),   g = nesterov ? g + momentum·b : b */
        if (u->momentum != 0) {
            tl_vec buffer = settled(row_load(b, i, n, 0) * momentum + g);
            row_store(b, i, n, buffer);
            g = u->nesterov ? g + momentum * buffer : buffer;
        }
        /* p = p - lr·g */
        row_store(p, i, n, x - lr * g);
    }
}

static void adam(tl_real *p, tl_real *m, tl_real *v, const tl_real *grad, long n, const tl_adam_update *u) {
    double weight = 1 - u->beta1;
    /* m + weight·(g - m) as torch.lerp computes it: from m if weight < 0.5, else from g, as g + (weight - 1)·(g - m);
     * so weight 1 gives g exactly */
    bool from_m = weight < 0.5;
    tl_real towards = (tl_real)(from_m ? weight : weight - 1);
    tl_real beta2 = (tl_real)u->beta2, rest2 = (tl_real)(1 - u->beta2), eps = (tl_real)u->eps;
    tl_real step = (tl_real)(u->lr / u->bias1), root_bias2 = (tl_real)sqrt(u->bias2);
    tl_real decay = (tl_real)u->decay, keep = (tl_real)(1 - u->lr * u->decay), scale = (tl_real)u->grad_scale;
    for (long i = 0; i < n; i += TL_LANES) {
        /* g = grad_scale·grad; then the decay: AdamW's p = p·(1 - lr·decay), Adam's g = g + decay·p */
        tl_vec x = row_load(p, i, n, 0), g = row_load(grad, i, n, 0) * scale, old = row_load(m, i, n, 0);
        if (u->decoupled)
            x = x * keep;
        else if (u->decay != 0)
            g = g + decay * x;
        /* m = settled(m + (1-beta1)·(g - m)) */
        tl_vec first = settled((from_m ? old : g) + towards * (g - old));
        /* v = settled(beta2·v + (1-beta2)·g·g) */
        tl_vec second = settled_beside(first, row_load(v, i, n, 0) * beta2 + (rest2 * g) * g);
        row_store(m, i, n, first);
        row_store(v, i, n, second);
        /* p = p - lr/bias1 · m / (sqrt(v)/sqrt(bias2) + eps) */
        tl_vec denominator = tl_vec_sqrt(second) / root_bias2 + eps;
        row_store(p, i, n, x - (step * first) / denominator);
    }
}

/* A vector's numbers as HALVES vectors of double. One vector of double with all of them would be wider than the
 * processor's, and compilers keep such a vector in memory. */
enum { HALVES = sizeof(double) / sizeof(tl_real), DOUBLES = TL_LANES / HALVES };
typedef double doubles __attribute__((vector_size(TL_VEC_BYTES)));
typedef tl_real half __attribute__((vector_size(TL_VEC_BYTES / HALVES)));

TL_SIMD doubles half_of(tl_vec v, int h) {
    half some;
    memcpy(&some, (const char *)&v + (size_t)h * sizeof some, sizeof some);
    return __builtin_convertvector(some, doubles);
}

static double sum_squares(const tl_real *x, long n) {
    doubles total[TL_PARTS * HALVES];
    for (int k = 0; k < TL_PARTS * HALVES; k++) total[k] = (doubles){0};
    long i = 0;
    for (; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const tl_vec v = row_load(x, i + p * TL_LANES, n, 0);
            TL_UNROLLED for (int h = 0; h < HALVES; h++) {
                const doubles d = half_of(v, h);
                total[p * HALVES + h] += d * d;
            }
        }
    }
    double sum[64 / sizeof(tl_real)];
    memcpy(sum, total, sizeof sum);
    for (int width = TL_WIDE / 2; width > 0; width /= 2)
        for (int k = 0; k < width; k++) sum[k] += sum[k + width];
    return sum[0];
}

extern const tl_update_kernels TL_KERNEL(tl_update_kernels);
const tl_update_kernels TL_KERNEL(tl_update_kernels) = {.sgd = sgd, .adam = adam, .sum_squares = sum_squares};
