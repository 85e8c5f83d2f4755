/* Max, top k and gather along one axis. Each line along the axis is a job of its own; a nest of the other axes gives
 * the place of its first element. */
#include "along.h"
#include "map.h"
#include "nest.h"
#include "share.h"
#include "sizes.h"

#include <math.h>

static bool larger(tl_real a, tl_real b) { return a > b || (isnan(a) && !isnan(b)); }

void tl_tensor_max(tl_tensor y, int32_t *index, tl_tensor x, int axis) {
    if (!y.data || !x.data || axis < 0 || axis >= x.rank || tl_numel(x) == 0) return;
    long n = x.dim[axis], step = x.stride[axis];
    tl_tensor first = tl_tensor_slice(x, axis, 0, 1);
    tl_nest nest = tl_nest_of(1, &first);
    for (long i = 0; i < nest.count; i++) {
        const tl_real *from = x.data + tl_nest_offset(&nest, 0, i);
        long best = 0;
        for (long j = 1; j < n; j++)
            if (larger(from[j * step], from[best * step])) best = j;
        y.data[i] = from[best * step];
        index[i] = (int32_t)best;
    }
}

void tl_tensor_max_grad(tl_tensor dx, tl_tensor dy, const int32_t *index, int axis) {
    if (!dx.data || !dy.data || axis < 0 || axis >= dx.rank || tl_numel(dx) == 0) return;
    tl_tensor first = tl_tensor_slice(dx, axis, 0, 1);
    tl_nest nest = tl_nest_of(1, &first);
    for (long i = 0; i < nest.count; i++)
        dx.data[tl_nest_offset(&nest, 0, i) + index[i] * dx.stride[axis]] += dy.data[i];
}

/* ---- argmax and top k ---- */

/* Does element i come before element j: is it larger, or equal and at a lower index? A total order, so the result is
 * unique. */
static bool before(const tl_real *x, long step, long i, long j) {
    const tl_real a = x[i * step], b = x[j * step];
    return larger(a, b) || (!larger(b, a) && i < j);
}

/* A heap of ids of one line; the root is the id that comes last (see before). */
typedef struct heap {
    const tl_real *x;
    long step;
    int *id;
    long id_step;
} heap;

static void sink_down(const heap *h, long size, long at, int id) {
    for (long child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size &&
            before(h->x, h->step, h->id[child * h->id_step], h->id[(child + 1) * h->id_step]))
            child++;
        if (!before(h->x, h->step, id, h->id[child * h->id_step])) break;
        h->id[at * h->id_step] = h->id[child * h->id_step];
    }
    h->id[at * h->id_step] = id;
}

/* The first k of n elements, in order. Each later element that comes before the root replaces it. Then the heap is
 * sorted: the root moves to the end, again and again. */
static void top_of_line(const heap *h, long n, long k) {
    for (long i = 0; i < k; i++) h->id[i * h->id_step] = (int)i;
    for (long at = k / 2 - 1; at >= 0; at--) sink_down(h, k, at, h->id[at * h->id_step]);
    for (long i = k; i < n; i++)
        if (before(h->x, h->step, i, h->id[0])) sink_down(h, k, 0, (int)i);
    for (long size = k - 1; size > 0; size--) {
        const int first = h->id[size * h->id_step];
        h->id[size * h->id_step] = h->id[0];
        sink_down(h, size, 0, first);
    }
}

/* The lines of x, and those of `picked`, which has one element for each one picked from x and is row-major. */
typedef struct lines {
    tl_nest nest; /* over the lines' first elements, of picked and of x */
    long k, step; /* picked's size and stride along the axis */
} lines;

static lines lines_of(tl_tensor x, tl_shape picked, int axis) {
    tl_tensor first[2] = {tl_tensor_of(x.data, picked), x};
    const long step = first[0].stride[axis];
    for (int i = 0; i < 2; i++)
        for (int a = 0; a < x.rank; a++) first[i].dim[a] = a == axis ? 1 : picked.dim[a];
    return (lines){tl_nest_of(2, first), picked.dim[axis], step};
}

bool tl_top_k(tl_tensor x, int axis, long k, int *ids, tl_real *values) {
    const int at = x.data && tl_shape_numel(tl_shape_of(x)) >= 0 ? tl_axis_of(x.rank, axis) : -1;
    if (at < 0 || !ids || k < 0 || k > x.dim[at] || x.dim[at] > INT_MAX) return false;
    if (k == 0 || tl_numel(x) == 0) return true;
    tl_shape shape = tl_shape_of(x);
    shape.dim[at] = k;
    const lines l = lines_of(x, shape, at);
    TL_EACH(line, l.nest.count, tl_numel(x) >= TL_MAP_PARALLEL, {
        const long to = tl_nest_offset(&l.nest, 0, line);
        const heap h = {x.data + tl_nest_offset(&l.nest, 1, line), x.stride[at], ids + to, l.step};
        top_of_line(&h, x.dim[at], k);
        for (long j = 0; j < k && values; j++) values[to + j * l.step] = h.x[h.id[j * l.step] * h.step];
    });
    return true;
}

bool tl_argmax(tl_tensor x, int axis, int *ids) { return tl_top_k(x, axis, 1, ids, NULL); }

/* ---- gather ---- */

void tl_tensor_gather(tl_tensor y, tl_tensor x, int axis, const int *ids) {
    if (!y.data || !x.data || tl_numel(y) == 0) return;
    const lines l = lines_of(x, tl_shape_of(y), axis);
    TL_EACH(line, l.nest.count, tl_numel(y) >= TL_MAP_PARALLEL, {
        const long to = tl_nest_offset(&l.nest, 0, line), from = tl_nest_offset(&l.nest, 1, line);
        for (long j = to; j < to + l.k * l.step; j += l.step)
            y.data[j] = x.data[from + ids[j] * x.stride[axis]];
    });
}

/* Lines share no element, so threads do not write to the same place. */
void tl_tensor_gather_grad(tl_tensor dx, tl_tensor dy, int axis, const int *ids) {
    if (!dx.data || !dy.data || tl_numel(dy) == 0) return;
    const lines l = lines_of(dx, tl_shape_of(dy), axis);
    TL_EACH(line, l.nest.count, tl_numel(dy) >= TL_MAP_PARALLEL, {
        const long from = tl_nest_offset(&l.nest, 0, line), to = tl_nest_offset(&l.nest, 1, line);
        for (long j = from; j < from + l.k * l.step; j += l.step)
            dx.data[to + ids[j] * dx.stride[axis]] += dy.data[j];
    });
}
