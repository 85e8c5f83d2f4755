/* What make install installs of pages and of the library: links of installed pages have targets, examples compile with
 * the installed library. (test_make.sh has the rest of the Makefile's tests.) */
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

/* Checks every relative link of a page in $D; returns their number. */
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

/* Pages are installed with their folders. Links to files that are not installed become plain text. */
START_TEST(pages) {
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
    /* Another install removes pages that no longer exist, but not files of others. */
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

/* Installs the real library of this build, and compiles a program with it that finds it by pkg-config only. */
START_TEST(library) {
    bool is_double = sizeof(tl_real) == sizeof(double);
    const char *name = is_double ? "tapeloom-double" : "tapeloom";
    char line[2048];
    if (try("pkg-config --version") != 0) {
        TL_SKIP("pkg-config is not installed: the installed library was not tried");
        return;
    }
    /* -o: make does not build these files again */
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
    /* Pages, examples and licence are installed too, and no link of a page is broken. */
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

static void add_tests(TCase *tc) {
    in_its_own_tree(tc);
    tcase_add_test(tc, pages);
    tcase_add_test(tc, library);
}

TL_TEST_MAIN("build: what is installed")
