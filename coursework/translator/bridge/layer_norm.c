/* Your layer_norm_forward and layer_norm_backward as the operation layer_norm. */
#include "layer_norm.h"
#include "bridge.h"

typedef struct saved {
    const float *x, *gamma; /* [rows, columns], [columns] */
    float *mean, *rstd;     /* [rows] */
    long rows, columns;
} saved;

/* Memory that your function may add to: the sink's, with what it has already, or zeros; scratch memory if the input
 * needs no gradient. */
static float *open(tl_back *b, int i, tl_shape shape, tl_sink *sink) {
    *sink = (tl_sink){.input = i};
    const bool wanted = tl_back_wants(b, i) && tl_sink_open_dense(b, i, sink);
    tl_tensor to = wanted ? sink->to : tl_back_scratch(b, shape);
    if (to.data && !(wanted && sink->add)) tl_tensor_fill(to, 0);
    return to.data;
}

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const tl_shape shapes[3] = {TL_SHAPE(s->rows, s->columns), TL_SHAPE(s->columns), TL_SHAPE(s->columns)};
    tl_sink sink[3];
    float *d[3];
    for (int i = 0; i < 3; i++) d[i] = open(b, i, shapes[i], &sink[i]);
    if (d[0] && d[1] && d[2])
        layer_norm_backward(s->x, s->gamma, s->mean, s->rstd, b->dy.data, d[0], d[1], d[2], s->rows,
                            s->columns);
    for (int i = 0; i < 3; i++)
        if (sink[i].to.data) tl_sink_close(b, &sink[i]);
}

const tl_op tl_op_layer_norm = {"layer_norm", backward};

/* The [columns] numbers of an input; `otherwise` for each if the input was left out. */
static const float *row_of(tl_call *c, int i, long columns, float otherwise) {
    if (c->x[i].data) return tl_call_dense(c, i) ? c->x[i].data : NULL;
    float *row = tl_call_memory(c, (size_t)columns * sizeof *row);
    for (long j = 0; row && j < columns; j++) row[j] = otherwise;
    return row;
}

tl_var tl_layer_norm(tl_var x, tl_var gamma, tl_var beta, double eps) {
    tl_call c = tl_call_begin_optional(&tl_op_layer_norm, TL_OPTIONAL(1) | TL_OPTIONAL(2), 3,
                                       (tl_var[]){x, gamma, beta});
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    const int rank = c.x[0].rank;
    const long columns = rank > 0 ? c.x[0].dim[rank - 1] : 0;
    if (columns < 1) return tl_call_fail(&c, "rows of no numbers");
    for (int i = 1; i < 3; i++)
        if (c.x[i].data && (c.x[i].rank != 1 || c.x[i].dim[0] != columns))
            return tl_call_fail(&c, "gamma and beta should be [%ld]", columns);
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s) return tl_call_end(&c);
    *s = (saved){c.x[0].data, row_of(&c, 1, columns, 1), NULL, NULL, tl_numel(c.x[0]) / columns, columns};
    s->mean = tl_call_memory(&c, (size_t)s->rows * sizeof *s->mean);
    s->rstd = tl_call_memory(&c, (size_t)s->rows * sizeof *s->rstd);
    const float *shift = row_of(&c, 2, columns, 0);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (c.ok && y.data)
        layer_norm_forward(s->x, s->gamma, shift, (float)eps, s->mean, s->rstd, y.data, s->rows, columns);
    return tl_call_end(&c);
}

static tl_var whole(const tl_var *x) { return tl_layer_norm(x[0], x[1], x[2], 1e-5); }
static tl_var bare(const tl_var *x) { return tl_layer_norm(x[0], TL_NO_VAR, TL_NO_VAR, 1e-2); }
TL_GRAD_CASES(layer_norm,
              {.what = "gamma and beta", .f = whole, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(5), TL_DIMS(5))},
              {.what = "neither", .f = bare, TL_INPUTS(TL_DIMS(4, 6))});
