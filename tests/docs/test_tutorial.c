/* Runs the commands of the book's chapters, docs/tutorial, and compares their output with the pages. BOOK=03 runs only
 * the chapters whose numbers begin with 03. Chapters 9 to 11 use one training and are run together. */
#define _XOPEN_SOURCE 700
#include "docs/book.h"

#include <glob.h>

static void run_chapters(int from, int to) {
    glob_t pages;
    ck_assert_int_eq(glob("docs/tutorial/[0-9][0-9]-*.md", 0, NULL, &pages), 0);
    make_reader();
    int found = 0;
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        const char *name = strrchr(pages.gl_pathv[i], '/') + 1;
        const int chapter = atoi(name);
        if (chapter < from || chapter > to) continue;
        run_book_page(pages.gl_pathv[i]);
        found++;
    }
    globfree(&pages);
    ck_assert_int_eq(found, to - from + 1);
}

static const int groups[][2] = {{1, 1}, {2, 2}, {3, 3},  {4, 4},   {5, 5},  {6, 6},
                                {7, 7}, {8, 8}, {9, 11}, {12, 12}, {13, 13}};
enum { GROUPS = sizeof groups / sizeof *groups };

START_TEST(chapters_say_what_their_commands_say) {
#ifdef TL_SANITIZED
    TL_SKIP("docs/tutorial: its trainings take minutes with sanitizers");
    return;
#endif
    const char *wanted = env("BOOK", "");
    const int *group = groups[_i];
    char first[8];
    bool any = !*wanted;
    for (int n = group[0]; n <= group[1]; n++) {
        snprintf(first, sizeof first, "%02d", n);
        any = any || !strncmp(first, wanted, strlen(wanted));
    }
    if (any) run_chapters(group[0], group[1]);
}
END_TEST

/* Every chapter ends with "What to remember" and three exercises; each exercise has a link to coursework. */
START_TEST(chapters_have_one_form) {
    glob_t pages;
    ck_assert_int_eq(glob("docs/tutorial/[0-9][0-9]-*.md", 0, NULL, &pages), 0);
    *faults = '\0';
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        char *page = get_file(pages.gl_pathv[i], NULL), title[16];
        const char *name = strrchr(pages.gl_pathv[i], '/') + 1;
        snprintf(title, sizeof title, "# %d. ", atoi(name));
        page_sections all = page_cut(page);
        if (strncmp(page, title, strlen(title))) fault("%s does not begin with \"%s\"", name, title);
        const page_section *exercises = &all.at[all.count - 1], *remember = exercises - 1;
        if (strcmp(exercises->heading, "Exercises") || strcmp(remember->heading, "What to remember"))
            fault("%s does not end with What to remember and Exercises", name);
        int items = 0, links = 0;
        for (const char *line = exercises->text; *line; line = page_next(line))
            items += isdigit((unsigned char)*line) && line[1] == '.';
        for (const char *at = exercises->text; (at = strstr(at, "](../../coursework/")) != NULL; at++)
            links++;
        if (items != 3 || links < 3) fault("%s: %d exercises, %d links into the course", name, items, links);
        page_forget(&all);
        free(page);
    }
    globfree(&pages);
    no_faults("docs/tutorial");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_loop_test(tc, chapters_say_what_their_commands_say, 0, GROUPS);
    tcase_add_test(tc, chapters_have_one_form);
}

TL_TEST_MAIN("docs: the book")
