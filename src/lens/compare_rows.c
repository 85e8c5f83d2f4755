/* Rows of attention, singly and in pairs, and how a head behaves over a sentence's rows. */
#include "lens.h"

#include "tapeloom/compare.h"
#include "tapeloom/heads.h"

#include <math.h>
#include <string.h>

/* ---- rows ---- */

static double sum_of(const tl_real *p, long n, long stride) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += (double)p[i * stride];
    return sum;
}

double tl_row_entropy(const tl_real *p, long n, long stride) {
    const double sum = p ? sum_of(p, n, stride) : 0;
    double entropy = 0;
    if (!(sum > 0)) return -1;
    for (long i = 0; i < n; i++) {
        const double share = (double)p[i * stride] / sum;
        if (share > 0) entropy -= share * log(share);
    }
    return entropy > 0 ? entropy : 0;
}

double tl_row_divergence(const tl_real *p, long p_stride, const tl_real *q, long q_stride, long n) {
    const double p_sum = p ? sum_of(p, n, p_stride) : 0, q_sum = q ? sum_of(q, n, q_stride) : 0;
    double divergence = 0;
    if (!(p_sum > 0) || !(q_sum > 0)) return -1;
    for (long i = 0; i < n; i++) {
        const double a = (double)p[i * p_stride] / p_sum, b = (double)q[i * q_stride] / q_sum,
                     m = (a + b) / 2;
        if (a > 0) divergence += a * log(a / m) / 2;
        if (b > 0) divergence += b * log(b / m) / 2;
    }
    return divergence > 0 ? divergence : 0;
}

/* ---- statistics ---- */

static const struct {
    const char *name, *meaning;
} statistics[TL_HEAD_STATISTICS] = {
    [TL_HEAD_ENTROPY] = {"entropy", "entropy of a row, in nats: 0 looks at one token"},
    [TL_HEAD_LARGEST] = {"largest", "the largest weight of a row"},
    [TL_HEAD_FIRST] = {"first", "weight on the first token"},
    [TL_HEAD_LAST] = {"last", "weight on the last token that a row sees: <eos> of a source"},
    [TL_HEAD_SAME] = {"same", "weight on the token at the row's own position"},
    [TL_HEAD_PREVIOUS] = {"previous", "weight on the token before that"},
    [TL_HEAD_NEXT] = {"next", "weight on the token after it"},
    [TL_HEAD_DISTANCE] = {"distance",
                          "how far away the weight lies, in tokens: sum of weight times distance"}};

const char *tl_head_statistic_name(tl_head_statistic s) {
    return (int)s >= 0 && (int)s < TL_HEAD_STATISTICS ? statistics[s].name : NULL;
}
const char *tl_head_statistic_meaning(tl_head_statistic s) {
    return (int)s >= 0 && (int)s < TL_HEAD_STATISTICS ? statistics[s].meaning : NULL;
}
bool tl_head_statistic_of(const char *name, tl_head_statistic *statistic) {
    for (int i = 0; name && statistic && i < TL_HEAD_STATISTICS; i++)
        if (!strcmp(name, statistics[i].name)) return *statistic = (tl_head_statistic)i, true;
    return false;
}

static double on_key(const tl_seen_attention *a, long b, long h, long i, long j) {
    return j >= 0 && j < a->keys ? tl_element(a->weights, b, h, i, j) : 0;
}

static long last_seen(const tl_seen_attention *a, long b, long h, long i) {
    long j = a->keys - 1;
    while (j > 0 && tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys) != TL_SEES) j--;
    return j;
}

static double largest_of(const tl_seen_attention *a, long b, long h, long i) {
    double most = 0;
    for (long j = 0; j < a->keys; j++) {
        const double weight = tl_element(a->weights, b, h, i, j);
        if (weight > most) most = weight;
    }
    return most;
}

static double distance_of(const tl_seen_attention *a, long b, long h, long i) {
    double sum = 0;
    for (long j = 0; j < a->keys; j++) sum += tl_element(a->weights, b, h, i, j) * fabs((double)(j - i));
    return sum;
}

static double of_row(const tl_seen_attention *a, tl_head_statistic statistic, long b, long h, long i) {
    const tl_real *row =
        a->weights.data + b * a->weights.stride[0] + h * a->weights.stride[1] + i * a->weights.stride[2];
    const double sum = sum_of(row, a->keys, a->weights.stride[3]);
    if (!(sum > 0)) return -1;
    switch (statistic) {
    case TL_HEAD_ENTROPY:
        return tl_row_entropy(row, a->keys, a->weights.stride[3]);
    case TL_HEAD_LARGEST:
        return largest_of(a, b, h, i);
    case TL_HEAD_FIRST:
        return on_key(a, b, h, i, 0);
    case TL_HEAD_LAST:
        return on_key(a, b, h, i, last_seen(a, b, h, i));
    case TL_HEAD_SAME:
        return on_key(a, b, h, i, i);
    case TL_HEAD_PREVIOUS:
        return on_key(a, b, h, i, i - 1);
    case TL_HEAD_NEXT:
        return on_key(a, b, h, i, i + 1);
    case TL_HEAD_DISTANCE:
        return distance_of(a, b, h, i);
    }
    return -1;
}

double tl_head_value(const tl_seen *seen, const tl_seen_attention *a, tl_head_statistic statistic, long b,
                     long h) {
    double sum = 0, rows = 0;
    if (!seen || !a || !a->weights.data || b < 0 || b >= a->weights.dim[0] || h < 0 || h >= a->heads)
        return NAN;
    for (long i = 0; i < tl_seen_real_rows(seen, a, b); i++) {
        const double value = of_row(a, statistic, b, h, i);
        if (value < 0) continue;
        sum += value;
        rows++;
    }
    return rows > 0 ? sum / rows : NAN;
}
