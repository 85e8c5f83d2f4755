/* Visits the elements of a strided tensor in row-major order, run by run along its last axis. */
#include "elements.h"

typedef struct walk {
    tl_tensor t;
    long index[TL_MAX_RANK];
    tl_real *at; /* the element at index */
} walk;

static walk walk_from(tl_tensor t, long first) {
    walk w = {.t = t, .at = t.data};
    for (int axis = t.rank - 1; axis >= 0; axis--) {
        w.index[axis] = first % t.dim[axis];
        first /= t.dim[axis];
        w.at += w.index[axis] * t.stride[axis];
    }
    return w;
}

/* How many elements there are to the end of the last axis, but at most `most`. *step is the step between them. */
static long run_length(const walk *w, long most, long *step) {
    int last = w->t.rank - 1;
    *step = last >= 0 ? w->t.stride[last] : 1;
    long left = last >= 0 ? w->t.dim[last] - w->index[last] : 1;
    return left < most ? left : most;
}

static void advance(walk *w, long count) {
    int axis = w->t.rank - 1;
    if (axis < 0) return;
    w->index[axis] += count;
    w->at += count * w->t.stride[axis];
    while (axis > 0 && w->index[axis] == w->t.dim[axis]) { /* carry */
        w->at += w->t.stride[axis - 1] - w->t.dim[axis] * w->t.stride[axis];
        w->index[axis--] = 0;
        w->index[axis]++;
    }
}

void tl_elements_get(tl_tensor t, long first, long count, tl_real *out) {
    if (count <= 0) return;
    walk w = walk_from(t, first);
    while (count > 0) {
        long step, n = run_length(&w, count, &step);
        for (long i = 0; i < n; i++) *out++ = w.at[i * step];
        count -= n;
        if (count > 0) advance(&w, n);
    }
}

void tl_elements_put(tl_tensor t, long first, long count, const tl_real *in) {
    if (count <= 0) return;
    walk w = walk_from(t, first);
    while (count > 0) {
        long step, n = run_length(&w, count, &step);
        for (long i = 0; i < n; i++) w.at[i * step] = *in++;
        count -= n;
        if (count > 0) advance(&w, n);
    }
}
