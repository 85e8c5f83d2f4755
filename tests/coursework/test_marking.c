/* What wrong numbers are called, and what they cost. The exercise is this test's own, and so are its students: functions that leave in a
 * case what a runner would have brought back. */
#include "kit.h"

/* ---- an exercise: s = x + 1, y = s², dx += 2·s·dy ---- */

enum { TWO_MORE, CLIPPED, NO_TWO, SQUARED };
static const course_slip slips[] = {[TWO_MORE] = {"two more", "those of x + 2"},
                                    [CLIPPED] = {"clipped", "those of x clipped at 100"},
                                    [NO_TWO] = {"cubed", "those of s³"},
                                    [SQUARED] = {"squared", "those with s² for 2·s"},
                                    {0}};
enum { X, DY, S, Y, DX };

static void model(course_case *c, unsigned wrong) {
    for (long k = 0; k < c->a[X].count; k++) {
        double x = c->a[X].data[k];
        if (wrong & COURSE_SLIP(CLIPPED)) x = fmin(x, 100);
        const double s = x + (wrong & COURSE_SLIP(TWO_MORE) ? 2 : 1);
        c->a[S].data[k] = s;
        c->a[Y].data[k] = wrong & COURSE_SLIP(NO_TWO) ? s * s * s : s * s;
        c->a[DX].data[k] += (wrong & COURSE_SLIP(SQUARED) ? s * s : 2 * s) * c->a[DY].data[k];
    }
}

static void draw(course_case *c, course_kind kind, course_rng *rng) {
    const long m = c->n[0] = kind == COURSE_ONE ? 1 : 2 * course_between(rng, 1, 3) + 1;
    const long n = c->n[1] = kind == COURSE_ONE ? 1 : m + 2 * course_between(rng, 1, 4);
    c->n_name[0] = "rows", c->n_name[1] = "columns";
    course_array_normal(c, "x", kind == COURSE_LARGE ? 1e4 : 1, rng, COURSE_DIMS(m, n));
    course_array_normal(c, "dy", 1, rng, COURSE_DIMS(m, n));
    course_array_new(c, COURSE_OUT, "s", COURSE_DIMS(m, n));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(m, n));
    course_array_new(c, COURSE_ADD, "dx", COURSE_DIMS(m, n));
}

static bool is_square(const course_case *given, const course_case *got, char *why) {
    for (long k = 0; k < given->a[X].count; k++)
        if (fabs(got->a[Y].data[k] - pow(given->a[X].data[k] + 1, 2)) > 1e-3) {
            snprintf(why, 256, "y[%ld] is no square", k);
            return false;
        }
    return true;
}
static const course_invariant invariants[] = {{"y is a square", is_square}, {0}};

static const course_exercise exercise = {.function = "squares",
                                         .part = COURSE_BOTH,
                                         .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) |
                                                  COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_LARGE),
                                         .draw = draw,
                                         .model = model,
                                         .slips = slips,
                                         .invariants = invariants,
                                         .gradients = DX};

/* ---- students ---- */

typedef void student(course_case *c);

static void right(course_case *c) { model(c, 0); }
static void two_more(course_case *c) { model(c, COURSE_SLIP(TWO_MORE)); }
static void clipped(course_case *c) { model(c, COURSE_SLIP(CLIPPED)); }
static void squared_of_two_more(course_case *c) { model(c, COURSE_SLIP(TWO_MORE) | COURSE_SLIP(SQUARED)); }
static void two_more_and_clipped(course_case *c) { model(c, COURSE_SLIP(TWO_MORE) | COURSE_SLIP(CLIPPED)); }

static void times(course_case *c, int i, double by) {
    for (long k = 0; k < c->a[i].count; k++) c->a[i].data[k] *= by;
}
static void half(course_case *c) { right(c), times(c, Y, 0.5); }
static void minus(course_case *c) { right(c), times(c, Y, -1); }
static void by_columns(course_case *c) { right(c), times(c, Y, (double)c->n[1]); }
static void by_root(course_case *c) { right(c), times(c, Y, -1 / sqrt((double)c->n[1])); }
static void by_both(course_case *c) { right(c), times(c, Y, 1 / ((double)c->n[0] * (double)c->n[1])); }
static void by_quotient(course_case *c) { right(c), times(c, Y, (double)c->n[0] / (double)c->n[1]); }
static void by_something(course_case *c) { right(c), times(c, Y, 1.234); }
static void nothing(course_case *c) { (void)c; }
static void no_gradient(course_case *c) {
    double *before = malloc((size_t)c->a[DX].count * sizeof *before);
    must(before);
    memcpy(before, c->a[DX].data, (size_t)c->a[DX].count * sizeof *before);
    right(c);
    memcpy(c->a[DX].data, before, (size_t)c->a[DX].count * sizeof *before);
    free(before);
}
static void overwrites(course_case *c) { times(c, DX, 0), right(c); }
static void zeros(course_case *c) { right(c), times(c, Y, 0); }
static void nan_in_y(course_case *c) { right(c), c->a[Y].data[c->a[Y].count - 1] = NAN; }
static void infinite(course_case *c) { right(c), c->a[Y].data[0] = -INFINITY; }
static void half_a_ratio_of_gradients(course_case *c) { /* what was there before is no part of it */
    for (long k = 0; k < c->a[DX].count; k++) {
        const double s = c->a[X].data[k] + 1;
        c->a[S].data[k] = s, c->a[Y].data[k] = s * s;
        c->a[DX].data[k] += s * c->a[DY].data[k] / (double)c->n[1];
    }
}
static void turned(course_case *c) {
    right(c);
    course_case as_it_was;
    must(course_case_copy(&as_it_was, c));
    for (long i = 0; i < c->n[0]; i++)
        for (long j = 0; j < c->n[1]; j++)
            c->a[Y].data[j * c->n[0] + i] = as_it_was.a[Y].data[i * c->n[1] + j];
    course_case_free(&as_it_was);
}
static void all_but_a_row(course_case *c) {
    course_case as_it_was;
    must(course_case_copy(&as_it_was, c));
    right(c);
    for (long j = 0; j < c->n[1]; j++) c->a[Y].data[j] = as_it_was.a[Y].data[j];
    course_case_free(&as_it_was);
}
static void odd_one(course_case *c) {
    right(c);
    if (c->a[Y].count > 2) c->a[Y].data[1] += 3, c->a[Y].data[2] = 0.25;
}
static void wrong_everywhere(course_case *c) {
    right(c);
    for (long k = 0; k < c->a[DX].count; k++) c->a[DX].data[k] = sin((double)k) + c->a[X].data[k];
}

/* ---- what the marker says of one ---- */

static course_marks marks;
static course_known known[2];
static course_check *riddle;

static void judge(student *wrote, const course_exercise *of) {
    static course_tries tries[COURSE_KINDS];
    marks = (course_marks){.checks = 0};
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        for (int i = 0; i < COURSE_TRIES && of->kinds & COURSE_HAS(kind); i++) {
            course_draw(&tries[kind].given[i], of, kind, 1, i);
            must(course_case_copy(&tries[kind].got[i], &tries[kind].given[i]));
            wrote(&tries[kind].got[i]);
            for (int a = 0; a < tries[kind].got[i].arrays; a++) /* as floats come back */
                for (long k = 0; k < tries[kind].got[i].a[a].count; k++)
                    tries[kind].got[i].a[a].data[k] = (double)(float)tries[kind].got[i].a[a].data[k];
        }
    course_judge(&marks, of, tries, 1, known, &riddle);
    course_share_points(&marks);
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        for (int i = 0; i < COURSE_TRIES && of->kinds & COURSE_HAS(kind); i++)
            course_case_free(&tries[kind].given[i]), course_case_free(&tries[kind].got[i]);
}

static const course_check *check_of(const char *group, const char *what) {
    for (int i = 0; i < marks.checks; i++)
        if (strcmp(marks.check[i].group, group) == 0 && strcmp(marks.check[i].what, what) == 0)
            return &marks.check[i];
    ck_abort_msg("there is no check \"%s\" of %s", what, group);
    return NULL;
}

/* That check says it, and `wrong` checks are lost. */
static void says(student *wrote, const char *group, const char *what, const char *sentence, int wrong) {
    judge(wrote, &exercise);
    const char *why = check_of(group, what)->why;
    must_msg(strcmp(why, sentence) == 0, "\"%s\"\nshould be \"%s\"", why, sentence);
    int lost = 0;
    for (int i = 0; i < marks.checks; i++) lost += *marks.check[i].why != '\0';
    must_msg(lost == wrong, "%d checks are lost, not %d", lost, wrong);
}

#define FORWARD_ODD "forward", "odd sizes"
#define BACKWARD_ODD "backward", "odd sizes"

/* ---- one slip costs once ---- */

START_TEST(what_is_right_costs_nothing) {
    judge(right, &exercise);
    must(marks.checks == 8 && marks.points > 99.999 && !riddle && !known[0].slips && !known[1].slips);
}
END_TEST

START_TEST(one_slip_costs_once) {
    says(two_more, FORWARD_ODD, "your numbers equal those of x + 2", 1);
    must(known[0].slips == COURSE_SLIP(TWO_MORE) && known[1].slips == known[0].slips);
    must(check_of("backward", "odd sizes")->as_known && check_of("robustness", "numbers of 1e4")->as_known);
    must(check_of("invariants", "y is a square")->as_known);
    must_msg(fabs(marks.points - 80) < 1e-9, "%g points", marks.points); /* half of what forward is worth */
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

START_TEST(what_nothing_explains_costs_everything_that_it_shows_on) {
    judge(wrong_everywhere, &exercise);
    must(riddle == check_of(BACKWARD_ODD) && *riddle->why && !check_of(FORWARD_ODD)->why[0]);
    ck_assert_str_eq(check_of("backward", "prime sizes")->why, "wrong here, too");
    must(!known[0].slips && !known[1].slips);
}
END_TEST

/* ---- what numbers look like ---- */

START_TEST(ratios_are_named_by_sizes) {
    says(half, FORWARD_ODD, "your y is the right one times 0.5", 1);
    says(minus, FORWARD_ODD, "your y is the right one times -1", 1);
    says(by_columns, FORWARD_ODD, "your y is the right one times columns", 1);
    says(by_root, FORWARD_ODD, "your y is the right one times -1/√columns", 1);
    says(by_both, FORWARD_ODD, "your y is the right one times 1/(rows·columns)", 1);
    says(by_quotient, FORWARD_ODD, "your y is the right one times rows/columns", 1);
    judge(by_something, &exercise);
    ck_assert_str_eq(check_of(FORWARD_ODD)->why,
                     "your y is the right one times a constant (1.234, 1.234 and 1.234 in three cases)");
}
END_TEST

START_TEST(a_gradient_is_what_was_added) {
    judge(half_a_ratio_of_gradients, &exercise); /* 1/(2·columns): no expression */
    assert_contains(check_of(BACKWARD_ODD)->why, "your dx is the right one times a constant (0.");
    says(overwrites, BACKWARD_ODD,
         "your dx overwrites what was there: a gradient is added to what others have given", 1);
    says(no_gradient, BACKWARD_ODD, "dx is as it was before the call: nothing was written to it", 4);
}
END_TEST

START_TEST(another_order_is_told) { says(turned, FORWARD_ODD, "your y is the right one transposed", 1); }
END_TEST

START_TEST(numbers_that_are_none_are_told) {
    judge(nan_in_y, &exercise);
    assert_contains(check_of(FORWARD_ODD)->why, "] is NaN, should be ");
    judge(infinite, &exercise);
    assert_contains(check_of(FORWARD_ODD)->why, "y[0][0] is -infinity, should be ");
    judge(zeros, &exercise);
    ck_assert_str_eq(check_of(FORWARD_ODD)->why, "your y is 0 everywhere");
}
END_TEST

START_TEST(what_was_not_written_is_told) {
    judge(nothing, &exercise);
    ck_assert_str_eq(check_of(FORWARD_ODD)->why, "s is as it was before the call: nothing was written to it");
    judge(all_but_a_row, &exercise);
    assert_contains(check_of(FORWARD_ODD)->why, "part of y was never written, ");
    assert_contains(check_of(FORWARD_ODD)->why, "the first of them y[0][0] (rows ");
}
END_TEST

START_TEST(else_the_first_wrong_stage_is_told) {
    judge(odd_one, &exercise);
    const char *why = check_of(FORWARD_ODD)->why;
    assert_contains(why, "s is right; the first that is wrong is y: y[0][1] is ");
    assert_contains(why, ", should be ");
    assert_contains(why, ", and 1 more of ");
}
END_TEST

/* A name must fit what was seen on odd sizes: on sizes of 1 a transposition is no mistake, and much equals much. */
START_TEST(names_fit_all_that_was_seen) {
    for (int k = 0; k < 4; k++) {
        if (k == CLIPPED) continue; /* nothing on odd sizes */
        course_tries t = {.kind = COURSE_ODD};
        for (int i = 0; i < COURSE_TRIES; i++) {
            course_draw(&t.given[i], &exercise, COURSE_ODD, 2, i);
            t.got[i] = course_modelled(&t.given[i], i == 2 ? 0 : COURSE_SLIP(k)); /* one try is right */
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

#define SOLUTION "coursework/softmax/softmax.c"

START_TEST(what_is_not_linear_is_told) {
    kit_says("softmax", 1, SOLUTION, "(g[j] - dot)", "(g[j] - dot) * g[j]", "your dx is not linear in dy",
             40);
}
END_TEST

START_TEST(robustness_is_told) {
    kit_says("softmax", 1, SOLUTION, "float largest = -INFINITY, sum = 0;",
             "static float add; float largest = -INFINITY, sum = (add += 0.0001f) - 0.0001f;",
             "does something stay from call to call?", 50);
    kit_says("softmax", 1, SOLUTION, "to[j] /= sum;", "to[j] /= sum; y[rows * columns] = 0;",
             "behind the end of y", 80);
    kit_says("softmax", 1, SOLUTION, "to[j] /= sum;", "to[j] /= sum; ((float *)x)[0] += 1;",
             "your function changed x", 20);
}
END_TEST

START_TEST(a_slow_function_is_waited_for_once) {
    char *mutant = kit_mutant(SOLUTION, "float dot = 0;", "float dot = 0; for (volatile int go = 1; go;) {}");
    char *runner = kit_runner("softmax", 1, mutant, 1);
    must(runner);
    course_mark(&marks, course_task_named("softmax"), 1, (const char *const[]){runner, runner, NULL}, 1,
                (course_limits){.seconds = 1});
    for (int i = 0; i < marks.checks; i++)
        if (strcmp(marks.check[i].function, "softmax_backward") == 0)
            assert_contains(marks.check[i].why, "no answer within 1 s:");
        else
            must(!*marks.check[i].why);
    free(mutant), free(runner);
}
END_TEST

/* It can't harm what it does not touch: no points for that. */
START_TEST(who_has_no_number_right_is_not_robust) {
    char *mutant = kit_mutant(SOLUTION, "+= p[j] * (g[j] - dot)", "+= p[j] * 3 + g[j] - dot");
    course_marks *m = kit_marks("softmax", 1, mutant, 7);
    for (int i = 0; i < m->checks; i++)
        if (strcmp(m->check[i].function, "softmax_backward") == 0 &&
            strcmp(m->check[i].what, "a size of 0") != 0)
            must_msg(*m->check[i].why, "%s is well", m->check[i].what);
    free(m), free(mutant);
}
END_TEST

START_TEST(a_starter_has_no_points) {
    char path[128], command[256];
    snprintf(path, sizeof path, "%s/starter.c", kit_temporary());
    snprintf(command, sizeof command, "sh coursework/cut " SOLUTION " > %s", path);
    must(system(command) == 0);
    course_marks *m = kit_marks("softmax", 1, path, 1);
    must_msg(m->points == 0, "%g points", m->points);
    free(m);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, what_is_right_costs_nothing);
    tcase_add_test(tc, one_slip_costs_once);
    tcase_add_test(tc, another_slip_costs_its_own_check);
    tcase_add_test(tc, a_slip_that_shows_elsewhere_is_named_there);
    tcase_add_test(tc, what_nothing_explains_costs_everything_that_it_shows_on);
    tcase_add_test(tc, ratios_are_named_by_sizes);
    tcase_add_test(tc, a_gradient_is_what_was_added);
    tcase_add_test(tc, another_order_is_told);
    tcase_add_test(tc, numbers_that_are_none_are_told);
    tcase_add_test(tc, what_was_not_written_is_told);
    tcase_add_test(tc, else_the_first_wrong_stage_is_told);
    tcase_add_test(tc, names_fit_all_that_was_seen);
    tcase_add_test(tc, groups_have_their_points);
    tcase_add_test(tc, functions_share_a_group);
    tcase_add_test(tc, what_is_not_linear_is_told);
    tcase_add_test(tc, robustness_is_told);
    tcase_add_test(tc, a_slow_function_is_waited_for_once);
    tcase_add_test(tc, who_has_no_number_right_is_not_robust);
    tcase_add_test(tc, a_starter_has_no_points);
}
TL_TEST_MAIN("coursework: marking")
