/* Matrix products alone, packing included. It times tl_product of src/tensor, the function that matmul and linear use:
 * an operation on a tape would add the tape's overhead, which the peers do not have. */
#include "products.h"

#include "tensor/product.h"

typedef struct multiplying {
    tl_tensor c, a, b;
    tl_product_options options;
    tl_workspace panels;
    tl_real *memory;
} multiplying;

/* An operand [rows,cols], stored so or transposed. */
static tl_tensor stored(tl_real *data, long rows, long cols, bool transposed) {
    return transposed ? tl_tensor_transpose(tl_tensor_of(data, TL_SHAPE(cols, rows)), 0, 1)
                      : tl_tensor_of(data, TL_SHAPE(rows, cols));
}

/* [B,T,H·d] as [B,H,T,d] */
static tl_tensor split(tl_real *data, const product_case *p) {
    return tl_tensor_transpose(tl_tensor_of(data, TL_SHAPE(p->b, p->m, p->h, p->d)), 1, 2);
}

static bool multiplying_begin(multiplying *x, const product_case *p) {
    long as = product_elements(p, 'a'), bs = product_elements(p, 'b'), cs = product_elements(p, 'c');
    free(x->memory);
    x->memory = aligned_alloc(64, (size_t)(as + bs + cs + 48) / 16 * 16 * sizeof(tl_real));
    if (!x->memory) return refuse("out of memory for", p->name);
    tl_real *a = x->memory, *b = a + as, *c = b + bs;
    tl_rng_key key = tl_rng_key_of(1, "products");
    for (long i = 0; i < as + bs; i++) a[i] = (tl_real)(tl_rng_uniform(key, (uint64_t)i) - 0.5);
    memset(c, 0, (size_t)cs * sizeof *c);
    if (!p->heads) {
        x->a = stored(a, p->m, p->k, p->a_transposed);
        x->b = stored(b, p->k, p->n, p->b_transposed);
        x->c = stored(c, p->m, p->n, false);
        return true;
    }
    tl_tensor squares_a = tl_tensor_of(a, TL_SHAPE(p->b, p->h, p->m, p->m));
    x->b = split(b, p);
    if (!strcmp(p->name, "scores")) {
        x->a = split(a, p);
        x->b = tl_tensor_transpose(x->b, 2, 3);
        x->c = tl_tensor_of(c, TL_SHAPE(p->b, p->h, p->m, p->m));
    } else {
        x->a = strcmp(p->name, "gradient") ? squares_a : tl_tensor_transpose(squares_a, 2, 3);
        x->c = split(c, p);
    }
    return true;
}

static bool multiply(void *data) {
    multiplying *x = data;
    return tl_product(x->c, x->a, x->b, &x->options, &x->panels) || refuse("products:", "out of memory");
}

static bool answer(const request *r) {
    static multiplying x;
    product_case p;
    if (!product_case_of(r, &p) || !precision_of(r, &x.options.precision) || !multiplying_begin(&x, &p))
        return false;
    x.options.plain = p.heads; /* set by matmul, not by linear */
    set_threads(r);
    timing t = measure(multiply, &x, seconds_of(r, 0.2), 2);
    if (!t.runs) return false;
    print_timing(t, product_flop(&p));
    double sum = 0;
    PRODUCT_SUM(x.c.data, product_elements(&p, 'c'), sum);
    printf(", \"sum\": %.6g, \"build\": \"%s\"}\n", sum, tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv,
                 "products [MxNxK|BxHxTxd] [seconds] [case=NN|NT|TN|TT|scores|context|gradient] "
                 "[precision=highest|high|medium] [threads=N]",
                 answer);
}
