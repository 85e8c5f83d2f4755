/* Attention rollout (Abnar & Zuidema 2020, 3). Each row stays a distribution over the inputs, because a layer mixes
 * rows by weights that sum to 1. */
#include "tapeloom/flow.h"

#include <stdlib.h>
#include <string.h>

static double sum_of(const double *row, long n) {
    double sum = 0;
    for (long j = 0; j < n; j++) sum += row[j];
    return sum;
}

static void identity(double *to, long n) {
    memset(to, 0, (size_t)(n * n) * sizeof *to);
    for (long i = 0; i < n; i++) to[i * n + i] = 1;
}

/* x [rows,columns] becomes W·x, where W is A + I with each row divided by its sum. scratch has the size of x. */
static void mix(const double *a, long rows, long columns, double *x, double *scratch) {
    for (long i = 0; i < rows; i++) {
        const double whole = 1 + sum_of(a + i * rows, rows);
        double *to = scratch + i * columns;
        for (long c = 0; c < columns; c++) to[c] = x[i * columns + c];
        for (long j = 0; j < rows; j++)
            for (long c = 0; c < columns; c++) to[c] += a[i * rows + j] * x[j * columns + c];
        for (long c = 0; c < columns; c++) to[c] /= whole;
    }
    memcpy(x, scratch, (size_t)(rows * columns) * sizeof *x);
}

/* Cross-attention: each row of of_source and of_target takes in what it reads of the encoder's last layer, `read`
 * [S,S]. */
static void look_across(const tl_flow_layers *l, const double *a, const double *read, double *of_source,
                        double *of_target) {
    const long s = l->sources, t = l->targets;
    for (long i = 0; i < t; i++) {
        const double kept = l->replaces ? 0 : 1, whole = kept + sum_of(a + i * s, s);
        for (long c = 0; c < s; c++) {
            double sum = kept * of_source[i * s + c];
            for (long j = 0; j < s; j++) sum += a[i * s + j] * read[j * s + c];
            of_source[i * s + c] = whole > 0 ? sum / whole : 0;
        }
        for (long c = 0; c < t; c++)
            of_target[i * t + c] = whole > 0 ? kept * of_target[i * t + c] / whole : 0;
    }
}

bool tl_attention_rollout(const tl_flow_layers *l, int depth, double *of_source, double *of_target) {
    if (!l || depth < 0) return false;
    const long s = l->sources, t = l->targets, n = s > t ? s : t;
    const bool decodes = l->decoder_layers > 0;
    double *memory = calloc((size_t)(s * s + t * s + t * t + n * n) + 1, sizeof *memory);
    if (!memory) return false;
    double *ss = memory, *ts = ss + s * s, *tt = ts + t * s, *scratch = tt + t * t;
    identity(ss, s);
    identity(tt, t);
    const int encoder = decodes || !depth || depth > l->encoder_layers ? l->encoder_layers : depth;
    const int decoder = !depth || depth > l->decoder_layers ? l->decoder_layers : depth;
    for (int i = 0; i < encoder; i++) mix(l->encoder_self[i], s, s, ss, scratch);
    for (int i = 0; i < decoder; i++) {
        if (l->decoder_self) mix(l->decoder_self[i], t, s, ts, scratch);
        if (l->decoder_self) mix(l->decoder_self[i], t, t, tt, scratch);
        if (l->cross) look_across(l, l->cross[i], ss, ts, tt);
    }
    if (of_source) memcpy(of_source, decodes ? ts : ss, (size_t)(tl_flow_rows(l) * s) * sizeof *ss);
    if (of_target && decodes) memcpy(of_target, tt, (size_t)(t * t) * sizeof *tt);
    free(memory);
    return true;
}
