/* For tests of messages and points: a small exercise, and the marks of a `student`, a function that fills in a case's
 * outputs as a runner would. */
#ifndef TL_TESTS_COURSEWORK_SQUARES_H
#define TL_TESTS_COURSEWORK_SQUARES_H

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

typedef void student(course_case *c);

static void right(course_case *c) { model(c, 0); }

/* ---- marks of a student ---- */

static course_marks marks;
static course_known known[2];
static course_check *unexplained;

static void judge(student *wrote, const course_exercise *of) {
    static course_tries tries[COURSE_KINDS];
    marks = (course_marks){.checks = 0};
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        for (int i = 0; i < COURSE_TRIES && of->kinds & COURSE_HAS(kind); i++) {
            course_draw(&tries[kind].given[i], of, kind, 1, i);
            must(course_case_copy(&tries[kind].got[i], &tries[kind].given[i]));
            wrote(&tries[kind].got[i]);
            for (int a = 0; a < tries[kind].got[i].arrays; a++) /* a runner returns floats */
                for (long k = 0; k < tries[kind].got[i].a[a].count; k++)
                    tries[kind].got[i].a[a].data[k] = (double)(float)tries[kind].got[i].a[a].data[k];
        }
    course_judge(&marks, of, tries, 1, known, &unexplained);
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

/* Asserts that the check has this message, and that `wrong` checks fail. */
static void says(student *wrote, const char *group, const char *what, const char *sentence, int wrong) {
    judge(wrote, &exercise);
    const char *why = check_of(group, what)->why;
    must_msg(strcmp(why, sentence) == 0, "\"%s\"\nshould be \"%s\"", why, sentence);
    int lost = 0;
    for (int i = 0; i < marks.checks; i++) lost += *marks.check[i].why != '\0';
    must_msg(lost == wrong, "%d checks fail, not %d", lost, wrong);
}

#define FORWARD_ODD "forward", "odd sizes"
#define BACKWARD_ODD "backward", "odd sizes"

#endif
