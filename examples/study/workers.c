/* Jobs in parallel: each is a process with one thread. A job's file of numbers appears whole or not at all, and a
 * run resumes from its checkpoint; so the study continues where it was, however it ended. */
#define _DEFAULT_SOURCE /* wait4 */
#include "parts.h"

#include "../program/program.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
# include <sys/prctl.h>
#endif
#include <time.h>
#include <unistd.h>

enum { WAITS, RUNS, IS_DONE, SIDE_BY_SIDE_MOST = 256, STOPPED = 130 };

typedef struct worker {
    pid_t process; /* 0: idle */
    job *job;
    int said; /* a pipe's end, to read why it failed */
    double began;
} worker;

typedef struct team {
    study *study;
    worker worker[SIDE_BY_SIDE_MOST];
    long size, busy;
    double done, total; /* sums of costs, in core-seconds of the full budget */
    tl_progress progress;
    tl_error error;
} team;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- in the child ---- */

static bool do_job(const job *j, tl_error *error) {
    numbers n = {.row = NULL};
    bool ok = true;
    if (j->trains)
        ok = job_train(j, j->run_dir, j->arm.settings, j->arm.stops, NULL, error);
    else
        ok = j->arm.work(j, &n, error);
    /* an interrupted job has an error */
    if (ok && !j->trains && !n.count) ok = tl_error_set(error, "nothing was measured");
    if (ok && !j->trains) ok = numbers_write(&n, j->measured, error);
    numbers_free(&n);
    return ok || tl_error_set(error, "it failed without saying why");
}

static void child(const job *j, int say) {
    tl_error error = {""};
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a job ends with its study; the next study takes it over */
#endif
    tl_set_threads(1);
    int status = 0;
    if (!do_job(j, &error)) {
        status = interrupted_by() ? STOPPED : 1;
        const ssize_t written = write(say, error.message, strlen(error.message));
        (void)written; /* if the parent no longer reads, the reason is not needed */
    }
    close(say);
    _exit(status);
}

/* ---- in the parent ---- */

static void name_job(const job *j, char *to, size_t size) {
    snprintf(to, size, "%s%s, %s, seed %lu", j->trains ? "training for " : "", j->claim->name, j->arm.name,
             (unsigned long)j->real_seed);
}

static bool start(team *t, worker *w, job *j) {
    int ends[2];
    fflush(stdout);
    if (pipe(ends)) return tl_error_set(&t->error, "no pipe for a process: %s", strerror(errno));
    const pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        child(j, ends[1]);
    }
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return tl_error_set(&t->error, "no new process: %s", strerror(errno));
    }
    *w = (worker){process, j, ends[0], now()};
    j->state = RUNS;
    t->busy++;
    return true;
}

static void fail_of(team *t, const worker *w, int status) {
    char name[256], why[sizeof(tl_error)] = "";
    size_t length = 0;
    for (ssize_t more; length < sizeof why - 1; length += (size_t)more)
        if ((more = read(w->said, why + length, sizeof why - 1 - length)) <= 0) break;
    why[length] = 0;
    name_job(w->job, name, sizeof name);
    if (WIFSIGNALED(status))
        tl_error_set(&t->error, "%s: the process ended by signal %d", name, WTERMSIG(status));
    else
        tl_error_set(&t->error, "%s: %s", name, why);
}

static void ended(team *t, worker *w, int status, const struct rusage *used) {
    const double seconds = (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
                           1e-6 * (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        w->job->state = IS_DONE;
        t->done += w->job->arm.cost;
        record_job(t->study, w->job, w->began, seconds, &t->error);
    } else if (!(WIFEXITED(status) && WEXITSTATUS(status) == STOPPED)) {
        fail_of(t, w, status);
    }
    close(w->said);
    w->process = 0;
    t->busy--;
}

/* The system does not say how the process ended: who started this program ignores SIGCHLD, perhaps. */
static void lost(team *t, worker *w) {
    char name[256];
    const int number = errno;
    name_job(w->job, name, sizeof name);
    tl_error_set(&t->error, "%s: cannot wait for its process: %s", name, strerror(number));
    close(w->said);
    w->process = 0;
    t->busy--;
}

/* Collects the processes that have ended. */
static void gather(team *t) {
    for (long i = 0; i < t->size; i++) {
        int status;
        struct rusage used;
        worker *w = &t->worker[i];
        const pid_t process = w->process ? wait4(w->process, &status, WNOHANG, &used) : 0;
        if (process > 0)
            ended(t, w, status, &used);
        else if (process < 0 && errno != EINTR)
            lost(t, w);
    }
}

/* The next job that can start: first runs, which other jobs wait for. */
static job *next_job(study *s) {
    for (int pass = 0; pass < 2; pass++)
        for (long i = 0; i < s->count; i++) {
            job *j = s->job[i];
            if (j->state == WAITS && j->trains == !pass && (!j->run || j->run->state == IS_DONE)) return j;
        }
    return NULL;
}

static void start_all(team *t) {
    for (long i = 0; i < t->size; i++) {
        job *j = t->worker[i].process ? NULL : next_job(t->study);
        if (j && !start(t, &t->worker[i], j)) return;
    }
}

/* Costs are estimates: a job that takes longer than its cost counts as nearly done. */
static void show(team *t) {
    double done = t->done;
    for (long i = 0; i < t->size; i++)
        if (t->worker[i].process) done += fmin(now() - t->worker[i].began, 0.95 * t->worker[i].job->arm.cost);
    tl_progress_update(&t->progress, (long)fmin(done, t->total), 0, 0);
}

static void stop_all(const team *t) {
    for (long i = 0; i < t->size; i++)
        if (t->worker[i].process) kill(t->worker[i].process, SIGTERM);
}

static void run_workers(team *t) {
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
    bool told = false;
    for (;;) {
        const bool goes_on = !tl_failed(&t->error) && !interrupted_by();
        gather(t);
        if (goes_on) start_all(t);
        show(t);
        if (!t->busy) break;
        if (!goes_on && !told) stop_all(t), told = true;
        nanosleep(&pause, NULL);
    }
}

/* ---- folders ---- */

static bool make_folder(const char *path, tl_error *error) {
    char folder[FOLDER_SIZE];
    if (strlen(path) >= sizeof folder) return tl_error_set(error, "%s: the name is too long", path);
    strcpy(folder, path);
    for (char *at = folder + 1;; at++) {
        const char was = *at;
        if (was && was != '/') continue;
        *at = 0;
        if (mkdir(folder, 0777) && errno != EEXIST)
            return tl_error_set(error, "%s cannot be made: %s", folder, strerror(errno));
        if (!(*at = was)) return true;
    }
}

static bool make_folders(const study *s, tl_error *error) {
    static const char *const parts[] = {"runs", "work", "measured"};
    char path[PATH_SIZE];
    bool ok = true;
    for (int i = 0; ok && i < 3; i++) ok = make_folder(path_in(path, s->out, parts[i]), error);
    return ok && make_folder(path_in(path, s->page, "study"), error);
}

/* Is there still something to do for this job? A run needs training only if a measurement of it is missing. */
static bool is_needed(const study *s, const job *j, tl_error *error) {
    if (job_is_done(j, error)) return false;
    bool needed = !j->trains;
    for (long i = 0; i < s->count && !needed; i++)
        needed = s->job[i]->run == j && !job_is_done(s->job[i], error);
    return needed;
}

int study_work(study *s) {
    team *t = calloc(1, sizeof *t);
    if (!t) return fail_with("out of memory");
    t->study = s;
    t->size = s->side_by_side ? s->side_by_side : tl_processors();
    if (t->size > SIDE_BY_SIDE_MOST) t->size = SIDE_BY_SIDE_MOST;
    for (long i = 0; i < s->count; i++)
        s->job[i]->state = is_needed(s, s->job[i], &t->error) ? WAITS : IS_DONE;
    for (long i = 0; i < s->count; i++) {
        t->total += s->job[i]->arm.cost;
        if (s->job[i]->state == IS_DONE) t->done += s->job[i]->arm.cost;
    }
    t->progress = (tl_progress){.out = s->quiet ? NULL : stderr,
                                .total = (long)ceil(t->total),
                                .first = (long)t->done,
                                .unit = "core-second",
                                .no_loss = true,
                                .after = 1};
    catch_signals();
    tl_folder *folder =
        !tl_failed(&t->error) && make_folders(s, &t->error) ? tl_folder_lock(s->out, &t->error) : NULL;
    if (folder) {
        tl_progress_start(&t->progress);
        run_workers(t);
        tl_progress_finish(&t->progress);
    }
    tl_folder_unlock(folder);
    int status = tl_failed(&t->error) ? fail_with(t->error.message) : interrupted_by() ? STOPPED : 0;
    free(t);
    return status;
}
