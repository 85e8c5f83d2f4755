/* Softmax with and without masks, normalisation, embedding and losses: values and gradients against plain code, NaN
 * behind masks, error messages, fused against separate operations, any number of threads. test_gradients.c has the
 * gradient checks. */
#include "check.h"
#include "chains.h"
#include "tapeloom/autograd.h"
#include "tapeloom/ops.h"

#include <float.h>

#define EPSILON (sizeof(tl_real) == 4 ? (double)FLT_EPSILON : DBL_EPSILON)

/* ---- helpers ---- */

static uint64_t state = 1;
static double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}
static void fill(tl_real *x, long n, double scale) {
    for (long i = 0; i < n; i++) x[i] = (tl_real)(scale * (2 * uniform() - 1));
}
static void near(double got, double want, double scale, const char *what, long i) {
    if (!(fabs(got - want) <= 32 * EPSILON * scale)) /* every call of an assertion costs a system call */
        ck_abort_msg("%s[%ld]: %.9g, should be %.9g", what, i, got, want);
}
static void same_bits(const tl_real *a, const tl_real *b, long n, const char *what) {
    for (long i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0)
            ck_abort_msg("%s: element %ld of %ld is %.17g and %.17g", what, i, n, (double)a[i], (double)b[i]);
}
static bool is_plus_zero(tl_real x) { return x == 0 && !signbit(x); }

static tl_tape *tape; /* of the test that runs */
static void setup(void) {
    tape = tl_tape_new();
    tl_tape_set_checking(tape, false); /* these tests use NaN and infinity */
}
static void teardown(void) { tl_tape_free(tape); }

static tl_var variable(tl_real *x, tl_shape shape) { return tl_variable(tape, tl_tensor_of(x, shape)); }
static const tl_real *value(tl_var x) {
    assert_no_error(tl_tape_error(tape));
    ck_assert(tl_is_contiguous(tl_value(x)));
    return tl_value(x).data;
}
static const tl_real *grad(tl_var x) {
    ck_assert(tl_grad(x).data && tl_is_contiguous(tl_grad(x)));
    return tl_grad(x).data;
}
static void backward_from(tl_var y, tl_real *dy) {
    tl_backward_from(y, tl_tensor_of(dy, tl_shape_of(tl_value(y))));
    assert_no_error(tl_tape_error(tape));
}
static void fails(tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
    tl_tape_reset(tape);
}

/* ---- softmax, log_softmax ---- */

START_TEST(any_axis) {
    enum { A = 3, B = 4, C = 5, N = A * B * C };
    const long dim[3] = {A, B, C}, stride[3] = {B * C, C, 1};
    tl_real x[N], dy[N];
    for (int axis = -3; axis < 3; axis++)
        for (int kind = 0; kind < 2; kind++) {
            tl_tape_reset(tape);
            fill(x, N, 4);
            fill(dy, N, 1);
            tl_var in = variable(x, TL_SHAPE(A, B, C)),
                   y = kind ? tl_log_softmax(in, axis) : tl_softmax(in, axis);
            backward_from(y, dy);
            const long n = dim[(axis + 3) % 3], s = stride[(axis + 3) % 3];
            for (long i = 0; i < N; i++) {
                const long start = i - i / s % n * s; /* first element of i's row */
                double sum = 0, dot = 0, total = 0;
                for (long j = 0; j < n; j++) {
                    sum += exp((double)x[start + j * s]);
                    dot += exp((double)x[start + j * s]) * (double)dy[start + j * s];
                    total += (double)dy[start + j * s];
                }
                const double p = exp((double)x[i]) / sum;
                near((double)value(y)[i], kind ? log(p) : p, 1 + fabs(log(p)) * kind, "y", i);
                near((double)grad(in)[i], kind ? (double)dy[i] - p * total : p * ((double)dy[i] - dot / sum),
                     2, "dx", i);
            }
        }
}
END_TEST

START_TEST(a_turned_tensor_gives_the_same_bits) {
    tl_real x[6 * 7], dy[6 * 7];
    fill(x, 42, 3);
    fill(dy, 42, 1);
    tl_var in = variable(x, TL_SHAPE(6, 7)), turned = tl_transpose(in, 0, 1);
    tl_var y = tl_softmax(in, 0), z = tl_softmax(turned, 1);
    tl_tensor back = tl_tensor_transpose(tl_value(z), 0, 1);
    for (long i = 0; i < 42; i++) ck_assert(value(y)[i] == tl_item(tl_at(back, i / 7, i % 7)));
}
END_TEST

START_TEST(wrong_axes_are_named) {
    tl_real x[6] = {0};
    fails(tl_softmax(variable(x, TL_SHAPE(2, 3)), 2), "softmax: [2,3] has no axis 2");
    fails(tl_log_softmax(variable(x, TL_SHAPE(2, 3)), -3), "log_softmax: [2,3] has no axis -3");
    fails(tl_softmax(variable(x, TL_SCALAR_SHAPE), -1), "softmax: [] has no axis -1");
}
END_TEST

/* ---- masked_softmax ---- */

enum { SENTENCES = 3, HEADS = 2, QUERIES = 4, KEYS = 6, SCORES = SENTENCES * HEADS * QUERIES * KEYS };

static bool sees(const tl_mask *m, long b, long h, long i, long j, long queries, long keys) {
    if (m->key_lengths && j >= m->key_lengths[b]) return false;
    if (m->causal && j > i + keys - queries) return false;
    if (!m->attend) return true;
    const long *d = m->attend_dim;
    return m->attend[(((b % d[0]) * d[1] + h % d[1]) * d[2] + i % d[2]) * d[3] + j % d[3]] == TL_ATTEND;
}

/* Runs the mask over random scores, NaN or infinite where they are hidden, and compares everything with plain code. */
static void check_mask(const tl_mask *m, long queries) {
    tl_tape_reset(tape);
    const long n = SENTENCES * HEADS * queries * KEYS;
    tl_real x[2 * SCORES], dy[2 * SCORES];
    const tl_real poison[3] = {(tl_real)NAN, (tl_real)INFINITY, -(tl_real)INFINITY};
    fill(x, n, 4);
    fill(dy, n, 1);
    for (long i = 0; i < n; i++)
        if (!sees(m, i / KEYS / queries / HEADS, i / KEYS / queries % HEADS, i / KEYS % queries, i % KEYS,
                  queries, KEYS))
            x[i] = poison[i % 3], dy[i] = poison[(i + 1) % 3];
    tl_var in = variable(x, TL_SHAPE(SENTENCES, HEADS, queries, KEYS)), y = tl_masked_softmax(in, m);
    backward_from(y, dy);
    for (long row = 0; row < n / KEYS; row++) {
        const long b = row / queries / HEADS, h = row / queries % HEADS, i = row % queries;
        double sum = 0, dot = 0;
        for (long j = 0; j < KEYS; j++)
            if (sees(m, b, h, i, j, queries, KEYS)) {
                sum += exp((double)x[row * KEYS + j]);
                dot += exp((double)x[row * KEYS + j]) * (double)dy[row * KEYS + j];
            }
        for (long j = 0; j < KEYS; j++) {
            const long at = row * KEYS + j;
            if (!sees(m, b, h, i, j, queries, KEYS)) {
                if (!is_plus_zero(value(y)[at]) || !is_plus_zero(grad(in)[at]))
                    ck_abort_msg("hidden place %ld: weight %g, gradient %g", at, (double)value(y)[at],
                                 (double)grad(in)[at]);
                continue;
            }
            const double p = exp((double)x[at]) / sum;
            near((double)value(y)[at], p, 1, "p", at);
            near((double)grad(in)[at], p * ((double)dy[at] - dot / sum), 1, "dx", at);
        }
    }
}

START_TEST(lengths_and_causal) {
    const int lengths[SENTENCES] = {6, 0, 3}; /* the middle sentence is empty */
    for (int way = 0; way < 4; way++) {
        tl_mask m = {.key_lengths = way & 1 ? lengths : NULL, .causal = way & 2};
        check_mask(&m, QUERIES);
        check_mask(&m, KEYS);
        check_mask(&m, KEYS + 2); /* the first two queries see nothing if causal */
        check_mask(&m, 1);
    }
}
END_TEST

START_TEST(arrays_broadcast_over_any_axes) {
    uint8_t attend[SCORES];
    const int lengths[SENTENCES] = {5, 6, 2};
    for (int axes = 0; axes < 16; axes++)
        for (int more = 0; more < 2; more++) {
            tl_mask m = {.attend = attend,
                         .attend_dim = {axes & 1 ? SENTENCES : 1, axes & 2 ? HEADS : 1,
                                        axes & 4 ? QUERIES : 1, axes & 8 ? KEYS : 1},
                         .key_lengths = more ? lengths : NULL,
                         .causal = more};
            for (int i = 0; i < SCORES; i++) attend[i] = uniform() < 0.6 ? TL_ATTEND : TL_BLOCK;
            check_mask(&m, QUERIES);
        }
}
END_TEST

START_TEST(an_empty_row_or_head_is_zeros_and_changes_no_other) {
    tl_real x[SCORES], whole[SCORES];
    uint8_t attend[SCORES];
    fill(x, SCORES, 3);
    memset(attend, TL_ATTEND, sizeof attend);
    tl_mask m = {.attend = attend, .attend_dim = {SENTENCES, HEADS, QUERIES, KEYS}};
    tl_shape shape = TL_SHAPE(SENTENCES, HEADS, QUERIES, KEYS);
    memcpy(whole, value(tl_masked_softmax(variable(x, shape), &m)), sizeof whole);
    same_bits(whole, value(tl_masked_softmax(variable(x, shape), NULL)), SCORES, "no mask");
    same_bits(whole, value(tl_softmax(variable(x, shape), -1)), SCORES, "softmax");
    memset(attend + 5 * KEYS, TL_BLOCK, KEYS);                             /* one row */
    memset(attend + 3 * QUERIES * KEYS, TL_BLOCK, QUERIES * KEYS);         /* one head of sentence 1 */
    memset(attend + 4 * QUERIES * KEYS, TL_BLOCK, HEADS * QUERIES * KEYS); /* sentence 2 */
    const tl_real *y = value(tl_masked_softmax(variable(x, shape), &m));
    for (int i = 0; i < SCORES; i++)
        ck_assert(attend[i] == TL_ATTEND ? memcmp(y + i, whole + i, sizeof *y) == 0 : is_plus_zero(y[i]));
}
END_TEST

START_TEST(alone_as_in_a_padded_batch) {
    enum { LONG = 70 };
    tl_real x[2 * 3 * LONG], alone[3 * LONG], dy[2 * 3 * LONG], dy_alone[3 * LONG];
    for (int length = 1; length <= LONG; length++) {
        tl_tape_reset(tape);
        fill(x, 2 * 3 * LONG, 4);
        fill(dy, 2 * 3 * LONG, 1);
        for (int i = 0; i < 3; i++) {
            memcpy(alone + i * length, x + (3 + i) * LONG, (size_t)length * sizeof *x);
            memcpy(dy_alone + i * length, dy + (3 + i) * LONG, (size_t)length * sizeof *x);
        }
        tl_var a = variable(alone, TL_SHAPE(3, length)), y = tl_masked_softmax(a, NULL);
        backward_from(y, dy_alone);
        tl_real kept[3 * LONG], kept_grad[3 * LONG];
        memcpy(kept, value(y), (size_t)(3 * length) * sizeof *kept);
        memcpy(kept_grad, grad(a), (size_t)(3 * length) * sizeof *kept);
        tl_tape_reset(tape);
        tl_var b = variable(x, TL_SHAPE(2, 3, LONG));
        y = tl_masked_softmax(b, &(tl_mask){.key_lengths = (const int[]){LONG, length}});
        backward_from(y, dy);
        for (int i = 0; i < 3; i++) {
            same_bits(kept + i * length, value(y) + (3 + i) * LONG, length, "weights");
            same_bits(kept_grad + i * length, grad(b) + (3 + i) * LONG, length, "gradients");
        }
    }
}
END_TEST

START_TEST(the_masks_arrays_are_copied) {
    tl_real x[12], dy[12];
    fill(x, 12, 2);
    fill(dy, 12, 1);
    int lengths[1] = {3};
    uint8_t attend[4] = {1, 0, 1, 1};
    tl_mask m = {.key_lengths = lengths, .attend = attend, .attend_dim = {1, 1, 1, 4}};
    tl_var in = variable(x, TL_SHAPE(1, 3, 4)), y = tl_masked_softmax(in, &m);
    lengths[0] = 4;
    memset(attend, 1, sizeof attend);
    attend[0] = 0;
    backward_from(y, dy);
    for (int i = 0; i < 3; i++) {
        ck_assert(is_plus_zero(grad(in)[4 * i + 1]) && is_plus_zero(grad(in)[4 * i + 3]));
        ck_assert(grad(in)[4 * i] != 0 && grad(in)[4 * i + 2] != 0);
    }
}
END_TEST

START_TEST(mask_errors_name_what_is_wrong) {
    tl_real x[2 * 3 * 4 * 5] = {0};
    tl_shape shape = TL_SHAPE(2, 3, 4, 5);
    fails(tl_masked_softmax(variable(x, shape), &(tl_mask){.key_lengths = (const int[]){5, 6}}),
          "masked_softmax: key_lengths[1] is 6, should be 0 … 5");
    fails(tl_masked_softmax(variable(x, shape), &(tl_mask){.key_lengths = (const int[]){-1, 5}}),
          "masked_softmax: key_lengths[0] is -1");
    uint8_t attend[2 * 3 * 4 * 5] = {0};
    fails(tl_masked_softmax(variable(x, shape), &(tl_mask){.attend = attend, .attend_dim = {2, 1, 5, 5}}),
          "masked_softmax: attend is [2,1,5,5], scores are [2,3,4,5] [batch,head,query,key]");
    attend[3] = 255;
    fails(tl_masked_softmax(variable(x, shape), &(tl_mask){.attend = attend, .attend_dim = {1, 1, 1, 5}}),
          "masked_softmax: attend[3] is 255, neither TL_ATTEND nor TL_BLOCK");
    fails(tl_masked_softmax(variable(x, TL_SHAPE(7)), NULL),
          "masked_softmax: [7] is not [batch,head,query,key]");
}
END_TEST

/* ---- normalisation ---- */

START_TEST(norms_are_right) {
    enum { ROWS = 150, N = 21 };
    static tl_real x[ROWS * N], dy[ROWS * N];
    tl_real g[N], b[N];
    for (int rms = 0; rms < 2; rms++) {
        tl_tape_reset(tape);
        fill(x, ROWS * N, 2);
        fill(dy, ROWS * N, 1);
        fill(g, N, 2);
        fill(b, N, 1);
        tl_var in = variable(x, TL_SHAPE(2, ROWS / 2, N)), gamma = variable(g, TL_SHAPE(N)),
               beta = variable(b, TL_SHAPE(N));
        tl_var y = rms ? tl_rms_norm(in, gamma, 1e-5) : tl_layer_norm(in, gamma, beta, 1e-5);
        backward_from(y, dy);
        double dg[N] = {0}, db[N] = {0};
        for (int row = 0; row < ROWS; row++) {
            double mean = 0, square = 0, a = 0, ah = 0;
            for (int i = 0; i < N && !rms; i++) mean += (double)x[row * N + i] / N;
            for (int i = 0; i < N; i++) square += pow((double)x[row * N + i] - mean, 2) / N;
            const double r = 1 / sqrt(square + 1e-5);
            for (int i = 0; i < N; i++) {
                const double h = ((double)x[row * N + i] - mean) * r, d = (double)dy[row * N + i];
                near((double)value(y)[row * N + i], h * (double)g[i] + (rms ? 0 : (double)b[i]), 4, "y",
                     row * N + i);
                dg[i] += d * h;
                db[i] += d;
                a += d * (double)g[i] / N;
                ah += d * (double)g[i] * h / N;
            }
            for (int i = 0; i < N; i++) {
                const double h = ((double)x[row * N + i] - mean) * r;
                near((double)grad(in)[row * N + i],
                     r * ((double)dy[row * N + i] * (double)g[i] - (rms ? 0 : a) - h * ah), 4, "dx",
                     row * N + i);
            }
        }
        for (int i = 0; i < N; i++) {
            near((double)grad(gamma)[i], dg[i], 10, "dgamma", i);
            if (!rms) near((double)grad(beta)[i], db[i], 10, "dbeta", i);
        }
    }
}
END_TEST

START_TEST(norm_errors_name_the_shapes) {
    tl_real x[12] = {0};
    tl_var a = variable(x, TL_SHAPE(3, 4)), g = variable(x, TL_SHAPE(3));
    fails(tl_layer_norm(a, TL_NO_VAR, g, 1e-5), "layer_norm: x is [3,4], beta [3]: should be [4]");
    a = variable(x, TL_SHAPE(3, 4)), g = variable(x, TL_SHAPE(3));
    fails(tl_rms_norm(a, g, 1e-5), "rms_norm: x is [3,4], gamma [3]: should be [4]");
    fails(tl_rms_norm(variable(x, TL_SHAPE(3, 4)), TL_NO_VAR, -1), "rms_norm: eps is -1");
    fails(tl_rms_norm(variable(x, TL_SHAPE(3, 4)), TL_NO_VAR, NAN), "rms_norm: eps is ");
    fails(tl_layer_norm(variable(x, TL_SHAPE(3, 4)), TL_NO_VAR, TL_NO_VAR, INFINITY),
          "layer_norm: eps is inf");
}
END_TEST

/* ---- embedding ---- */

START_TEST(embedding_gathers_and_scatters) {
    tl_real table[5 * 3], dy[6 * 3];
    int ids[6] = {4, 0, 4, 2, 4, 0};
    fill(table, 15, 1);
    fill(dy, 18, 1);
    tl_var w = variable(table, TL_SHAPE(5, 3)), y = tl_embedding(w, ids, TL_SHAPE(2, 3));
    ck_assert(tl_shape_equal(tl_shape_of(tl_value(y)), TL_SHAPE(2, 3, 3)));
    for (int i = 0; i < 6; i++) same_bits(value(y) + 3 * i, table + 3 * ids[i], 3, "row");
    int kept[6];
    memcpy(kept, ids, sizeof ids);
    memset(ids, 0, sizeof ids); /* the operation has its own copy */
    backward_from(y, dy);
    for (int v = 0; v < 5; v++)
        for (int k = 0; k < 3; k++) {
            tl_real sum = 0;
            for (int i = 0; i < 6; i++)
                if (kept[i] == v) sum += dy[3 * i + k];
            ck_assert(grad(w)[3 * v + k] == sum);
        }
}
END_TEST

START_TEST(embedding_errors_name_position_id_and_size) {
    tl_real table[15] = {0};
    fails(tl_embedding(variable(table, TL_SHAPE(5, 3)), (const int[]){0, 4, 5, 1}, TL_SHAPE(2, 2)),
          "embedding: id 5 at position 2 of [2,2] is outside 0 … 4 (V = 5)");
    fails(tl_embedding(variable(table, TL_SHAPE(5, 3)), (const int[]){-1}, TL_SHAPE(1)),
          "embedding: id -1 at position 0");
    fails(tl_embedding(variable(table, TL_SHAPE(15)), (const int[]){0}, TL_SHAPE(1)),
          "embedding: weight [15] is not [V,D]");
}
END_TEST

/* ---- cross_entropy ---- */

START_TEST(cross_entropy_is_right) {
    enum { N = 7, V = 19 };
    tl_real x[N * V];
    const int targets[N] = {3, 18, 5, 0, 5, 7, 11};
    const double smoothings[2] = {0, 0.1};
    for (int way = 0; way < 8; way++) { /* bits: smoothing, ignore 5, a divisor */
        tl_tape_reset(tape);
        fill(x, N * V, 4);
        x[3] = 9; /* row 0 is right */
        long want_correct = 0, want_count = 0;
        double loss = 0, want_nll = 0, s = smoothings[way & 1], d[N * V];
        tl_loss_report found = {-1, -1, -1};
        tl_loss_options o = {
            .label_smoothing = s, .ignore = way & 2, .ignore_id = 5, .divisor = way & 4 ? 2.5 : 0};
        for (int r = 0; r < N; r++) {
            double sum = 0, all = 0;
            int best = 0;
            const bool real = !o.ignore || targets[r] != 5;
            for (int v = 0; v < V; v++) sum += exp((double)x[r * V + v]);
            for (int v = 0; v < V; v++) {
                const double p = exp((double)x[r * V + v]) / sum;
                all -= log(p);
                d[r * V + v] = real ? p - s / V - (v == targets[r] ? 1 - s : 0) : 0;
                if (x[r * V + v] > x[r * V + best]) best = v;
            }
            if (!real) continue;
            want_nll += log(sum) - (double)x[r * V + targets[r]];
            loss += (1 - s) * (log(sum) - (double)x[r * V + targets[r]]) + s * all / V;
            want_count++;
            want_correct += best == targets[r];
        }
        const double divisor = o.divisor > 0 ? o.divisor : (double)want_count;
        tl_var in = variable(x, TL_SHAPE(1, N, V)), y = tl_cross_entropy(in, targets, &o, &found);
        ck_assert(tl_value(y).rank == 0);
        near((double)value(y)[0], loss / divisor, 20, "loss", way);
        near(found.nll, want_nll, 40, "nll", way);
        ck_assert_int_eq(found.count, want_count);
        ck_assert_int_eq(found.correct, want_correct);
        ck_assert(want_correct > 0);
        ck_assert(tl_backward(y));
        for (int i = 0; i < N * V; i++) near((double)grad(in)[i], d[i] / divisor, 1, "dx", i);
        for (int i = 0; i < N * V && o.ignore; i++)
            if (targets[i / V] == 5) ck_assert(is_plus_zero(grad(in)[i]));
    }
}
END_TEST

/* p = 1/8, 2/8, 5/8: loss = 0.7·ln 4 + 0.1·(ln 8 + ln 4 + ln 1.6) */
START_TEST(smoothing_by_hand) {
    tl_real x[6] = {0, (tl_real)0.693147180559945309, (tl_real)1.609437912434100375, 7, 7, 7};
    tl_loss_report found;
    const tl_loss_options o = {.label_smoothing = 0.3, .ignore = true, .ignore_id = -100};
    tl_var in = variable(x, TL_SHAPE(2, 3)), y = tl_cross_entropy(in, (const int[]){1, -100}, &o, &found);
    near((double)value(y)[0], 1.3639800059884695, 1, "loss", 0);
    near(found.nll, 1.3862943611198906, 1, "nll", 0);
    ck_assert(tl_backward(y));
    const double d[6] = {0.025, -0.55, 0.525, 0, 0, 0};
    for (int i = 0; i < 6; i++) near((double)grad(in)[i], d[i], 1, "dx", i);
}
END_TEST

START_TEST(no_real_target_is_loss_zero) {
    tl_real x[12], w[8] = {1, 2, 3, 4, 5, 6, 7, 8}, b[4] = {1, 2, 3, 4};
    const int targets[3] = {9, 9, 9};
    for (int fused = 0; fused < 2; fused++) {
        tl_tape_reset(tape);
        for (int i = 0; i < 12; i++) x[i] = (tl_real)NAN;
        tl_loss_report found = {5, 5, 5};
        const tl_loss_options o = {.ignore = true, .ignore_id = 9, .label_smoothing = 0.1};
        tl_var in = variable(x, fused ? TL_SHAPE(3, 2) : TL_SHAPE(3, 4));
        tl_var weight = variable(w, TL_SHAPE(4, 2)), bias = variable(b, TL_SHAPE(4));
        tl_var y = fused ? tl_linear_cross_entropy(in, weight, bias, targets, &o, &found)
                         : tl_cross_entropy(in, targets, &o, &found);
        ck_assert(is_plus_zero(value(y)[0]) && found.count == 0 && found.correct == 0 && found.nll == 0);
        ck_assert(tl_backward(y));
        for (int i = 0; i < (fused ? 6 : 12); i++) ck_assert(is_plus_zero(grad(in)[i]));
        for (int i = 0; i < 8 && fused; i++) ck_assert(is_plus_zero(grad(weight)[i]));
        for (int i = 0; i < 4 && fused; i++) ck_assert(is_plus_zero(grad(bias)[i]));
    }
}
END_TEST

START_TEST(loss_errors_name_what_is_wrong) {
    tl_real x[12] = {0};
    tl_var a = variable(x, TL_SHAPE(3, 4));
    fails(tl_cross_entropy(a, (const int[]){0, 4, 1}, NULL, NULL),
          "cross_entropy: target 4 at position 1 is outside 0 … 3 (V = 4); to leave padding out, set ignore");
    a = variable(x, TL_SHAPE(3, 4));
    fails(tl_cross_entropy(a, (const int[]){0, 3, -1}, &(tl_loss_options){.ignore = true, .ignore_id = 3},
                           NULL),
          "cross_entropy: target -1 at position 2 is outside 0 … 3 (V = 4)");
    a = variable(x, TL_SHAPE(3, 4));
    fails(tl_cross_entropy(a, (const int[]){0, 0, 0}, &(tl_loss_options){.label_smoothing = 1}, NULL),
          "cross_entropy: label_smoothing is 1, should be in [0, 1)");
    a = variable(x, TL_SHAPE(3, 4));
    fails(tl_cross_entropy(a, (const int[]){0, 0, 0}, &(tl_loss_options){.divisor = -2}, NULL),
          "cross_entropy: divisor is -2");
    a = variable(x, TL_SHAPE(3, 4));
    fails(tl_linear_cross_entropy(a, variable(x, TL_SHAPE(4, 3)), TL_NO_VAR, (const int[]){0, 0, 0}, NULL,
                                  NULL),
          "linear_cross_entropy: x [3,4], w [4,3]: should be [...,D] and [V,D]");
    a = variable(x, TL_SHAPE(3, 4));
    fails(tl_linear_cross_entropy(a, variable(x, TL_SHAPE(2, 4)), variable(x, TL_SHAPE(3)),
                                  (const int[]){0, 0, 0}, NULL, NULL),
          "linear_cross_entropy: w [2,4], bias [3]: should be [V,D] and [V]");
}
END_TEST

/* ---- linear_cross_entropy: the bits of linear and cross_entropy ---- */

typedef struct outcome {
    tl_real loss, *dx, *dw, *db;
    tl_loss_report found;
} outcome;

typedef struct problem {
    long rows, classes, width;
    tl_real *x, *w, *b;
    int *targets;
    bool bias, ignore, by_tokens;
} problem;

static problem problem_of(long rows, long classes, long width) {
    problem p = {.rows = rows, .classes = classes, .width = width};
    p.x = malloc((size_t)(rows * width) * sizeof *p.x);
    p.w = malloc((size_t)(classes * width) * sizeof *p.w);
    p.b = malloc((size_t)classes * sizeof *p.b);
    p.targets = malloc((size_t)rows * sizeof *p.targets);
    fill(p.x, rows * width, 2);
    fill(p.w, classes * width, 1);
    fill(p.b, classes, 1);
    for (long r = 0; r < rows; r++) p.targets[r] = (int)(uniform() * (double)classes);
    for (long r = 0; r < rows; r += 5) p.targets[r] = 1; /* the one that may be ignored */
    return p;
}
static void problem_free(problem *p) {
    free(p->x);
    free(p->w);
    free(p->b);
    free(p->targets);
}

static tl_real *copy_of(tl_tensor t) {
    ck_assert(t.data && tl_is_contiguous(t));
    tl_real *copy = malloc((size_t)tl_numel(t) * sizeof *copy);
    memcpy(copy, t.data, (size_t)tl_numel(t) * sizeof *copy);
    return copy;
}

static outcome solve(const problem *p, bool fused, bool want_grad) {
    tl_tape_reset(tape);
    tl_tape_set_grad(tape, want_grad);
    outcome o = {0};
    tl_loss_options options = {
        .label_smoothing = 0.1, .ignore = p->ignore, .ignore_id = 1, .divisor = p->by_tokens ? 0 : 37};
    tl_var x = variable(p->x, TL_SHAPE(p->rows / 2, 2, p->width)),
           w = variable(p->w, TL_SHAPE(p->classes, p->width));
    tl_var b = p->bias ? variable(p->b, TL_SHAPE(p->classes)) : TL_NO_VAR;
    tl_var y = fused ? tl_linear_cross_entropy(x, w, b, p->targets, &options, &o.found)
                     : tl_cross_entropy(tl_linear(x, w, b), p->targets, &options, &o.found);
    o.loss = value(y)[0];
    if (want_grad) {
        ck_assert(tl_backward(y));
        o.dx = copy_of(tl_grad(x));
        o.dw = copy_of(tl_grad(w));
        if (p->bias) o.db = copy_of(tl_grad(b));
    }
    return o;
}
static void outcome_free(outcome *o) {
    free(o->dx);
    free(o->dw);
    free(o->db);
}

static void same_outcome(const problem *p, const outcome *a, const outcome *b, const char *what) {
    same_bits(&a->loss, &b->loss, 1, what);
    ck_assert(a->found.count == b->found.count && a->found.correct == b->found.correct &&
              memcmp(&a->found.nll, &b->found.nll, sizeof a->found.nll) == 0);
    if (!a->dx || !b->dx) return;
    same_bits(a->dx, b->dx, p->rows * p->width, "dx");
    same_bits(a->dw, b->dw, p->classes * p->width, "dw");
    if (p->bias) same_bits(a->db, b->db, p->classes, "dbias");
}

START_TEST(fused_has_the_bits_of_the_two) {
    sum_in_chains();
    const long sizes[][3] = {{2, 3, 1}, {38, 50, 16}, {250, 9001, 5}}; /* the last takes several blocks */
    for (int s = 0; s < 3; s++)
        for (int way = 0; way < 4; way++) {
            problem p = problem_of(sizes[s][0], sizes[s][1], sizes[s][2]);
            p.bias = way & 1;
            p.ignore = way & 2;
            p.by_tokens = way != 2;
            outcome two = solve(&p, false, true), one = solve(&p, true, true), eval = solve(&p, true, false);
            same_outcome(&p, &two, &one, "fused");
            same_outcome(&p, &two, &eval, "without gradients");
            ck_assert(one.found.count == (p.ignore ? p.rows - (p.rows + 4) / 5 : p.rows) || s == 0 ||
                      p.classes < 9000);
            outcome_free(&two);
            outcome_free(&one);
            problem_free(&p);
        }
}
END_TEST

START_TEST(losses_by_any_number_of_threads) {
    const int threads[] = {1, 2, 3, 5};
    problem p = problem_of(200, 3000, 12);
    p.bias = p.ignore = true;
    outcome first[2] = {{0}};
    for (int t = 0; t < 4; t++) {
        tl_set_threads(threads[t]);
        for (int fused = 0; fused < 2; fused++) {
            outcome o = solve(&p, fused, true);
            if (t == 0) {
                first[fused] = o;
                continue;
            }
            same_outcome(&p, &first[fused], &o, "threads");
            outcome_free(&o);
        }
    }
    outcome_free(&first[0]);
    outcome_free(&first[1]);
    problem_free(&p);
}
END_TEST

/* Ignored rows take no part in the products: even NaN there changes neither the loss nor a gradient. */
START_TEST(ignored_rows_do_not_poison) {
    problem p = problem_of(40, 30, 8);
    p.bias = p.ignore = true;
    outcome clean = solve(&p, true, true);
    for (long r = 0; r < p.rows; r++)
        if (p.targets[r] == 1) p.x[r * p.width + 3] = (tl_real)NAN;
    outcome poisoned = solve(&p, true, true);
    same_outcome(&p, &clean, &poisoned, "poisoned");
    for (long i = 0; i < p.width; i++) ck_assert(is_plus_zero(poisoned.dx[i])); /* row 0 is ignored */
    outcome_free(&clean);
    outcome_free(&poisoned);
    problem_free(&p);
}
END_TEST

START_TEST(the_fused_gradient_follows_dy) {
    problem p = problem_of(10, 12, 6);
    p.bias = true;
    outcome one = solve(&p, true, true);
    tl_tape_reset(tape);
    tl_var x = variable(p.x, TL_SHAPE(10, 6)), w = variable(p.w, TL_SHAPE(12, 6)),
           b = variable(p.b, TL_SHAPE(12));
    tl_var y = tl_linear_cross_entropy(x, w, b, p.targets,
                                       &(tl_loss_options){.label_smoothing = 0.1, .divisor = 37}, NULL);
    ck_assert(tl_backward(tl_scale(y, -2)));
    for (long i = 0; i < 60; i++) ck_assert(grad(x)[i] == -2 * one.dx[i]);
    for (long i = 0; i < 72; i++) ck_assert(grad(w)[i] == -2 * one.dw[i]);
    for (long i = 0; i < 12; i++) ck_assert(grad(b)[i] == -2 * one.db[i]);
    outcome_free(&one);
    problem_free(&p);
}
END_TEST

START_TEST(a_step_of_sizes_seen_before_allocates_nothing) {
    problem p = problem_of(60, 500, 8);
    p.bias = p.ignore = true;
    long before = 0;
    for (int step = 0; step < 4; step++) {
        outcome o = solve(&p, true, true);
        outcome_free(&o);
        if (step == 1) before = tl_tape_stats_of(tape).allocations;
    }
    ck_assert_int_eq((int)tl_tape_stats_of(tape).allocations, (int)before);
    problem_free(&p);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, any_axis);
    tcase_add_test(tc, a_turned_tensor_gives_the_same_bits);
    tcase_add_test(tc, wrong_axes_are_named);
    tcase_add_test(tc, lengths_and_causal);
    tcase_add_test(tc, arrays_broadcast_over_any_axes);
    tcase_add_test(tc, an_empty_row_or_head_is_zeros_and_changes_no_other);
    tcase_add_test(tc, alone_as_in_a_padded_batch);
    tcase_add_test(tc, the_masks_arrays_are_copied);
    tcase_add_test(tc, mask_errors_name_what_is_wrong);
    tcase_add_test(tc, norms_are_right);
    tcase_add_test(tc, norm_errors_name_the_shapes);
    tcase_add_test(tc, embedding_gathers_and_scatters);
    tcase_add_test(tc, embedding_errors_name_position_id_and_size);
    tcase_add_test(tc, cross_entropy_is_right);
    tcase_add_test(tc, smoothing_by_hand);
    tcase_add_test(tc, no_real_target_is_loss_zero);
    tcase_add_test(tc, loss_errors_name_what_is_wrong);
    tcase_add_test(tc, fused_has_the_bits_of_the_two);
    tcase_add_test(tc, losses_by_any_number_of_threads);
    tcase_add_test(tc, ignored_rows_do_not_poison);
    tcase_add_test(tc, the_fused_gradient_follows_dy);
    tcase_add_test(tc, a_step_of_sizes_seen_before_allocates_nothing);
}
TL_TEST_MAIN("autograd: softmax, norms, losses")
