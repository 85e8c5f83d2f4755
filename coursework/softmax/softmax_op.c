/* softmax: e to the x over its sum, along one axis.
 *
 *     y[i] = e^(x[i] - m) / sum over j of e^(x[j] - m),   m = the largest x: nothing overflows
 *
 * backward: given dy,   dx[i] += y[i]·(dy[i] - sum over j of y[j]·dy[j]). */
#include <tapeloom.h>
#include <tapeloom/op.h>

#include <math.h>

/* A contiguous tensor seen as [before, n, after], n being the axis along which softmax goes. */
typedef struct along {
    long before, n, after;
} along;

static along along_axis(tl_tensor x, int axis) {
    along a = {1, x.dim[axis], 1};
    for (int i = 0; i < axis; i++) a.before *= x.dim[i];
    for (int i = axis + 1; i < x.rank; i++) a.after *= x.dim[i];
    return a;
}

static void backward(tl_back *b) {
    const along *a = b->saved;
    const tl_real *y = b->y.data, *dy = b->dy.data; /* both contiguous */
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return; /* nobody wants it */
    /* >>> */
    for (long i = 0; i < a->before; i++)
        for (long k = 0; k < a->after; k++) {
            const long at = i * a->n * a->after + k;
            double dot = 0;
            for (long j = 0; j < a->n; j++)
                dot += (double)y[at + j * a->after] * (double)dy[at + j * a->after];
            for (long j = 0; j < a->n; j++) {
                const long here = at + j * a->after;
                const double d = (double)y[here] * ((double)dy[here] - dot);
                dx.to.data[here] = (tl_real)(dx.add ? (double)dx.to.data[here] + d : d);
            }
        }
    /* <<< */
    tl_sink_close(b, &dx);
}

const tl_op tl_op_softmax = {"softmax", backward};

tl_var tl_softmax(tl_var x, int axis) {
    tl_call c = tl_call_begin(&tl_op_softmax, 1, &x);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    const int which = tl_axis(c.x[0].rank, axis);
    if (which < 0) return tl_call_fail(&c, "there is no axis %d", axis);
    along *a = tl_call_save(&c, sizeof *a);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!a || !y.data) return tl_call_end(&c);
    *a = along_axis(c.x[0], which);
    /* >>> */
    const tl_real *in = c.x[0].data;
    for (long i = 0; i < a->before; i++)
        for (long k = 0; k < a->after; k++) {
            const long at = i * a->n * a->after + k;
            double largest = -INFINITY, sum = 0;
            for (long j = 0; j < a->n; j++) largest = fmax(largest, (double)in[at + j * a->after]);
            for (long j = 0; j < a->n; j++) sum += exp((double)in[at + j * a->after] - largest);
            for (long j = 0; j < a->n; j++)
                y.data[at + j * a->after] = (tl_real)(exp((double)in[at + j * a->after] - largest) / sum);
        }
    /* <<< */
    return tl_call_end(&c);
}

static tl_var last(const tl_var *x) { return tl_softmax(x[0], -1); }
TL_GRAD_CASES(softmax, {.what = "last axis", .f = last, TL_INPUTS(TL_DIMS(3, 17)), .low = -3, .high = 3});
