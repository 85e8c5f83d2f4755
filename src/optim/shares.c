/* Sums in shares: an update's micro-batches form consecutive shares. The gradients of a share are summed by backward,
 * from nothing, in order; then the shares' sums are added in the shares' order. So another process that computes a
 * share alone gets the same bits.
 *
 * Invariant: `sum` is the sum of all closed shares. A parameter that none of them has reached has no sum, and the first
 * share that reaches it is copied, not added to zeros: 0 + -0 is not the same number as -0. */
#include "tapeloom/optim.h"
#include "tensor/arena.h"
#include "tensor/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct sum { /* of one parameter's gradient */
    tl_real *data;   /* NULL until a share reaches the parameter for the first time */
    bool reached;    /* in this update */
} sum;

struct tl_shares {
    tl_params *params;
    tl_error error;
    tl_arena memory;
    sum *sum; /* [count], in the set's order */
    int count;
};

tl_shares *tl_shares_new(tl_params *params) {
    tl_shares *s = calloc(1, sizeof *s);
    if (s) s->params = params;
    if (s && tl_params_error(params)) tl_error_set(&s->error, "shares: %s", tl_params_error(params));
    return s;
}

void tl_shares_free(tl_shares *s) {
    if (!s) return;
    tl_arena_free(&s->memory);
    free(s->sum);
    free(s);
}

const char *tl_shares_error(const tl_shares *s) {
    if (!s) return "shares: out of memory when they were made";
    return tl_failed(&s->error) ? s->error.message : NULL;
}

long tl_shares_of(long micro, long count, long shares) {
    if (micro < 0 || count < 1 || count > INT32_MAX || shares < 1 || shares > count || micro >= count)
        return -1;
    return (long)((int64_t)micro * shares / count);
}

static bool make_sums(tl_shares *s) {
    const int count = tl_params_count(s->params);
    if (s->count == count) return true;
    sum *list = realloc(s->sum, (size_t)count * sizeof *list);
    if (!list) return tl_error_set(&s->error, "shares: out of memory for %d sums", count);
    memset(list + s->count, 0, (size_t)(count - s->count) * sizeof *list);
    s->sum = list;
    s->count = count;
    return true;
}

void tl_shares_begin(tl_shares *s) {
    for (int i = 0; s && i < s->count; i++) s->sum[i].reached = false;
}

/* A parameter's gradient or sum as a tensor. */
static tl_tensor as_tensor(const tl_param *p, tl_real *data) {
    return tl_tensor_of(data, tl_shape_of(p->leaf.value));
}

static bool close_parameter(tl_shares *s, sum *to, const tl_param *p) {
    const size_t bytes = (size_t)tl_numel(p->leaf.value) * sizeof(tl_real);
    if (!to->data && !(to->data = tl_arena_get(&s->memory, bytes)))
        return tl_error_set(&s->error, "shares: out of memory for \"%s\" (%zu more bytes)", p->leaf.name,
                            bytes);
    if (to->reached)
        tl_tensor_accumulate(as_tensor(p, to->data), as_tensor(p, p->leaf.grad));
    else
        memcpy(to->data, p->leaf.grad, bytes);
    return to->reached = true;
}

bool tl_shares_close(tl_shares *s) {
    if (tl_shares_error(s) || !make_sums(s)) return false;
    for (int i = 0; i < s->count; i++) {
        const tl_param *p = tl_params_at(s->params, i);
        if (p->leaf.reached && !p->leaf.frozen && !close_parameter(s, &s->sum[i], p)) return false;
    }
    tl_zero_grad(s->params);
    return true;
}

bool tl_shares_sum(tl_shares *s) {
    if (tl_shares_error(s) || !make_sums(s)) return false;
    for (int i = 0; i < s->count; i++) {
        tl_param *p = tl_params_at(s->params, i);
        const sum *before = &s->sum[i];
        if (!before->reached || p->leaf.frozen) continue;
        if (p->leaf.reached) /* the same bits as sum + share: addition is commutative */
            tl_tensor_accumulate(as_tensor(p, p->leaf.grad), as_tensor(p, before->data));
        else
            memcpy(p->leaf.grad, before->data, (size_t)tl_numel(p->leaf.value) * sizeof(tl_real));
        p->leaf.reached = true;
    }
    tl_shares_begin(s);
    return true;
}
