/* Joining the job that mpirun has started: how many ranks there are, on which machines, and what this rank may use
 * of its machine. MPI itself adds only numbers of machines. */
#ifdef TL_MPI
# define _GNU_SOURCE /* sched_getaffinity */
# include "launcher.h"
# include "mpi_world.h"

# include <sched.h>
# include <stdio.h>
# include <stdlib.h>
# include <string.h>

typedef tl_mpi_world world;

/* Starts MPI, unless the program already has. An error says what is wrong with the library or with mpirun. */
static bool begin_mpi(world *w, tl_error *error) {
    int begun = 0, ended = 0, threads = MPI_THREAD_SINGLE;
    MPI_Finalized(&ended);
    if (ended)
        return tl_error_set(error, "MPI: this process has left its job already, and cannot join it again");
    MPI_Initialized(&begun);
    w->ours = !begun;
    if (begun)
        MPI_Query_thread(&threads);
    else if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &threads) != MPI_SUCCESS)
        return tl_error_set(error, "MPI: it cannot begin: see what mpirun says");
    else /* errors are returned, so that we can report them */
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (threads < MPI_THREAD_FUNNELED)
        return tl_error_set(error, "MPI: this build of it, or the program's MPI_Init, allows no threads: "
                                   "MPI_THREAD_FUNNELED is needed");
    return true;
}

static world *enter(tl_error *error) {
    world *w = calloc(1, sizeof *w);
    if (!w) return tl_error_set(error, "MPI: out of memory for a rank"), NULL;
    int code = MPI_SUCCESS;
    if (!begin_mpi(w, error)) return free(w), NULL;
    if ((code = MPI_Comm_dup(MPI_COMM_WORLD, &w->comm)) != MPI_SUCCESS ||
        (code = MPI_Comm_set_errhandler(w->comm, MPI_ERRORS_RETURN)) != MPI_SUCCESS ||
        (code = MPI_Comm_size(w->comm, &w->count)) != MPI_SUCCESS ||
        (code = MPI_Comm_rank(w->comm, &w->number)) != MPI_SUCCESS ||
        (code = MPI_Type_contiguous(TL_MPI_LINE, MPI_BYTE, &w->line)) != MPI_SUCCESS ||
        (code = MPI_Type_commit(&w->line)) != MPI_SUCCESS)
        return tl_mpi_fail(w, code, "begin", error), free(w), NULL;
    w->transport = tl_mpi_transport(w);
    return w;
}

/* The sum over processors that this rank may use of 1 / (ranks that may use it); 0 if out of memory. */
static int fair_threads(MPI_Comm here, int ranks) {
    const int even = tl_processors() / ranks > 1 ? tl_processors() / ranks : 1;
# ifdef __linux__
    cpu_set_t own, *all = calloc((size_t)ranks, sizeof *all);
    double sum = 1e-9;
    CPU_ZERO(&own);
    /* with more than 1024 processors it fails, on all ranks of this machine */
    sched_getaffinity(0, sizeof own, &own);
    if (!all || MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, here) != MPI_SUCCESS)
        return free(all), 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        int sharing = 0;
        for (int r = 0; r < ranks; r++) sharing += CPU_ISSET(cpu, &all[r]) != 0;
        if (CPU_ISSET(cpu, &own)) sum += 1.0 / sharing;
    }
    free(all);
    if (!CPU_COUNT(&own)) return even;
    if (sum > tl_processors()) return tl_processors(); /* 1 without OpenMP */
    return sum > 1 ? (int)sum : 1;
# else
    return (void)here, even;
# endif
}

/* Shortens "Open MPI v4.1.4, package: …" and "MPICH Version:\t4.0.2\nMPICH Release date: …" to "Open MPI v4.1.4" and
 * "MPICH 4.0.2". */
static void library_name(char short_name[TL_RANKS_TEXT]) {
    char text[MPI_MAX_LIBRARY_VERSION_STRING + 1] = "";
    int length;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = '\0';
    tl_mpi_tidy(text);
    char *word = strstr(text, " Version: ");
    if (word) memmove(word + 1, word + 10, strlen(word + 10) + 1);
    snprintf(short_name, TL_RANKS_TEXT, "%.60s", *text ? text : "MPI");
}

/* Finds the machines, this one's name, and what this rank may use of it. */
static bool find_machines(world *w, tl_ranks *ranks, tl_error *error) {
    char name[MPI_MAX_PROCESSOR_NAME + 1] = "", library[TL_RANKS_TEXT];
    int length, locals = 1, local = 0, first, machines = 1, code;
    MPI_Comm here;
    if ((code = MPI_Comm_split_type(w->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here)) != MPI_SUCCESS)
        return tl_mpi_fail(w, code, "begin", error);
    MPI_Comm_size(here, &locals);
    MPI_Comm_rank(here, &local);
    first = local == 0;
    if ((code = MPI_Allreduce(&first, &machines, 1, MPI_INT, MPI_SUM, w->comm)) != MPI_SUCCESS)
        return tl_mpi_fail(w, code, "begin", error);
    ranks->threads = fair_threads(here, locals);
    if (!ranks->threads)
        return tl_error_set(error, "MPI: out of memory for the processors of %d ranks", locals);
    MPI_Comm_free(&here);
    MPI_Get_processor_name(name, &length);
    tl_mpi_tidy(name);
    library_name(library);
    snprintf(ranks->host, sizeof ranks->host, "%.100s", name);
    if (w->count == 1)
        snprintf(ranks->text, sizeof ranks->text, "1 rank, %.60s", library);
    else
        snprintf(ranks->text, sizeof ranks->text, "%d ranks on %d machine%s, %.60s", w->count, machines,
                 machines == 1 ? "" : "s", library);
    return true;
}

/* Fails if this rank is alone although mpirun has started several: then mpirun belongs to another MPI than this
 * library. */
static bool check_library(const world *w, tl_error *error) {
    char names[TL_LAUNCHED_BY], library[TL_RANKS_TEXT];
    const int copies = tl_ranks_launched(names);
    if (w->count > 1 || copies == 1) return true;
    library_name(library);
    return tl_error_set(
        error,
        "MPI: %d copies of this program were started together (so says %s), but each is alone: it was "
        "built with %.60s, and mpirun is another MPI's: take this one's, or build with the other "
        "(make MPI=1 MPICC=...)",
        copies, names, library);
}

bool tl_ranks_can_be_many(void) { return true; }

/* After a failure here MPI is not ended: the program prints its error and exits, and mpirun ends the others. */
tl_ranks *tl_ranks_begin(tl_error *error) {
    world *w = enter(error);
    if (!w) return NULL;
    w->failed = true; /* in case tl_ranks_over lacks memory: the others would wait */
    tl_ranks *ranks = tl_ranks_over(&w->transport, w, w->count, w->number);
    if (!ranks) return tl_error_set(error, "MPI: out of memory for a rank"), NULL;
    w->failed = false;
    if (check_library(w, error) && find_machines(w, ranks, error)) return ranks;
    free(ranks);
    free(w);
    return NULL;
}
#endif
