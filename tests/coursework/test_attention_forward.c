/* Task 5 of the course: right solutions get all points, wrong ones a sentence; the operation does what the library's does. */
#include "kit.h"

#define SOLUTION "coursework/attention_forward/attention_forward.c"
#define OPERATION "coursework/attention_forward/attention_forward_op.c"

START_TEST(right_solutions_get_all_points) { kit_is_right("attention_forward", 1, SOLUTION); }
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners hand over floats");
    else
        kit_is_right("attention_forward", 2, OPERATION);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
}
TL_TEST_MAIN("coursework: attention forward")
