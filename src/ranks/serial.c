/* One rank: a library built without MPI. There is no other rank to send to. */
#ifndef TL_MPI
# include "launcher.h"
# include "ranks.h"

# include <string.h>

static bool gather(void *self, const void *mine, void *all, size_t bytes, tl_error *error) {
    (void)self, (void)error;
    if (mine != all && bytes) memcpy(all, mine, bytes);
    return true;
}
static bool broadcast(void *self, void *data, size_t bytes, tl_error *error) {
    return (void)self, (void)data, (void)bytes, (void)error, true;
}
static bool send(void *self, int to, int tag, const void *data, size_t bytes, tl_error *error) {
    (void)self, (void)tag, (void)data, (void)bytes;
    return tl_error_set(error, "ranks: there is no rank %d to send to: this process is the only one", to);
}
static bool receive(void *self, int from, int tag, void *data, size_t bytes, tl_error *error) {
    (void)self, (void)tag, (void)data, (void)bytes;
    return tl_error_set(error, "ranks: there is no rank %d to receive from: this process is the only one",
                        from);
}
static void leave(void *self) { (void)self; }
static bool wait(void *self, tl_error *error) { return (void)self, (void)error, true; }

static const tl_transport serial = {.gather = gather,
                                    .broadcast = broadcast,
                                    .send = send,
                                    .receive = receive,
                                    .wait = wait,
                                    .quit = leave,
                                    .free = leave,
                                    .most_tags = 1};

bool tl_ranks_can_be_many(void) { return false; }

tl_ranks *tl_ranks_begin(tl_error *error) {
    char names[TL_LAUNCHED_BY];
    const int copies = tl_ranks_launched(names);
    if (copies > 1)
        return tl_error_set(
                   error,
                   "ranks: mpirun has started %d copies of this program (so says %s), which was built "
                   "without "
                   "MPI, and each would do all of the work: take the one that `make MPI=1` puts into "
                   "build/mpi/ (or, if each has work of its own, start it without these variables)",
                   copies, names),
               NULL;
    tl_ranks *ranks = tl_ranks_over(&serial, NULL, 1, 0);
    if (!ranks) return tl_error_set(error, "out of memory for a rank"), NULL;
    ranks->threads = tl_processors();
    strcpy(ranks->text, "one process");
    return ranks;
}
#endif
