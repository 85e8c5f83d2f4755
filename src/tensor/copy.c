/* Copying and accumulating between tensors of any strides.
 *
 * The order of the elements does not matter here, so axes are first sorted by the target's strides. What remains is a
 * number of planes, rows × columns, with contiguous columns in the target. For a transposed source, the rows are the
 * axis along which the source is contiguous, and the plane is copied in small tiles. */
#include "kernels/kernels.h"
#include "map.h"
#include "nest.h"
#include "share.h"

#include <string.h>

enum { ROWS = 64, TILE = 16 };

typedef struct plane {
    long rows, cols, to_row, to_col, from_row, from_col;
} plane;

typedef void accumulate_fn(long n, tl_real *to, const tl_real *from);

static void copy_tile(plane p, tl_real *to, const tl_real *from, bool add) {
    for (long r = 0; r < p.rows; r++)
        for (long c = 0; c < p.cols; c++) {
            tl_real *t = &to[r * p.to_row + c * p.to_col], v = from[r * p.from_row + c * p.from_col];
            *t = add ? *t + v : v;
        }
}

/* With accumulate NULL it copies. */
static void copy_plane(plane p, tl_real *to, const tl_real *from, accumulate_fn *accumulate) {
    if (p.to_col == 1 && p.from_col == 1) {
        for (long r = 0; r < p.rows; r++) {
            tl_real *t = to + r * p.to_row;
            const tl_real *f = from + r * p.from_row;
            if (accumulate)
                accumulate(p.cols, t, f);
            else
                memcpy(t, f, (size_t)p.cols * sizeof *t);
        }
        return;
    }
    for (long r = 0; r < p.rows; r += TILE)
        for (long c = 0; c < p.cols; c += TILE) {
            plane tile = p;
            tile.rows = p.rows - r < TILE ? p.rows - r : TILE;
            tile.cols = p.cols - c < TILE ? p.cols - c : TILE;
            copy_tile(tile, to + r * p.to_row + c * p.to_col, from + r * p.from_row + c * p.from_col,
                      accumulate != NULL);
        }
}

static void swap_axes(tl_tensor *t, int a, int b) { *t = tl_tensor_transpose(*t, a, b); }

static void sort_axes(tl_tensor *to, tl_tensor *from) {
    for (int i = 1; i < to->rank; i++)
        for (int j = i; j > 0 && to->stride[j - 1] < to->stride[j]; j--) {
            swap_axes(to, j - 1, j);
            swap_axes(from, j - 1, j);
        }
}

/* Moves the axis along which the source is contiguous to the place before the last. */
static void bring_rows(tl_nest *nest) {
    int last = nest->rank - 1;
    if (nest->rank < 3 || nest->stride[1][last] == 1) return;
    int rows = last - 1;
    for (int axis = 0; axis < last; axis++)
        if (nest->stride[1][axis] == 1) rows = axis;
    long dim = nest->dim[rows], to = nest->stride[0][rows], from = nest->stride[1][rows];
    for (int axis = rows; axis < last - 1; axis++) {
        nest->dim[axis] = nest->dim[axis + 1];
        nest->stride[0][axis] = nest->stride[0][axis + 1];
        nest->stride[1][axis] = nest->stride[1][axis + 1];
    }
    nest->dim[last - 1] = dim;
    nest->stride[0][last - 1] = to;
    nest->stride[1][last - 1] = from;
}

/* A nest of one axis is one long row; it is cut into pieces of LINE elements, to be shared out. */
enum { LINE = 4096 };

typedef struct copy_job {
    tl_nest nest, outer; /* outer: all axes but the plane's two */
    plane whole;
    long bands; /* of ROWS rows, in each plane */
    tl_real *to;
    const tl_real *from;
    accumulate_fn *accumulate;
} copy_job;

static void copy_line_piece(const void *of, long i) {
    const copy_job *job = of;
    long first = i * LINE, left = job->nest.count - first, to = job->nest.stride[0][0],
         from = job->nest.stride[1][0];
    plane part = {1, left < LINE ? left : LINE, 0, to, 0, from};
    copy_plane(part, job->to + first * to, job->from + first * from, job->accumulate);
}

static void copy_band(const void *of, long i) {
    const copy_job *job = of;
    long row = i % job->bands * ROWS, outer = i / job->bands;
    plane band = job->whole;
    band.rows = job->whole.rows - row < ROWS ? job->whole.rows - row : ROWS;
    long to = row * band.to_row, from = row * band.from_row;
    if (job->outer.rank > 0) {
        to += tl_nest_offset(&job->outer, 0, outer);
        from += tl_nest_offset(&job->outer, 1, outer);
    }
    copy_plane(band, job->to + to, job->from + from, job->accumulate);
}

bool tl_tensor_put(tl_tensor to, tl_tensor from, bool add) {
    if (!to.data) return false;
    from = tl_tensor_expand(from, tl_shape_of(to)); /* fails if `to` has an impossible shape */
    if (!from.data) return false;
    if (tl_numel(to) == 0) return true;
    sort_axes(&to, &from);
    copy_job job = {.nest = tl_nest_of(2, (tl_tensor[]){to, from}),
                    .to = to.data,
                    .from = from.data,
                    .accumulate = add ? tl_kernels_pick()->map->accumulate : NULL};
    tl_nest *nest = &job.nest;
    bool worth_it = nest->count >= TL_MAP_PARALLEL;
    if (nest->rank == 1) {
        tl_share(worth_it, (nest->count + LINE - 1) / LINE, copy_line_piece, &job);
        return true;
    }
    bring_rows(nest);
    int last = nest->rank - 1;
    job.whole = (plane){.rows = nest->dim[last - 1],
                        .cols = nest->dim[last],
                        .to_row = nest->stride[0][last - 1],
                        .to_col = nest->stride[0][last],
                        .from_row = nest->stride[1][last - 1],
                        .from_col = nest->stride[1][last]};
    job.bands = (job.whole.rows + ROWS - 1) / ROWS;
    job.outer = *nest;
    job.outer.rank -= 2;
    tl_share(worth_it, nest->count / (job.whole.rows * job.whole.cols) * job.bands, copy_band, &job);
    return true;
}

bool tl_tensor_copy(tl_tensor to, tl_tensor from) { return tl_tensor_put(to, from, false); }
