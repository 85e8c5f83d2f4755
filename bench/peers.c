/* The same products as products.c by OpenBLAS and oneDNN. The libraries are not linked but opened at run time, so that
 * building does not need them; if one is missing, the answer says so.
 *
 *     build/bench/peers openblas|onednn [MxNxK] [seconds] [case=NN|NT|TN|TT] */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "products.h"

#include <dlfcn.h>

/* Their declarations, as in cblas.h and dnnl.h. */
typedef void cblas_sgemm_type(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                              const float *a, int lda, const float *b, int ldb, float beta, float *c,
                              int ldc);
typedef int dnnl_sgemm_type(char trans_a, char trans_b, int64_t m, int64_t n, int64_t k, float alpha,
                            const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                            int64_t ldc);
enum { CBLAS_ROW_MAJOR = 101, CBLAS_NO_TRANS = 111, CBLAS_TRANS = 112 };

typedef struct multiplying {
    product_case p;
    long lda, ldb;
    float *a, *b, *c;
} multiplying;

static cblas_sgemm_type *openblas;
static dnnl_sgemm_type *onednn;

static bool by_openblas(void *data) {
    multiplying *x = data;
    openblas(CBLAS_ROW_MAJOR, x->p.a_transposed ? CBLAS_TRANS : CBLAS_NO_TRANS,
             x->p.b_transposed ? CBLAS_TRANS : CBLAS_NO_TRANS, (int)x->p.m, (int)x->p.n, (int)x->p.k, 1, x->a,
             (int)x->lda, x->b, (int)x->ldb, 0, x->c, (int)x->p.n);
    return true;
}

static bool by_onednn(void *data) {
    multiplying *x = data;
    return onednn(x->p.a_transposed ? 'T' : 'N', x->p.b_transposed ? 'T' : 'N', x->p.m, x->p.n, x->p.k, 1,
                  x->a, x->lda, x->b, x->ldb, 0, x->c, x->p.n) == 0;
}

/* The function of the first of these libraries that is installed; NULL if none is. */
static void *function_of(const char *const *libraries, const char *name) {
    for (; *libraries; libraries++) {
        void *library = dlopen(*libraries, RTLD_NOW | RTLD_LOCAL), *function;
        if (library && (function = dlsym(library, name))) return function;
    }
    return NULL;
}

static void open_libraries(void) {
    static const char *const blas[] = {"libopenblas.so.0", "libopenblas.so", "libopenblas.dylib", NULL};
    static const char *const dnn[] = {"libdnnl.so.3", "libdnnl.so.2", "libdnnl.so", "libdnnl.dylib", NULL};
    /* OpenBLAS's idle threads stop spinning early, so that they do not slow down what is measured next. */
    setenv("OPENBLAS_THREAD_TIMEOUT", "22", 0);
    void *function = function_of(blas, "cblas_sgemm");
    /* Copied, because C has no conversion from void * to a pointer to a function. */
    memcpy(&openblas, &function, sizeof function);
    function = function_of(dnn, "dnnl_sgemm");
    memcpy(&onednn, &function, sizeof function);
}

static bool multiplying_begin(multiplying *x) {
    const product_case *p = &x->p;
    long as = product_elements(p, 'a'), bs = product_elements(p, 'b'), cs = product_elements(p, 'c');
    free(x->a);
    x->a = aligned_alloc(64, (size_t)(as + bs + cs + 48) / 16 * 16 * sizeof *x->a);
    if (!x->a) return refuse("out of memory for", p->name);
    x->b = x->a + as, x->c = x->b + bs;
    tl_rng_key key = tl_rng_key_of(1, "products");
    for (long i = 0; i < as + bs; i++) x->a[i] = (float)(tl_rng_uniform(key, (uint64_t)i) - 0.5);
    memset(x->c, 0, (size_t)cs * sizeof *x->c);
    x->lda = p->a_transposed ? p->m : p->k, x->ldb = p->b_transposed ? p->k : p->n;
    return true;
}

static bool answer(const request *r) {
    static multiplying x;
    const char *who = word_of(r, 0, "");
    bool blas = !strcmp(who, "openblas");
    request shape = *r; /* the request without its first word */
    for (int i = 0; i + 1 < r->words; i++) shape.word[i] = r->word[i + 1];
    if (r->words > 0) shape.words--;
    if (!blas && strcmp(who, "onednn") != 0) return refuse("peers: openblas or onednn, not", who);
    if (blas ? !openblas : !onednn) return refuse("not installed:", who);
    if (!product_case_of(&shape, &x.p)) return false;
    if (x.p.heads) return refuse("sgemm takes one matrix, not", shape.word[0]);
    if (!multiplying_begin(&x)) return false;
    timing t = measure(blas ? by_openblas : by_onednn, &x, seconds_of(&shape, 0.2), 2);
    if (!t.runs) return false;
    print_timing(t, product_flop(&x.p));
    double sum = 0;
    PRODUCT_SUM(x.c, product_elements(&x.p, 'c'), sum);
    printf(", \"sum\": %.6g}\n", sum);
    return true;
}

int main(int argc, char **argv) {
    open_libraries();
    return serve(argc, argv, "peers openblas|onednn [MxNxK] [seconds] [case=NN|NT|TN|TT]", answer);
}
