/* Runs the commands of docs/lm.md in order, in a folder of the test's own, and compares its table of units with
 * --help. */
#define _XOPEN_SOURCE 700
#define PROGRAM "lm"
#include "translate/program.h"

START_TEST(the_commands_run) {
#ifdef TL_SANITIZED
    TL_SKIP("docs/lm.md: its trainings take minutes with sanitizers; tests/lm has shorter ones");
    return;
#endif
    run_page("docs/lm.md");
    assert_contains(out, "Ended: all steps are done");
    assert_contains(out, " bits per byte, accuracy ");
    assert_contains(out, "decoder-only Transformer, toy: d_model 64, 4 heads, 2 layers, d_ff 256");
    assert_contains(out, "Written: model.safetensors\n");
}
END_TEST

START_TEST(the_units_are_those_of_help) {
    char *page = get_file("docs/lm.md", NULL), row[64];
    sh("$T train --help | sed -n 's/^  --units //p' | cut -d ' ' -f 1 | tr '|' '\\n'");
    int rows = 0;
    for (char *unit = strtok(out, "\n"); unit; unit = strtok(NULL, "\n"), rows++) {
        snprintf(row, sizeof row, "\n| `%s` | ", unit);
        ck_assert_msg(strstr(page, row) != NULL, "the table has no row for %s", unit);
    }
    ck_assert_int_eq(rows, 3);
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_commands_run);
    tcase_add_test(tc, the_units_are_those_of_help);
}

TL_TEST_MAIN("docs: the language model's page")
