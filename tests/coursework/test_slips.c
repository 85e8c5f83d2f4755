/* All tasks of the course, both tiers: what their models say of mistakes. Nothing is compiled and nothing run: a model with slip k is
 * the student who makes mistake k.
 *
 * Of every exercise: each mistake is far from what is right and from every other one on some kind of case, it is named rightly by what
 * the marker would look at, and two made together get no name or the name of one of them. All that fails is told, one line each:
 *
 *     softmax, tier 1, softmax_forward: "no maximum" …
 *
 * COURSE_TASK=softmax looks at that task alone. */
#define _DEFAULT_SOURCE
#include "check.h"
#include "coursework/marker/marking.h"

#include <stdarg.h>

enum { FAR = 100, SEEDS = 3 };

/* ---- telling ---- */

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

/* ---- what a student with some mistakes would hand in ---- */

typedef struct numbers {
    course_case c[COURSE_TRIES];
} numbers;

static void drawn(numbers *to, course_kind kind, uint64_t seed) {
    for (int i = 0; i < COURSE_TRIES; i++) course_draw(&to->c[i], at.of, kind, seed, i);
}

static numbers computed(const numbers *given, unsigned slips) {
    numbers made;
    for (int i = 0; i < COURSE_TRIES; i++) {
        must(course_case_copy(&made.c[i], &given->c[i]));
        at.of->model(&made.c[i], slips);
        for (int a = 0; a < made.c[i].arrays; a++)
            for (long k = 0; k < made.c[i].a[a].count; k++)
                made.c[i].a[a].data[k] = (double)(float)made.c[i].a[a].data[k];
    }
    return made;
}

static void forgotten(numbers *n) {
    for (int i = 0; i < COURSE_TRIES; i++) course_case_free(&n->c[i]);
}

static int arrays_of(const numbers *n) { return n->c[0].arrays; }
static int split_of(const numbers *n) { return at.of->part == COURSE_BOTH ? at.of->gradients : arrays_of(n); }

/* How many tolerances apart, in the try and the array where they are furthest. */
static double apart(const numbers *a, const numbers *b) {
    double furthest = 0;
    long where;
    for (int i = 0; i < COURSE_TRIES; i++)
        for (int k = 0; k < arrays_of(a); k++) {
            const course_array *x = &a->c[i].a[k], *y = &b->c[i].a[k];
            if (x->role == COURSE_IN) continue;
            const double error = fmin(course_error(x, y, &where), course_error(y, x, &where));
            furthest = fmax(furthest, error / course_tolerance(&a->c[i]));
        }
    return furthest;
}

/* ---- what the marker would say ---- */

/* Names what stands in `got`, as mark.c goes about it: forward first, then backward with forward's slip known. `odd` is what the same
 * student computed on odd sizes, if these are other cases. Bits of the slips that were named. */
static unsigned named(const numbers *given, const numbers *got, const numbers *odd_given,
                      const numbers *odd_got) {
    const int all = arrays_of(got), split = split_of(got);
    unsigned known = 0;
    char why[COURSE_WHY];
    for (int part = 0; part < 2; part++) {
        const int first = part ? split : 0, last = part ? all : split;
        if (first == last) break;
        unsigned possible = ~0u;
        if (odd_given) possible = course_fitting(at.of, odd_given->c, odd_got->c, known, first, last);
        const int k = course_diagnose(at.of, given->c, got->c, known, possible, first, last, why);
        if (k >= 0) known |= COURSE_SLIP(k);
    }
    return known;
}

static const char *name_of(unsigned slips) { /* of the first one */
    for (int k = 0; at.of->slips[k].name; k++)
        if (slips & COURSE_SLIP(k)) return at.of->slips[k].name;
    return "nothing";
}

/* ---- the rules ---- */

static bool has(course_kind kind) { return at.of->kinds & COURSE_HAS(kind); }

/* The kind on which slips are FAR from each other, odd sizes first; COURSE_KINDS if there is none. *most: how far they got. */
static course_kind shows(unsigned a, unsigned b, uint64_t seed, double *most) {
    *most = 0;
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++) {
        if (!has(kind)) continue;
        numbers given, one, other;
        drawn(&given, kind, seed);
        one = computed(&given, a), other = computed(&given, b);
        const double far = apart(&one, &other);
        forgotten(&given), forgotten(&one), forgotten(&other);
        *most = fmax(*most, far);
        if (far >= FAR) return kind;
    }
    return COURSE_KINDS;
}

/* Slips `a` on that kind get a name out of `a`, or none; `must_name`: they get one. */
static void look_at_names(unsigned a, const char *what, course_kind kind, uint64_t seed, bool must_name) {
    numbers given, got, odd_given, odd_got;
    drawn(&given, kind, seed), drawn(&odd_given, COURSE_ODD, seed);
    got = computed(&given, a), odd_got = computed(&odd_given, a);
    const bool other = kind != COURSE_ODD;
    const unsigned k = named(&given, &got, other ? &odd_given : NULL, &odd_got);
    if (k & ~a) fails("%s is called \"%s\" on %s", what, name_of(k & ~a), course_kind_name[kind]);
    if (must_name && !k) fails("%s has no name on %s", what, course_kind_name[kind]);
    forgotten(&given), forgotten(&got), forgotten(&odd_given), forgotten(&odd_got);
}

static bool odd_is_right(unsigned slips, uint64_t seed) {
    numbers given, got, right;
    drawn(&given, COURSE_ODD, seed);
    got = computed(&given, slips), right = computed(&given, 0);
    const bool same = apart(&got, &right) <= 1;
    forgotten(&given), forgotten(&got), forgotten(&right);
    return same;
}

/* On odd sizes; where these show nothing, on all other kinds, as the marker does. */
static void look_everywhere(unsigned slips, const char *what, uint64_t seed) {
    look_at_names(slips, what, COURSE_ODD, seed, false);
    if (!odd_is_right(slips, seed)) return;
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        if (kind != COURSE_ODD && has(kind)) look_at_names(slips, what, kind, seed, false);
}

static void look_at_slip(int k, uint64_t seed) {
    const course_slip *slip = &at.of->slips[k];
    char what[128];
    double most;
    snprintf(what, sizeof what, "\"%s\"", slip->name);
    const course_kind kind = shows(COURSE_SLIP(k), 0, seed, &most);
    if (kind == COURSE_KINDS)
        fails("%s is %.3g tolerances from what is right at most, on every kind of case; %d are asked for",
              what, most, FAR);
    else
        look_at_names(COURSE_SLIP(k), what, kind, seed, true);
    look_everywhere(COURSE_SLIP(k), what, seed);
}

static void look_at_pair(int j, int k, uint64_t seed) {
    char what[192];
    double most;
    snprintf(what, sizeof what, "\"%s\" with \"%s\"", at.of->slips[j].name, at.of->slips[k].name);
    if (shows(COURSE_SLIP(j), COURSE_SLIP(k), seed, &most) == COURSE_KINDS)
        fails("\"%s\" and \"%s\" are %.3g tolerances from each other at most; %d are asked for",
              at.of->slips[j].name, at.of->slips[k].name, most, FAR);
    look_everywhere(COURSE_SLIP(j) | COURSE_SLIP(k), what, seed);
}

static void look_at_slips(void) {
    const int count = slips_of(at.of);
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int k = 0; k < count; k++) {
            look_at_slip(k, seed);
            for (int j = 0; j < k; j++) look_at_pair(j, k, seed);
        }
}

/* ---- what is said once of an exercise ---- */

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

/* Cases are what the runner can be handed: floats. The same seed gives the same case, and the model the same numbers. */
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

/* What is right passes what is asked of it. */
static void look_at_invariants(course_kind kind) {
    numbers given, right;
    drawn(&given, kind, 1);
    right = computed(&given, 0);
    for (const course_invariant *v = at.of->invariants; v && v->name; v++)
        for (int i = 0; i < COURSE_TRIES; i++) {
            char why[COURSE_WHY] = "";
            if (!v->holds(&given.c[i], &right.c[i], why))
                fails("\"%s\" does not hold of the right numbers on %s: %s", v->name, course_kind_name[kind],
                      why);
        }
    forgotten(&given), forgotten(&right);
}

static void look_at_cases(void) {
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++) {
        if (!has(kind)) continue;
        for (int i = 0; i < COURSE_TRIES; i++) look_at_case(kind, i);
        if (kind < COURSE_EMPTY) look_at_invariants(kind);
    }
}

/* ---- all of a task ---- */

static bool left_out(const course_task *task) {
    const char *only = getenv("COURSE_TASK");
    return only && *only && strcmp(only, task->name) != 0;
}

static void look(int number, void (*at_exercise)(void)) {
    at.task = course_tasks[number], at.failures = 0;
    if (left_out(at.task)) return;
    for (at.tier = 1; at.tier <= 2; at.tier++)
        for (at.of = at.tier == 1 ? at.task->tier1 : at.task->tier2; at.of && at.of->function; at.of++)
            at_exercise();
    must_msg(at.failures == 0, "%s: %d rules broken; each is told above", at.task->name, at.failures);
}

START_TEST(cases_are_what_a_runner_can_be_given) { look(_i, look_at_cases); }
END_TEST
START_TEST(mistakes_have_words) { look(_i, look_at_words); }
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
    tcase_add_loop_test(tc, cases_are_what_a_runner_can_be_given, 0, tasks);
    tcase_add_loop_test(tc, mistakes_have_words, 0, tasks);
    tcase_add_loop_test(tc, mistakes_are_named_and_pairs_never_wrongly, 0, tasks);
    tcase_add_loop_test(tc, a_task_has_eight_mistakes, 0, tasks);
}
TL_TEST_MAIN("coursework: slips")
