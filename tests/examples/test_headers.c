/* The public headers: each compiles on its own as C11 and as C++, refuses -ffast-math and big-endian machines, and links
 * with the library of its own precision only. The compilers are those of the environment, CC and CXX. Run from the top of the
 * repository; BUILD says where the library is. */
#define _POSIX_C_SOURCE 200809L
#include "shell.h"

#include <unistd.h>

static const char *const headers[] = {
    "tapeloom.h",       "tapeloom/caption.h", "tapeloom/classify.h", "tapeloom/lm.h",
    "tapeloom/base.h",  "tapeloom/tensor.h",  "tapeloom/autograd.h", "tapeloom/ops.h",
    "tapeloom/op.h",    "tapeloom/nn.h",      "tapeloom/models.h",   "tapeloom/optim.h",
    "tapeloom/text.h",  "tapeloom/io.h",      "tapeloom/run.h",      "tapeloom/options.h",
    "tapeloom/train.h", "tapeloom/lens.h",    "tapeloom/page.h",     "tapeloom/heads.h",
    "tapeloom/prune.h", "tapeloom/kept.h",    "tapeloom/checks.h",   "tapeloom/compare.h",
    "tapeloom/flow.h",  "tapeloom/logits.h",  "tapeloom/patch.h",    "tapeloom/ranks.h"};
enum { HEADERS = sizeof headers / sizeof *headers };

static const char *cc(void) { return env("CC", "cc"); }

/* The first C++ compiler that there is, or NULL. */
static const char *cxx(void) {
    const char *const candidates[] = {env("CXX", "c++"), "g++", "clang++"};
    for (int i = 0; i < 3; i++) {
        int status;
        free(shell(&status, "%s --version", candidates[i]));
        if (status == 0) return candidates[i];
    }
    return NULL;
}

/* The table above lists every header in include/. */
START_TEST(all_headers_are_listed) {
    int status, lines = 0;
    char *list = shell(&status, "cd include && ls *.h */*.h");
    ck_assert_int_eq(status, 0);
    for (char *name = strtok(list, "\n"); name; name = strtok(NULL, "\n"), lines++) {
        bool found = false;
        for (int i = 0; i < HEADERS; i++) found |= !strcmp(name, headers[i]);
        ck_assert_msg(found, "include/%s is not in this test's table", name);
    }
    ck_assert_int_eq(lines, HEADERS);
    free(list);
}
END_TEST

/* Includes the header twice, which tests its include guard. */
static char *compile(int *status, const char *compiler, const char *language, const char *flags,
                     const char *header) {
    return shell(status,
                 "printf '#include <%s>\\n#include <%s>\\nint main() { return 0; }\\n' | "
                 "%s -x %s %s -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only -",
                 header, header, compiler, language, flags);
}

static void all_compile(const char *compiler, const char *language, const char *flags) {
    for (int i = 0; i < HEADERS; i++) {
        int status;
        char *output = compile(&status, compiler, language, flags, headers[i]);
        ck_assert_msg(status == 0, "%s as %s (%s): %.2000s", headers[i], language, flags, output);
        free(output);
    }
}

START_TEST(as_c) {
    all_compile(cc(), "c", "-std=c11");
    all_compile(cc(), "c", "-std=c11 -DTL_DOUBLE");
}
END_TEST

START_TEST(as_cpp) {
    if (!cxx()) {
        TL_SKIP("headers as C++: no C++ compiler here (CXX, c++, g++, clang++)");
        return;
    }
    all_compile(cxx(), "c++", "-std=c++11");
    all_compile(cxx(), "c++", "-std=c++17 -DTL_DOUBLE");
}
END_TEST

static void refused(const char *flags, const char *sentence) {
    for (int i = 0; i < HEADERS; i++) {
        int status;
        char *output = compile(&status, cc(), "c", flags, headers[i]);
        ck_assert_msg(status != 0, "%s compiles with %s", headers[i], flags);
        ck_assert_msg(strstr(output, sentence) != NULL, "%.2000s", output);
        free(output);
    }
}

START_TEST(fast_math_is_refused) {
    refused("-std=c11 -ffast-math", "tapeloom cannot be used with -ffast-math");
}
END_TEST

/* A big-endian machine, as its compiler describes it. */
START_TEST(big_endian_is_refused) {
    refused("-std=c11 -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__",
            "tapeloom runs on little-endian machines only");
}
END_TEST

/* ---- linking ---- */

#ifdef TL_DOUBLE
static const char *const library = "libtapeloom-double.a", *const same = "-DTL_DOUBLE", *const other = "";
static const char *const missing = "tl_tape_new_f32", *const other_missing = "tl_params_new_f32";
#else
static const char *const library = "libtapeloom.a", *const same = "", *const other = "-DTL_DOUBLE";
static const char *const missing = "tl_tape_new_f64", *const other_missing = "tl_params_new_f64";
#endif

/* The library was built with the same sanitizers and OpenMP as this test. */
static const char *link_flags(void) {
#if defined(TL_SANITIZED) && defined(_OPENMP)
    return "-fsanitize=address,undefined -fopenmp -lm";
#elif defined(TL_SANITIZED)
    return "-fsanitize=address,undefined -lm";
#elif defined(_OPENMP)
    return "-fopenmp -lm";
#else
    return "-lm";
#endif
}

/* 1 + 2 = 3, and both constructors: valid as C and as C++ */
static const char *const program =
    "#include <tapeloom.h>\n"
    "int main(void) {\n"
    "    tl_tape *tape = tl_tape_new();\n"
    "    tl_params *params = tl_params_new(1);\n"
    "    double three = tl_item(tl_value(tl_add(tl_scalar(tape, 1), tl_scalar(tape, 2))));\n"
    "    tl_params_free(params);\n"
    "    tl_tape_free(tape);\n"
    "    return three == 3 ? 0 : 1;\n"
    "}\n";

/* A program that makes neither tape nor parameters, but reads a run's numbers. */
static const char *const reader = "#include <tapeloom.h>\n"
                                  "int main(void) {\n"
                                  "    tl_run *run = tl_run_open(\"nowhere\", NULL, NULL);\n"
                                  "    return tl_run_tape(run) ? 1 : 0;\n"
                                  "}\n";

/* Compiles the program, links it and runs it. Linking is always with CC, since the library needs the OpenMP and
 * sanitizers of CC. Returns the output of the last command: linking, or the program. */
static char *build_and_run(const char *text, const char *compiler, const char *language, const char *flags,
                           bool *linked, int *ran) {
    char folder[] = "/tmp/tapeloom_headers_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/program.txt", folder);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
    int status;
    char *output = shell(&status, "%s -x %s %s -Wall -Wextra -Werror -Iinclude -c %s -o %s/program.o",
                         compiler, language, flags, path, folder);
    ck_assert_msg(status == 0, "as %s (%s): %.2000s", language, flags, output);
    free(output);
    output = shell(&status, "%s %s/program.o %s/%s %s -o %s/program", cc(), folder, build_folder(), library,
                   link_flags(), folder);
    *linked = status == 0;
    *ran = -1;
    if (*linked) {
        free(output);
        output = shell(ran, "%s/program", folder);
    }
    free(shell(&status, "rm -r %s", folder));
    return output;
}

START_TEST(links_with_its_own_precision) {
    bool linked;
    int ran;
    char *output = build_and_run(program, cc(), "c", same, &linked, &ran);
    ck_assert_msg(linked && ran == 0, "linked: %d, ran: %d: %.2000s", linked, ran, output);
    free(output);
}
END_TEST

START_TEST(does_not_link_with_the_other_precision) {
    bool linked;
    int ran;
    char *output = build_and_run(program, cc(), "c", other, &linked, &ran);
    ck_assert_msg(!linked, "a header of one precision links with %s of the other", library);
    assert_contains(output, missing);
    assert_contains(output, other_missing);
    free(output);
    output = build_and_run(reader, cc(), "c", same, &linked, &ran);
    ck_assert_msg(linked && ran == 0, "linked: %d, ran: %d: %.2000s", linked, ran, output);
    free(output);
    output = build_and_run(reader, cc(), "c", other, &linked, &ran);
    ck_assert_msg(!linked, "a program that reads a run links with %s of the other precision", library);
    free(output);
}
END_TEST

START_TEST(links_from_cpp) {
    if (!cxx()) {
        TL_SKIP("linking from C++: no C++ compiler here (CXX, c++, g++, clang++)");
        return;
    }
    char flags[64];
    snprintf(flags, sizeof flags, "-fno-exceptions %s", same);
    bool linked;
    int ran;
    char *output = build_and_run(program, cxx(), "c++", flags, &linked, &ran);
    ck_assert_msg(linked && ran == 0, "linked: %d, ran: %d: %.2000s", linked, ran, output);
    free(output);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, all_headers_are_listed);
    tcase_add_test(tc, as_c);
    tcase_add_test(tc, as_cpp);
    tcase_add_test(tc, fast_math_is_refused);
    tcase_add_test(tc, big_endian_is_refused);
    tcase_add_test(tc, links_with_its_own_precision);
    tcase_add_test(tc, does_not_link_with_the_other_precision);
    tcase_add_test(tc, links_from_cpp);
}

TL_TEST_MAIN("examples: headers")
