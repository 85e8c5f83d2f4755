/* make faults and make kills: runs commands again and again, each time with a fault at another call, and prints what
 * came of it (run.c judges, preload.c makes the faults). Exit status 0: nothing was found; 1: something was; 2: it
 * cannot run here. */
#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "make faults [MINUTES=3] [FAULTS=\"…\"]     or build/faults/sweep faults [options], from the top of the "
    "repository\n"
    "make kills  [MINUTES=3] [KILLS=\"…\"]      or build/faults/sweep kills [options]\n"
    "\n"
    "faults: of each command a request for memory or a file call fails, once, and then all from that one on. "
    "kills: the process is\n"
    "killed (SIGKILL) at a file call, or at a random moment. Each time the command is given again, and must "
    "end as if undisturbed.\n"
    "\n"
    "  --minutes N        so long in all, shared out among the commands (3); calls are then taken from all "
    "over a command\n"
    "  --all              every call of every command, however long it takes\n"
    "  --points N         at most so many calls of each kind, without a limit on time\n"
    "  --only TEXT        only commands with TEXT in their name (--list)\n"
    "  --at KIND:N        only one fault: memory:5, all-memory:5, file:5, all-files:5, kill:5; its messages "
    "are shown\n"
    "  --random N         kills: at so many random moments in all (1000)\n"
    "  --seed N           kills: other random moments (1)\n"
    "  --jobs N           commands at a time (as many as there are processors, at most 8)\n"
    "  --list             the commands\n"
    "  --quiet            no progress on standard error\n"
    "  --help             this text\n";

/* ---- the command line ---- */

static struct {
    bool kills, all, list, quiet;
    double minutes;
    long points, random, seed, jobs;
    const char *only, *at, *build;
} asked = {.minutes = 3, .random = 1000, .seed = 1, .only = ""};

static int fail(const char *what, const char *about) {
    fprintf(stderr, "faults: %s%s; --help lists what there is\n", what, about);
    exit(2);
}
static double number(const char *name, const char *text) {
    char *end;
    const double n = text ? strtod(text, &end) : -1;
    if (!text || !*text || *end || !(n > 0 && n < 1e9)) fail(name, ": a number above 0 is needed");
    return n;
}
static void parse(int argc, char **argv) {
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) fputs(usage, stdout), exit(0);
    if (argc < 2 || (strcmp(argv[1], "faults") && strcmp(argv[1], "kills")))
        fail("say first what: faults or kills", "");
    asked.kills = !strcmp(argv[1], "kills");
    for (int i = 2; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool taken = true;
        if (!strcmp(word, "--minutes"))
            asked.minutes = number(word, value);
        else if (!strcmp(word, "--points"))
            asked.points = (long)number(word, value);
        else if (!strcmp(word, "--random"))
            asked.random = (long)number(word, value);
        else if (!strcmp(word, "--seed"))
            asked.seed = (long)number(word, value);
        else if (!strcmp(word, "--jobs"))
            asked.jobs = (long)number(word, value);
        else if (!strcmp(word, "--only") && value)
            asked.only = value;
        else if (!strcmp(word, "--at") && value)
            asked.at = value;
        else if (!strcmp(word, "--build") && value)
            asked.build = value;
        else
            taken = false;
        i += taken;
        if (taken) continue;
        if (!strcmp(word, "--all"))
            asked.all = true;
        else if (!strcmp(word, "--list"))
            asked.list = true;
        else if (!strcmp(word, "--quiet"))
            asked.quiet = true;
        else if (!strcmp(word, "--help") || !strcmp(word, "-h"))
            fputs(usage, stdout), exit(0);
        else
            fail(word, ": no such option, or its value is missing");
    }
}

/* ---- faults of a kind ---- */

typedef struct kind {
    const char *name;
    fault_kind kind;
    int which;
} kind;
static const kind kinds[] = {{"memory", ONCE, MEMORY}, {"all-memory", ALWAYS, MEMORY},
                             {"file", ONCE, FILES},    {"all-files", ALWAYS, FILES},
                             {"kill", KILL, FILES},    {"random", KILL, FILES}};
enum { KILL_CALLS = 4, KILL_RANDOM = 5, KINDS = 6, MOST_JOBS = 8, MOST_FOUND = 1000 };

/* What all workers count, in shared memory. */
typedef struct tally {
    long next;  /* the next point */
    long drawn; /* random moments */
    long runs[KINDS], verdicts[WRONG + 1];
    long found;
    uint64_t seen[MOST_FOUND]; /* findings that were printed already */
} tally;
static tally *counts;
static place places[MOST_JOBS];
static double deadline; /* 0: none */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Point i of n, so that any first points are spread evenly: steps of about 0.618 n, without a common divisor. */
static long spread(long i, long n) {
    long step = (long)(0.618 * (double)n) | 1;
    for (long a = step, b = n, rest;;) {
        while (b) rest = a % b, a = b, b = rest;
        if (a == 1) break;
        a = ++step, b = n;
    }
    return (i * step) % n;
}

static bool is_first(const char *text) {
    uint64_t hash = 1469598103934665603u;
    for (; *text; text++)
        if (*text < '0' || *text > '9') hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    for (long i = 0; i < MOST_FOUND; i++) {
        uint64_t empty = 0;
        if (__atomic_compare_exchange_n(&counts->seen[i], &empty, hash, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return true;
        if (empty == hash) return false;
    }
    return false;
}
static void report(const reference *r, const place *p, const kind *k, fault f, const char *why) {
    char key[900], line[3000];
    __atomic_add_fetch(&counts->found, 1, __ATOMIC_RELAXED);
    snprintf(key, sizeof key, "%s %s %.300s", p->said->call, r->c->name, why);
    if (!is_first(key)) return;
    const char *name = !strncmp(p->said->path, p->folder, strlen(p->folder))
                           ? p->said->path + strlen(p->folder)
                           : p->said->path;
    int used = snprintf(line, sizeof line, "FOUND: %s: %s %ld (%s %.300s: %s): %.900s\n", r->c->name, k->name,
                        f.after ? f.after : f.at, p->said->call, name,
                        p->said->number ? strerror(p->said->number) : "-", why);
    if (!f.after)
        used += snprintf(line + used, sizeof line - (size_t)used,
                         "    again: build/faults/sweep %s --only '%s' --at %s:%ld\n",
                         asked.kills ? "kills" : "faults", r->c->name, k->name, f.at);
    if (write(STDOUT_FILENO, line, (size_t)used) < 0) exit(2);
}

static uint64_t draw(uint64_t n) { /* splitmix64 */
    n += 0x9e3779b97f4a7c15u;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
    return n ^ (n >> 31);
}

/* Takes point after point until there are none left, or no time. */
static void work(const reference *r, place *p, const kind *k, long points, long total) {
    states seen = {NULL, 0};
    const bool random = k == &kinds[KILL_RANDOM];
    for (long i; (i = __atomic_fetch_add(&counts->next, 1, __ATOMIC_RELAXED)) < points;) {
        char why[1600] = "";
        fault f = {.kind = k->kind, .which = k->which, .at = 1 + (random ? 0 : spread(i, total))};
        if (deadline > 0 && now() > deadline) break;
        if (random) {
            f = (fault){.kind = NOTHING};
            const uint64_t n =
                (uint64_t)(__atomic_fetch_add(&counts->drawn, 1, __ATOMIC_RELAXED) + asked.seed * 1000003);
            f.after = 1 + (long)(1e9 * r->calm.seconds * (double)(draw(n) >> 11) / 9007199254740992.0);
        }
        const verdict v = run_with_fault(r, p, f, &seen, why, sizeof why);
        __atomic_add_fetch(&counts->runs[k - kinds], 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&counts->verdicts[v], 1, __ATOMIC_RELAXED);
        if (v == WRONG) report(r, p, k, f, why);
        /* the command was over before that moment: another one instead */
        if (random && v == NO_FAULT && counts->drawn < 3 * points)
            __atomic_fetch_sub(&counts->next, 1, __ATOMIC_RELAXED);
    }
    free(seen.seen);
}

static void sweep(const reference *r, const kind *k, long points, long total) {
    counts->next = counts->drawn = 0;
    fflush(NULL);
    for (long j = 0; j < asked.jobs; j++) {
        const pid_t worker = fork();
        if (worker < 0) give_up("cannot start", "a worker");
        if (worker) continue;
        prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a killed program has started is waited for, too */
        work(r, &places[j], k, points, total);
        _exit(0);
    }
    for (int status; wait(&status) > 0 || errno == EINTR;)
        if (WIFEXITED(status) && WEXITSTATUS(status)) exit(2);
}

/* ---- a case ---- */

static void show_progress(int done, int count, double began) {
    if (asked.quiet || !done) return;
    const double took = now() - began, left = took / done * (count - done);
    fprintf(stderr, "%d of %d commands, about %.0f s left\n", done, count, left);
}

static long sum(const long *n, int count) {
    long all = 0;
    while (count > 0) all += n[--count];
    return all;
}

static void one_fault(const reference *r) {
    const char *colon = strchr(asked.at, ':');
    for (int i = 0; colon && i < KILL_RANDOM; i++) {
        if (strncmp(kinds[i].name, asked.at, (size_t)(colon - asked.at)) || kinds[i].name[colon - asked.at])
            continue;
        char why[1600] = "", here[1024];
        states seen = {NULL, 0};
        fault f = {.kind = kinds[i].kind,
                   .which = kinds[i].which,
                   .at = (long)number("--at", colon + 1),
                   .trace = true};
        folder_put(&r->before, place_path(places, "here", here));
        outcome o = run_command(places, r->c->command, r->c->input, f);
        printf("%s: status %d; %s %s: %s\n%s%s", r->c->name, o.status, places->said->call, places->said->path,
               places->said->number ? strerror(places->said->number) : "not reached", o.out, o.err);
        outcome_free(&o);
        f.trace = false;
        static const char *const names[] = {"no fault", "unharmed", "warned", "failed", "killed", "WRONG"};
        const verdict v = run_with_fault(r, places, f, &seen, why, sizeof why);
        printf("verdict: %s %s\n", names[v], why);
        counts->found += v == WRONG;
        return;
    }
    fail("--at ", asked.at);
}

/* About how many seconds all calls of a command take. */
static double need_of(const reference *r) {
    const double runs =
        asked.kills ? 1.5 * (double)r->calls[FILES] : 3.0 * (double)(r->calls[MEMORY] + r->calls[FILES]);
    return runs * r->calm.seconds / (double)asked.jobs;
}

/* The longest time that each of these commands may take, so that all together take no more than `left`: short ones are
 * run whole, and what they leave is for the others. */
static double share_of(const reference *all, const bool *waits, int count, double left) {
    double low = 0, high = left;
    for (int step = 0; step < 50; step++) {
        const double share = (low + high) / 2;
        double sum = 0;
        for (int i = 0; i < count; i++)
            if (waits[i]) sum += need_of(&all[i]) < share ? need_of(&all[i]) : share;
        *(sum < left ? &low : &high) = share;
    }
    return low;
}

static void sweep_case(const reference *r, double seconds, int writers) {
    const int first = asked.kills ? KILL_CALLS : 0, last = asked.kills ? KILL_RANDOM : KILL_CALLS - 1;
    long total = 0;
    memset(counts->runs, 0, sizeof counts->runs);
    memset(counts->verdicts, 0, sizeof counts->verdicts);
    const long found_before = counts->found;
    const double began = now(), share = began + seconds;
    for (int i = first; i <= last; i++) {
        long n = i == KILL_RANDOM ? (asked.random + writers - 1) / writers : r->calls[kinds[i].which],
             points = n;
        if (asked.points && asked.points < points) points = asked.points;
        deadline = asked.all || asked.points ? 0 : now() + (share - now()) / (last - i + 1);
        sweep(r, &kinds[i], points, n);
        total += i == KILL_RANDOM ? 0 : n;
    }
    const long *v = counts->verdicts;
    if (asked.kills)
        printf("%-22s %7ld %7ld %7ld %7ld %8ld %6ld %6.0f\n", r->c->name, r->calls[FILES],
               counts->runs[KILL_CALLS], counts->runs[KILL_RANDOM], v[KILLED], v[NO_FAULT],
               counts->found - found_before, now() - began);
    else
        printf("%-22s %7ld %7ld %7ld %5.0f%% %7ld %7ld %7ld %6ld %6.0f\n", r->c->name, r->calls[MEMORY],
               r->calls[FILES], sum(counts->runs, KINDS),
               100.0 * (double)sum(counts->runs, KINDS) / (double)(total ? total : 1), v[FAILED], v[WARNED],
               v[UNHARMED] + v[NO_FAULT], counts->found - found_before, now() - began);
    fflush(stdout);
}

/* What the headers promise after a failure, in one process (parts.c). Returns how many runs there were. */
static long sweep_parts(void) {
    char command[100], here[1024];
    long runs = 0, found = 0;
    const folder nothing = {NULL, 0};
    snprintf(command, sizeof command, "faults/parts ../world/t ../world %ld", asked.points);
    printf("\n%-22s %7s %7s %7s %6s\n", "usable afterwards", "memory", "files", "runs", "found");
    folder_put(&nothing, place_path(places, "here", here));
    most_seconds = 3600;
    outcome o = run_command(places, command, NULL, (fault){.kind = NOTHING});
    most_seconds = SECONDS;
    fputs(o.out, stdout);
    const char *last = strstr(o.out, "all parts");
    if (!last || sscanf(last, "all parts %ld %ld", &runs, &found) != 2 || (o.status && !found)) {
        printf("FOUND: parts: status %d, says \"%s\"\n", o.status, o.err);
        found = 1;
    }
    counts->found += found;
    outcome_free(&o);
    return runs;
}

/* ---- all ---- */

static char base[300];
static pid_t owner;
static void remove_base(void) {
    if (*base && getpid() == owner) folder_remove(base);
}

/* The folder with the world, in memory if possible, and a place for each worker. */
static void prepare(void) {
    char command[9000], path[400];
    if (!asked.build) asked.build = "build";
    char *build = realpath(asked.build, NULL), *top = realpath(".", NULL);
    if (!build || !top) give_up("cannot find", asked.build);
    snprintf(base, sizeof base, "%s/tapeloom-faults-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(base)) give_up("cannot make", base);
    owner = getpid();
    atexit(remove_base);
    setenv("B", build, 1);
    setenv("TOP", top, 1);
    snprintf(command, sizeof command, "cd %s && { %s} >made 2>&1 </dev/null", base, fault_world);
    if (system(command) != 0) {
        size_t size;
        snprintf(path, sizeof path, "%s/made", base);
        char *said = file_bytes(path, &size);
        fprintf(stderr, "faults: what the commands read cannot be made: %s\n", said ? said : path);
        exit(2);
    }
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (!asked.jobs) asked.jobs = processors > 0 ? processors : 1;
    if (asked.jobs > MOST_JOBS) asked.jobs = MOST_JOBS;
    for (long j = 0; j < asked.jobs; j++) {
        char name[400];
        snprintf(name, sizeof name, "%s/%ld", base, j);
        place_open(&places[j], name, build);
    }
    free(build);
    free(top);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    bool chosen[100] = {false};
    int count = 0, done = 0;
    for (int i = 0; i < fault_case_count; i++) {
        const fault_case *c = &fault_cases[i];
        chosen[i] = strstr(c->name, asked.only) != NULL && (!asked.at || !strcmp(c->name, asked.only));
        count += chosen[i];
        if (asked.list) printf("%-22s %s\n", c->name, c->command);
    }
    if (asked.list) return 0;
    if (!count && !strstr("parts", asked.only)) fail("no command has this name: ", asked.only);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED) give_up("cannot map", "memory");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prepare();
    static reference all[100];
    int writers = 0, broken = 0;
    for (int i = 0; i < fault_case_count; i++) {
        char why[1600];
        if (!chosen[i]) continue;
        if (!reference_make(&all[i], places, &fault_cases[i], why, sizeof why)) {
            printf("FOUND: %s\n", why);
            chosen[i] = false, broken++, count--;
        } else if (asked.kills && !all[i].writes) {
            chosen[i] = false, count--;
        }
        writers += chosen[i];
    }
    const double began = now(), until = began + 60 * asked.minutes;
    if (!asked.at && asked.kills)
        printf("%-22s %7s %7s %7s %7s %8s %6s %6s\n", "killed", "files", "there", "random", "killed",
               "too late", "found", "s");
    else if (!asked.at)
        printf("%-22s %7s %7s %7s %6s %7s %7s %7s %6s %6s\n", "failing", "memory", "files", "runs", "of all",
               "failed", "warned", "went on", "found", "s");
    long totals[4] = {0};
    for (int i = 0; i < fault_case_count; i++) {
        if (!chosen[i]) continue;
        show_progress(done, count, began);
        if (asked.at) {
            one_fault(&all[i]);
            continue;
        }
        sweep_case(&all[i], share_of(all, chosen, fault_case_count, until - now()), writers ? writers : 1);
        chosen[i] = false;
        done++;
        totals[0] += sum(counts->runs, KINDS), totals[1] += counts->runs[KILL_CALLS],
            totals[2] += counts->runs[KILL_RANDOM];
        totals[3] += counts->verdicts[KILLED];
    }
    if (!asked.at && asked.kills)
        printf("%ld kills at file calls, %ld at random moments (%ld processes killed); found: %ld\n",
               totals[1], totals[2], totals[3], counts->found);
    if (!asked.at && !asked.kills) {
        if (!*asked.only || strstr("parts", asked.only)) totals[0] += sweep_parts();
        printf("%ld runs; found: %ld\n", totals[0], counts->found);
    }
    return counts->found || broken;
}
