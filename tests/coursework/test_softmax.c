/* Task 3 of the course: right solutions get all points, and mistakes are named. */
#include "kit.h"

#include <math.h>

#define TASK "coursework/softmax/"
#define SOLUTION TASK "softmax.c"
#define OPERATIONS TASK "softmax_op.c " TASK "masked_softmax_op.c " TASK "cross_entropy_op.c"

START_TEST(right_solutions_get_all_points) {
    kit_is_right("softmax", 1, SOLUTION);
    kit_is_right("softmax", 1, TASK "other/one_row.c");
    kit_is_right("softmax", 1, TASK "other/slow.c");
}
END_TEST

START_TEST(operations_get_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("softmax", 2, OPERATIONS);
}
END_TEST

START_TEST(mistakes_are_named) {
    kit_says("softmax", 1, SOLUTION, "j++) dx[i * columns + j] += p[j] * (g[j] - dot)",
             "j++) dx[i * columns + j] += p[j] * g[j]", "without its second term", 40);
    kit_says("softmax", 1, SOLUTION, "sum += to[j] = expf(from[j] - largest)", "sum += to[j] = expf(from[j])",
             "they overflow", 90);
    kit_says("softmax", 1, SOLUTION, "j++) dx[i * columns + j] += p", "j++) dx[i * columns + j] = p",
             "overwrites what was there", 40);
    kit_says("softmax", 1, SOLUTION, "j++) to[j] /= sum", "j++) to[j] /= 2 * sum", "times 0.5", 40);
}
END_TEST

START_TEST(mistakes_with_masks_are_named) {
    kit_says("softmax", 1, SOLUTION, "if (seen[j]) largest = fmaxf", "largest = fmaxf", "hidden ones too",
             90);
    kit_says("softmax", 1, SOLUTION,
             "= seen[j] ? expf(from[j] - largest) : 0;\n            sum += to[j];\n        }\n"
             "        for (long j = 0; j < columns; j++)\n            if (seen[j]) to[j]",
             "= expf((seen[j] ? from[j] : 0) - largest);\n            sum += to[j];\n        }\n"
             "        for (long j = 0; j < columns; j++)\n            to[j]",
             "what is hidden counts", 60);
    kit_says("softmax", 1, SOLUTION, "            if (seen[j]) to[j] /= sum;", "            to[j] /= sum;",
             "0/0 in rows in which nothing is visible", 80);
    kit_says(
        "softmax", 1, SOLUTION,
        "= seen[j] ? expf(from[j] - largest) : 0;\n            sum += to[j];\n        }\n"
        "        for (long j = 0; j < columns; j++)\n            if (seen[j]) to[j]",
        "= expf((seen[j] ? from[j] : -1e9f) - fmaxf(largest, -1e9f));\n            sum += to[j];\n        }\n"
        "        for (long j = 0; j < columns; j++)\n            to[j]",
        "a number like -1e9", 80);
}
END_TEST

START_TEST(mistakes_in_the_loss_are_named) {
    kit_says("softmax", 1, SOLUTION, "const float nll = log_sum - (x[targets[i]] - largest);",
             "const float nll = -logf(expf(x[targets[i]] - largest) / sum);", "it is infinite", 90);
    kit_says("softmax", 1, SOLUTION, "real > 0 ? (float)(all_rows / (double)real) : 0",
             "(float)(all_rows / (double)rows)", "rows without a target do not count", 80);
    kit_says("softmax", 1, SOLUTION, "real > 0 ? (float)(all_rows / (double)real) : 0",
             "(float)(all_rows / (double)real)", "0/0 where no row has a target", 90);
    kit_says("softmax", 1, SOLUTION, "if (v == targets[i]) d -= 1 - smoothing;", "", "target's 1 - smoothing",
             80);
    kit_says("softmax", 1, SOLUTION, "+= dloss / (float)real * d", "+= d / (float)real", "without dloss", 80);
}
END_TEST

START_TEST(mistakes_in_operations_are_named) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_says("softmax", 2, TASK "softmax_op.c", "((double)dy[here] - dot)", "(double)dy[here]",
             "without its second term", 40);
    kit_says("softmax", 2, TASK "softmax_op.c", "tl_axis(c.x[0].rank, axis)", "c.x[0].rank - 1",
             "which was not asked for", 40);
    kit_says("softmax", 2, TASK "masked_softmax_op.c", "dx.add ? (double)to[j] + d : d", "d",
             "overwrites what was there", 40);
    kit_says("softmax", 2, TASK "masked_softmax_op.c", "if (visible[j]) largest", "largest",
             "hidden ones too", 60);
    kit_says("softmax", 2, TASK "cross_entropy_op.c", "o->divisor > 0 ? o->divisor : ", "",
             "though the options have a divisor", 60);
    kit_says("softmax", 2, TASK "cross_entropy_op.c", "own * (v == t)", "0 * (v == t)",
             "target's 1 - smoothing", 50);
    kit_says("softmax", 2, TASK "cross_entropy_op.c", "x[v] > x[*guess]", "x[v] >= x[*guess]",
             "it is the first", 80);
}
END_TEST

/* The answers of the handout's questions are those that the model computes. */
START_TEST(questions_have_the_models_answers) {
    const course_task *task = course_task_named("softmax");
    course_case c = {.n = {1, 3}};
    double *x = course_array_new(&c, COURSE_IN, "x", COURSE_DIMS(1, 3));
    x[0] = 1000, x[1] = 1001, x[2] = 1002;
    double *y = course_array_new(&c, COURSE_OUT, "y", COURSE_DIMS(1, 3));
    task->tier1[0].model(&c, 0);
    must(fabs(y[2] - task->questions[0].answer) < 1e-6);
    course_case_free(&c);
    const long classes = 40; /* with equal logits the loss is log(classes), whatever the smoothing */
    c = (course_case){.n = {1, classes}, .p = {0.1}};
    course_array_new(&c, COURSE_IN, "logits", COURSE_DIMS(1, classes));
    course_array_new(&c, COURSE_IN, "targets", COURSE_DIMS(1));
    double *loss = course_array_new(&c, COURSE_OUT, "loss", COURSE_DIMS(1));
    task->tier1[4].model(&c, 0);
    must(fabs(*loss - log((double)classes)) < 1e-6);
    must(fabs(log(8000) - task->questions[1].answer) < 1e-6);
    course_case_free(&c);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, operations_get_all_points);
    tcase_add_test(tc, mistakes_are_named);
    tcase_add_test(tc, mistakes_with_masks_are_named);
    tcase_add_test(tc, mistakes_in_the_loss_are_named);
    tcase_add_test(tc, mistakes_in_operations_are_named);
    tcase_add_test(tc, questions_have_the_models_answers);
}
TL_TEST_MAIN("coursework: softmax")
