/* The marker's messages about wrong numbers that no mistake of its list explains. */
#include "squares.h"

/* ---- students ---- */

static void times(course_case *c, int i, double by) {
    for (long k = 0; k < c->a[i].count; k++) c->a[i].data[k] *= by;
}
static void half(course_case *c) { right(c), times(c, Y, 0.5); }
static void minus(course_case *c) { right(c), times(c, Y, -1); }
static void by_columns(course_case *c) { right(c), times(c, Y, (double)c->n[1]); }
static void by_root(course_case *c) { right(c), times(c, Y, -1 / sqrt((double)c->n[1])); }
static void by_both(course_case *c) { right(c), times(c, Y, 1 / ((double)c->n[0] * (double)c->n[1])); }
static void by_quotient(course_case *c) { right(c), times(c, Y, (double)c->n[0] / (double)c->n[1]); }
static void by_something(course_case *c) { right(c), times(c, Y, 1.234); }
static void nothing(course_case *c) { (void)c; }
static void no_gradient(course_case *c) {
    double *before = malloc((size_t)c->a[DX].count * sizeof *before);
    must(before);
    memcpy(before, c->a[DX].data, (size_t)c->a[DX].count * sizeof *before);
    right(c);
    memcpy(c->a[DX].data, before, (size_t)c->a[DX].count * sizeof *before);
    free(before);
}
static void overwrites(course_case *c) { times(c, DX, 0), right(c); }
static void zeros(course_case *c) { right(c), times(c, Y, 0); }
static void nan_in_y(course_case *c) { right(c), c->a[Y].data[c->a[Y].count - 1] = NAN; }
static void infinite(course_case *c) { right(c), c->a[Y].data[0] = -INFINITY; }
static void gradient_by_2_columns(course_case *c) { /* the added gradient is divided by 2·columns */
    for (long k = 0; k < c->a[DX].count; k++) {
        const double s = c->a[X].data[k] + 1;
        c->a[S].data[k] = s, c->a[Y].data[k] = s * s;
        c->a[DX].data[k] += s * c->a[DY].data[k] / (double)c->n[1];
    }
}
static void transposed(course_case *c) {
    right(c);
    course_case as_it_was;
    must(course_case_copy(&as_it_was, c));
    for (long i = 0; i < c->n[0]; i++)
        for (long j = 0; j < c->n[1]; j++)
            c->a[Y].data[j * c->n[0] + i] = as_it_was.a[Y].data[i * c->n[1] + j];
    course_case_free(&as_it_was);
}
static void all_but_a_row(course_case *c) {
    course_case as_it_was;
    must(course_case_copy(&as_it_was, c));
    right(c);
    for (long j = 0; j < c->n[1]; j++) c->a[Y].data[j] = as_it_was.a[Y].data[j];
    course_case_free(&as_it_was);
}
static void two_wrong_elements(course_case *c) {
    right(c);
    if (c->a[Y].count > 2) c->a[Y].data[1] += 3, c->a[Y].data[2] = 0.25;
}
/* ---- messages ---- */

START_TEST(ratios_are_named_by_sizes) {
    says(half, FORWARD_ODD, "your y is the right one times 0.5", 1);
    says(minus, FORWARD_ODD, "your y is the right one times -1", 1);
    says(by_columns, FORWARD_ODD, "your y is the right one times columns", 1);
    says(by_root, FORWARD_ODD, "your y is the right one times -1/√columns", 1);
    says(by_both, FORWARD_ODD, "your y is the right one times 1/(rows·columns)", 1);
    says(by_quotient, FORWARD_ODD, "your y is the right one times rows/columns", 1);
    judge(by_something, &exercise);
    ck_assert_str_eq(check_of(FORWARD_ODD)->why,
                     "your y is the right one times a constant (1.234, 1.234 and 1.234 in three cases)");
}
END_TEST

START_TEST(a_gradient_is_what_was_added) {
    judge(gradient_by_2_columns, &exercise); /* 1/(2·columns) is not among the ratios that are named */
    assert_contains(check_of(BACKWARD_ODD)->why, "your dx is the right one times a constant (0.");
    says(overwrites, BACKWARD_ODD,
         "your dx overwrites what was there: a gradient is added to what others have given", 1);
    says(no_gradient, BACKWARD_ODD, "dx is as it was before the call: nothing was written to it", 4);
}
END_TEST

START_TEST(another_order_is_told) { says(transposed, FORWARD_ODD, "your y is the right one transposed", 1); }
END_TEST

START_TEST(nan_infinity_and_zeros_are_told) {
    judge(nan_in_y, &exercise);
    assert_contains(check_of(FORWARD_ODD)->why, "] is NaN, should be ");
    judge(infinite, &exercise);
    assert_contains(check_of(FORWARD_ODD)->why, "y[0][0] is -infinity, should be ");
    judge(zeros, &exercise);
    ck_assert_str_eq(check_of(FORWARD_ODD)->why, "your y is 0 everywhere");
}
END_TEST

START_TEST(unwritten_elements_are_told) {
    judge(nothing, &exercise);
    ck_assert_str_eq(check_of(FORWARD_ODD)->why, "s is as it was before the call: nothing was written to it");
    judge(all_but_a_row, &exercise);
    assert_contains(check_of(FORWARD_ODD)->why, "part of y was never written, ");
    assert_contains(check_of(FORWARD_ODD)->why, "the first of them y[0][0] (rows ");
}
END_TEST

START_TEST(else_the_first_wrong_stage_is_told) {
    judge(two_wrong_elements, &exercise);
    const char *why = check_of(FORWARD_ODD)->why;
    assert_contains(why, "s is right; the first array that is wrong is y: y[0][1] is ");
    assert_contains(why, ", should be ");
    assert_contains(why, ", and 1 more of ");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, ratios_are_named_by_sizes);
    tcase_add_test(tc, a_gradient_is_what_was_added);
    tcase_add_test(tc, another_order_is_told);
    tcase_add_test(tc, nan_infinity_and_zeros_are_told);
    tcase_add_test(tc, unwritten_elements_are_told);
    tcase_add_test(tc, else_the_first_wrong_stage_is_told);
}
TL_TEST_MAIN("coursework: looks")
