/* Sums in shares have the bits of chains that are computed one by one and added by hand, in order. */
#include "check.h"

#include <tapeloom.h>

/* Gradients whose sum depends on the order of adding, because of rounding: of sum(w ∘ x_m) for micro-batch m, with x_m
 * of very different sizes. Only every third micro-batch uses `rare`, none uses `never`; `cold` is frozen. */
enum { N = 37, MICRO = 7 };

typedef struct bench {
    tl_params *params;
    tl_param *w, *rare, *never, *cold;
    tl_tape *tape;
} bench;

static bench begin(void) {
    bench b = {.params = tl_params_new(7), .tape = tl_tape_new()};
    const tl_init init = {.kind = TL_INIT_NORMAL, .scale = 1};
    b.w = tl_params_add(b.params, "w", TL_SHAPE(N), init);
    b.rare = tl_params_add(b.params, "rare", TL_SHAPE(N), init);
    b.never = tl_params_add(b.params, "never", TL_SHAPE(N), init);
    b.cold = tl_params_add(b.params, "cold", TL_SHAPE(N), init);
    tl_freeze(b.params, "cold", true);
    return b;
}

static void end(bench *b) {
    tl_tape_free(b->tape);
    tl_params_free(b->params);
}

static tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }

static void go_backward(bench *b, long m) {
    tl_real data[N];
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(3, "x"), (uint64_t)m);
    for (int i = 0; i < N; i++)
        data[i] = (tl_real)(tl_rng_normal(key, (uint64_t)i) * pow(10, (double)(m * 5 % 7)));
    tl_tape_reset(b->tape);
    tl_var x = tl_constant(b->tape, tl_tensor_of(data, TL_SHAPE(N)));
    tl_var y = total(tl_mul(tl_add(tl_use(b->tape, b->w), tl_use(b->tape, b->cold)), x));
    if (m % 3 == 1) y = tl_add(y, total(tl_mul(tl_use(b->tape, b->rare), x)));
    ck_assert_msg(tl_backward(y), "%s", tl_tape_error(b->tape));
}

/* An update of `micro` micro-batches; `count` is the number of a full update. */
static void update(bench *b, tl_shares *sums, long micro, long count, long shares) {
    tl_zero_grad(b->params);
    for (long m = 0; m < micro; m++) {
        if (m && tl_shares_of(m, count, shares) != tl_shares_of(m - 1, count, shares))
            ck_assert(tl_shares_close(sums));
        go_backward(b, m);
    }
    ck_assert_msg(tl_shares_sum(sums), "%s", tl_shares_error(sums));
}

/* By hand: adds one share's chain, computed alone, to `sum`. Returns whether the parameter was reached. */
static bool add_chain(bench *b, tl_param *p, long from, long to, tl_real sum[N], bool before) {
    tl_zero_grad(b->params);
    for (long m = from; m < to; m++) go_backward(b, m);
    if (from == to || !p->leaf.reached) return before;
    for (int i = 0; i < N; i++) sum[i] = before ? sum[i] + p->leaf.grad[i] : p->leaf.grad[i];
    return true;
}

static bool by_hand(bench *b, tl_param *p, long micro, long count, long shares, tl_real sum[N]) {
    bool reached = false;
    for (long s = 0, from = 0; s < shares; s++) {
        long to = from;
        while (to < micro && to * shares / count == s) to++;
        reached = add_chain(b, p, from, to, sum, reached);
        from = to;
    }
    return reached;
}

static bool same(const tl_real *a, const tl_real *b) { return !memcmp(a, b, N * sizeof *a); }

START_TEST(sums_are_those_by_hand) {
    bench b = begin();
    tl_shares *sums = tl_shares_new(b.params);
    const long shares = _i % MICRO + 1, micro = _i / MICRO + 1; /* short updates too: fewer than MICRO */
    tl_real want[2][N];
    ck_assert(by_hand(&b, b.w, micro, MICRO, shares, want[0]));
    const bool rare = by_hand(&b, b.rare, micro, MICRO, shares, want[1]);
    ck_assert(rare == (micro > 1));
    for (int again = 0; again < 2; again++) { /* the second update does not depend on the first */
        update(&b, sums, micro, MICRO, shares);
        ck_assert(same(b.w->leaf.grad, want[0]));
        ck_assert(b.rare->leaf.reached == rare && (!rare || same(b.rare->leaf.grad, want[1])));
        ck_assert(b.w->leaf.reached && !b.never->leaf.reached && !b.cold->leaf.reached);
    }
    tl_shares_free(sums);
    end(&b);
}
END_TEST

/* Shows that the test above can fail: one share is the usual chain, and differs from the sum of several shares. */
START_TEST(one_share_is_one_chain) {
    bench b = begin();
    tl_shares *sums = tl_shares_new(b.params);
    tl_real chain[N];
    tl_zero_grad(b.params);
    for (long m = 0; m < MICRO; m++) go_backward(&b, m);
    memcpy(chain, b.w->leaf.grad, sizeof chain);
    update(&b, sums, MICRO, MICRO, 1);
    ck_assert(same(b.w->leaf.grad, chain));
    for (long shares = 2; shares < MICRO - 1; shares++) { /* six: a first of two, which is the chain again */
        update(&b, sums, MICRO, MICRO, shares);
        ck_assert_msg(!same(b.w->leaf.grad, chain), "%ld shares", shares);
    }
    update(&b, sums, MICRO, MICRO, MICRO); /* a share each: the chain's additions, in its order */
    ck_assert(same(b.w->leaf.grad, chain));
    tl_shares_free(sums);
    end(&b);
}
END_TEST

/* -0 stays -0: nothing is added where a share does not reach a parameter. */
START_TEST(nothing_is_not_zero) {
    tl_params *params = tl_params_new(1);
    tl_param *p = tl_params_add(params, "p", TL_SHAPE(1), (tl_init){.kind = TL_INIT_ONES});
    tl_shares *sums = tl_shares_new(params);
    for (int first = 0; first < 2; first++) {
        p->leaf.grad[0] = -(tl_real)0;
        p->leaf.reached = first == 0;
        ck_assert(tl_shares_close(sums));
        p->leaf.reached = first == 1;
        if (first) p->leaf.grad[0] = -(tl_real)0;
        ck_assert(tl_shares_sum(sums) && p->leaf.reached && signbit(p->leaf.grad[0]));
    }
    p->leaf.reached = true;
    ck_assert(tl_shares_close(sums));
    tl_shares_begin(sums); /* that update is abandoned */
    ck_assert(!p->leaf.reached && tl_shares_sum(sums) && !p->leaf.reached);
    tl_shares_free(sums);
    tl_params_free(params);
}
END_TEST

START_TEST(which_share) {
    static const long five[] = {0, 0, 0, 1, 1}, seven[] = {0, 0, 0, 1, 1, 2, 2};
    for (long m = 0; m < 5; m++) ck_assert_int_eq(tl_shares_of(m, 5, 2), five[m]);
    for (long m = 0; m < 7; m++) ck_assert_int_eq(tl_shares_of(m, 7, 3), seven[m]);
    for (long m = 0; m < 9; m++) {
        ck_assert_int_eq(tl_shares_of(m, 9, 9), m);
        ck_assert_int_eq(tl_shares_of(m, 9, 1), 0);
    }
    ck_assert_int_eq(tl_shares_of(2147483646, 2147483647, 2147483647), 2147483646);
    static const long wrong[][3] = {{-1, 5, 2}, {5, 5, 2}, {0, 0, 1}, {0, 5, 0}, {0, 5, -1}, {0, 5, 6}};
    for (int i = 0; i < 6; i++) ck_assert_int_eq(tl_shares_of(wrong[i][0], wrong[i][1], wrong[i][2]), -1);
}
END_TEST

/* Parameters that are added later are summed like the others. */
START_TEST(sets_that_grow) {
    bench b = begin();
    tl_shares *sums = tl_shares_new(b.params);
    update(&b, sums, 3, 3, 3);
    tl_param *late = tl_params_add(b.params, "late", TL_SHAPE(2), (tl_init){.kind = TL_INIT_ONES});
    tl_zero_grad(b.params);
    for (int share = 0; share < 3; share++) {
        if (share) ck_assert(tl_shares_close(sums));
        late->leaf.grad[0] = late->leaf.grad[1] = (tl_real)(share + 1);
        late->leaf.reached = true;
    }
    ck_assert(tl_shares_sum(sums) && late->leaf.grad[1] == 6);
    tl_shares_free(sums);
    end(&b);
}
END_TEST

START_TEST(what_is_not_there) {
    tl_shares_free(NULL);
    tl_shares_begin(NULL);
    ck_assert(!tl_shares_close(NULL) && !tl_shares_sum(NULL));
    assert_contains(tl_shares_error(NULL), "out of memory");
    tl_params *params = tl_params_new(1);
    tl_params_add(params, "p", TL_SHAPE(0), (tl_init){.kind = TL_INIT_ONES});
    tl_shares *sums = tl_shares_new(params);
    assert_contains(tl_shares_error(sums), "shares: params: \"p\"");
    ck_assert(!tl_shares_close(sums) && !tl_shares_sum(sums));
    tl_shares_free(sums);
    sums = tl_shares_new(NULL);
    assert_contains(tl_shares_error(sums), "shares: params: out of memory");
    tl_shares_free(sums);
    tl_params_free(params);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, sums_are_those_by_hand, 0, MICRO * MICRO);
    tcase_add_test(tc, one_share_is_one_chain);
    tcase_add_test(tc, nothing_is_not_zero);
    tcase_add_test(tc, which_share);
    tcase_add_test(tc, sets_that_grow);
    tcase_add_test(tc, what_is_not_there);
}

TL_TEST_MAIN("optim: sums in shares")
