/* Ranks without MPI: processes made by fork(), connected by sockets.h, each of which runs a test's function.
 *
 * Assertions work in ranks: Check gets the first one that failed, and forked_run fails. (Check must fork, which is
 * its default.) A test that includes this begins with #define _XOPEN_SOURCE 700. */
#ifndef TL_TESTS_RANKS_FORKED_H
#define TL_TESTS_RANKS_FORKED_H

#include "check.h"
#include "sockets.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Zeroed memory that ranks and their parent share for the whole test, for results. */
static inline void *forked_share(size_t bytes) {
    FILE *file = tmpfile();
    ck_assert(file && ftruncate(fileno(file), (off_t)bytes) == 0);
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    ck_assert(shared != MAP_FAILED);
    fclose(file);
    return shared;
}

typedef struct forked_end {
    int status[FORKED_MOST]; /* exit status, or 128 plus a signal's number; 1 for ranks that quit has ended */
    forked_job *job;
} forked_end;

static inline void forked_child(forked *f, int sockets[FORKED_MOST][FORKED_MOST],
                                void (*rank)(tl_ranks *ranks, void *context), void *context) {
    for (int a = 0; a < f->count; a++)
        for (int b = 0; b < f->count; b++)
            if (a == f->number)
                f->socket[b] = sockets[a][b];
            else if (sockets[a][b] >= 0)
                close(sockets[a][b]);
    tl_ranks *ranks = tl_ranks_over(&forked_transport, f, f->count, f->number);
    ck_assert(ranks != NULL);
    snprintf(ranks->text, sizeof ranks->text, "%d forked ranks", f->count);
    snprintf(ranks->host, sizeof ranks->host, "host %d", f->number);
    (void)tl_threads(); /* clang's OpenMP starts again in a child, and aborts if refused memory (refuse.h) */
    rank(ranks, context);
    tl_ranks_end(ranks, false);
    exit(0);
}

/* Waits for all ranks. Once one of them has ended the job, the others are killed and their status is 1, as under
 * mpirun. */
static inline void forked_await(const pid_t *pids, forked_end *end) {
    bool ended[FORKED_MOST] = {false};
    for (int left = end->job->count; left > 0;) {
        int status, r = 0;
        const pid_t pid = waitpid(-1, &status, 0);
        while (r < end->job->count && pids[r] != pid) r++;
        if (r == end->job->count) continue;
        ended[r] = true;
        left--;
        end->status[r] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (!end->job->quit_by) continue;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) end->status[r] = 1;
        for (int i = 0; i < end->job->count; i++)
            if (!ended[i]) kill(pids[i], SIGKILL);
    }
}

/* Runs `rank` in `count` processes, each with its ranks, which are ended afterwards; waits for them and returns how
 * they ended. If a rank ends its ranks itself, `rank` must not return. */
static inline forked_end forked_try(int count, uint64_t seed, void (*rank)(tl_ranks *ranks, void *context),
                                    void *context) {
    int sockets[FORKED_MOST][FORKED_MOST];
    pid_t pids[FORKED_MOST];
    forked_end end = {.job = forked_share(sizeof *end.job)};
    ck_assert(count >= 1 && count <= FORKED_MOST);
    end.job->count = count;
    for (int a = 0; a < count; a++)
        for (int b = 0, two[2]; b <= a; b++) {
            sockets[a][b] = sockets[b][a] = -1;
            if (a == b) continue;
            ck_assert_msg(socketpair(AF_UNIX, SOCK_STREAM, 0, two) == 0, "no sockets: %s", strerror(errno));
            sockets[a][b] = two[0], sockets[b][a] = two[1];
        }
    fflush(NULL);
    for (int r = 0; r < count; r++) {
        pids[r] = fork();
        ck_assert_msg(pids[r] >= 0, "no process: %s", strerror(errno));
        if (pids[r]) continue;
        forked *f = calloc(1, sizeof *f);
        ck_assert(f != NULL);
        *f = (forked){.count = count, .number = r, .job = end.job};
        f->seed = seed ? forked_mix(seed * 1000 + (uint64_t)r) | 1 : 0;
        forked_child(f, sockets, rank, context);
    }
    for (int a = 0; a < count; a++)
        for (int b = 0; b < count; b++)
            if (a != b) close(sockets[a][b]);
    forked_await(pids, &end);
    return end;
}

/* The same, asserting that all ranks succeed and no message is left. */
static inline void forked_run(int count, uint64_t seed, void (*rank)(tl_ranks *ranks, void *context),
                              void *context) {
    const forked_end end = forked_try(count, seed, rank, context);
    for (int r = 0; r < count; r++)
        if (end.status[r])
            fprintf(stderr, "rank %d of %d, seed %lu: exit status %d\n", r, count, (unsigned long)seed,
                    end.status[r]);
    for (int r = 0; r < count; r++)
        ck_assert_msg(end.status[r] == 0, "rank %d of %d, seed %lu: exit status %d", r, count,
                      (unsigned long)seed, end.status[r]);
    for (int from = 0; from < count; from++)
        for (int to = 0; to < count; to++)
            ck_assert_msg(end.job->sent[from][to] == end.job->taken[from][to],
                          "from rank %d to %d: %ld messages sent, %ld received", from, to,
                          end.job->sent[from][to], end.job->taken[from][to]);
    munmap(end.job, sizeof *end.job);
}

/* Three ranks. One of them is granted shared[0] requests for memory, and writes into shared[1] whether one was
 * refused. Repeated from 0 on until none is refused. In each run all ranks end the job without a fault. Asserts that
 * there are more than `least` and at most `most` requests. */
static inline void forked_refuse_each(void (*rank)(tl_ranks *ranks, void *context), long *shared, long least,
                                      long most) {
    shared[0] = 0;
    do {
        ck_assert_int_lt(shared[0], most);
        shared[1] = 0;
        const forked_end end = forked_try(3, (uint64_t)shared[0], rank, shared);
        for (int r = 0; r < 3; r++)
            ck_assert_msg(end.status[r] == (shared[1] ? 1 : 0), "rank %d, request %ld: exit status %d", r,
                          shared[0], end.status[r]);
        shared[0]++;
    } while (shared[1]);
    ck_assert_int_gt(shared[0], least);
}

#endif
