/* The transport over MPI.
 *
 * All operations between two ranks are nonblocking, and waiting means testing again and again (`look`). Between
 * tests the process gives the processor away, so that ranks which share one do not delay each other. After a call
 * that failed the job can only be aborted: MPI_Finalize would wait for ranks that may be gone. */
#ifdef TL_MPI
# define _POSIX_C_SOURCE 200809L /* clock_gettime, nanosleep */
# include "mpi_world.h"

# include <limits.h>
# include <sched.h>
# include <stdio.h>
# include <stdlib.h>
# include <string.h>
# include <time.h>

enum { PIECE = 1 << 30 }; /* bytes: MPI's counts are ints */

typedef tl_mpi_world world;

/* ---- errors ---- */

void tl_mpi_tidy(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        const bool blank = *from == ' ' || *from == '\t' || *from == '\n' || *from == '\r';
        if (blank ? to > text && to[-1] != ' ' : *from > ' ' && *from < 127) *to++ = blank ? ' ' : *from;
    }
    if (to > text && to[-1] == ' ') to--;
    *to = '\0';
}

bool tl_mpi_fail(world *w, int code, const char *what, tl_error *error) {
    char text[MPI_MAX_ERROR_STRING + 1] = "";
    int length;
    w->failed = true;
    if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) snprintf(text, sizeof text, "error %d", code);
    tl_mpi_tidy(text);
    return tl_error_set(error,
                        "MPI: %s: %.200s: another rank is gone, or the network fails: see what mpirun says",
                        what, text);
}

/* ---- waiting ---- */

typedef struct patience {
    int looks;
    struct timespec since;
} patience;

/* Between two tests: at first does nothing; then yields the processor; after a millisecond also sleeps, but only at
 * every sixteenth test, because much of MPI's data moves by one piece a test. */
static void wait_between_tests(patience *p) {
    enum { AT_ONCE = 64, A_MILLISECOND = 1000000, SLEEP = 20000 };
    struct timespec now;
    if (++p->looks < AT_ONCE) return;
    if (p->looks == AT_ONCE) clock_gettime(CLOCK_MONOTONIC, &p->since);
    sched_yield();
    if (p->looks % 16) return;
    p->looks = 2 * AT_ONCE; /* no need to count further */
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - p->since.tv_sec) * 1000000000LL + now.tv_nsec - p->since.tv_nsec > A_MILLISECOND)
        nanosleep(&(struct timespec){.tv_nsec = SLEEP}, NULL);
}

static bool wait_for(world *w, MPI_Request *request, const char *what, tl_error *error) {
    patience p = {0};
    for (int through = 0;;) {
        const int code = MPI_Test(request, &through, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS) return tl_mpi_fail(w, code, what, error);
        if (through) return true;
        wait_between_tests(&p);
    }
}

/* ---- calls of all ranks ---- */

/* First copies every rank's own bytes to their place in `all`: with MPI all ranks gather in place, or none. If all
 * bytes together exceed an int, gathers lines, if possible: an MPI may count the gathered total in an int too. */
static bool gather(void *self, const void *mine, void *all, size_t bytes, tl_error *error) {
    world *w = self;
    const bool in_lines = bytes % TL_MPI_LINE == 0 && bytes > (size_t)INT_MAX / (size_t)w->count;
    const size_t unit = in_lines ? TL_MPI_LINE : 1;
    MPI_Request request;
    if (bytes == 0) return true;
    if (bytes / unit > INT_MAX)
        return tl_error_set(
            error, "MPI: cannot gather %zu bytes of each rank: above %d they come in multiples of %d", bytes,
            INT_MAX, TL_MPI_LINE);
    char *place = (char *)all + (size_t)w->number * bytes;
    if (mine != place) memmove(place, mine, bytes);
    const MPI_Datatype type = in_lines ? w->line : MPI_BYTE;
    const int units = (int)(bytes / unit),
              code = MPI_Iallgather(MPI_IN_PLACE, units, type, all, units, type, w->comm, &request);
    if (code != MPI_SUCCESS) return tl_mpi_fail(w, code, "gather", error);
    return wait_for(w, &request, "gather", error);
}

static bool broadcast(void *self, void *data, size_t bytes, tl_error *error) {
    world *w = self;
    for (size_t at = 0; at < bytes; at += PIECE) {
        MPI_Request request;
        const int piece = bytes - at < PIECE ? (int)(bytes - at) : PIECE,
                  code = MPI_Ibcast((char *)data + at, piece, MPI_BYTE, 0, w->comm, &request);
        if (code != MPI_SUCCESS) return tl_mpi_fail(w, code, "broadcast", error);
        if (!wait_for(w, &request, "broadcast", error)) return false;
    }
    return true;
}

/* ---- between two ranks ---- */

/* Makes room for one more request, and turns its size into a count of MPI's. */
static MPI_Request *next(world *w, int peer, int tag, size_t bytes, tl_error *error) {
    if (peer < 0 || peer >= w->count || tag < 0 || tag >= w->transport.most_tags)
        return tl_error_set(error, "MPI: no message to rank %d of %d can have the tag %d (below %d)", peer,
                            w->count, tag, w->transport.most_tags),
               NULL;
    if (bytes > INT_MAX)
        return tl_error_set(error, "MPI: a message of %zu bytes is too long: at most %d go at once", bytes,
                            INT_MAX),
               NULL;
    if (w->under_way == w->room) {
        const int room = w->room ? 2 * w->room : 64;
        MPI_Request *begun = realloc(w->begun, (size_t)room * sizeof *begun);
        if (!begun) return tl_error_set(error, "MPI: out of memory for %d messages under way", room), NULL;
        w->begun = begun, w->room = room;
    }
    return &w->begun[w->under_way];
}

static bool send(void *self, int to, int tag, const void *data, size_t bytes, tl_error *error) {
    world *w = self;
    MPI_Request *request = next(w, to, tag, bytes, error);
    if (!request) return false;
    const int code = MPI_Isend(data, (int)bytes, MPI_BYTE, to, tag, w->comm, request);
    if (code != MPI_SUCCESS) return tl_mpi_fail(w, code, "send", error);
    w->under_way++;
    return true;
}

static bool receive(void *self, int from, int tag, void *data, size_t bytes, tl_error *error) {
    world *w = self;
    MPI_Request *request = next(w, from, tag, bytes, error);
    if (!request) return false;
    const int code = MPI_Irecv(data, (int)bytes, MPI_BYTE, from, tag, w->comm, request);
    if (code != MPI_SUCCESS) return tl_mpi_fail(w, code, "receive", error);
    w->under_way++;
    return true;
}

/* Tests requests from the end of the list and removes those that are complete, until one is not; each test moves all
 * of them. */
static void test_requests(void *self) {
    world *w = self;
    for (int through; w->under_way && w->code == MPI_SUCCESS; w->under_way--) {
        w->code = MPI_Test(&w->begun[w->under_way - 1], &through, MPI_STATUS_IGNORE);
        if (w->code != MPI_SUCCESS || !through) return;
    }
}

static bool wait(void *self, tl_error *error) {
    world *w = self;
    patience p = {0};
    for (test_requests(w); w->under_way && w->code == MPI_SUCCESS; test_requests(w)) wait_between_tests(&p);
    return w->code == MPI_SUCCESS || tl_mpi_fail(w, w->code, "wait", error);
}

/* ---- the end ---- */

static void quit(void *self) {
    world *w = self;
    fflush(NULL);                   /* MPI_Abort does not flush */
    for (;;) MPI_Abort(w->comm, 1); /* does not return */
}

/* Messages that nobody waits for any more, after a failure that all ranks know of. One second is enough for those
 * whose other end still tests too; the others cannot be cancelled. */
static void complete_abandoned(world *w) {
    const double began = MPI_Wtime();
    for (test_requests(w); w->under_way && w->code == MPI_SUCCESS && MPI_Wtime() - began < 1;
         test_requests(w))
        sched_yield();
    if (w->under_way) w->failed = true;
}

static void leave(void *self) {
    world *w = self;
    if (!w->failed) complete_abandoned(w);
    if (w->failed && w->count > 1) quit(w);
    /* all ranks wait for each other in MPI_Finalize, and mpirun kills those that remain once the first one ends with
     * a failure */
    fflush(NULL);
    MPI_Type_free(&w->line);
    MPI_Comm_free(&w->comm);
    if (w->ours) MPI_Finalize();
    free(w->begun);
    free(w);
}

/* ---- the table ---- */

static int tags_of(MPI_Comm comm) {
    int *most = NULL, there = 0;
    /* what every MPI has */
    if (MPI_Comm_get_attr(comm, MPI_TAG_UB, &most, &there) != MPI_SUCCESS || !there) return 32768;
    return *most < INT_MAX ? *most + 1 : INT_MAX;
}

tl_transport tl_mpi_transport(const world *w) {
    return (tl_transport){.gather = gather,
                          .broadcast = broadcast,
                          .send = send,
                          .receive = receive,
                          .wait = wait,
                          .quit = quit,
                          .free = leave,
                          .most_tags = tags_of(w->comm)};
}
#endif
