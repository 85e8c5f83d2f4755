/* A process that cannot join the other ranks (a library without MPI, or with another MPI than mpirun's) can see in
 * the environment that there are others. Otherwise each process would take itself for the only one, and all would
 * write into one folder. */
#include "launcher.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Not Slurm's SLURM_NTASKS: in a batch script plain programs see it too. srun with PMI sets PMI_SIZE. */
static const char *const variables[] = {
    "OMPI_COMM_WORLD_SIZE", /* Open MPI */
    "PMI_SIZE",             /* MPICH, Intel MPI, and what follows them */
    "MPI_LOCALNRANKS",      /* MPICH: those of this machine */
    "MV2_COMM_WORLD_SIZE",  /* MVAPICH */
};

int tl_ranks_launched(char names[TL_LAUNCHED_BY]) {
    int most = 1;
    *names = '\0';
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *text = getenv(variables[i]);
        char *end;
        const long count = text ? strtol(text, &end, 10) : 0;
        if (count < 2 || count > INT_MAX || *end) continue;
        if (count > most) most = (int)count;
        if (*names) strcat(names, ", ");
        strcat(names, variables[i]);
    }
    return most;
}
