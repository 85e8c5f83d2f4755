/* docs/reading.md has the right line counts, docs/README.md lists every page, and no link of a page in docs is
 * broken. */
#define _XOPEN_SOURCE 700
#include "docs/book.h"

#include <glob.h>

/* Each row has its file's number of lines, and the sum is within the limit. */
START_TEST(the_reading_path_counts_its_lines) {
    make_reader();
    run_book_page("docs/reading.md");
    char *page = get_file("docs/reading.md", NULL), path[256];
    long sum = 0, lines;
    int rows = 0, number;
    for (const char *line = page; *line; line = page_next(line)) {
        const char *count = strncmp(line, "| ", 2) ? NULL : strstr(line, ") | ");
        if (!count || sscanf(line, "| %d | [`%255[^`]`]", &number, path) != 2 ||
            sscanf(count, ") | %ld", &lines) != 1)
            continue;
        ck_assert_int_eq(number, ++rows);
        char *text = get_file(path, NULL);
        ck_assert_msg(count_lines(text) == lines, "%s has %d lines, docs/reading.md says %ld", path,
                      count_lines(text), lines);
        sum += lines;
        free(text);
    }
    ck_assert_int_ge(rows, 15);
    ck_assert_int_le(sum, 2000);
    ck_assert_int_gt(sum, 1500);
    free(page);
}
END_TEST

START_TEST(links_have_targets) {
    static const char *const where[] = {"*.md", "docs/*.md", "docs/records/*.md", "docs/tutorial/*.md",
                                        "docs/tutorial.zh-CN/*.md"};
    *faults = '\0';
    int pages = 0;
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        glob_t found;
        if (glob(where[i], 0, NULL, &found)) continue;
        for (size_t k = 0; k < found.gl_pathc; k++, pages++) {
            char *page = get_file(found.gl_pathv[k], NULL), folder[256];
            const char *end = strrchr(found.gl_pathv[k], '/');
            snprintf(folder, sizeof folder, "%.*s", end ? (int)(end - found.gl_pathv[k]) : 1,
                     end ? found.gl_pathv[k] : ".");
            page_follow_links(found.gl_pathv[k], page, folder, faults, sizeof faults);
            free(page);
        }
        globfree(&found);
    }
    ck_assert_int_gt(pages, 15);
    no_faults("links");
}
END_TEST

/* docs/README.md has a link to every page of docs. */
START_TEST(the_map_has_every_page) {
    char *map = get_file("docs/README.md", NULL), link[300];
    glob_t found;
    ck_assert_int_eq(glob("docs/*.md", 0, NULL, &found), 0);
    *faults = '\0';
    for (size_t k = 0; k < found.gl_pathc; k++) {
        snprintf(link, sizeof link, "](%s)", strrchr(found.gl_pathv[k], '/') + 1);
        if (!strstr(link, "README") && !strstr(map, link)) fault("it does not list %s", link);
    }
    globfree(&found);
    free(map);
    no_faults("docs/README.md");
}
END_TEST

/* The core stays small. docs/architecture.md says how large it is, to some hundred lines, and prints it. */
START_TEST(the_core_has_the_size_that_the_page_says) {
    char *page = get_file("docs/architecture.md", NULL), command[600];
    const char *said = strstr(page, "The core has some "), *block = said ? strstr(said, "```sh\n") : NULL;
    const char *end = block ? strstr(block, "\n```\n") : NULL;
    long all[2], code[2], most[2], lines, of_code;
    ck_assert_ptr_nonnull(end);
    ck_assert_int_eq(sscanf(said, "The core has some %ld,%ld lines, %ld,%ld of them code", &all[0], &all[1],
                            &code[0], &code[1]),
                     4);
    ck_assert_int_eq(sscanf(strstr(said, "at most"), "at most %ld,%ld of code", &most[0], &most[1]), 2);
    ck_assert_int_eq(1000 * most[0] + most[1], 12500);
    snprintf(command, sizeof command, "{ %.*s\n} >$D/core", (int)(end - block - 6), block + 6);
    sh(command);
    char *counted = get_file(in_folder("core"), NULL);
    ck_assert_int_eq(sscanf(counted, "%ld %ld", &lines, &of_code), 2);
    ck_assert_int_gt(of_code, 10000);
    ck_assert_int_le(of_code, 12500);
    ck_assert_int_le(labs(lines - 1000 * all[0] - all[1]), 300);
    ck_assert_int_le(labs(of_code - 1000 * code[0] - code[1]), 300);
    free(counted);
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_core_has_the_size_that_the_page_says);
    tcase_add_test(tc, the_reading_path_counts_its_lines);
    tcase_add_test(tc, links_have_targets);
    tcase_add_test(tc, the_map_has_every_page);
}

TL_TEST_MAIN("docs: the map, and the reading path")
