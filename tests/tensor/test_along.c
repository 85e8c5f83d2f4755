/* Choosing along an axis, from tensors of any strides, against plain loops over indices. */
#include "check.h"
#include "tensor/along.h"
#include "layouts.h"

START_TEST(max_along_an_axis) {
    tl_real *data = pool(1), y[300], dx_data[600];
    int32_t index[300];
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int axis = 0; axis < 3; axis++) {
            tl_tensor x = laid_out(data, TL_SHAPE(4, 6, 10), layout),
                      dx = tl_tensor_of(dx_data, tl_shape_of(x));
            tl_shape left = tl_shape_of(x);
            left.dim[axis] = 1;
            tl_tensor_max(tl_tensor_of(y, left), index, x, axis);
            tl_tensor_fill(dx, 0);
            tl_tensor_max_grad(dx, tl_tensor_of(y, left), index, axis);
            long hits = 0;
            for (long i = 0; i < 240; i++) {
                long rest[3] = {i / 60, i / 10 % 6, i % 10}, place = rest[axis],
                     o = 0; /* o: the result it feeds */
                for (int j = 0; j < 3; j++) o = o * left.dim[j] + (j == axis ? 0 : rest[j]);
                must(*at(x, i) <= y[o]);
                must(index[o] != place || *at(x, i) == y[o]);
                must(dx_data[i] == (index[o] == place ? y[o] : 0));
                hits += index[o] == place;
            }
            must(hits == tl_shape_numel(left));
        }
    tl_real ties[] = {1, 3, 3, 2, 9, (tl_real)NAN, (tl_real)NAN, 10};
    tl_tensor_max(tl_tensor_of(y, TL_SHAPE(2)), index, tl_tensor_of(ties, TL_SHAPE(2, 4)), 1);
    must(index[0] == 1 && y[0] == 3 && index[1] == 1 && isnan(y[1]));
    free(data);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, max_along_an_axis); }
TL_TEST_MAIN("tensor: along an axis")
