/* Training over several ranks gives the bytes of one process for every number of ranks: with short updates, frozen
 * parameters, and parameters that only some shares reach. Another number of ranks can resume. Only rank 0 decides,
 * reports and writes. */
#define _XOPEN_SOURCE 700
#include "over_ranks.h"

static void all_are(const result *found, int ranks, const result *want, const char *what) {
    for (int r = 0; r < ranks; r++) {
        ck_assert_msg(found[r].ending == want->ending, "%s, rank %d: %s", what, r, found[r].said);
        ck_assert_msg(found[r].step == want->step, "%s, rank %d: step %ld", what, r, found[r].step);
        ck_assert_int_eq(found[r].best, want->best);
        ck_assert_msg(!memcmp(found[r].value, want->value, sizeof want->value), "%s, rank %d of %d", what, r,
                      ranks);
        ck_assert_int_eq(found[r].told, r ? 0 : want->told);
    }
}

/* ---- the bytes of one process ---- */

START_TEST(weights_are_those_of_one_process) {
    /* batches of an epoch, accumulate, shares; most updates at an end of an epoch are short */
    static const long ways[][3] = {{11, 6, 4}, {14, 6, 4}, {5, 6, 4}, {6, 6, 6}, {7, 5, 5}, {1, 4, 4}};
    const long *way = ways[_i];
    char what[64];
    job j = new_job("one");
    j.batches = way[0], j.s.accumulate = way[1], j.s.shares = way[2];
    const result *one = run(0, j), *begun = run(0, new_job("other"));
    assert_no_error(one->ending == TL_ENDED ? NULL : one->said);
    ck_assert_int_gt(one->told, 1);
    if (_i == 0) ck_assert_int_eq(one->best, 4); /* not the first validation */
    ck_assert(_i == 0 || memcmp(one->value, begun->value, sizeof one->value));
    for (int ranks = 1; ranks <= way[2] && ranks <= 5; ranks++) {
        snprintf(what, sizeof what, "way %d", _i);
        j.folder = "many";
        all_are(run(ranks, j), ranks, one, what);
        ck_assert(same_file("one", "many", "last.safetensors"));
        ck_assert(same_file("one", "many", "model.safetensors"));
        ck_assert(same_file("one", "many", "average.safetensors"));
        ck_assert(same_log("one", "many"));
        const scratch gone = {.folder = (char *)(uintptr_t)in_here("many", "")};
        ck_assert_int_eq(nftw(gone.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    }
}
END_TEST

/* The tests above would be meaningless otherwise: another number of shares gives other sums; only frozen parameters
 * stay. */
START_TEST(shares_have_their_own_bits) {
    job j = new_job("four");
    const result *four = run(0, j);
    j.folder = "two", j.s.shares = 2;
    const result *two = run(0, j);
    ck_assert(memcmp(four->value, two->value, sizeof two->value));
    tl_error error = {""};
    line l = line_begin(&j, NULL, &error);
    for (int p = 0; p < PARAMS; p++) {
        const bool stays = p == 2;
        const bool same =
            !memcmp(tl_param_value(tl_params_at(l.params, p)).data, four->value[p], sizeof four->value[p]);
        ck_assert_msg(same == stays, "parameter %d", p);
    }
    line_end(&l);
}
END_TEST

static job part(const char *folder, long steps, bool resume) {
    job j = new_job(folder);
    j.s.epochs = 0, j.s.steps = steps, j.resume = resume;
    return j;
}

START_TEST(others_go_on) {
    const result *one = run(0, part("one", 9, false));
    static const int ranks[][4] = {{2, 0, 4, 3}, {0, 3, 0, 1}, {4, 2, 1, 0}};
    static const long steps[] = {2, 3, 6, 9};
    for (int way = 0; way < 3; way++) {
        char folder[16];
        snprintf(folder, sizeof folder, "way%d", way);
        for (int i = 0; i < 4; i++) {
            const result *r = run(ranks[way][i], part(folder, steps[i], i > 0));
            for (int k = 0; k < ranks[way][i] || k == 0; k++)
                ck_assert_msg(r[k].ending == TL_ENDED && r[k].step == steps[i], "%s", r[k].said);
            ck_assert(i < 3 || !memcmp(r->value, one->value, sizeof one->value));
        }
        ck_assert(same_file("one", folder, "last.safetensors"));
    }
}
END_TEST

/* ---- rank 0 decides ---- */

START_TEST(rank_0_stops) {
    const result *one = run(0, part("one", 9, false));
    job j = part("many", 9, false);
    j.stop_at = 3;
    const result *r = run(3, j);
    for (int k = 0; k < 3; k++)
        ck_assert_msg(r[k].ending == TL_INTERRUPTED && r[k].step == 3, "rank %d, step %ld: %s", k, r[k].step,
                      r[k].said);
    all_are(r, 3, r, "stopped");
    r = run(2, part("many", 9, true));
    ck_assert(r->ending == TL_ENDED && !memcmp(r->value, one->value, sizeof one->value));
}
END_TEST

START_TEST(rank_0_has_the_clock) {
    job j = new_job("many");
    j.s.epochs = 0, j.s.minutes = 0.004, j.s.schedule = "cosine";
    const result *r = run(3, j);
    ck_assert_int_gt(r->step, 1);
    ck_assert_msg(r->ending == TL_ENDED, "%s", r->said);
    all_are(r, 3, r, "by time");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_loop_test(tc, weights_are_those_of_one_process, 0, 6);
    tcase_add_test(tc, shares_have_their_own_bits);
    tcase_add_test(tc, others_go_on);
    tcase_add_test(tc, rank_0_stops);
    tcase_add_test(tc, rank_0_has_the_clock);
}
TL_TEST_MAIN("run: several ranks")
