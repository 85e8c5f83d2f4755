/* Distances in self-attention. The distance from a query at i to a key at j is j - i.
 *
 *     alibi          bias -m·|j - i|; head h of 1 … H has the slope m = 2^(-8h/H)
 *     signed-alibi   the same, but one side has another, steeper slope 2^(-8(h-½)/H): keys after the query in odd
 *                    heads, keys before it in even heads. So earlier and later keys differ.
 *     relative       bias weight[h, bucket(j - i)]
 *     rotary         no bias: queries and keys are rotated by their positions (operation rotary)
 *
 * Query i of T is at key position i + (S - T), as in a mask. A bias depends only on the distance and the head, so the
 * row of one query in a step with a cache has the same bits as that row among all others. */
#include "distances.h"

#include "check.h"
#include "layer.h"
#include "tapeloom/op.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* ---- config ---- */

const char *tl_position_kind_text(tl_position_kind kind) {
    static const char *const text[] = {"sinusoidal",   "learned",  "none",  "alibi",
                                       "signed-alibi", "relative", "rotary"};
    return (int)kind < 0 || kind > TL_ROTARY ? NULL : text[kind];
}

bool tl_positions_are_distances(tl_position_kind kind) { return kind >= TL_ALIBI && kind <= TL_ROTARY; }

/* One side needs at least a bucket for distance 0 and one for all others. */
static bool check_buckets(tl_params *params, const tl_distances *d) {
    const int side = d->one_sided ? d->buckets : d->buckets / 2;
    if (d->buckets < 2 || side < 2 || d->buckets > 65536 || (!d->one_sided && d->buckets % 2))
        return tl_params_fail(params, "%s: %d buckets: should be %s, up to 65536", d->name, d->buckets,
                              d->one_sided ? "2 or more" : "an even number, 4 or more");
    if (d->max_distance <= side / 2)
        return tl_params_fail(params,
                              "%s: max_distance is %ld, should be more than the %d distances that have a "
                              "bucket each",
                              d->name, d->max_distance, side / 2);
    return true;
}

tl_distances tl_distances_init(tl_params *params, const char *name, const tl_distances_config *config) {
    if (!tl_check_given(params, "tl_distances_init", name, config)) return (tl_distances){0};
    tl_distances d = {.name = tl_params_text(params, "%s", name),
                      .kind = config->kind,
                      .heads = config->heads,
                      .one_sided = config->one_sided,
                      .buckets = config->buckets ? config->buckets : 32,
                      .max_distance = config->max_distance ? config->max_distance : 128,
                      .base = config->base == 0 ? 10000 : config->base};
    if (!tl_positions_are_distances(d.kind))
        return tl_params_fail(params,
                              "%s: kind %d is none of distances: they are TL_ALIBI, TL_SIGNED_ALIBI, "
                              "TL_RELATIVE and TL_ROTARY",
                              name, (int)d.kind),
               d;
    if (!tl_check_size(params, name, "heads", d.heads)) return d;
    if (!(d.base > 0 && isfinite(d.base)))
        tl_params_fail(params, "%s: base is %g, should be more than 0 and finite, or 0 for 10000", name,
                       d.base);
    if (d.kind == TL_RELATIVE && check_buckets(params, &d))
        d.weight =
            tl_add_part(params, name, "weight", TL_SHAPE(d.heads, d.buckets), (tl_init){TL_INIT_NORMAL, 0});
    return d;
}

/* ---- buckets ---- */

/* Adds 1e-9 before floor: where a threshold is a whole number, the rounded logarithm must not fall below it. */
static int far_bucket(long distance, int near, int buckets, long max_distance) {
    const double share = log((double)distance / near) / log((double)max_distance / near);
    const double at = near + floor(share * (buckets - near) + 1e-9);
    return at < buckets ? (int)at : buckets - 1;
}

int tl_distance_bucket(long distance, bool one_sided, int buckets, long max_distance) {
    int first = 0;
    long size = distance == LONG_MIN ? LONG_MAX : labs(distance);
    if (one_sided) {
        if (distance > 0) size = 0;
    } else {
        buckets /= 2;
        if (distance > 0) first = buckets;
    }
    const int near = buckets / 2;
    return first + (size < near ? (int)size : far_bucket(size, near, buckets, max_distance));
}

/* The bias [1,H,T,S]: one lookup of the bucket per distance, then of the weight per head, query and key. */
static tl_var relative_bias(const tl_distances *d, tl_tape *tape, long queries, long keys) {
    const long ends = queries + keys, each = queries * keys;
    int *bucket = tl_tape_memory(tape, (size_t)(ends + 1) * sizeof *bucket);
    int *ids = tl_tape_memory(tape, (size_t)(d->heads * each + 1) * sizeof *ids);
    if (!bucket || !ids) return tl_inert(tape);
    for (long i = 0; i < ends; i++)
        bucket[i] = tl_distance_bucket(i - (keys - 1), d->one_sided, d->buckets, d->max_distance);
    for (long i = 0; i < queries; i++)
        for (long j = 0; j < keys; j++) ids[i * keys + j] = bucket[j - i + queries - 1];
    for (long h = 1; h < d->heads; h++)
        for (long i = 0; i < each; i++) ids[h * each + i] = ids[i];
    tl_var rows = tl_gather(tl_use(tape, d->weight), 1, ids, TL_SHAPE(d->heads, each));
    return tl_reshape(rows, TL_SHAPE(1, d->heads, queries, keys));
}

/* ---- slopes ---- */

double tl_alibi_slope(const tl_distances *d, int head, bool after) {
    /* head 0 is h = 1, which is odd */
    const bool steeper = d->kind == TL_SIGNED_ALIBI && after == (head % 2 == 0);
    return exp2(-8 * (head + (steeper ? 0.5 : 1)) / d->heads);
}

static tl_var alibi_bias(const tl_distances *d, tl_tape *tape, long queries, long keys) {
    const tl_tensor bias = tl_tape_tensor(tape, TL_SHAPE(1, d->heads, queries, keys));
    if (!bias.data) return tl_inert(tape);
    tl_real *to = bias.data;
    for (int h = 0; h < d->heads; h++) {
        const double before = tl_alibi_slope(d, h, false), after = tl_alibi_slope(d, h, true);
        for (long i = keys - queries; i < keys; i++) {
            for (long j = 0; j < keys; j++)
                *to++ = (tl_real)(j < i ? before * (double)(j - i) : after * (double)(i - j));
        }
    }
    return tl_constant(tape, bias);
}

tl_var tl_distances_bias(const tl_distances *d, tl_tape *tape, long queries, long keys) {
    if (!tl_layer_made(tape, TL_LAYER(d), "tl_distances_init")) return tl_inert(tape);
    if (d->kind == TL_ROTARY)
        return tl_tape_fail(tape, "%s: rotary positions are no bias: tl_rotary turns queries and keys",
                            d->name);
    if (queries < 0 || keys < queries || tl_shape_numel(TL_SHAPE(d->heads, queries, keys)) < 0)
        return tl_tape_fail(tape,
                            "%s: %ld queries among %ld keys: should be the last of them, and fit into memory",
                            d->name, queries, keys);
    if (d->kind == TL_RELATIVE && !d->weight)
        return tl_tape_fail(tape, "%s: its set has failed: tl_params_error says why", d->name);
    tl_scope_enter(tape, d->name);
    tl_var bias =
        d->kind == TL_RELATIVE ? relative_bias(d, tape, queries, keys) : alibi_bias(d, tape, queries, keys);
    tl_scope_leave(tape);
    return bias;
}
