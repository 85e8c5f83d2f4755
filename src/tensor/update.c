/* Shares flat ranges out among threads, in pieces that depend on a range's length alone. */
#include "update.h"
#include "kernels/kernels.h"
#include "share.h"

enum {
    PIECE = 4096, /* numbers of a thread at a time */
    PIECES = 256, /* partial sums at most, a power of two */
    SMALL = 16384 /* up to so many numbers, one thread is as fast as two */
};

static long min_long(long a, long b) { return a < b ? a : b; }
static long pieces(long n, long piece) { return (n + piece - 1) / piece; }

void tl_update_sgd(tl_real *p, tl_real *b, const tl_real *grad, long n, const tl_sgd_update *u) {
    const tl_update_kernels *k = tl_kernels_pick()->update;
    TL_EACH(piece, pieces(n, PIECE), n > SMALL, {
        const long i = piece * PIECE;
        k->sgd(p + i, b ? b + i : NULL, grad + i, min_long(PIECE, n - i), u);
    });
}

/* Updates elements from … to-1, counted through all ranges one after another. */
static void adam_part(const tl_adam_range *range, int count, long from, long to) {
    const tl_update_kernels *k = tl_kernels_pick()->update;
    for (int i = 0; i < count; from -= range[i].n, to -= range[i].n, i++) {
        const tl_adam_range *r = &range[i];
        const long first = from > 0 ? from : 0, n = min_long(to, r->n) - first;
        if (n > 0) k->adam(r->p + first, r->m + first, r->v + first, r->grad + first, n, &r->update);
    }
}

void tl_update_adam_ranges(const tl_adam_range *range, int count) {
    long total = 0;
    for (int i = 0; i < count; i++) total += range[i].n;
    TL_EACH(piece, pieces(total, PIECE), total > SMALL,
            adam_part(range, count, piece * PIECE, min_long((piece + 1) * PIECE, total)));
}

double tl_sum_squares(const tl_real *x, long n) {
    const tl_update_kernels *k = tl_kernels_pick()->update;
    double sum[PIECES] = {0};
    long piece = PIECE; /* doubled until there are few enough */
    while (piece * PIECES < n) piece *= 2;
    TL_EACH(i, pieces(n, piece), n > SMALL,
            sum[i] = k->sum_squares(x + i * piece, min_long(piece, n - i * piece)));
    for (int width = PIECES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) sum[i] += sum[i + width];
    return sum[0];
}

void tl_update_scale(tl_real *x, long n, double factor) {
    const tl_real f = (tl_real)factor;
    TL_EACH(piece, pieces(n, PIECE), n > SMALL,
            for (long i = piece * PIECE; i < min_long((piece + 1) * PIECE, n); i++) x[i] *= f);
}
