/* Each sequence has a block that comes twice. The prefix score, computed by hand. Each rule can give each verdict. */
#include "invented.h"

#include "../../examples/study/claim_induction.h"

extern const claim claim_induction;
enum { TWO_MATCH, ONE_DOES_NOT, COPIES };

#define ONE "one layer"
#define TWO "two layers"

enum { SYMBOLS = 64, COUNT = 65, DRAWS = 4000 };

START_TEST(a_block_comes_twice) {
    const tl_rng_key stream = tl_rng_key_of(1, "training");
    bool length[25] = {false}, apart[COUNT] = {false}, begins[COUNT] = {false};
    for (long k = 0; k < DRAWS; k++) {
        int ids[COUNT], seen[SYMBOLS + 1] = {0};
        const repeat r = draw_repeat(stream, k, SYMBOLS, 8, 24, COUNT, ids);
        ck_assert(r.length >= 8 && r.length <= 24);
        ck_assert(r.first >= 0 && r.second >= r.first + r.length && r.second + r.length <= COUNT);
        for (long i = 0; i < COUNT; i++) {
            ck_assert(ids[i] >= 1 && ids[i] <= SYMBOLS);
            seen[ids[i]]++;
        }
        for (long i = 0; i < r.length; i++) ck_assert_int_eq(ids[r.first + i], ids[r.second + i]);
        for (long i = 0; i < COUNT; i++) {
            const bool in_block =
                (i >= r.first && i < r.first + r.length) || (i >= r.second && i < r.second + r.length);
            ck_assert_int_eq(seen[ids[i]], in_block ? 2 : 1);
        }
        length[r.length] = apart[r.second - r.first] = begins[r.first] = true;
    }
    for (int l = 8; l <= 24; l++) ck_assert(length[l]);
    /* all distances occur, so that no fixed distance can be learnt */
    for (int l = 8; l <= 50; l++) ck_assert(apart[l]);
    for (int l = 0; l <= 40; l++) ck_assert(begins[l]);
}
END_TEST

START_TEST(streams_differ) {
    int one[COUNT], again[COUNT], fresh[COUNT], next[COUNT];
    draw_repeat(tl_rng_key_of(1, "training"), 3, SYMBOLS, 8, 24, COUNT, one);
    draw_repeat(tl_rng_key_of(1, "training"), 3, SYMBOLS, 8, 24, COUNT, again);
    draw_repeat(tl_rng_key_of(1, "fresh"), 3, SYMBOLS, 8, 24, COUNT, fresh);
    draw_repeat(tl_rng_key_of(1, "training"), 4, SYMBOLS, 8, 24, COUNT, next);
    ck_assert_mem_eq(one, again, sizeof one);
    ck_assert_mem_ne(one, fresh, sizeof one);
    ck_assert_mem_ne(one, next, sizeof one);
}
END_TEST

START_TEST(the_score) {
    /* x a b a b: the block "a b" is at position 1 and again at 3. The score counts the weight from the copy's a (row 3)
     * to the symbol after the first a, at 2, and from the copy's b (row 4) to the symbol after the first b, at 3. */
    tl_real weights[5 * 5] = {0};
    weights[3 * 5 + 2] = (tl_real)0.75;
    weights[4 * 5 + 3] = (tl_real)0.5;
    weights[4 * 5 + 2] = (tl_real)0.25; /* not counted: to the same symbol */
    weights[2 * 5 + 2] = 1;             /* not counted: not a row of the copy */
    long count = 0;
    const tl_tensor t = tl_tensor_of(weights, TL_SHAPE(5, 5));
    ck_assert_double_eq_tol(prefix_weight(t, &(repeat){1, 3, 2}, &count), 1.25, 1e-12);
    ck_assert_int_eq(count, 2);
    /* The copy's last symbol is at position 5, which has no row. */
    ck_assert_double_eq_tol(prefix_weight(t, &(repeat){1, 4, 2}, &count), 0.25, 1e-12);
    ck_assert_int_eq(count, 3);
}
END_TEST

static const struct {
    int rule;
    const char *what;
    double one, two, spread, meant;
    verdict expected;
} all[] = {{TWO_MATCH, "final prefix score", 0.02, 0.9, 0.01, 0.9, HOLDS},
           {TWO_MATCH, "final prefix score", 0.9, 0.3, 0.01, 0.3, DOES_NOT_HOLD},
           {TWO_MATCH, "final prefix score", 0.02, 0.51, 0.02, 0.51, UNDECIDED},
           {ONE_DOES_NOT, "final prefix score", 0.02, 0.9, 0.001, 0.02, HOLDS},
           {ONE_DOES_NOT, "final prefix score", 0.4, 0.02, 0.01, 0.4, DOES_NOT_HOLD},
           {ONE_DOES_NOT, "final prefix score", 0.101, 0.9, 0.01, 0.101, UNDECIDED},
           {COPIES, "final loss on the copy", 3.5, 0.5, 0.1, 3, HOLDS},
           {COPIES, "final loss on the copy", 3.5, 3.25, 0.1, 0.25, DOES_NOT_HOLD},
           {COPIES, "final loss on the copy", 3.5, 2.52, 0.1, 0.98, UNDECIDED}};

START_TEST(verdicts) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        numbers n = {.row = NULL};
        invent(&n, ONE, all[i].what, 0, all[i].one, all[i].spread);
        invent(&n, TWO, all[i].what, 0, all[i].two, all[i].rule == COPIES ? 0 : all[i].spread);
        const finding f = judged(&claim_induction, &n, all[i].rule);
        ck_assert_msg(f.verdict == all[i].expected, "row %zu", i);
        ck_assert_double_eq_tol(f.interval.mean, all[i].meant, 1e-9);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_block_comes_twice);
    tcase_add_test(tc, streams_differ);
    tcase_add_test(tc, the_score);
    tcase_add_test(tc, verdicts);
}

TL_TEST_MAIN("study: induction")
