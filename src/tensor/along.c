/* Choosing among the elements along one axis. Each line along the axis is a job of its own; where its first element
 * lies, a nest of the other axes says. */
#include "along.h"
#include "nest.h"

#include <math.h>

static bool larger(tl_real a, tl_real b) { return a > b || (isnan(a) && !isnan(b)); }

void tl_tensor_max(tl_tensor y, int32_t *index, tl_tensor x, int axis) {
    if (!y.data || !x.data || axis < 0 || axis >= x.rank || tl_numel(x) == 0) return;
    long n = x.dim[axis], step = x.stride[axis];
    tl_tensor first = tl_tensor_slice(x, axis, 0, 1);
    tl_nest nest = tl_nest_of(1, &first);
    for (long i = 0; i < nest.count; i++) {
        const tl_real *from = x.data + tl_nest_offset(&nest, 0, i);
        long best = 0;
        for (long j = 1; j < n; j++)
            if (larger(from[j * step], from[best * step])) best = j;
        y.data[i] = from[best * step];
        index[i] = (int32_t)best;
    }
}

void tl_tensor_max_grad(tl_tensor dx, tl_tensor dy, const int32_t *index, int axis) {
    if (!dx.data || !dy.data || axis < 0 || axis >= dx.rank || tl_numel(dx) == 0) return;
    tl_tensor first = tl_tensor_slice(dx, axis, 0, 1);
    tl_nest nest = tl_nest_of(1, &first);
    for (long i = 0; i < nest.count; i++)
        dx.data[tl_nest_offset(&nest, 0, i) + index[i] * dx.stride[axis]] += dy.data[i];
}
