/* Drivers of element-wise kernels. The elements, in row-major order, are cut into pieces. Each piece is a kernel call
 * on contiguous numbers, which are read in place or copied to a buffer on the stack. The threads share the pieces. */
#include "map.h"
#include "kernels/kernels.h"
#include "nest.h"
#include "share.h"

enum { PIECE = 1024 };

/* A stretch is a run of elements along the last axis. Only where stretches are short does a piece hold more than
 * one. */
typedef struct pieces {
    long count, length, stretch; /* stretch 0: pieces ignore stretches */
} pieces;

static pieces cut(const tl_nest *nest) {
    long stretch = nest->dim[nest->rank - 1];
    if (nest->rank == 1 || stretch < PIECE / 2) return (pieces){(nest->count + PIECE - 1) / PIECE, PIECE, 0};
    long each = (stretch + PIECE - 1) / PIECE;
    return (pieces){nest->count / stretch * each, PIECE, stretch};
}

static void piece_at(const tl_nest *nest, pieces p, long i, long *from, long *n) {
    long end = nest->count;
    if (p.stretch) {
        long each = (p.stretch + p.length - 1) / p.length, row = i / each;
        *from = row * p.stretch + i % each * p.length;
        end = (row + 1) * p.stretch;
    } else {
        *from = i * p.length;
    }
    *n = end - *from < p.length ? end - *from : p.length;
}

/* Where a kernel writes: into the tensor, or into the buffer that tl_nest_write copies from. */
static tl_real *target(const tl_nest *nest, int operand, tl_real *data, long from, long n, tl_real *buffer,
                       bool add) {
    const tl_real *old = nest->whole[operand] ? data + from : buffer;
    if (!nest->whole[operand] && add) old = tl_nest_read(nest, operand, data, from, n, buffer);
    return (tl_real *)old;
}
static void finish(const tl_nest *nest, int operand, tl_real *data, long from, long n, const tl_real *written,
                   const tl_real *buffer) {
    if (written == buffer) tl_nest_write(nest, operand, data, from, n, buffer);
}

/* An operand of a kernel with steps: one number (step 0) if it is constant along the piece, else a row (step 1). */
static const tl_real *side(const tl_nest *nest, int operand, const tl_real *data, long from, long n,
                           tl_real *buffer, long *step) {
    int last = nest->rank - 1;
    *step = !(nest->stride[operand][last] == 0 && from % nest->dim[last] + n <= nest->dim[last]);
    return *step ? tl_nest_read(nest, operand, data, from, n, buffer)
                 : data + tl_nest_offset(nest, operand, from);
}

/* What all threads read. Operand 0 of the nest is the output, operands 1, 2, … are in[0], in[1], …. */
typedef struct map_job {
    tl_nest nest;
    pieces all;
    tl_real *out;
    const tl_real *in[3];
    tl_map1_fn *map1;
    tl_map1_grad_fn *map1_grad;
    tl_map2_fn *map2;
    tl_map2_grad_fn *map2_grad;
    tl_map3_fn *map3;
    double p;
    bool add;
    tl_rng_key key;
} map_job;

static void run(map_job *job, int inputs, const tl_tensor *t, tl_piece_fn *piece, long worth_it) {
    job->nest = tl_nest_of(1 + inputs, t);
    job->all = cut(&job->nest);
    job->out = t[0].data;
    for (int i = 0; i < inputs; i++) job->in[i] = t[i + 1].data;
    tl_share(job->nest.count >= worth_it, job->all.count, piece, job);
}

static bool as_shape(tl_tensor *x, tl_tensor y) {
    *x = tl_tensor_expand(*x, tl_shape_of(y));
    return x->data != NULL;
}

/* ---- one operand ---- */

static void map1_piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    long from, n;
    tl_real buffer[2][PIECE];
    piece_at(nest, job->all, i, &from, &n);
    const tl_real *x = tl_nest_read(nest, 1, job->in[0], from, n, buffer[1]);
    tl_real *y = target(nest, 0, job->out, from, n, buffer[0], false);
    job->map1(n, y, x, (tl_real)job->p);
    finish(nest, 0, job->out, from, n, y, buffer[0]);
}

void tl_map1(tl_tensor y, tl_tensor x, tl_map1_fn *fn, double p) {
    if (!y.data || !as_shape(&x, y) || tl_numel(y) == 0) return;
    map_job job = {.map1 = fn, .p = p};
    run(&job, 1, (tl_tensor[]){y, x}, map1_piece, TL_MAP_PARALLEL / 2);
}

static void map1_grad_piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    long from, n;
    tl_real buffer[4][PIECE];
    piece_at(nest, job->all, i, &from, &n);
    const tl_real *dy = tl_nest_read(nest, 1, job->in[0], from, n, buffer[1]);
    const tl_real *x = tl_nest_read(nest, 2, job->in[1], from, n, buffer[2]);
    const tl_real *y = tl_nest_read(nest, 3, job->in[2], from, n, buffer[3]);
    tl_real *dx = target(nest, 0, job->out, from, n, buffer[0], job->add);
    job->map1_grad(n, dx, dy, x, y, (tl_real)job->p, job->add);
    finish(nest, 0, job->out, from, n, dx, buffer[0]);
}

void tl_map1_grad(tl_tensor dx, tl_tensor dy, tl_tensor x, tl_tensor y, tl_map1_grad_fn *fn, double p,
                  bool add) {
    if (!dx.data || !as_shape(&dy, dx) || !as_shape(&x, dx) || !as_shape(&y, dx) || tl_numel(dx) == 0) return;
    map_job job = {.map1_grad = fn, .p = p, .add = add};
    run(&job, 3, (tl_tensor[]){dx, dy, x, y}, map1_grad_piece, TL_MAP_PARALLEL / 2);
}

/* ---- two operands ---- */

static void map2_piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    long from, n, x_step, y_step;
    tl_real buffer[3][PIECE];
    piece_at(nest, job->all, i, &from, &n);
    const tl_real *x = side(nest, 1, job->in[0], from, n, buffer[1], &x_step);
    const tl_real *y = side(nest, 2, job->in[1], from, n, buffer[2], &y_step);
    tl_real *z = target(nest, 0, job->out, from, n, buffer[0], false);
    job->map2(n, z, x, x_step, y, y_step);
    finish(nest, 0, job->out, from, n, z, buffer[0]);
}

void tl_map2(tl_tensor z, tl_tensor x, tl_tensor y, tl_map2_fn *fn) {
    if (!z.data || !as_shape(&x, z) || !as_shape(&y, z) || tl_numel(z) == 0) return;
    map_job job = {.map2 = fn};
    run(&job, 2, (tl_tensor[]){z, x, y}, map2_piece, TL_MAP_PARALLEL);
}

static void map2_grad_piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    long from, n, a_step, b_step;
    tl_real buffer[4][PIECE];
    piece_at(nest, job->all, i, &from, &n);
    const tl_real *dy = tl_nest_read(nest, 1, job->in[0], from, n, buffer[1]);
    const tl_real *a = side(nest, 2, job->in[1], from, n, buffer[2], &a_step);
    const tl_real *b = side(nest, 3, job->in[2], from, n, buffer[3], &b_step);
    tl_real *dx = target(nest, 0, job->out, from, n, buffer[0], job->add);
    job->map2_grad(n, dx, dy, a, a_step, b, b_step, job->add);
    finish(nest, 0, job->out, from, n, dx, buffer[0]);
}

void tl_map2_grad(tl_tensor dx, tl_tensor dy, tl_tensor a, tl_tensor b, tl_map2_grad_fn *fn, bool add) {
    if (!dx.data || !as_shape(&dy, dx) || !as_shape(&a, dx) || !as_shape(&b, dx) || tl_numel(dx) == 0) return;
    map_job job = {.map2_grad = fn, .add = add};
    run(&job, 3, (tl_tensor[]){dx, dy, a, b}, map2_grad_piece, TL_MAP_PARALLEL);
}

/* ---- three operands ---- */

static void map3_piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    long from, n, step[3];
    const tl_real *in[3];
    tl_real buffer[4][PIECE];
    piece_at(nest, job->all, i, &from, &n);
    for (int k = 0; k < 3; k++) in[k] = side(nest, k + 1, job->in[k], from, n, buffer[k + 1], &step[k]);
    tl_real *w = target(nest, 0, job->out, from, n, buffer[0], false);
    job->map3(n, w, in[0], step[0], in[1], step[1], in[2], step[2]);
    finish(nest, 0, job->out, from, n, w, buffer[0]);
}

void tl_map3(tl_tensor w, tl_tensor x, tl_tensor y, tl_tensor z, tl_map3_fn *fn) {
    if (!w.data || !as_shape(&x, w) || !as_shape(&y, w) || !as_shape(&z, w) || tl_numel(w) == 0) return;
    map_job job = {.map3 = fn};
    run(&job, 3, (tl_tensor[]){w, x, y, z}, map3_piece, TL_MAP_PARALLEL / 2);
}

/* ---- dropout ---- */

static void dropout_piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    long from, n;
    tl_real buffer[2][PIECE];
    piece_at(nest, job->all, i, &from, &n);
    const tl_real *x = tl_nest_read(nest, 1, job->in[0], from, n, buffer[1]);
    tl_real *y = target(nest, 0, job->out, from, n, buffer[0], job->add);
    tl_kernels_pick()->map->dropout(n, y, x, job->p, job->key, (uint64_t)from, job->add);
    finish(nest, 0, job->out, from, n, y, buffer[0]);
}

void tl_map_dropout(tl_tensor y, tl_tensor x, double p, tl_rng_key key, bool add) {
    if (!y.data || !as_shape(&x, y) || tl_numel(y) == 0) return;
    map_job job = {.p = p, .key = key, .add = add};
    run(&job, 1, (tl_tensor[]){y, x}, dropout_piece, TL_MAP_PARALLEL / 2);
}
