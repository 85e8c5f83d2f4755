/* tl_mask_shows agrees with masked_softmax, for all small shapes and every kind of mask. */
#include "check.h"

#include <tapeloom.h>

enum { B = 3, H = 2, MOST = 5 };
static tl_tape *tape;

/* A key has a weight other than 0 exactly if the query sees it; a row's weights add up to 1, or the query sees no
 * key. */
static long compare(const tl_mask *mask, long queries, long keys) {
    static tl_real scores[B * H * MOST * MOST];
    long seen = 0;
    tl_tape_reset(tape);
    for (long i = 0; i < B * H * queries * keys; i++) scores[i] = (tl_real)(i % 7) / 4 - 1;
    tl_var x = tl_constant(tape, tl_tensor_of(scores, TL_SHAPE(B, H, queries, keys)));
    tl_tensor p = tl_value(tl_masked_softmax(x, mask));
    ck_assert_msg(p.data != NULL, "%s", tl_tape_error(tape));
    for (long b = 0; b < B; b++)
        for (long h = 0; h < H; h++)
            for (long i = 0; i < queries; i++)
                for (long j = 0; j < keys; j++) {
                    const bool shown = tl_mask_shows(mask, b, h, i, j, queries, keys);
                    must_msg(shown == (tl_item(tl_at(p, b, h, i, j)) != 0),
                             "[%ld,%ld,%ld,%ld] of %ld x %ld: shown %d, weight %g", b, h, i, j, queries, keys,
                             shown, tl_item(tl_at(p, b, h, i, j)));
                    seen += shown;
                }
    return seen;
}

/* A window keeps, of the keys that the rest of the mask shows, those around each query's position. */
static void windows(const tl_mask *mask, long queries, long keys) {
    tl_mask rest = *mask;
    rest.window = 0;
    for (long i = 0; i < queries; i++)
        for (long j = 0; j < keys; j++) {
            const long place = i + keys - queries, away = j < place ? place - j : j - place;
            must(
                tl_mask_shows(mask, 0, 1, i, j, queries, keys) ==
                (tl_mask_shows(&rest, 0, 1, i, j, queries, keys) && (!mask->window || away <= mask->window)));
        }
}

START_TEST(as_masked_softmax_does) {
    tape = tl_tape_new();
    long seen = 0, all = 0;
    for (long queries = 1; queries <= MOST; queries++)
        for (long keys = 1; keys <= MOST; keys++)
            for (int k = 0; k < 3 * 4 * 17;
                 k++) { /* window or none, lengths or none, causal or not, no array or one of 16 forms */
                const int kind = k / 3;
                int lengths[B] = {(int)keys, 0, (int)(keys / 2)};
                uint8_t attend[B * H * MOST * MOST];
                for (long i = 0; i < B * H * MOST * MOST; i++) attend[i] = i * 7919 % 13 % 3 != 0;
                tl_mask mask = {
                    .key_lengths = kind & 1 ? lengths : NULL, .causal = kind & 2, .window = k % 3};
                const int form = kind / 4 - 1;
                if (form >= 0) {
                    const long dim[4] = {B, H, queries, keys};
                    mask.attend = attend;
                    for (int a = 0; a < 4; a++) mask.attend_dim[a] = form >> a & 1 ? dim[a] : 1;
                }
                seen += compare(&mask, queries, keys);
                windows(&mask, queries, keys);
                all += B * H * queries * keys;
            }
    ck_assert(seen > all / 10 && seen < all * 9 / 10);
    ck_assert_int_eq(compare(NULL, 2, 3), B * H * 6);
    tl_tape_free(tape);
}
END_TEST

START_TEST(outside_nothing_is_shown) {
    const uint8_t attend[6] = {1, 1, 1, 1, 1, 1};
    const tl_mask mask = {.attend = attend, .attend_dim = {1, 1, 2, 3}}, none = {0};
    ck_assert(tl_mask_shows(&mask, 4, 9, 1, 2, 2, 3)); /* the same for all sentences and heads */
    ck_assert(!tl_mask_shows(&mask, 0, 0, 2, 0, 2, 3) && !tl_mask_shows(&mask, 0, 0, 0, 3, 2, 3));
    ck_assert(!tl_mask_shows(&mask, 0, 0, 2, 0, 3, 3)); /* more queries than the array has */
    ck_assert(!tl_mask_shows(&none, 0, 0, 0, -1, 2, 3) && !tl_mask_shows(NULL, 0, -1, 0, 0, 2, 3));
    ck_assert(!tl_mask_shows(NULL, 0, 0, 5, 0, 5, 5) && tl_mask_shows(NULL, 0, 0, 4, 4, 5, 5));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, as_masked_softmax_does);
    tcase_add_test(tc, outside_nothing_is_shown);
}
TL_TEST_MAIN("autograd: what a mask shows")
