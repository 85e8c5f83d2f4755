/* linear_cross_entropy: the loss of cross_entropy(linear(x, w, bias)) without the logits [N,V] ever being stored:
 * forward and gradient go together over blocks of rows small enough for the cache.
 *
 *     for each block of real (not ignored) rows, x_blk [R,D]:
 *         z  = x_blk·wᵀ + bias                                        [R,V]
 *         loss += cross_entropy(z);   z = d(loss)/dz                  in place
 *         dx_blk = z·w;   dw += zᵀ·x_blk;   dbias += sum over rows of z
 *
 * The gradients, for dy = 1, wait on the tape; without gradients only the loss is computed. Every sum runs in the
 * order in which the two operations alone would run it, so the bits are theirs; a block's size changes nothing.
 * backward: given dy,   dx, dw, dbias += dy times what waits. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "loss.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"
#include "tensor/product.h"

#include <string.h>

/* A block of logits. Smaller ones stay closer to the processor, but dw passes by once a block. */
enum { BLOCK_BYTES = 8 << 20, LEAST_ROWS = 64 };

typedef struct saved {
    tl_tensor d[3]; /* gradients of x, w, bias for dy = 1; data NULL: not wanted */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const double dy = (double)b->dy.data[0];
    for (int i = 0; i < 3; i++) {
        tl_sink sink;
        if (!s->d[i].data || !tl_sink_open(b, i, &sink)) continue;
        tl_map1_grad(sink.to, s->d[i], s->d[i], s->d[i], tl_kernels_pick()->map->scale_grad, dy, sink.add);
        tl_sink_close(b, &sink);
    }
}

const tl_op tl_op_linear_cross_entropy = {"linear_cross_entropy", backward};

/* ---- forward ---- */

typedef struct work {
    tl_loss loss;
    tl_tensor w;
    const tl_real *x, *bias;
    tl_matmul_precision precision;
    tl_product_packed to_z, to_dx; /* wᵀ and w, packed once for all blocks; or {0} */
    long width;                    /* D */
    int *row;                      /* the real rows */
    tl_real *x_blk, *z, *dx_blk;   /* one block */
    int *id;
    tl_row_softmax *softmax;
    tl_loss_sums sums;
} work;

static bool run_block(work *k, const saved *s, long from, long count, tl_workspace *w) {
    const long classes = k->loss.classes, width = k->width;
    const int *row = k->row + from;
    const bool grad = s && (s->d[0].data || s->d[1].data || s->d[2].data);
    tl_tensor x = tl_tensor_of(k->x_blk, TL_SHAPE(count, width)),
              z = tl_tensor_of(k->z, TL_SHAPE(count, classes));
    tl_row_targets targets = {.id = k->id, .smoothing = k->loss.targets.smoothing};
    const tl_product_options bias = {.bias = k->bias, .precision = k->precision, .packed = &k->to_z};
    const tl_product_options plus_nothing = {.precision = k->precision, .packed = &k->to_dx};
    const tl_product_options plus_dw = {.add = from > 0, .precision = k->precision};
    for (long r = 0; r < count; r++) k->id[r] = k->loss.targets.id[row[r]];
    tl_rows_gather(k->x_blk, k->x, row, count, width);
    if (!tl_product(z, x, tl_tensor_transpose(k->w, 0, 1), &bias, w) ||
        !tl_rows_cross_entropy(&k->sums, k->softmax, grad ? k->z : NULL, k->z, count, classes, &targets, w))
        return false;
    if (!grad) return true;
    tl_rows_cross_entropy_finish(k->z, k->softmax, count, classes, &targets, 1 / k->loss.divisor);
    if (s->d[0].data) {
        if (!tl_product(tl_tensor_of(k->dx_blk, TL_SHAPE(count, width)), z, k->w, &plus_nothing, w))
            return false;
        tl_rows_place(s->d[0].data, k->dx_blk, row, count, width);
    }
    if (s->d[1].data && !tl_product(s->d[1], tl_tensor_transpose(z, 0, 1), x, &plus_dw, w)) return false;
    if (s->d[2].data) tl_rows_add_up(s->d[2].data, k->z, count, classes);
    return true;
}

/* Memory for the gradients that are wanted; zero where no block will write. */
static bool prepare_gradients(tl_call *c, saved *s, const work *k) {
    for (int i = 0; i < 3; i++) {
        if (!tl_call_wants(c, i)) continue;
        tl_real *memory = tl_call_memory(c, (size_t)tl_numel(c->x[i]) * sizeof *memory);
        if (!memory) return false;
        s->d[i] = tl_tensor_of(memory, tl_shape_of(c->x[i]));
        if (i == 2 || k->loss.real == 0 || (i == 0 && k->loss.real < k->loss.rows))
            memset(memory, 0, (size_t)tl_numel(c->x[i]) * sizeof *memory);
    }
    return true;
}

/* w is the same for every block. */
static tl_product_packed pack(tl_call *c, tl_tensor b, tl_matmul_precision precision) {
    const long size = tl_product_packed_numel(b, precision);
    tl_real *panels = tl_call_memory(c, (size_t)size * sizeof *panels);
    return panels ? tl_product_prepack(panels, b, precision) : (tl_product_packed){0};
}

static bool check_shapes(tl_call *c) {
    const tl_shape x = tl_shape_of(c->x[0]), w = tl_shape_of(c->x[1]), bias = tl_shape_of(c->x[2]);
    char first[TL_SHAPE_TEXT], second[TL_SHAPE_TEXT];
    if (x.rank < 1 || w.rank != 2 || x.dim[x.rank - 1] != w.dim[1])
        return tl_call_fail(c, "x %s, w %s: should be [...,D] and [V,D]", tl_shape_text(x, first),
                            tl_shape_text(w, second)),
               false;
    if (c->x[2].data && !tl_shape_equal(bias, TL_SHAPE(w.dim[0])))
        return tl_call_fail(c, "w %s, bias %s: should be [V,D] and [V]", tl_shape_text(w, first),
                            tl_shape_text(bias, second)),
               false;
    return true;
}

tl_var tl_linear_cross_entropy(tl_var x, tl_var w, tl_var bias, const int *targets,
                               const tl_loss_options *options) {
    tl_call c = tl_call_begin(&tl_op_linear_cross_entropy, 3, (tl_var[]){x, w, bias});
    if (!c.ok || !check_shapes(&c)) return tl_call_end(&c);
    work k = {.w = c.x[1], .width = c.x[1].dim[1], .precision = tl_tape_matmul_precision(c.tape)};
    const long classes = k.w.dim[0], rows = k.width > 0 ? tl_numel(c.x[0]) / k.width : 0;
    if (!tl_loss_prepare(&c, &k.loss, targets, rows, classes, options)) return tl_call_end(&c);
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, TL_SCALAR_SHAPE);
    if (!c.ok || !tl_call_dense(&c, 0) || !tl_call_dense(&c, 2)) return tl_call_end(&c);
    if (c.wants_grad && !prepare_gradients(&c, s, &k)) return tl_call_end(&c);
    k.x = c.x[0].data;
    k.bias = c.x[2].data;

    long block = classes > 0 ? BLOCK_BYTES / (classes * (long)sizeof(tl_real)) : 0;
    block -= block % LEAST_ROWS; /* dw's chains in groups of rows go on where they would without blocks */
    if (block < LEAST_ROWS) block = LEAST_ROWS;
    if (block > k.loss.real) block = k.loss.real;
    const tl_mark before_blocks = tl_tape_mark(c.tape); /* what follows is not needed in backward */
    k.row = tl_call_memory(&c, (size_t)k.loss.real * sizeof *k.row);
    k.id = tl_call_memory(&c, (size_t)block * sizeof *k.id);
    k.softmax = tl_call_memory(&c, (size_t)block * sizeof *k.softmax);
    k.z = tl_call_memory(&c, (size_t)(block * classes) * sizeof *k.z);
    k.x_blk = tl_call_memory(&c, (size_t)(block * k.width) * sizeof *k.x_blk);
    k.dx_blk = tl_call_memory(&c, (size_t)(block * k.width) * sizeof *k.dx_blk);
    if (k.loss.real > block) {
        k.to_z = pack(&c, tl_tensor_transpose(k.w, 0, 1), k.precision);
        if (c.wants_grad && s->d[0].data) k.to_dx = pack(&c, k.w, k.precision);
    }
    if (!c.ok) return tl_call_end(&c);
    long real = 0;
    for (long r = 0; r < rows; r++)
        if (!options || !options->ignore || targets[r] != options->ignore_id) k.row[real++] = (int)r;
    for (long from = 0; from < real; from += block)
        if (!run_block(&k, s, from, real - from < block ? real - from : block, tl_tape_workspace(c.tape)))
            return tl_call_fail(&c, "out of memory");
    tl_loss_report(&k.loss, &k.sums, options, y.data);
    tl_tape_release(c.tape, before_blocks);
    return tl_call_end(&c);
}

static const int some[6] = {2, 0, 4, 4, 1, 3};
static tl_var plain(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_linear_cross_entropy(x[0], x[1], TL_NO_VAR, some, NULL);
}
static tl_var smoothed(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_linear_cross_entropy(
        x[0], x[1], x[2], some, &(tl_loss_options){.label_smoothing = 0.2, .ignore = true, .ignore_id = 4});
}
static tl_var of_views(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_linear_cross_entropy(tl_transpose(x[0], 0, 1), tl_transpose(x[1], 0, 1), x[2], some,
                                   &(tl_loss_options){.divisor = 3});
}
TL_GRAD_CASES(
    linear_cross_entropy, {"plain, shared", plain, 2, {TL_DIMS(5, 5), TL_DIMS(5, 5)}, 0, 0, false},
    {"smoothed, some ignored", smoothed, 3, {TL_DIMS(2, 3, 4), TL_DIMS(7, 4), TL_DIMS(7)}, 0, 0, false},
    {"of views", of_views, 3, {TL_DIMS(4, 5), TL_DIMS(4, 6), TL_DIMS(6)}, 0, 0, false});
