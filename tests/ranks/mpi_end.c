/* How a job ends. mpi_end COUNT HOW, under mpirun (tests/ranks/mpi-end): one rank ends in the way HOW, and the
 * script checks what happens to the others. Without HOW all goes well. */
#define _XOPEN_SOURCE 700
#include "leaks.h"
#include "ranks/ranks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int stop(tl_ranks *ranks, const tl_error *error) {
    if (tl_ranks_lead(ranks)) printf("%s\n", error->message);
    tl_ranks_end(ranks, true);
    return 3; /* not quit's status: this rank has returned */
}

int main(int arguments, char **argument) {
    tl_error error = {0};
    tl_ranks *ranks = tl_ranks_begin(&error);
    if (!ranks || arguments < 2 || atoi(argument[1]) != tl_ranks_count(ranks))
        return fprintf(stderr, "mpi_end COUNT [alone|known|pending|broken|killed|left]: %s\n", error.message),
               2;
    const char *how = arguments > 2 ? argument[2] : "well";
    const int last = tl_ranks_count(ranks) - 1;
    const bool mine = tl_ranks_number(ranks) == last;
    static char much[1 << 20];
    if (!strcmp(how, "alone") && mine) { /* the others do not know of it, and wait */
        printf("it says why");           /* still in the buffer: no new line */
        tl_ranks_end(ranks, true);
        return 4;
    }
    if (!strcmp(how, "known")) { /* all learn of it */
        if (mine) tl_error_set(&error, "it is full");
        if (!tl_ranks_agree(ranks, !mine, &error)) return stop(ranks, &error);
    }
    if (!strcmp(how, "pending")) { /* … while a message is under way that no rank receives */
        if (!tl_ranks_send(ranks, (tl_ranks_number(ranks) + 1) % (last + 1), 1, much, sizeof much, &error))
            return 5;
        if (mine) tl_error_set(&error, "it is full");
        if (!tl_ranks_agree(ranks, !mine, &error)) return stop(ranks, &error);
    }
    if (!strcmp(how, "broken")) { /* a message larger than the receiver's memory: an error of MPI itself */
        bool well = !mine || tl_ranks_send(ranks, 0, 1, much, 100, &error);
        if (tl_ranks_lead(ranks)) well = tl_ranks_receive(ranks, last, 1, much, 10, &error);
        if (well && !tl_ranks_wait(ranks, &error)) {
            fprintf(stderr, "\nrank %d: %s\n", tl_ranks_number(ranks), error.message);
            tl_ranks_end(ranks, true);
            return 8;
        }
    }
    if (!strcmp(how, "killed") && mine) raise(SIGKILL);
    if (!strcmp(how, "left") && mine) _exit(7);
    char all[64];
    const bool well = tl_ranks_gather(ranks, how, all, 1, &error);
    if (!well) fprintf(stderr, "rank %d: %s\n", tl_ranks_number(ranks), error.message);
    if (well && tl_ranks_lead(ranks)) printf("%s: %s\n", how, tl_ranks_text(ranks));
    tl_ranks_end(ranks, !well);
    return well ? 0 : 6;
}
