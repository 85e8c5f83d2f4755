/* Runs the commands of docs/translate.md in order, in a folder of the test's own, and compares its tables with
 * --help. */
#define _XOPEN_SOURCE 700
#include "translate/program.h"

START_TEST(the_commands_run) {
#ifdef TL_SANITIZED
    TL_SKIP(
        "docs/translate.md: its trainings take minutes with sanitizers; tests/translate has shorter ones");
    return;
#endif
    run_page("docs/translate.md");
    assert_contains(out, "Ended: all steps are done");
    assert_contains(out, "BLEU|nrefs:1|case:mixed|eff:no|tok:13a");
    assert_contains(out, "chrF2|");
    assert_contains(out, "<eos>");
}
END_TEST

/* The table's "| toy | 64 | 4 | 2 | 128 |" is --help's "toy d64, 4 heads, 2+2, ff128". */
START_TEST(the_presets_are_those_of_help) {
    static const char *const names[] = {"toy", "tiny", "small", "base"};
    char *page = get_file("docs/translate.md", NULL);
    /* Joins lines, because --help breaks them. */
    sh("$T train --help | tr -s ' \\n' ' '");
    for (int i = 0; i < 4; i++) {
        char row[32], text[128];
        long d, heads, layers, ff;
        snprintf(row, sizeof row, "| %s |", names[i]);
        const char *at = strstr(page, row);
        ck_assert_msg(at &&
                          sscanf(at + strlen(row), "%ld | %ld | %ld | %ld |", &d, &heads, &layers, &ff) == 4,
                      "the table has no row for %s", names[i]);
        snprintf(text, sizeof text, "%s d%ld, %ld heads, %ld+%ld, ff%ld", names[i], d, heads, layers, layers,
                 ff);
        assert_contains(out, text);
    }
    free(page);
}
END_TEST

/* The page's table has a row for each value of the option in --help, and no other. */
static const struct {
    const char *option;
    int rows;
} tables[] = {{"score", 6}, {"positions", 7}};
START_TEST(the_choices_are_those_of_help) {
    char *page = get_file("docs/translate.md", NULL), *names, head[64];
    char command[128];
    snprintf(command, sizeof command,
             "$T train --help | sed -n 's/^  --%s //p' | cut -d ' ' -f 1 | tr '|' '\\n'", tables[_i].option);
    sh(command);
    snprintf(head, sizeof head, "| `--%s` |", tables[_i].option);
    const char *table = strstr(page, head);
    ck_assert_ptr_nonnull(table);
    const char *end = strstr(table, "\n\n");
    int rows = 0, lines = 0;
    for (char *name = strtok_r(out, "\n", &names); name; name = strtok_r(NULL, "\n", &names), rows++) {
        char word[64];
        snprintf(word, sizeof word, "`%s`", name);
        const char *at = strstr(table, word);
        ck_assert_msg(at && at < end, "the table has no %s", word);
    }
    for (const char *at = table; at < end; at++) lines += *at == '\n';
    ck_assert_int_eq(rows, tables[_i].rows);
    ck_assert_int_le(lines, rows + 1); /* a row may have two values */
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_commands_run);
    tcase_add_test(tc, the_presets_are_those_of_help);
    tcase_add_loop_test(tc, the_choices_are_those_of_help, 0, 2);
}

TL_TEST_MAIN("docs: translate.md")
