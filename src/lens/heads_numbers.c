/* Measures of heads over plain numbers, one formula each: importance through gates, alignments and their errors,
 * rank correlation. Sums are in double, in the order of the elements. */
#include "tapeloom/heads.h"

#include <math.h>
#include <stdlib.h>

/* ---- importance ---- */

static double gate_grad(tl_tensor c, tl_tensor g, bool per_token) {
    if (!c.data || !g.data || c.rank != 2 || g.rank != 2 || c.dim[0] != g.dim[0] || c.dim[1] != g.dim[1])
        return NAN;
    double sum = 0;
    for (long t = 0; t < c.dim[0]; t++) {
        double token = 0;
        for (long d = 0; d < c.dim[1]; d++)
            token += (double)c.data[t * c.stride[0] + d * c.stride[1]] *
                     (double)g.data[t * g.stride[0] + d * g.stride[1]];
        sum += per_token ? fabs(token) : token;
    }
    return sum;
}

double tl_head_gate_grad(tl_tensor context, tl_tensor grad) { return gate_grad(context, grad, false); }
double tl_head_gate_grad_per_token(tl_tensor context, tl_tensor grad) {
    return gate_grad(context, grad, true);
}

/* First divides by the largest, because squares of very small or large numbers would be 0 or infinite. */
void tl_heads_normalise(double *importance, long heads) {
    double largest = 0, squares = 0;
    if (!importance) return;
    for (long h = 0; h < heads; h++) largest = fmax(largest, fabs(importance[h]));
    if (!(largest > 0)) return;
    for (long h = 0; h < heads; h++) squares += (importance[h] / largest) * (importance[h] / largest);
    for (long h = 0; h < heads; h++) importance[h] = importance[h] / largest / sqrt(squares);
}

/* ---- alignment ---- */

long tl_head_links(tl_tensor words, tl_link *links) {
    long count = 0;
    if (!words.data || words.rank != 2 || !links) return 0;
    for (long t = 0; t < words.dim[0]; t++) {
        double most = 0;
        long best = -1;
        for (long s = 0; s < words.dim[1]; s++) {
            const double share = (double)words.data[t * words.stride[0] + s * words.stride[1]];
            if (share > most) most = share, best = s;
        }
        if (best >= 0) links[count++] = (tl_link){.source = (int)best, .target = (int)t};
    }
    return count;
}

void tl_alignment_errors_add(tl_alignment_errors *errors, const tl_link *links, long count,
                             const tl_link *truth, long true_count) {
    if (!errors || count < 0 || true_count < 0 || (count && !links) || (true_count && !truth)) return;
    errors->found += count;
    errors->sure += true_count;
    for (long i = 0; i < count; i++)
        for (long k = 0; k < true_count; k++)
            errors->both += links[i].source == truth[k].source && links[i].target == truth[k].target;
}

double tl_alignment_error_rate(const tl_alignment_errors *errors) {
    const long all = errors ? errors->found + errors->sure : 0;
    return all ? 1 - 2 * (double)errors->both / (double)all : NAN;
}

/* ---- ranks ---- */

static bool both_are_numbers(const double *a, const double *b, long i) {
    return !isnan(a[i]) && !isnan(b[i]);
}

/* Twice the rank of of[i] among the pairs that count: ties get the mean of their ranks, which may be a half. */
static double twice_rank(const double *of, const double *a, const double *b, long count, long i) {
    double smaller = 0, equal = 0;
    for (long k = 0; k < count; k++)
        if (both_are_numbers(a, b, k)) smaller += of[k] < of[i], equal += of[k] == of[i];
    return 2 * smaller + equal + 1;
}

double tl_rank_correlation(const double *a, const double *b, long count) {
    double n = 0, covariance = 0, of_a = 0, of_b = 0;
    if (!a || !b) return NAN;
    for (long i = 0; i < count; i++) n += both_are_numbers(a, b, i);
    for (long i = 0; i < count; i++) {
        if (!both_are_numbers(a, b, i)) continue;
        const double x = twice_rank(a, a, b, count, i) - (n + 1), y = twice_rank(b, a, b, count, i) - (n + 1);
        covariance += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    return covariance / sqrt(of_a * of_b); /* NaN if all are equal: 0 / 0 */
}
