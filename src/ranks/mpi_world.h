/* What the two MPI files share: mpi_job.c joins the job; mpi.c moves bytes in it and leaves it. */
#ifndef TL_RANKS_MPI_WORLD_H
#define TL_RANKS_MPI_WORLD_H

#include "ranks.h"

#include <mpi.h>

enum { TL_MPI_LINE = 64 }; /* bytes */

typedef struct tl_mpi_world {
    tl_transport transport; /* with this MPI's own most_tags */
    MPI_Comm comm;          /* a duplicate, so that messages do not mix with the program's own */
    MPI_Datatype line;      /* TL_MPI_LINE bytes */
    MPI_Request *begun;     /* [under_way] requests, with room for `room` */
    int under_way, room, count, number;
    int code;  /* MPI's code of the first test that failed; `wait` reports it */
    bool ours; /* MPI was started here, and is ended here */
    bool failed;
} tl_mpi_world;

/* The functions of this world, whose comm and count are set. */
tl_transport tl_mpi_transport(const tl_mpi_world *world);
/* Sets an error from MPI's code. Always false; afterwards the job can only be aborted. */
bool tl_mpi_fail(tl_mpi_world *world, int code, const char *what, tl_error *error);
/* Tidies a text of MPI's: line ends and blanks become single spaces, unprintable bytes are removed. */
void tl_mpi_tidy(char *text);

#endif
