/* How many points mistakes cost: each mistake costs one check, even if it shows in several. */
#include "squares.h"

/* ---- students ---- */

static void two_more(course_case *c) { model(c, COURSE_SLIP(TWO_MORE)); }
static void clipped(course_case *c) { model(c, COURSE_SLIP(CLIPPED)); }
static void squared_of_two_more(course_case *c) { model(c, COURSE_SLIP(TWO_MORE) | COURSE_SLIP(SQUARED)); }
static void two_more_and_clipped(course_case *c) { model(c, COURSE_SLIP(TWO_MORE) | COURSE_SLIP(CLIPPED)); }

static void wrong_everywhere(course_case *c) {
    right(c);
    for (long k = 0; k < c->a[DX].count; k++) c->a[DX].data[k] = sin((double)k) + c->a[X].data[k];
}

/* ---- one slip costs once ---- */

START_TEST(right_numbers_get_all_points) {
    judge(right, &exercise);
    must(marks.checks == 8 && marks.points > 99.999 && !unexplained && !known[0].slips && !known[1].slips);
}
END_TEST

START_TEST(one_slip_costs_once) {
    says(two_more, FORWARD_ODD, "your numbers equal those of x + 2", 1);
    must(known[0].slips == COURSE_SLIP(TWO_MORE) && known[1].slips == known[0].slips);
    must(check_of("backward", "odd sizes")->as_known && check_of("robustness", "numbers of 1e4")->as_known);
    must(check_of("invariants", "y is a square")->as_known);
    must_msg(fabs(marks.points - 80) < 1e-9, "%g points", marks.points); /* half of forward's points */
}
END_TEST

START_TEST(another_slip_costs_its_own_check) {
    says(squared_of_two_more, BACKWARD_ODD, "besides, your numbers equal those with s² for 2·s", 2);
    ck_assert_str_eq(check_of("forward", "odd sizes")->why, "your numbers equal those of x + 2");
    says(two_more_and_clipped, "robustness", "numbers of 1e4",
         "besides, with numbers of 1e4 your numbers equal those of x clipped at 100", 2);
}
END_TEST

START_TEST(a_slip_that_shows_elsewhere_is_named_there) {
    says(clipped, "robustness", "numbers of 1e4",
         "right on odd sizes, but with numbers of 1e4 your numbers equal those of x clipped at 100", 1);
}
END_TEST

START_TEST(unexplained_numbers_cost_every_check_that_fails) {
    judge(wrong_everywhere, &exercise);
    must(unexplained == check_of(BACKWARD_ODD) && *unexplained->why && !check_of(FORWARD_ODD)->why[0]);
    ck_assert_str_eq(check_of("backward", "prime sizes")->why, "wrong here, too");
    must(!known[0].slips && !known[1].slips);
}
END_TEST

/* A mistake is named only if it explains all tries. Odd sizes are used because with sizes of 1 many mistakes change
 * nothing. */
START_TEST(names_fit_all_that_was_seen) {
    for (int k = 0; k < 4; k++) {
        if (k == CLIPPED) continue; /* changes nothing on odd sizes */
        course_tries t = {.kind = COURSE_ODD};
        for (int i = 0; i < COURSE_TRIES; i++) {
            course_draw(&t.given[i], &exercise, COURSE_ODD, 2, i);
            t.got[i] = course_modelled(&t.given[i], i == 2 ? 0 : COURSE_SLIP(k)); /* the third try is right */
        }
        course_known found = {0};
        char why[COURSE_WHY];
        course_diagnose(&t, &found, ~0u, 0, 5, why);
        must(!found.slips && *why);
        for (int i = 0; i < COURSE_TRIES; i++) course_case_free(&t.given[i]), course_case_free(&t.got[i]);
    }
}
END_TEST

/* ---- points ---- */

static double points_of(const char *group) {
    double all = 0;
    for (int i = 0; i < marks.checks; i++)
        if (strcmp(marks.check[i].group, group) == 0) all += marks.check[i].of;
    return all;
}

START_TEST(groups_have_their_points) {
    judge(right, &exercise);
    must(fabs(points_of("forward") - 40) < 1e-9 && fabs(points_of("backward") - 40) < 1e-9);
    must(fabs(points_of("invariants") - 10) < 1e-9 && fabs(points_of("robustness") - 10) < 1e-9);
    must(fabs(check_of(FORWARD_ODD)->of - 20) < 1e-9 &&
         fabs(check_of("forward", "prime sizes")->of - 10) < 1e-9);
    course_exercise of = exercise;
    of.part = COURSE_FORWARD, of.invariants = NULL;
    judge(right, &of);
    must(fabs(points_of("forward") - 80) < 1e-9 && fabs(points_of("robustness") - 20) < 1e-9);
    of.part = COURSE_BACKWARD;
    judge(right, &of);
    must(fabs(points_of("backward") - 80) < 1e-9 && fabs(points_of("robustness") - 20) < 1e-9);
}
END_TEST

START_TEST(functions_share_a_group) {
    course_exercise other = exercise;
    other.function = "others";
    marks = (course_marks){.checks = 0};
    course_add_check(&marks, &exercise, "forward", "a");
    course_add_check(&marks, &exercise, "forward", "b")->weight = 3;
    snprintf(course_add_check(&marks, &other, "forward", "a")->why, COURSE_WHY, "wrong");
    course_add_check(&marks, &other, "robustness", "c");
    course_share_points(&marks);
    must(fabs(marks.check[0].of - 10) < 1e-9 && fabs(marks.check[1].of - 30) < 1e-9);
    must(fabs(marks.check[2].of - 40) < 1e-9 && marks.check[2].points == 0);
    must(fabs(marks.check[3].of - 20) < 1e-9 && fabs(marks.points - 60) < 1e-9);
}
END_TEST

/* ---- with a runner ---- */

#define EACH "for (long k = 0; k < rows * columns; k++) "

static course_marks *marks_of(const char *forward, const char *backward) {
    char *file = kit_student(forward, backward);
    course_marks *m = kit_marks("softmax", 1, file, 7);
    free(file);
    return m;
}

/* Asserts that some check of that function has this message. */
static void runner_says(const char *forward, const char *backward, const char *sentence) {
    course_marks *m = marks_of(forward, backward);
    const char *function = forward ? "softmax_forward" : "softmax_backward";
    bool said = false;
    for (int i = 0; i < m->checks; i++)
        if (strcmp(m->check[i].function, function) == 0)
            said |= strstr(m->check[i].why, sentence) != NULL;
        else
            must_msg(!*m->check[i].why, "%s: %s", m->check[i].function, m->check[i].why);
    for (int i = 0; i < m->checks && !said; i++)
        if (*m->check[i].why) fprintf(stderr, "%s: %s\n", m->check[i].what, m->check[i].why);
    must_msg(said, "no check says \"%s\"", sentence);
    free(m);
}

START_TEST(what_is_not_linear_is_told) {
    runner_says(NULL, EACH "dx[k] += y[k] * dy[k] * dy[k];", "your dx is not linear in dy");
}
END_TEST

START_TEST(robustness_is_told) {
    runner_says(
        "static float add; right_forward(x, y, rows, columns); if (rows > 0) y[0] += add; add += 0.01f;",
        NULL, "does something stay from call to call?");
    runner_says("right_forward(x, y, rows, columns); y[rows * columns] = 0;", NULL, "behind the end of y");
    runner_says("right_forward(x, y, rows, columns); if (rows > 0) ((float *)x)[0] += 1;", NULL,
                "your function changed x");
    runner_says("right_forward(x, y, rows, columns); void *volatile lost = malloc(8); (void)lost;", NULL,
                "1 block of memory never freed");
}
END_TEST

START_TEST(a_slow_function_is_waited_for_once) {
    char *file = kit_student(NULL, "for (volatile int go = 1; go;) {}");
    char *runner = kit_runner("softmax", 1, file, 1);
    must(runner);
    course_mark(&marks, course_task_named("softmax"), 1, (const char *const[]){runner, runner, NULL}, 1,
                (course_limits){.seconds = 1});
    for (int i = 0; i < marks.checks; i++)
        if (strcmp(marks.check[i].function, "softmax_backward") == 0)
            assert_contains(marks.check[i].why, "no answer within 1 s:");
        else
            must(!*marks.check[i].why);
    free(file), free(runner);
}
END_TEST

/* A function whose numbers are all wrong gets no points for robustness either. */
START_TEST(wrong_functions_get_no_points_for_robustness) {
    course_marks *m = marks_of(NULL, EACH "dx[k] += 3 * y[k] + dy[k] * dy[k] - 1;");
    for (int i = 0; i < m->checks; i++)
        if (strcmp(m->check[i].function, "softmax_backward") == 0)
            must_msg(*m->check[i].why, "%s passes", m->check[i].what);
    free(m);
}
END_TEST

START_TEST(a_starter_has_no_points) {
    char path[128], command[256];
    snprintf(path, sizeof path, "%s/starter.c", kit_temporary());
    snprintf(command, sizeof command, "sh coursework/cut coursework/softmax/softmax.c > %s", path);
    must(system(command) == 0);
    course_marks *m = kit_marks("softmax", 1, path, 1);
    must_msg(m->points == 0, "%g points", m->points);
    free(m);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, right_numbers_get_all_points);
    tcase_add_test(tc, one_slip_costs_once);
    tcase_add_test(tc, another_slip_costs_its_own_check);
    tcase_add_test(tc, a_slip_that_shows_elsewhere_is_named_there);
    tcase_add_test(tc, unexplained_numbers_cost_every_check_that_fails);
    tcase_add_test(tc, names_fit_all_that_was_seen);
    tcase_add_test(tc, groups_have_their_points);
    tcase_add_test(tc, functions_share_a_group);
    tcase_add_test(tc, what_is_not_linear_is_told);
    tcase_add_test(tc, robustness_is_told);
    tcase_add_test(tc, a_slow_function_is_waited_for_once);
    tcase_add_test(tc, wrong_functions_get_no_points_for_robustness);
    tcase_add_test(tc, a_starter_has_no_points);
}
TL_TEST_MAIN("coursework: marking")
