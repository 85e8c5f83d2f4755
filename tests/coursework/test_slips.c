/* The mistakes ("slips") that all tasks of the course know, in both tiers. No student's file is compiled or run: the
 * numbers of a student who makes mistake k are those of the task's model with slip k.
 *
 * For every exercise, on some kind of case each mistake's numbers are far from the right ones and from those of every
 * other mistake. The marker names each mistake rightly. Two mistakes at once get no name, or the name of one of them.
 * Every failure is printed in a line:
 *
 *     softmax, tier 1, softmax_forward: "no maximum" …
 *
 * COURSE_TASK=softmax checks that task only. */
#define _DEFAULT_SOURCE
#include "check.h"
#include "coursework/marker/marking.h"

#include <stdarg.h>
#include <unistd.h>

enum { FAR = 100, SEEDS = 3 };

/* What is being checked. */
static struct {
    const course_task *task;
    const course_exercise *of;
    int tier, failures;
} at;

static void fails(const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    fprintf(stderr, "%s, tier %d, %s: ", at.task->name, at.tier, at.of->function);
    vfprintf(stderr, format, rest);
    fputc('\n', stderr);
    va_end(rest);
    at.failures++;
}

static int slips_of(const course_exercise *of) {
    int count = 0;
    while (of->slips && of->slips[count].name) count++;
    return count;
}

/* ---- the numbers of a student with some mistakes ---- */

/* The cases of every kind that the exercise has, drawn once for a seed. */
static course_tries drawn[COURSE_KINDS];

static bool has(course_kind kind) { return at.of->kinds & COURSE_HAS(kind); }

static void draw(uint64_t seed) {
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        for (int i = 0; i < COURSE_TRIES && has(kind); i++)
            course_draw(&drawn[kind].given[i], at.of, kind, seed, i);
}

/* The model's numbers with these slips, rounded to float. */
static void compute(course_kind kind, unsigned slips) {
    for (int i = 0; i < COURSE_TRIES; i++) {
        course_case *c = &drawn[kind].got[i];
        *c = course_modelled(&drawn[kind].given[i], slips);
        for (int a = 0; a < c->arrays; a++)
            for (long k = 0; k < c->a[a].count; k++) c->a[a].data[k] = (double)(float)c->a[a].data[k];
    }
}

static void free_computed(course_kind kind) {
    for (int i = 0; i < COURSE_TRIES; i++) course_case_free(&drawn[kind].got[i]);
}

static void free_drawn(void) {
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        for (int i = 0; i < COURSE_TRIES && has(kind); i++) course_case_free(&drawn[kind].given[i]);
}

/* The largest distance of the numbers of two sets of slips, over tries and arrays, in tolerances. */
static double apart(course_kind kind, unsigned a, unsigned b) {
    double furthest = 0;
    long where;
    for (int i = 0; i < COURSE_TRIES; i++) {
        course_case one = course_modelled(&drawn[kind].given[i], a),
                    other = course_modelled(&drawn[kind].given[i], b);
        for (int k = 0; k < one.arrays; k++) {
            const course_array *x = &one.a[k], *y = &other.a[k];
            if (x->role == COURSE_IN) continue;
            const double error = fmin(course_error(x, y, &where), course_error(y, x, &where));
            furthest = fmax(furthest, error / course_tolerance(&one));
        }
        course_case_free(&one), course_case_free(&other);
    }
    return furthest;
}

/* ---- the marker's judgement ---- */

/* Marks a student with these slips; returns the bits of the slips that the marker names. */
static unsigned named(unsigned slips, course_marks *m) {
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        if (has(kind)) compute(kind, slips);
    course_known known[2];
    course_check *unexplained;
    m->checks = 0;
    course_judge(m, at.of, drawn, 1, known, &unexplained);
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        if (has(kind)) free_computed(kind);
    return known[0].slips | known[1].slips;
}

static const char *name_of_first(unsigned slips) {
    for (int k = 0; at.of->slips[k].name; k++)
        if (slips & COURSE_SLIP(k)) return at.of->slips[k].name;
    return "nothing";
}

/* ---- the rules ---- */

/* The first kind of case on which the slips are FAR from each other; COURSE_KINDS if there is none. *most: the largest
 * distance. */
static course_kind shows(unsigned a, unsigned b, double *most) {
    *most = 0;
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++) {
        if (!has(kind)) continue;
        const double far = apart(kind, a, b);
        *most = fmax(*most, far);
        if (far >= FAR) return kind;
    }
    return COURSE_KINDS;
}

static const char *first_sentence(const course_marks *m) {
    for (int i = 0; i < m->checks; i++)
        if (*m->check[i].why) return m->check[i].why;
    return "nothing is wrong";
}

/* One mistake costs at most one check. */
static void look_at_costs(const course_marks *m, const char *what) {
    static const char *const groups[] = {"forward", "backward", "invariants", "robustness"};
    int all = 0;
    for (int g = 0; g < 4; g++)
        for (int i = 0; i < m->checks; i++)
            all += *m->check[i].why && strcmp(m->check[i].group, groups[g]) == 0;
    for (int i = 0; i < m->checks && all > 1; i++)
        if (*m->check[i].why)
            fails("%s costs %d checks, one slip costs once; %s: %s", what, all, m->check[i].what,
                  m->check[i].why);
}

static void look_at_slip(int k, course_marks *m) {
    char what[128];
    double most;
    snprintf(what, sizeof what, "\"%s\"", at.of->slips[k].name);
    const course_kind kind = shows(COURSE_SLIP(k), 0, &most);
    if (kind == COURSE_KINDS)
        fails("%s is at most %.3g tolerances from the right numbers, on any kind of case; it should be %d",
              what, most, FAR);
    const unsigned got = named(COURSE_SLIP(k), m);
    if (got & ~COURSE_SLIP(k))
        fails("%s is called \"%s\": %s", what, name_of_first(got & ~COURSE_SLIP(k)), first_sentence(m));
    if (!got && kind < COURSE_KINDS)
        fails("%s shows on %s, but has no name: %s", what, course_kind_name[kind], first_sentence(m));
    if (got) look_at_costs(m, what);
}

static void look_at_pair(int j, int k, course_marks *m) {
    const unsigned pair = COURSE_SLIP(j) | COURSE_SLIP(k);
    const char *one = at.of->slips[j].name, *other = at.of->slips[k].name;
    double most;
    if (shows(COURSE_SLIP(j), COURSE_SLIP(k), &most) == COURSE_KINDS)
        fails("\"%s\" and \"%s\" are at most %.3g tolerances from each other, on any kind of case; it should "
              "be "
              "%d",
              one, other, most, FAR);
    const unsigned got = named(pair, m);
    if (got & ~pair)
        fails("\"%s\" with \"%s\" is called \"%s\": %s", one, other, name_of_first(got & ~pair),
              first_sentence(m));
}

static void look_at_slips(void) {
    const int count = slips_of(at.of);
    course_marks *m = calloc(1, sizeof *m);
    must(m);
    /* Pairs are tried without prime sizes: these cases are the largest, take most of the time, and show nothing
     * more. */
    const course_exercise *whole = at.of;
    course_exercise smaller = *whole;
    smaller.kinds &= ~COURSE_HAS(COURSE_PRIME);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        draw(seed);
        for (int k = 0; k < count; k++) {
            look_at_slip(k, m);
            at.of = &smaller;
            for (int j = 0; j < k; j++) look_at_pair(j, k, m);
            at.of = whole;
        }
        free_drawn();
    }
    free(m);
}

/* ---- names and cases of an exercise ---- */

static void look_at_words(void) {
    const int count = slips_of(at.of);
    if (count > 31) fails("%d slips: 31 at most", count);
    if (strlen(at.of->function) >= COURSE_NAME) fails("too long a name");
    if (!has(COURSE_ODD)) fails("it has no odd sizes: every diagnosis needs them");
    for (int k = 0; k < count; k++) {
        const course_slip *s = &at.of->slips[k];
        if (!s->says || !*s->says) fails("\"%s\" says nothing", s->name);
        if (s->says && strlen(s->says) > COURSE_WHY / 2) fails("\"%s\" says too much", s->name);
        if (s->says && *s->says && s->says[strlen(s->says) - 1] == '.')
            fails("\"%s\" ends with a full stop", s->name);
        for (int j = 0; j < k; j++)
            if (strcmp(s->name, at.of->slips[j].name) == 0) fails("two slips are called \"%s\"", s->name);
    }
}

/* The numbers of cases are floats, since a runner gets floats. The same seed gives the same case and the same
 * outputs. */
static void look_at_case(course_kind kind, int number) {
    course_case c, again;
    course_draw(&c, at.of, kind, 1, number), course_draw(&again, at.of, kind, 1, number);
    if (at.of->part == COURSE_BOTH && (at.of->gradients < 1 || at.of->gradients > c.arrays))
        fails("gradients are said to begin at array %d of %d", at.of->gradients, c.arrays);
    at.of->model(&c, 0), at.of->model(&again, 0);
    for (int a = 0; a < c.arrays; a++)
        for (long k = 0; k < c.a[a].count; k++) {
            const double x = c.a[a].data[k], y = again.a[a].data[k];
            const bool same = x == y || (isnan(x) && isnan(y));
            if (!same) {
                fails("%s, %s[%ld]: %g at first, %g for the same seed", course_kind_name[kind], c.a[a].name,
                      k, x, y);
                break;
            }
            if (c.a[a].role == COURSE_IN && x != (double)(float)x && !isnan(x)) {
                fails("%s, %s[%ld] is no float: %.17g", course_kind_name[kind], c.a[a].name, k, x);
                break;
            }
            if (kind == COURSE_ODD && !isfinite(x)) {
                fails("%s[%ld] should be %g on odd sizes", c.a[a].name, k, x);
                break;
            }
        }
    course_case_free(&c), course_case_free(&again);
}

/* The right numbers have the exercise's invariants. */
static void look_at_invariants(course_kind kind) {
    compute(kind, 0);
    for (const course_invariant *v = at.of->invariants; v && v->name; v++)
        for (int i = 0; i < COURSE_TRIES; i++) {
            char why[COURSE_WHY] = "";
            if (!v->holds(&drawn[kind].given[i], &drawn[kind].got[i], why))
                fails("\"%s\" does not hold of the right numbers on %s: %s", v->name, course_kind_name[kind],
                      why);
        }
    free_computed(kind);
}

static void look_at_cases(void) {
    draw(1);
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++) {
        if (!has(kind)) continue;
        for (int i = 0; i < COURSE_TRIES; i++) look_at_case(kind, i);
        if (kind < COURSE_EMPTY) look_at_invariants(kind);
    }
    free_drawn();
}

/* ---- all of a task ---- */

static bool left_out(const course_task *task) {
    const char *only = getenv("COURSE_TASK");
    return only && *only && strcmp(only, task->name) != 0;
}

static void look(int number, void (*at_exercise)(void)) {
    at.task = course_tasks[number], at.failures = 0;
    alarm(600); /* ends a test whose draw does not end */
    if (left_out(at.task)) return;
    for (at.tier = 1; at.tier <= 2; at.tier++)
        for (at.of = at.tier == 1 ? at.task->tier1 : at.task->tier2; at.of && at.of->function; at.of++)
            at_exercise();
    must_msg(at.failures == 0, "%s: %d rules are broken; see the lines above", at.task->name, at.failures);
}

START_TEST(cases_are_floats_and_reproducible) { look(_i, look_at_cases); }
END_TEST
START_TEST(mistakes_have_messages) { look(_i, look_at_words); }
END_TEST
START_TEST(mistakes_are_named_and_pairs_never_wrongly) { look(_i, look_at_slips); }
END_TEST

START_TEST(a_task_has_eight_mistakes) {
    const course_task *task = course_tasks[_i];
    int all = 0;
    for (const course_exercise *of = task->tier1; of && of->function; of++) all += slips_of(of);
    must_msg(left_out(task) || !task->tier1 || all >= 8, "%s: tier 1 has %d mistakes; 8 are asked for",
             task->name, all);
}
END_TEST

static void add_tests(TCase *tc) {
    int tasks = 0;
    while (course_tasks[tasks]) tasks++;
    tcase_add_loop_test(tc, cases_are_floats_and_reproducible, 0, tasks);
    tcase_add_loop_test(tc, mistakes_have_messages, 0, tasks);
    tcase_add_loop_test(tc, mistakes_are_named_and_pairs_never_wrongly, 0, tasks);
    tcase_add_loop_test(tc, a_task_has_eight_mistakes, 0, tasks);
}
TL_TEST_MAIN("coursework: slips")
