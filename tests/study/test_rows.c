/* Entropy and variance of rows of attention, computed by hand. */
#include "check.h"

#include "../../examples/study/rows.h"

#define NEAR(a, b) ck_assert_double_eq_tol(a, b, 1e-6)

START_TEST(a_map) {
    tl_real weights[] = {1, 0, 0.5, 0.5}, scores[] = {1, 3, 2, 6};
    double entropy;
    ck_assert(map_entropy(tl_tensor_of(weights, TL_SHAPE(2, 2)), &entropy));
    NEAR(entropy, 0.5); /* (0 + ln 2) / (2·ln 2) */
    NEAR(map_variance(tl_tensor_of(scores, TL_SHAPE(2, 2))), (2.0 + 8.0) / 2);
    ck_assert(map_entropy(tl_tensor_of(weights, TL_SHAPE(4, 1)), &entropy));
    ck_assert(isnan(entropy));
    ck_assert(isnan(map_variance(tl_tensor_of(scores, TL_SHAPE(4, 1)))));
}
END_TEST

/* A sentence of three words and one of two, causal. The third row and column of the second one are padding; masked
 * positions have numbers that must not be counted. */
START_TEST(a_look) {
    tl_real weights[] = {1, 0, 0, .5, .5, 0, 1, 0, 0, /* the second */ 1, 0, 0, 1, 0, 0, .1, .1, .8};
    tl_real scores[] = {0, 9, 9, 1, 3, 9, 0, 3, 6, /* the second */ 0, 9, 9, 5, 5, 9, 7, 70, 700};
    const int lengths[] = {3, 2};
    const tl_seen seen = {.batch = {.sentences = 2, .tgt_len = 3, .tgt_lengths = lengths, .tgt_tokens = 5}};
    const tl_seen_attention a = {.kind = TL_DECODER_SELF,
                                 .heads = 1,
                                 .queries = 3,
                                 .keys = 3,
                                 .mask = {.key_lengths = lengths, .causal = true},
                                 .weights = tl_tensor_of(weights, TL_SHAPE(2, 1, 3, 3)),
                                 .scores = tl_tensor_of(scores, TL_SHAPE(2, 1, 3, 3))};
    double entropy;
    ck_assert(rows_entropy(&seen, &a, &entropy));
    NEAR(entropy, log(2) / (2 * log(2) + log(3))); /* the rows see 1, 2, 3; 1, 2 keys */
    NEAR(rows_variance(&seen, &a), (2.0 + 9.0 + 0.0) / 3);
}
END_TEST

START_TEST(the_entropy_of_nan_is_nan) {
    tl_real weights[] = {(tl_real)NAN, (tl_real)NAN};
    double entropy = 0;
    ck_assert(map_entropy(tl_tensor_of(weights, TL_SHAPE(1, 2)), &entropy));
    ck_assert(isnan(entropy));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_map);
    tcase_add_test(tc, a_look);
    tcase_add_test(tc, the_entropy_of_nan_is_nan);
}

TL_TEST_MAIN("study: rows")
