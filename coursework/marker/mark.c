/* Marks of one student's files: each exercise is run on cases of every kind that it has, and every check is worth its share of
 * its group's points: forward 40, backward 40, invariants 10, robustness 10. A group without checks leaves its points to the
 * others. */
#define _POSIX_C_SOURCE 200809L
#include "marking.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    double points;
} groups[] = {{"forward", 40}, {"backward", 40}, {"invariants", 10}, {"robustness", 10}};
enum { GROUPS = sizeof groups / sizeof *groups };

/* Cases of one kind, as drawn and as they came back. */
typedef struct tries {
    int count;
    course_case given[COURSE_TRIES], got[COURSE_TRIES], right[COURSE_TRIES];
    course_answer answer[COURSE_TRIES];
} tries;

/* What all runs of an exercise showed besides its numbers. */
typedef struct conduct {
    bool answered, wrote; /* on odd sizes: came back at all, with something in its outputs */
    char changed[COURSE_WHY], touched[COURSE_WHY], leaks[COURSE_WHY];
} conduct;

static course_check *check(course_marks *m, const course_exercise *of, const char *group, const char *what) {
    if (m->checks == (int)(sizeof m->check / sizeof *m->check)) m->checks--; /* no exercise has so many */
    course_check *c = &m->check[m->checks++];
    *c = (course_check){.function = of->function, .what = what, .group = group};
    return c;
}

/* ---- running ---- */

static void say_end(const course_answer *a, double seconds, char *why) {
    switch (a->end) {
    case COURSE_CRASHED:
        snprintf(why, COURSE_WHY, "the program crashed: %s", strsignal(a->signal));
        break;
    case COURSE_LEFT:
        snprintf(why, COURSE_WHY, "the program ended (exit %d) before your function returned", a->signal);
        break;
    case COURSE_LATE:
        snprintf(why, COURSE_WHY, "no answer within %g s: does a loop end?", seconds);
        break;
    case COURSE_UNKNOWN:
        snprintf(why, COURSE_WHY, "the runner has no such function");
        break;
    case COURSE_SYSTEM:
        snprintf(why, COURSE_WHY, "the runner could not be started");
        break;
    case COURSE_ANSWERED:
        why[0] = '\0';
        break;
    }
}

/* Is an output neither as it was nor one and the same number everywhere (memory that an operation has not filled)? */
static bool wrote(const course_array *before, const course_array *after) {
    bool changed = false, differs = false;
    for (long i = 0; i < after->count; i++) {
        changed |= after->data[i] != before->data[i];
        differs |= after->data[i] != after->data[0];
    }
    return after->role != COURSE_IN && changed && (differs || after->count == 1);
}

static void note_conduct(conduct *seen, const course_case *given, const course_case *got,
                         const course_answer *a) {
    if (a->end != COURSE_ANSWERED) return;
    seen->answered |= given->kind == COURSE_ODD;
    for (int i = 0; i < given->arrays && given->kind == COURSE_ODD; i++)
        seen->wrote |= wrote(&given->a[i], &got->a[i]);
    for (int i = 0; i < given->arrays && !*seen->changed; i++)
        if (given->a[i].role == COURSE_IN &&
            memcmp(given->a[i].data, got->a[i].data, (size_t)given->a[i].count * sizeof(double)) != 0)
            snprintf(seen->changed, COURSE_WHY, "your function changed %s, which it should only read",
                     given->a[i].name);
    if (a->touched && !*seen->touched)
        snprintf(seen->touched, COURSE_WHY,
                 "something was written before the beginning or behind the end of %s", a->where);
    if (a->blocks > 0 && !*seen->leaks)
        snprintf(seen->leaks, COURSE_WHY, "%ld block%s of memory never freed in one call", a->blocks,
                 a->blocks > 1 ? "s" : "");
}

static void run_tries(tries *t, const course_exercise *of, course_kind kind, int count, const char *runner,
                      uint64_t seed, course_limits limits, conduct *seen) {
    t->count = count;
    for (int i = 0; i < count; i++) {
        course_draw(&t->given[i], of, kind, seed, i);
        course_case_copy(&t->got[i], &t->given[i]);
        course_case_copy(&t->right[i], &t->given[i]);
        of->model(&t->right[i], 0);
        course_run(runner, limits, &t->got[i], 1, &t->answer[i], NULL, 0);
        note_conduct(seen, &t->given[i], &t->got[i], &t->answer[i]);
    }
}

static void forget_tries(tries *t) {
    for (int i = 0; i < t->count; i++) {
        course_case_free(&t->given[i]);
        course_case_free(&t->got[i]);
        course_case_free(&t->right[i]);
    }
}

/* ---- numbers ---- */

/* Arrays first … last of every try: right, or consistent with the forward's one mistake (`also`, a slip, -1: none). */
static bool right_numbers(const tries *t, int first, int last, int also) {
    for (int i = 0; i < t->count; i++) {
        bool fits = course_agrees(&t->got[i], &t->right[i], first, last, NULL);
        if (!fits && also >= 0) {
            course_case with;
            course_case_copy(&with, &t->given[i]);
            with.of->model(&with, COURSE_SLIP(also));
            fits = course_agrees(&t->got[i], &with, first, last, NULL);
            course_case_free(&with);
        }
        if (!fits) return false;
    }
    return true;
}

static const char *group_of(const course_exercise *of, course_kind kind, bool gradients) {
    if (kind >= COURSE_EMPTY) return "robustness";
    return of->part == COURSE_BACKWARD || gradients ? "backward" : "forward";
}

static int mark_numbers(course_marks *m, const tries *t, course_kind kind, int first, int last,
                        bool gradients, int also, double seconds) {
    const course_exercise *of = t->given[0].of;
    course_check *c = check(m, of, group_of(of, kind, gradients), course_kind_name[kind]);
    for (int i = 0; i < t->count && !*c->why; i++) say_end(&t->answer[i], seconds, c->why);
    if (*c->why || right_numbers(t, first, last, also)) return -1;
    return course_diagnose(of, t->given, t->got, also >= 0 ? COURSE_SLIP(also) : 0, ~0u, first, last, c->why);
}

static void mark_kind(course_marks *m, const course_exercise *of, course_kind kind, const char *runner,
                      uint64_t seed, course_limits limits, conduct *seen) {
    tries t;
    run_tries(&t, of, kind, COURSE_TRIES, runner, seed, limits, seen);
    const int all = t.given[0].arrays, split = of->part == COURSE_BOTH ? of->gradients : all;
    const int slip = mark_numbers(m, &t, kind, 0, split, false, -1, limits.seconds);
    if (split < all) mark_numbers(m, &t, kind, split, all, true, slip, limits.seconds);
    forget_tries(&t);
}

/* ---- invariants and robustness ---- */

static void mark_invariants(course_marks *m, const course_exercise *of, const char *runner, uint64_t seed,
                            course_limits limits, conduct *seen) {
    for (const course_invariant *v = of->invariants; v && v->name; v++) {
        course_check *c = check(m, of, "invariants", v->name);
        for (course_kind kind = 0; kind < COURSE_EMPTY && !*c->why; kind++) {
            if (!(of->kinds & COURSE_HAS(kind))) continue;
            tries t;
            run_tries(&t, of, kind, 1, runner, seed + 1, limits, seen);
            say_end(&t.answer[0], limits.seconds, c->why);
            if (!*c->why) v->holds(&t.given[0], &t.got[0], c->why);
            forget_tries(&t);
        }
    }
}

/* A call, one of another shape, and the first once more: it must give what it gave. */
static void mark_second_call(course_marks *m, const course_exercise *of, const char *runner, uint64_t seed,
                             course_limits limits) {
    course_check *c = check(m, of, "robustness", "a second call");
    const course_kind other = of->kinds & COURSE_HAS(COURSE_PRIME) ? COURSE_PRIME : COURSE_ODD;
    course_case calls[3];
    course_answer answers[3];
    course_draw(&calls[0], of, COURSE_ODD, seed, 0);
    course_draw(&calls[1], of, other, seed, 1);
    course_draw(&calls[2], of, COURSE_ODD, seed, 0);
    course_run(runner, limits, calls, 3, answers, NULL, 0);
    for (int i = 0; i < 3 && !*c->why; i++) say_end(&answers[i], limits.seconds, c->why);
    for (int i = 0; i < calls[0].arrays && !*c->why; i++)
        if (memcmp(calls[0].a[i].data, calls[2].a[i].data, (size_t)calls[0].a[i].count * sizeof(double)) != 0)
            snprintf(
                c->why, COURSE_WHY,
                "the same call after another one gave another %s: does something stay from call to call?",
                calls[0].a[i].name);
    for (int i = 0; i < 3; i++) course_case_free(&calls[i]);
}

/* The code compiled in another way gives the same numbers. */
static void mark_compilation(course_marks *m, const course_exercise *of, const char *const *runners,
                             uint64_t seed, course_limits limits) {
    if (!runners[1]) return;
    course_check *c = check(m, of, "robustness", "-O0 and -O2");
    course_case one, other;
    course_answer a, b;
    int wrong = 0;
    course_draw(&one, of, COURSE_ODD, seed, 0);
    course_case_copy(&other, &one);
    course_run(runners[0], limits, &one, 1, &a, NULL, 0);
    course_run(runners[1], limits, &other, 1, &b, NULL, 0);
    say_end(&a, limits.seconds, c->why);
    if (!*c->why) say_end(&b, limits.seconds, c->why);
    if (!*c->why && !course_agrees(&one, &other, 0, one.arrays, &wrong))
        snprintf(c->why, COURSE_WHY,
                 "%s depends on how the code is compiled: is something read before it is written?",
                 one.a[wrong].name);
    course_case_free(&one);
    course_case_free(&other);
}

static void mark_exercise(course_marks *m, const course_exercise *of, const char *const *runners,
                          uint64_t seed, course_limits limits) {
    const int first = m->checks;
    conduct seen = {.wrote = false};
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        if (of->kinds & COURSE_HAS(kind)) mark_kind(m, of, kind, runners[0], seed, limits, &seen);
    mark_invariants(m, of, runners[0], seed, limits, &seen);
    mark_second_call(m, of, runners[0], seed, limits);
    mark_compilation(m, of, runners, seed, limits);
    memcpy(check(m, of, "robustness", "inputs unchanged")->why, seen.changed, COURSE_WHY);
    memcpy(check(m, of, "robustness", "within its arrays")->why, seen.touched, COURSE_WHY);
    memcpy(check(m, of, "robustness", "memory given back")->why, seen.leaks, COURSE_WHY);
    if (!*m->check[first].why || seen.wrote) return;
    for (int i = first; i < m->checks; i++) /* a starter harms nothing, and earns nothing */
        if (!*m->check[i].why)
            snprintf(m->check[i].why, COURSE_WHY, "%s",
                     seen.answered ? "your function writes nothing yet" : "no call on odd sizes came back");
}

static void share_points(course_marks *m) {
    double whole = 0;
    int checks[GROUPS] = {0};
    for (int g = 0; g < GROUPS; g++) {
        for (int i = 0; i < m->checks; i++) checks[g] += strcmp(m->check[i].group, groups[g].name) == 0;
        if (checks[g] > 0) whole += groups[g].points;
    }
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < m->checks; i++)
            if (strcmp(m->check[i].group, groups[g].name) == 0) {
                course_check *c = &m->check[i];
                c->of = groups[g].points / whole * 100 / checks[g];
                c->points = *c->why ? 0 : c->of;
                m->points += c->points;
            }
}

void course_mark(course_marks *m, const course_task *task, int tier, const char *const *runners,
                 uint64_t seed, course_limits limits) {
    *m = (course_marks){.task = task, .tier = tier};
    for (const course_exercise *of = tier == 2 ? task->tier2 : task->tier1; of && of->function; of++)
        mark_exercise(m, of, runners, seed, limits);
    share_points(m);
}
