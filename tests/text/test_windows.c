/* Windows of a text: their contents, their order, and that a position is their whole state. */
#include "check.h"

#include <tapeloom.h>

enum { COUNT = 103, LENGTH = 8, BATCH = 3 };

static int ids[COUNT];

static void number_ids(void) {
    for (int i = 0; i < COUNT; i++) ids[i] = 10 + i;
}

/* Counts how often each id was a target, and checks that each follows the id before it. */
static long foretell(const tl_batch *b, int *times) {
    long tokens = 0;
    for (long r = 0; r < b->sentences; r++)
        for (long t = 0; t < b->tgt_len; t++) {
            const int in = b->tgt_in[r * b->tgt_len + t], next = b->tgt_out[r * b->tgt_len + t];
            if (t >= b->tgt_lengths[r]) {
                ck_assert_int_eq(next, b->pad);
                ck_assert_int_ge(in, 0);
                continue;
            }
            ck_assert_int_eq(next, in + 1);
            times[next - 10]++;
            tokens++;
        }
    ck_assert_int_eq(tokens, b->tgt_tokens);
    return tokens;
}

START_TEST(every_id_is_foretold_once) {
    int times[COUNT] = {0};
    tl_batch batch;
    number_ids();
    tl_windows *w =
        tl_windows_new(ids, COUNT, &(tl_windows_config){.length = LENGTH, .batch = BATCH, .pad = -1});
    ck_assert_ptr_null(tl_windows_error(w));
    ck_assert_int_eq(tl_windows_per_epoch(w), 5); /* 13 windows of at most 8 */
    long tokens = 0, batches = 0;
    while (tl_windows_next(w, &batch)) {
        ck_assert(!batch.src && batch.tgt_len == (batches < 4 ? LENGTH : 6) && batch.pad == -1);
        ck_assert_int_eq(batch.sentences, batches < 4 ? BATCH : 1);
        tokens += foretell(&batch, times);
        batches++;
    }
    ck_assert_int_eq(batches, 5);
    ck_assert_int_eq(tokens, COUNT - 1);
    ck_assert_int_eq(times[0], 0);
    for (int i = 1; i < COUNT; i++) ck_assert_int_eq(times[i], 1);
    ck_assert_int_eq(batch.tgt_lengths[0], 6); /* the last one, 102 = 12·8 + 6 */
    tl_windows_free(w);
}
END_TEST

/* Epochs differ in the order and the places of windows; all have the same number of whole windows. */
START_TEST(shuffled) {
    int first[200];
    int all[COUNT] = {0};
    tl_batch batch;
    number_ids();
    tl_windows *w = tl_windows_new(
        ids, COUNT, &(tl_windows_config){.length = LENGTH, .batch = BATCH, .shuffled = true, .seed = 5});
    ck_assert_int_eq(tl_windows_per_epoch(w), 4); /* 11 windows: one is left out to make room for the shift */
    bool shifted = false, ordered = true;
    for (int epoch = 0; epoch < 200; epoch++) {
        int times[COUNT] = {0};
        long tokens = 0;
        ck_assert(tl_windows_next(w, &batch));
        first[epoch] = batch.tgt_in[0];
        int before = 0;
        do {
            tokens += foretell(&batch, times);
            for (long r = 0; r < batch.sentences; r++) {
                shifted |= (batch.tgt_in[r * LENGTH] - 10) % LENGTH != (first[0] - 10) % LENGTH;
                ordered &= batch.tgt_in[r * LENGTH] > before;
                before = batch.tgt_in[r * LENGTH];
            }
        } while (tl_windows_next(w, &batch));
        ck_assert_int_eq(tokens, 11 * LENGTH);
        for (int i = 0; i < COUNT; i++) {
            ck_assert_int_le(times[i], 1);
            all[i] += times[i];
        }
    }
    ck_assert(shifted && !ordered);
    ck_assert(first[0] != first[1] || first[1] != first[2]);
    for (int i = 1; i < COUNT; i++) ck_assert_int_gt(all[i], 0); /* every id is a target in some epoch */
    tl_windows_free(w);
}
END_TEST

START_TEST(a_position_is_all) {
    const tl_windows_config config = {.length = LENGTH, .batch = BATCH, .shuffled = true, .seed = 5};
    int seen[12], again[12];
    tl_batch batch;
    number_ids();
    for (int from = 0; from < 12; from++) {
        tl_windows *w = tl_windows_new(ids, COUNT, &config);
        if (from) ck_assert(tl_windows_seek(w, (tl_batches_position){from / 4, from % 4}));
        for (int i = from; i < 12; i++) {
            if (!tl_windows_next(w, &batch)) ck_assert(tl_windows_next(w, &batch));
            ck_assert(tl_windows_tell(w).epoch == i / 4 && tl_windows_tell(w).batch == i % 4 + 1);
            (from ? again : seen)[i] = batch.tgt_in[0];
        }
        for (int i = from; from && i < 12; i++) ck_assert_int_eq(again[i], seen[i]);
        ck_assert(tl_windows_seek(w, (tl_batches_position){0, 1}) && tl_windows_next(w, &batch));
        ck_assert_int_eq(batch.tgt_in[0], seen[1]); /* back into another epoch */
        ck_assert(!tl_windows_seek(w, (tl_batches_position){0, 5}));
        assert_contains(tl_windows_error(w), "expected batch 0 to 4");
        tl_windows_free(w);
    }
}
END_TEST

/* Windows never extend from one text into the next, and index holds the text of each. */
START_TEST(several_texts) {
    const long starts[] = {0, 3, 20, 22};
    int times[COUNT] = {0};
    tl_batch batch;
    number_ids();
    tl_windows *w = tl_windows_new(ids, 22,
                                   &(tl_windows_config){.length = LENGTH,
                                                        .batch = 4,
                                                        .shuffled = true,
                                                        .seed = 1,
                                                        .starts = starts,
                                                        .texts = 3,
                                                        .pad = 2});
    ck_assert_int_eq(tl_windows_per_epoch(w), 1); /* windows of 2, of 8 and 8, and of 1 */
    ck_assert(tl_windows_next(w, &batch));
    ck_assert_int_eq(batch.sentences, 4);
    ck_assert_int_eq(foretell(&batch, times), 2 + 16 + 1);
    for (int i = 0; i < 22; i++) ck_assert_int_eq(times[i], i != 0 && i != 3 && i != 20);
    for (long r = 0; r < 4; r++) {
        const int in = batch.tgt_in[r * batch.tgt_len] - 10;
        ck_assert_int_eq(batch.index[r], in < 3 ? 0 : in < 20 ? 1 : 2);
    }
    tl_windows_free(w);
}
END_TEST

/* A text shorter than a window is one window. */
START_TEST(short_texts) {
    tl_batch batch;
    number_ids();
    for (long count = 2; count < 3 * LENGTH; count++) {
        tl_windows *w = tl_windows_new(
            ids, count, &(tl_windows_config){.length = LENGTH, .batch = BATCH, .shuffled = true});
        const long whole = (count - 1) / LENGTH;
        ck_assert_int_eq(tl_windows_per_epoch(w), 1);
        for (int epoch = 0; epoch < 3; epoch++) {
            int times[COUNT] = {0};
            ck_assert(tl_windows_next(w, &batch));
            ck_assert_int_eq(foretell(&batch, times),
                             whole ? (whole > 1 ? whole - 1 : 1) * LENGTH : count - 1);
            ck_assert(!tl_windows_next(w, &batch));
        }
        tl_windows_free(w);
    }
}
END_TEST

static void refuse(const int *text, long count, const tl_windows_config *config, const char *says) {
    tl_batch batch;
    tl_windows *w = tl_windows_new(text, count, config);
    assert_contains(tl_windows_error(w), says);
    ck_assert(!tl_windows_next(w, &batch) && !tl_windows_seek(w, (tl_batches_position){0, 0}));
    ck_assert_int_eq(tl_windows_per_epoch(w), 0);
    tl_windows_free(w);
}

START_TEST(nonsense) {
    const long starts[] = {0, 1, 9}, beyond[] = {0, 20};
    number_ids();
    refuse(ids, 1, &(tl_windows_config){.length = 4, .batch = 1},
           "found a text of 1 tokens, expected at least 2");
    refuse(NULL, 9, &(tl_windows_config){.length = 4, .batch = 1}, "found a text of 0 tokens");
    refuse(ids, 9, NULL, "found length 0 and batch 0, expected at least 1");
    refuse(ids, 9, &(tl_windows_config){.length = 4, .batch = -1}, "found length 4 and batch -1");
    refuse(ids, 9, &(tl_windows_config){.length = 70000, .batch = 70000}, "found length 70000");
    refuse(ids, 9, &(tl_windows_config){.length = 4, .batch = 1, .texts = 2}, "found 2 texts, and no starts");
    refuse(ids, 9, &(tl_windows_config){.length = 4, .batch = 1, .starts = starts, .texts = 2},
           "found text 0 from id 0 to 1 of 9, expected two ids or more");
    refuse(ids, 9, &(tl_windows_config){.length = 4, .batch = 1, .starts = beyond, .texts = 1},
           "found text 0 from id 0 to 20 of 9");
    tl_windows *w = tl_windows_new(ids, 9, &(tl_windows_config){.length = 4, .batch = 1});
    ck_assert(!tl_windows_next(w, NULL));
    assert_contains(tl_windows_error(w), "found no batch to fill");
    tl_windows_free(w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, every_id_is_foretold_once);
    tcase_add_test(tc, shuffled);
    tcase_add_test(tc, a_position_is_all);
    tcase_add_test(tc, several_texts);
    tcase_add_test(tc, short_texts);
    tcase_add_test(tc, nonsense);
}

TL_TEST_MAIN("text: windows")
