/* linear_cross_entropy: the loss of cross_entropy(linear(x, w, bias)) without storing the logits [N,V]: forward and
 * gradient are computed together, for one block of rows after the other, each small enough for the cache.
 *
 *     for each block of real (not ignored) rows, x_blk [R,D]:
 *         z  = x_blk·wᵀ + bias                                        [R,V]
 *         loss += cross_entropy(z);   z = d(loss)/dz                  in place
 *         dx_blk = z·w;   dw += zᵀ·x_blk;   dbias += sum over rows of z
 *
 * The gradients for dy = 1 are saved on the tape; if no gradient is wanted only the loss is computed. With a loss for
 * each row (TL_REDUCE_NONE) the gradients need every row's dy: backward then goes over the blocks again. Every sum
 * runs in the same order as in the two separate operations, so the bits are the same, whatever the size of a block.
 * backward: given dy,   dx, dw, dbias += dy times the saved gradients. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "loss.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"
#include "tensor/product.h"

#include <limits.h>
#include <string.h>

/* Bytes of a block of logits. A smaller block fits a faster cache, but each block reads and writes dw once. */
enum { BLOCK_BYTES = 8 << 20, LEAST_ROWS = 64 };
/* dw sums over rows. A block has whole groups of rows, so that sums in groups (tl_product_in_groups) have the groups
 * that one block of all rows would have. */
_Static_assert(LEAST_ROWS % TL_PRODUCT_GROUP == 0, "blocks must have whole groups of rows");

typedef struct problem {
    tl_loss loss;
    tl_tensor w;
    const tl_real *x, *bias;
    tl_matmul_precision precision; /* of the logits */
    long width;                    /* D */
    int *row;                      /* the real rows */
} problem;

typedef struct saved {
    problem p;
    tl_tensor d[3]; /* gradients of x, w, bias for dy = 1; data NULL: not wanted */
} saved;

/* ---- one block after the other ---- */

typedef struct work {
    const problem *p;
    const tl_tensor *d;            /* [3] where gradients are added up; NULL: the loss alone */
    tl_matmul_precision precision; /* of the gradients' products */
    const tl_real *dy;             /* [N] dy of each row; NULL: 1/divisor for all rows */
    tl_real *y;                    /* [N] receives each row's loss; NULL: not wanted */
    tl_loss_sums sums;
    long block;                    /* rows of a block */
    tl_product_packed to_z, to_dx; /* wᵀ and w, packed once for all blocks; or {0} */
    tl_real *x_blk, *z, *dx_blk;   /* of the block */
    tl_real *each;                 /* of the block's rows: losses, then dy */
    int *id;
    tl_row_softmax *softmax;
} work;

static bool wanted(const work *k, int i) { return k->d && k->d[i].data; }

static bool run_block(work *k, long from, long count, tl_workspace *w) {
    const problem *p = k->p;
    const long classes = p->loss.classes, width = p->width;
    const int *row = p->row + from;
    tl_tensor x = tl_tensor_of(k->x_blk, TL_SHAPE(count, width)),
              z = tl_tensor_of(k->z, TL_SHAPE(count, classes));
    const tl_row_targets *t = &p->loss.targets;
    const tl_row_targets targets = {.id = k->id, .smoothing = t->smoothing, .weights = t->weights};
    const tl_product_options bias = {.bias = p->bias, .precision = p->precision, .packed = &k->to_z};
    const tl_product_options plus_nothing = {.precision = k->precision, .packed = &k->to_dx};
    const tl_product_options plus_dw = {.add = from > 0, .precision = k->precision};
    for (long r = 0; r < count; r++) k->id[r] = t->id[row[r]];
    tl_rows_gather(k->x_blk, p->x, row, count, width);
    if (!tl_product(z, x, tl_tensor_transpose(p->w, 0, 1), &bias, w) ||
        !tl_rows_cross_entropy(&k->sums, k->y ? k->each : NULL, k->softmax, k->d ? k->z : NULL, k->z, count,
                               classes, &targets, w))
        return false;
    if (k->y) tl_rows_place(k->y, k->each, row, count, 1);
    if (!k->d) return true;
    if (k->dy) tl_rows_gather(k->each, k->dy, row, count, 1);
    const tl_row_factor factor = {1 / p->loss.divisor, k->dy ? k->each : NULL};
    tl_rows_cross_entropy_finish(k->z, k->softmax, count, classes, &targets, factor);
    if (wanted(k, 0)) {
        if (!tl_product(tl_tensor_of(k->dx_blk, TL_SHAPE(count, width)), z, p->w, &plus_nothing, w))
            return false;
        tl_rows_place(k->d[0].data, k->dx_blk, row, count, width);
    }
    if (wanted(k, 1) && !tl_product(k->d[1], tl_tensor_transpose(z, 0, 1), x, &plus_dw, w)) return false;
    if (wanted(k, 2)) tl_rows_add_up(k->d[2].data, k->z, count, classes);
    return true;
}

/* Sets to 0 the elements that no block overwrites. */
static void clear(const work *k) {
    const tl_loss *loss = &k->p->loss;
    const bool some_ignored = loss->real < loss->rows;
    if (k->y && some_ignored) memset(k->y, 0, (size_t)loss->rows * sizeof *k->y);
    for (int i = 0; i < 3; i++)
        if (wanted(k, i) && (i == 2 || loss->real == 0 || (i == 0 && some_ignored)))
            memset(k->d[i].data, 0, (size_t)tl_numel(k->d[i]) * sizeof(tl_real));
}

/* The number of rows of a block. */
static long block_of(const problem *p) {
    const long classes = p->loss.classes;
    long block = classes > 0 ? BLOCK_BYTES / (classes * (long)sizeof(tl_real)) : 0;
    block -= block % LEAST_ROWS; /* whole groups of rows */
    if (block < LEAST_ROWS) block = LEAST_ROWS;
    return block < p->loss.real ? block : p->loss.real;
}

/* Takes `count` numbers of the memory, from *at on, and moves *at. memory NULL: only counts. */
static tl_real *cut(tl_real *memory, long *at, long count) {
    tl_real *piece = memory ? memory + *at : NULL;
    *at += (count + 15) / 16 * 16; /* whole cache lines */
    return piece;
}

/* Divides the memory that the blocks need; returns its size in numbers. memory NULL: only counts. */
static long lay_out(work *k, tl_real *memory) {
    const problem *p = k->p;
    const tl_tensor to_z = tl_tensor_transpose(p->w, 0, 1);
    long at = 0;
    k->block = block_of(p);
    k->z = cut(memory, &at, k->block * p->loss.classes);
    k->x_blk = cut(memory, &at, k->block * p->width);
    k->dx_blk = cut(memory, &at, k->block * p->width);
    k->each = cut(memory, &at, k->block);
    k->id = (int *)cut(memory, &at, k->block);
    k->softmax = (tl_row_softmax *)cut(memory, &at, 2 * k->block);
    if (p->loss.real <= k->block) return at; /* with one block, packing w saves nothing */
    tl_real *panels = cut(memory, &at, tl_product_packed_numel(to_z, p->precision));
    if (panels) k->to_z = tl_product_prepack(panels, to_z, p->precision);
    if (!wanted(k, 0)) return at;
    panels = cut(memory, &at, tl_product_packed_numel(p->w, k->precision));
    if (panels) k->to_dx = tl_product_prepack(panels, p->w, k->precision);
    return at;
}

static bool run(work *k, tl_workspace *w) {
    const long real = k->p->loss.real;
    clear(k);
    for (long from = 0; from < real; from += k->block)
        if (!run_block(k, from, real - from < k->block ? real - from : k->block, w)) return false;
    return true;
}

/* ---- backward ---- */

static void backward_of_each(tl_back *b, const problem *p) {
    tl_tensor d[3] = {{0}};
    for (int i = 0; i < 3; i++)
        if (tl_back_wants(b, i)) d[i] = tl_back_scratch(b, tl_shape_of(tl_back_x(b, i)));
    work k = {.p = p, .d = d, .dy = b->dy.data, .precision = tl_tape_matmul_precision(b->tape)};
    const tl_tensor memory = tl_back_scratch(b, TL_SHAPE(lay_out(&k, NULL)));
    if (!memory.data) return;
    lay_out(&k, memory.data);
    if (!run(&k, tl_tape_workspace(b->tape)))
        tl_tape_fail(b->tape, "linear_cross_entropy: out of memory in backward");
    for (int i = 0; i < 3; i++) tl_give(b, i, d[i]);
}

static void backward(tl_back *b) {
    const saved *s = b->saved;
    if (s->p.loss.each) {
        backward_of_each(b, &s->p);
        return;
    }
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

/* Takes memory for the gradients that are wanted. */
static bool prepare_gradients(tl_call *c, saved *s) {
    for (int i = 0; i < 3; i++)
        if (tl_call_wants(c, i)) s->d[i] = tl_call_tensor(c, tl_shape_of(c->x[i]));
    return c->ok;
}

/* Fills in the problem, over contiguous inputs. False, and the call has failed, if an input or option is wrong. */
static bool pose(tl_call *c, problem *p, const int *targets, const tl_loss_options *options) {
    p->w = c->x[1];
    p->width = c->x[1].dim[1];
    p->precision = tl_tape_matmul_precision(c->tape);
    const long rows = p->width > 0 ? tl_numel(c->x[0]) / p->width : 0;
    if (!tl_loss_prepare(c, &p->loss, targets, rows, p->w.dim[0], options)) return false;
    p->row = tl_call_memory(c, (size_t)p->loss.real * sizeof *p->row);
    if (!p->row || !tl_call_dense(c, 0) || !tl_call_dense(c, 2)) return false;
    p->x = c->x[0].data;
    p->bias = c->x[2].data;
    for (long r = 0, real = 0; r < rows; r++)
        if (tl_row_is_real(&p->loss.targets, r)) p->row[real++] = (int)r;
    return true;
}

static bool check_shapes(tl_call *c) {
    const tl_shape x = tl_shape_of(c->x[0]), w = tl_shape_of(c->x[1]), bias = tl_shape_of(c->x[2]);
    if (x.rank < 1 || w.rank != 2 || x.dim[x.rank - 1] != w.dim[1])
        return tl_call_refuse(c, "x %s, w %s: should be [...,D] and [V,D]", TL_SHAPE_STRING(x),
                              TL_SHAPE_STRING(w));
    const long rows = w.dim[1] > 0 ? tl_shape_numel(x) / w.dim[1] : 0;
    if (rows > INT_MAX || tl_shape_numel(TL_SHAPE(rows, w.dim[0])) < 0)
        return tl_call_refuse(c, "x %s, w %s: there would be more logits than can be counted",
                              TL_SHAPE_STRING(x), TL_SHAPE_STRING(w));
    if (c->x[2].data && !tl_shape_equal(bias, TL_SHAPE(w.dim[0])))
        return tl_call_refuse(c, "w %s, bias %s: should be [V,D] and [V]", TL_SHAPE_STRING(w),
                              TL_SHAPE_STRING(bias));
    return true;
}

tl_var tl_linear_cross_entropy(tl_var x, tl_var w, tl_var bias, const int *targets,
                               const tl_loss_options *options, tl_loss_report *report) {
    tl_call c =
        tl_call_begin_optional(&tl_op_linear_cross_entropy, TL_OPTIONAL(2), 3, (tl_var[]){x, w, bias});
    if (!c.ok || !check_shapes(&c)) return tl_call_end(&c);
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s || !pose(&c, &s->p, targets, options)) return tl_call_end(&c);
    const bool now = c.wants_grad && !s->p.loss.each; /* compute the gradients in forward */
    c.unread = now ? TL_UNREAD_ALL : TL_UNREAD_RESULT;
    tl_tensor y = tl_call_new(&c, tl_loss_shape(&s->p.loss, tl_shape_of(c.x[0])));
    if (!c.ok || (now && !prepare_gradients(&c, s))) return tl_call_end(&c);
    work k = {.p = &s->p, .d = now ? s->d : NULL, .precision = s->p.precision};
    if (s->p.loss.each) k.y = y.data;
    const tl_mark before_blocks = tl_tape_mark(c.tape); /* memory from here on is not needed in backward */
    tl_real *memory = tl_call_memory(&c, (size_t)lay_out(&k, NULL) * sizeof *memory);
    if (!memory) return tl_call_end(&c);
    lay_out(&k, memory);
    if (!run(&k, tl_tape_workspace(c.tape))) return tl_call_fail(&c, "out of memory");
    if (!k.y) *y.data = (tl_real)(k.sums.loss / s->p.loss.divisor);
    tl_loss_fill_report(&k.sums, report);
    tl_tape_release(c.tape, before_blocks);
    return tl_call_end(&c);
}

static const int some[6] = {2, 0, 4, 4, 1, 3};
static const tl_real weights[7] = {1, 2, 0.5, 3, 0.25, 0, 1};
static tl_var plain(const tl_var *x) {
    return tl_linear_cross_entropy(x[0], x[1], TL_NO_VAR, some, NULL, NULL);
}
static tl_var smoothed(const tl_var *x) {
    const tl_loss_options options = {
        .label_smoothing = 0.2, .ignore = true, .ignore_id = 4, .class_weight = weights};
    return tl_linear_cross_entropy(x[0], x[1], x[2], some, &options, NULL);
}
static tl_var of_views(const tl_var *x) {
    tl_var w = tl_transpose(x[1], 0, 1);
    return tl_linear_cross_entropy(tl_transpose(x[0], 0, 1), w, x[2], some, &(tl_loss_options){.divisor = 3},
                                   NULL);
}
static tl_var each(const tl_var *x) {
    const tl_loss_options options = {
        .label_smoothing = 0.1, .ignore = true, .ignore_id = 4, .reduction = TL_REDUCE_NONE};
    return tl_linear_cross_entropy(x[0], x[1], x[2], some, &options, NULL);
}
static tl_var each_of_views(const tl_var *x) {
    const tl_loss_options options = {.reduction = TL_REDUCE_NONE, .class_weight = weights};
    tl_var w = tl_transpose(x[1], 0, 1);
    return tl_linear_cross_entropy(tl_transpose(x[0], 0, 1), w, TL_NO_VAR, some, &options, NULL);
}
TL_GRAD_CASES(
    linear_cross_entropy, {.what = "plain, shared", .f = plain, TL_INPUTS(TL_DIMS(5, 5), TL_DIMS(5, 5))},
    {.what = "smoothed, weighted, some ignored",
     .f = smoothed,
     TL_INPUTS(TL_DIMS(2, 3, 4), TL_DIMS(7, 4), TL_DIMS(7))},
    {.what = "of views", .f = of_views, TL_INPUTS(TL_DIMS(4, 5), TL_DIMS(4, 6), TL_DIMS(6))},
    {.what = "each, some ignored", .f = each, TL_INPUTS(TL_DIMS(2, 3, 4), TL_DIMS(7, 4), TL_DIMS(7))},
    {.what = "each, weighted, of views", .f = each_of_views, TL_INPUTS(TL_DIMS(4, 5), TL_DIMS(4, 6))});
