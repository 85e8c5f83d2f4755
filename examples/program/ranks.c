/* The ranks of an MPI job, of which this process may be one: several work on one command together, and only rank 0
 * prints.
 *
 * All ranks must have the same command line, which is compared first. If a rank alone finds a problem, such as a
 * file that only its machine lacks, all learn of it in `all_well`. A rank that fails between two such calls reports
 * its error itself and ends the job. Only MPI knows a rank's number, so also for a command that is not shared each
 * rank joins the job, and leaves it before the work. */
#define _XOPEN_SOURCE 700 /* gethostname, dup2 */
#include "program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static tl_ranks *ranks; /* NULL: this process works alone */
static bool follower;   /* another rank leads; stays true after the job was left */

tl_ranks *shared_ranks(void) { return ranks; }
bool leads(void) { return !follower; }

/* Makes this rank's standard output go nowhere: only rank 0 prints. */
static bool silence_output(tl_error *error) {
    const int null = open("/dev/null", O_WRONLY);
    const bool ok = null >= 0 && dup2(null, STDOUT_FILENO) >= 0;
    if (null > STDERR_FILENO) close(null);
    return ok || tl_error_set(error, "cannot open /dev/null, where what this rank prints should go");
}

/* The words to compare, as lines: the command, then each option with its value, without --threads, which may differ
 * by machine. The caller frees it. NULL: out of memory. */
static char *line_of(int argc, char **argv) {
    static const char threads[] = "--threads";
    size_t size = strlen(this_program.name) + 2, at;
    for (int i = 1; i < argc; i++) size += strlen(argv[i]) + 1;
    char *line = malloc(size);
    if (!line) return NULL;
    at = (size_t)sprintf(line, "%s", this_program.name);
    for (int i = 1; i < argc; i++) {
        const bool option = !strncmp(argv[i], "--", 2);
        if (!strcmp(argv[i], threads) && i + 1 < argc && strncmp(argv[i + 1], "--", 2))
            i++;
        else if (strncmp(argv[i], threads, strlen(threads)) || argv[i][strlen(threads)] != '=')
            at += (size_t)sprintf(line + at, "%c%s", option ? '\n' : ' ', argv[i]);
    }
    strcpy(line + at, "\n");
    return line;
}

static bool have_same_arguments(int argc, char **argv, tl_error *error) {
    if (tl_ranks_count(ranks) == 1) return true;
    char *line = line_of(argc, argv);
    if (!line) return tl_error_set(error, "out of memory for the command line");
    const bool alike = tl_ranks_same(ranks, "a command line with", line,
                                     "start all of them with the same one; only --threads may differ", error);
    free(line);
    return alike;
}

bool join_ranks(int argc, char **argv, tl_error *error) {
    ranks = tl_ranks_begin(error);
    follower = !tl_ranks_lead(ranks);
    if (!ranks) return false;
    return (!follower || silence_output(error)) && have_same_arguments(argc, argv, error);
}

bool leave_ranks(void) {
    tl_ranks_end(ranks, false);
    ranks = NULL;
    return leads();
}

/* mpirun kills all ranks as soon as one exits with a status other than 0. So for a failure that all know of, only
 * rank 0 has that status. */
int end_ranks(int status) {
    tl_ranks_end(ranks, status == 1 || status == 2);
    ranks = NULL;
    return leads() ? status : 0;
}

bool all_well(const tl_run *run, bool ok, tl_error *error) {
    if (!ok && !tl_failed(error))
        tl_error_set(error, "%s", run && tl_run_error(run) ? tl_run_error(run) : "out of memory");
    return tl_ranks_agree(ranks, ok, error);
}

bool no_standard_input(const char *option, const char *path, tl_error *error) {
    if (tl_ranks_count(ranks) == 1 || !path || strcmp(path, "-")) return true;
    return tl_error_set(error,
                        "--%s -: standard input reaches one of the %d ranks alone: write it to a file that "
                        "all of them can read, and give that",
                        option, tl_ranks_count(ranks));
}

/* ---- messages ---- */

void say_failure(const char *message) {
    char host[256] = "";
    if (leads()) {
        fprintf(stderr, "%s: %s\n", this_program.name, message);
        return;
    }
    if (!ranks || tl_ranks_all_know(ranks)) return;
    gethostname(host, sizeof host - 1);
    fprintf(stderr, "%s: rank %d of %d (%s): %s\n", this_program.name, tl_ranks_number(ranks),
            tl_ranks_count(ranks), host, message);
}

void print_ranks(void) {
    const int threads = tl_threads();
    if (tl_ranks_count(ranks) > 1)
        printf("; %s, %d thread%s each", tl_ranks_text(ranks), threads, threads == 1 ? "" : "s");
}

void print_launcher(void) {
    if (tl_ranks_count(ranks) > 1) printf("mpirun -n %d ", tl_ranks_count(ranks));
}
