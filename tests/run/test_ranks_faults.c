/* An error on one of several ranks ends all of them: with the same sentence, which names the rank, if all meet;
 * otherwise the rank ends the job. No rank is left waiting, whichever request for memory is refused. */
#define _XOPEN_SOURCE 700
#include "refuse.h"
#include "over_ranks.h"

static void all_say(const result *r, int ranks, const char *sentence) {
    for (int k = 0; k < ranks; k++) {
        ck_assert_msg(r[k].ending == TL_FAILED, "rank %d has not failed", k);
        ck_assert_msg(strstr(r[k].said, sentence), "rank %d: \"%s\" should contain \"%s\"", k, r[k].said,
                      sentence);
        ck_assert_str_eq(r[k].said, r->said);
    }
}

START_TEST(not_a_number) {
    char want[128];
    job j = new_job("many");
    j.fault = NAN_LOSS, j.of_rank = -1, j.epoch = 1;
    for (int ranks = 1; ranks <= 4; ranks++)
        for (j.at_batch = 1; j.at_batch <= 6; j.at_batch++) {
            /* the rank that has this micro-batch */
            const int who = (int)((j.at_batch - 1) * 4 / 6) * ranks / 4;
            snprintf(want, sizeof want, "rank %d (host %d): step 3: the loss is not a number", who, who);
            const result *r = run(ranks, j);
            all_say(r, ranks, who ? want : "step 3: the loss is not a number");
            if (!who) ck_assert_ptr_eq(strstr(r->said, "step 3"), r->said);
            ck_assert_int_eq(r->told, 2);
        }
    j.fault = NOTHING, j.resume = true; /* the checkpoint is intact */
    const result *r = run(3, j), *one = run(0, new_job("one"));
    ck_assert_msg(r->ending == TL_ENDED, "%s", r->said);
    ck_assert(!memcmp(r->value, one->value, sizeof one->value));
}
END_TEST

START_TEST(one_fails) {
    static const struct {
        fault fault;
        const char *said;
    } faults[] = {{NEXT, "rank 1 (host 1): batch 4 cannot be read"},
                  {TAPE, "rank 1 (host 1): no such layer"},
                  {BEGIN, "rank 1 (host 1): cannot begin"},
                  {VALIDATE, "rank 1 (host 1): cannot validate"},
                  {LR, "rank 1 has the settings \"lr = 0.06\", and rank 0 has \"lr = 0.05\": start all"},
                  {STEPS, "rank 1 has the settings \"steps = 1\", and rank 0 has \"steps = 0\": start all"},
                  {DATA, "rank 1 has data with the fingerprint \"0000000000000008\", and rank 0 has"},
                  {WEIGHTS, "rank 1 has a model with the fingerprint"}};
    for (int i = 0; i < 8; i++) {
        job j = new_job("many");
        j.fault = faults[i].fault, j.at_batch = 4;
        for (int ranks = 2; ranks <= 3; ranks++) all_say(run(ranks, j), ranks, faults[i].said);
    }
    job j = new_job("many"); /* a fault of all ranks names no rank */
    j.fault = UNREACHED, j.of_rank = -1;
    all_say(run(3, j), 3, "adam: no gradient has reached parameter \"never\"");
    j.fault = GIVES_UP; /* without a stop */
    all_say(run(3, j), 3, "training: the task's validate gave up after step 2 without saying why");
    j.fault = NOTHING, j.batches = 0;
    all_say(run(3, j), 3, "training: two epochs one after the other have no batch");
}
END_TEST

/* Before an update the others do not meet this rank: it ends them, and prints its error first. */
START_TEST(one_fails_alone) {
    job j = new_job("many");
    mkdir(in_here("many", ""), 0755);
    j.fault = NEXT, j.at_batch = 1, j.epoch = 1;
    j.results = forked_share(3 * sizeof *j.results);
    for (j.of_rank = 0; j.of_rank < 3; j.of_rank++) {
        const forked_end end = forked_try(3, 1, train, &j);
        ck_assert_int_eq(end.job->quit_by, j.of_rank + 1);
        for (int r = 0; r < 3; r++) ck_assert_int_eq(end.status[r], 1);
        ck_assert_str_eq(j.results[j.of_rank].said, "batch 1 cannot be read");
    }
}
END_TEST

START_TEST(more_ranks_than_shares) {
    job j = new_job("many");
    j.s.shares = 3;
    all_say(run(4, j), 4,
            "4 ranks need 4 shares of an update's gradients, one each or more, and there are 3: give "
            "--accumulate A --shares G, both 4 at least, or start fewer ranks");
    static const char one[] =
        "2 ranks need 2 shares of an update's gradients, one each or more, and there is 1: give";
    j.s.shares = 0;
    all_say(run(2, j), 2, one);
    j.s.accumulate = 0;
    all_say(run(2, j), 2, one);
}
END_TEST

/* ---- memory ---- */

static struct {
    int rank; /* the rank whose requests are counted */
    long granted;
    bool and_all_later, *refused; /* in shared memory */
} poverty;

static void around(tl_ranks *ranks, bool before) {
    if (tl_ranks_number(ranks) != poverty.rank) return;
    if (before)
        refuse_after(poverty.granted, poverty.and_all_later);
    else
        *poverty.refused = grant_again();
}

/* Three ranks train. A rank that fails has an error; if the others do not know of it, it ends them, except those
 * that have finished. A rank that has finished has the weights of one process. */
static void train_poorly(job j, const result *one) {
    memset(j.results, 0, 3 * sizeof *j.results);
    const forked_end end = forked_try(3, (uint64_t)poverty.granted, train, &j);
    const bool ended = end.job->quit_by != 0;
    for (int r = 0; r < 3; r++) {
        const result *found = &j.results[r];
        const bool through = found->ending == TL_ENDED;
        must_msg(end.status[r] == ended || (end.status[r] == 0 && through),
                 "rank %d, request %ld of rank %d: exit status %d", r, poverty.granted, poverty.rank,
                 end.status[r]);
        must_msg(!ended || end.job->quit_by == poverty.rank + 1,
                 "request %ld of rank %d: ended by rank %d: %s", poverty.granted, poverty.rank,
                 end.job->quit_by - 1, j.results[end.job->quit_by - 1].said);
        must(through || (end.status[r] == 1 && r != poverty.rank) || found->said[0]);
        must(!through || !memcmp(found->value, one->value, sizeof one->value));
    }
    munmap(end.job, sizeof *end.job);
}

/* Refuses every `step`-th request, alone or with all later ones, until none is left. */
static void refuse_each(int rank, long step) {
    const result *one = run(0, new_job("one"));
    job j = new_job("many");
    j.around = around;
    j.results = forked_share(3 * sizeof *j.results);
    poverty.refused = forked_share(sizeof *poverty.refused);
    poverty.rank = rank;
    mkdir(in_here("many", ""), 0755);
    for (int all = 0; all < 2; all++) {
        poverty.and_all_later = all;
        poverty.granted = 0;
        do {
            *poverty.refused = false;
            train_poorly(j, one);
            poverty.granted += step;
        } while (*poverty.refused);
    }
}

START_TEST(no_memory_on_one) {
    (void)alive; /* messages that came early also hold memory, so no exact number is expected */
    if (CAN_REFUSE) refuse_each(_i, 11);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, not_a_number);
    tcase_add_test(tc, one_fails);
    tcase_add_test(tc, one_fails_alone);
    tcase_add_test(tc, more_ranks_than_shares);
    tcase_add_loop_test(tc, no_memory_on_one, 0, 2);
}
TL_TEST_MAIN("run: several ranks, when something goes wrong")
