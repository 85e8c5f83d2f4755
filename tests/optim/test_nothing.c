/* Every function of optim.h with NULL or impossible arguments: no optimiser, no set, no options, extreme numbers.
 * Nothing crashes, no parameter moves, and the error says what was wrong. */
#define _POSIX_C_SOURCE 200809L
#include "nothing.h"

#include <tapeloom.h>

#include <limits.h>

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/optim.h", "tests/optim/test_nothing.c");
}
END_TEST

START_TEST(no_optimiser) {
    const tl_group_options options = {0};
    ck_assert(!tl_sgd_step(NULL, 1) && !tl_adam_step(NULL, 1));
    ck_assert(!tl_sgd_set_group(NULL, 0, &options) && !tl_adam_set_group(NULL, 0, &options));
    ck_assert_str_eq(tl_sgd_error(NULL), "sgd: out of memory when it was made");
    ck_assert_str_eq(tl_adam_error(NULL), "adam: out of memory when it was made");
    ck_assert(tl_adam_steps(NULL) == 0 && !tl_adam_state_of(NULL, NULL).steps);
    tl_adam_set_steps(NULL, 3);
    tl_sgd_free(NULL), tl_adam_free(NULL);
    ck_assert_double_eq(tl_clip_grad_norm(NULL, 1), 0);
    tl_scale_grad(NULL, 2);
}
END_TEST

START_TEST(no_set) {
    tl_sgd *sgd = tl_sgd_new(NULL, NULL);
    tl_adam *adam = tl_adam_new(NULL, NULL);
    ck_assert(!tl_sgd_step(sgd, 1) && !tl_adam_step(adam, 1));
    assert_contains(tl_sgd_error(sgd), "sgd: params");
    assert_contains(tl_adam_error(adam), "adam: params");
    tl_sgd_free(sgd), tl_adam_free(adam);
    tl_params *empty = tl_params_new(1);
    sgd = tl_sgd_new(empty, NULL), adam = tl_adam_new(empty, NULL);
    ck_assert(tl_sgd_step(sgd, 1) && tl_adam_step(adam, 1) && tl_adam_steps(adam) == 1);
    ck_assert(!tl_adam_state_of(adam, NULL).steps);
    tl_sgd_free(sgd), tl_adam_free(adam);
    tl_params_free(empty);
}
END_TEST

START_TEST(no_shares) {
    tl_params *empty = tl_params_new(1);
    tl_shares *none = tl_shares_new(NULL), *few = tl_shares_new(empty);
    assert_contains(tl_shares_error(NULL), "shares: out of memory");
    assert_contains(tl_shares_error(none), "shares: params");
    tl_shares_begin(NULL), tl_shares_begin(none);
    ck_assert(!tl_shares_close(NULL) && !tl_shares_sum(NULL) && !tl_shares_close(none) &&
              !tl_shares_sum(none));
    ck_assert(tl_shares_close(few) && tl_shares_sum(few));
    ck_assert_int_eq(tl_shares_of(LONG_MAX - 1, LONG_MAX, LONG_MAX), -1);
    ck_assert_int_eq(tl_shares_of(LONG_MIN, LONG_MIN, LONG_MIN), -1);
    tl_shares_free(NULL), tl_shares_free(none), tl_shares_free(few);
    tl_params_free(empty);
}
END_TEST

START_TEST(groups_and_counts_that_are_none) {
    tl_params *params = tl_params_new(1);
    tl_param *p = tl_params_add(params, "w", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
    const int groups[] = {-1, INT_MIN, TL_MAX_GROUPS, INT_MAX};
    const tl_group_options fine = {0}, wrong[] = {{.lr_factor = -1},
                                                  {.lr_factor = (double)NAN},
                                                  {.weight_decay = (double)INFINITY}};
    for (int i = 0; i < 4; i++) {
        tl_sgd *sgd = tl_sgd_new(params, NULL);
        tl_adam *adam = tl_adam_new(params, NULL);
        ck_assert(!tl_sgd_set_group(sgd, groups[i], &fine) && !tl_adam_set_group(adam, groups[i], &fine));
        assert_contains(tl_sgd_error(sgd), "is not in 0 … 15");
        assert_contains(tl_adam_error(adam), "is not in 0 … 15");
        tl_sgd_free(sgd), tl_adam_free(adam);
    }
    for (int i = 0; i < 4; i++) {
        tl_sgd *sgd = tl_sgd_new(params, NULL);
        ck_assert(!tl_sgd_set_group(sgd, 0, i < 3 ? &wrong[i] : NULL) && tl_sgd_error(sgd));
        tl_sgd_free(sgd);
    }
    p->group = INT_MIN; /* not in a group: the optimiser's own options apply */
    const long counts[] = {LONG_MAX, -1, LONG_MIN};
    for (int i = 0; i < 3; i++) {
        tl_adam *adam = tl_adam_new(params, NULL);
        p->leaf.reached = true;
        memset(p->leaf.grad, 0, 2 * sizeof *p->leaf.grad);
        tl_adam_set_steps(adam, LONG_MAX);
        ck_assert(tl_adam_step(adam, 0.1) && tl_adam_steps(adam) == LONG_MAX);
        tl_adam_set_steps(adam, LONG_MIN);
        ck_assert_int_eq(tl_adam_steps(adam), 0);
        *tl_adam_state_of(adam, p).steps = counts[i];
        ck_assert(!tl_adam_step(adam, 0.1));
        assert_contains(tl_adam_error(adam), "which cannot be");
        tl_adam_free(adam);
    }
    ck_assert(tl_param_value(p).data[0] == 1 && tl_param_value(p).data[1] == 1);
    tl_params_free(params);
}
END_TEST

START_TEST(rates_at_the_end_of_numbers) {
    const long at[] = {LONG_MIN, -1, 0, 1, LONG_MAX};
    for (int i = 0; i < 5 * 5 * 5; i++) {
        const long warmup = at[i % 5], total = at[i / 5 % 5], step = at[i / 25];
        const double rates[] = {tl_constant_rate(2, warmup, step), tl_inverse_sqrt(2, warmup, 1, step),
                                tl_cosine(2, 1, warmup, total, step),
                                tl_linear_decay(2, 1, warmup, total, step)};
        for (int k = 0; k < 4; k++)
            ck_assert_msg(rates[k] >= 0 && rates[k] <= 2, "rate %d is %g: warmup %ld, total %ld, step %ld", k,
                          rates[k], warmup, total, step);
        const double noam = tl_noam(total, warmup, step);
        ck_assert(noam > 0 && noam <= 1);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, no_optimiser);
    tcase_add_test(tc, no_set);
    tcase_add_test(tc, no_shares);
    tcase_add_test(tc, groups_and_counts_that_are_none);
    tcase_add_test(tc, rates_at_the_end_of_numbers);
}
TL_TEST_MAIN("optim: nothing")
