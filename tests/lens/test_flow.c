/* Rollout, max-flow, relevance, integrated gradients and τ on invented numbers: worked out by hand, or computed in
 * another way. */
#include "check.h"

#include "tapeloom.h"

static double drawn(const char *name, long i) { return tl_rng_uniform(tl_rng_key_of(7, name), (uint64_t)i); }

static void near_to(double have, double want, double within) {
    must_msg(fabs(have - want) <= within, "%.17g, should be %.17g", have, want);
}
static void all_near(const double *have, const double *want, long n) {
    for (long i = 0; i < n; i++)
        must_msg(fabs(have[i] - want[i]) <= 1e-12, "number %ld is %.17g, should be %.17g", i, have[i],
                 want[i]);
}

/* ---- max-flow ---- */

enum { MOST_NODES = 10 };

/* The smallest sum of capacities of edges leaving a set that contains `from` but not `to`. */
static double smallest_cut(long nodes, const tl_flow_edge *edge, long count, long from, long to) {
    double least = INFINITY;
    for (unsigned long set = 0; set < 1ul << nodes; set++) {
        if (!(set >> from & 1) || set >> to & 1) continue;
        double cut = 0;
        for (long e = 0; e < count; e++)
            if (set >> edge[e].from & 1 && !(set >> edge[e].to & 1)) cut += edge[e].capacity;
        least = fmin(least, cut);
    }
    return least;
}

/* Any edges: cycles, parallel edges, loops, edges of capacity 0. Integer capacities give integer flows. */
START_TEST(flow_is_the_smallest_cut) {
    enum { EDGES = 40 };
    for (long g = 0; g < 300; g++) {
        const long nodes = 2 + g % (MOST_NODES - 3), count = g % EDGES;
        tl_flow_edge edge[EDGES];
        for (long e = 0; e < count; e++) {
            const double c = drawn("capacity", g * EDGES + e);
            edge[e] =
                (tl_flow_edge){(long)(drawn("from", g * EDGES + e) * (double)nodes),
                               (long)(drawn("to", g * EDGES + e) * (double)nodes), g % 2 ? floor(c * 5) : c};
        }
        long to[MOST_NODES];
        double flow[MOST_NODES];
        for (long v = 1; v < nodes; v++) to[v - 1] = v;
        must(tl_max_flow(nodes, edge, count, 0, to, nodes - 1, flow));
        for (long v = 1; v < nodes; v++)
            near_to(flow[v - 1], smallest_cut(nodes, edge, count, 0, v), g % 2 ? 0 : 1e-14);
    }
}
END_TEST

/* The path 0-1-3-5 is found first and uses the capacity that 0-2-3-5 needs: its flow must be rerouted over 1-4-5. */
START_TEST(flow_is_taken_back) {
    const tl_flow_edge edge[] = {{0, 1, 1}, {0, 2, 1}, {1, 3, 1}, {1, 4, 1}, {2, 3, 1}, {3, 5, 1}, {4, 5, 1}};
    double flow;
    ck_assert(tl_max_flow(6, edge, 7, 0, (const long[]){5}, 1, &flow));
    ck_assert(flow == 2);
}
END_TEST

START_TEST(wrong_networks_are_refused) {
    const tl_flow_edge good = {0, 1, 1}, outside = {0, 2, 1}, before = {-1, 1, 1}, less = {0, 1, -1},
                       nan = {0, 1, NAN};
    const long one = 1, two = 2;
    double flow;
    ck_assert(tl_max_flow(2, &good, 1, 0, &one, 1, &flow) && flow == 1);
    ck_assert(tl_max_flow(2, &good, 1, 1, &one, 1, &flow) && isinf(flow)); /* the flow to itself */
    ck_assert(!tl_max_flow(2, &outside, 1, 0, &one, 1, &flow));
    ck_assert(!tl_max_flow(2, &before, 1, 0, &one, 1, &flow));
    ck_assert(!tl_max_flow(2, &less, 1, 0, &one, 1, &flow));
    ck_assert(!tl_max_flow(2, &nan, 1, 0, &one, 1, &flow));
    ck_assert(!tl_max_flow(2, &good, 1, 2, &one, 1, &flow));
    ck_assert(!tl_max_flow(2, &good, 1, 0, &two, 1, &flow));
    ck_assert(!tl_max_flow(0, &good, 0, 0, &one, 1, &flow));
}
END_TEST

/* ---- layers ---- */

static void set(double *to, const double *from, long n) { memcpy(to, from, (size_t)n * sizeof *to); }

/* Random rows that sum to `whole`; with `causal` zeros after the diagonal. */
static void draw_rows(double *to, long rows, long columns, bool causal, double whole, const char *name) {
    for (long i = 0; i < rows; i++) {
        double sum = 0;
        for (long j = 0; j < columns; j++) {
            to[i * columns + j] = causal && j > i ? 0 : drawn(name, i * columns + j);
            sum += to[i * columns + j];
        }
        for (long j = 0; j < columns; j++) to[i * columns + j] *= whole / sum;
    }
}

enum { S = 3, T = 2, ENCODERS = 2, DECODERS = 2 };
enum kind { ENCODER, DECODER, BOTH, POOLING, KINDS };

static tl_flow_layers *drawn_layers(enum kind kind, double whole) {
    const bool encodes = kind != DECODER, decodes = kind == DECODER || kind == BOTH;
    const long t = decodes ? T : kind == POOLING;
    tl_flow_layers *l =
        tl_flow_layers_new(encodes ? S : 0, t, encodes ? ENCODERS : 0, decodes ? DECODERS : kind == POOLING,
                           decodes, kind == BOTH || kind == POOLING);
    ck_assert_ptr_nonnull(l);
    l->replaces = kind == POOLING;
    char name[32];
    for (int i = 0; i < l->encoder_layers; i++) {
        snprintf(name, sizeof name, "encoder %d", i);
        draw_rows(l->encoder_self[i], S, S, false, whole, name);
    }
    for (int i = 0; i < l->decoder_layers; i++) {
        snprintf(name, sizeof name, "decoder %d", i);
        if (l->decoder_self) draw_rows(l->decoder_self[i], T, T, true, whole, name);
        if (l->cross) draw_rows(l->cross[i], t, S, false, whole, name);
    }
    return l;
}

/* ---- rollout and max-flow ---- */

/* (A + I)/2 is [1 0; ¼ ¾] and [½ ½; ¼ ¾]: rollout is their product, the later one on the left; max-flow the smallest
 * capacity of each path. */
START_TEST(two_layers_by_hand) {
    tl_flow_layers *l = tl_flow_layers_new(2, 0, 2, 0, false, false);
    set(l->encoder_self[0], (const double[]){1, 0, 0.5, 0.5}, 4);
    set(l->encoder_self[1], (const double[]){0, 1, 0.5, 0.5}, 4);
    double rolled[4], flow[2];
    ck_assert(tl_attention_rollout(l, 0, rolled, NULL));
    all_near(rolled, (const double[]){0.625, 0.375, 0.4375, 0.5625}, 4);
    ck_assert(tl_attention_rollout(l, 1, rolled, NULL));
    all_near(rolled, (const double[]){1, 0, 0.25, 0.75}, 4);
    ck_assert(tl_attention_max_flow(l, 0, 0, flow, NULL));
    all_near(flow, (const double[]){0.75, 0.5}, 2);
    ck_assert(tl_attention_max_flow(l, 0, 1, flow, NULL));
    all_near(flow, (const double[]){0.5, 0.75}, 2);
    ck_assert(tl_attention_max_flow(l, 1, 1, flow, NULL));
    all_near(flow, (const double[]){0.25, 0.75}, 2);
    ck_assert(!tl_attention_max_flow(l, 0, 2, flow, NULL) && !tl_attention_max_flow(l, 0, -1, flow, NULL));
    tl_flow_layers_free(l);
}
END_TEST

/* An encoder's layer over words s, or a decoder's over t, as one matrix over s and t together; rows that a layer
 * does not read keep their values. */
typedef struct block {
    double w[S + T][S + T];
} block;
static block unit(void) {
    block b = {{{0}}};
    for (int i = 0; i < S + T; i++) b.w[i][i] = 1;
    return b;
}
/* Rows from `row` on read rows from `column` on by a [rows,columns], and themselves. */
static block reads(const double *a, long rows, long columns, int row, int column, double kept) {
    block b = unit();
    for (long i = 0; i < rows; i++) {
        double whole = kept;
        for (long j = 0; j < columns; j++) whole += a[i * columns + j];
        b.w[row + i][row + i] = kept / whole;
        for (long j = 0; j < columns; j++) b.w[row + i][column + j] += a[i * columns + j] / whole;
    }
    return b;
}
static block product(block a, block b) {
    block c = {{{0}}};
    for (int i = 0; i < S + T; i++)
        for (int j = 0; j < S + T; j++)
            for (int k = 0; k < S + T; k++) c.w[i][j] += a.w[i][k] * b.w[k][j];
    return c;
}

/* Compares rollout with matrix products over all words of both sides. Rows sum to 1, whatever the weights' rows sum
 * to. */
START_TEST(rollout_is_a_product) {
    const double wholes[] = {1, 0.3, 2.5, 0};
    tl_flow_layers *l = drawn_layers((enum kind)(_i % KINDS), wholes[_i / KINDS]);
    const long rows = tl_flow_rows(l), s = l->sources, t = l->targets, below = l->sources;
    block all = unit();
    for (int i = 0; i < l->encoder_layers; i++) all = product(reads(l->encoder_self[i], s, s, 0, 0, 1), all);
    for (int i = 0; i < l->decoder_layers; i++) {
        if (l->decoder_self) all = product(reads(l->decoder_self[i], t, t, (int)below, (int)below, 1), all);
        if (l->cross) all = product(reads(l->cross[i], t, s, (int)below, 0, l->replaces ? 0 : 1), all);
    }
    double source[S * S], target[T * T] = {0};
    ck_assert(tl_attention_rollout(l, 0, source, target));
    for (long i = 0; i < rows; i++) {
        const int row = (int)(l->decoder_layers ? below + i : i);
        double sum = 0;
        /* a pooling without visible keys gives 0 */
        const bool nothing = l->replaces && wholes[_i / KINDS] == 0;
        for (long j = 0; j < s; j++)
            near_to(source[i * s + j], nothing ? 0 : all.w[row][j], 1e-14), sum += source[i * s + j];
        for (long j = 0; j < t && l->decoder_layers; j++)
            near_to(target[i * t + j], nothing ? 0 : all.w[row][below + j], 1e-14), sum += target[i * t + j];
        near_to(sum, nothing ? 0 : 1, 1e-14);
    }
    tl_flow_layers_free(l);
}
END_TEST

/* Edges of an encoder with one layer and a decoder with one, made by hand: inputs 0, 1; the encoder's nodes 2, 3;
 * words 4, 5, after self-attention 6, 7, after cross-attention 8, 9. */
START_TEST(flow_between_both_sides_is_the_smallest_cut) {
    enum { N = 2, EDGES = 16 };
    tl_flow_layers *l = tl_flow_layers_new(N, N, 1, 1, true, true);
    double *a[] = {l->encoder_self[0], l->decoder_self[0], l->cross[0]};
    for (int m = 0; m < 3; m++) draw_rows(a[m], N, N, m == 1, 1, m ? m == 1 ? "self" : "cross" : "encoder");
    tl_flow_edge edge[EDGES];
    long count = 0;
    for (long i = 0; i < N; i++)
        for (long j = 0; j < N; j++) {
            edge[count++] = (tl_flow_edge){2 + i, j, (a[0][i * N + j] + (i == j)) / 2};
            edge[count++] = (tl_flow_edge){6 + i, 4 + j, (a[1][i * N + j] + (i == j)) / 2};
            edge[count++] = (tl_flow_edge){8 + i, 2 + j, a[2][i * N + j] / 2};
            edge[count++] = (tl_flow_edge){8 + i, 6 + j, i == j ? 0.5 : 0};
        }
    for (long row = 0; row < N; row++) {
        double source[N], target[N];
        ck_assert(tl_attention_max_flow(l, 0, row, source, target));
        for (long j = 0; j < N; j++) {
            near_to(source[j], smallest_cut(10, edge, count, 8 + row, j), 1e-14);
            near_to(target[j], smallest_cut(10, edge, count, 8 + row, 4 + j), 1e-14);
        }
    }
    tl_flow_layers_free(l);
}
END_TEST

/* A pooling has no residual connection: the flow into its single level is its weights, whatever they sum to. */
START_TEST(a_pooling_has_no_residual_connection) {
    tl_flow_layers *l = tl_flow_layers_new(2, 1, 0, 1, false, true);
    l->replaces = true;
    set(l->cross[0], (const double[]){0.5, 1.5}, 2);
    double source[2], target[1];
    ck_assert(tl_attention_max_flow(l, 0, 0, source, target));
    all_near(source, (const double[]){0.25, 0.75}, 2);
    all_near(target, (const double[]){0}, 1);
    ck_assert(tl_attention_rollout(l, 0, source, target));
    all_near(source, (const double[]){0.25, 0.75}, 2);
    all_near(target, (const double[]){0}, 1);
    tl_flow_layers_free(l);
}
END_TEST

/* Rollout's share of each path fits into the path's capacities, so max-flow is at least rollout. */
START_TEST(flow_is_no_less_than_rollout) {
    tl_flow_layers *l = drawn_layers((enum kind)_i, 1);
    const long s = l->sources, t = l->targets;
    double source[S * S], target[T * T], most_source[S], most_target[T];
    ck_assert(tl_attention_rollout(l, 0, source, target));
    for (long i = 0; i < tl_flow_rows(l); i++) {
        ck_assert(tl_attention_max_flow(l, 0, i, most_source, most_target));
        for (long j = 0; j < s; j++)
            must(most_source[j] >= source[i * s + j] - 1e-14 && most_source[j] <= 1 + 1e-14);
        for (long j = 0; j < t && l->decoder_layers; j++)
            must(most_target[j] >= target[i * t + j] - 1e-14 && most_target[j] <= 1 + 1e-14);
    }
    tl_flow_layers_free(l);
}
END_TEST

/* Depth d of a decoder, over the whole encoder, equals a decoder that has only its first d layers. */
START_TEST(depth_cuts_the_side_of_the_rows) {
    tl_flow_layers *all = drawn_layers(BOTH, 1), *first = tl_flow_layers_new(S, T, ENCODERS, 1, true, true);
    for (int i = 0; i < ENCODERS; i++) set(first->encoder_self[i], all->encoder_self[i], S * S);
    set(first->decoder_self[0], all->decoder_self[0], T * T);
    set(first->cross[0], all->cross[0], T * S);
    double a[T * S], b[T * S], c[T * T], d[T * T];
    ck_assert(tl_attention_rollout(all, 1, a, c) && tl_attention_rollout(first, 0, b, d));
    ck_assert(!memcmp(a, b, sizeof a) && !memcmp(c, d, sizeof c));
    ck_assert(tl_attention_max_flow(all, 1, 1, a, c) && tl_attention_max_flow(first, 0, 1, b, d));
    ck_assert(!memcmp(a, b, S * sizeof *a) && !memcmp(c, d, T * sizeof *c));
    ck_assert(tl_attention_rollout(all, 99, a, c) && tl_attention_rollout(all, 0, b, d));
    ck_assert(!memcmp(a, b, sizeof a) && !memcmp(c, d, sizeof c));
    tl_flow_layers_free(all);
    tl_flow_layers_free(first);
}
END_TEST

/* ---- relevance ---- */

START_TEST(relevance_of_one_side_by_hand) {
    const double first[] = {0.2, 0.4, 0, 0.1}, second[] = {1, 0, 0.5, 2};
    /* I + Ā₁ = [1.2 .4; 0 1.1], and that plus Ā₂ times it */
    const double one[] = {1.2, 0.4, 0, 1.1}, two[] = {2.4, 0.8, 0.6, 3.5};
    double r[4];
    for (int decoder = 0; decoder < 2; decoder++) {
        tl_flow_layers *l = tl_flow_layers_new(decoder ? 0 : 2, decoder ? 2 : 0, decoder ? 0 : 2,
                                               decoder ? 2 : 0, decoder, false);
        double **a = decoder ? l->decoder_self : l->encoder_self;
        set(a[0], first, 4);
        ck_assert(tl_relevance(l, decoder ? NULL : r, decoder ? r : NULL));
        all_near(r, one, 4);
        set(a[1], second, 4);
        ck_assert(tl_relevance(l, decoder ? NULL : r, decoder ? r : NULL));
        all_near(r, two, 4);
        tl_flow_layers_free(l);
    }
}
END_TEST

/* Worked out with pencil and paper, in fractions: R̄_ss is [4/3 2/3; 0 1], its second row being 0/0; R̄_tt is [2 0;
 * 3/4 5/4] after the first layer and [2 0; 18/19 20/19] after the second. */
START_TEST(relevance_of_both_sides_by_hand) {
    tl_flow_layers *l = tl_flow_layers_new(2, 2, 1, 2, true, true);
    set(l->encoder_self[0], (const double[]){0.2, 0.4, 0, 0}, 4);
    set(l->decoder_self[0], (const double[]){0.5, 0, 0.3, 0.1}, 4);
    set(l->cross[0], (const double[]){0.1, 0.2, 0.4, 0}, 4);
    double source[4], target[4];
    ck_assert(tl_relevance(l, source, target));
    all_near(source, (const double[]){2. / 3, 11. / 15, 2. / 3, 1. / 3}, 4);
    all_near(target, (const double[]){1.5, 0, 0.3, 1.1}, 4);
    set(l->decoder_self[1], (const double[]){0, 0, 1, 0}, 4);
    set(l->cross[1], (const double[]){0, 0, 0, 0.5}, 4);
    ck_assert(tl_relevance(l, source, target));
    all_near(source, (const double[]){2. / 3, 11. / 15 + 9. / 19, 4. / 3, 16. / 15 + 10. / 19}, 4);
    all_near(target, (const double[]){1.5, 0, 1.8, 1.1}, 4);
    tl_flow_layers_free(l);
}
END_TEST

/* More source words than target words, so that a product with exchanged sides would not have matching shapes; and a
 * pooling: R_tt is 1. */
START_TEST(relevance_of_a_pooling_by_hand) {
    tl_flow_layers *l = tl_flow_layers_new(3, 1, 1, 1, false, true);
    l->replaces = true;
    set(l->encoder_self[0], (const double[]){0, 0, 1, 1, 0, 1, 0, 0, 0}, 9);
    set(l->cross[0], (const double[]){0.5, 0.25, 1}, 3);
    double source[3], target[1];
    ck_assert(tl_relevance(l, source, target));
    /* R̄_ss = [1 0 1; ½ 1 ½; 0 0 1] */
    all_near(source, (const double[]){0.625, 0.25, 1.625}, 3);
    all_near(target, (const double[]){1}, 1);
    tl_flow_layers_free(l);
}
END_TEST

/* ---- integrated gradients ---- */

START_TEST(sums_are_exact_for_polynomials) {
    double x[64], w[64];
    for (long n = 1; n <= 64; n *= 2) {
        tl_gauss_legendre(n, x, w);
        for (long degree = 0; degree <= 2 * n - 1; degree += degree < 6 ? 1 : 5) {
            double sum = 0;
            for (long k = 0; k < n; k++) sum += w[k] * pow(x[k], (double)degree);
            near_to(sum, 1 / (double)(degree + 1), 1e-14);
        }
        for (long k = 0; k < n; k++) must(x[k] > 0 && x[k] < 1 && w[k] > 0);
    }
    tl_gauss_legendre(2, x, w);
    near_to(fmin(x[0], x[1]), (1 - 1 / sqrt(3)) / 2, 1e-15);
}
END_TEST

typedef struct asked {
    long times, stop_at;
} asked;
static bool linear(const double *x, long n, double *value, double *grad, void *context) {
    asked *a = context;
    *value = 5;
    for (long i = 0; i < n; i++) *value += (double)(i - 1) * x[i], grad[i] = (double)(i - 1);
    return ++a->times != a->stop_at;
}
/* x₀·x₁² */
static bool cubic(const double *x, long n, double *value, double *grad, void *context) {
    (void)n, (void)context;
    *value = x[0] * x[1] * x[1];
    grad[0] = x[1] * x[1], grad[1] = 2 * x[0] * x[1];
    return true;
}
/* atan(100·(x - ½)): steep in the middle */
static bool steep(const double *x, long n, double *value, double *grad, void *context) {
    (void)n, (void)context;
    const double y = 100 * (x[0] - 0.5);
    *value = atan(y);
    grad[0] = 100 / (1 + y * y);
    return true;
}
/* A gradient that does not belong to f: no number of steps makes the result complete. */
static bool wrong(const double *x, long n, double *value, double *grad, void *context) {
    (void)n;
    *value = *(const double *)context * x[0];
    grad[0] = 3;
    return true;
}
static bool until_eleven(void *context, long done, long all) {
    *(long *)context = done;
    ck_assert_int_eq(all, 8 + 16 + 32 + 64 + 128 + 256 + 512);
    return done < 11;
}

START_TEST(shares_are_complete) {
    const double x[] = {3, 2, -1}, from[] = {1, 2, 0.5};
    double grads[3];
    tl_path_report r;
    asked a = {0};
    ck_assert(tl_integrate_grads(linear, &a, 3, x, from, NULL, grads, &r));
    all_near(grads, (const double[]){-2, 0, -1.5}, 3);
    ck_assert(r.reached && r.steps == 8 && r.gap < 1e-14 && r.value == 1 && r.baseline == 4.5);
    ck_assert_int_eq(a.times, 2 + 8);
    const double nothing[] = {0, 0};
    /* over u the derivatives are polynomials of degree 5: three steps are enough, two are not */
    for (long first = 2; first <= 3; first++) {
        ck_assert(tl_integrate_grads(cubic, NULL, 2, x, nothing,
                                     &(tl_path_options){.first = first, .gap = 1e-13}, grads, &r));
        all_near(grads, (const double[]){4, 8}, 2); /* 12, divided into thirds */
        ck_assert(r.reached && r.steps == (first == 2 ? 4 : 3));
    }
}
END_TEST

START_TEST(steps_are_doubled_until_it_will_do) {
    const double x = 1, nothing = 0;
    double grad;
    tl_path_report r, closer;
    ck_assert(tl_integrate_grads(steep, NULL, 1, &x, &nothing, NULL, &grad, &r));
    ck_assert(r.reached && r.gap < 0.01 && r.steps > 8 && r.steps < 512);
    near_to(r.gap, fabs(grad - (r.value - r.baseline)) / fabs(r.value - r.baseline), 1e-15);
    ck_assert(
        tl_integrate_grads(steep, NULL, 1, &x, &nothing, &(tl_path_options){.gap = 1e-4}, &grad, &closer));
    ck_assert(closer.reached && closer.gap < 1e-4 && closer.steps > r.steps);
    for (int less = 0; less < 2; less++) {
        const tl_path_options near = {.gap = r.gap * (less ? 0.75 : 1.25)};
        ck_assert(tl_integrate_grads(steep, NULL, 1, &x, &nothing, &near, &grad, &closer));
        ck_assert(less ? closer.steps > r.steps : closer.steps == r.steps);
    }
    double slope = 2;
    ck_assert(tl_integrate_grads(wrong, &slope, 1, &x, &nothing, NULL, &grad, &r));
    ck_assert(!r.reached && r.steps == 512);
    near_to(r.gap, 0.5, 1e-12);
    for (int above = 0; above < 2; above++) { /* the default gap is 1 % */
        slope = 3 / (above ? 1.0101 : 1.0099);
        ck_assert(
            tl_integrate_grads(wrong, &slope, 1, &x, &nothing, &(tl_path_options){.most = 16}, &grad, &r));
        ck_assert(r.reached == !above && r.steps == (above ? 16 : 8));
    }
    slope = 0; /* f is constant, but its gradient is not 0 */
    ck_assert(tl_integrate_grads(wrong, &slope, 1, &x, &nothing, &(tl_path_options){.most = 16}, &grad, &r));
    ck_assert(!r.reached && r.steps == 16 && isinf(r.gap));
    ck_assert(tl_integrate_grads(wrong, &slope, 1, &x, &x, NULL, &grad, &r));
    ck_assert(r.reached && r.steps == 8 && r.gap == 0);
}
END_TEST

START_TEST(a_path_can_be_left) {
    const double x[] = {3, 2}, from[] = {1, 2};
    double grads[2];
    for (long stop = 1; stop <= 3; stop++) {
        asked a = {.stop_at = stop};
        ck_assert(!tl_integrate_grads(linear, &a, 2, x, from, NULL, grads, NULL));
        ck_assert_int_eq(a.times, stop);
    }
    asked a = {0};
    long told = 0;
    double slope = 2;
    ck_assert(!tl_integrate_grads(wrong, &slope, 1, x, from,
                                  &(tl_path_options){.progress = until_eleven, .context = &told}, grads,
                                  NULL));
    ck_assert_int_eq(told, 11);
    ck_assert(
        !tl_integrate_grads(linear, &a, 2, x, from, &(tl_path_options){.first = 9, .most = 8}, grads, NULL));
    ck_assert(!tl_integrate_grads(linear, &a, 2, x, from, &(tl_path_options){.first = -1}, grads, NULL));
    ck_assert_int_eq(a.times, 0);
}
END_TEST

/* ---- τ ---- */

/* The next permutation in lexicographic order; false after the last. */
static bool permute(double *a, int n) {
    int i = n - 1, j = n - 1;
    while (i > 0 && a[i - 1] >= a[i]) i--;
    if (!i) return false;
    while (a[j] <= a[i - 1]) j--;
    double x = a[i - 1];
    a[i - 1] = a[j], a[j] = x;
    for (j = n - 1; i < j; i++, j--) x = a[i], a[i] = a[j], a[j] = x;
    return true;
}

/* Sorts by exchanging neighbours; the number of exchanges is the number of pairs in the wrong order. */
static int exchanges(const double *a, int n) {
    double b[8];
    int count = 0;
    memcpy(b, a, (size_t)n * sizeof *b);
    for (int end = n; end > 1; end--)
        for (int i = 0; i + 1 < end; i++)
            if (b[i] > b[i + 1]) {
                const double x = b[i];
                b[i] = b[i + 1], b[i + 1] = x, count++;
            }
    return count;
}

START_TEST(tau_of_all_permutations) {
    const double order[] = {10, 20, 30, 40, 50};
    double a[] = {-3, -2, 0, 7, 8};
    int count = 0;
    do {
        near_to(tl_kendall_tau(order, a, 5), 1 - 4. * exchanges(a, 5) / 20, 1e-15);
        count++;
    } while (permute(a, 5));
    ck_assert_int_eq(count, 120);
}
END_TEST

START_TEST(tau_of_ties) {
    /* Pairs: (1,2) and (1,3) concordant, (2,3) tied in a alone: 2/√(2·3). */
    near_to(tl_kendall_tau((const double[]){1, 2, 2}, (const double[]){1, 2, 3}, 3), 2 / sqrt(6), 1e-15);
    /* 1 1 2 2 against 1 2 1 2: pairs not tied in either are one concordant and one discordant. */
    near_to(tl_kendall_tau((const double[]){1, 1, 2, 2}, (const double[]){1, 2, 1, 2}, 4), 0, 0);
    near_to(tl_kendall_tau((const double[]){1, 1, 2}, (const double[]){5, 5, 1}, 3), -1, 1e-15);
    ck_assert(isnan(tl_kendall_tau((const double[]){1, 1, 1}, (const double[]){1, 2, 3}, 3)));
    ck_assert(isnan(tl_kendall_tau((const double[]){1, 2, 3}, (const double[]){4, 4, 4}, 3)));
    ck_assert(isnan(tl_kendall_tau((const double[]){1}, (const double[]){1}, 1)));
    ck_assert(isnan(tl_kendall_tau((const double[]){1, NAN, 3}, (const double[]){1, 2, 3}, 3)));
    ck_assert(isnan(tl_kendall_tau((const double[]){1, 2, 3}, (const double[]){NAN, 2, 3}, 3)));
}
END_TEST

START_TEST(sizes_that_make_no_sense) {
    ck_assert_ptr_null(tl_flow_layers_new(-1, 0, 0, 0, false, false));
    ck_assert_ptr_null(tl_flow_layers_new(1, 1, -1, 1, true, true));
    ck_assert_ptr_null(tl_flow_layers_new(1l << 20, 1, 1 << 20, 1, true, true));
    ck_assert(!tl_attention_rollout(NULL, 0, NULL, NULL) && !tl_relevance(NULL, NULL, NULL));
    ck_assert(!tl_attention_max_flow(NULL, 0, 0, NULL, NULL));
    tl_flow_layers *none = tl_flow_layers_new(0, 0, 0, 0, false, false);
    ck_assert(none && tl_attention_rollout(none, 0, NULL, NULL) && tl_relevance(none, NULL, NULL));
    ck_assert(!tl_attention_max_flow(none, 0, 0, NULL, NULL));
    tl_flow_layers_free(none);
    tl_flow_layers_free(NULL);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, flow_is_the_smallest_cut);
    tcase_add_test(tc, flow_is_taken_back);
    tcase_add_test(tc, wrong_networks_are_refused);
    tcase_add_test(tc, two_layers_by_hand);
    tcase_add_loop_test(tc, rollout_is_a_product, 0, 4 * KINDS);
    tcase_add_test(tc, flow_between_both_sides_is_the_smallest_cut);
    tcase_add_test(tc, a_pooling_has_no_residual_connection);
    tcase_add_loop_test(tc, flow_is_no_less_than_rollout, 0, KINDS);
    tcase_add_test(tc, depth_cuts_the_side_of_the_rows);
    tcase_add_test(tc, relevance_of_one_side_by_hand);
    tcase_add_test(tc, relevance_of_both_sides_by_hand);
    tcase_add_test(tc, relevance_of_a_pooling_by_hand);
    tcase_add_test(tc, sums_are_exact_for_polynomials);
    tcase_add_test(tc, shares_are_complete);
    tcase_add_test(tc, steps_are_doubled_until_it_will_do);
    tcase_add_test(tc, a_path_can_be_left);
    tcase_add_test(tc, tau_of_all_permutations);
    tcase_add_test(tc, tau_of_ties);
    tcase_add_test(tc, sizes_that_make_no_sense);
}

TL_TEST_MAIN("lens: flows over invented numbers")
