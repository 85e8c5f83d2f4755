/* A student's function in a process of its own: pipes to it, limits on it, and how it ended.
 *
 * The runner has limits of clock time and processor time. When it ends, its whole process group is killed. Its
 * answer is read to the end of the pipe: a process that answers twice has forked, and so has one that leaves a child
 * holding its pipes. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include "marking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tapeloom.h>
#include <time.h>
#include <unistd.h>

enum { SAID_MOST = 1 << 16, GRACE_MS = 200, TICK_MS = 10 };

typedef struct child {
    pid_t pid;
    int to, from, printed; /* -1: closed */
    int status;
    /* flooded: it wrote more than the answers; held_open: another process still has the pipe of answers open */
    bool ended, in_time, flooded, held_open;
    course_bytes sent, got, text;
    size_t written; /* bytes of `sent` written so far */
} child;

/* ---- the child's side ---- */

static void limit(int what, rlim_t soft, rlim_t hard) { setrlimit(what, &(struct rlimit){soft, hard}); }

static void exec_runner(const char *runner, course_limits limits, int calls, int answers, int printed) {
    /* first move files above 2 out of the way of 3 and 4 */
    calls = fcntl(calls, F_DUPFD, 10), answers = fcntl(answers, F_DUPFD, 10);
    printed = fcntl(printed, F_DUPFD, 10);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0), dup2(printed, 1), dup2(printed, 2), dup2(calls, 3), dup2(answers, 4);
    for (int f = 5; f < 256; f++) close(f);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0); /* so that its children are killed with it */
    const rlim_t seconds = (rlim_t)limits.seconds + 1;
    limit(RLIMIT_CPU, seconds, seconds + 1);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, 0, 0);
    setenv("MALLOC_PERTURB_", "165", 1); /* glibc fills new memory with 0x5a, */
    setenv("MallocPreScribble", "1", 1); /* macOS with 0xaa, so that reading it shows */
    setenv("OMP_NUM_THREADS", "1", 1);   /* calls are small */
    char *const argv[] = {(char *)runner, NULL};
    /* last, since a sanitized marker already uses more */
    if (limits.memory > 0) limit(RLIMIT_AS, limits.memory, limits.memory);
    execv(runner, argv);
    _exit(127);
}

/* ---- the marker's side ---- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void shut(int *file) {
    if (*file >= 0) close(*file);
    *file = -1;
}

static bool open_pipe(int ends[2]) {
    if (pipe(ends) != 0) {
        ends[0] = ends[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    return true;
}

static bool start(child *c, const char *runner, course_limits limits) {
    int to[2] = {-1, -1}, from[2] = {-1, -1}, printed[2] = {-1, -1};
    if (open_pipe(to) && open_pipe(from) && open_pipe(printed)) {
        fcntl(to[1], F_SETFL, O_NONBLOCK);
        c->pid = fork();
        if (c->pid == 0) exec_runner(runner, limits, to[0], from[1], printed[1]);
        if (c->pid > 0) setpgid(c->pid, c->pid); /* done by both processes: either may be first */
    }
    shut(&to[0]), shut(&from[1]), shut(&printed[1]);
    c->to = to[1], c->from = from[0], c->printed = printed[0];
    return c->pid > 0;
}

/* Reads what has arrived, at most `most` bytes; closes *file at its end. */
static void receive(int *file, course_bytes *into, size_t most, bool *flooded) {
    unsigned char block[16384];
    const ssize_t n = read(*file, block, sizeof block);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0)
        shut(file);
    else if (into->size + (size_t)n > most)
        *flooded = true;
    else if (!course_append(into, block, (size_t)n))
        shut(file);
}

static void send_more(child *c) {
    const size_t left = c->sent.size - c->written;
    const ssize_t n = left > 0 ? write(c->to, c->sent.data + c->written, left) : 0;
    if (n > 0) c->written += (size_t)n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0 || c->written == c->sent.size) shut(&c->to); /* the runner ends when there are no more calls */
}

/* The process stays a zombie until end(), so that its group id is not reused. */
static void check_ended(child *c) {
    siginfo_t info = {0};
    if (!c->ended && waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        c->ended = info.si_pid == c->pid;
}

/* Sends and receives until the runner has ended and its pipes are empty, time is over, or the answer is too long. */
static void exchange(child *c, double seconds, size_t most) {
    double until = now() + seconds;
    bool grace = false, text_full = false;
    while ((c->from >= 0 || c->printed >= 0 || !c->ended) && !c->flooded) {
        check_ended(c);
        if (c->ended && !grace) grace = true, until = now() + 1e-3 * GRACE_MS;
        const double left = until - now();
        if (left <= 0) break;
        struct pollfd p[3] = {{c->from, POLLIN, 0}, {c->printed, POLLIN, 0}, {c->to, POLLOUT, 0}};
        const int wait = left < 1e-3 * TICK_MS ? (int)(left * 1000) + 1 : TICK_MS;
        if (poll(p, 3, wait) < 0) continue;
        if (p[0].revents) receive(&c->from, &c->got, most, &c->flooded);
        if (p[1].revents) receive(&c->printed, &c->text, SAID_MOST, &text_full);
        if (p[2].revents) send_more(c);
    }
    c->in_time = c->ended || c->flooded;
    c->held_open = c->ended && !c->flooded && c->from >= 0;
}

static void end(child *c) {
    if (c->pid > 0) {
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR) continue;
    }
    shut(&c->to), shut(&c->from), shut(&c->printed);
}

/* ---- how it ended ---- */

/* A sanitizer's line in what was printed, otherwise the last line. */
static void note_of(const char *text, char note[240]) {
    static const char *const marks[] = {"runtime error: ", "SUMMARY: ", "ERROR: "};
    const char *line = NULL;
    for (size_t k = 0; k < sizeof marks / sizeof *marks && !line; k++) line = strstr(text, marks[k]);
    while (line && line > text && line[-1] != '\n') line--;
    const char *last = NULL;
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strspn(at, " \t\r") < strcspn(at, "\n")) last = at;
    if (!line) line = last;
    if (!line) return;
    char one[160];
    snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
    char *shown = tl_shown_text(one);
    snprintf(note, 240, "%s", shown ? shown : "");
    free(shown);
}

static course_answer ending(const child *c) {
    if (!c->in_time) return (course_answer){.end = COURSE_LATE};
    if (WIFSIGNALED(c->status))
        return (course_answer){.end = WTERMSIG(c->status) == SIGXCPU ? COURSE_LATE : COURSE_CRASHED,
                               .signal = WTERMSIG(c->status)};
    const int status = WEXITSTATUS(c->status);
    return (course_answer){.end = status == 127 ? COURSE_SYSTEM : COURSE_LEFT, .signal = status};
}

static void judge(child *c, course_case *cases, int calls, unsigned ticket, course_answer *answers) {
    bool forged;
    const int whole = course_unpack(&c->got, cases, calls, ticket, answers, &forged);
    course_answer end = ending(c);
    if (forged || c->flooded || c->held_open) end = (course_answer){.end = COURSE_FORGED};
    if (end.end != COURSE_LATE && end.end != COURSE_FORGED && c->text.data)
        note_of((char *)c->text.data, end.note);
    const bool nothing_counts = end.end == COURSE_FORGED || !c->in_time;
    for (int i = nothing_counts ? 0 : whole; i < calls; i++) answers[i] = end;
}

static void keep_text(course_bytes *text, char *said, size_t size) {
    size_t used = 0;
    for (size_t i = 0; said && i < text->size && used + 1 < size; i++)
        if (text->data[i]) said[used++] = (char)text->data[i];
    if (said && size > 0) said[used] = '\0';
    for (size_t i = 0; i < text->size; i++) /* note_of needs a string without 0 */
        if (!text->data[i]) text->data[i] = ' ';
    if (text->size > 0 && !course_append(text, "", 1)) text->data[text->size - 1] = '\0';
}

static unsigned new_ticket(void) {
    static unsigned last;
    if (!last) last = (unsigned)time(NULL) * 2654435761u ^ (unsigned)getpid() << 16;
    return last = last * 1664525u + 1013904223u;
}

void course_run(const char *runner, course_limits limits, course_case *cases, int calls,
                course_answer *answers, char *said, size_t said_size) {
    child c = {.pid = -1, .to = -1, .from = -1, .printed = -1};
    const unsigned ticket = new_ticket();
    /* a runner that has closed its pipe must not end the marker */
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignored, &before);
    for (int i = 0; i < calls; i++) answers[i] = (course_answer){.end = COURSE_SYSTEM};
    if (course_pack(&c.sent, cases, calls, ticket) && start(&c, runner, limits)) {
        exchange(&c, limits.seconds, course_answer_size(cases, calls) + 4096);
        end(&c);
        keep_text(&c.text, said, said_size);
        judge(&c, cases, calls, ticket, answers);
    } else {
        end(&c);
        keep_text(&c.text, said, said_size);
    }
    sigaction(SIGPIPE, &before, NULL);
    free(c.sent.data), free(c.got.data), free(c.text.data);
}

bool course_is_sanitized(const char *runner) {
    static const char mark[] = "__asan_init";
    FILE *f = fopen(runner, "rb");
    size_t at = 0;
    for (int c; f && at < sizeof mark - 1 && (c = getc(f)) != EOF;)
        at = c == mark[at] ? at + 1 : c == mark[0] ? 1 : 0;
    if (f) fclose(f);
    return at == sizeof mark - 1;
}
