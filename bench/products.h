/* How requests name the products that are measured, of ours and of the peers:
 *
 *     2048x512x128 case=NT          MxNxK: c [M,N] = a [M,K] · b [K,N]; T: that operand is stored transposed
 *     128x4x16x32  case=scores      BxHxTxd: products of attention over B sentences of T tokens with H heads of d: B·H
 *                                   small products whose operands are views of [B,T,H·d]
 *         scores     c [B,H,T,T] = q · kᵀ
 *         context    c in [B,T,H·d] = p [B,H,T,T] · v
 *         gradient   c in [B,T,H·d] = pᵀ · dc, the gradient of v */
#ifndef BENCH_PRODUCTS_H
#define BENCH_PRODUCTS_H

#include "worker.h"

typedef struct product_case {
    bool heads; /* a product of attention; then m = T, and b, h, d are set */
    bool a_transposed, b_transposed;
    long m, n, k, b, h, d;
    const char *name;
} product_case;

static inline bool product_case_of(const request *r, product_case *p) {
    long size[4] = {0};
    const char *shape = word_of(r, 0, "1024x1024x1024"), *name = option_of(r, "case", "NT");
    int sizes = sscanf(shape, "%ldx%ldx%ldx%ld", &size[0], &size[1], &size[2], &size[3]);
    for (int i = 0; i < sizes; i++)
        if (size[i] < 1 || size[i] > 1 << 20) return refuse("not a shape:", shape);
    *p = (product_case){.name = name, .heads = sizes == 4};
    if (sizes == 4) {
        p->b = size[0], p->h = size[1], p->m = size[2], p->d = size[3];
        p->n = strcmp(name, "scores") ? p->d : p->m;
        p->k = strcmp(name, "scores") ? p->m : p->d;
        bool known = !strcmp(name, "scores") || !strcmp(name, "context") || !strcmp(name, "gradient");
        return known || refuse("of heads there are scores, context, gradient, and no", name);
    }
    p->m = size[0], p->n = size[1], p->k = size[2];
    p->a_transposed = name[0] == 'T', p->b_transposed = name[0] && name[1] == 'T';
    if (sizes != 3 || !strchr("NT", name[0]) || strlen(name) != 2 || !strchr("NT", name[1]))
        return refuse("not a shape and one of NN, NT, TN, TT:", shape);
    return true;
}

static inline double product_flop(const product_case *p) {
    double one = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    return p->heads ? one * (double)(p->b * p->h) : one;
}

/* The number of elements of 'a', 'b' or 'c'. */
static inline long product_elements(const product_case *p, char which) {
    long tokens = p->b * p->m * p->h * p->d, squares = p->b * p->h * p->m * p->m;
    if (!p->heads) return which == 'a' ? p->m * p->k : which == 'b' ? p->k * p->n : p->m * p->n;
    bool scores = !strcmp(p->name, "scores");
    return which == 'b' ? tokens : (which == 'c') == scores ? squares : tokens;
}

/* Adds a weighted sum of c's elements in memory order to `sum`, so that results of different programs can be
 * compared. */
#define PRODUCT_SUM(c, count, sum) \
 for (long i_ = 0; i_ < (count); i_++) (sum) += (double)(c)[i_] * (double)(1 + i_ % 7)

#endif
