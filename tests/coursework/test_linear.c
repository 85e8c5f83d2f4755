/* Task 2 of the course: right solutions get all points, and mistakes are named. The handout's numbers are computed
 * again. */
#include "kit.h"

#define SOLUTION "coursework/linear/linear.c"
#define OPERATION "coursework/linear/linear_op.c"

START_TEST(right_solutions_get_all_points) { kit_is_right("linear", 1, SOLUTION); }
END_TEST
START_TEST(row_by_row_solutions_get_all_points) {
    kit_is_right("linear", 1, "coursework/linear/other/rows.c");
}
END_TEST
START_TEST(element_by_element_solutions_get_all_points) {
    kit_is_right("linear", 1, "coursework/linear/other/everyone_asks.c");
}
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("linear", 2, OPERATION);
}
END_TEST

/* ---- mistakes ---- */

static void says(const char *from, const char *to, const char *what) {
    kit_says("linear", 1, SOLUTION, from, to, what, 50);
}

START_TEST(mistakes_in_the_sum_are_named) {
    says("p[t * d_model + d] + s[b", "p[d] + s[b", "p's row of position 0");
    says("p[t * d_model + d] + s[b", "p[b * d_model + d] + s[b", "p is read at the sentence's number");
    says(" + s[b * d_model + d];", ";", "those of x + p");
    says("dp[t * d_model + d] += given",
         "dp[t * d_model + d] += given / (float)batch;\nds[b * d_model + d] -= "
         "given - given / (float)length",
         "means over what was broadcast");
    says("ds[b * d_model + d] += given", "if (t == length - 1) ds[b * d_model + d] += given",
         "all words read s");
    says("dp[t * d_model + d] += given", "if (b == batch - 1) dp[t * d_model + d] += given",
         "all sentences read p");
    says("dp[t * d_model + d] += given", "dp[b * d_model + d] += given", "written at the sentence's number");
}
END_TEST

START_TEST(mistakes_in_the_layer_are_named) {
    says("x[r * in + i] * w[o * in + i]", "x[r * in + i] * w[i * out + o]", "it is [out,in]");
    says("sum = bias[o]", "sum = 0", "the bias is not added");
    says("sum += x[r * in + i] * w", "sum += bias[o] * (i > 0) + x[r * in + i] * w", "once for each product");
    says("given * w[o * in + i]", "given * w[i * out + o]", "dx reads w as if it were [in,out]");
    says("dw[o * in + i] += given", "dw[i * out + o] += given", "dw is written as if it were [in,out]");
    says("dw[o * in + i] += given", "if (r == rows - 1) dw[o * in + i] += given", "w is read by all rows");
    says("dw[o * in + i] += given", "dw[o * in + i] += 1 / (float)rows * given", "dw's mean over the rows");
    says("dbias[o] += given", "if (r == rows - 1) dbias[o] += given", "the bias is read by all rows");
    says("dbias[o] += given", "dbias[o] += given / (float)rows", "dbias's mean");
    says("dbias[o] += given", "dbias[o] += (float)in * given", "in times too much");
}
END_TEST

START_TEST(other_mistakes_are_described) {
    says("dbias[o] += given", "dbias[o] += 0 * given", "dbias is as it was before the call");
    says("dbias[o] += given", "if (r == 0) dbias[o] = 0;\n dbias[o] += given",
         "your dbias overwrites what was there");
    says("dx[(b * length + t) * d_model + d] += given", "dx[(b * length + t) * d_model + d] -= given",
         "your dx is the right one times -1");
    says("y[r * out + o] = sum", "y[r * out + o] = -sum", "times -1");
}
END_TEST

START_TEST(mistakes_in_the_operation_are_named) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    kit_says("linear", 2, OPERATION, "? (double)c.x[2].data[o] : 0", "? 0 : 0", "the bias is not added", 40);
    kit_says("linear", 2, OPERATION, "dbias.to.data[o] += ", "dbias.to.data[o] += 1 / (tl_real)s->rows * ",
             "dbias's mean", 40);
    kit_says("linear", 2, OPERATION, "(double)s->w[o * s->in + i];\n            dx",
             "(double)s->w[i * s->out + o];\n            dx", "dx reads w as if it were [in,out]", 40);
    kit_says("linear", 2, OPERATION, "    if (!sink->add) tl_tensor_fill", "    tl_tensor_fill",
             "overwrites what was there", 20);
}
END_TEST

/* ---- the handout ---- */

static course_case sized(const course_exercise *of, long a, long b, long c) {
    return (course_case){.of = of, .n = {a, b, c}};
}

START_TEST(gradients_of_a_shared_row_add_up) {
    const course_task *task = course_task_named("linear");
    course_case c = sized(&task->tier1[1], 4, 5, 8);
    double *dy = course_array_new(&c, COURSE_IN, "dy", COURSE_DIMS(4, 5, 8));
    for (int i = 0; i < 4 * 5 * 8; i++) dy[i] = 1;
    course_array_new(&c, COURSE_ADD, "dx", COURSE_DIMS(4, 5, 8));
    course_array_new(&c, COURSE_ADD, "dp", COURSE_DIMS(5, 8));
    course_array_new(&c, COURSE_ADD, "ds", COURSE_DIMS(4, 1, 8));
    c.of->model(&c, 0);
    must(course_data(&c, "dp")[0] == task->questions[0].answer);
    course_case_free(&c);
}
END_TEST

START_TEST(zero_weights_give_no_gradient_to_x) {
    const course_task *task = course_task_named("linear");
    course_case c;
    course_draw(&c, &task->tier1[3], COURSE_ODD, 1, 0);
    int changed = 0;
    for (int i = 0; i < c.arrays; i++)
        for (long k = 0; k < c.a[i].count; k++)
            if (c.a[i].role == COURSE_ADD || strcmp(c.a[i].name, "w") == 0) c.a[i].data[k] = 0;
    c.of->model(&c, 0);
    for (int i = 0; i < c.arrays; i++) {
        bool nonzero = false;
        for (long k = 0; k < c.a[i].count; k++) nonzero |= c.a[i].data[k] != 0;
        changed += nonzero && c.a[i].role == COURSE_ADD;
    }
    must(changed == (int)task->questions[1].answer);
    course_case_free(&c);
}
END_TEST

START_TEST(the_handout_shows_the_example) {
    char *handout = kit_read("coursework/linear/handout.md"), *text = NULL;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    must(f);
    course_task_named("linear")->example(f);
    fclose(f);
    must_msg(strstr(handout, text), "the handout lacks:\n%s", text);
    free(text), free(handout);
}
END_TEST

START_TEST(the_file_begins_as_the_librarys) {
    char *ours = kit_read(OPERATION), *theirs = kit_read("src/autograd/ops/linear.c");
    must(strncmp(ours, theirs, (size_t)(strstr(theirs, "*/") - theirs) + 2) == 0);
    free(ours), free(theirs);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, row_by_row_solutions_get_all_points);
    tcase_add_test(tc, element_by_element_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, mistakes_in_the_sum_are_named);
    tcase_add_test(tc, mistakes_in_the_layer_are_named);
    tcase_add_test(tc, other_mistakes_are_described);
    tcase_add_test(tc, mistakes_in_the_operation_are_named);
    tcase_add_test(tc, gradients_of_a_shared_row_add_up);
    tcase_add_test(tc, zero_weights_give_no_gradient_to_x);
    tcase_add_test(tc, the_handout_shows_the_example);
    tcase_add_test(tc, the_file_begins_as_the_librarys);
}
TL_TEST_MAIN("coursework: linear")
