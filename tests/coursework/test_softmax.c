/* Task 3 of the course: right solutions get all points, wrong ones a sentence. */
#include "kit.h"

#define SOLUTION "coursework/softmax/softmax.c"

START_TEST(right_solutions_get_all_points) { kit_is_right("softmax", 1, SOLUTION); }
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners hand over floats");
    else
        kit_is_right("softmax", 2, "coursework/softmax/softmax_op.c");
}
END_TEST

START_TEST(mistakes_are_named) {
    kit_says("softmax", 1, SOLUTION, "(g[j] - dot)", "g[j]", "without its second term", 40);
    kit_says("softmax", 1, SOLUTION, "from[j] - largest", "from[j]", "they overflow", 90);
    kit_says("softmax", 1, SOLUTION, "dx[i * columns + j] += p", "dx[i * columns + j] = p",
             "overwrites what was there", 40);
    kit_says("softmax", 1, SOLUTION, "to[j] /= sum", "to[j] /= 2 * sum", "times 0.5", 40);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, mistakes_are_named);
}
TL_TEST_MAIN("coursework: softmax")
