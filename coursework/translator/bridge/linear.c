/* Your linear_forward and linear_backward as the operation linear. */
#include "linear.h"
#include "bridge.h"

typedef struct saved {
    const float *x, *w; /* [rows, in], [out, in] */
    long rows, in, out;
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
    const tl_shape shapes[3] = {TL_SHAPE(s->rows, s->in), TL_SHAPE(s->out, s->in), TL_SHAPE(s->out)};
    tl_sink sink[3];
    float *d[3];
    for (int i = 0; i < 3; i++) d[i] = open(b, i, shapes[i], &sink[i]);
    if (d[0] && d[1] && d[2])
        linear_backward(s->x, s->w, b->dy.data, d[0], d[1], d[2], s->rows, s->in, s->out);
    for (int i = 0; i < 3; i++)
        if (sink[i].to.data) tl_sink_close(b, &sink[i]);
}

const tl_op tl_op_linear = {"linear", backward};

tl_var tl_linear(tl_var x, tl_var w, tl_var bias) {
    tl_call c = tl_call_begin_optional(&tl_op_linear, TL_OPTIONAL(2), 3, (tl_var[]){x, w, bias});
    if (!c.ok) return tl_call_end(&c);
    for (int i = 0; i < 3; i++)
        if (c.x[i].data && !tl_call_dense(&c, i)) return tl_call_end(&c);
    tl_shape shape = tl_shape_of(c.x[0]);
    if (shape.rank < 1 || c.x[1].rank != 2 || shape.dim[shape.rank - 1] != c.x[1].dim[1] ||
        (c.x[2].data && (c.x[2].rank != 1 || c.x[2].dim[0] != c.x[1].dim[0])))
        return tl_call_fail(&c, "x should be [...,in], w [out,in], bias [out]");
    const long in = c.x[1].dim[1], out = c.x[1].dim[0], rows = in > 0 ? tl_numel(c.x[0]) / in : 0;
    saved *s = tl_call_save(&c, sizeof *s);
    shape.dim[shape.rank - 1] = out;
    tl_tensor y = tl_call_new(&c, shape);
    float *zeros = c.x[2].data ? NULL : tl_call_memory(&c, (size_t)out * sizeof *zeros);
    if (!c.ok || !y.data) return tl_call_end(&c);
    for (long o = 0; zeros && o < out; o++) zeros[o] = 0;
    *s = (saved){c.x[0].data, c.x[1].data, rows, in, out};
    linear_forward(s->x, s->w, zeros ? zeros : c.x[2].data, y.data, rows, in, out);
    return tl_call_end(&c);
}

static tl_var with_bias(const tl_var *x) { return tl_linear(x[0], x[1], x[2]); }
static tl_var without_bias(const tl_var *x) { return tl_linear(x[0], x[1], TL_NO_VAR); }
TL_GRAD_CASES(linear,
              {.what = "with bias", .f = with_bias, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(4, 5), TL_DIMS(4))},
              {.what = "one row, no bias", .f = without_bias, TL_INPUTS(TL_DIMS(5), TL_DIMS(4, 5))});
