/* docs/study.md and docs/study.zh-CN.md are generated from the numbers in docs/study, and contain the same. */
#define _XOPEN_SOURCE 700
#define PROGRAM "study"
#include "translate/program.h"

START_TEST(pages_are_up_to_date) {
    sh("mkdir -p $D/docs && cp -r docs/study $D/docs/ && $T page --page $D/docs");
    sh("diff docs/study.md $D/docs/study.md && diff docs/study.zh-CN.md $D/docs/study.zh-CN.md");
    /* The pictures are not compared: they depend on gnuplot's version. */
    sh("for script in docs/study/*.gp; do diff $script $D/docs/study/ || exit 1; done");
}
END_TEST

/* Each measured claim has a picture, the picture's script and a row in record.csv. */
START_TEST(pictures_and_records) {
    sh("for numbers in docs/study/*.csv; do name=$(basename $numbers .csv); [ $name = record ] && continue; "
       "test -s docs/study/$name.svg && test -s docs/study/$name.gp && grep -q \"^$name,full,5,\" "
       "docs/study/record.csv || "
       "{ echo $name: picture, script or record is missing; exit 1; }; done");
}
END_TEST

/* The numbers in a row of a table: from the first two cells, which are text, only decimals ("0.3" as ".3"), from the
 * others every digit. */
static void numbers_of(const char *line, char *to) {
    for (int cell = 0; *line && *line != '\n'; line++) {
        cell += *line == '|';
        const bool digit = *line >= '0' && *line <= '9',
                   decimal = *line == '.' && line[1] >= '0' && line[1] <= '9';
        if (cell > 2 && (digit || strchr("|<>.-", *line))) *to++ = *line;
        if (cell > 2 || !decimal) continue;
        const char *from = line;
        while (from[-1] >= '0' && from[-1] <= '9') from--;
        while (*from == '0') from++;
        for (; (*from >= '0' && *from <= '9') || *from == '.'; from++) *to++ = *from;
        *to++ = ' ';
    }
    *to = 0;
}

/* Line by line, both pages have headings of the same level, the same code, and tables with the same numbers. */
START_TEST(both_languages) {
    char *en = get_file("docs/study.md", NULL), *zh = get_file("docs/study.zh-CN.md", NULL);
    const char *a = en, *b = zh;
    static char first[1 << 14], second[1 << 14];
    int lines = 0;
    for (; *a && *b; lines++) {
        const bool heading = *a == '#', row = *a == '|',
                   same = !strncmp(a, "```", 3) || !strncmp(a, "build/", 6);
        ck_assert_msg((*b == '#') == heading && (*b == '|') == row && (*b == '\n') == (*a == '\n'),
                      "line %d: %.60s\n%.60s", lines + 1, a, b);
        if (heading) ck_assert_int_eq(strspn(a, "#"), strspn(b, "#"));
        if (same) ck_assert_int_eq(strncmp(a, b, strcspn(a, "\n") + 1), 0);
        numbers_of(a, first), numbers_of(b, second);
        if (row) ck_assert_str_eq(first, second);
        a += strcspn(a, "\n") + 1;
        b += strcspn(b, "\n") + 1;
    }
    ck_assert(!*a && !*b);
    ck_assert_int_gt(lines, 20);
    free(en), free(zh);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, pages_are_up_to_date);
    tcase_add_test(tc, pictures_and_records);
    tcase_add_test(tc, both_languages);
}

TL_TEST_MAIN("docs: the study's pages")
