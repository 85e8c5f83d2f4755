/* docs/operations.md is the list of ops.h as a table. TL_WRITE_DOCS=1 writes the page; otherwise it is compared. */
#include "check.h"

#include <tapeloom.h>

static char *table(void) {
    size_t room = 1 << 16, used = 0;
    char *text = malloc(room);
    used += (size_t)snprintf(
        text + used, room - used,
        "# Operations\n\nMade from `include/tapeloom/ops.h` (`make docs`); a test compares the two.\n\n"
        "| operation | arguments | meaning | gradient cases |\n|---|---|---|---|\n");
    int count;
    const tl_op_entry *e = tl_ops(&count);
    for (int i = 0; i < count; i++) {
        int cases = 0;
        while (e[i].cases[cases].f) cases++;
        used += (size_t)snprintf(text + used, room - used, "| `tl_%s` | `%s` | %s | %d |\n", e[i].name,
                                 e[i].arguments, e[i].meaning, cases);
    }
    used += (size_t)snprintf(text + used, room - used, "\n%d operations.\n", count);
    ck_assert_uint_lt(used, room);
    return text;
}

START_TEST(operations_md_is_the_list) {
    char *expected = table(), *found;
    size_t size;
    tl_error error = {""};
    if (getenv("TL_WRITE_DOCS"))
        ck_assert(tl_file_write("docs/operations.md", expected, strlen(expected), &error));
    ck_assert_msg(tl_file_read("docs/operations.md", &found, &size, &error), "%s", error.message);
    ck_assert_msg(!strcmp(expected, found), "docs/operations.md is not up to date: run make docs");
    free(expected);
    free(found);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, operations_md_is_the_list); }

TL_TEST_MAIN("docs: operations.md")
