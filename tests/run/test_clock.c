/* Training for some minutes while somebody sets the clock: the time of day must not count. */
#define _GNU_SOURCE /* syscall */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

/* ---- the C library's clocks: every reading of the time of day is a day later ---- */

static time_t day;
static time_t later(void) { return 1800000000 + 86400 * ++day; }

int timespec_get(struct timespec *t, int base) {
    *t = (struct timespec){.tv_sec = later()};
    return base;
}
time_t time(time_t *t) {
    const time_t now = later();
    if (t) *t = now;
    return now;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    (void)zone;
    *t = (struct timeval){.tv_sec = later()};
    return 0;
}
int clock_gettime(clockid_t clock, struct timespec *t) {
    if (clock == CLOCK_REALTIME) return *t = (struct timespec){.tv_sec = later()}, 0;
    return (int)syscall(SYS_clock_gettime, clock, t);
}

static scratch here;
static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

START_TEST(minutes_are_those_of_a_steady_clock) {
    tl_run_settings s = small_settings();
    tl_training_end end;
    s.training.minutes = 600;
    tl_run *run = tl_run_new(here.folder, &s);
    tl_ending ending = tl_run_train(run, true, &end);
    ck_assert_msg(ending == TL_ENDED, "%s", tl_run_error(run));
    ck_assert_str_eq(end.why, "all steps are done");
    ck_assert_int_eq(end.state.step, s.training.steps);
    ck_assert_msg(end.state.seconds >= 0 && end.state.seconds < 36000, "%g s", end.state.seconds);
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, minutes_are_those_of_a_steady_clock);
}
TL_TEST_MAIN("run: the clock")
