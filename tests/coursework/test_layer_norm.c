/* Task 4 of the course: right solutions get all points, and mistakes are named. */
#include "kit.h"

#include <math.h>

#define TASK "coursework/layer_norm/"
#define SOLUTION TASK "layer_norm.c"
#define OPERATION TASK "layer_norm_op.c"

START_TEST(right_solutions_get_all_points) {
    kit_is_right("layer_norm", 1, SOLUTION);
    kit_is_right("layer_norm", 1, TASK "other/in_steps.c");
    kit_is_right("layer_norm", 1, TASK "other/slow.c");
}
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("layer_norm", 2, OPERATION);
}
END_TEST

START_TEST(mistakes_of_the_forward_are_named) {
    kit_says("layer_norm", 1, SOLUTION, "squares / (float)columns + eps",
             "squares / (float)(columns - 1) + eps", "variance over D - 1", 50);
    kit_says("layer_norm", 1, SOLUTION, "1 / sqrtf(squares / (float)columns + eps)",
             "1 / (sqrtf(squares / (float)columns) + eps)", "not under it", 65);
    kit_says("layer_norm", 1, SOLUTION, "squares / (float)columns + eps", "squares / (float)columns",
             "without eps", 65);
    kit_says("layer_norm", 1, SOLUTION, "gamma[j] * (from[j] - mean[i]) * rstd[i] + beta[j]",
             "gamma[j] * ((from[j] - mean[i]) * rstd[i] + beta[j])", "not multiplied by it", 50);
    kit_says("layer_norm", 1, SOLUTION, "gamma[j] * (from[j] - mean[i]) * rstd", "gamma[j] * from[j] * rstd",
             "the mean is not taken off", 50);
}
END_TEST

START_TEST(mistakes_of_the_backward_are_named) {
    kit_says("layer_norm", 1, SOLUTION, "g - sum / (float)columns - h", "g - h", "without its second term",
             50);
    kit_says("layer_norm", 1, SOLUTION, " - h * dot / (float)columns", "", "without its third term", 50);
    kit_says("layer_norm", 1, SOLUTION, "dgamma[j] += up[j] * h", "dgamma[j] += up[j] * from[j]", "over dy·x",
             50);
    kit_says("layer_norm", 1, SOLUTION, "dbeta[j] += up[j]", "dbeta[j] += up[j] / (float)rows",
             "dbeta the mean", 50);
    kit_says("layer_norm", 1, SOLUTION, "dx[i * columns + j] += rstd[i] *", "dx[i * columns + j] = rstd[i] *",
             "overwrites what was there", 50);
}
END_TEST

/* The variance as a difference of two sums loses its digits with large numbers. Rounding errors look like no known
 * mistake. */
START_TEST(cancelling_variances_fail_only_on_large_numbers) {
    kit_says("layer_norm", 1, SOLUTION, "squares += (from[j] - mean[i]) * (from[j] - mean[i]);",
             "squares += from[j] * from[j] - mean[i] * mean[i];", "the first array that is wrong is rstd",
             90);
}
END_TEST

START_TEST(mistakes_in_the_operation_are_named) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_says("layer_norm", 2, OPERATION, "(sum + normalised(s, i, j) * dot)", "(normalised(s, i, j) * dot)",
             "without its second term", 50);
    kit_says("layer_norm", 2, OPERATION, "add ? (double)dgamma[j] + sum : sum", "sum",
             "overwrites what was there", 50);
    kit_says("layer_norm", 2, OPERATION, "1 / sqrt(squares / (double)s->n + eps)",
             "1 / sqrt(squares / (double)s->n)", "without eps", 40);
}
END_TEST

/* The answers of the handout's questions are those that the model computes. */
START_TEST(questions_have_the_models_answers) {
    const course_task *task = course_task_named("layer_norm");
    const double row[] = {0, 0, 0, 1000}, up[] = {1, -2, 0.5, 3};
    double dx[2];
    for (int times = 0; times < 2; times++) {
        course_case c = {.n = {1, 4}};
        const double factor = times ? 10 : 1;
        double *x = course_array_new(&c, COURSE_IN, "x", COURSE_DIMS(1, 4));
        double *gamma = course_array_new(&c, COURSE_IN, "gamma", COURSE_DIMS(4));
        course_array_new(&c, COURSE_IN, "beta", COURSE_DIMS(4));
        course_array_new(&c, COURSE_OUT, "mean", COURSE_DIMS(1));
        course_array_new(&c, COURSE_OUT, "rstd", COURSE_DIMS(1));
        double *y = course_array_new(&c, COURSE_OUT, "y", COURSE_DIMS(1, 4));
        double *dy = course_array_new(&c, COURSE_IN, "dy", COURSE_DIMS(1, 4));
        double *to = course_array_new(&c, COURSE_ADD, "dx", COURSE_DIMS(1, 4));
        course_array_new(&c, COURSE_ADD, "dgamma", COURSE_DIMS(4));
        course_array_new(&c, COURSE_ADD, "dbeta", COURSE_DIMS(4));
        for (int j = 0; j < 4; j++) x[j] = factor * row[j], gamma[j] = 1, dy[j] = up[j];
        task->tier1[0].model(&c, 0);
        task->tier1[1].model(&c, 0);
        must(fabs(y[3] - task->questions[0].answer) < 1e-6);
        dx[times] = to[0];
        course_case_free(&c);
    }
    must(fabs(dx[1] / dx[0] - task->questions[1].answer) < 1e-9);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, mistakes_of_the_forward_are_named);
    tcase_add_test(tc, mistakes_of_the_backward_are_named);
    tcase_add_test(tc, cancelling_variances_fail_only_on_large_numbers);
    tcase_add_test(tc, mistakes_in_the_operation_are_named);
    tcase_add_test(tc, questions_have_the_models_answers);
}
TL_TEST_MAIN("coursework: layer norm")
