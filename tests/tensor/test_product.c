/* Matrix products against three plain loops that take the same steps in the same order: equal in every bit, for every
 * kind of kernels that this processor can run, whatever the shapes, strides, batches, blocks and threads. */
#include "check.h"
#include "products.h"
#include "tensor/product.h"

/* ---- helpers ---- */

/* Check writes a file at each of its own assertions: too slow for inner loops. */
#define MUST(condition)                                                          \
 do {                                                                            \
  if (!(condition)) ck_abort_msg("line %d: not true: %s", __LINE__, #condition); \
 } while (0)

/* Memory of exactly the size asked for, so that a sanitizer sees an access beyond it; freed by free_all. */
static void *blocks[128];
static int block_count;
static tl_real *memory(long count) {
    MUST(block_count < 128);
    return blocks[block_count++] = malloc((size_t)(count > 0 ? count : 1) * sizeof(tl_real));
}
static void free_all(void) {
    while (block_count > 0) free(blocks[--block_count]);
}

static uint64_t state = 1;
/* in -1 … 1, with all bits of the mantissa in use; sometimes a zero of either sign */
static tl_real number(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double x = (double)(state >> 11) / 4503599627370496.0 - 1.0;
    if (state >> 58 == 0) return (tl_real)(x < 0 ? -0.0 : 0.0);
    return (tl_real)x;
}

static tl_tensor random_tensor(tl_shape shape) {
    tl_tensor t = tl_tensor_of(memory(tl_shape_numel(shape)), shape);
    for (long i = 0; i < tl_numel(t); i++) t.data[i] = number();
    return t;
}

/* A matrix [rows,cols]; with `transposed` it is stored as its transpose. */
static tl_tensor random_matrix(long rows, long cols, bool transposed) {
    if (!transposed) return random_tensor(TL_SHAPE(rows, cols));
    return tl_tensor_transpose(random_tensor(TL_SHAPE(cols, rows)), 0, 1);
}

/* The address of the element of `t` that broadcasts to index[0…rank), an index of a tensor of that rank. i and j index
 * the last two axes. */
static tl_real *element(tl_tensor t, int rank, const long *index, long i, long j) {
    long at = i * t.stride[t.rank - 2] + j * t.stride[t.rank - 1];
    for (int axis = 0; axis < t.rank - 2; axis++)
        if (t.dim[axis] != 1) at += index[axis + rank - t.rank] * t.stride[axis];
    return t.data ? t.data + at : NULL;
}

static long axis_size(tl_tensor t, int back) { return t.rank >= back ? t.dim[t.rank - back] : 1; }

/* Large results that are slow to compute are checked at every 13th element, so that each place in a tile is checked. */
static long every(const tl_product_kernels *kernels, tl_tensor c, tl_tensor a) {
    return kernels->in_groups && tl_numel(c) * a.dim[a.rank - 1] > 100000 ? 13 : 1;
}

/* The promise of tl_product, element by element. out is row-major [numel of c]. */
static void reference(tl_real *out, tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options,
                      const tl_product_kernels *kernels) {
    const long m = c.dim[c.rank - 2], n = c.dim[c.rank - 1], depth = a.dim[a.rank - 1];
    const int most = a.rank > b.rank ? a.rank : b.rank, rank = c.rank > most ? c.rank : most;
    long size[TL_MAX_RANK], sums = 1, index[TL_MAX_RANK] = {0}; /* size of each summed axis, else 1 */
    for (int axis = 0; axis < rank - 2; axis++) {
        const long of_a = axis_size(a, rank - axis), of_b = axis_size(b, rank - axis);
        size[axis] = axis_size(c, rank - axis) != 1 ? 1 : of_a != 1 ? of_a : of_b;
        sums *= size[axis];
    }
    tl_real *x = malloc((size_t)(sums * depth + 1) * sizeof *x),
            *y = malloc((size_t)(sums * depth + 1) * sizeof *y);
    for (long at = 0, count = tl_numel(c); at < count; at += every(kernels, c, a)) {
        long item = at / (m * n);
        for (int axis = rank - 3; axis >= 0; axis--) {
            index[axis] = item % axis_size(c, rank - axis);
            item /= axis_size(c, rank - axis);
        }
        const long i = at / n % m, j = at % n;
        const tl_real old = options && options->add ? *element(c, rank, index, i, j) : 0;
        for (long s = 0; s < sums; s++) {
            long rest = s;
            for (int axis = rank - 3; axis >= 0; axis--) {
                if (size[axis] == 1) continue;
                index[axis] = rest % size[axis];
                rest /= size[axis];
            }
            const tl_real *from_a = element(a, rank, index, i, 0), *from_b = element(b, rank, index, 0, j);
            for (long p = 0; p < depth; p++) {
                x[s * depth + p] = from_a[p * a.stride[a.rank - 1]];
                y[s * depth + p] = from_b[p * b.stride[b.rank - 2]];
            }
        }
        const tl_real sum = chain(kernels, old, x, y, sums * depth);
        out[at] = options && options->bias ? sum + options->bias[j] : sum;
    }
    free(x);
    free(y);
}

static bool same_bits(tl_real x, tl_real y) {
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}

static void assert_elements(tl_tensor c, const tl_real *expected, long step, const char *what) {
    const long m = c.dim[c.rank - 2], n = c.dim[c.rank - 1];
    long index[TL_MAX_RANK] = {0};
    for (long at = 0, count = tl_numel(c); at < count; at += step) {
        long item = at / (m * n);
        for (int axis = c.rank - 3; axis >= 0; item /= c.dim[axis--]) index[axis] = item % c.dim[axis];
        const tl_real found = *element(c, c.rank, index, at / n % m, at % n);
        if (same_bits(found, expected[at])) continue;
        ck_abort_msg("%s: item %ld, element [%ld,%ld] of [%ld,%ld]: %.17g, not %.17g", what, at / (m * n),
                     at / n % m, at % n, m, n, (double)found, (double)expected[at]);
    }
}

/* The product must equal the three loops for every kind of kernels. c's old elements are the same for each kind, and
 * panels hold NaN before they are packed. */
static void assert_product(tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options) {
    products list[MOST_PRODUCTS];
    const long count = tl_numel(c);
    tl_real *expected = malloc((size_t)(count + 1) * sizeof *expected),
            *old = malloc((size_t)(count + 1) * sizeof *old);
    tl_tensor kept = tl_tensor_of(old, tl_shape_of(c));
    MUST(tl_tensor_copy(kept, c));
    tl_workspace w = {0};
    for (int s = 0, n = products_here(list); s < n; s++) {
        char what[200];
        snprintf(what, sizeof what, "%s, K %ld, a's strides %ld %ld, b's %ld %ld, c's %ld %ld", list[s].name,
                 a.dim[a.rank - 1], a.stride[a.rank - 2], a.stride[a.rank - 1], b.stride[b.rank - 2],
                 b.stride[b.rank - 1], c.stride[c.rank - 2], c.stride[c.rank - 1]);
        MUST(tl_tensor_copy(c, kept));
        if (s == 0 || !same_chain(list[s].kernels, list[s - 1].kernels))
            reference(expected, c, a, b, options, list[s].kernels);
        if (w.memory) memset(w.memory, 0xff, w.size);
        MUST(tl_product_with(list[s].kernels, c, a, b, options, &w));
        assert_elements(c, expected, every(list[s].kernels, c, a), what);
    }
    tl_workspace_free(&w);
    free(expected);
    free(old);
}

/* ---- shapes and strides ---- */

START_TEST(odd_sizes_in_all_transposition_cases) {
    if (_i == 0) say_if_without_amx();
    static const long rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 15, 23, 25};
    static const long cols[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65};
    static const long depths[] = {1, 2, 5, 19};
    const long depth = depths[_i / 4];
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (size_t s = 0; s < sizeof cols / sizeof *cols; s++) {
            tl_tensor a = random_matrix(rows[r], depth, _i & 1), b = random_matrix(depth, cols[s], _i & 2);
            assert_product(random_matrix(rows[r], cols[s], false), a, b, NULL);
            free_all();
        }
}
END_TEST

START_TEST(long_chains_pass_through_several_blocks) {
    static const long depths[] = {127, 128, 129, 255, 256, 257, 513, 1000};
    for (size_t d = 0; d < sizeof depths / sizeof *depths; d++)
        for (int layout = 0; layout < 4; layout++)
            for (int rows = 5; rows <= 60; rows += 55) {
                const tl_product_options options = {
                    .bias = layout & 1 ? random_tensor(TL_SHAPE(37)).data : NULL, .add = !(layout & 1)};
                tl_tensor a = random_matrix(rows, depths[d], layout & 1);
                assert_product(random_matrix(rows, 37, false), a, random_matrix(depths[d], 37, layout & 2),
                               &options);
                free_all();
            }
}
END_TEST

/* Large enough for several blocks of rows and columns. */
START_TEST(many_rows_and_columns) {
    static const long sizes[][3] = {
        {203, 150, 40}, {51, 700, 30}, {700, 51, 30}, {49, 520, 129}, {97, 257, 260}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        tl_tensor a = random_matrix(sizes[s][0], sizes[s][2], _i & 1);
        tl_tensor b = random_matrix(sizes[s][2], sizes[s][1], _i & 2);
        assert_product(random_matrix(sizes[s][0], sizes[s][1], false), a, b, NULL);
        free_all();
    }
}
END_TEST

/* c is column-major, or has no contiguous axis; the memory between c's elements stays unchanged. */
START_TEST(c_of_any_strides) {
    for (int layout = 0; layout < 8; layout++) {
        const long m = layout & 4 ? 29 : 1, n = 37, depth = 21;
        const tl_product_options bias = {.bias = random_tensor(TL_SHAPE(n)).data}, add = {.add = true};
        tl_tensor a = random_matrix(m, depth, layout & 1), b = random_matrix(depth, n, layout & 2);
        assert_product(random_matrix(m, n, true), a, b, NULL);
        assert_product(random_matrix(m, n, true), a, b, &bias);
        assert_product(random_matrix(m, n, true), a, b, &add);

        tl_tensor sparse = random_tensor(TL_SHAPE(m, n, 3)), before = random_tensor(TL_SHAPE(m, n, 3));
        MUST(tl_tensor_copy(before, sparse));
        tl_tensor c = {.data = sparse.data + 1, .rank = 2, .dim = {m, n}, .stride = {3 * n, 3}};
        assert_product(c, a, b, NULL);
        assert_product(c, a, b, &bias);
        assert_product(c, a, b, &add);
        for (long i = 0; i < m * n * 3; i++)
            if (i % 3 != 1) MUST(same_bits(sparse.data[i], before.data[i]));

        tl_tensor wide = random_tensor(TL_SHAPE(m, n + 5)), old = random_tensor(TL_SHAPE(m, n + 5));
        MUST(tl_tensor_copy(old, wide));
        assert_product(tl_tensor_slice(wide, 1, 2, n + 2), a, b, &bias);
        for (long i = 0; i < m * (n + 5); i++)
            if (i % (n + 5) < 2 || i % (n + 5) >= n + 2) MUST(same_bits(wide.data[i], old.data[i]));
        free_all();
    }
}
END_TEST

START_TEST(strides_of_zero_and_strides_of_two) {
    const long m = 14, n = 35, depth = 9;
    for (int layout = 0; layout < 16; layout++) {
        tl_tensor a = random_tensor(TL_SHAPE(m, depth, 2)), b = random_tensor(TL_SHAPE(depth, n, 2));
        a.rank = b.rank = 2; /* every second number */
        if (layout & 1) a.stride[0] = 0;
        if (layout & 2) a.stride[1] = 0;
        if (layout & 4) b.stride[0] = 0;
        if (layout & 8) b.stride[1] = 0;
        assert_product(random_matrix(m, n, false), a, b, NULL);
        tl_tensor row = tl_tensor_expand(random_tensor(TL_SHAPE(1, depth)), TL_SHAPE(m, depth));
        tl_tensor column = tl_tensor_expand(random_tensor(TL_SHAPE(depth, 1)), TL_SHAPE(depth, n));
        assert_product(random_matrix(m, n, false), row, b, NULL);
        assert_product(random_matrix(m, n, false), a, column, NULL);
        free_all();
    }
}
END_TEST

START_TEST(a_column_and_a_row) {
    for (int layout = 0; layout < 4; layout++) {
        tl_tensor matrix = random_matrix(70, 50, layout & 1), vector = random_matrix(50, 1, layout & 2);
        assert_product(random_matrix(70, 1, layout & 2), matrix, vector, NULL);
        assert_product(random_matrix(1, 70, layout & 2), tl_tensor_transpose(vector, 0, 1),
                       tl_tensor_transpose(matrix, 0, 1), NULL);
        assert_product(random_matrix(50, 50, layout & 1), vector, tl_tensor_transpose(vector, 0, 1), NULL);
        free_all();
    }
}
END_TEST

/* Packing fills the lines that a panel lacks with zeros, since the tiles multiply them. */
START_TEST(panels_are_filled_up_with_zeros) {
    products list[MOST_PRODUCTS];
    for (int s = 0, n = products_here(list); s < n; s++)
        for (int layout = 0; layout < 3 && list[s].kernels->unit == 1; layout++)
            for (long width = 1; width <= list[s].kernels->cols; width++)
                for (long lines = 1; lines <= width; lines++) {
                    enum { DEPTH = 7 };
                    tl_tensor from = random_tensor(TL_SHAPE(lines * 3, DEPTH * 3)); /* more than is read */
                    const long line = layout == 0 ? 1 : layout == 1 ? DEPTH : 2 * DEPTH;
                    const long step = layout == 0 ? lines : layout == 1 ? 1 : 2;
                    tl_real *to = memory(width * DEPTH);
                    list[s].kernels->pack_b(to, width, from.data, line, step, lines, DEPTH);
                    for (long p = 0; p < DEPTH; p++)
                        for (long l = 0; l < width; l++)
                            MUST(
                                same_bits(to[p * width + l], l < lines ? from.data[l * line + p * step] : 0));
                    free_all();
                }
}
END_TEST

/* ---- batches ---- */

START_TEST(batches_broadcast) {
    tl_tensor c = random_tensor(TL_SHAPE(2, 3, 7, 18));
    const tl_product_options options = {.bias = random_tensor(TL_SHAPE(18)).data};
    const tl_shape shapes_a[] = {TL_SHAPE(2, 3, 7, 5), TL_SHAPE(1, 3, 7, 5), TL_SHAPE(2, 1, 7, 5),
                                 TL_SHAPE(3, 7, 5), TL_SHAPE(7, 5)};
    const tl_shape shapes_b[] = {TL_SHAPE(2, 3, 5, 18), TL_SHAPE(1, 3, 5, 18), TL_SHAPE(2, 1, 5, 18),
                                 TL_SHAPE(3, 5, 18), TL_SHAPE(5, 18)};
    for (int x = 0; x < 5; x++)
        for (int y = 0; y < 5; y++)
            assert_product(c, random_tensor(shapes_a[x]), random_tensor(shapes_b[y]), &options);
    free_all();
}
END_TEST

/* c [B,N,M] viewed as [B,M,N]: computed as its transpose, with the batch axes of a and b exchanged. */
START_TEST(batches_of_transposed_results) {
    for (int x = 0; x < 2; x++) {
        tl_tensor c = tl_tensor_transpose(random_tensor(TL_SHAPE(3, 18, 7)), 1, 2);
        tl_tensor a = x ? random_tensor(TL_SHAPE(3, 7, 5)) : random_tensor(TL_SHAPE(7, 5));
        assert_product(c, a, random_tensor(TL_SHAPE(3, 5, 18)), NULL);
        /* and with summed axes, over rows that do not continue evenly */
        a = tl_tensor_slice(random_tensor(TL_SHAPE(3, 4, 7, 6)), 3, 0, 5);
        c = tl_tensor_transpose(random_tensor(TL_SHAPE(18, 7)), 0, 1);
        assert_product(c, a, random_tensor(TL_SHAPE(3, 4, 5, 18)), NULL);
    }
    free_all();
}
END_TEST

/* Heads are columns of [B,T,D] viewed as [B,H,T,D/H]: attention's products, forward and backward, all on views. */
START_TEST(heads_are_read_and_written_in_place) {
    const long batch = 3, heads = 2, tokens = 13 + _i, size = 16;
    tl_tensor v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = random_tensor(TL_SHAPE(batch, tokens, heads, size));
        v[i] = tl_tensor_transpose(v[i], 1, 2);
    }
    tl_tensor scores = random_tensor(TL_SHAPE(batch, heads, tokens, tokens));
    assert_product(scores, v[0], tl_tensor_transpose(v[1], 2, 3), NULL);
    assert_product(v[2], scores, v[1], NULL);
    assert_product(v[3], tl_tensor_transpose(scores, 2, 3), v[0], &(tl_product_options){.add = true});
    free_all();
}
END_TEST

START_TEST(one_matrix_for_a_whole_batch) {
    tl_tensor weight = random_matrix(24, 40, true);
    assert_product(random_tensor(TL_SHAPE(4, 6, 40)), random_tensor(TL_SHAPE(4, 6, 24)), weight, NULL);
    assert_product(random_tensor(TL_SHAPE(5, 1, 40)), random_tensor(TL_SHAPE(5, 1, 24)), weight, NULL);
    /* rows that do not continue evenly from item to item */
    tl_tensor longer = random_tensor(TL_SHAPE(4, 9, 24));
    assert_product(random_tensor(TL_SHAPE(4, 6, 40)), tl_tensor_slice(longer, 1, 2, 8), weight, NULL);
    tl_tensor same = tl_tensor_expand(random_tensor(TL_SHAPE(1, 6, 24)), TL_SHAPE(4, 6, 24));
    assert_product(random_tensor(TL_SHAPE(4, 6, 40)), same, weight, NULL);
    free_all();
}
END_TEST

/* Axes that c lacks are summed over; a and b as in gradients: [B,T,M]ᵀ x [B,T,N] = [M,N]. */
START_TEST(axes_that_c_lacks_are_summed) {
    const tl_product_options add = {.add = true}, bias = {.bias = random_tensor(TL_SHAPE(10)).data};
    const tl_product_options *options[] = {NULL, &add, &bias};
    for (int o = 0; o < 3; o++) {
        tl_tensor x = random_tensor(TL_SHAPE(3, 4, 7, 6)), dy = random_tensor(TL_SHAPE(3, 4, 7, 10));
        tl_tensor x_t = tl_tensor_transpose(x, 2, 3);
        assert_product(random_tensor(TL_SHAPE(6, 10)), x_t, dy, options[o]);
        assert_product(random_matrix(6, 10, true), x_t, dy, options[o]);
        assert_product(random_tensor(TL_SHAPE(3, 1, 6, 10)), x_t, dy, options[o]);
        assert_product(random_tensor(TL_SHAPE(4, 6, 10)), x_t, dy, options[o]);
        assert_product(random_tensor(TL_SHAPE(6, 10)), tl_at(x_t, 1), dy, options[o]);
        assert_product(random_tensor(TL_SHAPE(6, 10)), tl_at(x_t, 1, 2), dy, options[o]);
        assert_product(random_tensor(TL_SHAPE(6, 10)), x_t, tl_at(dy, 2, 3), options[o]);
        /* rows that do not continue evenly: the axis cannot merge with k */
        tl_tensor part = tl_tensor_slice(random_tensor(TL_SHAPE(3, 4, 9, 6)), 2, 1, 8);
        assert_product(random_tensor(TL_SHAPE(6, 10)), tl_tensor_transpose(part, 2, 3), dy, options[o]);
        part = tl_tensor_slice(random_tensor(TL_SHAPE(3, 5, 7, 6)), 1, 1, 5);
        assert_product(random_tensor(TL_SHAPE(6, 10)), tl_tensor_transpose(part, 2, 3), dy, options[o]);
        assert_product(random_tensor(TL_SHAPE(6, 10)), tl_tensor_slice(x_t, 3, 2, 3),
                       tl_tensor_slice(dy, 2, 2, 3), options[o]);
        /* the outer axis could merge with k, but the inner one lies between them */
        tl_tensor turned = tl_tensor_transpose(random_tensor(TL_SHAPE(4, 3, 7, 6)), 0, 1);
        tl_tensor dy_turned = tl_tensor_transpose(random_tensor(TL_SHAPE(4, 3, 7, 10)), 0, 1);
        assert_product(random_tensor(TL_SHAPE(6, 10)), tl_tensor_transpose(turned, 2, 3), dy_turned,
                       options[o]);
        assert_product(random_tensor(TL_SHAPE(6, 10)), random_tensor(TL_SHAPE(0, 6, 7)),
                       random_tensor(TL_SHAPE(0, 7, 10)), options[o]);
    }
    free_all();
}
END_TEST

START_TEST(a_row_alone_has_the_bits_it_has_among_many) {
    const long m = 150, n = 300, depth = 400;
    tl_tensor a = random_matrix(m, depth, false), b = random_matrix(depth, n, _i);
    tl_tensor all = random_matrix(m, n, false), one = random_matrix(1, n, false),
              seven = random_matrix(7, n, false), turned = random_matrix(m, n, true);
    tl_workspace w = {0};
    products list[MOST_PRODUCTS];
    for (int s = 0, count = products_here(list); s < count; s++) {
        const tl_product_kernels *kernels = list[s].kernels;
        MUST(tl_product_with(kernels, all, a, b, NULL, &w));
        for (long i = 0; i + 7 <= m; i += 7) {
            MUST(tl_product_with(kernels, one, tl_tensor_slice(a, 0, i, i + 1), b, NULL, &w));
            MUST(memcmp(one.data, all.data + i * n, (size_t)n * sizeof(tl_real)) == 0);
            MUST(tl_product_with(kernels, seven, tl_tensor_slice(a, 0, i, i + 7), b, NULL, &w));
            MUST(memcmp(seven.data, all.data + i * n, (size_t)(7 * n) * sizeof(tl_real)) == 0);
        }
        MUST(tl_product_with(kernels, turned, a, b, NULL, &w)); /* c is column-major */
        for (long i = 0; i < m; i++)
            for (long j = 0; j < n; j++) MUST(same_bits(turned.data[j * m + i], all.data[i * n + j]));
    }
    tl_workspace_free(&w);
    free_all();
}
END_TEST

/* ---- threads and memory ---- */

START_TEST(threads_change_no_bit) {
    static const int threads[] = {1, 2, 3, 5};
    static const long sizes[][4] = {{1, 150, 90, 300}, {1, 30, 1000, 65}, {3, 61, 70, 80}, {40, 16, 16, 32}};
    if (_i == 0) {
        tl_set_threads(5);
        if (tl_threads() == 1) TL_SKIP("threads_change_no_bit compares nothing: built without OpenMP");
    }
    const long *s = sizes[_i];
    tl_tensor a = random_tensor(TL_SHAPE(s[0], s[1], s[3])), b = random_tensor(TL_SHAPE(s[0], s[3], s[2]));
    tl_tensor c = random_tensor(TL_SHAPE(s[0], s[1], s[2]));
    tl_workspace w = {0};
    tl_real *expected = memory(tl_numel(c));
    products list[MOST_PRODUCTS];
    for (int p = 0, count = products_here(list); p < count; p++) {
        reference(expected, c, a, b, NULL, list[p].kernels);
        for (int i = 0; i < 4; i++) {
            tl_set_threads(threads[i]);
            /* repeated, because a race between threads does not show each time */
            for (int again = 0; again < 10; again++) {
                tl_tensor_fill(c, NAN);
                MUST(tl_product_with(list[p].kernels, c, a, b, NULL, &w));
                char what[80];
                snprintf(what, sizeof what, "%s, %d threads", list[p].name, threads[i]);
                assert_elements(c, expected, every(list[p].kernels, c, a), what);
            }
        }
    }
    tl_workspace_free(&w);
    free_all();
}
END_TEST

START_TEST(shapes_seen_before_allocate_nothing) {
    tl_workspace w = {0};
    void *memory_then = NULL;
    size_t size_then = 0;
    for (int round = 0; round < 3; round++) {
        for (long size = 1; size < 200; size += 33) {
            tl_tensor a = random_matrix(size, 300, true), b = random_matrix(300, size, true);
            MUST(tl_product(random_matrix(size, size, false), a, b, NULL, &w));
            free_all();
        }
        if (round > 0) MUST(w.memory == memory_then && w.size == size_then);
        memory_then = w.memory, size_then = w.size;
    }
    tl_workspace_free(&w);
    MUST(!w.memory && w.size == 0);
}
END_TEST

START_TEST(workspace_grows_aligned_and_says_when_it_cannot) {
    tl_workspace w = {0};
    for (size_t bytes = 0; bytes < 10000; bytes = bytes * 2 + 1) {
        char *p = tl_workspace_get(&w, bytes);
        MUST(p && (uintptr_t)p % 64 == 0 && w.size >= bytes);
        memset(p, 1, bytes);
    }
    const tl_workspace before = w;
    MUST(!tl_workspace_get(&w, SIZE_MAX));
    MUST(w.memory == before.memory && w.size == before.size);
    tl_workspace_free(&w);
}
END_TEST

/* ---- no elements; NaN and infinity ---- */

START_TEST(no_rows_columns_items_or_depth) {
    const tl_product_options bias = {.bias = random_tensor(TL_SHAPE(21)).data}, add = {.add = true};
    tl_tensor c = random_matrix(5, 21, false);
    assert_product(c, random_tensor(TL_SHAPE(5, 0)), random_tensor(TL_SHAPE(0, 21)), NULL);
    assert_product(c, random_tensor(TL_SHAPE(5, 0)), random_tensor(TL_SHAPE(0, 21)), &bias);
    assert_product(random_matrix(5, 21, true), random_tensor(TL_SHAPE(5, 0)), random_tensor(TL_SHAPE(0, 21)),
                   &bias);
    assert_product(random_matrix(5, 21, false), random_tensor(TL_SHAPE(5, 0)), random_tensor(TL_SHAPE(0, 21)),
                   &add);
    tl_tensor none = {.data = NULL, .rank = 2, .dim = {5, 0}, .stride = {0, 1}};
    tl_tensor none_too = {.data = NULL, .rank = 2, .dim = {0, 21}, .stride = {21, 1}};
    assert_product(c, none, none_too, NULL);
    tl_workspace w = {0};
    MUST(tl_product(random_tensor(TL_SHAPE(0, 4)), random_tensor(TL_SHAPE(0, 3)),
                    random_tensor(TL_SHAPE(3, 4)), NULL, &w));
    MUST(tl_product(random_tensor(TL_SHAPE(4, 0)), random_tensor(TL_SHAPE(4, 3)),
                    random_tensor(TL_SHAPE(3, 0)), NULL, &w));
    MUST(tl_product(random_tensor(TL_SHAPE(0, 4, 4)), random_tensor(TL_SHAPE(0, 4, 3)),
                    random_tensor(TL_SHAPE(3, 4)), NULL, &w));
    tl_workspace_free(&w);
    free_all();
}
END_TEST

/* A NaN or an infinity reaches its own row or column and no other, however tiles are padded. */
START_TEST(non_finite_numbers_stay_in_their_rows_and_columns) {
    const long m = 14, n = 19, depth = 11;
    for (int layout = 0; layout < 4; layout++)
        for (int bad = 0; bad < 3; bad++) {
            tl_tensor a = random_matrix(m, depth, layout & 1), b = random_matrix(depth, n, layout & 2);
            tl_tensor c = random_matrix(m, n, false);
            const tl_real value = bad == 0 ? (tl_real)NAN : bad == 1 ? (tl_real)INFINITY : -(tl_real)INFINITY;
            *element(a, 2, NULL, m - 1, 3) = value;
            *element(b, 2, NULL, 4, n - 1) = value;
            *element(b, 2, NULL, 3, 0) = 0; /* 0 · Inf is NaN, not 0 */
            assert_product(c, a, b, NULL);
            MUST(isnan(c.data[(m - 1) * n]));
            for (long i = 0; i < m; i++)
                for (long j = 0; j < n; j++)
                    MUST((isfinite(c.data[i * n + j]) != 0) == (i != m - 1 && j != n - 1));
            free_all();
        }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, odd_sizes_in_all_transposition_cases, 0, 16);
    tcase_add_test(tc, long_chains_pass_through_several_blocks);
    tcase_add_loop_test(tc, many_rows_and_columns, 0, 4);
    tcase_add_test(tc, c_of_any_strides);
    tcase_add_test(tc, strides_of_zero_and_strides_of_two);
    tcase_add_test(tc, a_column_and_a_row);
    tcase_add_test(tc, panels_are_filled_up_with_zeros);
    tcase_add_test(tc, batches_broadcast);
    tcase_add_test(tc, batches_of_transposed_results);
    tcase_add_loop_test(tc, heads_are_read_and_written_in_place, 0, 5);
    tcase_add_test(tc, one_matrix_for_a_whole_batch);
    tcase_add_test(tc, axes_that_c_lacks_are_summed);
    tcase_add_loop_test(tc, a_row_alone_has_the_bits_it_has_among_many, 0, 2);
    tcase_add_loop_test(tc, threads_change_no_bit, 0, 4);
    tcase_add_test(tc, shapes_seen_before_allocate_nothing);
    tcase_add_test(tc, workspace_grows_aligned_and_says_when_it_cannot);
    tcase_add_test(tc, no_rows_columns_items_or_depth);
    tcase_add_test(tc, non_finite_numbers_stay_in_their_rows_and_columns);
}

TL_TEST_MAIN("tensor: product")
