/* Matrix products at the edges of their operands, by every kind of kernels that this processor can run: a, b, c and
 * bias end where memory ends, or begin unaligned; rows lie apart, and what lies between them is NaN and stays as it was
 * (edges.h). Sizes of 0 and odd, prime and large ones; b packed and not. Results are compared with sums in long double;
 * test_product.c says which bits they have. */
#define _GNU_SOURCE
#include "edges.h"
#include "products.h"
#include "tensor/product.h"

enum { PANELS = 6 };

/* A matrix of that many rows and columns in a room; `transposed`: its columns are contiguous. Where rows lie `apart`
 * elements apart, these hold guards. */
static tl_tensor matrix(int number, long rows, long cols, bool transposed, long apart, int placement) {
    const long lines = transposed ? cols : rows, line = transposed ? rows : cols, step = line + apart;
    const long n = lines && line ? lines * step - apart : 0;
    tl_real *x = place(number, n, placement);
    for (long l = 0; l < lines; l++)
        for (long i = 0; i < line; i++) x[l * step + i] = (tl_real)(2 * uniform() - 1);
    if (n) memcpy(rooms[number].kept, x, (size_t)n * sizeof *x);
    tl_tensor t = tl_tensor_of(x, TL_SHAPE(lines, line));
    t.stride[0] = step;
    return transposed ? tl_tensor_transpose(t, 0, 1) : t;
}
static tl_real *element(tl_tensor t, long i, long j) { return t.data + i * t.stride[0] + j * t.stride[1]; }

/* What one sum may be off by, relative to the sum of |a|·|b| (product.h): tl_real's rounding, or bfloat16's. */
static double error_of(const products *kind) {
    static const double split[] = {0x1p-21, 3 * 0x1p-16, 0x1p-7};
    return kind->kernels->unit == 1 ? 0 : split[kind->precision];
}

static void product(const products *kind, long m, long n, long k, int how, int placement, tl_workspace *w) {
    const bool turn_a = how & 1, turn_b = how >> 1 & 1, turn_c = how >> 2 & 1;
    const bool add = how % 3 == 1, with_bias = how % 3 == 2;
    const long apart = how % 4;
    tl_tensor a = matrix(0, m, k, turn_a, apart, placement), b = matrix(1, k, n, turn_b, apart, placement);
    tl_tensor c = matrix(2, m, n, turn_c, apart, placement);
    const tl_real *bias = place_random(3, n, placement, -1, 1);
    const tl_product_options options = {.add = add, .bias = with_bias ? bias : NULL};
    char what[128];
    snprintf(what, sizeof what, "%s, [%ld,%ld,%ld], case %d, placement %d", kind->name, m, n, k, how,
             placement);
    must(tl_product_with(kind->kernels, c, a, b, &options, w));
    for (int r = 0; r < 4; r++) r == 2 ? untouched_around(r, what) : untouched(r, what);
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            const tl_real *at = element(c, i, j);
            const wide old = add ? rooms[2].kept[at - rooms[2].at] : 0;
            wide sum = 0, size = fabsl(old);
            for (long p = 0; p < k; p++) {
                const wide term = (wide)*element(a, i, p) * *element(b, p, j);
                sum += term, size += fabsl(term);
            }
            sum += old + (with_bias ? bias[j] : 0);
            const wide bound = (wide)(error_of(kind) + (double)(k + 2) * EPSILON / 2) * (size + fabsl(sum));
            must_msg(fabsl(*at - sum) <= bound, "%s: c[%ld,%ld] is %.9g, should be %.9Lg", what, i, j,
                     (double)*at, sum);
        }
    /* between the rows of c */
    const tl_real g = guard();
    const long line = turn_c ? m : n, step = line + apart;
    for (long i = 0; i < rooms[2].n; i++)
        must_msg(i % step < line || !memcmp(rooms[2].at + i, &g, sizeof g), "%s: wrote between rows", what);
}

static void sizes(const products *kind, tl_workspace *w) {
    static const long size[][3] = {
        {1, 1, 1},    {0, 3, 2},     {3, 0, 2},    {3, 2, 0},    {1, 17, 5},   {17, 1, 3},   {2, 3, 1},
        {5, 7, 9},    {7, 15, 16},   {8, 16, 17},  {9, 17, 31},  {15, 31, 33}, {16, 33, 63}, {31, 64, 7},
        {33, 65, 64}, {13, 127, 65}, {1, 257, 31}, {3, 5, 1021}, {63, 9, 37},
    };
    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int how = 0; how < 12; how++)
            if (how < 3 || (s + (size_t)how) % 3 == 0 || size[s][0] * size[s][1] * size[s][2] < 2000)
                product(kind, size[s][0], size[s][1], size[s][2], how, how % PLACEMENTS, w);
}

START_TEST(products_at_the_edges) {
    products kind[MOST_PRODUCTS];
    const tl_kernels *set[MOST_SETS];
    tl_workspace w = {0};
    open_rooms();
    say_if_without_amx();
    const int kinds = products_here(kind), sets = kernel_sets(set);
    for (int i = 0; i < kinds; i++) sizes(&kind[i], &w);
    for (int s = 0; s < sets;
         s++) /* and what the other sets have for weights: bfloat16, where AMX is the best */
        for (int p = 0; p < 3; p++) {
            const products other = {set[s]->isa, (tl_matmul_precision)p, set[s]->weights[p]};
            bool seen = s > 0 && set[s - 1]->weights[p] == other.kernels;
            for (int i = 0; i < kinds; i++) seen = seen || kind[i].kernels == other.kernels;
            if (!seen) sizes(&other, &w);
        }
    tl_workspace_free(&w);
}
END_TEST

/* Packing reads b and writes its panels, no more; the packed b serves every height. */
START_TEST(packed_at_the_edges) {
    static const long size[][2] = {{1, 1},   {3, 2},    {17, 5},  {16, 32}, {33, 31},
                                   {64, 65}, {127, 33}, {257, 7}, {5, 257}};
    const tl_kernels *set[MOST_SETS];
    tl_workspace w = {0};
    open_rooms();
    for (int t = 0, sets = kernel_sets(set); t < sets; t++)
        for (int p = 0; p < 3; p++)
            for (size_t s = 0; s < sizeof size / sizeof *size; s++)
                for (int placement = 0; placement < PLACEMENTS; placement++) {
                    ck_assert(tl_set_isa(t == 0                              ? "base"
                                         : strncmp(set[t]->isa, "avx512", 6) ? set[t]->isa
                                                                             : "avx512",
                                         NULL));
                    const tl_matmul_precision precision = (tl_matmul_precision)p;
                    const long k = size[s][0], n = size[s][1], m = 3;
                    tl_tensor b = matrix(1, k, n, placement & 1, placement, placement);
                    const long numel = tl_product_packed_numel(b, precision);
                    const long over = numel % (64 / (long)sizeof(tl_real));
                    /* aligned to 64 bytes, and where it can be, at the end of memory */
                    tl_real *panels =
                        place(PANELS, numel + (over ? 64 / (long)sizeof(tl_real) - over : 0), 0);
                    const tl_product_packed packed = tl_product_prepack(panels, b, precision);
                    untouched_around(PANELS, "prepack"), untouched(1, "prepack");
                    tl_tensor a = matrix(0, m, k, false, 1, placement),
                              c = matrix(2, m, n, false, 1, placement),
                              d = matrix(3, m, n, false, 1, placement);
                    const tl_product_options with = {.packed = &packed, .precision = precision},
                                             without = {.precision = precision};
                    must(tl_product(c, a, b, &with, &w) && tl_product(d, a, b, &without, &w));
                    for (long i = 0; i < m; i++)
                        must(!memcmp(element(c, i, 0), element(d, i, 0), (size_t)n * sizeof(tl_real)));
                    untouched(0, "packed"), untouched(1, "packed");
                    untouched_around(2, "packed"), untouched_around(3, "packed"),
                        untouched_around(PANELS, "packed");
                }
    tl_workspace_free(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, products_at_the_edges);
    tcase_add_test(tc, packed_at_the_edges);
}
TL_TEST_MAIN("tensor: products at the edges")
