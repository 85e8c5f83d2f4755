/* Sums and norms over axes. Shapes alone determine the order of every sum (map.h says how), so neither threads nor
 * strides change a bit. */
#include "kernels/kernels.h"
#include "map.h"
#include "nest.h"
#include "share.h"

#include <math.h>
#include <string.h>

/* ---- long sequences: blocks, added up in double ---- */

enum { BLOCK = 2048, GROUP = 256 };

typedef double block_fn(long n, const tl_real *x);

static double block_sum(long n, const tl_real *x) { return tl_kernels_pick()->map->sum(n, x); }
static double block_squares(long n, const tl_real *x) { return tl_kernels_pick()->update->sum_squares(x, n); }

typedef struct block_job {
    const tl_nest *nest;
    int operand;
    const tl_real *data;
    block_fn *fn;
    long first;
    double *partial;
} block_job;

static void block_piece(const void *of, long i) {
    const block_job *job = of;
    tl_real buffer[BLOCK];
    long from = (job->first + i) * BLOCK, left = job->nest->count - from, n = left < BLOCK ? left : BLOCK;
    job->partial[i] = job->fn(n, tl_nest_read(job->nest, job->operand, job->data, from, n, buffer));
}

/* Blocks are shared out group by group; their sums are added up in order. */
static double sequence(const tl_nest *nest, int operand, const tl_real *data, block_fn *fn) {
    long blocks = (nest->count + BLOCK - 1) / BLOCK;
    double total = 0, partial[GROUP];
    block_job job = {nest, operand, data, fn, 0, partial};
    for (; job.first < blocks; job.first += GROUP) {
        long count = blocks - job.first < GROUP ? blocks - job.first : GROUP;
        tl_share(nest->count >= TL_MAP_PARALLEL, count, block_piece, &job);
        for (long i = 0; i < count; i++) total += partial[i];
    }
    return total;
}

double tl_tensor_norm(tl_tensor t) {
    if (tl_numel(t) == 0) return 0;
    tl_nest nest = tl_nest_of(1, &t);
    return sqrt(sequence(&nest, 0, t.data, block_squares));
}

/* ---- sum_to ---- */

/* The axes of `from` in three parts, each a nest over (to, from): `summed`, the axes that are summed; `outer`, those
 * that stay and lie before the last summed axis; `columns`, those that stay and lie behind it. */
typedef struct reduction {
    tl_nest outer, summed, columns;
    tl_real *to;
    const tl_real *from;
    bool add;
} reduction;

typedef struct part { /* some of the axes, as a pair of tensors */
    tl_tensor t[2];
} part;

static void pick(part *p, long dim, long to_stride, long from_stride) {
    int axis = p->t[0].rank++;
    p->t[1].rank++;
    p->t[0].dim[axis] = p->t[1].dim[axis] = dim;
    p->t[0].stride[axis] = to_stride;
    p->t[1].stride[axis] = from_stride;
}

/* False if the shapes do not fit. *any: is there an axis to sum? */
static bool divide(tl_tensor to, tl_tensor from, reduction *r, bool *any) {
    if (!to.data || !from.data || to.rank > from.rank) return false;
    int missing = from.rank - to.rank, last = -1;
    for (int i = 0; i < from.rank; i++) {
        long have = i < missing ? 1 : to.dim[i - missing];
        if (have != from.dim[i] && have != 1) return false;
        if (have != from.dim[i]) last = i;
    }
    *any = last >= 0;
    part outer = {{to, from}}, summed = outer, columns = outer;
    outer.t[0].rank = outer.t[1].rank = summed.t[0].rank = summed.t[1].rank = 0;
    columns.t[0].rank = columns.t[1].rank = 0;
    for (int i = 0; i < from.rank; i++) {
        bool stays = i >= missing && to.dim[i - missing] == from.dim[i];
        pick(!stays     ? &summed
             : i < last ? &outer
                        : &columns,
             from.dim[i], stays ? to.stride[i - missing] : 0, from.stride[i]);
    }
    r->outer = tl_nest_of(2, outer.t);
    r->summed = tl_nest_of(2, summed.t);
    r->columns = tl_nest_of(2, columns.t);
    return true;
}

static void sum_row(const void *of, long i) {
    const reduction *r = of;
    tl_real *to = r->to + tl_nest_offset(&r->outer, 0, i);
    double total = sequence(&r->summed, 1, r->from + tl_nest_offset(&r->outer, 1, i), block_sum);
    *to = (r->add ? *to : 0) + (tl_real)total;
}

/* The last axis is summed: one number for each outer element. Threads share the outer elements, or the blocks of long
 * sums. */
static void sum_rows(const reduction *r) {
    long count = r->outer.count;
    bool worth_it = r->summed.count < TL_MAP_PARALLEL && count * r->summed.count >= TL_MAP_PARALLEL;
    tl_share(worth_it, count, sum_row, r);
}

/* Few columns: strips of NARROW columns, summed in registers. Many: strips of WIDE, whose lines are added to a
 * buffer. */
enum { NARROW = 64, WIDE = 1024 };
static long width_of(const reduction *r) { return r->columns.count >= WIDE ? WIDE : NARROW; }
static long strips_of(const reduction *r) { return (r->columns.count + width_of(r) - 1) / width_of(r); }

/* Sums a strip of columns, each in one chain over all rows. */
static void sum_strip(const void *of, long i) {
    const reduction *r = of;
    const tl_map_kernels *map = tl_kernels_pick()->map;
    long strips = strips_of(r), width = width_of(r), first = i % strips * width, outer = i / strips;
    long left = r->columns.count - first, n = left < width ? left : width;
    tl_real sum[WIDE], buffer[WIDE];
    tl_real *to = r->to + tl_nest_offset(&r->outer, 0, outer);
    const tl_real *from = r->from + tl_nest_offset(&r->outer, 1, outer);
    if (width == NARROW && r->summed.rank == 1 && r->columns.whole[1]) {
        map->columns(r->summed.count, n, sum, from + first, r->summed.stride[1][0], false);
    } else {
        memset(sum, 0, (size_t)n * sizeof *sum);
        for (long row = 0; row < r->summed.count; row++) {
            const tl_real *line = from + tl_nest_offset(&r->summed, 1, row);
            map->accumulate(n, sum, tl_nest_read(&r->columns, 1, line, first, n, buffer));
        }
    }
    if (r->add) map->accumulate(n, sum, tl_nest_read(&r->columns, 0, to, first, n, buffer));
    tl_nest_write(&r->columns, 0, to, first, n, sum);
}

static void sum_columns(const reduction *r) {
    long count = r->outer.count * strips_of(r);
    tl_share(r->outer.count * r->summed.count * r->columns.count >= TL_MAP_PARALLEL, count, sum_strip, r);
}

bool tl_tensor_sum_to(tl_tensor to, tl_tensor from, bool add) {
    bool any;
    reduction r = {.to = to.data, .from = from.data, .add = add};
    if (!divide(to, from, &r, &any)) return false;
    if (!any) {
        to = tl_tensor_expand(to, tl_shape_of(from)); /* adds the axes of size 1 that `to` lacks */
        return tl_tensor_put(to, from, add);
    }
    if (tl_numel(to) == 0) return true;
    if (r.columns.count > 1)
        sum_columns(&r);
    else
        sum_rows(&r);
    return true;
}
