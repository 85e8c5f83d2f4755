/* What makes a mistake in memory harder to use is in the programs, as far as this compiler has it, and asking for it does not
 * get in the way of a compiler that has not, or of somebody's own flags. */
#define _XOPEN_SOURCE 700
#include "tree.h"

#ifndef TL_SANITIZED
/* Were the programs built with this? */
static bool has_flag(const char *flag) {
    char path[1024], spaced[128];
    snprintf(path, sizeof path, "%s/flags", build_folder());
    char *flags = get_file(path, NULL);
    snprintf(spaced, sizeof spaced, " %s ", flag);
    const bool has = strstr(flags, spaced) != NULL;
    free(flags);
    return has;
}
#endif

START_TEST(programs_are_hardened) {
#ifdef TL_SANITIZED
    TL_SKIP("hardened programs: sanitizers have checks of their own");
#else
    static const char *const programs[] = {"translate", "bpe", "bleu"};
    static const struct {
        const char *flag, *shows;
    } cases[] = {{"-fPIE", "Type:  *DYN"},
                 {"-pie", "Flags: .*PIE"},
                 {"-Wl,-z,relro", "GNU_RELRO"},
                 {"-Wl,-z,now", "BIND_NOW"},
                 {"-Wl,-z,noexecstack", "GNU_STACK .* RW "},
                 {"-fstack-protector-strong", "UND __stack_chk_fail"},
                 {"-D_FORTIFY_SOURCE=3", "UND __[a-z]*_chk@"}};
    if (try("readelf --version >/dev/null")) {
        TL_SKIP("hardened programs: there is no readelf");
        return;
    }
    if (!has_flag("-fstack-protector-strong")) {
        TL_SKIP("hardened programs: this build is not");
        return;
    }
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char line[512];
            if (!has_flag(cases[i].flag)) {
                TL_SKIP("this compiler has no %s", cases[i].flag);
                continue;
            }
            snprintf(line, sizeof line, "readelf -hldsW \"$TOP/$OUTER/%s\" | grep -q '%s'", programs[p],
                     cases[i].shows);
            ck_assert_msg(try(line) == 0, "%s is built with %s, and does not show it", programs[p],
                          cases[i].flag);
        }
#endif
}
END_TEST

/* Both compilers that we know have all of it; on x86-64 control flow too. */
START_TEST(both_compilers_have_it) {
    static const char *const compilers[] = {"gcc", "clang"};
    static const char *const flags[] = {"-fPIE",        "-pie",       "-fstack-protector-strong",
                                        "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"};
    for (int c = 0; c < 2; c++) {
        char line[128];
        snprintf(line, sizeof line, "%s --version >/dev/null", compilers[c]);
        if (try(line)) continue;
        snprintf(line, sizeof line, "make -n all CC=%s 2>/dev/null | grep -e ' -o .*/hello '", compilers[c]);
        sh(line);
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            snprintf(line, sizeof line, " %s ", flags[i]);
            assert_contains(said, line);
        }
        assert_contains(said, " -D_FORTIFY_SOURCE=");
    }
}
END_TEST

/* A compiler that knows one thing less is asked for the rest. */
START_TEST(what_is_not_known_is_left_out) {
    static const char *const unknown[] = {"-fstack-clash-protection", "-D_FORTIFY_SOURCE=3", "-Wl,-z,now",
                                          "-fPIE"};
    for (int i = 0; i < 4; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "#!/bin/sh\nfor word; do [ \"$word\" != %s ] || { echo unknown >&2; exit 1; }; done\nexec "
                 "${REAL_CC} \"$@\"\n",
                 unknown[i]);
        put_program("old-cc", text);
        snprintf(text, sizeof text, "REAL_CC=\"$CC\" make CC=\"$PWD/old-cc\" B=b%d OPENMP=0 && b%d/hello", i,
                 i);
        sh(text);
        ck_assert_ptr_null(strstr(said, unknown[i]));
        assert_contains(said, "-fstack-protector-strong");
        if (i == 1) assert_contains(said, "-D_FORTIFY_SOURCE=2");
    }
}
END_TEST

START_TEST(own_flags_are_not_contradicted) {
    sh("make B=b OPENMP=0 CFLAGS=-O0 && b/hello"); /* there glibc warns of _FORTIFY_SOURCE */
    sh("make B=b OPENMP=0 CPPFLAGS=-D_FORTIFY_SOURCE=1 && b/hello");
    ck_assert_ptr_null(strstr(said, "_FORTIFY_SOURCE=3"));
    sh("make B=b OPENMP=0 CFLAGS=-fno-pie LDFLAGS=-no-pie && b/hello");
    sh("make B=b OPENMP=0 'CFLAGS=-O1 -fsanitize=undefined' && b/hello");
    ck_assert_ptr_null(strstr(said, "protector"));
    sh("make B=b OPENMP=0 HARDEN=0 && b/hello");
    ck_assert_ptr_null(strstr(said, "protector"));
    ck_assert_ptr_null(strstr(said, "relro"));
}
END_TEST

/* Others link the library as they like. */
START_TEST(the_library_is_anybodys) {
    sh("make B=b OPENMP=0 lib");
    sh("$CC -Iinclude examples/hello.c b/libtapeloom.a -o plain && ./plain");
    sh("$CC -fPIE -pie -Iinclude examples/hello.c b/libtapeloom.a -o pie && ./pie");
    sh("$CC -fno-pie -no-pie -Iinclude examples/hello.c b/libtapeloom.a -o fixed && ./fixed");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_tree(tc);
    tcase_add_test(tc, programs_are_hardened);
    tcase_add_test(tc, both_compilers_have_it);
    tcase_add_test(tc, what_is_not_known_is_left_out);
    tcase_add_test(tc, own_flags_are_not_contradicted);
    tcase_add_test(tc, the_library_is_anybodys);
}
TL_TEST_MAIN("build: hardened programs")
