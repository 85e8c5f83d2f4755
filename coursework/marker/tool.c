/* A compiler or objdump in a process of its own, with limits of time, memory and disk, because it reads students'
 * files: one may #include a device, or have a macro that doubles itself forty times. */
#define _DEFAULT_SOURCE
#include "lecturing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tapeloom/io.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 60 };

void course_arg(course_args *a, const char *format, ...) {
    va_list list;
    char text[2 * COURSE_PATH];
    va_start(list, format);
    const int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    const int most = (int)(sizeof a->at / sizeof *a->at) - 1; /* the last one stays NULL */
    char *copy = length >= 0 && (size_t)length < sizeof text && a->count < most ? strdup(text) : NULL;
    if (copy)
        a->at[a->count++] = copy;
    else
        a->full = true;
}

void course_arg_words(course_args *a, const char *words) {
    while (*words) {
        words += strspn(words, " \t");
        const int length = (int)strcspn(words, " \t");
        if (length > 0) course_arg(a, "%.*s", length, words);
        words += length;
    }
}

void course_args_free(course_args *a) {
    for (int i = 0; i < a->count; i++) free(a->at[i]);
    *a = (course_args){0};
}

static void limit(int what, rlim_t most) { setrlimit(what, &(struct rlimit){most, most}); }

static void exec_tool(course_args *a, const char *folder) {
    if (chdir(folder) != 0) _exit(127);
    const int in = open("/dev/null", O_RDONLY);
    const int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0 || err < 0) _exit(127);
    dup2(in, 0), dup2(out, 1), dup2(err, 2);
    setpgid(0, 0);
    setenv("LC_ALL", "C", 1);
    limit(RLIMIT_CPU, SECONDS);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, (rlim_t)1 << 28);
    limit(RLIMIT_AS, (rlim_t)1 << 31); /* last, since a sanitized marker already uses more */
    execvp(a->at[0], a->at);
    _exit(127);
}

/* Waits at most SECONDS. False: the process was killed. */
static bool wait_for(pid_t child, int *status) {
    const struct timespec begin = {0, 1000000}, most = {0, 20000000};
    struct timespec pause = begin, start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        const pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child) return true;
        if (ended < 0 && errno != EINTR) return false;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec >= SECONDS) break;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < most.tv_nsec) pause.tv_nsec *= 2;
    }
    kill(-child, SIGKILL);
    waitpid(child, status, 0);
    return false;
}

int course_tool(course_args *a, const char *folder) {
    if (a->full || a->count == 0) return -1;
    const pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) exec_tool(a, folder);
    setpgid(child, child); /* done by both processes: either may be first */
    int status = 0;
    if (!wait_for(child, &status)) return -2;
    if (WIFSIGNALED(status)) return -2;
    return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

char *course_tool_text(const char *folder, const char *name) {
    char path[COURSE_PATH + 64], *text = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!tl_file_read_regular(path, (size_t)1 << 28, &text, &size, NULL)) return calloc(1, 1);
    return text;
}
