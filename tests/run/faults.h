/* The system's file calls with a fault: the process is killed at the n-th call, or calls fail from there on or once.
 * The test program's own functions replace the C library's, so include this only in the test's single file. The
 * faulty calls are made in a child, which uses the library and ends. Its time stands still, so that two runs write
 * the same bytes.
 *
 * Where calls cannot be replaced (a sanitizer replaces them itself, or this is not glibc on Linux), CAN_FAULT is 0. */
#ifndef TL_TESTS_FAULTS_H
#define TL_TESTS_FAULTS_H

#include "check.h"
#include "refuse.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if CAN_REFUSE && defined(__linux__)
# define CAN_FAULT 1
# include <sys/syscall.h>
#else
# define CAN_FAULT 0
#endif

typedef enum { NOTHING, KILL, FAIL_ONCE, FAIL_ALWAYS, REFUSE_ONCE, REFUSE_ALWAYS } fault_kind;
typedef struct fault {
    fault_kind kind;
    long at;    /* number of the call, from 1 */
    int number; /* errno of the failing call */
} fault;

/* A child's report, in shared memory. */
typedef struct report {
    long calls;
    bool hit, done; /* hit: the fault happened; done: the work was completed */
    char message[512];
} report;

static fault now_faulty;
static report *said;

#if CAN_FAULT
/* Does this call fail? */
static bool is_refused(const char *call, const char *path, int fd) {
    (void)call, (void)path, (void)fd;
    if (!said) return false;
    const long n = ++said->calls;
    const bool always = now_faulty.kind == FAIL_ALWAYS;
    if (n < now_faulty.at || (n > now_faulty.at && !always)) return false;
    if (now_faulty.kind == KILL) said->hit = true, raise(SIGKILL);
    if (now_faulty.kind != FAIL_ONCE && !always) return false;
    said->hit = true;
    errno = now_faulty.number;
    return true;
}

static bool is_last_write(void) {
    return said && now_faulty.kind == KILL && said->calls + 1 == now_faulty.at;
}
# include "faults/calls.h"

int clock_gettime(clockid_t which, struct timespec *to) {
    if (!said) return (int)syscall(SYS_clock_gettime, which, to);
    *to = (struct timespec){1, 0};
    return 0;
}
int timespec_get(struct timespec *to, int base) { return clock_gettime(CLOCK_REALTIME, to) ? 0 : base; }
#endif

/* LLVM's OpenMP leaves a file in /dev/shm if a process ends abnormally. If the process was killed while that file
 * was empty, the next process with the same number maps the empty file, reads it and dies of SIGBUS. */
static inline void remove_openmp_mark(pid_t process) {
    char mark[80];
    snprintf(mark, sizeof mark, "/dev/shm/__KMP_REGISTERED_LIB_%ld_%ld", (long)process, (long)getuid());
    unlink(mark);
}

/* Runs `act` in a child with this fault; an error is copied to `error`. Returns the child's status from waitpid: 0
 * for success, exit status 1 if it failed with an error. */
static inline int with_fault(fault f, void (*act)(void *context, tl_error *error), void *context, report *r) {
    static report *shared;
    if (!shared)
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    *shared = (report){.calls = 0};
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        tl_error error = {""};
        signal(SIGABRT, SIG_DFL), signal(SIGSEGV, SIG_DFL);
        now_faulty = f;
        (void)alive; /* refuse.h counts these; here the child's memory is freed with it */
        said = shared;
        if (f.kind == REFUSE_ONCE || f.kind == REFUSE_ALWAYS) refuse_after(f.at - 1, f.kind == REFUSE_ALWAYS);
        act(context, &error);
        if (f.kind == REFUSE_ONCE || f.kind == REFUSE_ALWAYS) shared->hit = grant_again();
        said = NULL;
        shared->done = true;
        snprintf(shared->message, sizeof shared->message, "%s", error.message);
        _exit(tl_failed(&error));
    }
    int end = 0;
    while (waitpid(child, &end, 0) < 0) ck_assert_int_eq(errno, EINTR);
    remove_openmp_mark(child);
    *r = *shared;
    return end;
}

#endif
