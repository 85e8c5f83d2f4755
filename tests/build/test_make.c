/* The Makefile as its user knows it: targets that say what they do, a folder a flavour, nothing rebuilt in vain and
 * everything that must be, installing and uninstalling, and a word when Check is missing. */
#define _XOPEN_SOURCE 700
#include "docs/pages.h"
#include "tree.h"

#include <tapeloom.h> /* TL_VERSION, tl_real */

#if defined(TL_SANITIZED)
# define SANITIZE "-fsanitize=address,undefined"
#else
# define SANITIZE ""
#endif

#define MAKE "make CC=\"$CC\" B=b OPENMP=0 "

/* ---- what there is ---- */

START_TEST(help_lists_targets) {
    sh("make help");
    char *listed = strcpy(malloc(strlen(said) + 1), said);
    ck_assert_ptr_eq(
        strstr(
            listed,
            "make [target] [PRECISION=double] [MPI=1] [SAN=1] [DEBUG=1] [OPENMP=0] [HARDEN=0] [CC=clang]\n"),
        listed);
    sh("sed -n 's/^\\.PHONY: //p' Makefile");
    int targets = 0;
    for (char *name = strtok(said, " \n"); name; name = strtok(NULL, " \n")) {
        char line[64], *found, first;
        if (!strcmp(name, "FORCE") || !strncmp(name, "need-", 5)) continue; /* not for users */
        snprintf(line, sizeof line, "\n  %s ", name);
        found = strstr(listed, line);
        ck_assert_msg(found != NULL, "make help does not list %s:\n%s", name, listed);
        ck_assert_msg(sscanf(found + strlen(line), " %c", &first) == 1 && first >= 'a' && first <= 'z',
                      "%s has no description:\n%s", name, listed);
        targets++;
    }
    ck_assert_int_eq(targets, count_lines(listed) - 1);
    ck_assert_int_ge(targets, 14);
    free(listed);
}
END_TEST

START_TEST(flavours) {
    static const struct {
        const char *options, *folder, *library, *has, *has_not;
    } cases[] = {
        {"CC=cc", "build", "libtapeloom.a", " -O3 ", "-DTL_DOUBLE"},
        {"CC=gcc", "build", "libtapeloom.a", "gcc -std=c11 -Wall -Wextra -Werror ", "sanitize"},
        {"CC=cc PRECISION=double", "build/double", "libtapeloom-double.a", " -DTL_DOUBLE ", "sanitize"},
        {"CC=cc SAN=1", "build/san", "libtapeloom.a", " -fsanitize=address,undefined ", "-DTL_DOUBLE"},
        {"CC=cc DEBUG=1", "build/debug", "libtapeloom.a", " -O1 ", "-O3"},
        {"CC=cc OPENMP=0", "build/serial", "libtapeloom.a", " -O3 ", "-fopenmp"},
        {"CC=cc HARDEN=0", "build/soft", "libtapeloom.a", " -O3 ", "protector"},
        {"CC=clang", "build/clang", "libtapeloom.a", "clang -std=c11 ", "sanitize"},
        {"CC=/usr/bin/clang PRECISION=double SAN=1", "build/clang-double-san", "libtapeloom-double.a",
         " -fsanitize=address,undefined ", " -DTL_DOUBLE -O"},
        {"CC=clang DEBUG=1 OPENMP=0", "build/clang-debug-serial", "libtapeloom.a", " -O1 ", "-fopenmp"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line, "make -n all %s 2>/dev/null", cases[i].options);
        sh(line);
        snprintf(line, sizeof line, " -o %s/obj/src/tensor/answer.o\n", cases[i].folder);
        assert_contains(said, line);
        snprintf(line, sizeof line, " rcs %s/%s ", cases[i].folder, cases[i].library);
        assert_contains(said, line);
        snprintf(line, sizeof line, " -o %s/translate ", cases[i].folder);
        assert_contains(said, line);
        assert_contains(said, cases[i].has);
        ck_assert_msg(!strstr(said, cases[i].has_not), "%s: %s in\n%s", cases[i].options, cases[i].has_not,
                      said);
    }
    ck_assert_int_eq(try("ls build"), 2); /* -n made nothing */
    static const char *const wrong[][2] = {
        {"PRECISION=half", "PRECISION=half: say PRECISION=float or PRECISION=double"},
        {"SAN=yes", "SAN=yes: say SAN=0 or SAN=1"},
        {"DEBUG=2", "DEBUG=2: say DEBUG=0 or DEBUG=1"},
        {"OPENMP=no", "OPENMP=no: say OPENMP=0 or OPENMP=1"},
        {"HARDEN=2", "HARDEN=2: say HARDEN=0 or HARDEN=1"},
        {"MPI=mpich", "MPI=mpich: say MPI=0 or MPI=1"}};
    for (int i = 0; i < 6; i++) {
        char line[64];
        snprintf(line, sizeof line, "make help %s", wrong[i][0]);
        ck_assert_int_eq(try(line), 2);
        assert_contains(said, wrong[i][1]);
    }
}
END_TEST

/* The demo is run with the pair that is asked for, the first one otherwise. */
START_TEST(demo) {
    put("examples/translate/main.c", "#include <stdio.h>\nint main(int count, char **text) {\n    for (int i "
                                     "= 1; i < count; i++) printf(\"<%s>\", "
                                     "text[i]);\n    return 0;\n}\n");
    sh(MAKE "demo");
    assert_contains(said, "\n<demo><--pair><en-fr><--out><b/demo>");
    sh(MAKE "demo PAIR=en-zh");
    assert_contains(said, "\n<demo><--pair><en-zh><--out><b/demo>");
    sh("make -n demo CC=cc PRECISION=double PAIR=en-zh");
    assert_contains(said, "\nbuild/double/translate demo --pair en-zh --out build/double/demo\n");
}
END_TEST

/* ---- how many jobs ---- */

/* What make tells its jobs of how many they are. */
static const char *jobs_of(const char *goals) {
    char line[256];
    snprintf(line, sizeof line,
             "PATH=$D/bin:$PATH make -s --eval='one two deps:;@echo \"<$$MAKEFLAGS>\"' %s 2>/dev/null",
             goals);
    sh(line);
    return strstr(said, " -j3 ") ? "three" : strstr(said, "-j") ? "other" : "one";
}

START_TEST(jobs) {
    sh("mkdir bin");
    put_program("bin/getconf", "#!/bin/sh\n[ $1 = _NPROCESSORS_ONLN ] && echo 3\n");
    ck_assert_str_eq(jobs_of("one"), "three");
    ck_assert_str_eq(jobs_of("deps one"), "three");
    ck_assert_str_eq(jobs_of("one two"), "one"); /* in their order, as in clean all */
    ck_assert_str_eq(jobs_of("-j2 one"), "other");
    ck_assert_str_eq(jobs_of("-j2 one two"), "other"); /* whoever asks */
    put_program("bin/getconf", "#!/bin/sh\nexit 1\n");
    ck_assert_str_eq(jobs_of("one"), "other");                           /* -j1 */
    sh("make -s MAKELEVEL=1 --eval='one:;@echo \"<$$MAKEFLAGS>\"' one"); /* the outer make says how many */
    ck_assert_ptr_null(strstr(said, " -j"));
}
END_TEST

/* ---- what is built again ---- */

/* Of the last make's commands: does one compile this source, or make this file? */
static bool made(const char *file) {
    char compiled[128], linked[128];
    snprintf(compiled, sizeof compiled, " -c %s -o ", file);
    snprintf(linked, sizeof linked, " -o b/%s", file);
    return strstr(said, compiled) || strstr(said, linked);
}

static void expect_made(const char *after, bool answer, bool other, bool kernel, bool hello, bool translate) {
    const struct {
        const char *file;
        bool expected;
    } files[] = {{"src/tensor/answer.c", answer},
                 {"src/tensor/other.c", other},
                 {"src/tensor/kernels/k.c", kernel},
                 {"examples/hello.c", hello},
                 {"examples/translate/part.c", translate}};
    for (int i = 0; i < 5; i++)
        ck_assert_msg(made(files[i].file) == files[i].expected, "%s: %s should %sbe compiled\n%s", after,
                      files[i].file, files[i].expected ? "" : "not ", said);
}

START_TEST(rebuilds_what_changed) {
    sh(MAKE "-j2");
    expect_made("first", true, true, true, true, true);
    sh("b/hello && b/translate && b/lm && b/caption");
    sh(MAKE);
    expect_made("nothing", false, false, false, false, false);
    ck_assert_ptr_null(strstr(said, " -o "));
    sh("touch include/tapeloom/tensor.h && " MAKE);
    expect_made("a header, included by a header", true, false, false, true, false);
    ck_assert(strstr(said, " rcs b/libtapeloom.a ") && made("hello ") && made("translate "));
    sh("touch src/tensor/private.h && " MAKE);
    expect_made("a private header", true, false, false, false, false);
    sh("touch examples/translate/part.c && " MAKE);
    expect_made("a program's part", false, false, false, false, true);
    ck_assert(!strstr(said, " rcs ") && made("translate ") && !made("hello "));
    sh("touch examples/program/shared.c && " MAKE); /* of all programs that train, and no program itself */
    ck_assert(made("examples/program/shared.c") && made("translate ") && made("lm ") && made("caption ") &&
              !made("bpe "));
    ck_assert_ptr_null(strstr(said, " -o b/program"));
    sh("rm src/tensor/private.h && sed -e /private/d -e s/TL_ANSWER/42/ src/tensor/answer.c > a && "
       "mv a src/tensor/answer.c && " MAKE); /* a header that is gone is in the way of nothing */
    expect_made("a header gone", true, false, false, false, false);
}
END_TEST

START_TEST(rebuilds_for_flags) {
    sh(MAKE "lib");
    sh(MAKE "lib CFLAGS=-DX");
    expect_made("CFLAGS=-DX", true, true, true, false, false);
    assert_contains(said, " -DX ");
    sh(MAKE "lib CFLAGS=-DX");
    expect_made("the same", false, false, false, false, false);
    sh(MAKE "lib CFLAGS=\"-DX='\\\"it is\\\"'\""); /* quotes in flags */
    expect_made("quotes", true, true, true, false, false);
    sh(MAKE "lib CFLAGS=\"-DX='\\\"it is\\\"'\"");
    expect_made("the same quotes", false, false, false, false, false);
    sh(MAKE "lib CPPFLAGS=-DY");
    expect_made("CPPFLAGS", true, true, true, false, false);
    sh(MAKE "lib DEBUG=1 CPPFLAGS=-DY");
    expect_made("DEBUG in the same folder", true, true, true, false, false);
}
END_TEST

/* A target's own flags are nobody else's, whoever is asked for first. */
START_TEST(a_test_keeps_its_flags) {
    sh(MAKE "lib");
    sh(MAKE "b/obj/tests/room/test_small.o");
    expect_made("a test", false, false, false, false, false);
    sh(MAKE "lib");
    expect_made("the library behind a test", false, false, false, false, false);
}
END_TEST

START_TEST(rebuilds_for_files) {
    sh(MAKE "lib");
    put("src/tensor/third.c", "int tl_third(void);\nint tl_third(void) { return 3; }\n");
    sh(MAKE "lib");
    assert_contains(said, " -c src/tensor/third.c ");
    expect_made("a new file", false, false, false, false, false);
    sh("ar t b/libtapeloom.a");
    assert_contains(said, "third.o\n");
    sh("rm src/tensor/third.c && " MAKE "lib");
    sh("ar t b/libtapeloom.a");
    ck_assert_ptr_null(strstr(said, "third.o"));
    assert_contains(said, "answer.o\n");
}
END_TEST

/* A page is a string of the library, with what it names put in, byte for byte; whatever it consists of makes it anew. */
START_TEST(pages) {
    sh("mkdir -p src/lens/page && cp $TOP/src/lens/page/embed.sh src/lens/page/");
    put("src/lens/page/p.html",
        "<title>\"\\n\" ?\?=</title>\n<link rel=\"stylesheet\" href=\"p.css\">\n"
        "  <script src=\"p.js\"></script>\n<script src=\"p.js\"></script>\n\t\xc3\xa9");
    put("src/lens/page/p.css", "a { b: c }\n");
    put("src/lens/page/p.js", "/* \\ */ 'it' ?? \"s\";\n\n");
    put("examples/page.c", "#include <stdio.h>\nextern const char tl_page_p[];\n"
                           "int main(void) { return fputs(tl_page_p, stdout) < 0; }\n");
    sh(MAKE "b/page >/dev/null && b/page");
    ck_assert_str_eq(said,
                     "<title>\"\\n\" ?\?=</title>\n<style>\na { b: c }\n</style>\n"
                     "  <script src=\"p.js\"></script>\n<script>\n/* \\ */ 'it' ?? \"s\";\n\n</script>\n"
                     "\t\xc3\xa9\n");
    sh(MAKE "b/page");
    ck_assert_ptr_null(strstr(said, " -o "));
    put("src/lens/page/p.css", "changed\n");
    sh("touch -d '1 minute' src/lens/page/p.css && " MAKE "b/page >/dev/null && b/page");
    assert_contains(said, "<style>\nchanged\n</style>");
    sh("rm src/lens/page/p.css");
    ck_assert_int_ne(try("touch src/lens/page/p.html && " MAKE "b/page"), 0);
    assert_contains(said, "p.css");
    sh("rm src/lens/page/p.html && " MAKE "lib && ar t b/libtapeloom.a");
    ck_assert_ptr_null(strstr(said, "\np.o\n"));
}
END_TEST

/* ---- installing ---- */

static bool have_pkg_config(void) { return try("pkg-config --version") == 0; }

START_TEST(install_both_precisions) {
    sh(MAKE "install DESTDIR=$D/dest PREFIX=/opt/tl");
    sh("make CC=\"$CC\" B=b2 OPENMP=0 PRECISION=double install DESTDIR=$D/dest PREFIX=/opt/tl");
    sh("cd dest && find . -type f | grep -v /share/ | LC_ALL=C sort");
    ck_assert_str_eq(said, "./opt/tl/bin/tapeloom-bleu\n./opt/tl/bin/tapeloom-bleu-double\n"
                           "./opt/tl/bin/tapeloom-bpe\n./opt/tl/bin/tapeloom-bpe-double\n"
                           "./opt/tl/bin/tapeloom-caption\n./opt/tl/bin/tapeloom-caption-double\n"
                           "./opt/tl/bin/tapeloom-lm\n./opt/tl/bin/tapeloom-lm-double\n"
                           "./opt/tl/bin/tapeloom-translate\n./opt/tl/bin/tapeloom-translate-double\n"
                           "./opt/tl/include/tapeloom.h\n./opt/tl/include/tapeloom/tensor.h\n"
                           "./opt/tl/lib/libtapeloom-double.a\n./opt/tl/lib/libtapeloom.a\n"
                           "./opt/tl/lib/pkgconfig/tapeloom-double.pc\n./opt/tl/lib/pkgconfig/tapeloom.pc\n");
    sh("for tool in translate lm caption bpe bleu; do cmp b/$tool dest/opt/tl/bin/tapeloom-$tool && "
       "cmp b2/$tool dest/opt/tl/bin/tapeloom-$tool-double && test -x dest/opt/tl/bin/tapeloom-$tool || "
       "exit; done");
    sh("cmp include/tapeloom.h dest/opt/tl/include/tapeloom.h && cmp b/libtapeloom.a "
       "dest/opt/tl/lib/libtapeloom.a"
       " && dest/opt/tl/bin/tapeloom-translate && sed -n 's/^VERSION := /Version: /p' Makefile > version");
    sh("cat dest/opt/tl/lib/pkgconfig/tapeloom-double.pc");
    ck_assert_msg(!strncmp(said, "prefix=/opt/tl\nincludedir=${prefix}/include\nlibdir=${prefix}/lib\n", 65),
                  "%s", said);
    assert_contains(said, "\nName: tapeloom-double\n");
    assert_contains(said,
                    "\nCflags: -I\"${includedir}\" -DTL_DOUBLE\nLibs: -L\"${libdir}\" -ltapeloom-double -lm");
    sh("grep -qxFf version dest/opt/tl/lib/pkgconfig/tapeloom.pc && cat "
       "dest/opt/tl/lib/pkgconfig/tapeloom.pc");
    assert_contains(said, "\nName: tapeloom\n");
    assert_contains(said, "\nLibs: -L\"${libdir}\" -ltapeloom -lm");
    ck_assert_ptr_null(strstr(said, "double"));
    if (have_pkg_config())
        sh("for name in tapeloom tapeloom-double; do $CC examples/hello.c -o hello "
           "$(PKG_CONFIG_PATH=dest/opt/tl/lib/pkgconfig pkg-config --define-prefix --cflags --libs $name) && "
           "./hello || exit; "
           "done");
    else
        TL_SKIP("pkg-config is not here: nothing was compiled through it");
    sh("touch dest/opt/tl/include/other.h && " MAKE "uninstall DESTDIR=$D/dest PREFIX=/opt/tl");
    sh("cd dest && find . -type f");
    ck_assert_str_eq(said, "./opt/tl/include/other.h\n"); /* not ours */
}
END_TEST

/* A folder's name is one word, whatever is in it: nothing is put beside it, and nothing but ours is taken away. */
START_TEST(install_where_names_are_odd) {
    static const char *const names[] = {"my  own folder", "it's & |b\\ (y);x", "$HOME"};
    enum { NAMES = sizeof names / sizeof *names };
    setenv("HOME", tree.folder, 1);
    for (int i = 0; i < 2 * NAMES; i++) { /* in DESTDIR, and at home */
        char make_name[64], line[512], expected[256];
        setenv("NAME", names[i % NAMES], 1);
        snprintf(make_name, sizeof make_name, "%s%s", *names[i % NAMES] == '$' ? "$" : "", names[i % NAMES]);
        setenv("MAKE_NAME", make_name, 1);
        const char *where =
            i < NAMES ? "\"DESTDIR=$D\" \"PREFIX=/w/$MAKE_NAME\"" : "\"PREFIX=~/w/$MAKE_NAME\"";
        snprintf(
            line, sizeof line,
            "rm -rf w; mkdir w; " MAKE
            "install %s && cd w && ls && ls \"$NAME\" && find . -type f | grep -v /share/ | wc -l && cmp "
            "\"$NAME\"/share/doc/tapeloom/examples/hello.c ../examples/hello.c",
            where);
        sh(line);
        snprintf(expected, sizeof expected, "\n%s\nbin\ninclude\nlib\nshare\n9\n", names[i % NAMES]);
        ck_assert_msg(strlen(said) > strlen(expected) &&
                          !strcmp(said + strlen(said) - strlen(expected), expected),
                      "%s: expected at the end %s", said, expected);
        sh("cd w/\"$NAME\" && $CC -Iinclude ../../examples/hello.c -Llib -ltapeloom -o bin/hello && "
           "bin/hello && "
           "touch include/tapeloom/other.h");
        snprintf(line, sizeof line,
                 MAKE "uninstall %s >/dev/null && cd w/\"$NAME\" && find . -type f | LC_ALL=C sort", where);
        sh(line);
        ck_assert_str_eq(said, "./bin/hello\n./include/tapeloom/other.h\n"); /* not ours */
    }
}
END_TEST

/* ---- what is read ---- */

/* Follows every relative link of a page that lies in $D. */
static int follow_links(const char *page) {
    char full[1024], nowhere[4096] = "";
    snprintf(full, sizeof full, "%s/%s", tree.folder, page);
    char *text = read_text_file(full);
    *strrchr(full, '/') = '\0';
    const int followed = page_follow_links(page, text, full, nowhere, sizeof nowhere);
    free(text);
    must_msg(!*nowhere, "%s", nowhere);
    return followed;
}

/* Pages keep their places, and links that would lead to nothing are text. */
START_TEST(install_what_is_read) {
    sh("mkdir -p docs/deep coursework && cp $TOP/docs/relink.awk docs");
    put("LICENSE", "a licence\n");
    put("docs/picture.svg", "<svg/>\n");
    put("coursework/GUIDE.md", "[up](../README.md)\n");
    put("coursework/kit.txt", "not a page\n");
    put("README.md", "[one](docs/page.md#here), [two](src/tensor/answer.c), ![three](docs/picture.svg)\n"
                     "```\n[kept](src/tensor/answer.c)\n```\n![four](none.svg) [`a[0]`](none/) "
                     "[away](https://x.org/a) [t](#t)\n"
                     "[headers](include/tapeloom/), [course](coursework/GUIDE.md), [examples](examples)\n");
    put("docs/page.md", "[h](../include/tapeloom/tensor.h#L1)[r](../README.md)\n");
    put("docs/deep/page.md", "[h](../../include/tapeloom.h) [e](../../examples/hello.c#L1) "
                             "[t](../../tests/deps) [s](../page.md)\n");
    sh(MAKE "install DESTDIR=$D/dest PREFIX=/p && cd dest/p/share && find . -type f | LC_ALL=C sort | grep "
            "-v /examples/");
    assert_contains(
        said,
        "\n./doc/tapeloom/LICENSE\n./doc/tapeloom/README.md\n./doc/tapeloom/coursework/GUIDE.md\n"
        "./doc/tapeloom/docs/deep/page.md\n./doc/tapeloom/docs/page.md\n./doc/tapeloom/docs/picture.svg\n"
        "./tapeloom/doc.files\n");
    sh("cat dest/p/share/doc/tapeloom/README.md");
    ck_assert_str_eq(
        said,
        "[one](docs/page.md#here), two, ![three](docs/picture.svg)\n```\n[kept](src/tensor/answer.c)\n```\n"
        "four `a[0]` [away](https://x.org/a) [t](#t)\n"
        "[headers](../../../include/tapeloom), [course](coursework/GUIDE.md), [examples](examples)\n");
    sh("cat dest/p/share/doc/tapeloom/docs/deep/page.md");
    ck_assert_str_eq(
        said, "[h](../../../../../include/tapeloom.h) [e](../../examples/hello.c#L1) t [s](../page.md)\n");
    ck_assert_int_eq(follow_links("dest/p/share/doc/tapeloom/README.md"), 5);
    ck_assert_int_eq(follow_links("dest/p/share/doc/tapeloom/docs/page.md"), 2);
    /* What has gone since goes from there too; what is not ours stays. */
    sh("touch dest/p/share/doc/tapeloom/docs/mine && rm docs/deep/page.md && " MAKE
       "install DESTDIR=$D/dest PREFIX=/p && cd dest/p/share/doc/tapeloom && ls docs");
    ck_assert_msg(strstr(said, "\nmine\npage.md\npicture.svg\n") && !strstr(said, "\ndeep\n"), "%s", said);
    sh(MAKE "uninstall DESTDIR=$D/dest PREFIX=/p && cd dest && find . -type f && find . -name examples -o "
            "-path '*share/tapeloom'");
    ck_assert_ptr_nonnull(strstr(said, "\n./p/share/doc/tapeloom/docs/mine\n"));
    ck_assert_str_eq(strstr(said, "\n./p/share/doc/tapeloom/docs/mine\n"),
                     "\n./p/share/doc/tapeloom/docs/mine\n");
}
END_TEST

/* Installs of one build that run at the same time do not disturb each other: each has every file. */
START_TEST(installs_at_once) {
    sh("mkdir -p docs && cp $TOP/docs/relink.awk docs && for i in $(seq 60); do echo page $i >docs/$i.md; "
       "done");
    sh(MAKE "install PREFIX=$D/alone"); /* everything is built */
    sh("for i in 1 2 3 4; do { " MAKE "install PREFIX=$D/at$i >said$i 2>&1 || touch failed; } & done; wait; "
       "! ls failed 2>/dev/null && for i in 1 2 3 4; do diff -r alone/share at$i/share || exit 1; done && ls "
       "b");
    ck_assert_msg(!strstr(said, "stage"), "what was put together is left:\n%s", said);
}
END_TEST

/* What a compiler is told of a folder with a space in its name. */
START_TEST(pkg_config_where_names_are_odd) {
    if (!have_pkg_config()) {
        TL_SKIP("pkg-config is not here: nothing was compiled through it");
        return;
    }
    sh(MAKE "install \"PREFIX=$D/my own\" && export PKG_CONFIG_PATH=\"$D/my own/lib/pkgconfig\" && "
            "eval \"$CC examples/hello.c -o hello $(pkg-config --cflags --libs tapeloom)\" && ./hello");
}
END_TEST

/* The real library, as it has just been built, under a program that finds it through pkg-config only. */
START_TEST(install_the_library) {
    bool is_double = sizeof(tl_real) == sizeof(double);
    const char *name = is_double ? "tapeloom-double" : "tapeloom";
    char line[2048];
    if (!have_pkg_config()) {
        TL_SKIP("pkg-config is not here: the installed library was not tried");
        return;
    }
    /* -o: taken as it is, not built again with other flags */
    snprintf(line, sizeof line,
             "cd $TOP && make -o $OUTER/lib%s.a $(for t in translate lm caption classify attend study bpe "
             "bleu marker; do echo "
             "-o $OUTER/$t; "
             "done) CC=\"$CC\" "
             "B=$OUTER PRECISION=%s install"
             " PREFIX=$D/usr",
             name, is_double ? "double" : "float");
    sh(line);
    ck_assert_msg(!strstr(said, " -c "), "the library was built again:\n%s", said);
    snprintf(line, sizeof line,
             "export PKG_CONFIG_PATH=$D/usr/lib/pkgconfig; test $(pkg-config --modversion %s) = " TL_VERSION
             " && $CC -std=c11 %s usr/share/doc/tapeloom/examples/scalar_tape.c -o program $(pkg-config "
             "--cflags --libs %s) && "
             "./program",
             name, SANITIZE, name);
    sh(line);
    /* Docs, examples and licence came with it, and no page leads to nothing. */
    sh("cmp $TOP/LICENSE usr/share/doc/tapeloom/LICENSE && cd usr/share/doc/tapeloom && ls README.md "
       "SECURITY.md docs/api/nn.md "
       "docs/install.md coursework/README.md && diff -r $TOP/examples examples && find . -name '*.md' | sed "
       "'s|^|usr/share/doc/tapeloom/|'");
    char *pages = strdup(strstr(said, "usr/")), *at = pages;
    int links = 0, count = 0;
    for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1, count++) {
        *end = '\0';
        links += follow_links(at);
    }
    free(pages);
    ck_assert_int_gt(count, 60);
    ck_assert_int_gt(links, 2000);
    sh("make -C $TOP CC=\"$CC\" B=$OUTER uninstall PREFIX=$D/usr && ! find usr -type f | grep .");
}
END_TEST

/* ---- testing ---- */

START_TEST(make_test) {
    sh(MAKE "test");
    assert_contains(said, "\n1 passed, 0 failed\n");
    sh("sed s/42/43/ examples/hello.c > a && mv a examples/hello.c && sed s/42/43/ tests/room/test_small.c > "
       "a && "
       "mv a tests/room/test_small.c");
    ck_assert_int_eq(try(MAKE "test"), 2);
    assert_contains(said, "\nfailed: room/test_small\n0 passed, 1 failed\n");
}
END_TEST

START_TEST(without_check) {
    static const char *const commands[] = {MAKE "test CHECK_CFLAGS=-nostdinc",
                                           MAKE "-j3 test CHECK_CFLAGS=-nostdinc"};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(try(commands[i]), 2);
        assert_contains(said, "make test: the tests use Check, and its header check.h is not here.\n"
                              "Run 'make deps' to install it (or see https://libcheck.github.io/check/).\n");
        ck_assert_ptr_null(strstr(said, "passed"));
    }
    sh(MAKE "all CHECK_CFLAGS=-nostdinc"); /* everything else works */
}
END_TEST

/* README's second command on a machine without Check: the compiler finds it once apt-get has been run. */
START_TEST(deps_then_test) {
    sh("mkdir bin");
    setenv("REAL_CC", getenv("CC"), 1);
    put_program("bin/apt-get", "#!/bin/sh\ncase $1 in install) sleep 0.3; touch $D/installed;; esac\n");
    put_program("bin/id", "#!/bin/sh\necho 0\n");
    put_program(
        "bin/picky",
        "#!/bin/sh\ncase $* in *-E*|*check.c*) [ -f $D/installed ] || exit 1;; esac\nexec $REAL_CC \"$@\"\n");
    ck_assert_int_eq(try("PATH=$D/bin:$PATH make CC=\"$D/bin/picky\" B=b OPENMP=0 test"), 2);
    for (int i = 0; i < 2; i++) {
        sh(i == 0 ? "PATH=$D/bin:$PATH; make CC=$D/bin/picky B=b0 OPENMP=0 deps test"
                  : "rm installed; PATH=$D/bin:$PATH; make -j3 CC=$D/bin/picky B=b1 OPENMP=0 deps test");
        assert_contains(said, "+ apt-get update\n");
        assert_contains(said, "+ apt-get install -y check pkg-config\n");
        assert_contains(said, "\n1 passed, 0 failed\n");
    }
}
END_TEST

/* ---- MPI ---- */

/* A tree with the two files of which MPI=1 takes the one, and an mpicc that writes down what it is asked and has its compiler do it. Its
 * name in $1 is any: what it calls itself is the log. */
static void put_mpi(void) {
    sh("mkdir -p src/ranks bin");
    put("src/ranks/mpi.c", "#ifdef TL_MPI\n#include <mpi.h>\nint tl_many(void);\nint tl_many(void) { return "
                           "A_WORD; }\n#endif\n");
    put("src/ranks/serial.c",
        "#ifndef TL_MPI\nint tl_many(void);\nint tl_many(void) { return 0; }\n#endif\n");
    put("examples/bleu.c", "#include <stdio.h>\nint tl_many(void);\nint main(void) { return "
                           "printf(\"%d\\n\", tl_many()) < 0; }\n");
    put("bin/mpi.h", "#define A_WORD 1\n#define MPI_Finalize() 0\n");
    put_program("bin/mpicc", "#!/bin/sh\necho \"$*\" >>$D/asked\n"
                             "case $1 in --showme:link) echo -L/of/mpi -lm; exit;; esac\n"
                             "[ \"$OMPI_CC\" = \"$MPICH_CC\" ] && exec $OMPI_CC -I$D/bin \"$@\"\n");
    put_program("bin/mpicc.other",
                "#!/bin/sh\necho \"$*\" >>$D/asked\ncase $1 in --showme*) exit 1;; -link_info) "
                "echo gcc -Wl,-z,now -I/of/other -lm; exit;; esac\nexec $MPICH_CC -I$D/bin \"$@\"\n");
}
#define WITH_MPI "PATH=$D/bin:$PATH make CC=\"$CC\" OPENMP=0 MPI=1 "

/* One file is compiled by mpicc, programs are linked by it; all the rest is the plain flavour's, which knows nothing of it. */
START_TEST(mpi_is_one_file) {
    put_mpi();
    sh("PATH=$D/bin:$PATH make CC=\"$CC\" OPENMP=0");
    ck_assert_int_ne(try("ls asked"), 0); /* without MPI=1 nobody is asked */
    sh("build/*serial/bleu");
    ck_assert_str_eq(said, "0\n");
    sh(WITH_MPI);
    assert_contains(said, " -c src/ranks/mpi.c ");
    ck_assert_msg(!strstr(said, " -c src/tensor/answer.c") && !strstr(said, " -c src/ranks/serial.c"), "%s",
                  said);
    sh("build/*mpi-serial/bleu");
    ck_assert_str_eq(said, "1\n");
    sh("ar t build/*mpi-serial/libtapeloom-mpi.a");
    ck_assert_msg(strstr(said, "mpi.o\n") && strstr(said, "answer.o\n") && !strstr(said, "serial.o\n"), "%s",
                  said);
    sh("grep -e ' -c ' asked");
    ck_assert_int_eq(count_lines(said), 1);
    assert_contains(said, " -DTL_MPI ");
    assert_contains(said, " -c src/ranks/mpi.c ");
    sh("grep -c -e 'libtapeloom-mpi.a -o ' asked"); /* the programs */
    ck_assert_int_eq(atoi(said), 6);
    sh(WITH_MPI);
    ck_assert_ptr_null(strstr(said, " -o build")); /* nothing in vain */
    sh("PATH=$D/bin:$PATH make CC=\"$CC\" OPENMP=0");
    ck_assert_ptr_null(strstr(said, " -o build"));
    put("bin/mpi.h", "#define A_WORD 2\n#define MPI_Finalize() 0\n");
    sh("touch -d '1 minute' bin/mpi.h && " WITH_MPI " && build/*mpi-serial/bleu");
    ck_assert_msg(strstr(said, "\n2\n") && !strstr(said, "answer.c"), "%s", said);
    sh(WITH_MPI "B=b lib && ar t b/libtapeloom-mpi.a"); /* a folder that is given has all of it */
    ck_assert(made("src/tensor/answer.c") && strstr(said, "\nmpi.o\n"));
}
END_TEST

START_TEST(mpi_flavours) {
    static const char *const cases[][3] = {
        {"CC=cc", "build/mpi/", "build/obj/"},
        {"CC=cc MPICC=/usr/bin/mpicc", "build/mpi/", "build/obj/"},
        {"CC=cc MPICC=mpicc.other", "build/mpi-other/", "build/obj/"},
        {"CC=cc MPICC=mpiicc", "build/mpi-mpiicc/", "build/obj/"},
        {"CC=cc PRECISION=double", "build/double-mpi/", "build/double/obj/"},
        {"CC=clang SAN=1 MPICC='mpicc.other -x'", "build/clang-mpi-other-san/", "build/clang-san/obj/"},
    };
    put_mpi();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line, "make -n all OPENMP=1 MPI=1 %s 2>/dev/null", cases[i][0]);
        sh(line);
        snprintf(line, sizeof line, " -c src/ranks/mpi.c -o %sobj/src/ranks/mpi.o\n", cases[i][1]);
        assert_contains(said, line);
        snprintf(line, sizeof line, " rcs %slibtapeloom%s-mpi.a ", cases[i][1],
                 strstr(cases[i][0], "double") ? "-double" : "");
        assert_contains(said, line);
        snprintf(line, sizeof line, " -c src/tensor/answer.c -o %ssrc/tensor/answer.o\n", cases[i][2]);
        assert_contains(said, line);
    }
}
END_TEST

START_TEST(without_mpi) {
    put_mpi();
    for (int jobs = 1; jobs < 4; jobs += 2) {
        char line[128];
        snprintf(line, sizeof line, "make -j%d CC=\"$CC\" OPENMP=0 MPI=1 MPICC=mpicc.nowhere", jobs);
        ck_assert_int_eq(try(line), 2);
        assert_contains(
            said, "make MPI=1: mpicc.nowhere is not here, or makes no program with mpi.h.\n"
                  "Run 'make deps MPI=1' to install Open MPI, or say by MPICC=... which MPI to take.\n");
        ck_assert_int_ne(try("ls build/*/translate"), 0);
    }
    sh("make help MPI=1 MPICC=mpicc.nowhere && make -n uninstall MPI=1 MPICC=mpicc.nowhere && make clean "
       "MPI=1 "
       "MPICC=mpicc.nowhere"); /* they need none */
    sh("mkdir bin/openmpi && printf '#!/bin/sh\\necho 0\\n' >bin/id && chmod +x bin/id");
    put_program(
        "bin/apt-get",
        "#!/bin/sh\n[ $1 = update ] || { sleep 0.3; ln -s $D/bin/mpicc.other $D/bin/openmpi/mpicc; }\n");
    sh("PATH=$D/bin:$PATH make -j3 CC=\"$CC\" OPENMP=0 MPI=1 MPICC=$D/bin/openmpi/mpicc deps all");
    assert_contains(said, "openmpi-bin libopenmpi-dev\n");
    sh("ls build/*mpi-serial/translate");
}
END_TEST

/* Beside the others, under a name of its own; what a program must be linked with is in its pkg-config file. */
START_TEST(mpi_is_installed) {
    put_mpi();
    sh(WITH_MPI "install DESTDIR=$D/dest PREFIX=/p && " WITH_MPI "MPICC=mpicc.other PRECISION=double install "
                "DESTDIR=$D/dest PREFIX=/p && " MAKE "install DESTDIR=$D/dest PREFIX=/p");
    sh("cd dest/p && ls lib lib/pkgconfig bin | grep -v -e bpe -e lm -e caption -e bleu");
    assert_contains(said, "\nlibtapeloom-double-mpi.a\nlibtapeloom-mpi.a\nlibtapeloom.a\n");
    assert_contains(said, "\ntapeloom-double-mpi.pc\ntapeloom-mpi.pc\ntapeloom.pc\n");
    assert_contains(said, "tapeloom-translate\ntapeloom-translate-double-mpi\ntapeloom-translate-mpi\n");
    sh("cd dest/p && bin/tapeloom-bleu && bin/tapeloom-bleu-mpi && grep -h -e Libs -e Cflags -e Name "
       "lib/pkgconfig/*mpi.pc");
    ck_assert_str_eq(said, "0\n1\nName: tapeloom-double-mpi\nCflags: -I\"${includedir}\" -DTL_DOUBLE\n"
                           "Libs: -L\"${libdir}\" -ltapeloom-double-mpi -lm  -Wl,-z,now -lm\n"
                           "Name: tapeloom-mpi\nCflags: -I\"${includedir}\" \n"
                           "Libs: -L\"${libdir}\" -ltapeloom-mpi -lm  -L/of/mpi -lm\n");
    sh("grep -h Libs dest/p/lib/pkgconfig/tapeloom.pc");
    ck_assert_str_eq(said, "Libs: -L\"${libdir}\" -ltapeloom -lm  \n");
    sh(MAKE "uninstall DESTDIR=$D/dest PREFIX=/p && ! find dest -type f | grep .");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_tree(tc);
    tcase_add_test(tc, help_lists_targets);
    tcase_add_test(tc, flavours);
    tcase_add_test(tc, demo);
    tcase_add_test(tc, jobs);
    tcase_add_test(tc, rebuilds_what_changed);
    tcase_add_test(tc, rebuilds_for_flags);
    tcase_add_test(tc, a_test_keeps_its_flags);
    tcase_add_test(tc, rebuilds_for_files);
    tcase_add_test(tc, pages);
    tcase_add_test(tc, install_both_precisions);
    tcase_add_test(tc, install_where_names_are_odd);
    tcase_add_test(tc, install_what_is_read);
    tcase_add_test(tc, installs_at_once);
    tcase_add_test(tc, pkg_config_where_names_are_odd);
    tcase_add_test(tc, install_the_library);
    tcase_add_test(tc, make_test);
    tcase_add_test(tc, without_check);
    tcase_add_test(tc, deps_then_test);
    tcase_add_test(tc, mpi_is_one_file);
    tcase_add_test(tc, mpi_flavours);
    tcase_add_test(tc, without_mpi);
    tcase_add_test(tc, mpi_is_installed);
}

TL_TEST_MAIN("build: the Makefile")
