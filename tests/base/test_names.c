/* Names are found again, whatever they contain and however many there are. */
#include "base/names.h"
#include "check.h"

START_TEST(names_are_found) {
    enum { COUNT = 20000 };
    static char name[COUNT][8];
    tl_names names = {0};
    ck_assert_int_eq(tl_names_find(&names, "a"), -1);
    for (long i = 0; i < COUNT; i++) {
        if (i > 0) snprintf(name[i], sizeof name[i], "%lx", i); /* the first name is empty */
        must(tl_names_find(&names, name[i]) == -1);
        must(tl_names_add(&names, name[i], 3 * i));
        must(names.places >= 2 * names.count);
    }
    for (long i = 0; i < COUNT; i++) {
        char copy[8];
        memcpy(copy, name[i], sizeof copy);
        must(tl_names_find(&names, copy) == 3 * i);
    }
    ck_assert_int_eq(tl_names_find(&names, "ffffff"), -1);
    tl_names_free(&names);
    ck_assert_int_eq(tl_names_find(&names, "1"), -1);
    ck_assert(tl_names_add(&names, "1", 5));
    ck_assert_int_eq(tl_names_find(&names, "1"), 5);
    tl_names_free(&names);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, names_are_found); }

TL_TEST_MAIN("base: names")
