/* linear: y = x·wᵀ + bias, the weight stored [out,in] as in torch.nn.Linear.
 *
 *     y[…,o] = sum over i of x[…,i]·w[o,i]  + bias[o]          x [...,in], w [out,in], bias [out] or none
 *
 * backward: given dy,   dx += dy·w,   dw += dyᵀ·x,   dbias += the sum of dy's rows. */
#include <tapeloom.h>
#include <tapeloom/op.h>

/* What forward leaves for backward: the inputs' numbers side by side, whatever strides they came with. x is seen as
 * [rows, in]: all its axes but the last are one. */
typedef struct saved {
    long rows, in, out;
    const tl_real *x, *w;
} saved;

/* A sink of input i, zeroed if nothing is there yet, so that the loops can add in any case; false if nobody wants it. */
static bool open_to_add(tl_back *b, int i, tl_sink *sink) {
    if (!tl_sink_open_dense(b, i, sink)) return false;
    if (!sink->add) tl_tensor_fill(sink->to, 0);
    return true;
}

static void give_x(tl_back *b, const saved *s) {
    tl_sink dx;
    if (!open_to_add(b, 0, &dx)) return;
    /* >>> */
    for (long r = 0; r < s->rows; r++)
        for (long i = 0; i < s->in; i++) {
            double sum = 0;
            for (long o = 0; o < s->out; o++)
                sum += (double)b->dy.data[r * s->out + o] * (double)s->w[o * s->in + i];
            dx.to.data[r * s->in + i] += (tl_real)sum;
        }
    /* <<< */
    tl_sink_close(b, &dx);
}

static void give_w(tl_back *b, const saved *s) {
    tl_sink dw;
    if (!open_to_add(b, 1, &dw)) return;
    /* >>> */
    for (long o = 0; o < s->out; o++)
        for (long i = 0; i < s->in; i++) {
            double sum = 0;
            for (long r = 0; r < s->rows; r++)
                sum += (double)b->dy.data[r * s->out + o] * (double)s->x[r * s->in + i];
            dw.to.data[o * s->in + i] += (tl_real)sum;
        }
    /* <<< */
    tl_sink_close(b, &dw);
}

/* Also called without a bias: then the gradient is not wanted. */
static void give_bias(tl_back *b, const saved *s) {
    tl_sink dbias;
    if (!open_to_add(b, 2, &dbias)) return;
    /* >>> */
    for (long o = 0; o < s->out; o++) {
        double sum = 0;
        for (long r = 0; r < s->rows; r++) sum += (double)b->dy.data[r * s->out + o];
        dbias.to.data[o] += (tl_real)sum;
    }
    /* <<< */
    tl_sink_close(b, &dbias);
}

static void backward(tl_back *b) {
    give_x(b, b->saved);
    give_w(b, b->saved);
    give_bias(b, b->saved);
}

const tl_op tl_op_linear = {"linear", backward};

static bool check_shapes(tl_call *c) {
    const tl_tensor x = c->x[0], w = c->x[1], bias = c->x[2];
    if (x.rank < 1 || w.rank != 2 || x.dim[x.rank - 1] != w.dim[1])
        tl_call_fail(c, "x must be [...,in], w [out,in]");
    else if (bias.data && (bias.rank != 1 || bias.dim[0] != w.dim[0]))
        tl_call_fail(c, "bias must be [%ld]", w.dim[0]);
    return c->ok;
}

tl_var tl_linear(tl_var x, tl_var w, tl_var bias) {
    tl_call c = tl_call_begin_optional(&tl_op_linear, TL_OPTIONAL(2), 3, (tl_var[]){x, w, bias});
    if (!c.ok || !check_shapes(&c)) return tl_call_end(&c);
    if (!tl_call_dense(&c, 0) || !tl_call_dense(&c, 1) || !tl_call_dense(&c, 2)) return tl_call_end(&c);
    tl_shape shape = tl_shape_of(c.x[0]);
    long rows = 1;
    for (int k = 0; k < shape.rank - 1; k++) rows *= shape.dim[k];
    shape.dim[shape.rank - 1] = c.x[1].dim[0];
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, shape);
    if (!s || !y.data) return tl_call_end(&c);
    *s = (saved){rows, c.x[1].dim[1], c.x[1].dim[0], c.x[0].data, c.x[1].data};
    /* >>> */
    for (long r = 0; r < s->rows; r++)
        for (long o = 0; o < s->out; o++) {
            double sum = c.x[2].data ? (double)c.x[2].data[o] : 0;
            for (long i = 0; i < s->in; i++) sum += (double)s->x[r * s->in + i] * (double)s->w[o * s->in + i];
            y.data[r * s->out + o] = (tl_real)sum;
        }
    /* <<< */
    return tl_call_end(&c);
}

static tl_var whole(const tl_var *x) { return tl_linear(x[0], x[1], x[2]); }
static tl_var bare(const tl_var *x) { return tl_linear(x[0], x[1], TL_NO_VAR); }
static tl_var of_views(const tl_var *x) {
    return tl_linear(tl_transpose(x[0], 0, 1), tl_slice(x[1], 0, 1, 4), TL_NO_VAR);
}
TL_GRAD_CASES(linear,
              {.what = "with bias", .f = whole, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(4, 5), TL_DIMS(4))},
              {.what = "one row, no bias", .f = bare, TL_INPUTS(TL_DIMS(5), TL_DIMS(4, 5))},
              {.what = "views", .f = of_views, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(6, 5))});
