/* A small repository for each test, with our Makefile and scripts (tests/build/make-tree), in which tests try what make
 * does. Nothing of the make that runs the test reaches the make that a test runs. */
#ifndef TL_TESTS_TREE_H
#define TL_TESTS_TREE_H

#include "examples/shell.h"
#include "io/scratch.h"

/* The folder of the program and, inside it, the tree of the test. */
static scratch all, tree;
/* The output and error output of the last command. */
static char *said;

/* Runs a command in the tree; returns its exit status. In commands $D is the tree, $CC the compiler of this build, $TOP
 * the real repository and $OUTER its build folder. */
static inline int try(const char *command) {
    int status;
    free(said);
    said = shell(&status, "{ cd \"$D\" && %s\n}", command);
    return status;
}

/* The command must succeed. */
static inline void sh(const char *command) {
    int status = try(command);
    ck_assert_msg(status == 0, "%s\nexit status %d\n%s", command, status, said);
}

static inline void put(const char *path, const char *text) {
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", tree.folder, path);
    put_text(full, text);
}

/* make passes its options and variables on in the environment. */
static inline void forget_outer_make(void) {
    static const char *const names[] = {
        "MAKEFLAGS",  "GNUMAKEFLAGS", "MFLAGS",   "MAKELEVEL", "MAKEOVERRIDES", "MAKEFILES", "B",
        "BUILD",      "PRECISION",    "SAN",      "DEBUG",     "OPENMP",        "HARDEN",    "PREFIX",
        "DESTDIR",    "CFLAGS",       "CPPFLAGS", "LDFLAGS",   "ISAS",          "AR",        "CHECK_CFLAGS",
        "CHECK_LIBS", "RUN",          "MPI",      "MPICC"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

static inline void enter_tree(void) {
    char top[1024];
    setenv("CC", env("CC", "cc"), 1);
    setenv("OUTER", build_folder(), 1);
    tree = scratch_within(&all, "tree");
    setenv("D", tree.folder, 1);
    ck_assert_ptr_nonnull(getcwd(top, sizeof top));
    setenv("TOP", top, 1);
    forget_outer_make();
    sh("$TOP/tests/build/make-tree");
}

static inline void leave_tree(void) {
    scratch_remove(&tree);
    free(said);
}

/* Check's parent process removes the folder around all trees, and with it the tree of a test that has failed. */
static inline void enter_all(void) { all = scratch_new(); }
static inline void leave_all(void) { scratch_remove(&all); }
static inline void in_its_own_tree(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, enter_tree, leave_tree);
}

#endif
