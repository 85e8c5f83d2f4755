/* Measures of heads over invented numbers, each worked out by hand. */
#define _XOPEN_SOURCE 700
#include "check.h"

#include <tapeloom.h>

static void assert_near(double found, double expected) {
    must_msg(fabs(found - expected) < 1e-6, "found %.9g, expected %.9g", found, expected);
}

/* ---- importance ---- */

/* Tokens of +3 and -5: their signed sum is -2, the sum of absolute values 8. */
START_TEST(gate_gradients) {
    tl_real c[] = {1, 2, 3, -1}, g[] = {1, 1, -1, 2};
    tl_tensor context = tl_tensor_of(c, TL_SHAPE(2, 2)), grad = tl_tensor_of(g, TL_SHAPE(2, 2));
    assert_near(tl_head_gate_grad(context, grad), 3 - 5);
    assert_near(tl_head_gate_grad_per_token(context, grad), 3 + 5);
    assert_near(tl_head_gate_grad(tl_tensor_slice(context, 0, 0, 1), tl_tensor_slice(grad, 0, 0, 1)), 3);
    /* strides: [1,3],[2,-1] with [1,-1],[1,2] */
    assert_near(
        tl_head_gate_grad_per_token(tl_tensor_transpose(context, 0, 1), tl_tensor_transpose(grad, 0, 1)),
        2 + 0);
    ck_assert(isnan(tl_head_gate_grad(context, tl_tensor_slice(grad, 0, 0, 1))));
    ck_assert(isnan(tl_head_gate_grad(context, (tl_tensor){0})));
}
END_TEST

START_TEST(the_norm_of_a_layer) {
    double two[] = {3, 4}, none[] = {0, 0}, tiny[] = {3e-200, 0, 4e-200};
    tl_heads_normalise(two, 2);
    assert_near(two[0], 0.6);
    assert_near(two[1], 0.8);
    tl_heads_normalise(none, 2);
    ck_assert(none[0] == 0 && none[1] == 0);
    tl_heads_normalise(tiny, 3);
    assert_near(tiny[2], 0.8);
}
END_TEST

/* ---- habits ---- */

static tl_head_habits habits_of(const tl_head_map *maps, int count) {
    tl_head_sums *sums = tl_head_sums_new();
    for (int i = 0; i < count; i++) must(tl_head_sums_add(sums, &maps[i]));
    const tl_head_habits h = tl_head_habits_of(sums);
    tl_head_sums_free(sums);
    return h;
}

/* Three words and <eos>; each word attends to the word before it. */
static tl_real before[] = {(tl_real)0.5,
                           0,
                           0,
                           (tl_real)0.5, /* first word: itself, as much as <eos> */
                           1,
                           0,
                           0,
                           0, /* second: the first */
                           0,
                           (tl_real)0.75,
                           (tl_real)0.25,
                           0, /* third: the second */
                           (tl_real)0.25,
                           0,
                           0,
                           (tl_real)0.75}; /* <eos>: itself, and the first */
static const bool is_end[] = {false, false, false, true};

START_TEST(without_the_end_of_a_sentence) {
    const tl_head_map map = {
        .weights = tl_tensor_of(before, TL_SHAPE(4, 4)), .row_is_end = is_end, .column_is_end = is_end};
    const tl_head_habits h = habits_of(&map, 1);
    ck_assert_int_eq(h.rows, 3);
    assert_near(h.confidence, (0.5 + 1 + 0.75) / 3);
    ck_assert_int_eq(h.offset, -1);
    assert_near(h.share, 2.0 / 3);
    assert_near(h.reach, 1); /* among rows that have a previous word */
    ck_assert(!h.positional);
    /* over all rows and columns */
    const double third = -(0.75 * log(0.75) + 0.25 * log(0.25));
    assert_near(h.entropy, (log(2) + 0 + third + third) / 4);
    assert_near(h.against_uniform, (log(2) + 2 * third) / (4 * log(4)));
    assert_near(h.distance, (0.5 * 3 + 1 + 0.75 + 0.25 * 3) / 4);
    assert_near(h.first, (0.5 + 1 + 0 + 0.25) / 4);
    assert_near(h.end, (0.5 + 0 + 0 + 0.75) / 4);
}
END_TEST

/* For attention to the next word, only rows that have a visible next word count: not rows before <eos>, nor masked
 * ones. */
START_TEST(what_has_a_neighbour) {
    tl_real w[4][4] = {{0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}};
    bool sees[16];
    for (int i = 0; i < 16; i++) sees[i] = true;
    tl_head_map map = {
        .weights = tl_tensor_of(&w[0][0], TL_SHAPE(4, 4)), .row_is_end = is_end, .column_is_end = is_end};
    tl_head_habits h = habits_of(&map, 1);
    ck_assert_int_eq(h.offset, 1);
    assert_near(h.share, 2.0 / 3);
    assert_near(h.reach, 1);
    map.column_is_end = NULL;
    assert_near(habits_of(&map, 1).reach, 2.0 / 3);
    map.sees = sees;
    sees[2 * 4 + 3] = false;
    assert_near(habits_of(&map, 1).reach, 1);
}
END_TEST

/* Nine of ten rows at one offset make a head positional, also when counted over two maps; eight do not. */
START_TEST(nine_of_ten) {
    tl_real w[10][10] = {{0}};
    for (int i = 0; i < 10; i++) w[i][(i + 1) % 10] = 1;
    const tl_head_map all = {.weights = tl_tensor_of(&w[0][0], TL_SHAPE(10, 10))};
    tl_head_habits h = habits_of(&all, 1);
    ck_assert_int_eq(h.offset, 1);
    assert_near(h.share, 0.9);
    assert_near(h.reach, 1);
    ck_assert(h.positional);
    ck_assert_int_eq(h.rows, 10);
    tl_head_map two[2] = {{.weights = tl_tensor_slice(all.weights, 0, 0, 5)},
                          {.weights = tl_tensor_slice(all.weights, 0, 0, 5)}};
    ck_assert(habits_of(two, 2).share == 1);
    w[3][4] = 0, w[3][2] = 1;
    h = habits_of(&all, 1);
    ck_assert(h.offset == 1 && !h.positional);
    assert_near(h.share, 0.8);
    assert_near(h.reach, 8.0 / 9);
}
END_TEST

/* A decoder's rows see only earlier positions: equal weights on these give 1. */
START_TEST(what_is_visible) {
    tl_real w[] = {1, 0, 0, (tl_real)0.5, (tl_real)0.5, 0, (tl_real)1 / 3, (tl_real)1 / 3, (tl_real)1 / 3};
    const bool sees[] = {true, false, false, true, true, false, true, true, true};
    const tl_head_map map = {.weights = tl_tensor_of(w, TL_SHAPE(3, 3)), .sees = sees};
    const tl_head_habits h = habits_of(&map, 1);
    assert_near(h.against_uniform, 1);
    assert_near(h.entropy, (log(2) + log(3)) / 3);
    assert_near(h.first, (1 + 0.5 + 1.0 / 3) / 3);
    ck_assert(isnan(h.end)); /* the ends are not known */
    assert_near(h.distance, (0 + 0.5 + 1) / 3);
    /* ties go to the first column, so offsets are 0, -1 and -2; of these the nearest counts, which is one of three
     * rows */
    ck_assert_int_eq(h.offset, 0);
    assert_near(h.share, 1.0 / 3);
    assert_near(h.reach, 1.0 / 3);
}
END_TEST

/* Weights with any sum, rows that see nothing, queries without a position, strides. */
START_TEST(odd_maps) {
    tl_real w[] = {2, 0, 0, 0, 2, 0}; /* [3,2] of its transpose: rows (2,0), (0,2), (0,0) */
    const tl_head_map map = {.weights = tl_tensor_transpose(tl_tensor_of(w, TL_SHAPE(2, 3)), 0, 1)};
    tl_head_habits h = habits_of(&map, 1);
    ck_assert_int_eq(h.rows, 2);
    assert_near(h.confidence, 2);
    assert_near(h.entropy, 0);
    assert_near(h.first, 0.5);
    ck_assert(h.share == 1 && h.offset == 0 && h.positional);
    assert_near(h.distance, 0);
    tl_real two[] = {1, 1};
    const tl_head_map row = {.weights = tl_tensor_of(two, TL_SHAPE(1, 2))};
    h = habits_of(&row, 1);
    assert_near(h.distance, 0.5);
    assert_near(h.entropy, log(2));
    const tl_head_map placeless = {.weights = map.weights, .no_places = true};
    h = habits_of(&placeless, 1);
    ck_assert(isnan(h.share) && isnan(h.reach) && isnan(h.distance) && !h.positional);
    assert_near(h.confidence, 2);
    h = habits_of(NULL, 0);
    ck_assert(isnan(h.confidence) && isnan(h.entropy) && h.rows == 0);
    /* if <eos> is the only visible column, a row has no largest weight */
    tl_real one[] = {1};
    const bool ends[] = {true};
    const tl_head_map end = {.weights = tl_tensor_of(one, TL_SHAPE(1, 1)), .column_is_end = ends};
    h = habits_of(&end, 1);
    ck_assert(isnan(h.confidence) && h.entropy == 0 && h.first == 1 && h.end == 0);
    ck_assert(!tl_head_sums_add(NULL, &end));
    tl_head_sums_free(NULL);
}
END_TEST

/* Offsets far beyond the initial room, on both sides. */
START_TEST(far_offsets) {
    static tl_real w[1][100];
    w[0][90] = 1;
    tl_real column[40] = {0};
    column[39] = 1;
    tl_head_map maps[3] = {{.weights = tl_tensor_of(column, TL_SHAPE(1, 40))},
                           {.weights = tl_tensor_of(&w[0][0], TL_SHAPE(1, 100))},
                           {.weights = tl_tensor_of(&w[0][0], TL_SHAPE(1, 100))}};
    tl_head_habits h = habits_of(maps, 1);
    ck_assert_int_eq(h.offset, 39);
    h = habits_of(maps, 3);
    ck_assert_int_eq(h.offset, 90);
    assert_near(h.share, 2.0 / 3);
    assert_near(h.reach, 1);
    maps[1] = maps[0];
    h = habits_of(maps, 3); /* counts made before the room grew */
    ck_assert_int_eq(h.offset, 39);
    assert_near(h.share, 2.0 / 3);
    assert_near(h.reach, 2.0 / 3); /* the third sees a column there too */
}
END_TEST

/* ---- alignment ---- */

START_TEST(links) {
    tl_real w[] = {(tl_real)0.25, (tl_real)0.5, (tl_real)0.25, 0, 0, 0, (tl_real)0.5, 0, (tl_real)0.5};
    tl_link found[3];
    ck_assert_int_eq(tl_head_links(tl_tensor_of(w, TL_SHAPE(3, 3)), found), 2);
    ck_assert(found[0].target == 0 && found[0].source == 1 && found[1].target == 2 && found[1].source == 0);
}
END_TEST

/* A = {0-0, 1-1, 2-2}, S = {0-0, 1-2, 2-2, 3-3}: 1 - 2·2 / 7. */
START_TEST(alignment_error_rate) {
    const tl_link a[] = {{0, 0}, {1, 1}, {2, 2}}, s[] = {{0, 0}, {1, 2}, {2, 2}, {3, 3}};
    tl_alignment_errors e = {0};
    ck_assert(isnan(tl_alignment_error_rate(&e)));
    tl_alignment_errors_add(&e, a, 3, s, 4);
    assert_near(tl_alignment_error_rate(&e), 1 - 4.0 / 7);
    tl_alignment_errors_add(&e, s, 4, s, 4); /* over all sentences together, not their mean */
    assert_near(tl_alignment_error_rate(&e), 1 - 12.0 / 15);
    e = (tl_alignment_errors){0};
    tl_alignment_errors_add(&e, s, 4, s, 4);
    assert_near(tl_alignment_error_rate(&e), 0);
}
END_TEST

/* ---- ranks ---- */

START_TEST(rank_correlation) {
    const double a[] = {1, 2, 3, 4, 5}, up[] = {10, 20, 30, 40, 500}, b[] = {2, 1, 4, 3, 5},
                 gap[] = {2, NAN, 4, 3, 5};
    assert_near(tl_rank_correlation(a, up, 5), 1);
    assert_near(tl_rank_correlation(a, b, 5), 1 - 6 * 4 / (5.0 * 24));
    const double down[] = {5, 4, 3, 2, 1};
    assert_near(tl_rank_correlation(a, down, 5), -1);
    assert_near(tl_rank_correlation(a, gap, 5), 1 - 6 * 2 / (4.0 * 15)); /* ranks 1 2 3 4 and 1 3 2 4 */
    /* ties: ranks 1 2.5 2.5 4 against 1 2 3 4; scipy.stats.spearmanr gives 0.948683 */
    const double tied[] = {1, 2, 2, 3}, plain[] = {1, 2, 3, 4}, same[] = {7, 7, 7, 7};
    must_msg(fabs(tl_rank_correlation(tied, plain, 4) - 0.9486832980505138) < 1e-12, "ties");
    ck_assert(isnan(tl_rank_correlation(same, plain, 4)));
    ck_assert(isnan(tl_rank_correlation(a, up, 1)));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, gate_gradients);
    tcase_add_test(tc, the_norm_of_a_layer);
    tcase_add_test(tc, without_the_end_of_a_sentence);
    tcase_add_test(tc, what_has_a_neighbour);
    tcase_add_test(tc, nine_of_ten);
    tcase_add_test(tc, what_is_visible);
    tcase_add_test(tc, odd_maps);
    tcase_add_test(tc, far_offsets);
    tcase_add_test(tc, links);
    tcase_add_test(tc, alignment_error_rate);
    tcase_add_test(tc, rank_correlation);
}

TL_TEST_MAIN("lens: heads in numbers")
