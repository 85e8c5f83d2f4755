/* Task 8 of the course: right solutions in three styles get all points, and mistakes are named. The right solution
 * learns the copy task. */
#include "kit.h"

#include <math.h>

#define SOLUTION "coursework/training/training.c"
#define UPDATE "coursework/training/training_op.c"

START_TEST(right_solutions_get_all_points) { kit_is_right("training", 1, SOLUTION); }
END_TEST
START_TEST(solutions_in_another_style_get_all_points) {
    kit_is_right("training", 1, "coursework/training/other/recurrences.c");
}
END_TEST
START_TEST(slow_solutions_get_all_points) { kit_is_right("training", 1, "coursework/training/other/slow.c"); }
END_TEST

START_TEST(updates_of_two_styles_get_all_points) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_is_right("training", 2, UPDATE);
    kit_is_right("training", 2, "coursework/training/other/summed_op.c");
}
END_TEST

START_TEST(mistakes_in_adam_are_named) {
    kit_says("training", 1, SOLUTION, "sqrt(v[i] / bias2) + eps", "sqrt(v[i] / bias2 + eps)",
             "eps inside the root", 40);
    kit_says("training", 1, SOLUTION, "m[i] / bias1", "m[i]", "the first array that is wrong is p", 40);
    kit_says("training", 1, SOLUTION, "- rate * move", "+ rate * move", "added to p, not taken off", 40);
}
END_TEST

START_TEST(mistakes_in_rate_clipping_and_sum_are_named) {
    kit_says("training", 1, SOLUTION, "(double)warmup, -1.5", "(double)warmup, -0.5", "warmup^-1.5", 40);
    kit_says("training", 1, SOLUTION, "if (norm > limit)", "", "also where the norm is below it", 40);
    kit_says("training", 1, SOLUTION, "tokens[i] / all", "1.0 / count", "each counts by its tokens", 40);
    kit_says("training", 1, SOLUTION, "norm = sqrt(norm);", "", "its root is missing", 40);
}
END_TEST

START_TEST(mistakes_in_an_update_are_named) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_says("training", 2, UPDATE, "tl_zero_grad(params);", "", "never zeroed", 0);
    kit_says("training", 2, UPDATE, ".divisor = tokens", ".divisor = 0", "divided by its own tokens", 0);
    kit_says("training", 2, UPDATE, "tl_tape_set_micro_batch(tape, i);", "", "micro-batch 0's random numbers",
             0);
}
END_TEST

/* Starters write nothing. The arrays that they should change are not zero before, so that leaving them alone is
 * wrong. */
START_TEST(starters_earn_nothing) {
    for (int tier = 1; tier <= (kit_has_tier2 ? 2 : 1); tier++) {
        char starter[128], command[256];
        snprintf(starter, sizeof starter, "%s/starter.c", kit_temporary());
        snprintf(command, sizeof command, "sh coursework/cut %s > %s", tier == 1 ? SOLUTION : UPDATE,
                 starter);
        must(system(command) == 0);
        course_marks *m = kit_marks("training", tier, starter, 7);
        must_msg(m->points == 0, "tier %d: %g points", tier, m->points);
        free(m);
    }
}
END_TEST

/* ---- the handout ---- */

START_TEST(predictions_are_what_the_model_gives) {
    const course_task *task = course_task_named("training");
    course_case c;
    course_draw(&c, &task->tier1[0], COURSE_ONE, 1, 0); /* Adam's first step: no moments yet */
    c.p[0] = 0.01, c.p[3] = 1e-8, c.p[4] = 0;
    course_data(&c, "g")[0] = 1000;
    task->tier1[0].model(&c, 0);
    const double moved = course_data(&c, "p before")[0] - course_data(&c, "p")[0];
    must_msg(fabs(moved - task->questions[0].answer) < 1e-9, "%.10g", moved);
    course_case_free(&c);
    c = (course_case){.n = {2, 1}}; /* losses are averaged in the same way as gradients */
    double *means = course_array_new(&c, COURSE_IN, "micro", COURSE_DIMS(2, 1));
    double *tokens = course_array_new(&c, COURSE_IN, "tokens", COURSE_DIMS(2));
    means[0] = 2, means[1] = 4, tokens[0] = 30, tokens[1] = 10;
    const double *all = course_array_new(&c, COURSE_OUT, "g", COURSE_DIMS(1));
    task->tier1[3].model(&c, 0);
    must_msg(fabs(*all - task->questions[1].answer) < 1e-9, "%g", *all);
    course_case_free(&c);
}
END_TEST

START_TEST(the_handout_shows_the_example) {
    char *handout = kit_read("coursework/training/handout.md"), *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    must(to);
    fputs("```text\n", to);
    course_task_named("training")->example(to);
    fputs("```\n", to);
    must(fclose(to) == 0);
    must_msg(strstr(handout, text), "the handout does not hold\n%s", text);
    free(text);
    free(handout);
}
END_TEST

/* ---- the copy task ---- */

/* Does a model learn the copy task with the functions of `file`? In tier 2 the file has the update. */
static bool learns(const char *file, int tier) {
    const char *cc = getenv("CC") ? getenv("CC") : "cc", *build = getenv("BUILD") ? getenv("BUILD") : "build";
    char command[1024];
    snprintf(command, sizeof command,
             "%s -std=c11 -O2 -w -fopenmp -ffp-contract=off -Iinclude -Icoursework/training -DCOPY_TIER_%d "
             "coursework/training/copy.c %s %s/libtapeloom.a -lm -o %s/copy && OMP_NUM_THREADS=1 %s/copy > "
             "%s/said",
             cc, tier, file, build, kit_temporary(), kit_temporary(), kit_temporary());
    return system(command) == 0;
}

START_TEST(the_right_functions_learn_to_copy) {
    if (kit_has_tier2) must(learns(SOLUTION, 1));
}
END_TEST
START_TEST(the_right_update_learns_to_copy) {
    if (kit_has_tier2) must(learns(UPDATE, 2));
}
END_TEST
START_TEST(a_wrong_sign_does_not_learn) {
    if (!kit_has_tier2) return;
    char *mutant = kit_mutant(SOLUTION, "- rate * move", "+ rate * move");
    must(!learns(mutant, 1));
    free(mutant);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, solutions_in_another_style_get_all_points);
    tcase_add_test(tc, slow_solutions_get_all_points);
    tcase_add_test(tc, updates_of_two_styles_get_all_points);
    tcase_add_test(tc, mistakes_in_adam_are_named);
    tcase_add_test(tc, mistakes_in_rate_clipping_and_sum_are_named);
    tcase_add_test(tc, mistakes_in_an_update_are_named);
    tcase_add_test(tc, starters_earn_nothing);
    tcase_add_test(tc, predictions_are_what_the_model_gives);
    tcase_add_test(tc, the_handout_shows_the_example);
    tcase_add_test(tc, the_right_functions_learn_to_copy);
    tcase_add_test(tc, the_right_update_learns_to_copy);
    tcase_add_test(tc, a_wrong_sign_does_not_learn);
}
TL_TEST_MAIN("coursework: training")
