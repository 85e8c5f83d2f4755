/* Marks of one student's files. Every function is called with cases of every kind that its exercise has, each call
 * in a process of its own. judge.c gives points for the numbers. This file checks the rest: a second call, another
 * compilation, unchanged inputs and guards, freed memory. points.c distributes the points.
 *
 * One slip costs once: judge.c begins with the rule. A function without any right number gets no points, not even
 * for leaving its inputs unchanged. After a function was too slow once, it is not called again. */
#define _POSIX_C_SOURCE 200809L
#include "marking.h"

#include <stdlib.h>
#include <string.h>

/* Messages about a function's calls, apart from its numbers: changed inputs, overwritten guards, memory not freed. */
typedef struct conduct {
    char changed[COURSE_WHY], touched[COURSE_WHY], leaks[COURSE_WHY];
} conduct;

typedef struct run {
    const course_order *order;
    course_marks *m;
    const course_exercise *of;
    conduct seen;
    bool late; /* it was too slow once */
    long done, all;
} run;

/* ---- calls ---- */

static void keep_said(run *r, const char *said) {
    if (r->m->says || !*said) return;
    r->m->says = r->of->function;
    snprintf(r->m->said, sizeof r->m->said, "%s", said);
}

/* Makes calls in one process, unless the function was too slow before. */
static void call(run *r, const char *runner, course_case *cases, int calls, course_answer *answers) {
    static char said[COURSE_SAID];
    if (r->late) {
        for (int i = 0; i < calls; i++) answers[i] = (course_answer){.end = COURSE_LATE};
        return;
    }
    course_run(runner, r->order->limits, cases, calls, answers, said, sizeof said);
    keep_said(r, said);
    for (int i = 0; i < calls; i++) r->late |= answers[i].end == COURSE_LATE;
}

static void note_conduct(conduct *seen, const course_case *given, const course_case *got,
                         const course_answer *a) {
    if (a->end != COURSE_ANSWERED) return;
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

static void try_kind(run *r, course_kind kind, course_tries *t) {
    t->kind = kind;
    for (int i = 0; i < COURSE_TRIES; i++) {
        course_draw(&t->given[i], r->of, kind, r->order->seed, i);
        if (!course_case_copy(&t->got[i], &t->given[i])) abort(); /* out of memory, as when drawing a case */
        call(r, r->order->runners[0], &t->got[i], 1, &t->answer[i]);
        note_conduct(&r->seen, &t->given[i], &t->got[i], &t->answer[i]);
    }
    if (r->order->progress) r->order->progress(r->order->context, ++r->done, r->all);
}

static void free_tries(course_tries *t) {
    for (int i = 0; i < COURSE_TRIES; i++) course_case_free(&t->given[i]), course_case_free(&t->got[i]);
}

/* ---- robustness ---- */

static course_check *robust(run *r, const char *what) {
    return course_add_check(r->m, r->of, "robustness", what);
}

/* A call, one with other sizes, and the first one again, which must give the same numbers as before. */
static void mark_second_call(run *r) {
    course_check *c = robust(r, "a second call");
    const course_kind other = r->of->kinds & COURSE_HAS(COURSE_PRIME) ? COURSE_PRIME : COURSE_ODD;
    course_case calls[3];
    course_answer answers[3];
    course_draw(&calls[0], r->of, COURSE_ODD, r->order->seed, 0);
    course_draw(&calls[1], r->of, other, r->order->seed, 1);
    course_draw(&calls[2], r->of, COURSE_ODD, r->order->seed, 0);
    call(r, r->order->runners[0], calls, 3, answers);
    for (int i = 0; i < 3 && !*c->why; i++) course_say_end(&answers[i], r->order->limits.seconds, c->why);
    for (int i = 0; i < calls[0].arrays && !*c->why; i++)
        if (memcmp(calls[0].a[i].data, calls[2].a[i].data, (size_t)calls[0].a[i].count * sizeof(double)) != 0)
            snprintf(
                c->why, COURSE_WHY,
                "the same call after another one gave another %s: does something stay from call to call?",
                calls[0].a[i].name);
    for (int i = 0; i < 3; i++) course_case_free(&calls[i]);
}

/* Compiled at -O0, the code must give the same numbers, on one case of each kind. */
static void mark_compilation(run *r, const course_tries *tries) {
    if (!r->order->runners[1]) return;
    course_check *c = robust(r, "-O0 and -O2");
    for (course_kind kind = 0; kind < COURSE_KINDS && !*c->why; kind++) {
        if (!(r->of->kinds & COURSE_HAS(kind)) || tries[kind].answer[0].end != COURSE_ANSWERED) continue;
        course_case other;
        course_answer answer;
        int wrong = 0;
        course_draw(&other, r->of, kind, r->order->seed, 0);
        call(r, r->order->runners[1], &other, 1, &answer);
        course_say_end(&answer, r->order->limits.seconds, c->why);
        if (!*c->why && !course_agrees(&tries[kind].got[0], &other, 0, other.arrays, &wrong))
            snprintf(
                c->why, COURSE_WHY,
                "with %s, %s depends on how the code is compiled: is something read before it is written?",
                course_kind_name[kind], other.a[wrong].name);
        course_case_free(&other);
    }
    for (int i = 0; i < COURSE_TRIES && !*c->why; i++)
        course_say_end(&tries[COURSE_ODD].answer[i], r->order->limits.seconds, c->why);
}

/* If no call was answered, these checks fail too. */
static void mark_conduct(run *r, const course_tries *odd) {
    const struct {
        const char *what, *why;
    } rows[] = {{"inputs unchanged", r->seen.changed},
                {"within its arrays", r->seen.touched},
                {"memory given back", r->seen.leaks}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        course_check *c = robust(r, rows[k].what);
        memcpy(c->why, rows[k].why, COURSE_WHY);
        for (int i = 0; i < COURSE_TRIES && !*c->why; i++)
            course_say_end(&odd->answer[i], r->order->limits.seconds, c->why);
    }
}

/* ---- an exercise ---- */

static bool answered(const course_tries *t) {
    bool all = true;
    for (int i = 0; i < COURSE_TRIES; i++) all &= t->answer[i].end == COURSE_ANSWERED;
    return all;
}

/* Lets passed checks of a function fail, from check `from` on: all of them if the function computed nothing, and those
 * of robustness and invariants if all its numbers are wrong. */
static void take_back(course_marks *m, int from, bool untouched, bool named) {
    bool all_wrong = true;
    for (int i = from; i < m->checks; i++)
        if (strcmp(m->check[i].group, "forward") == 0 || strcmp(m->check[i].group, "backward") == 0)
            all_wrong &= *m->check[i].why != 0;
    for (int i = from; i < m->checks; i++) {
        course_check *c = &m->check[i];
        if (untouched && named && i == from) continue; /* the message that names a mistake stays */
        if (untouched)
            snprintf(c->why, COURSE_WHY, "nothing is computed here yet");
        else if (all_wrong && !*c->why)
            snprintf(c->why, COURSE_WHY, "this counts as soon as some of the numbers are right");
    }
}

static void mark_exercise(run *r) {
    const int from = r->m->checks;
    const course_exercise *of = r->of;
    course_tries *tries = calloc(COURSE_KINDS, sizeof *tries), *odd = &tries[COURSE_ODD];
    if (!tries) abort();
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        if (of->kinds & COURSE_HAS(kind)) try_kind(r, kind, &tries[kind]);
    course_known known[2];
    course_check *unexplained;
    course_judge(r->m, of, tries, r->order->limits.seconds, known, &unexplained);
    if (unexplained && answered(odd) && !r->late)
        course_not_linear(r->order->runners[0], r->order->limits, &odd->given[0], &odd->got[0],
                          of->part == COURSE_BOTH ? of->gradients : 0, odd->given[0].arrays,
                          unexplained->why);
    mark_second_call(r);
    mark_compilation(r, tries);
    mark_conduct(r, odd);
    take_back(r->m, from, *r->m->check[from].why && answered(odd) && course_untouched(odd),
              known[0].slips != 0);
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        if (of->kinds & COURSE_HAS(kind)) free_tries(&tries[kind]);
    free(tries);
}

/* ---- a task ---- */

static const course_exercise *tier_of(const course_order *order) {
    return order->tier == 2 ? order->task->tier2 : order->task->tier1;
}

static bool is_meant(const course_order *order, const course_exercise *of) {
    return !order->only || strcmp(order->only, of->function) == 0;
}

long course_order_length(const course_order *order) {
    long all = 0;
    for (const course_exercise *of = tier_of(order); of && of->function; of++)
        for (course_kind kind = 0; kind < COURSE_KINDS && is_meant(order, of); kind++)
            all += (of->kinds & COURSE_HAS(kind)) != 0;
    return all;
}

void course_mark_order(course_marks *m, const course_order *order) {
    *m = (course_marks){.task = order->task, .tier = order->tier, .seed = order->seed, .only = order->only};
    run r = {.order = order, .m = m, .all = course_order_length(order)};
    for (r.of = tier_of(order); r.of && r.of->function; r.of++) {
        if (!is_meant(order, r.of)) continue;
        memset(&r.seen, 0, sizeof r.seen);
        r.late = false;
        mark_exercise(&r);
    }
    course_share_points(m);
}

void course_mark(course_marks *m, const course_task *task, int tier, const char *const *runners,
                 uint64_t seed, course_limits limits) {
    course_mark_order(m, &(course_order){task, tier, runners, seed, limits, NULL, NULL, NULL});
}
