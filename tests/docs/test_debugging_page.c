/* Runs the commands of docs/debugging.md, whose examples are broken on purpose, and compares their output with the
 * page. */
#define _XOPEN_SOURCE 700
#include "docs/book.h"

START_TEST(broken_things_are_told) {
#ifdef TL_SANITIZED
    TL_SKIP("docs/debugging.md: its trainings take minutes with sanitizers");
    return;
#endif
    if (sizeof(tl_real) == 8) { /* e^-200 underflows in float, not in double */
        TL_SKIP("docs/debugging.md: it is about what goes wrong in float");
        return;
    }
    if (try("echo 'int main(void) { return 0; }' | ${CC:-cc} -fsanitize=address,undefined -xc - -o $D/san && "
            "$D/san")) {
        TL_SKIP("docs/debugging.md: this compiler has no sanitizers");
        return;
    }
    make_reader();
    run_book_page("docs/debugging.md");
}
END_TEST

/* Every leaf of the page's tree links to a section. */
START_TEST(leaves_lead_to_sections) {
    char *page = get_file("docs/debugging.md", NULL);
    page_sections all = page_cut(page);
    *faults = '\0';
    int leaves = 0;
    for (const char *at = all.at[1].text; (at = strstr(at, "](#")) != NULL; at++, leaves++) {
        char wanted[64], made[128];
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(at + 3, ")"), at + 3);
        bool found = false;
        /* A heading's anchor: its letters in lower case, digits and hyphens, and a hyphen for each space. */
        for (int i = 2; i < all.count && !found; i++) {
            char *to = made;
            for (const char *c = all.at[i].heading; *c; c++)
                if (isalnum((unsigned char)*c) || *c == ' ' || *c == '-')
                    *to++ = *c == ' ' ? '-' : (char)tolower((unsigned char)*c);
            *to = '\0';
            found = !strcmp(made, wanted);
        }
        if (!found) fault("#%s is no section", wanted);
    }
    ck_assert_int_ge(leaves, 10);
    page_forget(&all), free(page);
    no_faults("docs/debugging.md");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, broken_things_are_told);
    tcase_add_test(tc, leaves_lead_to_sections);
}

TL_TEST_MAIN("docs: debugging")
