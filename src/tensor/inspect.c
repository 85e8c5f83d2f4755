/* Reads whole tensors (inspect.h), one line along the last axis after another. Contiguous lines are read in blocks, so
 * that a question about all elements costs little more than reading their memory. */
#include "inspect.h"

#include "nest.h"

#include <math.h>
#include <string.h>

#ifdef TL_DOUBLE
typedef uint64_t word;
# define EXPONENT 0x7ff0000000000000u
#else
typedef uint32_t word;
# define EXPONENT 0x7f800000u
#endif

enum { PIECE = 8192 }; /* elements at a time */

typedef struct reading {
    tl_nest nest;
    const tl_real *data;
    long last;    /* size of the nest's last axis, the length of a line */
    long in_line; /* pieces in a line */
    long pieces;
} reading;

/* Along broadcast axes one element is enough: they get size 1. */
static tl_tensor without_broadcasts(tl_tensor t) {
    for (int i = 0; i < t.rank; i++)
        if (t.stride[i] == 0) t.dim[i] = 1;
    return t;
}

static reading reading_of(tl_tensor t) {
    t = without_broadcasts(t);
    reading r = {.nest = tl_nest_of(1, &t), .data = t.data};
    r.last = r.nest.dim[r.nest.rank - 1];
    r.in_line = (r.last + PIECE - 1) / PIECE;
    r.pieces = r.nest.count / r.last * r.in_line;
    return r;
}

/* A piece's first element; in *first its index in the nest, in *count the elements, in *step their stride. */
static const tl_real *piece_of(const reading *r, long piece, long *first, long *count, long *step) {
    const long from = piece % r->in_line * PIECE;
    *first = piece / r->in_line * r->last + from;
    *count = r->last - from < PIECE ? r->last - from : PIECE;
    *step = r->nest.stride[0][r->nest.rank - 1];
    return r->data + tl_nest_offset(&r->nest, 0, *first);
}

/* ---- finite? ---- */

bool tl_all_finite(const tl_real *x, long n) {
    word found = 0;
    for (long i = 0; i < n; i++) {
        word bits;
        memcpy(&bits, &x[i], sizeof bits);
        found |= (bits & EXPONENT) == EXPONENT;
    }
    return !found;
}

/* The index of the first element of a piece that is not finite; -1: none. */
static long nonfinite_in(const reading *r, long piece) {
    long first, count, step;
    const tl_real *x = piece_of(r, piece, &first, &count, &step);
    if (step == 1 && tl_all_finite(x, count)) return -1;
    for (long i = 0; i < count; i++)
        if (!isfinite(x[i * step])) return first + i;
    return -1;
}

/* The index in t of element i of without_broadcasts(t). */
static long place_in(tl_tensor t, long i) {
    const tl_tensor read = without_broadcasts(t);
    long place = 0, step = 1;
    for (int axis = t.rank - 1; axis >= 0; axis--) {
        place += i % read.dim[axis] * step;
        i /= read.dim[axis];
        step *= t.dim[axis];
    }
    return place;
}

long tl_tensor_nonfinite(tl_tensor t) {
    if (tl_numel(t) == 0) return -1;
    const reading r = reading_of(t);
    for (long piece = 0; piece < r.pieces; piece++) {
        const long at = nonfinite_in(&r, piece);
        if (at >= 0) return place_in(t, at);
    }
    return -1;
}

bool tl_row_is_finite(tl_tensor row) {
    return row.stride[0] == 1 ? tl_all_finite(row.data, row.dim[0]) : tl_tensor_nonfinite(row) < 0;
}

const char *tl_nonfinite_text(double number) { return isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"; }

double tl_tensor_element(tl_tensor t, long i) {
    if (i < 0 || i >= tl_numel(t)) return NAN;
    const tl_nest nest = tl_nest_of(1, &t);
    return (double)t.data[tl_nest_offset(&nest, 0, i)];
}

/* ---- unchanged? ---- */

/* One step of a hash. A step can be undone, so two pieces that differ in one element differ in their hash. */
static uint64_t mixed(uint64_t h, uint64_t bits) {
    h = (h ^ bits) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t fingerprint_of(const reading *r, long piece) {
    long first, count, step, i = 0;
    const tl_real *x = piece_of(r, piece, &first, &count, &step);
    enum { EACH = sizeof(uint64_t) / sizeof(tl_real), LANES = 4 };
    uint64_t lane[LANES] = {1, 2, 3, 4};
    for (; step == 1 && i + LANES * EACH <= count; i += LANES * EACH) {
        uint64_t bits[LANES];
        memcpy(bits, x + i, sizeof bits);
        for (int k = 0; k < LANES; k++) lane[k] = mixed(lane[k], bits[k]);
    }
    for (; i < count; i++) {
        word bits;
        memcpy(&bits, &x[i * step], sizeof bits);
        lane[i % LANES] = mixed(lane[i % LANES], bits);
    }
    return mixed(mixed(mixed(lane[0], lane[1]), lane[2]), lane[3]);
}

uint64_t tl_tensor_fingerprint(tl_tensor t) {
    if (tl_numel(t) == 0) return 0;
    const reading r = reading_of(t);
    uint64_t sum = 0;
    for (long piece = 0; piece < r.pieces; piece++) sum = mixed(sum, fingerprint_of(&r, piece));
    return sum;
}
