/* Shapes and views. A tensor is a value of a few words: every function here takes and returns copies, and only
 * tl_tensor_fill writes to its elements. A function that fails returns a tensor with data NULL and rank 0, and every
 * function accepts such a tensor. */
#include "sizes.h"
#include "tapeloom/tensor.h"

#include <math.h>

/* ---- shapes ---- */

static bool is_rank(int rank) { return rank >= 0 && rank <= TL_MAX_RANK; }

long tl_shape_numel(tl_shape shape) { return tl_size_of_axes(shape.rank, shape.dim); }

const char *tl_shape_fault(tl_shape shape) {
    if (!is_rank(shape.rank)) return "is of no rank that a tensor can have";
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < 0) return "has an axis of negative size";
    return "has more elements than memory can hold";
}

bool tl_shape_equal(tl_shape a, tl_shape b) {
    if (a.rank != b.rank || !is_rank(a.rank)) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

bool tl_shape_broadcast(tl_shape a, tl_shape b, tl_shape *out) {
    tl_shape y = {.rank = a.rank > b.rank ? a.rank : b.rank};
    if (!out || tl_shape_numel(a) < 0 || tl_shape_numel(b) < 0) return false;
    for (int back = 1; back <= y.rank; back++) {
        long m = back <= a.rank ? a.dim[a.rank - back] : 1, n = back <= b.rank ? b.dim[b.rank - back] : 1;
        if (m != n && m != 1 && n != 1) return false;
        y.dim[y.rank - back] = m == 1 ? n : m;
    }
    *out = y;
    return true;
}

char *tl_shape_text(tl_shape shape, char text[TL_SHAPE_TEXT]) {
    size_t at = 0;
    if (!text) return NULL;
    if (!is_rank(shape.rank)) {
        snprintf(text, TL_SHAPE_TEXT, "[rank %d]", shape.rank);
        return text;
    }
    text[at++] = '[';
    for (int i = 0; i < shape.rank && at < TL_SHAPE_TEXT - 24; i++)
        at += (size_t)snprintf(text + at, TL_SHAPE_TEXT - at, i ? ",%ld" : "%ld", shape.dim[i]);
    text[at++] = ']';
    text[at] = 0;
    return text;
}

/* ---- tensors ---- */

tl_tensor tl_tensor_of(tl_real *data, tl_shape shape) {
    if (!data || tl_shape_numel(shape) < 0) return (tl_tensor){0};
    tl_tensor t = {.data = data, .rank = shape.rank};
    long stride = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        t.dim[i] = shape.dim[i];
        t.stride[i] = stride;
        stride *= shape.dim[i];
    }
    return t;
}

tl_shape tl_shape_of(tl_tensor t) {
    tl_shape s = {.rank = t.rank};
    const int there = t.rank < TL_MAX_RANK ? t.rank : TL_MAX_RANK;
    for (int i = 0; i < there; i++) s.dim[i] = t.dim[i];
    return s;
}

long tl_numel(tl_tensor t) {
    const long n = t.data ? tl_size_of_axes(t.rank, t.dim) : 0;
    return n > 0 ? n : 0;
}

bool tl_is_contiguous(tl_tensor t) {
    unsigned long expected = 1; /* unsigned: for an impossible shape it may wrap */
    for (int i = t.rank <= TL_MAX_RANK ? t.rank - 1 : -1; i >= 0; i--) {
        if (t.dim[i] == 1) continue;
        if ((unsigned long)t.stride[i] != expected) return tl_numel(t) == 0;
        expected *= (unsigned long)t.dim[i];
    }
    return true;
}

/* ---- views ---- */

/* Does it have data and a possible shape? A tensor that a caller has put together may have neither. */
static bool is_tensor(tl_tensor t) { return t.data && tl_size_of_axes(t.rank, t.dim) >= 0; }

static int axis_of(tl_tensor t, int axis) {
    return t.data && is_rank(t.rank) ? tl_axis_of(t.rank, axis) : -1;
}

tl_tensor tl_at_n(tl_tensor t, int count, const long *index) {
    if (!is_tensor(t) || count < 0 || count > t.rank || (count && !index)) return (tl_tensor){0};
    tl_tensor y = {.data = t.data, .rank = t.rank - count};
    for (int i = 0; i < count; i++) {
        if (index[i] < 0 || index[i] >= t.dim[i]) return (tl_tensor){0};
        y.data += index[i] * t.stride[i];
    }
    for (int i = 0; i < y.rank; i++) {
        y.dim[i] = t.dim[count + i];
        y.stride[i] = t.stride[count + i];
    }
    return y;
}

tl_tensor tl_tensor_transpose(tl_tensor t, int axis1, int axis2) {
    int a = axis_of(t, axis1), b = axis_of(t, axis2);
    if (a < 0 || b < 0) return (tl_tensor){0};
    tl_tensor y = t;
    y.dim[a] = t.dim[b], y.stride[a] = t.stride[b];
    y.dim[b] = t.dim[a], y.stride[b] = t.stride[a];
    return y;
}

tl_tensor tl_tensor_slice(tl_tensor t, int axis, long from, long to) {
    int a = axis_of(t, axis);
    if (a < 0 || !is_tensor(t) || from < 0 || to < from || to > t.dim[a]) return (tl_tensor){0};
    t.data += from * t.stride[a];
    t.dim[a] = to - from;
    return t;
}

tl_tensor tl_tensor_expand(tl_tensor t, tl_shape shape) {
    if (!is_tensor(t) || shape.rank < t.rank || tl_shape_numel(shape) < 0) return (tl_tensor){0};
    tl_tensor y = {.data = t.data, .rank = shape.rank};
    int missing = shape.rank - t.rank;
    for (int i = 0; i < shape.rank; i++) {
        y.dim[i] = shape.dim[i];
        if (i < missing) continue;
        long have = t.dim[i - missing];
        if (have != shape.dim[i] && have != 1) return (tl_tensor){0};
        y.stride[i] = have == shape.dim[i] ? t.stride[i - missing] : 0;
    }
    return y;
}

/* Old axes that step evenly through memory form a run. Each run is matched with new axes of the same total size: a new
 * axis may be a part of a run, but may not cross its end. */
bool tl_tensor_reshape(tl_tensor t, tl_shape shape, tl_tensor *out) {
    if (!out || !is_tensor(t) || tl_shape_numel(shape) != tl_numel(t)) return false;
    if (tl_is_contiguous(t)) {
        *out = tl_tensor_of(t.data, shape);
        return true;
    }
    tl_tensor y = {.data = t.data, .rank = shape.rank};
    int old = t.rank - 1, new = shape.rank - 1;
    while (old >= 0 && t.dim[old] == 1) old--;
    while (old >= 0) {
        long run = t.dim[old], step = t.stride[old]; /* a run, from its last axis on */
        while (old > 0 && (t.dim[old - 1] == 1 || t.stride[old - 1] == step * run)) run *= t.dim[--old];
        old--;
        long done = 1;
        while (new >= 0 && done < run) {
            long d = shape.dim[new];
            if (run % (done * d)) return false;
            y.dim[new] = d;
            y.stride[new --] = step * done;
            done *= d;
        }
        while (old >= 0 && t.dim[old] == 1) old--;
    }
    for (; new >= 0; new --) { /* only axes of size 1 are left */
        y.dim[new] = 1;
        y.stride[new] = new + 1 < y.rank ? y.stride[new + 1] * y.dim[new + 1] : 1;
    }
    *out = y;
    return true;
}

/* ---- elements ---- */

void tl_tensor_fill(tl_tensor t, double value) {
    if (tl_numel(t) == 0) return;
    if (t.rank == 0) {
        *t.data = (tl_real)value;
    } else if (t.rank == 1) {
        for (long i = 0; i < t.dim[0]; i++) t.data[i * t.stride[0]] = (tl_real)value;
    } else if (tl_is_contiguous(t)) {
        for (long i = 0, n = tl_numel(t); i < n; i++) t.data[i] = (tl_real)value;
    } else {
        for (long i = 0; i < t.dim[0]; i++) tl_tensor_fill(tl_at(t, i), value);
    }
}

double tl_item(tl_tensor t) { return tl_numel(t) == 1 ? (double)*t.data : NAN; }
