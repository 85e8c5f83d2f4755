/* Every kernel that works on a row (rows.h, norms.h, losses.h, update.h), of every instruction set, against the same
 * formula in long double: lengths around those of vectors and blocks, unaligned operands, operands that end where
 * memory ends (edges.h). */
#define _GNU_SOURCE
#include "edges.h"

typedef void check(const tl_kernels *set, long n, int placement);
static void every_length(check *f, long least) {
    const tl_kernels *set[MOST_SETS];
    open_rooms();
    for (int s = 0, sets = map_sets(set); s < sets; s++)
        for (int l = 0; l < LENGTHS; l++)
            for (int placement = 0; placement < PLACEMENTS && lengths[l] >= least; placement++)
                f(set[s], lengths[l], placement);
}
#define CHECKS(count, table) \
 _Static_assert(sizeof(table) == (count) * sizeof(void (*)(void)), "a kernel is not tested here")
CHECKS(6, tl_row_kernels);
CHECKS(2, tl_norm_kernels);
CHECKS(4, tl_loss_kernels);
CHECKS(3, tl_update_kernels);

static wide wanted[LONGEST];
/* A result that is written or added to; `add` false finds NaN there. */
static tl_real *target(int number, long n, int placement, bool add) {
    return add ? place_random(number, n, placement, -1, 1) : place(number, n, placement);
}
static wide before(int number, long i, bool add) { return add ? (wide)rooms[number].kept[i] : 0; }
static void all_right(int number, long n, double epsilons, const char *what) {
    for (long i = 0; i < n; i++) right(rooms[number].at[i], wanted[i], epsilons, what, n, i);
    untouched_around(number, what);
}

/* ---- rows.h ---- */

static void biased(const tl_kernels *set, long n, int placement) {
    const tl_real *x = place_random(0, n, placement, -2, 2), *bias = place_random(1, n, placement, -2, 2);
    tl_real *y = place(2, n, placement);
    set->rows->biased(y, x, (tl_real)0.3, bias, n);
    for (long i = 0; i < n; i++) wanted[i] = (wide)(tl_real)0.3 * x[i] + bias[i];
    all_right(2, n, 2, "biased");
    untouched(0, "biased"), untouched(1, "biased");
}
START_TEST(a_bias) { every_length(biased, 0); }
END_TEST

static void rotated(const tl_kernels *set, long n, int placement) {
    n -= n % 2;
    for (int k = 0; k < 4; k++) {
        const bool back = k & 1, add = k >> 1;
        const tl_real *x = place_random(0, n, placement, -2, 2);
        tl_real *turns = place_random(1, 2 * n, placement, -1, 1), *y = target(2, n, placement, add);
        for (long i = 0; i < n; i += 2) turns[i + 1] = turns[i], turns[n + i] = -turns[n + i + 1];
        memcpy(rooms[1].kept, turns, (size_t)(2 * n) * sizeof *turns);
        set->rows->rotate(y, x, turns, n, back, add);
        for (long i = 0; i < n; i++) {
            const wide sine = back ? -turns[n + i] : turns[n + i];
            wanted[i] = before(2, i, add) + (wide)x[i] * turns[i] + (wide)x[i ^ 1] * sine;
        }
        all_right(2, n, 4, "rotate");
        untouched(0, "rotate"), untouched(1, "rotate");
    }
}
START_TEST(rotated_pairs) { every_length(rotated, 0); }
END_TEST

/* Masks: all of the row, a part of it, none, more than it; each with and without `attend`, which ends at the end of
 * memory, too. Hidden elements hold NaN. */
static void softmax(const tl_kernels *set, long n, int placement) {
    const long visible[] = {n, n / 2, n - 1, 0, n + 9};
    const tl_real scale = (tl_real)0.7;
    for (int k = 0; k < 10; k++) {
        tl_row_mask mask = {visible[k / 2], NULL};
        const long shown = mask.visible < 0 ? 0 : mask.visible > n ? n : mask.visible;
        tl_real *x = place_random(0, n, placement, -4, 4);
        if (k % 2) {
            place(3, (shown + (long)sizeof(tl_real) - 1) / (long)sizeof(tl_real), 0);
            uint8_t *attend = (uint8_t *)(rooms[3].from + ROOM) - shown;
            for (long i = 0; i < shown; i++)
                attend[i] = i % 5 == 1 ? 0 : (uint8_t)(i + 1) ? (uint8_t)(i + 1) : 1;
            mask.attend = attend;
        }
#define SHOWN(i) ((i) < shown && (!mask.attend || mask.attend[i]))
        wide sum = 0;
        for (long i = 0; i < n; i++) {
            if (!SHOWN(i)) x[i] = (tl_real)NAN;
            sum += wanted[i] = SHOWN(i) ? expl(x[i] * (wide)scale) : 0;
        }
        if (n) memcpy(rooms[0].kept, x, (size_t)n * sizeof *x);
        for (long i = 0; i < n && sum > 0; i++) wanted[i] /= sum;
        tl_real *y = place(1, n, placement);
        set->rows->softmax(y, x, scale, n, mask);
        all_right(1, n, 8, "softmax");
        untouched(0, "softmax");
        set->rows->softmax(x, x, scale, n, mask); /* in place */
        for (long i = 0; i < n; i++) must(memcmp(&x[i], &y[i], sizeof *x) == 0);
        untouched_around(0, "softmax in place");

        if (n) memcpy(rooms[1].kept, y, (size_t)n * sizeof *y);
        for (int add = 0; add < 2; add++) {
            tl_real *dy = place_random(0, n, placement, -1, 1), *dx = target(2, n, placement, add);
            for (long i = 0; i < n; i++)
                if (!SHOWN(i)) rooms[0].kept[i] = dy[i] = (tl_real)NAN;
            wide dot = 0;
            for (long i = 0; i < n; i++) dot += SHOWN(i) ? (wide)y[i] * dy[i] : 0;
            for (long i = 0; i < n; i++)
                wanted[i] = before(2, i, add) + (SHOWN(i) ? scale * (wide)y[i] * (dy[i] - dot) : 0);
            set->rows->softmax_backward(dx, y, dy, scale, n, mask, add);
            all_right(2, n, 8, "softmax_backward");
            untouched(0, "softmax_backward"), untouched(1, "softmax_backward");
        }
#undef SHOWN
    }
}
START_TEST(softmax_of_what_is_shown) { every_length(softmax, 0); }
END_TEST

static void log_softmax(const tl_kernels *set, long n, int placement) {
    const tl_real *x = place_random(0, n, placement, -4, 4);
    tl_real *y = place(1, n, placement);
    wide sum = 0;
    for (long i = 0; i < n; i++) sum += expl(x[i]);
    for (long i = 0; i < n; i++) wanted[i] = x[i] - logl(sum);
    set->rows->log_softmax(y, x, n);
    all_right(1, n, 4, "log_softmax");
    untouched(0, "log_softmax");
    if (n) memcpy(rooms[1].kept, y, (size_t)n * sizeof *y);
    for (int add = 0; add < 2; add++) {
        const tl_real *dy = place_random(0, n, placement, -1, 1);
        tl_real *dx = target(2, n, placement, add);
        sum = 0;
        for (long i = 0; i < n; i++) sum += dy[i];
        for (long i = 0; i < n; i++) wanted[i] = before(2, i, add) + dy[i] - expl(y[i]) * sum;
        set->rows->log_softmax_backward(dx, y, dy, n, add);
        all_right(2, n, 16, "log_softmax_backward");
        untouched(0, "log_softmax_backward"), untouched(1, "log_softmax_backward");
    }
}
START_TEST(log_softmax_and_back) { every_length(log_softmax, 1); }
END_TEST

/* ---- norms.h ---- */

/* `k` says which of gamma and beta are given, and which results are wanted. */
static void norm(const tl_kernels *set, long n, int placement, bool centred, int k) {
    const double eps = 1e-2; /* the rows of one element have no variance */
    const bool add = k & 1;
    const char *what = centred ? "layer_norm" : "rms_norm";
    const tl_real *x = place_random(0, n, placement, -1, 2),
                  *gamma = k & 2 ? place_random(1, n, placement, 0.5, 2) : NULL,
                  *beta = k & 4 && centred ? place_random(2, n, placement, -1, 1) : NULL;
    tl_real *y = place(3, n, placement), *mean = place(4, 1, placement), *rstd = place(5, 1, placement);
    wide m = 0, square = 0;
    for (long i = 0; i < n && centred; i++) m += (wide)x[i] / n;
    for (long i = 0; i < n; i++) square += (x[i] - m) * (x[i] - m) / n;
    const wide r = 1 / sqrtl(square + (wide)eps);
    for (long i = 0; i < n; i++) wanted[i] = (x[i] - m) * r * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0);
    set->norms->norm(y, x, gamma, beta, n, eps, centred ? mean : NULL, rstd);
    if (!centred) *mean = 0;
    right(*mean, m, 8, "mean", n, 0), right(*rstd, r, 16, "rstd", n, 0);
    for (long i = 0; i < n; i++) right(y[i], wanted[i], 24, what, n, i);
    for (int room = 3; room < 6; room++) untouched_around(room, what);
    untouched(0, what);
    if (gamma) untouched(1, what);
    if (beta) untouched(2, what);

    const tl_real mean_given = *mean;
    const wide m_given = mean_given, r_given = *rstd;
    const tl_real *dy = place_random(2, n, placement, -1, 1);
    tl_real *dx = k & 8 ? NULL : target(3, n, placement, add),
            *dgamma = k & 2 ? place_random(4, n, placement, -1, 1) : NULL,
            *dbeta = k & 4 && centred ? place_random(5, n, placement, -1, 1) : NULL;
    wide average_g = 0, average_gh = 0;
    for (long i = 0; i < n; i++) {
        const wide g = dy[i] * (gamma ? (wide)gamma[i] : 1), h = (x[i] - m_given) * r_given;
        average_g += centred ? g / n : 0, average_gh += g * h / n;
    }
    set->norms->norm_backward(dx, dgamma, dbeta, x, dy, gamma, n, centred ? &mean_given : NULL,
                              (tl_real)r_given, add);
    for (long i = 0; i < n; i++) {
        const wide g = dy[i] * (gamma ? (wide)gamma[i] : 1), h = (x[i] - m_given) * r_given;
        if (dx) right(dx[i], before(3, i, add) + r_given * (g - average_g - h * average_gh), 64, what, n, i);
        if (dgamma) right(dgamma[i], rooms[4].kept[i] + dy[i] * h, 16, what, n, i);
        if (dbeta) right(dbeta[i], (wide)rooms[5].kept[i] + dy[i], 1, what, n, i);
    }
    untouched(0, what), untouched(2, what);
    if (gamma) untouched(1, what);
    if (dx) untouched_around(3, what);
    if (dgamma) untouched_around(4, what);
    if (dbeta) untouched_around(5, what);
}
static void norms(const tl_kernels *set, long n, int placement) {
    for (int k = 0; k < 16; k++) norm(set, n, placement, true, k), norm(set, n, placement, false, k);
}
START_TEST(norms_and_back) { every_length(norms, 1); }
END_TEST

/* ---- losses.h ---- */

static void loss(const tl_kernels *set, long n, int placement, long at, double smoothing, bool weighted) {
    const char *what = weighted ? "weighted cross_entropy" : "cross_entropy";
    const tl_loss_kernels *f = set->losses;
    const tl_real *x = place_random(0, n, placement, -4, 4), *w = place_random(1, n, placement, 0, 2);
    tl_real *e = place(2, n, placement);
    tl_class_weights weights = {weighted ? w : NULL, 0};
    wide sum = 0, sum_w = 0, all = 0;
    tl_real max = -(tl_real)INFINITY;
    for (long i = 0; i < n; i++) {
        weights.sum += (double)w[i];
        sum_w += weighted ? w[i] : 1;
        sum += expl(x[i]);
        if (x[i] > max) max = x[i];
    }
    for (long i = 0; i < n; i++) all += (weighted ? w[i] : 1) * (logl(sum) - x[i]) / n;
    const wide of_target = (1 - (wide)smoothing) * (weighted ? w[at] : 1), nll = logl(sum) - x[at];
    const tl_row_loss alone = f->cross_entropy(x, n, at, smoothing, weights, NULL);
    const tl_row_loss r = f->cross_entropy(x, n, at, smoothing, weights, e);
    must(r.loss == alone.loss && r.nll == alone.nll);
    right((tl_real)r.nll, nll, 8, "nll", n, at);
    right((tl_real)r.loss, of_target * nll + (wide)smoothing * all, 16, what, n, at);
    must(r.softmax.max == max && r.correct == (x[at] == max));
    right((tl_real)((double)r.softmax.sum / (double)n), sum / expl(max) / n, 8, "sum", n, at);
    for (long i = 0; i < n; i++) right(e[i], expl(x[i] - max), 4, "e", n, i);
    untouched(0, what), untouched(1, what), untouched_around(2, what);

    const double factor = 0.5;
    for (long i = 0; i < n; i++) {
        const wide share = expl(x[i]) / sum, spread = (wide)smoothing / n;
        wanted[i] = factor * (share * (of_target + spread * sum_w) - (i == at ? of_target : 0) -
                              spread * (weighted ? w[i] : 1));
    }
    f->cross_entropy_finish(e, n, at, smoothing, weights, r.softmax, factor);
    all_right(2, n, 8, what);
    for (int add = 0; add < 2; add++) {
        tl_real *dx = target(3, n, placement, add);
        f->cross_entropy_backward(dx, x, n, at, smoothing, weights, r.softmax, factor, add);
        for (long i = 0; i < n; i++) right(dx[i], wanted[i] + before(3, i, add), 8, what, n, i);
        untouched(0, what), untouched(1, what), untouched_around(3, what);
    }
    double arg_max_nll;
    must(x[f->arg_max(x, n, &arg_max_nll)] == max);
    right((tl_real)arg_max_nll, logl(sum) - max, 8, "arg_max", n, at);
    untouched(0, "arg_max");
}
static void losses(const tl_kernels *set, long n, int placement) {
    const long at[] = {0, n / 2, n - 1};
    for (int k = 0; k < 12; k++) loss(set, n, placement, at[k % 3], k / 3 % 2 ? 0.2 : 0, k / 6);
}
START_TEST(losses_and_back) { every_length(losses, 1); }
END_TEST

/* ---- update.h ---- */

static void updates(const tl_kernels *set, long n, int placement) {
    for (int k = 0; k < 6; k++) {
        const tl_sgd_update u = {.lr = 0.5,
                                 .momentum = k / 2 ? 0.875 : 0,
                                 .decay = k % 2 ? 0.25 : 0,
                                 .grad_scale = 0.5,
                                 .nesterov = k / 2 == 2};
        const tl_real *grad = place_random(0, n, placement, -1, 1);
        tl_real *p = place_random(1, n, placement, -1, 1),
                *b = u.momentum != 0 ? place_random(2, n, placement, -1, 1) : NULL;
        set->update->sgd(p, b, grad, n, &u);
        for (long i = 0; i < n; i++) {
            const wide old = rooms[1].kept[i];
            wide g = (wide)u.grad_scale * grad[i] + (wide)u.decay * old;
            if (b) {
                const wide buffer = (wide)u.momentum * rooms[2].kept[i] + g;
                right(b[i], buffer, 4, "sgd's buffer", n, i);
                g = u.nesterov ? g + (wide)u.momentum * buffer : buffer;
            }
            right(p[i], old - (wide)u.lr * g, 4, "sgd", n, i);
        }
        untouched(0, "sgd"), untouched_around(1, "sgd");
        if (b) untouched_around(2, "sgd");
    }
    for (int k = 0; k < 3; k++) {
        const tl_adam_update u = {.lr = 0.125,
                                  .beta1 = 0.875,
                                  .beta2 = 0.75,
                                  .eps = 0.0625,
                                  .decay = k ? 0.25 : 0,
                                  .bias1 = 0.125,
                                  .bias2 = 0.25,
                                  .grad_scale = 0.5,
                                  .decoupled = k == 2};
        const tl_real *grad = place_random(0, n, placement, -1, 1);
        tl_real *p = place_random(1, n, placement, -1, 1), *m = place_random(2, n, placement, -1, 1),
                *v = place_random(3, n, placement, 0, 1);
        set->update->adam(p, m, v, grad, n, &u);
        for (long i = 0; i < n; i++) {
            wide x = rooms[1].kept[i], g = (wide)u.grad_scale * grad[i];
            if (u.decoupled)
                x *= 1 - (wide)u.lr * u.decay;
            else
                g += (wide)u.decay * x;
            const wide first = rooms[2].kept[i] + (1 - (wide)u.beta1) * (g - rooms[2].kept[i]);
            const wide second = (wide)u.beta2 * rooms[3].kept[i] + (1 - (wide)u.beta2) * g * g;
            right(m[i], first, 4, "adam's m", n, i), right(v[i], second, 4, "adam's v", n, i);
            right(p[i],
                  x - u.lr / (wide)u.bias1 * first / (sqrtl(second) / sqrtl((wide)u.bias2) + (wide)u.eps), 24,
                  "adam", n, i);
        }
        untouched(0, "adam");
        for (int room = 1; room < 4; room++) untouched_around(room, "adam");
    }
    const tl_real *x = place_random(0, n, placement, -1, 1);
    wide sum = 0;
    for (long i = 0; i < n; i++) sum += (wide)x[i] * x[i];
    must(fabsl(set->update->sum_squares(x, n) - sum) <= 8 * (wide)DBL_EPSILON * sum);
    untouched(0, "sum_squares");
}
START_TEST(updates_of_parameters) { every_length(updates, 0); }
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_bias);
    tcase_add_test(tc, rotated_pairs);
    tcase_add_test(tc, softmax_of_what_is_shown);
    tcase_add_test(tc, log_softmax_and_back);
    tcase_add_test(tc, norms_and_back);
    tcase_add_test(tc, losses_and_back);
    tcase_add_test(tc, updates_of_parameters);
}
TL_TEST_MAIN("tensor: row kernels at the edges")
