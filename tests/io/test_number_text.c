/* Numbers and durations as text: shortest, exact, and read back. (test_locale.c has other locales.) */
#define _XOPEN_SOURCE 700
#include "check.h"

#include "tapeloom/io.h"

#include <float.h>
#include <limits.h>

static void assert_double(double value, const char *expected) {
    char text[TL_NUMBER_TEXT];
    ck_assert_str_eq(tl_double_text(value, text), expected);
}

START_TEST(doubles_are_short) {
    assert_double(0, "0");
    assert_double(-0.0, "-0");
    assert_double(0.1, "0.1");
    assert_double(-1, "-1");
    assert_double(1e-8, "1e-08");
    assert_double(123456789, "123456789");
    assert_double(1.0 / 3, "0.3333333333333333");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(INFINITY, "inf");
    assert_double(-INFINITY, "-inf");
    assert_double(NAN, "nan");
    assert_double(-NAN, "nan");
    char text[TL_NUMBER_TEXT];
    ck_assert_str_eq(tl_float_text(0.1f, text), "0.1");
    ck_assert_str_eq(tl_float_text(16777217.0f, text), "16777216");
    ck_assert_str_eq(tl_float_text(-INFINITY, text), "-inf");
}
END_TEST

static uint64_t draw(uint64_t *state) {
    uint64_t high = *state = *state * 6364136223846793005u + 1442695040888963407u;
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (high & ~0xffffffffull) | *state >> 32;
}

/* Random bits: most numbers are far from 1. */
START_TEST(every_number_reads_back_exactly) {
    uint64_t state = 7;
    long wrong = 0;
    char text[TL_NUMBER_TEXT];
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = draw(&state);
        uint32_t half = (uint32_t)bits;
        double d, read = 0;
        float f;
        memcpy(&d, &bits, sizeof d);
        memcpy(&f, &half, sizeof f);
        wrong += !tl_double_parse(tl_double_text(d, text), &read) || (isnan(d) ? !isnan(read) : read != d);
        wrong +=
            !tl_double_parse(tl_float_text(f, text), &read) || (isnan(f) ? !isnan(read) : (float)read != f);
    }
    ck_assert_int_eq(wrong, 0);
    const double limits[] = {DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, DBL_EPSILON, (double)FLT_MAX};
    for (int i = 0; i < 6; i++) {
        double read = 0;
        ck_assert(tl_double_parse(tl_double_text(limits[i], text), &read) && read == limits[i]);
    }
}
END_TEST

START_TEST(what_is_a_number) {
    const char *good[] = {"1",      "-1",     "+1",     "1.5", ".5",   "5.",   "1e3", "1E-3",
                          "-.5e+2", "0e-999", "1e-320", "inf", "-inf", "+nan", "007"};
    const char *bad[] = {"",  " 1", "1 ",  "1x",       "0x10", "--1",   "e5",    "1e",     "1e+",
                         ".", "-",  "1,5", "infinity", "NaN",  "1.2.3", "1e999", "1e-999", "-0.1e-400"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = 42;
        ck_assert_msg(tl_double_parse(good[i], &value) && value != 42, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double value = 42;
        ck_assert_msg(!tl_double_parse(bad[i], &value) && value == 42, "%s", bad[i]);
    }
    long whole = 42;
    ck_assert(tl_long_parse("-9223372036854775808", &whole) && whole == LONG_MIN);
    ck_assert(tl_long_parse("+007", &whole) && whole == 7);
    const char *not_whole[] = {"", "-", "1.0", "1e3", " 1", "1 ", "9223372036854775808", "0x1", "one"};
    for (size_t i = 0; i < sizeof not_whole / sizeof *not_whole; i++)
        ck_assert_msg(!tl_long_parse(not_whole[i], &whole) && whole == 7, "%s", not_whole[i]);
}
END_TEST

START_TEST(durations) {
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {0, "0.0 s"},        {0.04, "0.0 s"},         {0.44, "0.4 s"},
        {9.94, "9.9 s"},     {9.96, "10 s"},          {45, "45 s"},
        {59.4, "59 s"},      {59.6, "1:00"},          {125, "2:05"},
        {3599.4, "59:59"},   {3599.6, "1:00:00"},     {3723, "1:02:03"},
        {86399, "23:59:59"}, {86400, "1 d 00:00:00"}, {273906, "3 d 04:05:06"},
        {-1, "?"},           {(double)NAN, "?"},      {(double)INFINITY, "?"},
    };
    char text[TL_NUMBER_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(tl_duration_text(cases[i].seconds, text), cases[i].text);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, doubles_are_short);
    tcase_add_test(tc, every_number_reads_back_exactly);
    tcase_add_test(tc, what_is_a_number);
    tcase_add_test(tc, durations);
}
TL_TEST_MAIN("io: numbers as text")
