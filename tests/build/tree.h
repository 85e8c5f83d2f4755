/* A small repository with our Makefile and scripts in it, made anew for each test: what `make` does is tried there in
 * seconds, whatever is being built around it. Nothing of a `make test` that runs this program reaches the inner make. */
#ifndef TL_TESTS_TREE_H
#define TL_TESTS_TREE_H

#include "examples/shell.h"
#include "io/scratch.h"

static scratch all, tree; /* the program's folder, and the test's in it */
static char *said;        /* both streams of the last command */

/* Runs a command in the tree; returns its exit status. In commands $D is the tree, $CC the compiler,
 * $TOP the real repository and $OUTER its build folder. */
static inline int try(const char *command) {
    int status;
    free(said);
    said = shell(&status, "{ cd \"$D\" && %s\n}", command);
    return status;
}

static inline void sh(const char *command) {
    int status = try(command);
    ck_assert_msg(status == 0, "%s\nexit status %d\n%s", command, status, said);
}

static inline void put(const char *path, const char *text) {
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", tree.folder, path);
    put_text(full, text);
}

static inline void put_program(const char *path, const char *text) {
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", tree.folder, path);
    put_text(full, text);
    ck_assert_int_eq(chmod(full, 0755), 0);
}

/* make hands its options and variables on to what it runs, and so to us. */
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
    setenv("CC", env("CC", "cc"), 1); /* the one that these tests were built with */
    setenv("OUTER", build_folder(), 1);
    tree = scratch_within(&all, "tree");
    setenv("D", tree.folder, 1);
    ck_assert_ptr_nonnull(getcwd(top, sizeof top));
    setenv("TOP", top, 1);
    forget_outer_make();
    sh("mkdir -p include/tapeloom src/tensor/kernels examples/translate examples/lm examples/caption "
       "examples/program "
       "examples/bpe tests/room"
       " && cp $TOP/Makefile $TOP/tapeloom.pc.in ."
       " && cp $TOP/tests/run-all $TOP/tests/deps $TOP/tests/*.h tests");
    put("include/tapeloom.h", "#define TL_VERSION \"0\"\n#include \"tapeloom/tensor.h\"\n");
    put("include/tapeloom/tensor.h", "#ifdef TL_DOUBLE\n# define tl_answer tl_answer_f64\n#else\n"
                                     "# define tl_answer tl_answer_f32\n#endif\nint tl_answer(void);\n");
    put("src/tensor/private.h", "enum { TL_ANSWER = 42 };\n");
    put("src/tensor/answer.c", "#include \"tensor/private.h\"\n#include \"tapeloom.h\"\n"
                               "int tl_answer(void) { return TL_ANSWER; }\n");
    put("src/tensor/other.c", "int tl_other(void);\nint tl_other(void) { return 1; }\n");
    put("src/tensor/kernels/product_bf16.c", "typedef int nothing;\n"); /* these the Makefile knows by name */
    put("src/tensor/kernels/product_amx.c", "typedef int nothing;\n");
    put("src/tensor/kernels/k.c", "int TL_ISA;\n"); /* an object each: base, avx2, … */
    put("examples/hello.c", "#include <tapeloom.h>\nint main(void) { return tl_answer() != 42; }\n");
    put("examples/bpe/main.c", "int main(void) { return 0; }\n");
    put("examples/bleu.c", "int main(void) { return 0; }\n");
    put("examples/translate/main.c", "int part(void);\nint main(void) { return part(); }\n");
    put("examples/lm/main.c", "int shared(void);\nint main(void) { return shared(); }\n");
    put("examples/caption/main.c", "int shared(void);\nint main(void) { return shared(); }\n");
    put("examples/program/shared.c", "int shared(void);\nint shared(void) { return 0; }\n");
    put("examples/translate/part.c", "int part(void);\nint part(void) { return 0; }\n");
    put("tests/room/test_small.c", "#include \"check.h\"\n#include <tapeloom.h>\nSTART_TEST(answer) { "
                                   "ck_assert_int_eq(tl_answer(), 42); }\n"
                                   "END_TEST\nstatic void add_tests(TCase *tc) { tcase_add_test(tc, answer); "
                                   "}\nTL_TEST_MAIN(\"small\")\n");
}

static inline int count_lines(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static inline void leave_tree(void) {
    scratch_remove(&tree);
    free(said);
}

/* What a failed test leaves behind goes with the folder around it, which belongs to Check's parent process. */
static inline void enter_all(void) { all = scratch_new(); }
static inline void leave_all(void) { scratch_remove(&all); }
static inline void in_its_own_tree(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, enter_tree, leave_tree);
}

static inline void assert_lacks(const char *part) {
    ck_assert_msg(!strstr(said, part), "\"%s\" in\n%s", part, said);
}

#endif
