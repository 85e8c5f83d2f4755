/* Shares flat ranges out among threads in pieces that depend on their length alone. */
#include "update.h"
#include "kernels/kernels.h"

enum {
    PIECE = 4096, /* numbers, the least that is worth a turn */
    PIECES = 256, /* partial sums at most, a power of two */
    SMALL = 65536 /* up to so many numbers, one thread is as fast as two */
};

static long min_long(long a, long b) { return a < b ? a : b; }

void tl_update_sgd(tl_real *p, tl_real *b, const tl_real *grad, long n, const tl_sgd_update *u) {
    const tl_update_kernels *k = tl_kernels_pick()->update;
#pragma omp parallel for schedule(static) if (n > SMALL)
    for (long i = 0; i < n; i += PIECE) k->sgd(p + i, b ? b + i : NULL, grad + i, min_long(PIECE, n - i), u);
}

void tl_update_adam(tl_real *p, tl_real *m, tl_real *v, const tl_real *grad, long n,
                    const tl_adam_update *u) {
    const tl_update_kernels *k = tl_kernels_pick()->update;
#pragma omp parallel for schedule(static) if (n > SMALL)
    for (long i = 0; i < n; i += PIECE) k->adam(p + i, m + i, v + i, grad + i, min_long(PIECE, n - i), u);
}

double tl_sum_squares(const tl_real *x, long n) {
    const tl_update_kernels *k = tl_kernels_pick()->update;
    double sum[PIECES] = {0};
    long piece = PIECE; /* doubled until there are few enough */
    while (piece * PIECES < n) piece *= 2;
#pragma omp parallel for schedule(static) if (n > SMALL)
    for (long i = 0; i < n; i += piece) sum[i / piece] = k->sum_squares(x + i, min_long(piece, n - i));
    for (int width = PIECES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) sum[i] += sum[i + width];
    return sum[0];
}

void tl_update_scale(tl_real *x, long n, double factor) {
    const tl_real f = (tl_real)factor;
#pragma omp parallel for schedule(static) if (n > SMALL)
    for (long i = 0; i < n; i++) x[i] *= f;
}
