/* Shared passes: whatever is measured, translated or looked at, every rank gets one process' results, bit for bit,
 * with 1, 2, 3 and 5 ranks. They stop together and fail together. Ranks are those of forked.h. */
#define _XOPEN_SOURCE 700
#include "measured.h"
#include "ranks/forked.h"

#include "run/pass.h"

/* ---- running over ranks ---- */

enum { RANKS = 3 };

/* A rank's result of a pass. */
typedef struct outcome {
    bool over, ok;
    char error[TL_ERROR_MAX];
} outcome;

typedef struct job {
    const struct subject *subject;
    tl_run *run;
    tl_buffer expected;
    outcome *outcome; /* [RANKS] */
    int who;          /* the rank to which something happens, */
    long after;       /* after this many calls */
} job;

static void compare(const job *j, tl_ranks *ranks, const char *when) {
    tl_buffer found = {0};
    const bool ok = j->subject->measure(j->run, &found);
    must_msg(ok, "%s, rank %d, %s: %s", j->subject->name, tl_ranks_number(ranks), when,
             tl_run_error(j->run) ? tl_run_error(j->run) : "no error");
    must_msg(found.size == j->expected.size && !memcmp(found.text, j->expected.text, found.size),
             "%s: rank %d of %d found other bytes, %s", j->subject->name, tl_ranks_number(ranks),
             tl_ranks_count(ranks), when);
    tl_buffer_free(&found);
}

static void rank_compares(tl_ranks *ranks, void *context) {
    const job *j = context;
    tl_run_share_with(j->run, ranks);
    compare(j, ranks, "first");
    compare(j, ranks, "once more");
    tl_run_free(j->run);
}

/* One process' result. */
static job job_of(const struct subject *s) {
    job j = {.subject = s, .run = made(s)};
    spoiling.seen = 0, spoiling.spoilt = NAN;
    must_msg(s->measure(j.run, &j.expected), "%s: %s", s->name, tl_run_error(j.run));
    return j;
}
static void job_end(job *j) {
    tl_buffer_free(&j->expected);
    tl_run_free(j->run);
}

START_TEST(bits_of_one_process) {
    static const int counts[] = {1, 2, 3, 5};
    for (int wide = 0; wide < 2; wide++) {
        tokens = wide ? 2048 : 60; /* one batch, or two; or many */
        job j = job_of(&subjects[_i]);
        for (int c = wide ? 2 : 0; c < (wide ? 3 : 4); c++)
            forked_run(counts[c], (uint64_t)(c + wide), rank_compares, &j);
        job_end(&j);
    }
}
END_TEST

/* ---- in the order of batches ---- */

/* Sums of float log p could be exact in double, and so independent of order; sums of these are not. */
static double nll_of(long batch) {
    return 1.0 / (double)(3 + batch * batch % 7) * pow(10, (double)(batch % 5));
}

static bool takes(void *context, const tl_pass *pass, tl_told *told) {
    long *next = context, batch = -1;
    double sum = 0;
    must(tl_told_read(told, &batch, sizeof batch) && batch == *next && told->left == 0);
    must(told->own == (batch % tl_ranks_count(pass->ranks) == tl_ranks_number(pass->ranks)));
    must(!tl_told_read(told, &batch, sizeof batch));
    for (long b = 0; b <= *next; b++) sum += nll_of(b);
    must(!memcmp(&sum, &pass->loss.nll, sizeof sum) && pass->loss.count == *next + 1);
    ++*next;
    return true;
}

static void rank_goes_through(tl_ranks *ranks, void *context) {
    const job *j = context;
    tl_run_share_with(j->run, ranks);
    for (long batches = 0; batches < 24; batches += 1 + batches / 3) {
        tl_pass pass = tl_pass_begin(j->run);
        long taken = 0;
        double sum = 0;
        for (long b = 0; b < batches && tl_pass_goes_on(&pass); b++) {
            sum += nll_of(b);
            if (!tl_pass_mine(&pass, NULL)) continue;
            tl_pass_add(&pass, &(tl_loss_report){.nll = nll_of(b), .count = 1});
            tl_pass_tell(&pass, &b, sizeof b);
        }
        must(tl_pass_end(&pass, true, takes, &taken));
        must(taken == (tl_ranks_count(ranks) > 1 ? batches : 0) && pass.loss.count == batches);
        must(!memcmp(&sum, &pass.loss.nll, sizeof sum));
    }
    tl_run_free(j->run);
}

START_TEST(order_of_batches) {
    job j = {.run = fresh_translator(false)};
    for (int count = 1; count <= 5; count++) forked_run(count, (uint64_t)count, rank_goes_through, &j);
    job_end(&j);
}
END_TEST

/* ---- stopped ---- */

static long patience; /* calls until stop */
static bool is_to_stop(void *context) { return (void)context, patience < 0 || --patience < 0; }
static bool goes_on(void *context, const char *what, long done, long total) {
    (void)what, (void)done, (void)total;
    return !is_to_stop(context);
}
static bool never(void *context) {
    return (void)context, ck_abort_msg("a rank that does not lead was asked"), false;
}
static bool never_goes(void *context, const char *what, long done, long total) {
    (void)what, (void)done, (void)total;
    return never(context);
}
static const tl_events stoppable = {.stop = is_to_stop}, unasked = {.stop = never};

static void keep_outcome(const job *j, tl_ranks *ranks, bool ok) {
    outcome *o = &j->outcome[tl_ranks_number(ranks)];
    *o = (outcome){.over = true, .ok = ok};
    if (tl_run_error(j->run)) snprintf(o->error, sizeof o->error, "%s", tl_run_error(j->run));
}

static void rank_is_stopped(tl_ranks *ranks, void *context) {
    const job *j = context;
    tl_buffer found = {0};
    const bool leads = tl_ranks_lead(ranks);
    patience = j->after;
    asked = leads ? goes_on : never_goes;
    tl_run_tell(j->run, leads ? &stoppable : &unasked);
    tl_run_share_with(j->run, ranks);
    keep_outcome(j, ranks, j->subject->measure(j->run, &found));
    tl_buffer_free(&found);
    patience = 1000000; /* the stop leaves no trace */
    compare(j, ranks, "after it was stopped");
    tl_run_free(j->run);
}

/* Wherever rank 0 is stopped, all ranks stop, at the same place as one process. */
START_TEST(stopped_together) {
    tokens = 60;
    job j = job_of(&subjects[_i]);
    j.outcome = forked_share(RANKS * sizeof *j.outcome);
    bool stopped = true;
    for (j.after = 0; stopped; j.after += 1 + j.after) {
        tl_buffer alone = {0};
        patience = j.after;
        asked = goes_on;
        tl_run_tell(j.run, &stoppable);
        stopped = !j.subject->measure(j.run, &alone);
        tl_buffer_free(&alone);
        forked_run(RANKS, (uint64_t)j.after, rank_is_stopped, &j);
        for (int r = 0; r < RANKS; r++)
            must_msg(j.outcome[r].over && j.outcome[r].ok == !stopped && !*j.outcome[r].error,
                     "%s, after %ld: rank %d: %s", j.subject->name, j.after, r, j.outcome[r].error);
    }
    must(j.after > 3);
    asked = NULL;
    job_end(&j);
}
END_TEST

/* Counts a rank's requests for memory; the result is in outcome[].ok. */
static void rank_counts(tl_ranks *ranks, void *context) {
    const job *j = context;
    tl_buffer found = {0};
    patience = j->after;
    asked = tl_ranks_lead(ranks) ? goes_on : never_goes;
    tl_run_share_with(j->run, ranks);
    refuse_after(1000000, false);
    const bool ok = j->subject->measure(j->run, &found);
    must(ok == (patience > 0));
    snprintf(j->outcome[tl_ranks_number(ranks)].error, TL_ERROR_MAX, "%ld", 1000000 - left);
    grant_again();
    tl_buffer_free(&found);
    tl_run_free(j->run);
}

/* After a failure the other ranks do not process the rest of a set. */
START_TEST(nobody_goes_on_for_long) {
    long requests[2];
    if (!CAN_REFUSE) return;
    tokens = 60;
    job j = job_of(&subjects[SUBJECTS - 5]);
    ck_assert_str_eq(j.subject->name, "heads of translate");
    j.outcome = forked_share(RANKS * sizeof *j.outcome);
    for (int stopped = 0; stopped < 2; stopped++) {
        j.after = stopped ? 0 : 1000000;
        forked_run(RANKS, 0, rank_counts, &j);
        requests[stopped] = atol(j.outcome[2].error);
    }
    must_msg(requests[1] * 2 < requests[0], "%ld requests, stopped at once %ld", requests[0], requests[1]);
    asked = NULL;
    job_end(&j);
}
END_TEST

/* ---- failed ---- */

static bool works_for_a_while(void *context, tl_tape *tape, tl_model_maps *maps) {
    job *j = context;
    *maps = (tl_model_maps){0};
    if (j->after-- != 0) return true;
    tl_tape_fail(tape, "a spring has broken");
    return false;
}

/* Ends the rank, as a program does after a failure. */
static void leave(const job *j, tl_ranks *ranks) {
    const bool failed = tl_run_error(j->run) != NULL;
    tl_run_free(j->run);
    tl_ranks_end(ranks, failed);
    exit(0);
}

static void rank_fails(tl_ranks *ranks, void *context) {
    job *j = context;
    tl_buffer found = {0};
    if (tl_ranks_number(ranks) == j->who) tl_run_act(j->run, works_for_a_while, j);
    tl_run_share_with(j->run, ranks);
    keep_outcome(j, ranks, j->subject->measure(j->run, &found));
    tl_buffer_free(&found);
    leave(j, ranks);
}

/* Whichever rank fails, and whenever: all have its error. */
START_TEST(failed_together) {
    tokens = 60;
    job j = job_of(&subjects[_i]);
    j.outcome = forked_share(RANKS * sizeof *j.outcome);
    for (int n = 0; n < 6; n++) {
        char expected[64] = "a spring has broken";
        j.who = n % RANKS;
        j.after = n / RANKS;
        if (j.who)
            snprintf(expected, sizeof expected, "rank %d (host %d): a spring has broken", j.who, j.who);
        forked_run(RANKS, (uint64_t)n, rank_fails, &j);
        for (int r = 0; r < RANKS; r++) {
            must_msg(j.outcome[r].over && !j.outcome[r].ok, "%s, rank %d of %d fails: rank %d does not",
                     j.subject->name, j.who, RANKS, r);
            must_msg(!strncmp(j.outcome[r].error, expected, strlen(expected)), "rank %d says: %s", r,
                     j.outcome[r].error);
        }
    }
    job_end(&j);
}
END_TEST

/* ---- ranks that differ ---- */

static void rank_differs(tl_ranks *ranks, void *context) {
    job *j = context;
    tl_buffer found = {0};
    const bool it = tl_ranks_number(ranks) == j->who;
    if (it && j->after) tl_params_at(tl_run_params(j->run), 0)->leaf.value.data[0] += 1;
    if (it && !j->after) fewer = 7;
    tl_run_share_with(j->run, ranks);
    keep_outcome(j, ranks, j->subject->measure(j->run, &found));
    tl_buffer_free(&found);
    leave(j, ranks);
}

/* Different weights or different data: nothing is taken, and no rank waits. */
START_TEST(refuses_what_differs) {
    static const char *const names[] = {"evaluate",           "score",   "lm", "caption",
                                        "heads of translate", "classify"};
    tokens = 60;
    for (int s = 0; s < SUBJECTS; s++) {
        if (strcmp(subjects[s].name, names[_i])) continue;
        job j = job_of(&subjects[s]);
        j.outcome = forked_share(RANKS * sizeof *j.outcome);
        for (int n = 0; n < 4; n++) {
            char expected[64];
            j.who = 1 + n % 2, j.after = n / 2;
            snprintf(expected, sizeof expected, "rank %d (host %d): it has other sentences", j.who, j.who);
            forked_run(RANKS, (uint64_t)n, rank_differs, &j);
            for (int r = 0; r < RANKS; r++)
                must_msg(!j.outcome[r].ok && !strncmp(j.outcome[r].error, expected, strlen(expected)),
                         "%s, %d: rank %d says: %s", j.subject->name, n, r, j.outcome[r].error);
        }
        job_end(&j);
    }
}
END_TEST

/* ---- without memory ---- */

static void rank_is_refused(tl_ranks *ranks, void *context) {
    job *j = context;
    tl_buffer found = {0};
    const bool it = tl_ranks_number(ranks) == j->who;
    tl_run_share_with(j->run, ranks);
    must(tl_buffer_reserve(&found, 2 * j->expected.size));
    if (it) refuse_after(j->after, false);
    const bool ok = j->subject->measure(j->run, &found);
    if (it && grant_again()) j->outcome[RANKS].over = true;
    must(!ok || (found.size == j->expected.size && !memcmp(found.text, j->expected.text, found.size)));
    must(ok || tl_run_error(j->run));
    keep_outcome(j, ranks, ok);
    tl_buffer_free(&found);
    leave(j, ranks);
}

/* Refuses one request of one rank. All ranks have the right result, or all have its error, or that rank ends the
 * others because it could not tell them. Returns whether a request was refused. */
static bool refuse_one(job *j) {
    memset(j->outcome, 0, (RANKS + 1) * sizeof *j->outcome);
    const forked_end end = forked_try(RANKS, 0, rank_is_refused, j);
    const int quit_by = end.job->quit_by;
    munmap(end.job, sizeof *end.job);
    if (quit_by) {
        must_msg(quit_by == j->who + 1, "request %ld of rank %d was refused, and rank %d ends all", j->after,
                 j->who, quit_by - 1);
        assert_contains(j->outcome[j->who].error, "memory");
    }
    for (int r = 0; r < RANKS && !quit_by; r++) {
        const outcome *o = &j->outcome[r];
        must_msg(end.status[r] == 0 && o->over && o->ok == j->outcome[0].ok,
                 "request %ld of rank %d: rank %d: %d %s", j->after, j->who, r, end.status[r], o->error);
        must_msg(!strcmp(o->error, j->outcome[0].error), "rank %d: %s; rank 0: %s", r, o->error,
                 j->outcome[0].error);
    }
    return j->outcome[RANKS].over || quit_by;
}

START_TEST(refused_together) {
    tokens = 60;
    job j = job_of(&subjects[_i]);
    j.outcome = forked_share((RANKS + 1) * sizeof *j.outcome);
    bool refused = CAN_REFUSE;
    long times = 0;
    /* every request near the start of the sums' exchange, otherwise only some */
    const long each = strcmp(j.subject->name, "heads of lm --lines") ? 0 : 45;
    for (j.after = 0; refused; j.after += j.after < each ? 1 : 1 + j.after, times++) {
        j.who = (int)(times % RANKS);
        refused = refuse_one(&j);
    }
    must(!CAN_REFUSE || times > 5);
    job_end(&j);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, bits_of_one_process, 0, SUBJECTS);
    tcase_add_test(tc, order_of_batches);
    tcase_add_loop_test(tc, stopped_together, 0, SUBJECTS);
    tcase_add_test(tc, nobody_goes_on_for_long);
    tcase_add_loop_test(tc, failed_together, 0, ACTED_ON);
    tcase_add_loop_test(tc, refuses_what_differs, 0, 6);
    tcase_add_loop_test(tc, refused_together, 0, SUBJECTS);
}
TL_TEST_MAIN("run: passes of several ranks")
