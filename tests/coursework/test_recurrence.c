/* Task 7 of the course: right solutions in three styles get all points, and mistakes are named. */
#include "kit.h"

#include <math.h>

#define SOLUTION "coursework/recurrence/recurrence.c"
#define OPERATION "coursework/recurrence/recurrence_op.c"

START_TEST(right_solutions_get_all_points) { kit_is_right("recurrence", 1, SOLUTION); }
END_TEST
START_TEST(solutions_in_another_style_get_all_points) {
    kit_is_right("recurrence", 1, "coursework/recurrence/other/pointers.c");
}
END_TEST
START_TEST(slow_solutions_get_all_points) {
    kit_is_right("recurrence", 1, "coursework/recurrence/other/slow.c");
}
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("recurrence", 2, OPERATION);
}
END_TEST

START_TEST(mistakes_in_a_step_are_named) {
    kit_says("recurrence", 1, SOLUTION, "(1 - z) * n + z * h[b * hidden + i]",
             "z * n + (1 - z) * h[b * hidden + i]", "each other's place", 40);
    kit_says("recurrence", 1, SOLUTION, "return 1 / (1 + expf(-x))", "return expf(x) / (1 + expf(x))",
             "infinity over infinity", 40);
    kit_says("recurrence", 1, SOLUTION, "dh[here] += dy[here] * z;", "(void)dh;", "without dh += dy·z", 40);
    kit_says("recurrence", 1, SOLUTION, "+= dn * r;", "+= dn;", "dn, not dn·r", 40);
    kit_says("recurrence", 1, SOLUTION, "dh[here] += dy", "dh[here] = dy", "overwrites", 40);
}
END_TEST

START_TEST(mistakes_in_a_score_are_named) {
    kit_says("recurrence", 1, SOLUTION, "to[k] = tanhf(p)", "to[k] = p", "without tanh", 40);
    kit_says("recurrence", 1, SOLUTION, "dW[k * width + f] += d * s[i * width + f]",
             "dW[k * width + f] += d * W[k * width + f]", "dW", 40);
    kit_says("recurrence", 1, SOLUTION, "g * v[k] * (1 - t * t)", "g * (1 - t * t)", "v left out", 40);
}
END_TEST

START_TEST(mistakes_in_the_operation_are_named) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_says("recurrence", 2, OPERATION, "(1 - z) * n + z * (double)s->h[here]",
             "z * n + (1 - z) * (double)s->h[here]", "each other's place", 40);
    kit_says("recurrence", 2, OPERATION, "* (1 - n * n)", "", "without its factor 1 - n²", 40);
}
END_TEST

/* ---- the handout ---- */

/* A case of a GRU step whose arrays are all zero. */
static course_case step_case(long batch, long hidden) {
    static const char *const names[] = {"x", "recall", "h", "gates", "y"};
    course_case c = {.n = {batch, hidden}};
    for (int i = 0; i < 5; i++)
        course_array_new(&c, i < 3 ? COURSE_IN : COURSE_OUT, names[i],
                         COURSE_DIMS(batch, i == 2 || i == 4 ? hidden : 3 * hidden));
    return c;
}

START_TEST(predictions_are_what_the_model_gives) {
    const course_task *task = course_task_named("recurrence");
    course_case c = step_case(1, 1);
    const double step = 1e-3;
    double h[2] = {step, -step};
    course_data(&c, "x")[1] = log(0.9 / 0.1); /* z = 0.9; n is 0, so the gradient goes through z·h only */
    for (int side = 0; side < 2; side++)
        for (int t = 0; t < 10; t++) {
            course_data(&c, "h")[0] = h[side];
            task->tier1[0].model(&c, 0);
            h[side] = course_data(&c, "y")[0];
        }
    must_msg(fabs((h[0] - h[1]) / (2 * step) - task->questions[0].answer) < 1e-6, "%.8g",
             (h[0] - h[1]) / (2 * step));
    course_case_free(&c);
    course_draw(&c, &task->tier1[2], COURSE_LARGE, 1, 0); /* large numbers, so that tanh is 1 */
    for (long k = 0; k < c.n[3]; k++) course_data(&c, "v")[k] = k < 4 ? 0.5 : 0;
    for (long k = 0; k < c.n[3] * c.n[2]; k++) course_data(&c, "W")[k] = course_data(&c, "U")[k] = 1;
    for (long k = 0; k < c.n[0] * c.n[2]; k++) course_data(&c, "s")[k] = 1e4;
    for (long k = 0; k < c.n[1] * c.n[2]; k++) course_data(&c, "h")[k] = 1e4;
    task->tier1[2].model(&c, 0);
    const double most = 0.5 * fmin(4, (double)c.n[3]);
    must(fabs(course_data(&c, "e")[0] - most) < 1e-9 && task->questions[1].answer == 2);
    course_case_free(&c);
}
END_TEST

START_TEST(the_handout_shows_the_example) {
    char *handout = kit_read("coursework/recurrence/handout.md"), *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    must(to);
    fputs("```text\n", to);
    course_task_named("recurrence")->example(to);
    fputs("```\n", to);
    must(fclose(to) == 0);
    must_msg(strstr(handout, text), "the handout does not hold\n%s", text);
    free(text);
    free(handout);
}
END_TEST

/* The operation's file begins with the same comment as the library's. */
START_TEST(the_formulas_are_the_librarys) {
    char *ours = kit_read(OPERATION), *theirs = kit_read("src/autograd/ops/gru_step.c");
    const size_t size = (size_t)(strstr(theirs, "*/") - theirs) + 2;
    must(strncmp(ours, theirs, size) == 0);
    free(ours);
    free(theirs);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, solutions_in_another_style_get_all_points);
    tcase_add_test(tc, slow_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, mistakes_in_a_step_are_named);
    tcase_add_test(tc, mistakes_in_a_score_are_named);
    tcase_add_test(tc, mistakes_in_the_operation_are_named);
    tcase_add_test(tc, predictions_are_what_the_model_gives);
    tcase_add_test(tc, the_handout_shows_the_example);
    tcase_add_test(tc, the_formulas_are_the_librarys);
}
TL_TEST_MAIN("coursework: recurrence")
