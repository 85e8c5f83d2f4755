/* Runs the commands of docs/classify.md in order, in a folder of the test's own, and compares its tables of tasks and
 * models with --help. */
#define _XOPEN_SOURCE 700
#define PROGRAM "classify"
#include "translate/program.h"

START_TEST(the_commands_run) {
#ifdef TL_SANITIZED
    TL_SKIP("docs/classify.md: its trainings take minutes with sanitizers; tests/classify has shorter ones");
    return;
#endif
    run_page("docs/classify.md");
    assert_contains(out, "Ended: all steps are done");
    assert_contains(out, "First stage, on masked words:");
    assert_contains(out, "taken for");
    assert_contains(out, "\tshe like the cats .\n");
    assert_contains(
        out,
        "first       100 updates on masked words (0.15 of the words), also of runs/labelled/unlabelled.txt");
}
END_TEST

/* The page has a row for each value of these options. */
static const char *const tables[] = {"made", "model"};
START_TEST(the_choices_are_those_of_help) {
    char *page = get_file("docs/classify.md", NULL), row[64], command[256];
    snprintf(command, sizeof command,
             "$T train --help | sed -n 's/^  --%s //p' | cut -d ' ' -f 1 | tr '|' '\\n'", tables[_i]);
    sh(command);
    int rows = 0;
    for (char *choice = strtok(out, "\n"); choice; choice = strtok(NULL, "\n"), rows++) {
        snprintf(row, sizeof row, "\n| `%s` | ", choice);
        ck_assert_msg(strstr(page, row) != NULL, "the table has no row for %s", choice);
    }
    ck_assert_int_eq(rows, _i ? 3 : 4);
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_commands_run);
    tcase_add_loop_test(tc, the_choices_are_those_of_help, 0, 2);
}

TL_TEST_MAIN("docs: the classifier's page")
