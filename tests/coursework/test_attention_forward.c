/* Task 5 of the course: right solutions get all points, and mistakes are named. The marker's model, the solutions and
 * the library agree. The handout's numbers are computed again. */
#include "kit.h"

#define SOLUTION "coursework/attention_forward/attention_forward.c"
#define OPERATION "coursework/attention_forward/attention_forward_op.c"

START_TEST(right_solutions_get_all_points) {
    kit_is_right("attention_forward", 1, SOLUTION);
    kit_is_right("attention_forward", 1, "coursework/attention_forward/other/rows.c");
    kit_is_right("attention_forward", 1, "coursework/attention_forward/other/one_number.c");
}
END_TEST

START_TEST(the_operation_gets_all_points) {
    if (!kit_has_tier2)
        TL_SKIP("tier 2: runners exchange floats");
    else
        kit_is_right("attention_forward", 2, OPERATION);
}
END_TEST

/* A file without functions: the runner then calls the library's operation. Only the checks of its output are looked at,
 * because the library's operation does not save what attention.h asks of task 5. */
START_TEST(the_librarys_operation_gets_all_points) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    char nothing[128];
    snprintf(nothing, sizeof nothing, "%s/nothing.c", kit_temporary());
    FILE *f = fopen(nothing, "w");
    must(f && fputs("typedef int nothing;\n", f) >= 0 && fclose(f) == 0);
    course_marks *m = kit_marks("attention_forward", 2, nothing, 7);
    int looked_at = 0;
    for (int i = 0; i < m->checks; i++)
        if (strcmp(m->check[i].function, "tl_scaled_dot_product_attention") == 0) {
            must_msg(!*m->check[i].why, "%s: %s", m->check[i].what, m->check[i].why);
            looked_at++;
        }
    must_msg(looked_at > 10, "%d checks", looked_at);
    free(m);
}
END_TEST

static void says(const char *from, const char *to, const char *what) {
    kit_says("attention_forward", 1, SOLUTION, from, to, what, 20);
}

START_TEST(mistakes_are_named) {
    says("scale = 1 / sqrtf((float)n.d)", "scale = 1", "not divided by √d");
    says("scale = 1 / sqrtf((float)n.d)", "scale = 1 / sqrtf((float)(n.H * n.d))", "divided by √(H·d)");
    says("j <= i + (n.S - n.T)", "j <= i", "queries are the last T of S positions");
    says("j <= i + (n.S - n.T)", "j < i + (n.S - n.T)", "does not see its own place");
    says("real = j < key_lengths[b]", "real = j <= key_lengths[b]", "one key of padding is seen");
    says("real = j < key_lengths[b]", "real = i < key_lengths[b]", "not queries i");
    says("real && (past || !causal)", "past || !causal", "a mask without key_lengths");
    says("sum += p[j] = sees[j] > 0 ? expf(s[j] - largest) : 0", "sum += p[j] = expf(s[j] - largest)",
         "a softmax over all keys, seen or not");
    says("x[at(b, T, t, H, h, d, c)]", "x[(b * T + t) * H * d + c * H + h]",
         "a head's columns stand side by side");
    says("float sum = 0;\n                    for",
         "float sum = context[at(b, n.H, h, n.T, i, n.d, c)];\n  for", "what was in context before added");
    says("    free(memory);", "", "memory never freed");
}
END_TEST

START_TEST(mistakes_of_the_operation_are_named) {
    static const char *const wrong[][3] = {
        {"s->scale * (double)dot + bias_at(bias, b, h, i, j)",
         "s->scale * ((double)dot + bias_at(bias, b, h, i, j))", "before the scale"},
        {"if (!tl_mask_shows(mask, b, h, i, j, s->T, s->S)) continue;", "", "all keys, seen or not"},
        {"for (long j = 0; j < s->S && sum > 0; j++)", "for (long j = 0; j < s->S; j++)",
         "is NaN, should be 0"},
        {"c < s->e && weight != 0; c++", "c < s->e; c++", "is NaN"}, /* 0 times the NaN of a masked key */
        {"(s->kept ? s->kept[row * s->S + j] : 1)", "1", "y, dropout undone"},
        {"1 / (1 - dropout)", "1", "kept as drawn sums to"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong && kit_has_tier2; k++)
        kit_says("attention_forward", 2, OPERATION, wrong[k][0], wrong[k][1], wrong[k][2], 20);
    if (!kit_has_tier2) TL_SKIP("tier 2: runners exchange floats");
}
END_TEST

/* ---- the handout's numbers ---- */

static const course_exercise *exercise(const char *function) {
    const course_exercise *of = course_task_named("attention_forward")->tier1;
    while (of->function && strcmp(of->function, function) != 0) of++;
    must(of->function);
    return of;
}

START_TEST(the_worked_example_stands_in_the_handout) {
    char *handout = kit_read("coursework/attention_forward/handout.md"), *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    course_task_named("attention_forward")->example(to);
    must(fclose(to) == 0);
    must_msg(strstr(handout, text), "the handout does not hold\n%s", text);
    free(text), free(handout);
}
END_TEST

START_TEST(questions_have_the_models_answers) {
    const course_question *q = course_task_named("attention_forward")->questions;
    const course_exercise *mask = exercise("attention_mask"), *softmax = exercise("attention_softmax");
    course_case c = {.of = mask, .n = {1, 1, 2, 5, 1, 1, 1}};
    *course_array_new(&c, COURSE_IN, "key_lengths", COURSE_DIMS(1)) = 4;
    double *visible = course_array_new(&c, COURSE_OUT, "visible", COURSE_DIMS(1, 2, 5)), ones = 0;
    mask->model(&c, 0);
    for (int k = 0; k < 10; k++) ones += visible[k];
    must_msg(ones == q[0].answer, "%g ones", ones);
    course_case_free(&c);
    /* scores of query 0 in the worked example, before the division by √4; key 2 is masked */
    c = (course_case){.of = softmax, .n = {1, 1, 1, 3, 4, 4}};
    memcpy(course_array_new(&c, COURSE_IN, "scores", COURSE_DIMS(1, 1, 1, 3)), (double[]){4, 0, 4},
           3 * sizeof(double));
    memcpy(course_array_new(&c, COURSE_IN, "visible", COURSE_DIMS(1, 1, 3)), (double[]){1, 1, 0},
           3 * sizeof(double));
    const double *p = course_array_new(&c, COURSE_OUT, "probs", COURSE_DIMS(1, 1, 1, 3));
    softmax->model(&c, 0);
    must_msg(p[0] - q[1].answer < 1e-3 && q[1].answer - p[0] < 1e-3, "%g", p[0]);
    course_case_free(&c);
}
END_TEST

START_TEST(the_drawings_numbers_are_the_models) {
    char *handout = kit_read("coursework/attention_forward/handout.md"), text[64] = "";
    const course_exercise *split = exercise("split_heads");
    course_case c = {.of = split, .n = {1, 2, 2, 2, 3, 3}};
    double *x = course_array_new(&c, COURSE_IN, "x", COURSE_DIMS(1, 2, 6));
    const double *y = course_array_new(&c, COURSE_OUT, "y", COURSE_DIMS(1, 2, 2, 3));
    for (int k = 0; k < 12; k++) x[k] = k + 1;
    split->model(&c, 0);
    for (int k = 0; k < 12; k++) snprintf(text + strlen(text), sizeof text - strlen(text), " %d", (int)y[k]);
    must_msg(strstr(handout, text), "the drawing has not%s", text);
    course_case_free(&c), free(handout);
}
END_TEST

START_TEST(the_operations_first_comment_is_the_librarys) {
    char *ours = kit_read(OPERATION), *theirs = kit_read("src/autograd/ops/scaled_dot_product_attention.c");
    const size_t length = (size_t)(strstr(theirs, "*/") - theirs) + 2;
    must(strncmp(ours, theirs, length) == 0);
    free(ours), free(theirs);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_solutions_get_all_points);
    tcase_add_test(tc, the_operation_gets_all_points);
    tcase_add_test(tc, the_librarys_operation_gets_all_points);
    tcase_add_test(tc, mistakes_are_named);
    tcase_add_test(tc, mistakes_of_the_operation_are_named);
    tcase_add_test(tc, the_worked_example_stands_in_the_handout);
    tcase_add_test(tc, questions_have_the_models_answers);
    tcase_add_test(tc, the_drawings_numbers_are_the_models);
    tcase_add_test(tc, the_operations_first_comment_is_the_librarys);
}
TL_TEST_MAIN("coursework: attention forward")
