/* docs/debugging.md: each of its commands is run, on something that is broken on purpose, and says what the page says. */
#define _XOPEN_SOURCE 700
#include "docs/book.h"

START_TEST(broken_things_are_told) {
#ifdef TL_SANITIZED
    TL_SKIP("docs/debugging.md: its trainings take minutes with sanitizers");
    return;
#endif
    if (sizeof(tl_real) == 8) { /* in double e^-200 is a number like others */
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

/* Every leaf of the tree leads to a section. */
START_TEST(leaves_lead_to_sections) {
    char *page = get_file("docs/debugging.md", NULL);
    page_sections all = page_cut(page);
    *faults = '\0';
    int leaves = 0;
    for (const char *at = all.at[1].text; (at = strstr(at, "](#")) != NULL; at++, leaves++) {
        char wanted[64], made[128];
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(at + 3, ")"), at + 3);
        bool found = false;
        for (int i = 2; i < all.count && !found; i++) { /* as a browser's anchor is made of a heading */
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
