/* The table of measured numbers, in memory and in files. */
#define _XOPEN_SOURCE 700
#include "io/scratch.h"

#include "../../examples/study/study.h"

#include <float.h>
#include <limits.h>

#define HEADER "arm,seed,what,at,value\n"

/* ---- in memory ---- */

START_TEST(what_was_added) {
    numbers n = {.row = NULL};
    ck_assert(isnan(numbers_get(&n, "a", 0, "loss", 0)));
    ck_assert_int_eq(numbers_seeds(&n), 0);
    numbers_add(&n, "a", 0, "loss", 0, 1.5);
    numbers_add(&n, "b", 0, "loss", 0, 2.5);
    numbers_add(&n, "a", 3, "loss", 0, 3.5);
    numbers_add(&n, "a", 0, "right", 0, 4.5);
    numbers_add(&n, "a", 0, "loss", 7, 5.5);
    ck_assert(!n.failed);
    ck_assert_int_eq(n.count, 5);
    ck_assert_int_eq(numbers_seeds(&n), 4);
    ck_assert_double_eq(numbers_get(&n, "a", 0, "loss", 0), 1.5);
    ck_assert_double_eq(numbers_get(&n, "b", 0, "loss", 0), 2.5);
    ck_assert_double_eq(numbers_get(&n, "a", 3, "loss", 0), 3.5);
    ck_assert_double_eq(numbers_get(&n, "a", 0, "right", 0), 4.5);
    ck_assert_double_eq(numbers_get(&n, "a", 0, "loss", 7), 5.5);
    ck_assert(isnan(numbers_get(&n, "b", 3, "loss", 0)));
    ck_assert(isnan(numbers_get(&n, "a", 1, "loss", 0)));
    ck_assert(isnan(numbers_get(&n, "a", 0, "los", 0)));
    ck_assert(isnan(numbers_get(&n, "a", 0, "loss", 6.999)));
    numbers_add(&n, "a", 0, "loss", 0, -1); /* replaces the first */
    ck_assert_double_eq(numbers_get(&n, "a", 0, "loss", 0), -1);
    numbers_free(&n);
    ck_assert_ptr_null(n.row);
    ck_assert_int_eq(n.count, 0);
    numbers_free(&n);
}
END_TEST

START_TEST(many) {
    numbers n = {.row = NULL};
    for (int i = 0; i < 1000; i++) numbers_add(&n, "a", i % 5, "loss", i, 2 * i);
    ck_assert(!n.failed);
    for (int i = 0; i < 1000; i++) must(numbers_get(&n, "a", i % 5, "loss", i) == 2 * i);
    numbers_free(&n);
}
END_TEST

START_TEST(means) {
    numbers n = {.row = NULL};
    for (int i = 1; i <= 5; i++) numbers_add(&n, "a", 0, "right", i, i * i);
    numbers_add(&n, "a", 1, "right", 3, 1000);
    numbers_add(&n, "b", 0, "right", 3, 1000);
    numbers_add(&n, "a", 0, "wrong", 3, 1000);
    ck_assert_double_eq(numbers_mean(&n, "a", 0, "right", 1, 5), 11); /* (1 + 4 + 9 + 16 + 25)/5 */
    ck_assert_double_eq(numbers_mean(&n, "a", 0, "right", 2, 3), 6.5);
    ck_assert_double_eq(numbers_mean(&n, "a", 0, "right", 3, 3), 9);
    ck_assert_double_eq(numbers_mean(&n, "a", 0, "right", 4.5, 99), 25);
    ck_assert_double_eq(numbers_mean(&n, "a", 0, "right", -INFINITY, INFINITY), 11);
    ck_assert(isnan(numbers_mean(&n, "a", 0, "right", 3.1, 3.9)));
    ck_assert(isnan(numbers_mean(&n, "a", 0, "right", 5, 1)));
    ck_assert(isnan(numbers_mean(&n, "c", 0, "right", 1, 5)));
    numbers_add(&n, "a", 0, "right", NAN, 1000); /* at NaN, which is in no range */
    ck_assert_double_eq(numbers_mean(&n, "a", 0, "right", 1, 5), 11);
    ck_assert(isnan(numbers_get(&n, "a", 0, "right", NAN)));
    numbers_add(&n, "a", 0, "right", 2, NAN); /* a value of NaN makes the mean NaN */
    ck_assert(isnan(numbers_mean(&n, "a", 0, "right", 1, 5)));
    numbers_free(&n);
}
END_TEST

/* ---- names ---- */

#define LONGEST_NAME "47 bytes are the most that a name may have here"

static void refused(const char *arm, long seed, const char *what) {
    numbers n = {.row = NULL};
    tl_error error = {""};
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "numbers.csv");
    numbers_add(&n, "a", 0, "loss", 0, 1);
    numbers_add(&n, arm, seed, what, 0, 2);
    ck_assert_msg(n.failed, "\"%s\" %ld \"%s\" should be refused", arm, seed, what);
    ck_assert_int_eq(n.count, 1);
    numbers_add(&n, "a", 1, "loss", 0, 3); /* nothing more is added */
    ck_assert_int_eq(n.count, 1);
    ck_assert(!numbers_write(&n, path, &error));
    assert_contains(error.message, path);
    ck_assert_int_eq(count_files(s.folder), 0);
    numbers_free(&n);
    ck_assert(!n.failed);
    scratch_remove(&s);
}

START_TEST(invalid_names_and_seeds) {
    static const char *const names[] = {"",
                                        "a,b",
                                        "a \"b\"",
                                        "a\nb",
                                        "a\rb",
                                        "\n",
                                        LONGEST_NAME "!",
                                        " a",
                                        "a ",
                                        " ",
                                        LONGEST_NAME LONGEST_NAME};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        refused(names[i], 0, "loss");
        refused("a", 0, names[i]);
    }
    refused("a", -1, "loss");
    refused("a", LONG_MIN, "loss");
    refused("a", LONG_MAX, "loss"); /* the number of seeds would be LONG_MAX + 1 */
}
END_TEST

/* ---- files ---- */

/* The same bits; all NaNs count as the same. */
static bool alike(double a, double b) {
    return isnan(a) ? isnan(b) : !isnan(b) && a == b && signbit(a) == signbit(b);
}

START_TEST(there_and_back) {
    static const double values[] = {0,
                                    -0.0,
                                    1,
                                    0.1,
                                    1.0 / 3,
                                    -2e-3,
                                    DBL_MAX,
                                    -DBL_MAX,
                                    DBL_MIN,
                                    5e-324,
                                    1 + DBL_EPSILON,
                                    1e22,
                                    123456789.123456789,
                                    NAN,
                                    INFINITY,
                                    -INFINITY};
    static const char *const names[] = {"a",  LONGEST_NAME, "8 heads", "1/√d_k = ½", "'x' #1; 注意力",
                                        "-1", "nan"};
    enum { VALUES = sizeof values / sizeof *values, NAMES = sizeof names / sizeof *names };
    numbers n = {.row = NULL}, back = {.row = NULL};
    tl_error error = {""};
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "numbers.csv");
    for (int i = 0; i < VALUES; i++)
        numbers_add(&n, names[i % NAMES], i, names[(i + 1) % NAMES], values[VALUES - 1 - i], values[i]);
    numbers_add(&n, "a", LONG_MAX - 1, "loss", 0, 1);
    ck_assert_msg(numbers_write(&n, path, &error), "%s", error.message);
    numbers_add(&back, "before", 0, "loss", 0, 7);
    ck_assert_msg(numbers_read(&back, path, &error), "%s", error.message);
    ck_assert_int_eq(back.count, n.count + 1); /* reading adds */
    ck_assert_str_eq(back.row[0].arm, "before");
    for (long i = 0; i < n.count; i++) {
        const number *a = &n.row[i], *b = &back.row[i + 1];
        ck_assert_str_eq(a->arm, b->arm);
        ck_assert_str_eq(a->what, b->what);
        ck_assert_int_eq(a->seed, b->seed);
        ck_assert_msg(alike(a->at, b->at), "%.17g came back as %.17g", a->at, b->at);
        ck_assert_msg(alike(a->value, b->value), "%.17g came back as %.17g", a->value, b->value);
    }
    numbers_free(&n);
    numbers_free(&back);
    scratch_remove(&s);
}
END_TEST

START_TEST(the_text_of_a_file) {
    numbers n = {.row = NULL};
    tl_error error = {""};
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "numbers.csv");
    ck_assert(numbers_write(&n, path, &error));
    assert_file(path, HEADER); /* an empty table has a header */
    ck_assert(numbers_read(&n, path, &error));
    ck_assert_int_eq(n.count, 0);
    numbers_add(&n, "8 heads", 2, "exact match", 0.5, -1e-8);
    numbers_add(&n, "one", 0, "loss", 0, NAN);
    ck_assert(numbers_write(&n, path, &error));
    assert_file(path, HEADER "8 heads,2,exact match,0.5,-1e-08\none,0,loss,0,nan\n");
    ck_assert(!numbers_write(&n, scratch_path(&s, "no/such/folder.csv"), &error));
    ck_assert(tl_failed(&error));
    numbers_free(&n);
    scratch_remove(&s);
}
END_TEST

/* Asserts that reading these bytes fails with `part` in the message and leaves the table as it was. */
static void malformed(const char *bytes, size_t size, const char *part) {
    numbers n = {.row = NULL};
    tl_error error = {""};
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "numbers.csv");
    put_file(path, bytes, size);
    numbers_add(&n, "before", 0, "loss", 0, 7);
    ck_assert_msg(!numbers_read(&n, path, &error), "should be refused: %s", bytes);
    assert_contains(error.message, path);
    assert_contains(error.message, part);
    ck_assert_int_eq(n.count, 1);
    ck_assert(!n.failed);
    ck_assert_double_eq(numbers_get(&n, "before", 0, "loss", 0), 7);
    numbers_free(&n);
    scratch_remove(&s);
}

START_TEST(no_header) {
    static const char *const texts[] = {"",
                                        "\n",
                                        "a,0,loss,0,1\n",
                                        "arm,seed,what,at,value",
                                        "arm,seed,what,at\na,0,loss,0\n",
                                        "arm,seed,what,at,value,more\na,0,loss,0,1,2\n",
                                        "arm,seed,what,at,value\r\na,0,loss,0,1\r\n",
                                        ("\xef\xbb\xbf" HEADER)};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        malformed(texts[i], strlen(texts[i]), "line 1: found no \"arm,seed,what,at,value\"");
    malformed("arm,seed\0what,at,value\n", 23, "line 1");
    malformed("\0" HEADER, sizeof HEADER, "line 1");
}
END_TEST

START_TEST(no_row) {
    static const char *const rows[] = {"\n",
                                       "a\n",
                                       ",,,,\n",
                                       "a,0,loss,0\n",
                                       "a,0,loss,0,1,\n",
                                       "a,0,loss,0,1,2\n", /* up to here: the number of cells */
                                       "a,,loss,0,1\n",
                                       "a,x,loss,0,1\n",
                                       "a,1.5,loss,0,1\n",
                                       "a,0x1,loss,0,1\n",
                                       "a, 1,loss,0,1\n",
                                       "a,-1,loss,0,1\n",
                                       "a,99999999999999999999,loss,0,1\n",
                                       "a,9223372036854775807,loss,0,1\n", /* up to here: seeds */
                                       "a,0,loss,,1\n",
                                       "a,0,loss,x,1\n",
                                       "a,0,loss,0,\n",
                                       "a,0,loss,0,x\n",
                                       "a,0,loss,0,1x\n",
                                       "a,0,loss,0,1 \n",
                                       "a,0,loss, 0,1\n",
                                       "a,0,loss,0,1e\n",
                                       "a,0,loss,0,0x10\n",
                                       "a,0,loss,0,1e999\n",
                                       "a,0,loss,0,infinity\n",
                                       "a,0,loss,0,1\r\n", /* up to here: numbers */
                                       ",0,loss,0,1\n",
                                       "a,0,,0,1\n",
                                       "\"a\",0,loss,0,1\n",
                                       " a,0,loss,0,1\n",
                                       "a,0,loss ,0,1\n",
                                       LONGEST_NAME "!,0,loss,0,1\n",
                                       "a,0," LONGEST_NAME "!,0,1\n", /* up to here: names */
                                       "a,0,loss,0,1",
                                       "a,0,loss,0,",
                                       "a,0,lo",
                                       "a", /* up to here: a last line that is cut off */
                                       "a,0,loss,0,1\n\n",
                                       HEADER};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text, HEADER "%s", rows[i]);
        malformed(text, strlen(text), strstr(rows[i], "\n\n") ? "line 3" : "line 2");
        snprintf(text, sizeof text, HEADER "a,0,loss,0,1\nb,0,loss,0,1\n%s", rows[i]);
        malformed(text, strlen(text), strstr(rows[i], "\n\n") ? "line 5" : "line 4");
    }
}
END_TEST

#define MALFORMED(text, part) malformed(text, sizeof text - 1, part)

START_TEST(a_nul) {
    MALFORMED(HEADER "\0", "line 2");
    MALFORMED(HEADER "\0\n", "line 2");
    MALFORMED(HEADER "a,0,loss,0,1\0\n", "line 2");
    MALFORMED(HEADER "a,0,lo\0s,0,1\n", "line 2");
    MALFORMED(HEADER "a,0,loss,0,1\n\0", "line 3");
    MALFORMED(HEADER "a,0,loss,0,1\n\0b,0,loss,0,1\n", "line 3");
}
END_TEST

START_TEST(no_file) {
    numbers n = {.row = NULL};
    tl_error error = {""};
    scratch s = scratch_new();
    ck_assert(!numbers_read(&n, scratch_path(&s, "none.csv"), &error));
    assert_contains(error.message, "none.csv");
    error = (tl_error){""};
    ck_assert(!numbers_read(&n, s.folder, &error));
    ck_assert(tl_failed(&error));
    ck_assert_int_eq(n.count, 0);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, what_was_added);
    tcase_add_test(tc, many);
    tcase_add_test(tc, means);
    tcase_add_test(tc, invalid_names_and_seeds);
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, the_text_of_a_file);
    tcase_add_test(tc, no_header);
    tcase_add_test(tc, no_row);
    tcase_add_test(tc, a_nul);
    tcase_add_test(tc, no_file);
}

TL_TEST_MAIN("study: numbers")
