/* Runs measurements in turn, as a plan on standard input says. A line of the plan has six columns, separated by tabs:
 *
 *     section  case  side  against  worker  request
 *
 * A worker is a program that keeps running and answers each request with a line (bench/worker.h). Output lines are the
 * first four columns and the answer. Plans put what is compared in neighbouring lines and repeat it round after round:
 * if the machine is slow for a while, it is slow for all of them. Workers run one at a time; they start when they are
 * first needed and end after their last line. The requests of the worker "sh" are commands, each run and timed as a
 * process.
 *
 *     build/bench/turns [--quiet] WORKER=COMMAND … < plan > log */
#define _DEFAULT_SOURCE /* wait4 */
#include "worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORKERS = 16, COLUMNS = 6, ANSWER_SIZE = 4096 };

typedef struct turn {
    char *column[COLUMNS];
    double took; /* seconds; 0: not yet run */
} turn;
enum { SECTION, CASE, SIDE, AGAINST, WORKER, REQUEST };

typedef struct worker {
    const char *name, *command;
    pid_t process; /* 0: not running */
    FILE *to, *from;
    bool died;
} worker;

static void die(const char *what, const char *which) {
    fprintf(stderr, "turns: %s%s\n", what, which);
    exit(2);
}

/* ---- the plan ---- */

static turn *read_plan(FILE *in, long *count) {
    long room = 0;
    turn *plan = NULL;
    char line[2048];
    for (*count = 0; fgets(line, sizeof line, in); ++*count) {
        if (*count == room) plan = realloc(plan, (size_t)(room = 2 * room + 64) * sizeof *plan);
        char *text = malloc(strlen(line) + 1);
        if (!plan || !text) die("out of memory", "");
        turn *t = &plan[*count];
        *t = (turn){{strcpy(text, line)}, 0};
        text[strcspn(text, "\n")] = 0;
        for (int c = 1; c < COLUMNS; c++) {
            char *tab = strchr(t->column[c - 1], '\t');
            if (!tab) die("a line of the plan has fewer than six columns: ", line);
            *tab = 0;
            t->column[c] = tab + 1;
        }
    }
    return plan;
}

/* Is this the worker's last line? */
static bool is_last(const turn *plan, long count, long i) {
    for (long j = i + 1; j < count; j++)
        if (!strcmp(plan[j].column[WORKER], plan[i].column[WORKER])) return false;
    return true;
}

/* An estimate: a request takes as long as the last time, or, if it has not run yet, the mean of all turns so far. */
static double seconds_left(const turn *plan, long count, long done) {
    double mean = 0, left = 0;
    for (long i = 0; i < done; i++) mean += plan[i].took / (double)done;
    for (long i = done; i < count; i++) {
        double likely = mean;
        for (long j = done - 1; j >= 0; j--)
            if (!strcmp(plan[j].column[REQUEST], plan[i].column[REQUEST]) &&
                !strcmp(plan[j].column[WORKER], plan[i].column[WORKER])) {
                likely = plan[j].took;
                break;
            }
        left += likely;
    }
    return left;
}

static void show_progress(const turn *plan, long count, long done) {
    static bool shown = false;
    static double began = 0;
    if (began == 0) began = now();
    if (!isatty(STDERR_FILENO)) { /* in a log, one line for each section */
        bool new =
            done < count && (done == 0 || strcmp(plan[done].column[SECTION], plan[done - 1].column[SECTION]));
        if (new)
            fprintf(stderr, "%d:%02d %s (turn %ld of %ld)\n", (int)(now() - began) / 60,
                    (int)(now() - began) % 60, plan[done].column[SECTION], done + 1, count);
        return;
    }
    if (shown) fprintf(stderr, "\r\033[K");
    shown = done < count;
    if (!shown) return;
    int left = done ? (int)seconds_left(plan, count, done) : 0;
    fprintf(stderr, "%ld/%ld %s: %s, %s", done + 1, count, plan[done].column[SECTION],
            plan[done].column[CASE], plan[done].column[SIDE]);
    if (left) fprintf(stderr, "; %d:%02d left", left / 60, left % 60);
}

/* ---- workers ---- */

static void worker_start(worker *w) {
    int to[2], from[2];
    if (pipe(to) || pipe(from)) die("no pipe for ", w->name);
    /* Otherwise later workers would inherit these and keep this one's input open. */
    fcntl(to[1], F_SETFD, FD_CLOEXEC);
    fcntl(from[0], F_SETFD, FD_CLOEXEC);
    w->process = fork();
    if (w->process < 0) die("no process for ", w->name);
    if (w->process == 0) {
        dup2(to[0], STDIN_FILENO), dup2(from[1], STDOUT_FILENO);
        close(to[0]), close(from[1]);
        char command[2048];
        snprintf(command, sizeof command, "exec %s", w->command);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    w->to = fdopen(to[1], "w"), w->from = fdopen(from[0], "r");
    if (!w->to || !w->from) die("no pipe for ", w->name);
}

static void worker_end(worker *w) {
    if (!w->process) return;
    int status;
    fclose(w->to), fclose(w->from);
    waitpid(w->process, &status, 0);
    w->process = 0;
}

/* The worker's answer, or an error if it has ended. */
static void ask(worker *w, const char *request, char answer[ANSWER_SIZE]) {
    if (!w->process && !w->died) worker_start(w);
    if (!w->died) {
        fprintf(w->to, "%s\n", request);
        fflush(w->to);
        if (fgets(answer, ANSWER_SIZE, w->from)) {
            answer[strcspn(answer, "\n")] = 0;
            return;
        }
        worker_end(w);
        w->died = true;
    }
    snprintf(answer, ANSWER_SIZE, "{\"error\": \"%s has ended\"}", w->name);
}

/* Runs and times a command. Its output is discarded. */
static void run_command(const char *command, char answer[ANSWER_SIZE]) {
    int status;
    struct rusage usage;
    double start = now();
    pid_t process = fork();
    if (process < 0) die("no process for ", command);
    if (process == 0) {
        if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout)) _exit(127);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (wait4(process, &status, 0, &usage) < 0) die("lost a process of ", command);
    if (status == 0)
        snprintf(answer, ANSWER_SIZE, "{\"ms_median\": %.6g, \"rss_mb\": %.1f}", 1e3 * (now() - start),
                 (double)usage.ru_maxrss / 1024);
    else
        snprintf(answer, ANSWER_SIZE, "{\"error\": \"the command failed\"}");
}

int main(int argc, char **argv) {
    worker workers[MOST_WORKERS];
    int worker_count = 0;
    bool quiet = false;
    for (int i = 1; i < argc; i++) {
        char *is = strchr(argv[i], '=');
        if (!strcmp(argv[i], "--quiet")) {
            quiet = true;
            continue;
        }
        if (!is || worker_count == MOST_WORKERS)
            die("turns [--quiet] WORKER=COMMAND … < plan, not ", argv[i]);
        *is = 0;
        workers[worker_count++] = (worker){.name = argv[i], .command = is + 1};
    }
    signal(SIGPIPE, SIG_IGN); /* ask reports a worker that has ended */
    long count;
    turn *plan = read_plan(stdin, &count);
    for (long i = 0; i < count; i++) {
        turn *t = &plan[i];
        char answer[ANSWER_SIZE];
        worker *w = NULL;
        for (int k = 0; k < worker_count && !w; k++)
            if (!strcmp(workers[k].name, t->column[WORKER])) w = &workers[k];
        if (!quiet) show_progress(plan, count, i);
        double start = now();
        if (!strcmp(t->column[WORKER], "sh"))
            run_command(t->column[REQUEST], answer);
        else if (w)
            ask(w, t->column[REQUEST], answer);
        else
            die("the plan names an unknown worker: ", t->column[WORKER]);
        t->took = now() - start;
        printf("%s\t%s\t%s\t%s\t%s\n", t->column[SECTION], t->column[CASE], t->column[SIDE],
               t->column[AGAINST], answer);
        fflush(stdout);
        if (w && is_last(plan, count, i)) worker_end(w);
    }
    if (!quiet) show_progress(plan, count, count);
    for (long i = 0; i < count; i++) free(plan[i].column[0]);
    free(plan);
    return 0;
}
