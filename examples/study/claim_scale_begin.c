/* For the claim "scale", measurements before training: attention of untrained models, and of random queries and
 * keys, as in footnote 4 of the paper. */
#include "claim_scale.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const long scale_width[WIDTHS] = {4, 16, 64, 256};

const char *scale_name(long number) { return number == SCALED ? "scaled-dot" : "dot"; }

double exponent_of(const double *x, const double *y, long count) {
    double mx = 0, my = 0, xy = 0, xx = 0;
    for (long i = 0; i < count; i++) mx += log(x[i]) / (double)count, my += log(y[i]) / (double)count;
    for (long i = 0; i < count; i++) {
        const double dx = log(x[i]) - mx;
        xy += dx * (log(y[i]) - my);
        xx += dx * dx;
    }
    return xy / xx;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double median_of(double *value, long count) {
    qsort(value, (size_t)count, sizeof *value, by_size);
    return (value[(count - 1) / 2] + value[count / 2]) / 2;
}

/* ---- random queries and keys ---- */

enum { QUERIES = 1000, KEYS = 32 };

/* Independent numbers of mean 0 and variance 1; with one seed the same for both scores. */
static tl_real *normals(const job *j, const char *name, long d_k, long count) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(j->real_seed, name), (uint64_t)d_k);
    tl_real *value = malloc((size_t)count * sizeof *value);
    for (long i = 0; value && i < count; i++) value[i] = (tl_real)tl_rng_normal(key, (uint64_t)i);
    return value;
}

/* A mean over all rows is dominated by the few rows that have not saturated, which have the largest gradients. The
 * median describes the others. */
static void put_rows(const job *j, tl_tensor gradient, double d_k, numbers *out) {
    double row[QUERIES];
    for (long i = 0; i < QUERIES; i++) row[i] = tl_tensor_norm(tl_at(gradient, i));
    put(out, j, RANDOM_GRADIENT, d_k, tl_tensor_norm(gradient));
    put(out, j, RANDOM_MEDIAN, d_k, median_of(row, QUERIES));
}

/* dL/dA is the same for both scores, so only softmax makes a difference. */
static bool look_at(const job *j, tl_tape *tape, tl_tensor queries, tl_tensor keys, tl_tensor gradient,
                    numbers *out) {
    const long d_k = queries.dim[1];
    const tl_var q = tl_variable(tape, queries), k = tl_constant(tape, keys);
    const double factor = j->arm.number == SCALED ? 1 / sqrt((double)d_k) : 1;
    const tl_var scores = tl_scale(tl_matmul(q, tl_transpose(k, 0, 1)), factor);
    const tl_var weights = tl_softmax(scores, -1);
    double entropy;
    tl_keep(scores);
    if (!tl_backward_from(weights, gradient) || !map_entropy(tl_value(weights), &entropy)) return false;
    put(out, j, RANDOM_ENTROPY, (double)d_k, entropy);
    put(out, j, RANDOM_VARIANCE, (double)d_k, map_variance(tl_value(scores)));
    put_rows(j, tl_grad(scores), (double)d_k, out);
    put(out, j, RANDOM_QUERIES, (double)d_k, tl_tensor_norm(tl_grad(q)));
    return true;
}

static bool of_random(const job *j, long d_k, numbers *out, tl_error *error) {
    tl_real *q = normals(j, "queries", d_k, QUERIES * d_k), *k = normals(j, "keys", d_k, KEYS * d_k),
            *g = normals(j, "gradient", d_k, QUERIES * KEYS);
    tl_tape *tape = tl_tape_new();
    const bool ok =
        q && k && g && tape &&
        look_at(j, tape, tl_tensor_of(q, TL_SHAPE(QUERIES, d_k)), tl_tensor_of(k, TL_SHAPE(KEYS, d_k)),
                tl_tensor_of(g, TL_SHAPE(QUERIES, KEYS)), out);
    if (!ok) tl_error_set(error, "%s", tape && tl_tape_error(tape) ? tl_tape_error(tape) : "out of memory");
    tl_tape_free(tape);
    free(q), free(k), free(g);
    return ok;
}

/* ---- a model ---- */

/* Mean over the attentions; geometric for gradients, whose sizes differ from layer to layer. */
static bool add_up(const job *j, const tl_seen *seen, long d_k, numbers *out) {
    double entropy = 0, variance = 0, gradient = 0;
    for (int k = 0; k < seen->count; k++) {
        const tl_seen_attention *a = &seen->attention[k];
        double e;
        if (!rows_entropy(seen, a, &e)) return false;
        entropy += e / seen->count;
        variance += rows_variance(seen, a) / seen->count;
        gradient += log(tl_tensor_norm(a->score_grads)) / seen->count;
    }
    put(out, j, ENTROPY, (double)d_k, entropy);
    put(out, j, VARIANCE, (double)d_k, variance);
    put(out, j, GRADIENT, (double)d_k, exp(gradient));
    return true;
}

/* The toy model with four heads of that width, everything else in proportion. */
static bool of_model(const job *j, long d_k, numbers *out, tl_error *error) {
    tl_run_settings settings = toy_translator(j->study);
    settings.data.sentences = budget_of(j->study, 1000, 1000, 200);
    settings.model.heads = 4;
    settings.model.d_model = 4 * d_k;
    settings.model.d_ff = 8 * d_k;
    settings.model.score = scale_name(j->arm.number);
    settings.training.seed = (long)j->real_seed;
    tl_run *run = tl_run_fresh(&settings, error);
    if (!run) return false;
    tl_set *set =
        tl_set_new(run, &(tl_set_options){.most = budget_of(j->study, 20, 20, 5), .batch_tokens = 100000});
    tl_batch batch;
    tl_seen seen;
    const bool ok = set && tl_set_next(set, &batch) &&
                    tl_look(tl_run_model(run), tl_run_tape(run), &batch, NULL, &seen) &&
                    add_up(j, &seen, d_k, out);
    if (!ok) job_failed(run, "out of memory", error);
    tl_set_free(set);
    tl_run_free(run);
    return ok;
}

bool scale_at_the_beginning(const job *j, numbers *out, tl_error *error) {
    const long widths = budget_of(j->study, WIDTHS, WIDTHS, 2);
    for (long i = 0; i < widths; i++) {
        if (job_stopped(j)) return tl_error_set(error, "interrupted");
        if (!of_random(j, scale_width[i], out, error) || !of_model(j, scale_width[i], out, error))
            return false;
    }
    return true;
}
