/* Scores (the table in nn.h). Each is split into a part for queries alone, a part for keys alone, and a part for pairs.
 *
 *     scaled-dot, dot   q                      k            q·kᵀ; scaled-dot also times 1 / √d_k
 *     general           q·W                    k            q·kᵀ
 *     cosine            q·(1/|q|·e^s·√d_k)     k / |k|      q·kᵀ
 *     additive          q·Aᵀ + b               k·Bᵀ         tanh(q + k)·w for every pair
 *
 * All but the additive score end in a product, so the fused operation can compute them. The uniform score has no parts:
 * its scores are zeros, made in attention.c. */
#include "score.h"

#include "check.h"

#include <math.h>

/* Norms below 1e-8 count as 1e-8: the cosine of a zero vector is 0. */
static const double least_square = 1e-16;

/* ---- parameters ---- */

static tl_param *weight(tl_params *params, const tl_attention_layer *layer, const char *part, long rows,
                        long columns) {
    return tl_add_part(params, layer->name, part, TL_SHAPE(layer->heads, rows, columns),
                       (tl_init){TL_INIT_UNIFORM, sqrt(6.0 / ((double)rows + (double)columns))});
}

/* Width of a head's queries, and of its keys. */
static long d_query(const tl_attention_layer *layer) { return layer->d_k; }
static long d_key(const tl_attention_layer *layer) {
    return layer->unprojected ? layer->d_memory / layer->heads : layer->d_k;
}

static void add_additive(tl_params *params, tl_attention_layer *layer, const tl_attention_config *config) {
    const long heads = layer->heads, width = config->d_score ? config->d_score : d_query(layer);
    if (!tl_check_size(params, layer->name, "d_score", width)) return;
    layer->score_query_weight = weight(params, layer, "score_query_weight", width, d_query(layer));
    layer->score_key_weight = weight(params, layer, "score_key_weight", width, d_key(layer));
    if (!config->no_bias)
        layer->score_bias = tl_add_part(params, layer->name, "score_bias", TL_SHAPE(heads, width),
                                        (tl_init){TL_INIT_ZEROS, 0});
    layer->score_weight = tl_add_part(params, layer->name, "score_weight", TL_SHAPE(heads, width),
                                      (tl_init){TL_INIT_UNIFORM, sqrt(6.0 / ((double)width + 1))});
}

void tl_score_init(tl_params *params, tl_attention_layer *layer, const tl_attention_config *config) {
    if (layer->score == TL_GENERAL)
        layer->score_weight = weight(params, layer, "score_weight", d_query(layer), d_key(layer));
    if (layer->score == TL_ADDITIVE) add_additive(params, layer, config);
    if (layer->score == TL_COSINE)
        layer->score_log_scale = tl_add_part(params, layer->name, "score_log_scale", TL_SHAPE(layer->heads),
                                             (tl_init){TL_INIT_ZEROS, 0});
    const bool products =
        layer->score == TL_SCALED_DOT || layer->score == TL_DOT || layer->score == TL_COSINE;
    if (products && d_query(layer) != d_key(layer))
        tl_params_fail(params,
                       "%s: unprojected queries are %ld wide and keys %ld: a product needs one width; choose "
                       "the general "
                       "or the additive score",
                       layer->name, d_query(layer), d_key(layer));
}

/* ---- queries alone, keys alone ---- */

/* 1 / |x| of every vector, [...,1] */
static tl_var over_length(tl_var x) {
    tl_var square = tl_sum(tl_mul(x, x), TL_AXES(-1), true);
    return tl_power(tl_maximum(square, tl_scalar(x.tape, least_square)), -0.5);
}

/* x [...,H,n,in] times each head's transposed matrix, from [H,out,in]. */
static tl_var times(tl_var x, tl_param *matrix) {
    return tl_matmul(x, tl_transpose(tl_use(x.tape, matrix), -1, -2));
}

/* A parameter [H,width] reshaped to [H,1,width], to broadcast against [B,H,n,width]. */
static tl_var for_heads(const tl_attention_layer *layer, tl_tape *tape, tl_param *p, long width) {
    return tl_reshape(tl_use(tape, p), TL_SHAPE(layer->heads, 1, width));
}

/* The factor is broadcast over a query's elements before the product. Its gradient is then summed over the queries for
 * each element, in order, and padding adds 0. */
static tl_var cosine_query(const tl_attention_layer *layer, tl_var q) {
    const long width = d_query(layer);
    tl_var factor = tl_exp(for_heads(layer, q.tape, layer->score_log_scale, 1));
    tl_var zeros = tl_zeros(q.tape, TL_SHAPE(width));
    factor = tl_add(tl_scale(factor, sqrt((double)width)), zeros);
    return tl_mul(tl_mul(q, over_length(q)), factor);
}

static tl_var additive_query(const tl_attention_layer *layer, tl_var q) {
    tl_var y = times(q, layer->score_query_weight);
    if (!layer->score_bias) return y;
    return tl_add(y, for_heads(layer, q.tape, layer->score_bias, -1));
}

tl_var tl_score_query(const tl_attention_layer *layer, tl_var q) {
    switch (layer->score) {
    case TL_GENERAL:
        return tl_matmul(q, tl_use(q.tape, layer->score_weight));
    case TL_ADDITIVE:
        return additive_query(layer, q);
    case TL_COSINE:
        return cosine_query(layer, q);
    default:
        return q;
    }
}

bool tl_score_changes_key(const tl_attention_layer *layer) {
    return layer->score == TL_ADDITIVE || layer->score == TL_COSINE;
}

tl_var tl_score_key(const tl_attention_layer *layer, tl_var k) {
    if (layer->score == TL_ADDITIVE) return times(k, layer->score_key_weight);
    if (layer->score == TL_COSINE) return tl_mul(k, over_length(k));
    return k;
}

/* ---- pairs ---- */

double tl_score_factor(const tl_attention_layer *layer) {
    if (layer->score == TL_ADDITIVE || layer->score == TL_UNIFORM) return 0;
    return layer->score == TL_SCALED_DOT ? 1 / sqrt((double)d_query(layer)) : 1;
}

/* tanh of the sum of every query and every key, [B,H,T·S,width], then one product with w. */
static tl_var additive_pair(const tl_attention_layer *layer, tl_var q, tl_var k) {
    if (!tl_ok(q) || !tl_ok(k)) return tl_ok(q) ? k : q;
    const tl_tensor of_q = tl_value(q), of_k = tl_value(k);
    const long b = of_q.dim[0], h = of_q.dim[1], t = of_q.dim[2], s = of_k.dim[2], width = of_q.dim[3];
    k = tl_reshape(k, TL_SHAPE(b, h, 1, s, width));
    tl_var sum = tl_add(tl_reshape(q, TL_SHAPE(b, h, t, 1, width)), k);
    tl_var w = tl_reshape(tl_use(q.tape, layer->score_weight), TL_SHAPE(h, width, 1));
    tl_var scores = tl_matmul(tl_reshape(tl_tanh(sum), TL_SHAPE(b, h, t * s, width)), w);
    return tl_reshape(scores, TL_SHAPE(b, h, t, s));
}

tl_var tl_score_pair(const tl_attention_layer *layer, tl_var q, tl_var k) {
    if (layer->score == TL_ADDITIVE) return additive_pair(layer, q, k);
    return tl_matmul(q, tl_transpose(k, -1, -2));
}
