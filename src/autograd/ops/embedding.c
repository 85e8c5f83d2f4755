/* embedding: rows of the table weight [V,D] by index.
 *
 *     y[i] = weight[id[i]]                      y is [ids' shape, D]
 *
 * backward: given dy,   dweight[v] += sum over i with id[i] = v of dy[i], i ascending. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"
#include "tensor/sizes.h"

typedef struct saved {
    int *id; /* the tape's own copy */
    long count;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink dw;
    if (!tl_sink_open_dense(b, 0, &dw)) return;
    tl_rows_scatter(dw.to.data, b->dy.data, s->id, s->count, dw.to.dim[1], dw.to.dim[0], dw.add);
    tl_sink_close(b, &dw);
}

const tl_op tl_op_embedding = {"embedding", backward};

tl_var tl_embedding(tl_var weight, const int *ids, tl_shape shape) {
    tl_call c = tl_call_begin(&tl_op_embedding, 1, &weight);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    const tl_shape table = tl_shape_of(c.x[0]);
    if (table.rank != 2) return tl_call_fail(&c, "weight %s is not [V,D]", TL_SHAPE_STRING(table));
    if (tl_shape_numel(shape) < 0)
        return tl_call_fail(&c, "ids: %s %s", TL_SHAPE_STRING(shape), tl_shape_fault(shape));
    if (!ids && tl_shape_numel(shape) > 0)
        return tl_call_fail(&c, "ids are NULL, should be %s numbers of rows", TL_SHAPE_STRING(shape));
    if (shape.rank >= TL_MAX_RANK)
        return tl_call_fail(&c, "ids %s have too many axes, at most %d", TL_SHAPE_STRING(shape),
                            TL_MAX_RANK - 1);
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s) return tl_call_end(&c);
    s->count = tl_shape_numel(shape);
    s->id = tl_call_memory(&c, (size_t)s->count * sizeof *s->id);
    for (long i = 0; i < s->count && s->id; i++) {
        if (ids[i] < 0 || ids[i] >= table.dim[0])
            return tl_call_fail(&c, "id %d at position %ld of %s is outside 0 … %ld (V = %ld)", ids[i], i,
                                TL_SHAPE_STRING(shape), table.dim[0] - 1, table.dim[0]);
        s->id[i] = ids[i];
    }
    shape.dim[shape.rank++] = table.dim[1];
    tl_tensor y = tl_call_new(&c, shape);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    tl_rows_gather(y.data, c.x[0].data, s->id, s->count, table.dim[1]);
    return tl_call_end(&c);
}

static const int some[6] = {3, 0, 3, 3, 1, 0};
static tl_var repeated(const tl_var *x) { return tl_embedding(x[0], some, TL_SHAPE(2, 3)); }
static tl_var of_a_view(const tl_var *x) { return tl_embedding(tl_transpose(x[0], 0, 1), some, TL_SHAPE(6)); }
static tl_var used_twice(const tl_var *x) {
    tl_var row = tl_embedding(x[0], some + 1, TL_SCALAR_SHAPE);
    return tl_mul(tl_embedding(x[0], some, TL_SHAPE(6)), row);
}
TL_GRAD_CASES(embedding, {.what = "repeated ids", .f = repeated, TL_INPUTS(TL_DIMS(5, 7))},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(3, 4))},
              {.what = "used twice", .f = used_twice, TL_INPUTS(TL_DIMS(4, 3))});
