/* Threads at their limits: more than any machine has, and after a fork. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "tapeloom/tensor.h"
#include "tensor/share.h"

#include <sys/wait.h>
#include <unistd.h>

#ifdef _OPENMP

static void square(const void *job, long i) { ((long *)job)[i] = i * i; }

/* Parallel regions of both kinds. */
static void compute(long *squares, long count) {
    tl_share(true, count, square, squares);
    long sum = 0;
    for (long i = 0; i < count; i++) sum += squares[i];
    must(sum == (count - 1) * count * (2 * count - 1) / 6);
}

static void add_part(const void *job, long part, long parts) { ((long *)job)[part] = parts; }

static void assert_they_work(void) {
    long squares[1000], parts[1024] = {0};
    compute(squares, 1000);
    tl_share_parts(tl_threads(), add_part, parts);
    for (long i = 0; i < parts[0]; i++) must(parts[i] == parts[0]);
    must(parts[0] >= 1 && parts[0] <= tl_threads());
}

START_TEST(threads_have_a_bound) {
    static const int many[] = {64, 65, 1000, 100000, 2147483647};
    const int most = tl_processors() > 64 ? tl_processors() : 64;
    for (int i = 0; i < 5; i++) {
        tl_set_threads(many[i]);
        ck_assert_int_eq(tl_threads(), many[i] < most ? many[i] : most);
        assert_they_work();
    }
    omp_set_num_threads(100000); /* as OMP_NUM_THREADS would set it */
    ck_assert_int_eq(tl_threads(), most);
    assert_they_work();
    tl_set_threads(-1);
    ck_assert_int_eq(tl_threads(), most);
}
END_TEST

/* If the child waits for threads that it does not have, an alarm ends it. */
START_TEST(a_child_computes_alone) {
    tl_set_threads(3);
    assert_they_work();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(60);
        long squares[1000];
        tl_set_threads(3);
        const bool one = tl_threads() == 1;
        tl_share(true, 1000, square, squares);
        long parts[4] = {0};
        tl_share_parts(3, add_part, parts); /* with a number of threads from before the fork */
        _exit(one && squares[999] == 999 * 999 ? 0 : 1);
    }
    int end = -1;
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert_msg(WIFEXITED(end) && WEXITSTATUS(end) == 0, "the child ended with %x", (unsigned)end);
    ck_assert_int_eq(tl_threads(), 3); /* the parent still has its threads */
    assert_they_work();
}
END_TEST

/* A process that forks first has threads in both processes. */
START_TEST(a_fork_before_computing_costs_nothing) {
    tl_set_threads(3);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        long squares[1000];
        tl_share(true, 1000, square, squares);
# ifdef __clang__
        const bool told = true; /* LLVM's OpenMP starts anew, with a number of its own */
# else
        const bool told = tl_threads() == 3;
# endif
        _exit(told && squares[999] == 999 * 999 ? 0 : 1);
    }
    int end = -1;
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert(WIFEXITED(end) && WEXITSTATUS(end) == 0);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, threads_have_a_bound);
    tcase_add_test(tc, a_child_computes_alone);
    tcase_add_test(tc, a_fork_before_computing_costs_nothing);
}
#else
START_TEST(one_thread) {
    tl_set_threads(5);
    ck_assert(tl_threads() == 1 && tl_processors() == 1);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, one_thread); }
#endif

TL_TEST_MAIN("tensor: threads")
