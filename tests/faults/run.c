/* One run of a command, with a fault, and what came of it (run.h). */
#define _GNU_SOURCE /* environ, pipe2 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a place ---- */

char *place_path(const place *p, const char *name, char path[1024]) {
    snprintf(path, 1024, "%s/%s", p->folder, name);
    return path;
}

void place_open(place *p, const char *folder, const char *build) {
    char path[1024];
    snprintf(p->folder, sizeof p->folder, "%s", folder);
    snprintf(p->build, sizeof p->build, "%s", build);
    if (mkdir(folder, 0777) != 0) give_up("cannot make", folder);
    const int fd = open(place_path(p, "faults", path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, sizeof *p->said) != 0) give_up("cannot write", path);
    p->said = mmap(NULL, sizeof *p->said, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p->said == MAP_FAILED) give_up("cannot map", path);
    close(fd);
    if (symlink("../world", place_path(p, "world", path)) != 0) give_up("cannot make", path);
}

/* ---- running ---- */

enum { WORDS = 96 };
/* Words between spaces; what is between '…' is one. `text` is cut up. */
static void cut(char *text, char *words[WORDS]) {
    int n = 0;
    for (char *at = text; *at && n < WORDS - 1;) {
        at += strspn(at, " \n");
        if (!*at) break;
        const bool quoted = *at == '\'';
        words[n++] = at += quoted;
        at += strcspn(at, quoted ? "'" : " \n");
        if (*at) *at++ = 0;
    }
    words[n] = NULL;
}

static void become(const place *p, const char *command, const char *input) {
    char path[1024], program[1200], *text = strdup(command), *words[WORDS];
    char preload[1100], where[1100], tools[1100];
    cut(text, words);
    snprintf(program, sizeof program, "%s/%s", p->build, words[0]);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/faults/preload.so", p->build);
    snprintf(where, sizeof where, "TL_FAULTS=%s/faults", p->folder);
    snprintf(tools, sizeof tools, "PATH=%s/../bin", p->folder);
    /* one thread, so that calls come in the same order; GOMP_SPINCOUNT: OpenMP needs no second start of the program */
    char *const environment[] = {
        preload, where, tools, "LC_ALL=C", "OMP_NUM_THREADS=1", "GOMP_SPINCOUNT=1000", NULL};
    snprintf(path, sizeof path, "%s/../world/%s", p->folder, input ? input : "");
    const int in = open(input ? path : "/dev/null", O_RDONLY);
    const int out = open(place_path(p, "out", path), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int err = open(place_path(p, "err", path), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (in < 0 || chdir(place_path(p, "here", path)) != 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
        dup2(err, 2) < 0)
        _exit(126);
    close(in), close(out), close(err);
    setpgid(0, 0);
    words[0] = strrchr(program, '/') + 1;
    execve(program, words, environment);
    _exit(126);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

long most_seconds = SECONDS;
static bool kill_at_random;
static void on_alarm(int number) { (void)number; }

/* Waits for the program, then for what it has started. SIGALRM interrupts the waiting when it is time to kill. */
static int wait_for(pid_t child, bool *late) {
    int status = 0, other;
    pid_t ended;
    while ((ended = waitpid(-1, &other, 0)) > 0 || errno == EINTR) {
        if (ended < 0) {
            *late = !kill_at_random;
            kill(kill_at_random ? child : -child, SIGKILL);
            kill_at_random = false;
        }
        if (ended == child) status = other;
    }
    return status;
}

outcome run_command(place *p, const char *command, const char *input, fault f) {
    outcome o = {.late = false};
    char path[1024];
    const double began = now();
    *p->said = (tl_faults){.kind = f.kind, .which = f.which, .at = f.at, .trace = f.trace};
    const pid_t child = fork();
    if (child < 0) give_up("cannot start", command);
    if (child == 0) become(p, command, input);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    const long after = f.after ? f.after : most_seconds * 1000000000L;
    kill_at_random = f.after != 0;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) give_up("no timer for", command);
    /* once more each second: the first may come just before the waiting begins */
    timer_settime(timer, 0, &(struct itimerspec){{1, 0}, {after / 1000000000L, after % 1000000000L}}, NULL);
    o.status = wait_for(child, &o.late);
    timer_delete(timer);
    o.seconds = now() - began;
    o.out = file_bytes(place_path(p, "out", path), &o.out_size);
    o.err = file_bytes(place_path(p, "err", path), &o.err_size);
    if (!o.out) o.out = strdup("");
    if (!o.err) o.err = strdup("");
    return o;
}
void outcome_free(outcome *o) {
    free(o->out);
    free(o->err);
}

/* ---- undisturbed ---- */

static const fault no_fault = {.kind = NOTHING};

bool reference_make(reference *r, place *p, const fault_case *c, char *why, size_t room) {
    char here[1024];
    *r = (reference){.c = c};
    place_path(p, "here", here);
    folder_put(&r->before, here);
    if (c->before) {
        outcome o = run_command(p, c->before, NULL, no_fault);
        const bool ok = o.status == 0;
        if (!ok)
            snprintf(why, room, "%s, before it: %s: status %d, says \"%s\"", c->name, c->before, o.status,
                     o.err);
        outcome_free(&o);
        if (!ok) return false;
        r->before = folder_take(here);
    }
    for (int again = 0; again < 2; again++) { /* the second time shows whether it is the same each time */
        folder_put(&r->before, here);
        outcome o = run_command(p, c->command, c->input, no_fault);
        folder f = folder_take(here);
        if (o.status != 0 || o.late) {
            snprintf(why, room, "%s, undisturbed: status %d, says \"%s\"", c->name, o.status, o.err);
            return outcome_free(&o), folder_free(&f), false;
        }
        if (again == 0) {
            r->calm = o, r->whole = f;
            memcpy(r->calls, p->said->calls, sizeof r->calls);
            continue;
        }
        const char *path = folders_differ(&r->whole, &f, c->log);
        const bool same = !path && o.out_size == r->calm.out_size && !memcmp(o.out, r->calm.out, o.out_size);
        if (!same)
            snprintf(why, room, "%s, undisturbed: %s differs from run to run", c->name,
                     path ? path : "its output");
        if (same && o.seconds < r->calm.seconds) r->calm.seconds = o.seconds;
        outcome_free(&o), folder_free(&f);
        if (!same) return false;
    }
    r->writes = folders_differ(&r->before, &r->whole, NULL) != NULL;
    return true;
}
void reference_free(reference *r) {
    folder_free(&r->before);
    folder_free(&r->whole);
    outcome_free(&r->calm);
}

/* ---- what it says ---- */

/* The name that a message about this path should have: of a temporary file the name that it will get. */
static void name_of(const char *path, const place *p, char name[256]) {
    const char *slash = strrchr(path, '/');
    *name = 0;
    if (!strncmp(path, p->folder, strlen(p->folder)) && slash == path + strlen(p->folder)) {
        if (!strcmp(slash, "/out")) strcpy(name, "standard output");
        return;
    }
    if (strstr(path, "pipe:") || !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6)) return;
    snprintf(name, 256, "%.255s", slash ? slash + 1 : path);
    const size_t size = strlen(name);
    if (*name == '.' && size > 4 && !strcmp(name + size - 4, ".tmp")) {
        name[size - 4] = 0;
        char *dot = strrchr(name, '.');
        if (dot > name) *dot = 0;
        memmove(name, name + 1, strlen(name));
    }
    if (!strcmp(name, ".")) *name = 0;
}

/* Does it say why, and of what? */
static bool says_why(const place *p, const outcome *o, const char *input, char *missing, size_t room) {
    const int number = p->said->number;
    if (strstr(o->err, "Success")) return snprintf(missing, room, "\"Success\" is no reason"), false;
    if (number == ENOMEM && (strstr(o->err, "memory") || strstr(o->err, "Memory"))) return true;
    /* a child that cannot say why */
    const char *call = p->said->call;
    if ((!strcmp(call, "dup2") || !strcmp(call, "execv") || !strcmp(call, "chdir")) &&
        strstr(o->err, "could not be started"))
        return true;
    /* the errno of a write that printf has made is not known later */
    if (!strcmp(call, "write") && strstr(o->err, "not everything could be written to standard output"))
        return true;
    if (!strstr(o->err, strerror(number)))
        return snprintf(missing, room, "\"%s\" is not said", strerror(number)), false;
    char name[256];
    if (p->said->kind == ALWAYS) return true; /* which of those that failed is named is all the same */
    name_of(p->said->path, p, name);
    if (input && !strcmp(name, input)) strcpy(name, "standard input");
    if (strstr(o->err, name)) return true;
    return snprintf(missing, room, "\"%s\" is not named", name), false;
}

/* ---- the folder afterwards ---- */

/* A file is as before or as at the end, unless a training has got half-way. */
static const char *torn(const reference *r, const folder *f) {
    for (int i = 0; i < f->count; i++) {
        const entry *e = &f->entries[i];
        if (e->folder || e->stray) continue;
        if (entries_same(e, folder_find(&r->before, e->path)) ||
            entries_same(e, folder_find(&r->whole, e->path)))
            continue;
        if (r->c->resume) continue; /* whether it can be resumed is seen next */
        return e->path;
    }
    return NULL;
}

/* The command again, undisturbed, as its user would: a training that has a checkpoint is resumed. */
static bool completed(const reference *r, place *p, const folder *f, bool warned, char *why, size_t room) {
    char here[1024];
    const bool resume = r->c->resume && (folder_find(f, "run/checkpoint.safetensors") ||
                                         folder_find(f, "run/pretraining/checkpoint.safetensors"));
    char over[2000];
    outcome o = run_command(p, resume ? r->c->resume : r->c->command, r->c->input, no_fault);
    if (o.status && !resume &&
        strstr(o.err, "say --overwrite")) { /* what is there is whole, but for what it says of itself */
        outcome_free(&o);
        snprintf(over, sizeof over, "%s --overwrite", r->c->command);
        o = run_command(p, over, r->c->input, no_fault);
    }
    folder end = folder_take(place_path(p, "here", here));
    const char *path = folders_differ(&end, &r->whole, warned && r->c->warned ? r->c->warned : r->c->log);
    bool ok = o.status == 0 || strstr(o.err, "there is nothing left to do");
    if (!ok) snprintf(why, room, "then again: status %d, says \"%.300s\"", o.status, o.err);
    if (ok && path)
        snprintf(why, room, "then again: %s is not as after an undisturbed run", path), ok = false;
    outcome_free(&o), folder_free(&end);
    return ok;
}

static bool is_new(states *seen, uint64_t print) {
    for (long i = seen->count - 1; i >= 0; i--)
        if (seen->seen[i] == print) return false;
    seen->seen = realloc(seen->seen, (size_t)(seen->count + 1) * sizeof *seen->seen);
    seen->seen[seen->count++] = print;
    return true;
}

static verdict judge(const reference *r, place *p, fault f, const outcome *o, const folder *end, char *why,
                     size_t room) {
    const bool same = !folders_differ(end, &r->whole, r->c->log) && o->out_size == r->calm.out_size &&
                      !memcmp(o->out, r->calm.out, o->out_size);
    char missing[400] = "";
    /* what the machine is called, say: its name is left out */
    const bool of_system = !strncmp(p->said->path, "/proc/", 6);
    if (o->late) return snprintf(why, room, "was not over after %d seconds", SECONDS), WRONG;
    if (WIFSIGNALED(o->status)) {
        if (WTERMSIG(o->status) == SIGKILL && (f.kind == KILL || f.after)) return KILLED;
        return snprintf(why, room, "signal %d", WTERMSIG(o->status)), WRONG;
    }
    if (f.kind == NOTHING || !p->said->hits) {
        if (o->status == 0 && same) return NO_FAULT;
        return snprintf(why, room, "no fault, and still status %d, \"%.300s\"", o->status, o->err), WRONG;
    }
    /* a process that the program has started was killed: it says so, unless nothing is missing */
    if (f.kind == KILL) {
        if (o->err_size > 0 || (o->status == 0 && same)) return KILLED;
        return snprintf(why, room, "a process of it was killed, and it says nothing: status %d", o->status),
               WRONG;
    }
    const bool said = says_why(p, o, r->c->input, missing, sizeof missing);
    if (o->status == 0 && same) return said ? WARNED : UNHARMED;
    if (o->status == 0 && (said || of_system)) return WARNED;
    if (o->status == 0) {
        const char *path = folders_differ(end, &r->whole, r->c->log);
        return snprintf(why, room, "exit status 0, but %s is another; %s in \"%.300s\"",
                        path ? path : "the output", missing, o->err),
               WRONG;
    }
    if (!said) return snprintf(why, room, "%s in \"%.300s\"", missing, o->err), WRONG;
    const char *path = torn(r, end);
    if (path) return snprintf(why, room, "%s is neither the old one nor the new one", path), WRONG;
    return FAILED;
}

verdict run_with_fault(const reference *r, place *p, fault f, states *seen, char *why, size_t room) {
    char here[1024], also[700];
    folder_put(&r->before, place_path(p, "here", here));
    outcome o = run_command(p, r->c->command, r->c->input, f);
    const tl_faults first = *p->said;
    folder end = folder_take(here);
    verdict v = judge(r, p, f, &o, &end, why, room);
    if (is_new(seen, folder_print(&end)) &&
        !completed(r, p, &end, v == WARNED || (f.kind == KILL && o.status == 0), also, sizeof also)) {
        const size_t used = v == WRONG ? strlen(why) : 0;
        snprintf(why + used, room - used, "%s%s", used ? "; " : "", also);
        v = WRONG;
    }
    *p->said = first; /* for who reports it */
    outcome_free(&o), folder_free(&end);
    return v;
}
