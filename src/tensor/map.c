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

/* An operand of a kernel with steps: one number (step 0) if it is constant along the piece, else a row (step 1). */
static const tl_real *side(const tl_nest *nest, int operand, const tl_real *data, long from, long n,
                           tl_real *buffer, long *step) {
    int last = nest->rank - 1;
    *step = !(nest->stride[operand][last] == 0 && from % nest->dim[last] + n <= nest->dim[last]);
    return *step ? tl_nest_read(nest, operand, data, from, n, buffer)
                 : data + tl_nest_offset(nest, operand, from);
}

/* The operands of one kernel call: elements first … first+n-1, contiguous or one number. */
typedef struct operands {
    long first, n, step[3];
    tl_real *out;
    const tl_real *in[3];
} operands;

/* What all threads read. Operand 0 of the nest is the output, operands 1, 2, … are in[0], in[1], …. */
typedef struct map_job {
    tl_nest nest;
    pieces all;
    tl_real *out;
    const tl_real *in[3];
    int rows; /* the kernel takes no steps for the first `rows` inputs */
    void (*call)(const struct map_job *job, const operands *o);
    union {
        tl_map1_fn *map1;
        tl_map1_grad_fn *map1_grad;
        tl_map2_fn *map2;
        tl_map2_grad_fn *map2_grad;
        tl_map3_fn *map3;
    } fn;
    double p;
    bool add;
    tl_rng_key key;
} map_job;

static void piece(const void *of, long i) {
    const map_job *job = of;
    const tl_nest *nest = &job->nest;
    operands o;
    tl_real buffer[TL_NEST_OPERANDS][PIECE];
    piece_at(nest, job->all, i, &o.first, &o.n);
    for (int k = 0; k < nest->operands - 1; k++)
        o.in[k] = k < job->rows ? tl_nest_read(nest, k + 1, job->in[k], o.first, o.n, buffer[k + 1])
                                : side(nest, k + 1, job->in[k], o.first, o.n, buffer[k + 1], &o.step[k]);
    o.out = nest->whole[0] ? job->out + o.first : buffer[0];
    if (!nest->whole[0] && job->add)
        o.out = (tl_real *)tl_nest_read(nest, 0, job->out, o.first, o.n, buffer[0]);
    job->call(job, &o);
    if (o.out == buffer[0]) tl_nest_write(nest, 0, job->out, o.first, o.n, o.out);
}

/* t: the output, then the inputs, which are broadcast to its shape. */
static void run(map_job *job, int inputs, const tl_tensor *t, long worth_it) {
    tl_tensor all[TL_NEST_OPERANDS] = {t[0]};
    if (tl_numel(t[0]) == 0) return;
    for (int i = 0; i < inputs; i++) {
        all[i + 1] = tl_tensor_expand(t[i + 1], tl_shape_of(t[0]));
        if (!all[i + 1].data) return;
        job->in[i] = all[i + 1].data;
    }
    job->nest = tl_nest_of(1 + inputs, all);
    job->all = cut(&job->nest);
    job->out = t[0].data;
    tl_share(job->nest.count >= worth_it, job->all.count, piece, job);
}

/* ---- one operand ---- */

static void call_map1(const map_job *job, const operands *o) {
    job->fn.map1(o->n, o->out, o->in[0], (tl_real)job->p);
}

void tl_map1(tl_tensor y, tl_tensor x, tl_map1_fn *fn, double p) {
    map_job job = {.call = call_map1, .fn.map1 = fn, .rows = 1, .p = p};
    run(&job, 1, (tl_tensor[]){y, x}, TL_MAP_PARALLEL / 2);
}

static void call_map1_grad(const map_job *job, const operands *o) {
    job->fn.map1_grad(o->n, o->out, o->in[0], o->in[1], o->in[2], (tl_real)job->p, job->add);
}

void tl_map1_grad(tl_tensor dx, tl_tensor dy, tl_tensor x, tl_tensor y, tl_map1_grad_fn *fn, double p,
                  bool add) {
    map_job job = {.call = call_map1_grad, .fn.map1_grad = fn, .rows = 3, .p = p, .add = add};
    run(&job, 3, (tl_tensor[]){dx, dy, x, y}, TL_MAP_PARALLEL / 2);
}

/* ---- two operands ---- */

static void call_map2(const map_job *job, const operands *o) {
    job->fn.map2(o->n, o->out, o->in[0], o->step[0], o->in[1], o->step[1]);
}

void tl_map2(tl_tensor z, tl_tensor x, tl_tensor y, tl_map2_fn *fn) {
    map_job job = {.call = call_map2, .fn.map2 = fn};
    run(&job, 2, (tl_tensor[]){z, x, y}, TL_MAP_PARALLEL);
}

static void call_map2_grad(const map_job *job, const operands *o) {
    job->fn.map2_grad(o->n, o->out, o->in[0], o->in[1], o->step[1], o->in[2], o->step[2], job->add);
}

void tl_map2_grad(tl_tensor dx, tl_tensor dy, tl_tensor a, tl_tensor b, tl_map2_grad_fn *fn, bool add) {
    map_job job = {.call = call_map2_grad, .fn.map2_grad = fn, .rows = 1, .add = add};
    run(&job, 3, (tl_tensor[]){dx, dy, a, b}, TL_MAP_PARALLEL);
}

/* ---- three operands ---- */

static void call_map3(const map_job *job, const operands *o) {
    job->fn.map3(o->n, o->out, o->in[0], o->step[0], o->in[1], o->step[1], o->in[2], o->step[2]);
}

void tl_map3(tl_tensor w, tl_tensor x, tl_tensor y, tl_tensor z, tl_map3_fn *fn) {
    map_job job = {.call = call_map3, .fn.map3 = fn};
    run(&job, 3, (tl_tensor[]){w, x, y, z}, TL_MAP_PARALLEL / 2);
}

/* ---- dropout ---- */

static void call_dropout(const map_job *job, const operands *o) {
    tl_kernels_pick()->map->dropout(o->n, o->out, o->in[0], job->p, job->key, (uint64_t)o->first, job->add);
}

void tl_map_dropout(tl_tensor y, tl_tensor x, double p, tl_rng_key key, bool add) {
    map_job job = {.call = call_dropout, .rows = 1, .p = p, .key = key, .add = add};
    run(&job, 1, (tl_tensor[]){y, x}, TL_MAP_PARALLEL / 2);
}
