/* Relevance by attention and its gradients (Chefer et al. 2021): rules applied to each attention in order of
 * computation. tapeloom/flow.h derives which matrix is on which side of each product. */
#include "tapeloom/flow.h"

#include <stdlib.h>
#include <string.h>

/* to [n,k] += a [n,m] · b [m,k]; transposed: a is given as [m,n]. */
static void add_product(const double *a, bool transposed, const double *b, long n, long m, long k,
                        double *to) {
    for (long i = 0; i < n; i++)
        for (long j = 0; j < m; j++) {
            const double x = transposed ? a[j * n + i] : a[i * m + j];
            for (long c = 0; x != 0 && c < k; c++) to[i * k + c] += x * b[j * k + c];
        }
}

/* Eq. 6, 7: r [n,k] += Ā [n,n] · r. */
static void self_rule(const double *a, long n, long k, double *r, double *scratch) {
    memcpy(scratch, r, (size_t)(n * k) * sizeof *r);
    add_product(a, false, scratch, n, n, k, r);
}

/* Eq. 8, 9: R̄. */
static void normalised(const double *r, long n, double *to) {
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (long j = 0; j < n; j++) sum += r[i * n + j] - (i == j);
        for (long j = 0; j < n; j++) {
            const double added = r[i * n + j] - (i == j);
            to[i * n + j] = (sum != 0 ? added / sum : 0) + (i == j);
        }
    }
}

static void identity(double *to, long n) {
    for (long i = 0; i < n; i++) to[i * n + i] = 1;
}

bool tl_relevance(const tl_flow_layers *l, double *of_source, double *of_target) {
    if (!l) return false;
    const long s = l->sources, t = l->targets, n = s > t ? s : t;
    const bool decodes = l->decoder_layers > 0;
    double *memory = calloc((size_t)(2 * (s * s + t * s + t * t) + n * n) + 1, sizeof *memory);
    if (!memory) return false;
    double *ss = memory, *ts = ss + s * s, *tt = ts + t * s;
    double *bar_ss = tt + t * t, *bar_tt = bar_ss + s * s, *half = bar_tt + t * t, *scratch = half + t * s;
    identity(ss, s);
    identity(tt, t);
    for (int i = 0; i < l->encoder_layers; i++) self_rule(l->encoder_self[i], s, s, ss, scratch);
    normalised(ss, s, bar_ss);
    for (int i = 0; i < l->decoder_layers; i++) {
        if (l->decoder_self) self_rule(l->decoder_self[i], t, s, ts, scratch);
        if (l->decoder_self) self_rule(l->decoder_self[i], t, t, tt, scratch);
        if (!l->cross) continue;
        normalised(tt, t, bar_tt);
        memset(half, 0, (size_t)(t * s) * sizeof *half);
        add_product(l->cross[i], false, bar_ss, t, s, s, half); /* Ā R̄_ss */
        add_product(bar_tt, true, half, t, t, s, ts);           /* eq. 10 */
    }
    if (of_source) memcpy(of_source, decodes ? ts : ss, (size_t)(tl_flow_rows(l) * s) * sizeof *ss);
    if (of_target && decodes) memcpy(of_target, tt, (size_t)(t * t) * sizeof *tt);
    free(memory);
    return true;
}
