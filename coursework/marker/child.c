/* A student's function in a process of its own: pipes to it, limits on it, and what became of it. */
#define _DEFAULT_SOURCE
#include "../kit/runner/wire.h"
#include "marking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct bytes {
    unsigned char *data;
    size_t size, room;
} bytes;

static bool append(bytes *b, const void *more, size_t size) {
    if (b->size + size > b->room) {
        const size_t room = 2 * (b->size + size) + 4096;
        unsigned char *data = realloc(b->data, room);
        if (!data) return false;
        b->data = data, b->room = room;
    }
    if (size > 0) memcpy(b->data + b->size, more, size);
    b->size += size;
    return true;
}

/* All calls, as the runner reads them. */
static bool pack(bytes *to, const course_case *cases, int calls) {
    bool ok = true;
    for (int i = 0; ok && i < calls; i++) {
        const course_case *c = &cases[i];
        wire_call w = {.flags = c->flags, .arrays = c->arrays};
        snprintf(w.function, sizeof w.function, "%s", c->of->function);
        memcpy(w.n, c->n, sizeof w.n);
        memcpy(w.p, c->p, sizeof w.p);
        for (int k = 0; k < c->arrays; k++) w.count[k] = c->a[k].count;
        ok = append(to, &w, sizeof w);
        for (int k = 0; ok && k < c->arrays; k++)
            ok = append(to, c->a[k].data, (size_t)c->a[k].count * sizeof(double));
    }
    return ok;
}

/* What came back, into the cases. Returns how many calls were answered whole. */
static int unpack(const bytes *from, course_case *cases, int calls, course_answer *answers) {
    size_t at = 0;
    for (int i = 0; i < calls; i++) {
        course_case *c = &cases[i];
        size_t need = sizeof(wire_answer);
        for (int k = 0; k < c->arrays; k++)
            need += (size_t)(c->a[k].count + 2 * COURSE_GUARD) * sizeof(double);
        if (from->size - at < need) return i;
        wire_answer w;
        memcpy(&w, from->data + at, sizeof w);
        at += sizeof w;
        answers[i] = (course_answer){.end = w.known ? COURSE_ANSWERED : COURSE_UNKNOWN, .blocks = w.blocks};
        for (int k = 0; k < c->arrays; k++) {
            const size_t count = (size_t)c->a[k].count;
            double guard[2 * COURSE_GUARD];
            memcpy(guard, from->data + at, sizeof guard / 2);
            memcpy(c->a[k].data, from->data + at + sizeof guard / 2, count * sizeof(double));
            memcpy(guard + COURSE_GUARD, from->data + at + sizeof guard / 2 + count * sizeof(double),
                   sizeof guard / 2);
            at += sizeof guard + count * sizeof(double);
            for (int g = 0; g < 2 * COURSE_GUARD; g++)
                if (guard[g] != (double)COURSE_GUARD_VALUE && !answers[i].touched) {
                    answers[i].touched = true;
                    memcpy(answers[i].where, c->a[k].name, sizeof answers[i].where);
                }
        }
    }
    return calls;
}

static void limit(int what, rlim_t most) { setrlimit(what, &(struct rlimit){most, most}); }

static void become(const char *runner, course_limits limits, int calls, int answers, int printed) {
    /* Files above 2 first out of the way of 3 and 4. */
    calls = fcntl(calls, F_DUPFD, 10), answers = fcntl(answers, F_DUPFD, 10),
    printed = fcntl(printed, F_DUPFD, 10);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0), dup2(printed, 1), dup2(printed, 2), dup2(calls, 3), dup2(answers, 4);
    for (int f = 5; f < 64; f++) close(f);
    setpgid(0, 0); /* what it starts dies with it */
    limit(RLIMIT_CPU, (rlim_t)(limits.seconds + 1));
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    if (limits.memory > 0) limit(RLIMIT_AS, limits.memory);
    char *const argv[] = {(char *)runner, NULL};
    execv(runner, argv);
    _exit(127);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sends and receives until the runner has closed its end or time is over. True: in time. */
static bool talk(int to, int from, int printed, const bytes *calls, bytes *answers, bytes *text,
                 double seconds, size_t most) {
    const double until = now() + seconds;
    size_t sent = 0;
    while (from >= 0) {
        const double left = until - now();
        if (left <= 0 || answers->size > most) return false;
        struct pollfd p[3] = {{from, POLLIN, 0}, {printed, POLLIN, 0}, {to, POLLOUT, 0}};
        if (poll(p, 3, (int)(left * 1000) + 1) < 0 && errno != EINTR) return false;
        unsigned char block[65536];
        if (p[0].revents) {
            const ssize_t n = read(from, block, sizeof block);
            if (n <= 0)
                from = -1;
            else if (!append(answers, block, (size_t)n))
                return false;
        }
        if (p[1].revents) {
            const ssize_t n = read(printed, block, sizeof block);
            if (n <= 0)
                printed = -1;
            else if (text->size < 4096 && !append(text, block, (size_t)n))
                return false;
        }
        if (p[2].revents) {
            const ssize_t n = sent < calls->size ? write(to, calls->data + sent, calls->size - sent) : 0;
            if (n > 0) sent += (size_t)n;
            if (n <= 0 || sent == calls->size) close(to), to = -1;
        }
    }
    return true;
}

static void all_ended(course_answer *answers, int from, int calls, course_end end, int signal) {
    for (int i = from; i < calls; i++) answers[i] = (course_answer){.end = end, .signal = signal};
}

void course_run(const char *runner, course_limits limits, course_case *cases, int calls,
                course_answer *answers, char *said, size_t said_size) {
    bytes sent = {0}, got = {0}, text = {0};
    int to[2] = {-1, -1}, from[2] = {-1, -1}, printed[2] = {-1, -1};
    pid_t child = -1;
    signal(SIGPIPE, SIG_IGN);
    all_ended(answers, 0, calls, COURSE_SYSTEM, 0);
    if (pack(&sent, cases, calls) && pipe(to) == 0 && pipe(from) == 0 && pipe(printed) == 0) {
        fcntl(to[1], F_SETFL, O_NONBLOCK);
        child = fork();
        if (child == 0) become(runner, limits, to[0], from[1], printed[1]);
    }
    close(to[0]), close(from[1]), close(printed[1]);
    if (child > 0) {
        size_t most = 65536;
        for (int i = 0; i < calls; i++)
            for (int k = 0; k < cases[i].arrays; k++)
                most += (size_t)(cases[i].a[k].count + 64) * 2 * sizeof(double);
        const bool in_time = talk(to[1], from[0], printed[0], &sent, &got, &text, limits.seconds, most);
        to[1] = -1; /* talk has closed it, or the next line ends who reads it */
        if (!in_time) kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        kill(-child, SIGKILL);
        const int whole = unpack(&got, cases, calls, answers);
        if (whole < calls || !in_time)
            all_ended(answers, whole, calls,
                      !in_time ? COURSE_LATE
                      : WIFSIGNALED(status)
                          ? (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? COURSE_LATE
                                                                                        : COURSE_CRASHED)
                      : WEXITSTATUS(status) == 127 ? COURSE_SYSTEM
                                                   : COURSE_LEFT,
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    if (to[1] >= 0) close(to[1]);
    close(from[0]), close(printed[0]);
    if (said && said_size > 0)
        snprintf(said, said_size, "%.*s", (int)text.size, text.data ? (const char *)text.data : "");
    free(sent.data), free(got.data), free(text.data);
}
