/* What the environment says about this process' launcher; and a library without MPI that is one of several
 * processes. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "ranks/launcher.h"
#include "ranks/ranks.h"

static void set_environment(const char *pairs) {
    static const char *const all[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS",
                                      "MV2_COMM_WORLD_SIZE", "SLURM_NTASKS"};
    char copy[256];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) unsetenv(all[i]);
    snprintf(copy, sizeof copy, "%s", pairs);
    for (char *pair = strtok(copy, " "); pair; pair = strtok(NULL, " ")) {
        char *is = strchr(pair, '=');
        *is = '\0';
        setenv(pair, is + 1, 1);
    }
}

START_TEST(who_has_started_it) {
    static const struct {
        const char *environment;
        int copies;
        const char *names;
    } cases[] = {
        {"", 1, ""},
        {"OMPI_COMM_WORLD_SIZE=4", 4, "OMPI_COMM_WORLD_SIZE"},
        {"PMI_SIZE=3", 3, "PMI_SIZE"},
        {"PMI_SIZE=8 MPI_LOCALNRANKS=2", 8, "PMI_SIZE, MPI_LOCALNRANKS"},
        {"PMI_SIZE=8 MPI_LOCALNRANKS=1", 8, "PMI_SIZE"},
        {"MV2_COMM_WORLD_SIZE=2", 2, "MV2_COMM_WORLD_SIZE"},
        {"OMPI_COMM_WORLD_SIZE=2 PMI_SIZE=2 MPI_LOCALNRANKS=2 MV2_COMM_WORLD_SIZE=5", 5,
         "OMPI_COMM_WORLD_SIZE, PMI_SIZE, MPI_LOCALNRANKS, MV2_COMM_WORLD_SIZE"}, /* all agree */
        {"OMPI_COMM_WORLD_SIZE=1 PMI_SIZE=1", 1, ""},
        {"SLURM_NTASKS=16", 1, ""}, /* plain programs of a batch script */
        {"PMI_SIZE= OMPI_COMM_WORLD_SIZE=4x MV2_COMM_WORLD_SIZE=many", 1, ""},
        {"PMI_SIZE=-2 OMPI_COMM_WORLD_SIZE=99999999999999999999", 1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char names[TL_LAUNCHED_BY] = "?";
        set_environment(cases[i].environment);
        ck_assert_int_eq(tl_ranks_launched(names), cases[i].copies);
        ck_assert_str_eq(names, cases[i].names);
    }
}
END_TEST

/* Several copies that cannot communicate must not start. */
START_TEST(without_mpi_it_cannot_be_one_of_several) {
    if (tl_ranks_can_be_many()) {
        TL_SKIP("ranks: this library has MPI (tests/ranks/under-mpi tries the same with it)");
        return;
    }
    tl_error error = {0};
    set_environment("PMI_SIZE=3 MPI_LOCALNRANKS=3");
    ck_assert_ptr_null(tl_ranks_begin(&error));
    ck_assert_str_eq(
        error.message,
        "ranks: mpirun has started 3 copies of this program (so says PMI_SIZE, MPI_LOCALNRANKS), "
        "which was built without MPI, and each would do all of the work: take the one that `make "
        "MPI=1` puts into build/mpi/ (or, if each has work of its own, start it without these "
        "variables)");
    tl_error_clear(&error);
    set_environment("PMI_SIZE=1 SLURM_NTASKS=3");
    tl_ranks *ranks = tl_ranks_begin(&error);
    assert_no_error(ranks ? NULL : error.message);
    ck_assert_int_eq(tl_ranks_count(ranks), 1);
    ck_assert_str_eq(tl_ranks_text(ranks), "one process");
    tl_ranks_end(ranks, true); /* a single rank returns */
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, who_has_started_it);
    tcase_add_test(tc, without_mpi_it_cannot_be_one_of_several);
}

TL_TEST_MAIN("ranks: launcher")
