/* Drives matrix products: strides, batches, sums over batches, threads. product_block.c computes one rectangle of c,
 * kernels/product*.c do the arithmetic.
 *
 * c is cut into rectangles: one for each matrix of the batch, or more where there are fewer matrices than threads.
 * Threads write to different rectangles; they share only the operands, which they read. */
#include "product.h"
#include "product_block.h"
#include "share.h"

enum {
    BLOCK_K = 256,             /* longest block of k (BLIS's KC); blocks have nearly equal lengths */
    BLOCK_B_BYTES = 256 << 10, /* of a block of b (NC columns): a part of the second-level cache */
    BLOCK_TILES = 8,           /* tiles in the height of a packed block of a (MC rows) */
    FEW_TILES = 4,             /* up to so many tiles of rows, a block of b is one panel wide … */
    WIDE = 4,                  /* … or so many panels wide where b is read in place */
    PACK_B_TILES = 21,         /* from so many tiles of rows on, packing a readable b pays */
    LOW = 8,                   /* most rows of a low tile: the first-level cache has a way for each */
    PACK_COLUMNS_LOW = 256,    /* from so many columns of c on, packing a's columns pays: low tiles … */
    PACK_COLUMNS_HIGH = 512,   /* … and others; */
    PACK_ROWS_LOW = 256,       /* the same for rows of a that lie far apart */
    PACK_ROWS_HIGH = 128,
    ONE_THREAD = 100000 /* up to so many multiply-adds, one thread is faster than two */
};

/* A list of axes, the innermost first; c, a, b are the operands' strides along each. */
typedef struct axes {
    int count;
    long size[TL_MAX_RANK], c[TL_MAX_RANK], a[TL_MAX_RANK], b[TL_MAX_RANK];
} axes;

typedef struct problem {
    tl_product_plan plan;
    axes batch, sum;                     /* the batch axes of c; the axes that are summed over */
    long items;                          /* matrices in the batch */
    long row_parts, col_parts;           /* each matrix is cut into row_parts × col_parts rectangles */
    long rectangle_rows, rectangle_cols; /* of a rectangle; the last ones may be smaller */
    int threads;
    bool transposed;
} problem;

/* ---- batches ---- */

/* A batch axis becomes more rows if b's stride along it is 0 and the rows of a and of c continue along it evenly. */
static bool merge_into_rows(tl_product_plan *p, long size, long c_step, long a_step, long b_step) {
    if (b_step != 0) return false;
    if (p->m == 1)
        p->a_row = a_step, p->c_row = c_step;
    else if (a_step != p->m * p->a_row || c_step != p->m * p->c_row)
        return false;
    p->m *= size;
    return true;
}

/* A summed axis makes k longer if a's columns and b's rows continue along it evenly. */
static bool merge_into_k(tl_product_plan *p, long size, long a_step, long b_step) {
    if (p->k == 1)
        p->a_col = a_step, p->b_row = b_step;
    else if (a_step != p->k * p->a_col || b_step != p->k * p->b_row)
        return false;
    p->k *= size;
    return true;
}

static void append(axes *list, long size, long c_step, long a_step, long b_step) {
    const int at = list->count++;
    list->size[at] = size;
    list->c[at] = c_step, list->a[at] = a_step, list->b[at] = b_step;
}

/* The size of the axis `back` places before the end, and in *step its stride. An axis that t lacks has size 1; an axis
 * of size 1 has stride 0. */
static long axis_of(tl_tensor t, int back, long *step) {
    const int axis = t.rank - back;
    *step = axis >= 0 && t.dim[axis] != 1 ? t.stride[axis] : 0;
    return axis >= 0 ? t.dim[axis] : 1;
}

/* Assigns each axis before the last two, the innermost first, to rows, k, batch or sum. The order of summation must
 * stay: once an axis is in sum, no later summed axis can merge into k. */
static void set_axes(problem *q, tl_tensor c, tl_tensor a, tl_tensor b) {
    tl_product_plan *p = &q->plan;
    const int rank = (int)tl_max_long(c.rank, tl_max_long(a.rank, b.rank));
    for (int back = 3; back <= rank; back++) {
        long c_step, a_step, b_step;
        const long of_c = axis_of(c, back, &c_step), of_a = axis_of(a, back, &a_step);
        const long of_b = axis_of(b, back, &b_step), summed = of_a != 1 ? of_a : of_b;
        if (of_c != 1) {
            if (!merge_into_rows(p, of_c, c_step, a_step, b_step))
                append(&q->batch, of_c, c_step, a_step, b_step);
        } else if (summed != 1) {
            if (q->sum.count > 0 || !merge_into_k(p, summed, a_step, b_step))
                append(&q->sum, summed, 0, a_step, b_step);
        }
    }
    q->items = 1;
    for (int axis = 0; axis < q->batch.count; axis++) q->items *= q->batch.size[axis];
}

/* ---- transpose ---- */

static void swap_long(long *x, long *y) {
    const long z = *x;
    *x = *y, *y = z;
}

/* Plans Cᵀ = BᵀAᵀ instead. The sums are the same, since a·b = b·a (not where the kernels are one_way). */
static void transpose(problem *q) {
    tl_product_plan *p = &q->plan;
    swap_long(&p->m, &p->n);
    swap_long(&p->c_row, &p->c_col);
    swap_long(&p->a_row, &p->b_col);
    swap_long(&p->a_col, &p->b_row);
    const tl_real *a = p->a;
    p->a = p->b, p->b = a;
    for (int axis = 0; axis < q->batch.count; axis++) swap_long(&q->batch.a[axis], &q->batch.b[axis]);
    for (int axis = 0; axis < q->sum.count; axis++) swap_long(&q->sum.a[axis], &q->sum.b[axis]);
    p->bias_on_rows = p->bias != NULL;
    q->transposed = true;
}

/* ---- sizes ---- */

static void cut_into_rectangles(problem *q, long threads) {
    const tl_product_plan *p = &q->plan;
    const long rows = p->kernels->rows, cols = p->kernels->cols;
    const double work = (double)q->items * (double)p->m * (double)p->n * (double)(p->k + 1);
    if (work <= ONE_THREAD) threads = 1;
    q->row_parts = q->col_parts = 1;
    if (q->items % threads != 0 && q->items < 8 * threads) {
        if (p->m > p->n)
            q->row_parts = tl_min_long(threads, tl_ceil_div(p->m, rows));
        else
            q->col_parts = tl_min_long(threads, tl_ceil_div(p->n, cols));
    }
    q->rectangle_rows = tl_ceil_div(tl_ceil_div(p->m, q->row_parts), rows) * rows;
    q->rectangle_cols = tl_ceil_div(tl_ceil_div(p->n, q->col_parts), cols) * cols;
    q->row_parts = tl_ceil_div(p->m, q->rectangle_rows);
    q->col_parts = tl_ceil_div(p->n, q->rectangle_cols);
    q->threads = (int)tl_min_long(threads, q->items * q->row_parts * q->col_parts);
}

/* The length of k's blocks: nearly equal ones of whole units, none longer than the usual limit divided by `part`. */
static long block_of_k(const tl_product_plan *p, long part) {
    const long k = tl_max_long(p->k, 1), unit = p->kernels->unit;
    const long longest = BLOCK_K / part * (unit > 1 ? 2 : 1);
    return tl_ceil_div(tl_ceil_div(k, tl_ceil_div(k, longest)), unit) * unit;
}

static void choose_blocks(problem *q) {
    tl_product_plan *p = &q->plan;
    const long rows = p->kernels->rows, cols = p->kernels->cols, unit = p->kernels->unit;
    const long m = tl_min_long(p->m, q->rectangle_rows), n = tl_min_long(p->n, q->rectangle_cols);
    const bool few_rows = m <= FEW_TILES * rows;
    p->pack_b = p->packed || p->b_col != 1 || m >= PACK_B_TILES * rows || unit > 1;
    p->block_k = block_of_k(p, few_rows && p->pack_b && !p->packed ? 2 : 1);
    /* May a be read in place? Its columns: each tile touches a cache line for each k, and a low tile uses little of
     * that line. Its rows: where they lie close together they fill the cache as evenly as a panel does; where they lie
     * far apart they may all map to one set of the cache, which has ways for a few of them only. */
    const bool low = rows <= LOW;
    const bool columns_in_place =
        p->a_row == 1 && (few_rows || n < (low ? PACK_COLUMNS_LOW : PACK_COLUMNS_HIGH));
    const bool rows_in_place =
        p->a_col == 1 && (p->a_row <= 2 * p->block_k || n < (low ? PACK_ROWS_LOW : PACK_ROWS_HIGH));
    p->pack_a = unit > 1 || !(columns_in_place || rows_in_place);
    p->block_rows = p->pack_a ? BLOCK_TILES * rows : m;
    p->block_cols = BLOCK_B_BYTES / (long)sizeof(tl_real) / (p->block_k / unit * p->kernels->words);
    if (few_rows && !p->pack_a) p->block_cols = p->pack_b && !p->packed ? cols : WIDE * cols;
    p->block_cols = tl_min_long(tl_max_long(p->block_cols / cols, 1) * cols, q->rectangle_cols);
}

/* ---- the work ---- */

/* Rectangle number `task`; the rectangles of one matrix have neighbouring numbers. */
static tl_product_rectangle rectangle_of(const problem *q, long task) {
    const tl_product_plan *p = &q->plan;
    const long part = task % (q->row_parts * q->col_parts);
    long item = task / (q->row_parts * q->col_parts);
    tl_product_rectangle r = {.c = p->c, .a = p->a, .b = p->b};
    for (int axis = 0; axis < q->batch.count; axis++) {
        const long at = item % q->batch.size[axis];
        item /= q->batch.size[axis];
        r.c += at * q->batch.c[axis], r.a += at * q->batch.a[axis], r.b += at * q->batch.b[axis];
    }
    r.i0 = part / q->col_parts * q->rectangle_rows, r.i1 = tl_min_long(r.i0 + q->rectangle_rows, p->m);
    r.j0 = part % q->col_parts * q->rectangle_cols, r.j1 = tl_min_long(r.j0 + q->rectangle_cols, p->n);
    return r;
}

/* The rectangles are shared out among threads; each thread has its own panels. */
typedef struct sharing {
    const problem *q;
    tl_real *panels;
    long panel_size; /* elements of one thread's panels */
} sharing;
static void run_share(const void *job, long thread, long threads) {
    const sharing *s = job;
    const problem *q = s->q;
    const long tasks = q->items * q->row_parts * q->col_parts;
    const tl_product_kernels *kernels = q->plan.kernels;
    if (kernels->begin) kernels->begin();
    for (long task = tasks * thread / threads; task < tasks * (thread + 1) / threads; task++) {
        tl_product_rectangle r = rectangle_of(q, task);
        r.a_panels = s->panels + thread * s->panel_size;
        r.b_panels = r.a_panels + tl_product_a_panels(&q->plan);
        tl_product_multiply(&q->plan, &r);
    }
    if (kernels->end) kernels->end();
}

/* Sums over the axes that could not be merged into k: one product for each of their elements, in row-major order. Each
 * product continues the sums of the one before. */
static void run_sums(problem *q, tl_real *panels, long panel_size) {
    const tl_product_plan first = q->plan;
    long count = 1;
    for (int axis = 0; axis < q->sum.count; axis++) count *= q->sum.size[axis];
    for (long i = 0; i < count; i++) {
        long rest = i;
        q->plan.a = first.a, q->plan.b = first.b;
        for (int axis = 0; axis < q->sum.count; rest /= q->sum.size[axis++]) {
            const long at = rest % q->sum.size[axis];
            q->plan.a += at * q->sum.a[axis], q->plan.b += at * q->sum.b[axis];
        }
        q->plan.add = first.add || i > 0;
        q->plan.bias = i == count - 1 ? first.bias : NULL;
        q->plan.bias_on_rows = first.bias_on_rows && q->plan.bias;
        tl_share_parts(q->threads, run_share, &(sharing){q, panels, panel_size});
    }
}

/* Is it laid out for this product? */
static bool fits(const tl_product_packed *packed, const tl_product_plan *p) {
    return packed->kernels == p->kernels && packed->k == p->k && packed->n == p->n;
}

/* Plans a product for at most so many threads; the caller adds memory for the panels. */
static void plan(problem *q, const tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                 const tl_product_options *options, long threads) {
    static const tl_real nothing[1] = {0};
    *q = (problem){.plan = {.kernels = kernels, .c = c.data, .a = a.data, .b = b.data}};
    tl_product_plan *p = &q->plan;
    p->m = c.dim[c.rank - 2], p->n = c.dim[c.rank - 1], p->k = a.dim[a.rank - 1];
    p->c_row = c.stride[c.rank - 2], p->c_col = c.stride[c.rank - 1];
    p->a_row = a.stride[a.rank - 2], p->a_col = a.stride[a.rank - 1];
    p->b_row = b.stride[b.rank - 2], p->b_col = b.stride[b.rank - 1];
    if (options) p->add = options->add, p->bias = options->bias;
    set_axes(q, c, a, b);
    const bool by_columns = p->n == 1 ? p->c_row == 1 && p->m > 1 : p->c_col != 1 && p->c_row == 1;
    if (by_columns && !kernels->one_way)
        transpose(q);
    else if (options && options->packed && fits(options->packed, p) && tl_numel(b) == p->k * p->n)
        p->packed = options->packed->panels;
    /* the stride of an axis of size 1 means nothing; 1 allows reading in place */
    if (p->m == 1) p->a_row = 1;
    if (p->n == 1) p->b_col = p->c_col = 1;
    if (tl_numel(a) == 0 || tl_numel(b) == 0) { /* k is 0: sums without terms */
        p->k = q->sum.count = 0;
        p->a = p->b = nothing;
        p->a_row = p->b_row = 0, p->a_col = p->b_col = 1;
    }
    cut_into_rectangles(q, threads);
    choose_blocks(q);
}

/* The shape of t, an operand, and strides for a contiguous copy of it in which the summed axes lie right before the k
 * axis, so that they merge with k into one. `k` is the number of matrix axes behind the k axis: 0 in a, 1 in b. A
 * summed axis of size 1 gets the other operand's size. */
static tl_tensor gathered(tl_tensor t, tl_tensor c, tl_tensor other, int k) {
    const int rank = (int)tl_max_long(t.rank, other.rank);
    int order[TL_MAX_RANK], n = 0; /* the copy's axes, innermost first, each as its place from the end */
    long unused;
    order[n++] = 1;
    if (k == 1) order[n++] = 2;
    for (int back = 3; back <= rank; back++)
        if (axis_of(c, back, &unused) == 1) order[n++] = back;
    if (k == 0) order[n++] = 2;
    for (int back = 3; back <= rank; back++)
        if (axis_of(c, back, &unused) != 1) order[n++] = back;
    tl_tensor to = {.data = t.data, .rank = rank};
    for (long i = 0, length = 1; i < rank; i++) {
        const long own = axis_of(t, order[i], &unused), others = axis_of(other, order[i], &unused);
        const bool summed = order[i] > 2 && axis_of(c, order[i], &unused) == 1;
        to.dim[rank - order[i]] = summed && own == 1 ? others : own;
        to.stride[rank - order[i]] = length;
        length *= to.dim[rank - order[i]];
    }
    return to;
}

/* Sums in groups of k must have the groups that they would have if all summed axes were one with k. Where the strides
 * do not allow that, the operands are copied. (Within one product, blocks of k end between groups.) */
static bool multiply_gathered(const tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                              const tl_product_options *options, tl_workspace *w) {
    problem q;
    tl_tensor a2 = gathered(a, c, b, 0), b2 = gathered(b, c, a, 1);
    plan(&q, kernels, c, a2, b2, options, tl_threads());
    const long of_a = tl_whole_lines(tl_numel(a2)), of_b = tl_whole_lines(tl_numel(b2));
    const long panel_size = tl_product_a_panels(&q.plan) + tl_product_b_panels(&q.plan);
    tl_real *memory = tl_workspace_get(w, (size_t)(of_a + of_b + q.threads * panel_size) * sizeof *memory);
    if (!memory) return false;
    a2.data = memory, b2.data = memory + of_a;
    tl_tensor_copy(a2, a);
    tl_tensor_copy(b2, b);
    plan(&q, kernels, c, a2, b2, options, tl_threads()); /* the same plan, with the copies' addresses */
    run_sums(&q, memory + of_a + of_b, panel_size);
    return true;
}

bool tl_product_with(const tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                     const tl_product_options *options, tl_workspace *w) {
    if (tl_numel(c) == 0) return true;
    problem q;
    plan(&q, kernels, c, a, b, options, tl_threads());
    if (q.sum.count > 0 && kernels->in_groups) return multiply_gathered(kernels, c, a, b, options, w);
    const long panel_size = tl_product_a_panels(&q.plan) + tl_product_b_panels(&q.plan);
    tl_real *panels = tl_workspace_get(w, (size_t)(q.threads * panel_size) * sizeof *panels);
    if (!panels) return false;
    run_sums(&q, panels, panel_size);
    return true;
}

/* A plan that serves to pack b. */
static tl_product_plan packing_of(tl_tensor b, tl_matmul_precision precision) {
    tl_product_plan p = {.kernels = tl_kernels_pick()->weights[precision], .pack_b = true};
    p.k = b.dim[0], p.n = b.dim[1];
    p.b = b.data, p.b_row = b.stride[0], p.b_col = b.stride[1];
    p.block_k = block_of_k(&p, 1);
    return p;
}

long tl_product_packed_numel(tl_tensor b, tl_matmul_precision precision) {
    const tl_product_plan p = packing_of(b, precision);
    return tl_product_packed_whole(&p);
}

tl_product_packed tl_product_prepack(tl_real *panels, tl_tensor b, tl_matmul_precision precision) {
    const tl_product_plan p = packing_of(b, precision);
    tl_product_pack_all(&p, panels);
    return (tl_product_packed){p.kernels, panels, p.k, p.n};
}

static const tl_product_kernels *kernels_for(const tl_product_options *options) {
    const tl_kernels *kernels = tl_kernels_pick();
    return !options         ? kernels->weights[TL_HIGHEST]
           : options->plain ? kernels->product
                            : kernels->weights[options->precision];
}

bool tl_product(tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options, tl_workspace *w) {
    return tl_product_with(kernels_for(options), c, a, b, options, w);
}

bool tl_product_in_groups(tl_matmul_precision precision) {
    return tl_kernels_pick()->weights[precision]->in_groups;
}

tl_product_job tl_product_job_of(tl_tensor c, tl_tensor a, tl_tensor b, bool c_padded,
                                 const tl_product_options *options) {
    problem q;
    tl_real somewhere; /* plan() takes a tensor without memory for an empty one */
    c.data = a.data = b.data = &somewhere;
    plan(&q, kernels_for(options), c, a, b, options, 1);
    q.plan.c_padded = c_padded && !q.transposed;
    q.plan.c = NULL, q.plan.a = q.plan.b = NULL;
    return (tl_product_job){q.plan, q.transposed};
}

long tl_product_job_panels(const tl_product_job *job) {
    return tl_product_a_panels(&job->plan) + tl_product_b_panels(&job->plan);
}

void tl_product_job_run_rows(const tl_product_job *job, bool add, tl_real *c, const tl_real *a,
                             const tl_real *b, tl_real *panels, long from, long to) {
    tl_product_plan p = job->plan;
    p.add = add;
    tl_product_rectangle r = {.c = c,
                              .a = job->swapped ? b : a,
                              .b = job->swapped ? a : b,
                              .i1 = p.m,
                              .j1 = p.n,
                              .a_panels = panels,
                              .b_panels = panels + tl_product_a_panels(&p)};
    if (job->swapped)
        r.j0 = from, r.j1 = to;
    else
        r.i0 = from, r.i1 = to;
    if (p.kernels->begin) p.kernels->begin();
    tl_product_multiply(&p, &r);
    if (p.kernels->end) p.kernels->end();
}

void tl_product_job_run(const tl_product_job *job, bool add, tl_real *c, const tl_real *a, const tl_real *b,
                        tl_real *panels) {
    tl_product_job_run_rows(job, add, c, a, b, panels, 0, job->swapped ? job->plan.n : job->plan.m);
}
