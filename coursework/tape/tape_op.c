/* mul: y = a·b element by element, shapes broadcast by NumPy's rule.
 *
 * backward: given dy,   da += dy·b,   db += dy·a,   each summed over the axes along which it was broadcast. */
#include <tapeloom.h>
#include <tapeloom/op.h>

/* Where element number k of a tensor, counted row by row, lies in its memory: strides may be anything, 0 along an axis that is
 * broadcast. */
static inline long place(tl_tensor t, long k) {
    long at = 0;
    for (int i = t.rank - 1; i >= 0; i--) {
        at += k % t.dim[i] * t.stride[i];
        k /= t.dim[i];
    }
    return at;
}

/* Input i's gradient: dy times the other input, as large as dy; tl_give adds it, and sums over what was broadcast. */
static void give(tl_back *b, int i) {
    if (!tl_back_wants(b, i)) return;
    /* >>> */
    const tl_shape shape = tl_shape_of(b->dy);
    tl_tensor other = tl_tensor_expand(tl_back_x(b, 1 - i), shape); /* strides 0 where it was broadcast */
    tl_tensor g = tl_back_scratch(b, shape);
    if (!g.data) return;
    for (long k = 0; k < tl_numel(g); k++) g.data[k] = b->dy.data[k] * other.data[place(other, k)];
    tl_give(b, i, g);
    /* <<< */
}

static void backward(tl_back *b) {
    give(b, 0);
    give(b, 1); /* if both are one variable it is given twice: gradients add */
}

const tl_op tl_op_mul = {"mul", backward};

tl_var tl_mul(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_mul, 2, (tl_var[]){a, b});
    tl_shape shape;
    if (!c.ok) return tl_call_end(&c);
    if (!tl_shape_broadcast(tl_shape_of(c.x[0]), tl_shape_of(c.x[1]), &shape))
        return tl_call_fail(&c, "the two shapes do not broadcast");
    tl_tensor y = tl_call_new(&c, shape);
    if (!y.data) return tl_call_end(&c);
    /* >>> */
    tl_tensor left = tl_tensor_expand(c.x[0], shape), right = tl_tensor_expand(c.x[1], shape);
    for (long k = 0; k < tl_numel(y); k++)
        y.data[k] = left.data[place(left, k)] * right.data[place(right, k)];
    /* <<< */
    return tl_call_end(&c);
}

static tl_var product(const tl_var *x) { return tl_mul(x[0], x[1]); }
static tl_var square(const tl_var *x) { return tl_mul(x[0], x[0]); }
TL_GRAD_CASES(mul, {.what = "same shape", .f = product, TL_INPUTS(TL_DIMS(3, 7), TL_DIMS(3, 7))},
              {.what = "a square", .f = square, TL_INPUTS(TL_DIMS(21))},
              {.what = "both broadcast", .f = product, TL_INPUTS(TL_DIMS(3, 1), TL_DIMS(2, 1, 4))});
