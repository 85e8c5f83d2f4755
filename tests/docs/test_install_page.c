/* docs/install.md: each flavour of its table builds into the folder that it names, and its commands install, compile,
 * run and uninstall. */
#define _XOPEN_SOURCE 700
#include "build/tree.h"

#include <tapeloom.h> /* tl_real */

#ifdef TL_SANITIZED
# define SANITIZE "-fsanitize=address,undefined"
#else
# define SANITIZE ""
#endif

static char *page(void) { return read_text_file("docs/install.md"); }

/* The value of NAME= in a command; NULL if it has none. */
static const char *given(const char *line, const char *name, char word[64]) {
    char with_space[32];
    snprintf(with_space, sizeof with_space, " %s=", name);
    const char *at = strstr(line, with_space);
    return at && sscanf(at + strlen(with_space), "%63s", word) == 1 ? word : NULL;
}

/* Skips a command whose compiler (CC, MPICC, or mpicc with MPI=1) is not installed. */
static bool compiler_is_missing(const char *line) {
    char word[64], test[256];
    const char *cc = given(line, "MPI", word) ? "mpicc" : NULL;
    if (!given(line, "CC", word) && !given(line, "MPICC", word) && !cc) return false;
    if (given(line, "CC", word) || given(line, "MPICC", word)) cc = word;
    snprintf(test, sizeof test, "printf '%sint main(void){return 0;}\\n' | %s -xc - -o probe",
             strstr(line, "MPI=1") ? "#include <mpi.h>\\n" : "", cc);
    if (try(test) == 0) return false;
    TL_SKIP("docs/install.md: %s is not installed", cc);
    return true;
}

/* Each row of the table builds into its folder; only rows with MPI=1 use MPI. */
START_TEST(flavours_build_where_the_page_says) {
    char *text = page(), command[128], folder[64], line[512], word[64];
    int rows = 0;
    sh("mkdir src/ranks");
    put("src/ranks/mpi.c", "#ifdef TL_MPI\n#include <mpi.h>\nint tl_begun(void);\nint tl_begun(void) { int "
                           "begun; return MPI_Initialized(&begun) || begun; }\n#endif\n");
    for (const char *at = text; (at = strstr(at, "\n| `make")) != NULL; at++, rows++) {
        ck_assert_int_eq(sscanf(at, "\n| `%127[^`]` | `%63[^`]` |", command, folder), 2);
        if (compiler_is_missing(command)) continue;
        snprintf(line, sizeof line, "rm -rf build; make %s-j2 lib %s && ls %s/libtapeloom*.a",
                 given(command, "CC", word) ? "" : "CC=cc ", command + 4, folder);
        sh(line);
        snprintf(line, sizeof line, "nm %s/libtapeloom*.a | grep -c MPI_", folder);
        ck_assert_int_eq(try(line), strstr(command, "MPI=1") ? 0 : 1);
    }
    ck_assert_int_eq(rows, 10);
    free(text);
}
END_TEST

/* The lines of all ```sh blocks, which the caller frees. */
static char *commands(const char *text) {
    char *all = calloc(strlen(text) + 1, 1);
    for (const char *at = text; (at = strstr(at, "\n```sh\n")) != NULL;) {
        at += 7;
        strncat(all, at, (size_t)(strstr(at, "```\n") - at));
    }
    return all;
}

/* Runs the commands in order, with the library of this build. Those for the other precision are left out. */
START_TEST(commands_do_what_the_page_says) {
    const bool is_double = sizeof(tl_real) == sizeof(double);
    char *text = page(), *lines = commands(text), *script = calloc(1 << 14, 1),
         *code = strstr(text, "```c\n") + 5;
    bool left_out = false;
    int programs = 0, makes = 0;
    if (try("pkg-config --version") != 0) {
        TL_SKIP("docs/install.md: pkg-config is not here");
        return;
    }
    *strstr(code, "```\n") = '\0';
    put("my.c", code);
    setenv("HOME", tree.folder, 1);
    sh("rm -rf include build && ln -s $TOP/include include && ln -s $TOP/$OUTER build");
    const bool threads = try("grep -q -e -fopenmp build/flags") == 0;
    /* -o: make does not build these files again */
    sprintf(script,
            "set -e; keep=\"-o $OUTER/lib%s.a $(for t in translate lm caption classify attend study bpe bleu "
            "marker; do echo -o "
            "$OUTER/$t; done)\"\n"
            "make() { command make -s -C $TOP $keep CC=\"$CC\" B=$OUTER PRECISION=%s %s\"$@\"; }\n"
            "gcc() { $CC %s \"$@\"; }\n",
            is_double ? "tapeloom-double" : "tapeloom", is_double ? "double" : "float",
            threads ? "" : "OPENMP=0 ", SANITIZE);
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        if (strstr(line, "DESTDIR") || strstr(line, "CC=")) continue; /* run by the next test */
        if (!strncmp(line, "make", 4)) {
            left_out = strstr(line, "install PREFIX") && !strstr(line, "uninstall") &&
                       (strstr(line, "PRECISION=double") != NULL) != is_double;
            if (strstr(line, "uninstall")) strcat(script, "find ~/tapeloom -type f | wc -l\n");
            makes += !left_out;
        } else if (!strncmp(line, "gcc", 3)) {
            left_out = strstr(line, "-Iinclude") ? is_double || !threads
                                                 : (strstr(line, "tapeloom-double)") != NULL) != is_double;
            programs += !left_out;
        } else if (!strncmp(line, "export", 6))
            left_out = false;
        if (left_out) continue;
        strcat(script, line);
        strcat(script, "\n");
    }
    strcat(script, "find ~/tapeloom -type f\n");
    put("page.sh", script);
    sh("sh page.sh > log || { tail -n 5 log; exit 1; }; cat log");
    ck_assert_int_eq(makes, 2);
    ck_assert_int_ge(programs, is_double ? 1 : 2);
    char *rest = page(), *block = strstr(rest, is_double ? "In double:" : "In float:"), want[128];
    ck_assert_int_eq(sscanf(strstr(block, "\n\n```\n") + 6, "%127[^\n]", want), 1);
    assert_contains(said, want);
    /* find, at the end, lists no installed file. */
    ck_assert_ptr_null(strstr(said, "/tapeloom/include/"));
    free(rest);
    free(text);
    free(lines);
    free(script);
}
END_TEST

/* The commands that install to a staged folder (DESTDIR) and that build for another processor (CC), in the small
 * tree. */
START_TEST(packages_and_other_processors) {
    char *text = page(), *lines = commands(text), command[512];
    int seen = 0;
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        const bool staged = strstr(line, "DESTDIR") != NULL;
        if (!staged && !strstr(line, "CC=")) continue;
        seen++;
        if (compiler_is_missing(line)) continue;
        snprintf(command, sizeof command, "%s%s && ls %s", line, staged ? " CC=\"$CC\"" : " lib",
                 staged ? "stage/usr/include/tapeloom.h stage/usr/share/doc/tapeloom/examples/hello.c"
                        : "build/aarch64-linux-gnu-gcc/libtapeloom.a");
        sh(command);
    }
    ck_assert_int_eq(seen, 2);
    free(text);
    free(lines);
}
END_TEST

/* The page names all programs that make install installs. */
START_TEST(installed_programs) {
    char *text = page();
    sh("sed -n 's/^tools *:= .*EXAMPLES)),\\(.*\\))/\\1/p' $TOP/Makefile");
    int tools = 0;
    for (char *tool = strtok(said, " \n"); tool; tool = strtok(NULL, " \n"), tools++) {
        char name[64];
        snprintf(name, sizeof name, tools ? ", `-%s`" : "`bin/tapeloom-%s`", tool);
        assert_contains(text, name);
    }
    ck_assert_int_eq(tools, 8);
    free(text);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_tree(tc);
    tcase_add_test(tc, flavours_build_where_the_page_says);
    tcase_add_test(tc, commands_do_what_the_page_says);
    tcase_add_test(tc, packages_and_other_processors);
    tcase_add_test(tc, installed_programs);
}

TL_TEST_MAIN("docs: install.md")
