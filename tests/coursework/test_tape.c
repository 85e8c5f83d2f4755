/* Task 1 of the course: right solutions get all points, and mistakes are named. The handout's numbers are computed
 * again. */
#include "kit.h"
#include "coursework/tape/tape.h"

#define SOLUTION "coursework/tape/tape.c"
#define OPERATION "coursework/tape/tape_op.c"

START_TEST(right_solutions_get_all_points) { kit_is_right("tape", 1, SOLUTION); }
END_TEST
START_TEST(gathering_solutions_get_all_points) { kit_is_right("tape", 1, "coursework/tape/other/gather.c"); }
END_TEST
START_TEST(one_pass_per_node_gets_all_points) {
    kit_is_right("tape", 1, "coursework/tape/other/one_at_a_time.c");
}
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("tape", 2, OPERATION);
}
END_TEST

/* ---- mistakes ---- */

static void says(const char *from, const char *to, const char *what) {
    kit_says("tape", 1, SOLUTION, from, to, what, 50);
}

START_TEST(mistakes_forward_are_named) {
    says("value[i] = va - vb", "value[i] = vb - va", "b - a in the place of a - b");
    says("tanhf(va)", "1 / (1 + expf(-va))", "in the place of tanh a");
    says("expf(va)", "exp2f(va)", "exp2 is not exp");
}
END_TEST

START_TEST(mistakes_in_slopes_are_named) {
    says("db[i] = -1", "db[i] = 1", "+1 for the second input");
    says("da[i] = vb, db[i] = va", "da[i] = va, db[i] = vb", "towards a is a");
    says("1 - value[i] * value[i]", "1 - va * va", "it is 1 - y²");
    says("-va / (vb * vb)", "-va / vb", "b has no square");
    says("-va / (vb * vb)", "va / (vb * vb)", "its sign is lost");
}
END_TEST

START_TEST(mistakes_in_the_walk_are_named) {
    const char *add = "grad[node[i].b] += grad[i] * db[i]";
    says("long i = n - 1; i >= 0; i--", "long i = 0; i < n; i++", "from the first node to the last");
    says("grad[i] = i == n - 1", "grad[i] = 0", "starts with gradient 0");
    says("grad[i] = i == n - 1", "grad[i] = 1", "every node has gradient 1");
    says("for (long i = 0; i < n; i++) grad[i] = i == n - 1;", "if (n > 0) grad[n - 1] = 1;",
         "begin with zeros");
    says("if (node[i].b >= 0) grad", "if (0) grad", "only input a is given");
    says("if (node[i].b >= 0) grad", "if (node[i].b >= 0 && node[i].b != node[i].a) grad",
         "each reading counts");
    says(add, "grad[node[i].b] -= grad[i] * db[i]", "grad[0] is");
}
END_TEST

/* The mistake that the task is about: = in place of +=, in both places. */
START_TEST(overwriting_is_named) {
    char *half = kit_mutant(SOLUTION, "grad[node[i].b] +=", "grad[node[i].b] =");
    kit_says("tape", 1, half, "grad[node[i].a] +=", "grad[node[i].a] =", "gradients add", 50);
    free(half);
}
END_TEST

START_TEST(writing_outside_of_outputs_is_told) {
    says("grad[i] = i == n - 1;", "grad[i] = i == n - 1;\n    grad[n - 1] = 1;", "before the beginning");
    says("value[i] = node[i].number", "((tape_node *)node)[i].number = 0", "which it should only read");
}
END_TEST

START_TEST(mistakes_in_the_operation_are_named) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_says("tape", 2, OPERATION, "tl_back_x(b, 1 - i), shape)", "tl_back_x(b, i), shape)",
             "each needs the other's value", 40);
    kit_says("tape", 2, OPERATION, "b->dy.data[k] * other.data[place(other, k)]",
             "b->dy.data[k] + 0 * other.data[place(other, k)]", "it is not times the other input", 40);
    kit_says("tape", 2, OPERATION, "right.data[place(right, k)]", "right.data[0]", "its strides are not used",
             20);
    kit_says("tape", 2, OPERATION, "    give(b, 1);",
             "    if (tl_back_x(b, 0).data != tl_back_x(b, 1).data) give(b, 1);",
             "it gives to both its inputs", 40);
}
END_TEST

/* ---- the handout ---- */

/* The gradient of node 0 on this tape, computed with the task's model. */
static double gradient_of_x(const tape_node *node, long n) {
    const course_task *task = course_task_named("tape");
    const char *const inputs[] = {"value", "da", "db"}, *const outputs[] = {"value", "da", "grad"};
    double found = 0, kept[3][16] = {{0}};
    for (int k = 0; k < 3; k++) { /* forward, slopes, backward; each reads the results of the one before */
        course_case c = {.of = &task->tier1[k], .n = {n}};
        double *to = course_array_new(&c, COURSE_IN, "node", COURSE_DIMS(n, 4));
        for (long i = 0; i < n; i++) {
            const double row[4] = {node[i].operation, (double)node[i].a, (double)node[i].b,
                                   (double)node[i].number};
            memcpy(to + 4 * i, row, sizeof row);
        }
        for (int i = k == 2; i < k + (k == 2); i++)
            memcpy(course_array_new(&c, COURSE_IN, inputs[i], COURSE_DIMS(n)), kept[i],
                   (size_t)n * sizeof(double));
        course_array_new(&c, COURSE_OUT, outputs[k], COURSE_DIMS(n));
        if (k == 1) course_array_new(&c, COURSE_OUT, "db", COURSE_DIMS(n));
        c.of->model(&c, 0);
        for (int i = 0; i < 3 && k < 2; i++)
            if (course_data(&c, inputs[i]))
                memcpy(kept[i], course_data(&c, inputs[i]), (size_t)n * sizeof(double));
        if (k == 2) found = course_data(&c, "grad")[0];
        course_case_free(&c);
    }
    return found;
}

START_TEST(answers_are_the_models) {
    const course_task *task = course_task_named("tape");
    tape_node doubled[11] = {{TAPE_NUMBER, -1, -1, 0.5f}};
    for (int i = 1; i <= 10; i++) doubled[i] = (tape_node){TAPE_ADD, i - 1, i - 1, 0};
    const tape_node sum[] = {{TAPE_NUMBER, -1, -1, 3}, {TAPE_MUL, 0, 0, 0}, {TAPE_ADD, 1, 0, 0}};
    must(fabs(gradient_of_x(sum, 3) - task->questions[0].answer) < 1e-9);
    must(fabs(gradient_of_x(doubled, 11) - task->questions[1].answer) < 1e-9);
}
END_TEST

START_TEST(the_handout_shows_the_example) {
    char *handout = kit_read("coursework/tape/handout.md"), *text = NULL;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    must(f);
    course_task_named("tape")->example(f);
    fclose(f);
    must_msg(strstr(handout, text), "the handout lacks:\n%s", text);
    free(text), free(handout);
}
END_TEST

START_TEST(the_file_begins_as_the_librarys) {
    char *ours = kit_read(OPERATION), *theirs = kit_read("src/autograd/ops/mul.c");
    must(strncmp(ours, theirs, (size_t)(strstr(theirs, "*/") - theirs) + 2) == 0);
    free(ours), free(theirs);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, gathering_solutions_get_all_points);
    tcase_add_test(tc, one_pass_per_node_gets_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, mistakes_forward_are_named);
    tcase_add_test(tc, mistakes_in_slopes_are_named);
    tcase_add_test(tc, mistakes_in_the_walk_are_named);
    tcase_add_test(tc, overwriting_is_named);
    tcase_add_test(tc, writing_outside_of_outputs_is_told);
    tcase_add_test(tc, mistakes_in_the_operation_are_named);
    tcase_add_test(tc, answers_are_the_models);
    tcase_add_test(tc, the_handout_shows_the_example);
    tcase_add_test(tc, the_file_begins_as_the_librarys);
}
TL_TEST_MAIN("coursework: tape")
