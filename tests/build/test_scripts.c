/* The two scripts beside the tests: tests/deps with every package manager there is (played by fakes that write down what
 * they were asked), and tests/run-all with programs that pass, fail, crash or say nothing. */
#define _XOPEN_SOURCE 700
#include "tree.h"

/* ---- tests/deps ---- */

/* A path on which nothing is but what deps may use, compilers that find neither Check nor MPI, and the fakes named. */
static void only_these_programs(const char *names) {
    char list[256], path[64];
    sh("rm -rf bin asked; mkdir bin; for name in sh mktemp rm; do ln -s $(command -v $name) bin/$name; done");
    put_program("bin/cc", "#!/bin/sh\nexit 1\n");
    put_program("bin/mpicc", "#!/bin/sh\nexit 1\n");
    put_program("bin/id", "#!/bin/sh\necho ${UID_WANTED:-0}\n");
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok(list, " "); name; name = strtok(NULL, " ")) {
        snprintf(path, sizeof path, "bin/%s", name);
        put_program(path, !strcmp(name, "sudo")
                              ? "#!/bin/sh\necho \"sudo $*\" >>$D/asked\n\"$@\"\n"
                              : "#!/bin/sh\necho \"${0##*/} $*\" >>$D/asked\nexit ${FAIL:-0}\n");
    }
}

static const struct {
    const char *manager, *first, *command, *check, *mpi, *note; /* a first command may be NULL */
    bool root;                                                  /* needs it */
} managers[] = {
    {"apt-get", "apt-get update", "apt-get install -y", " check pkg-config", " openmpi-bin libopenmpi-dev",
     "", true},
    {"dnf", NULL, "dnf install -y", " check-devel pkgconf-pkg-config", " openmpi-devel",
     "make deps: 'module load mpi/openmpi-x86_64', in a new shell, makes mpicc and mpirun known there.\n",
     true},
    {"pacman", NULL, "pacman -S --noconfirm --needed", " check pkgconf", " openmpi", "", true},
    {"apk", NULL, "apk add", " check-dev pkgconf", " openmpi openmpi-dev", "", true},
    {"brew", NULL, "brew install", " check pkg-config", " open-mpi", "", false},
};
enum { MANAGERS = sizeof managers / sizeof *managers };
#define DEPS "CC=cc PATH=$D/bin tests/deps"

/* One command, as it is shown and as it is asked for. */
static void expect_command(char *shown, char *asked, bool sudo, const char *command) {
    sprintf(shown + strlen(shown), "+ %s%s\n", sudo ? "sudo " : "", command);
    if (sudo) sprintf(asked + strlen(asked), "sudo %s\n", command);
    sprintf(asked + strlen(asked), "%s\n", command);
}

START_TEST(each_package_manager) {
    for (int i = 0; i < MANAGERS; i++)
        for (int user = 0; user < 2; user++)
            for (int mpi = 0; mpi < 2; mpi++) {
                char shown[1024] = "", asked[512] = "", programs[64], command[256];
                bool sudo = user && managers[i].root;
                snprintf(programs, sizeof programs, "%s sudo", managers[i].manager);
                only_these_programs(programs);
                if (managers[i].first) expect_command(shown, asked, sudo, managers[i].first);
                snprintf(command, sizeof command, "%s%s%s", managers[i].command, managers[i].check,
                         mpi ? managers[i].mpi : "");
                expect_command(shown, asked, sudo, command);
                if (mpi) strcat(shown, managers[i].note);
                snprintf(command, sizeof command, "UID_WANTED=%d %s" DEPS, user ? 1000 : 0,
                         mpi ? "MPICC=mpicc " : "");
                sh(command);
                ck_assert_str_eq(said, shown); /* every command is shown … */
                sh("cat asked");
                ck_assert_str_eq(said, asked); /* … and is what is run */
            }
}
END_TEST

START_TEST(deps_that_cannot) {
    static const char by_hand[] =
        "Install the library Check by hand (https://libcheck.github.io/check/), then run 'make test'.\n";
    char text[512];
    only_these_programs("sudo");
    ck_assert_int_eq(try(DEPS), 1);
    snprintf(text, sizeof text, "make deps: found none of apt-get, dnf, pacman, apk, brew. %s", by_hand);
    ck_assert_str_eq(said, text);
    only_these_programs("dnf");
    ck_assert_int_eq(try("UID_WANTED=1000 " DEPS), 1);
    ck_assert_str_eq(said,
                     "make deps: not root, and there is no sudo. As root, run:  dnf install -y check-devel "
                     "pkgconf-pkg-config\n");
    ck_assert_int_eq(try("FAIL=3 " DEPS), 1);
    snprintf(text, sizeof text, "+ dnf install -y check-devel pkgconf-pkg-config\nmake deps: that failed. %s",
             by_hand);
    ck_assert_str_eq(said, text);
    only_these_programs("apt-get");
    ck_assert_int_eq(try("FAIL=100 " DEPS), 1);
    snprintf(text, sizeof text, "+ apt-get update\nmake deps: that failed. %s", by_hand);
    ck_assert_str_eq(said, text); /* and goes no further */
    ck_assert_int_eq(try("MPICC=mpicc FAIL=100 " DEPS), 1);
    ck_assert_int_eq(try("MPICC=mpicc FAIL=100 " DEPS " 2>&1 | grep -c 'Check by hand.* Open MPI by hand'"),
                     0);
    ck_assert_int_eq(try("MPICC=/opt/mpicc.mpich " DEPS), 1);
    ck_assert_str_eq(said,
                     "make deps: MPICC=/opt/mpicc.mpich makes no program, and it is not Open MPI's, which is "
                     "what this installs (MPICC=mpicc).\n");
}
END_TEST

/* Here it is only if a program with it links: its header alone is not enough. */
START_TEST(deps_that_are_there) {
    only_these_programs("apt-get");
    put_program("bin/cc", "#!/bin/sh\n[ \"$1\" = -DFLAGS ] && [ \"$5\" = -lit ]\n");
    sh("CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit " DEPS);
    ck_assert_str_eq(said, "make deps: Check is here already.\n");
    ck_assert_int_ne(try("cat asked"), 0);
    sh("CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lother " DEPS);
    ck_assert_str_eq(said, "+ apt-get update\n+ apt-get install -y check pkg-config\n");
    sh("CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit MPICC=mpicc " DEPS); /* MPI alone is missing: compiler, mpirun */
    ck_assert_str_eq(said, "make deps: Check is here already.\n+ apt-get update\n"
                           "+ apt-get install -y openmpi-bin libopenmpi-dev\n");
    put_program("bin/mpicc", "#!/bin/sh\n[ \"$OMPI_CC$MPICH_CC\" = cccc ]\n");
    sh("CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit MPICC=mpicc " DEPS);
    assert_contains(said, "\n+ apt-get install -y openmpi-bin libopenmpi-dev\n");
    put_program("bin/mpirun", "");
    sh("CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit MPICC=mpicc " DEPS);
    ck_assert_str_eq(said, "make deps: Check is here already.\nmake deps: MPI is here already.\n");
    sh("MPICC=mpicc " DEPS);
    ck_assert_str_eq(
        said, "make deps: MPI is here already.\n+ apt-get update\n+ apt-get install -y check pkg-config\n");
    sh("make deps"); /* these tests were built with it */
    ck_assert_str_eq(said, "make deps: Check is here already.\n");
}
END_TEST

/* ---- tests/run-all ---- */

static const struct {
    const char *name, *script;
} programs[] = {
    {"passes", "echo 'Running suite(s): a'; echo '100%: Checks: 3, Failures: 0, Errors: 0'"},
    {"skips", "echo 'SKIPPED: no such thing here'; echo '100%: Checks: 1, Failures: 0, Errors: 0'"},
    {"fails", "echo '60%: Checks: 5, Failures: 1, Errors: 1'; echo 'x.c:1:F:a:b:0: wrong'; exit 1"},
    {"crashes", "echo about to; kill -SEGV $$"},
    {"leaks", "echo '100%: Checks: 2, Failures: 0, Errors: 0'; echo 'ERROR: leak'; exit 23"},
    {"silent", ":"},
    {"empty", "echo '100%: Checks: 0, Failures: 0, Errors: 0'"},
    {"environment", "echo \"$CK_VERBOSITY $CK_DEFAULT_TIMEOUT $OMP_WAIT_POLICY $ASAN_OPTIONS\" >$D/seen;"
                    "echo '100%: Checks: 1, Failures: 0, Errors: 0'"},
};

static void write_programs(void) {
    sh("mkdir -p b/tests/room");
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char path[64], script[512];
        snprintf(path, sizeof path, "b/tests/room/test_%s", programs[i].name);
        snprintf(script, sizeof script, "#!/bin/sh\n%s\n", programs[i].script);
        put_program(path, script);
    }
}

#define P(name) "b/tests/room/test_" name " "

static int lines_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

START_TEST(run_passes) {
    write_programs();
    sh("tests/run-all " P("passes") P("skips") " | sed 's/, [0-9]* s$/, some seconds/'");
    ck_assert_str_eq(
        said, "room/test_passes                   100%: Checks: 3, Failures: 0, Errors: 0, some seconds\n"
              "room/test_skips                    100%: Checks: 1, Failures: 0, Errors: 0, some seconds\n"
              "SKIPPED: no such thing here\n"
              "4 passed, 0 failed\n");
    sh("unset OMP_WAIT_POLICY ASAN_OPTIONS; tests/run-all " P("environment") " && cat seen");
    assert_contains(said, "\nnormal 0 passive intercept_tls_get_addr=0\n");
    sh("export OMP_WAIT_POLICY=active ASAN_OPTIONS=detect_leaks=1; tests/run-all " P(
        "environment") " && cat seen");
    assert_contains(said, "\nnormal 0 active intercept_tls_get_addr=0:detect_leaks=1\n");
    sh("RUN='env OMP_WAIT_POLICY=emulated' tests/run-all " P("environment") " && cat seen");
    assert_contains(said, "\nnormal 0 emulated ");
}
END_TEST

/* Of more than ten, what took most of the processors' time: the sum, then ten, the slowest of all before the others. */
START_TEST(run_tells_what_was_slow) {
    write_programs();
    put_program("b/tests/room/test_slow", "#!/bin/sh\ni=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done\n"
                                          "echo '100%: Checks: 1, Failures: 0, Errors: 0'\n");
    sh("for i in 0 1 2 3 4 5 6 7 8; do cp b/tests/room/test_passes b/tests/room/test_p$i; done");
    sh("tests/run-all " P("slow") " b/tests/room/test_p?");
    ck_assert_ptr_null(strstr(said, "Processor seconds"));
    sh("tests/run-all b/tests/room/test_p? " P("slow") P("passes") " | sed -n '/^Processor seconds/,$p'");
    ck_assert_int_eq(lines_of(said), 13); /* a title, the sum, ten, and what passed */
    const char *all = strstr(said, "  all\n"), *slow = strstr(said, "  room/test_slow\n");
    ck_assert(all && slow && all < slow);
    ck_assert_int_eq(lines_of(all) - lines_of(slow), 1);
    ck_assert(atof(slow - 8) > 0 && atof(all - 8) >= atof(slow - 8));
    assert_contains(said, "\n31 passed, 0 failed\n");
}
END_TEST

START_TEST(run_fails) {
    static const char *const cases[][2] = {
        {P("passes") P("fails"), "\nfailed: room/test_fails\n6 passed, 2 failed\n"},
        {P("passes") P("crashes"), "\nfailed: room/test_crashes\n3 passed, 1 failed\n"},
        {P("leaks") P("passes"), "\nfailed: room/test_leaks\n5 passed, 1 failed\n"},
        {P("silent") P("passes"), "\nfailed: room/test_silent\n3 passed, 1 failed\n"},
        {P("empty") P("passes"), "\nfailed: room/test_empty\n3 passed, 1 failed\n"},
        {P("none"), "\nfailed: room/test_none\n0 passed, 1 failed\n"},
        {"b/tests/nowhere/test_none", "\nfailed: nowhere/test_none\n0 passed, 1 failed\n"},
        {P("fails") P("passes") P("crashes"),
         "\nfailed: room/test_fails room/test_crashes\n6 passed, 3 failed\n"},
        {"", "0 passed, 0 failed\n"},
    };
    write_programs();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256];
        snprintf(command, sizeof command, "tests/run-all %s", cases[i][0]);
        int status = try(command);
        ck_assert_msg(status == 1, "%s: exit status %d\n%s", command, status, said);
        assert_contains(said, cases[i][1]);
        ck_assert_str_eq(said + strlen(said) - strlen(cases[i][1]), cases[i][1]);
    }
    ck_assert_int_eq(try("tests/run-all " P("fails") P("passes")), 1);
    assert_contains(said, "room/test_passes ");
    assert_contains(strstr(said, "room/test_passes "), "\n    x.c:1:F:a:b:0: wrong\n"); /* its log, late */
    ck_assert_int_eq(try("tests/run-all " P("crashes")), 1);
    assert_contains(said, "room/test_crashes                  no closing line (exit 139), ");
    assert_contains(said, "\n    about to\n");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_tree(tc);
    tcase_add_test(tc, each_package_manager);
    tcase_add_test(tc, deps_that_cannot);
    tcase_add_test(tc, deps_that_are_there);
    tcase_add_test(tc, run_passes);
    tcase_add_test(tc, run_tells_what_was_slow);
    tcase_add_test(tc, run_fails);
}

TL_TEST_MAIN("build: scripts")
