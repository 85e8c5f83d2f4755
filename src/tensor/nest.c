/* Walks tensors of one shape in row-major order, whatever their strides (nest.h). */
#include "nest.h"

#include <string.h>

tl_nest tl_nest_of(int operands, const tl_tensor *t) {
    tl_nest nest = {.operands = operands, .count = tl_numel(t[0])};
    for (int axis = 0; axis < t[0].rank; axis++) {
        if (t[0].dim[axis] == 1) continue;
        int last = nest.rank - 1;
        bool even = last >= 0;
        for (int k = 0; k < operands && even; k++)
            even = nest.stride[k][last] == t[k].stride[axis] * t[0].dim[axis];
        if (even)
            nest.dim[last] *= t[0].dim[axis];
        else
            nest.dim[++last] = t[0].dim[axis];
        for (int k = 0; k < operands; k++) nest.stride[k][last] = t[k].stride[axis];
        nest.rank = last + 1;
    }
    if (nest.rank == 0) { /* one element */
        nest.rank = 1;
        nest.dim[0] = 1;
        for (int k = 0; k < operands; k++) nest.stride[k][0] = 1;
    }
    for (int k = 0; k < operands; k++) {
        long step = 1;
        nest.whole[k] = true;
        for (int axis = nest.rank - 1; axis >= 0; axis--) {
            nest.whole[k] = nest.whole[k] && nest.stride[k][axis] == step;
            step *= nest.dim[axis];
        }
    }
    return nest;
}

long tl_nest_offset(const tl_nest *nest, int operand, long i) {
    long offset = 0;
    for (int axis = nest->rank - 1; axis > 0; axis--) {
        offset += i % nest->dim[axis] * nest->stride[operand][axis];
        i /= nest->dim[axis];
    }
    return offset + i * nest->stride[operand][0];
}

static bool in_place(const tl_nest *nest, int operand, long from, long n) {
    int last = nest->rank - 1;
    return n <= 1 || (nest->stride[operand][last] == 1 && from % nest->dim[last] + n <= nest->dim[last]);
}

/* Copies n elements, from `from` on, between an operand and a contiguous buffer, one run along the last axis after the
 * other; `index` is the current place along each axis. */
static void walk(const tl_nest *nest, int operand, tl_real *data, long from, long n, tl_real *buffer,
                 bool write) {
    const long *dim = nest->dim, *stride = nest->stride[operand];
    int last = nest->rank - 1;
    long index[TL_MAX_RANK], step = stride[last];
    for (int axis = last; axis > 0; axis--) {
        index[axis] = from % dim[axis];
        data += index[axis] * stride[axis];
        from /= dim[axis];
    }
    index[0] = from;
    data += from * stride[0];
    while (n > 0) {
        long run = dim[last] - index[last];
        if (run > n) run = n;
        if (step == 1 && write)
            memcpy(data, buffer, (size_t)run * sizeof *data);
        else if (step == 1)
            memcpy(buffer, data, (size_t)run * sizeof *data);
        else if (write)
            for (long i = 0; i < run; i++) data[i * step] = buffer[i];
        else
            for (long i = 0; i < run; i++) buffer[i] = data[i * step];
        buffer += run;
        n -= run;
        data -= index[last] * step; /* back to the start of the last axis; then on to the next run */
        index[last] = 0;
        for (int axis = last - 1; n > 0 && axis >= 0; axis--) {
            data += stride[axis];
            if (++index[axis] < dim[axis] || axis == 0) break;
            data -= index[axis] * stride[axis];
            index[axis] = 0;
        }
    }
}

const tl_real *tl_nest_read(const tl_nest *nest, int operand, const tl_real *data, long from, long n,
                            tl_real *buffer) {
    if (nest->whole[operand]) return data + from;
    if (in_place(nest, operand, from, n)) return data + tl_nest_offset(nest, operand, from);
    walk(nest, operand, (tl_real *)data, from, n, buffer, false);
    return buffer;
}

void tl_nest_write(const tl_nest *nest, int operand, tl_real *data, long from, long n,
                   const tl_real *buffer) {
    walk(nest, operand, data, from, n, (tl_real *)buffer, true);
}
