/* Optimiser updates: against plain code in long double, against PyTorch's own numbers, over pieces, instruction sets
 * and threads. */
#include "numbers.h"
#include "tensor/kernels/kernels.h"
#include "tensor/update.h"

enum { N = 301, STEPS = 6 };

extern const tl_update_kernels tl_update_kernels_base;
#if defined(__x86_64__)
extern const tl_update_kernels tl_update_kernels_avx2, tl_update_kernels_avx512;
#endif

static int tables(const tl_update_kernels *out[3]) {
    int count = 0;
    out[count++] = &tl_update_kernels_base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        out[count++] = &tl_update_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        out[count++] = &tl_update_kernels_avx512;
#endif
    return count;
}

/* ---- against plain code ---- */

START_TEST(sgd_follows_its_formula) {
    for (int way = 0; way < 8; way++) { /* bits: momentum, nesterov, decay */
        tl_sgd_update u = {.lr = 0.1,
                           .momentum = way & 1 ? 0.9 : 0,
                           .nesterov = way & 2,
                           .decay = way & 4 ? 0.05 : 0,
                           .grad_scale = 0.5};
        tl_real p[N], b[N] = {0}, g[N];
        wide q[N], c[N] = {0};
        fill(p, N, 1);
        for (int i = 0; i < N; i++) q[i] = p[i];
        for (int step = 0; step < STEPS; step++) {
            fill(g, N, 2);
            tl_update_sgd(p, u.momentum != 0 ? b : NULL, g, N, &u);
            for (int i = 0; i < N; i++) {
                wide d = 0.5L * (wide)g[i] + (wide)u.decay * q[i];
                c[i] = (wide)u.momentum * c[i] + d;
                if (u.momentum != 0) d = u.nesterov ? d + (wide)u.momentum * c[i] : c[i];
                q[i] -= 0.1L * d;
            }
        }
        for (size_t i = 0; i < N; i++) near(p[i], q[i], 2, 8, "p", i);
        for (size_t i = 0; i < N && u.momentum != 0; i++) near(b[i], c[i], 4, 8, "momentum", i);
    }
}
END_TEST

START_TEST(adam_follows_its_formula) {
    for (int way = 0; way < 6; way++) { /* no decay, Adam's, AdamW's; beta1 above and below a half */
        tl_adam_update u = {.lr = 0.01,
                            .beta1 = way < 3 ? 0.9 : 0.3,
                            .beta2 = 0.98,
                            .eps = 1e-8,
                            .decay = way % 3 ? 0.1 : 0,
                            .decoupled = way % 3 == 2,
                            .grad_scale = 0.25};
        tl_real p[N], m[N] = {0}, v[N] = {0}, g[N];
        wide q[N], first[N] = {0}, second[N] = {0};
        fill(p, N, 1);
        for (int i = 0; i < N; i++) q[i] = p[i];
        for (int step = 1; step <= STEPS; step++) {
            fill(g, N, 2);
            u.bias1 = 1 - pow(u.beta1, step);
            u.bias2 = 1 - pow(u.beta2, step);
            tl_update_adam_ranges(&(tl_adam_range){p, m, v, g, N, u}, 1);
            for (int i = 0; i < N; i++) {
                wide d = 0.25L * (wide)g[i];
                if (u.decoupled)
                    q[i] *= 1 - (wide)u.lr * (wide)u.decay;
                else
                    d += (wide)u.decay * q[i];
                first[i] = (wide)u.beta1 * first[i] + (1 - (wide)u.beta1) * d;
                second[i] = (wide)u.beta2 * second[i] + (1 - (wide)u.beta2) * d * d;
                q[i] -= (wide)u.lr * (first[i] / (wide)u.bias1) /
                        (sqrtl(second[i] / (wide)u.bias2) + (wide)u.eps);
            }
        }
        for (size_t i = 0; i < N; i++) near(p[i], q[i], 1, 6, "p", i);
        for (size_t i = 0; i < N; i++) near(m[i], first[i], 1, 4, "m", i);
        for (size_t i = 0; i < N; i++) near(v[i], second[i], 1, 4, "v", i);
    }
}
END_TEST

/* ---- PyTorch 2.13's numbers in float64: p0 = [1, -0.5, 0.25], gradients [0.1, -2, 0.003]·step, 3 steps ---- */

static void torch_grad(tl_real g[3], int step) {
    g[0] = (tl_real)(0.1 * step), g[1] = (tl_real)(-2.0 * step), g[2] = (tl_real)(0.003 * step);
}

START_TEST(sgd_gives_pytorchs_numbers) {
    static const double want[2][3] = {{0.8993527889999999, 1.4036428005000003, 0.24574743945000002},
                                      {0.8465500125509999, 2.4123153212295, 0.24362877862755}};
    for (int nesterov = 0; nesterov < 2; nesterov++) {
        tl_sgd_update u = {.lr = 0.1, .momentum = 0.9, .decay = 0.01, .grad_scale = 1, .nesterov = nesterov};
        tl_real p[3] = {1, (tl_real)-0.5, (tl_real)0.25}, b[3] = {0}, g[3];
        for (int step = 1; step <= 3; step++) {
            torch_grad(g, step);
            tl_update_sgd(p, b, g, 3, &u);
        }
        for (size_t i = 0; i < 3; i++) near(p[i], want[nesterov][i], 3, 4, "p", i);
    }
}
END_TEST

START_TEST(adam_gives_pytorchs_numbers) {
    static const double want[2][3] = {{0.9405312907885445, -0.4416407106968137, 0.18995915835126798},
                                      {0.9358267809887832, -0.43882039736012296, 0.19033097656515155}};
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        tl_adam_update u = {.lr = 0.02,
                            .beta1 = 0.9,
                            .beta2 = 0.98,
                            .eps = 1e-6,
                            .decay = 0.1,
                            .grad_scale = 1,
                            .decoupled = decoupled};
        tl_real p[3] = {1, (tl_real)-0.5, (tl_real)0.25}, m[3] = {0}, v[3] = {0}, g[3];
        for (int step = 1; step <= 3; step++) {
            torch_grad(g, step);
            u.bias1 = 1 - pow(u.beta1, step);
            u.bias2 = 1 - pow(u.beta2, step);
            tl_update_adam_ranges(&(tl_adam_range){p, m, v, g, 3, u}, 1);
        }
        for (size_t i = 0; i < 3; i++) near(p[i], want[decoupled][i], 1, 4, "p", i);
    }
}
END_TEST

/* ---- sums of squares ---- */

START_TEST(sum_of_squares_is_summed_in_double) {
    for (long n = 0; n < 9000; n = n * 3 + 1) {
        tl_real *x = malloc((size_t)(n + 1) * sizeof *x);
        fill(x, (size_t)n, 3);
        wide want = 0;
        for (long i = 0; i < n; i++) want += (wide)x[i] * (wide)x[i];
        wide error = fabsl((wide)tl_sum_squares(x, n) - want);
        ck_assert_msg(error <= 1e-14L * want, "n = %ld: off by %Lg of %Lg", n, error, want);
        free(x);
    }
}
END_TEST

START_TEST(a_sum_of_squares_does_not_overflow_float) {
    tl_real x[5] = {(tl_real)1e30, 0, 0, 0, (tl_real)1e30};
    double sum = tl_sum_squares(x, 5);
    ck_assert(fabs(sum - 2e60) < 1e54);
    x[2] = (tl_real)NAN;
    ck_assert(isnan(tl_sum_squares(x, 5)));
}
END_TEST

/* ---- the same bits everywhere ---- */

static void run_all(const tl_update_kernels *k, long from, long to, tl_real out[5][N], double *sum) {
    tl_real g[N];
    state = 77;
    for (int i = 0; i < 5; i++) fill(out[i], N, 1);
    for (int i = 0; i < N; i++) out[4][i] = (tl_real)fabs((double)out[4][i]);
    fill(g, N, 1);
    tl_sgd_update s = {.lr = 0.1, .momentum = 0.9, .nesterov = true, .decay = 0.01, .grad_scale = 0.7};
    tl_adam_update a = {.lr = 0.1,
                        .beta1 = 0.9,
                        .beta2 = 0.98,
                        .eps = 1e-9,
                        .decay = 0.01,
                        .bias1 = 0.1,
                        .bias2 = 0.02,
                        .grad_scale = 0.7};
    k->sgd(out[0] + from, out[1] + from, g + from, to - from, &s);
    k->adam(out[2] + from, out[3] + from, out[4] + from, g + from, to - from, &a);
    *sum = k->sum_squares(g, N);
}

START_TEST(every_instruction_set_gives_the_same_bits) {
    const tl_update_kernels *t[3];
    const int count = tables(t);
    if (count < 2) TL_SKIP("one instruction set only");
    tl_real one[5][N], other[5][N];
    double sum, other_sum;
    run_all(t[0], 0, N, one, &sum);
    for (int i = 1; i < count; i++) {
        run_all(t[i], 0, N, other, &other_sum);
        ck_assert(memcmp(one, other, sizeof one) == 0);
        ck_assert(memcmp(&sum, &other_sum, sizeof sum) == 0);
    }
}
END_TEST

START_TEST(a_piece_gives_the_bits_of_the_whole) {
    const tl_update_kernels *t[3];
    const tl_update_kernels *k = t[tables(t) - 1];
    tl_real whole[5][N], piece[5][N];
    double sum;
    run_all(k, 0, N, whole, &sum);
    for (long from = 0; from < 40; from++) {
        long to = N - from / 2;
        run_all(k, from, to, piece, &sum);
        for (int i = 0; i < 5; i++)
            ck_assert(memcmp(whole[i] + from, piece[i] + from, (size_t)(to - from) * sizeof(tl_real)) == 0);
        ck_assert(from == 0 || piece[0][from - 1] != whole[0][from - 1]); /* nothing before it has changed */
    }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits) {
    enum { MANY = 300007 }; /* of five arrays; more numbers than tl_sum_squares's smallest pieces hold */
    const int threads[] = {1, 2, 3, 5};
    tl_real *one = malloc(5 * MANY * sizeof *one), *other = malloc(5 * MANY * sizeof *other);
    double sum[2];
    for (int t = 0; t < 4; t++) {
        tl_real *x = t ? other : one;
        tl_set_threads(threads[t]);
        state = 5;
        fill(x, 5 * MANY, 1);
        for (int i = 0; i < MANY; i++) x[3 * MANY + i] *= x[3 * MANY + i];
        tl_sgd_update s = {.lr = 0.1, .momentum = 0.9, .grad_scale = 1};
        tl_adam_update a = {.lr = 0.1,
                            .beta1 = 0.9,
                            .beta2 = 0.98,
                            .eps = 1e-9,
                            .bias1 = 0.1,
                            .bias2 = 0.02,
                            .grad_scale = 1};
        tl_update_sgd(x, x + MANY, x + 4 * MANY, MANY, &s);
        tl_update_adam_ranges(&(tl_adam_range){x + MANY, x + 2 * MANY, x + 3 * MANY, x + 4 * MANY, MANY, a},
                              1);
        sum[t > 0] = tl_sum_squares(x, 5 * MANY);
        if (t == 0) continue;
        ck_assert(memcmp(one, other, 5 * MANY * sizeof *one) == 0);
        ck_assert(memcmp(&sum[0], &sum[1], sizeof sum[0]) == 0);
    }
    free(one);
    free(other);
}
END_TEST

/* ---- moments whose gradients are 0 ---- */

/* m and b below `least` become 0, v below the smallest normal number. */
static const double least = sizeof(tl_real) == 4 ? 0x1p-102 : 0x1p-969;
static const double smallest = sizeof(tl_real) == 4 ? 0x1p-126 : 0x1p-1022;

START_TEST(moments_end_at_zero_and_are_never_denormal) {
    enum { DECAY_STEPS = 5000 };
    const tl_update_kernels *t[3];
    const int count = tables(t);
    static tl_real p[3][N], m[3][N], v[3][N], b[3][N];
    tl_real g[N], q[N];
    /* betas for which even double reaches denormals within DECAY_STEPS; without settling, moments would stop above 0 */
    tl_adam_update a = {
        .lr = 1e-3, .beta1 = 0.7, .beta2 = 0.8, .eps = 1e-9, .bias1 = 1, .bias2 = 1, .grad_scale = 1};
    tl_sgd_update s = {.lr = 0.1, .momentum = 0.8, .grad_scale = 1};
    for (int step = 0; step < DECAY_STEPS; step++) {
        fill(g, N, step ? 0 : 1);
        /* denormal */
        for (int i = 0; i < N && step > 0 && step < 4; i++) g[i] = (tl_real)(smallest / (1 + i));
        for (int k = 0; k < count; k++) {
            if (step == 0) memset(p[k], 0, sizeof p[k]);
            t[k]->adam(p[k], m[k], v[k], g, N, &a);
            memcpy(q, p[k], sizeof q);
            t[k]->sgd(q, b[k], g, N, &s);
            must(!memcmp(p[0], p[k], sizeof g) && !memcmp(m[0], m[k], sizeof g) &&
                 !memcmp(v[0], v[k], sizeof g) && !memcmp(b[0], b[k], sizeof g));
        }
        for (int i = 0; i < N; i++) {
            must(m[0][i] == 0 || fabs((double)m[0][i]) >= least);
            must(b[0][i] == 0 || fabs((double)b[0][i]) >= least);
            must(v[0][i] == 0 || (double)v[0][i] >= smallest);
            if (step == 0) must(m[0][i] != 0 && v[0][i] != 0 && b[0][i] != 0);
        }
    }
    for (int i = 0; i < N; i++) must(m[0][i] == 0 && v[0][i] == 0 && b[0][i] == 0);
}
END_TEST

START_TEST(only_moments_below_the_least_become_zero) {
    const tl_update_kernels *t[3];
    const int count = tables(t);
    const tl_real below = (tl_real)(1 - EPSILON / 2), l = (tl_real)least, w = (tl_real)smallest;
    for (int k = 0; k < count; k++) {
        tl_real p[8] = {0}, g[8] = {0},
                b[8] = {l, -l, l * below, -l * below, 0, (tl_real)NAN, (tl_real)INFINITY, 1};
        tl_real m[8],
            v[8] = {w, 2 * w, w - w * (tl_real)EPSILON, w / 3, 0, (tl_real)NAN, (tl_real)INFINITY, 1};
        memcpy(m, b, sizeof m);
        /* with betas of 1 the moments do not change */
        t[k]->adam(p, m, v, g, 8,
                   &(tl_adam_update){.beta1 = 1, .beta2 = 1, .bias1 = 1, .bias2 = 1, .eps = 1});
        t[k]->sgd(p, b, g, 8, &(tl_sgd_update){.momentum = 1, .grad_scale = 1});
        for (int i = 0; i < 2; i++) {
            const tl_real *x = i ? b : m;
            ck_assert(x[0] == l && x[1] == -l && x[2] == 0 && x[3] == 0 && x[4] == 0);
            ck_assert(isnan(x[5]) && !isfinite(x[6]) && x[7] == 1);
        }
        ck_assert(v[0] == w && v[1] == 2 * w && v[2] == 0 && v[3] == 0 && v[4] == 0);
        ck_assert(isnan(v[5]) && isinf(v[6]) && v[7] == 1);
    }
}
END_TEST

/* v becomes 0 only together with m: with v alone at 0, a small eps would turn a small gradient into a huge step. */
START_TEST(small_gradients_move_as_far_as_large_ones) {
    const tl_update_kernels *t[3];
    const int count = tables(t);
    const double root = sqrt(smallest);
    for (int k = 0; k < count; k++) {
        tl_real p[4] = {0}, m[4] = {0}, v[4] = {0};
        /* their squares are close to the smallest normal number, and below it */
        const tl_real g[4] = {(tl_real)(root * 2), (tl_real)(root / 2), (tl_real)(root / 16), (tl_real)-root};
        for (int step = 1; step <= 3; step++)
            t[k]->adam(p, m, v, g, 4,
                       &(tl_adam_update){.lr = 1,
                                         .beta1 = 0.9,
                                         .beta2 = 0.5,
                                         .eps = root * 1e-9,
                                         .bias1 = 1 - pow(0.9, step),
                                         .bias2 = 1 - pow(0.5, step),
                                         .grad_scale = 1});
        for (int i = 0; i < 4; i++) /* a step is g / sqrt(g²) = ±1, nearly: squares this small round */
            ck_assert_msg(fabs((double)p[i] + (g[i] > 0 ? 3 : -3)) < 1e-2, "element %d is at %g", i,
                          (double)p[i]);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, small_gradients_move_as_far_as_large_ones);
    tcase_add_test(tc, moments_end_at_zero_and_are_never_denormal);
    tcase_add_test(tc, only_moments_below_the_least_become_zero);
    tcase_add_test(tc, sgd_follows_its_formula);
    tcase_add_test(tc, adam_follows_its_formula);
    tcase_add_test(tc, sgd_gives_pytorchs_numbers);
    tcase_add_test(tc, adam_gives_pytorchs_numbers);
    tcase_add_test(tc, sum_of_squares_is_summed_in_double);
    tcase_add_test(tc, a_sum_of_squares_does_not_overflow_float);
    tcase_add_test(tc, every_instruction_set_gives_the_same_bits);
    tcase_add_test(tc, a_piece_gives_the_bits_of_the_whole);
    tcase_add_test(tc, any_number_of_threads_gives_the_same_bits);
}
TL_TEST_MAIN("tensor: update")
