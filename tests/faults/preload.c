/* The library that make faults and make kills load before the C library: it counts requests for memory and file
 * calls, and lets one of them fail, or all from that one on, or ends the process there by SIGKILL (faults.h).
 * Standard output and what fopen opens are made to read and write by the calls that it counts. The clock stands
 * still, so that two runs write the same bytes. Programs that the program starts are left alone. */
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static tl_faults *said;
/* Parts of a program (parts.c) read and change it. */
tl_faults *tl_faults_said(void);
tl_faults *tl_faults_said(void) { return said; }

static bool happens(int which) {
    if (!said) return false;
    const long n = __atomic_add_fetch(&said->calls[which], 1, __ATOMIC_RELAXED);
    if (said->kind == NOTHING || said->which != which) return false;
    return n == said->at || (n > said->at && said->kind == ALWAYS);
}
static void note(const char *call, int number) {
    if (said->hits++) return;
    if (said->trace) {
        tl_faults *kept = said;
        void *callers[30];
        said = NULL; /* what this calls is not counted */
        backtrace_symbols_fd(callers, backtrace(callers, 30), STDERR_FILENO);
        said = kept;
    }
    snprintf(said->call, sizeof said->call, "%s", call);
    said->number = number;
}

/* ---- memory ---- */

static bool refused(void) {
    if (!happens(MEMORY)) return false;
    if (said->kind == KILL) raise(SIGKILL);
    note("malloc", ENOMEM);
    errno = ENOMEM;
    return true;
}
static void *counted(void *memory) { return memory; }
static void uncounted(void *memory) { (void)memory; }
#include "allocator.h"

/* ---- files ---- */

/* Why calls of this name fail in practice; each of them in turn. */
static int reason(const char *call, long at) {
    static const int writing[] = {ENOSPC, EIO, EDQUOT}, naming[] = {EACCES, EIO, ENOMEM},
                     starting[] = {EAGAIN, ENOMEM};
    char word[40];
    snprintf(word, sizeof word, " %s ", call);
    if (strstr(" write fsync ftruncate rename mkdir close ", word)) return writing[at % 3];
    if (strstr(" read pread fstat lseek readdir waitpid ", word)) return EIO;
    if (!strcmp(call, "access")) return at % 2 ? EIO : ENOMEM; /* "no" (EACCES) would be an answer */
    if (strstr(" fork pipe dup2 execv execvp ", word)) return starting[at % 2];
    return naming[at % 3];
}
static void note_path(const char *path, int fd) {
    char link[64];
    if (path) {
        strncpy(said->path, path, sizeof said->path - 1);
        return;
    }
    if (fd < 0) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (syscall(SYS_readlinkat, AT_FDCWD, link, said->path, sizeof said->path - 1) < 0) *said->path = 0;
}
static bool is_refused(const char *call, const char *path, int fd);
static bool is_last_write(void) {
    return said && said->kind == KILL && said->which == FILES && said->calls[FILES] + 1 == said->at;
}
#include "calls.h"

/* Messages on standard error are nobody's file. */
static bool is_refused(const char *call, const char *path, int fd) {
    if (fd == STDERR_FILENO || !happens(FILES)) return false;
    const int number = said->kind == ALWAYS ? EIO : reason(call, said->at);
    if (!said->hits) note_path(path, fd);
    note(call, number);
    if (said->kind == KILL) raise(SIGKILL);
    errno = number;
    return true;
}

TAKEN(pid_t, waitpid, (pid_t who, int *status, int how), (who, status, how), NULL, -1, -1)

/* What a process has used differs from run to run. */
pid_t wait4(pid_t who, int *status, int how, struct rusage *used) {
    if (is_refused("waitpid", NULL, -1)) return -1;
    if (used) memset(used, 0, sizeof *used);
    return (pid_t)syscall(SYS_wait4, who, status, how, NULL);
}

/* Other programs are not counted. */
int execv(const char *path, char *const *arguments) {
    if (is_refused("execv", path, -1)) return -1;
    if (strcmp(path, "/proc/self/exe")) unsetenv("LD_PRELOAD");
    return (int)syscall(SYS_execve, path, arguments, environ);
}
int execvp(const char *name, char *const *arguments) {
    static int (*real)(const char *, char *const *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "execvp");
    if (is_refused("execvp", name, -1)) return -1;
    unsetenv("LD_PRELOAD");
    return real(name, arguments);
}

/* ---- streams ---- */

static int number_of(void *cookie) { return (int)(intptr_t)cookie; }
static ssize_t read_stream(void *cookie, char *to, size_t size) { return read(number_of(cookie), to, size); }
static ssize_t write_stream(void *cookie, const char *from, size_t size) {
    const ssize_t n = write(number_of(cookie), from, size);
    return n < 0 ? 0 : n; /* fopencookie(3): an error is 0 */
}
static int close_stream(void *cookie) { return close(number_of(cookie)); }
static FILE *stream_of(int fd, const char *mode) {
    return fopencookie((void *)(intptr_t)fd, mode,
                       (cookie_io_functions_t){read_stream, write_stream, NULL, close_stream});
}

FILE *fopen(const char *path, const char *mode) {
    const int way = *mode == 'r'   ? O_RDONLY
                    : *mode == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                                   : O_WRONLY | O_CREAT | O_APPEND;
    const int fd = open(path, way, 0666);
    FILE *opened = fd < 0 ? NULL : stream_of(fd, mode);
    if (fd >= 0 && !opened) syscall(SYS_close, fd), errno = ENOMEM;
    return opened;
}

static FILE *output;
int fileno(FILE *stream) {
    static int (*real)(FILE *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fileno");
    return stream == output ? STDOUT_FILENO : real(stream);
}

/* ---- time ---- */

int clock_gettime(clockid_t which, struct timespec *to) {
    (void)which;
    *to = (struct timespec){.tv_sec = 1};
    return 0;
}
int timespec_get(struct timespec *to, int base) { return clock_gettime(CLOCK_REALTIME, to) ? 0 : base; }
int gettimeofday(struct timeval *to, void *zone) {
    (void)zone;
    *to = (struct timeval){.tv_sec = 1};
    return 0;
}
time_t time(time_t *to) {
    if (to) *to = 1;
    return 1;
}

int getloadavg(double *load, int count) { /* of the machine, for records */
    for (int i = 0; i < count; i++) load[i] = 0;
    return count;
}

/* ---- beginning ---- */

__attribute__((constructor(101))) static void begin(void) {
    const char *path = getenv("TL_FAULTS");
    const int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *shared =
        (void *)syscall(SYS_mmap, NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)0);
    syscall(SYS_close, fd);
    output = stdout = stream_of(STDOUT_FILENO, "w");
    said = shared == MAP_FAILED ? NULL : shared;
}
