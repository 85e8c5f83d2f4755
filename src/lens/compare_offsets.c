/* Weights by relative position: for each head and offset, the sum over the rows that have a key there, and the
 * number of these rows. */
#include "compare_heads.h"

#include "tapeloom/compare.h"
#include "tapeloom/heads.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct tl_offsets {
    const tl_model *model;
    long count, reach;
    double *sum, *rows;        /* [heads, 2·reach+1] */
    double *beyond, *all_rows; /* [heads] */
};

tl_offsets *tl_offsets_new(const tl_model *model, long reach) {
    if (reach < 0 || reach > INT_MAX / 2 - 1) return NULL;
    tl_offsets *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->model = model;
    o->count = tl_all_heads(model);
    o->reach = reach;
    const size_t heads = (size_t)o->count + 1, wide = (size_t)(2 * reach + 1);
    o->sum = calloc(heads * wide, sizeof *o->sum);
    o->rows = calloc(heads * wide, sizeof *o->rows);
    o->beyond = calloc(heads, sizeof *o->beyond);
    o->all_rows = calloc(heads, sizeof *o->all_rows);
    if (o->sum && o->rows && o->beyond && o->all_rows) return o;
    tl_offsets_free(o);
    return NULL;
}

void tl_offsets_free(tl_offsets *o) {
    if (!o) return;
    free(o->sum);
    free(o->rows);
    free(o->beyond);
    free(o->all_rows);
    free(o);
}

static void add_row(tl_offsets *o, long head, const tl_seen_attention *a, long b, long h, long i) {
    const long wide = 2 * o->reach + 1;
    double *sum = o->sum + head * wide, *rows = o->rows + head * wide, all = 0;
    for (long j = 0; j < a->keys; j++) all += tl_element(a->weights, b, h, i, j);
    if (!(all > 0)) return;
    o->all_rows[head]++;
    for (long j = 0; j < a->keys; j++) {
        if (tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys) != TL_SEES) continue;
        const double weight = tl_element(a->weights, b, h, i, j);
        if (j - i < -o->reach || j - i > o->reach) {
            o->beyond[head] += weight;
            continue;
        }
        sum[j - i + o->reach] += weight;
        rows[j - i + o->reach]++;
    }
}

bool tl_offsets_add(tl_offsets *o, const tl_seen *seen) {
    if (!o || !tl_heads_were_seen(o->model, seen)) return false;
    for (long n = 0, head = 0; n < seen->count; n++) {
        const tl_seen_attention *a = &seen->attention[n];
        for (long h = 0; h < a->heads; h++, head++)
            for (long b = 0; b < a->weights.dim[0]; b++)
                for (long i = 0; i < tl_seen_real_rows(seen, a, b); i++) add_row(o, head, a, b, h, i);
    }
    return true;
}

long tl_offsets_count(const tl_offsets *o) { return o ? o->count : 0; }

int tl_offsets_head(const tl_offsets *o, long i, char attention[64]) {
    char unasked[64];
    return tl_head_named(o ? o->model : NULL, i, attention ? attention : unasked);
}

static bool is_there(const tl_offsets *o, long i, long offset) {
    return o && i >= 0 && i < o->count && offset >= -o->reach && offset <= o->reach;
}

double tl_offsets_rows(const tl_offsets *o, long i, long offset) {
    return is_there(o, i, offset) ? o->rows[i * (2 * o->reach + 1) + offset + o->reach] : 0;
}

double tl_offsets_mean(const tl_offsets *o, long i, long offset) {
    const double rows = tl_offsets_rows(o, i, offset);
    return rows > 0 ? o->sum[i * (2 * o->reach + 1) + offset + o->reach] / rows : NAN;
}

double tl_offsets_beyond(const tl_offsets *o, long i) {
    return is_there(o, i, 0) && o->all_rows[i] > 0 ? o->beyond[i] / o->all_rows[i] : NAN;
}
