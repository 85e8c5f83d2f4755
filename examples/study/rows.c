/* Rows of attention as numbers. */
#include "rows.h"

#include <math.h>
#include <stdlib.h>

/* A head's map without padding. */
static tl_tensor map_of(tl_tensor t, long b, long h, long rows, long columns) {
    return tl_tensor_slice(tl_tensor_slice(tl_at(t, b, h), 0, 0, rows), 1, 0, columns);
}

static bool add_head(tl_head_sums *sums, const tl_seen *seen, const tl_seen_attention *a, long b, long h,
                     bool *sees) {
    const long rows = tl_seen_real_rows(seen, a, b), columns = tl_seen_real_columns(seen, a, b);
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++)
            sees[i * columns + j] = tl_mask_shows(&a->mask, b, h, i, j, a->queries, a->keys);
    const tl_head_map map = {
        .weights = map_of(a->weights, b, h, rows, columns), .sees = sees, .no_places = true};
    return tl_head_sums_add(sums, &map);
}

bool rows_entropy(const tl_seen *seen, const tl_seen_attention *a, double *entropy) {
    tl_head_sums *sums = tl_head_sums_new();
    bool *sees = malloc((size_t)(a->queries * a->keys + 1) * sizeof *sees);
    bool ok = sums && sees;
    for (long b = 0; ok && b < seen->batch.sentences; b++)
        for (long h = 0; ok && h < a->heads; h++) ok = add_head(sums, seen, a, b, h, sees);
    if (ok) *entropy = tl_head_habits_of(sums).against_uniform;
    free(sees);
    tl_head_sums_free(sums);
    return ok;
}

bool map_entropy(tl_tensor weights, double *entropy) {
    tl_head_sums *sums = tl_head_sums_new();
    const bool ok = sums && tl_head_sums_add(sums, &(tl_head_map){.weights = weights, .no_places = true});
    if (ok) *entropy = tl_head_habits_of(sums).against_uniform;
    tl_head_sums_free(sums);
    return ok;
}

/* ---- variance ---- */

typedef struct mean {
    double sum;
    long count;
} mean;

/* Adds a row's variance over the keys that the attention's mask lets it see; NULL: it sees all. */
static void add_row(mean *variance, tl_tensor scores, long i, const tl_seen_attention *a, long b, long h) {
    double sum = 0, squares = 0;
    long keys = 0;
    for (int pass = 0; pass < 2; pass++) {
        const double middle = keys ? sum / (double)keys : 0;
        keys = 0;
        for (long j = 0; j < scores.dim[1]; j++) {
            if (a && !tl_mask_shows(&a->mask, b, h, i, j, a->queries, a->keys)) continue;
            const double x = (double)scores.data[i * scores.stride[0] + j * scores.stride[1]];
            if (!pass) sum += x;
            squares += pass ? (x - middle) * (x - middle) : 0;
            keys++;
        }
    }
    if (keys < 2) return;
    variance->sum += squares / (double)(keys - 1);
    variance->count++;
}

static double value_of(const mean *m) { return m->count ? m->sum / (double)m->count : NAN; }

double rows_variance(const tl_seen *seen, const tl_seen_attention *a) {
    mean variance = {0, 0};
    for (long b = 0; b < seen->batch.sentences; b++)
        for (long h = 0; h < a->heads; h++) {
            const long rows = tl_seen_real_rows(seen, a, b), columns = tl_seen_real_columns(seen, a, b);
            const tl_tensor scores = map_of(a->scores, b, h, rows, columns);
            for (long i = 0; i < rows; i++) add_row(&variance, scores, i, a, b, h);
        }
    return value_of(&variance);
}

double map_variance(tl_tensor scores) {
    mean variance = {0, 0};
    for (long i = 0; i < scores.dim[0]; i++) add_row(&variance, scores, i, NULL, 0, 0);
    return value_of(&variance);
}
