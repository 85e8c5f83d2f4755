/* How many points a function's numbers get, for each kind of case. Each mistake costs one check:
 *
 * - Odd sizes come first. If a mistake is named there, or described (a ratio, a transposition), it costs that check.
 *   All other kinds, also those of robustness, then accept the numbers that this mistake gives, and so do invariants
 *   that it breaks.
 * - If something else is wrong on another kind, it costs that kind's check and is named if possible; later kinds
 *   accept both. A mistake that is named on another kind must agree with the numbers on odd sizes, where many mistakes
 *   change nothing.
 * - The gradients of an operation (COURSE_BOTH) are judged in the same way, relative to the student's own forward:
 *   numbers that follow from forward's mistake are right.
 * - Wrong numbers that nothing explains cost the check of every kind in which they occur. */
#define _POSIX_C_SOURCE 200809L
#include "marking.h"

#include <string.h>

/* Arrays first … last, which get the points of one group. */
typedef struct part {
    course_marks *m;
    const course_exercise *of;
    const course_tries *tries;
    double seconds;
    const char *group;
    int first, last;
    bool gradients; /* of COURSE_BOTH: robustness has already been judged by y */
    course_known *known;
    bool lost; /* odd sizes are wrong, and no mistake explains them */
} part;

void course_say_end(const course_answer *a, double seconds, char why[COURSE_WHY]) {
    why[0] = '\0';
    switch (a->end) {
    case COURSE_CRASHED:
        snprintf(why, COURSE_WHY, "the program crashed: %s", strsignal(a->signal));
        break;
    case COURSE_LEFT:
        snprintf(why, COURSE_WHY, "the program ended before your function returned (exit status %d)",
                 a->signal);
        break;
    case COURSE_LATE:
        snprintf(why, COURSE_WHY, "no answer within %g s: does every loop end?", seconds);
        break;
    case COURSE_UNKNOWN:
        snprintf(why, COURSE_WHY,
                 "the runner has no such function: build it anew, with this course's Makefile");
        break;
    case COURSE_SYSTEM:
        snprintf(why, COURSE_WHY, "the runner could not be started");
        break;
    case COURSE_FORGED:
        snprintf(why, COURSE_WHY,
                 "the program answered something else than it was asked: does it fork, or write to a file "
                 "descriptor "
                 "that is not its own?");
        break;
    case COURSE_ANSWERED:
        break;
    }
    const size_t used = strlen(why);
    if (used > 0 && *a->note) snprintf(why + used, COURSE_WHY - used, "; it said: %s", a->note);
}

/* ---- one kind ---- */

static const char *group_of(const part *p, course_kind kind) {
    return kind >= COURSE_EMPTY ? "robustness" : p->group;
}

/* The gradients' check; for kinds that give robustness points it is y's check. */
static course_check *check_of(const part *p, course_kind kind) {
    const char *group = group_of(p, kind), *what = course_kind_name[kind];
    for (int i = p->m->checks; p->gradients && kind >= COURSE_EMPTY && i-- > 0;) {
        course_check *c = &p->m->check[i];
        if (strcmp(c->group, group) == 0 && strcmp(c->what, what) == 0 &&
            strcmp(c->function, p->of->function) == 0)
            return c;
    }
    return course_add_check(p->m, p->of, group, what);
}

/* "right on odd sizes, but with numbers of 1e4 …" */
static void say_kind(const part *p, course_kind kind, bool named_before, char why[COURSE_WHY]) {
    char says[COURSE_WHY];
    memcpy(says, why, sizeof says);
    const char *name = course_kind_name[kind];
    const course_answer *odd = p->tries[COURSE_ODD].answer;
    if (kind == COURSE_ODD)
        snprintf(why, COURSE_WHY, "%s%.480s", named_before ? "besides, " : "", says);
    else if (named_before)
        snprintf(why, COURSE_WHY, "besides, with %s %.440s", name, says);
    else
        snprintf(why, COURSE_WHY, "%swith %s %.440s",
                 odd->end == COURSE_ANSWERED ? "right on odd sizes, but " : "", name, says);
}

static void judge_kind(part *p, course_kind kind, course_check *c) {
    const course_tries *t = &p->tries[kind], *odd = &p->tries[COURSE_ODD];
    for (int i = 0; i < COURSE_TRIES && !*c->why; i++) course_say_end(&t->answer[i], p->seconds, c->why);
    if (*c->why) return;
    bool as_known;
    if (course_explained(t, p->known, p->first, p->last, &as_known)) {
        c->as_known |= as_known;
        return;
    }
    if (p->lost) {
        snprintf(c->why, COURSE_WHY, "wrong here, too");
        return;
    }
    unsigned possible = ~0u;
    if (kind != COURSE_ODD) {
        possible = 0;
        bool answered = true;
        for (int i = 0; i < COURSE_TRIES; i++) answered &= odd->answer[i].end == COURSE_ANSWERED;
        if (answered) possible = course_fitting(odd, p->known->slips, p->first, p->last);
    }
    const bool before = p->known->slips || p->known->look.what != COURSE_PLAIN;
    const bool explained = course_diagnose(t, p->known, possible, p->first, p->last, c->why);
    p->lost |= kind == COURSE_ODD && !explained;
    say_kind(p, kind, before, c->why);
}

/* ---- all kinds ---- */

static bool has(const part *p, course_kind kind) { return p->of->kinds & COURSE_HAS(kind); }

static course_check *judge_part(part *p) {
    course_check *unexplained = NULL;
    int others = 0;
    for (course_kind kind = COURSE_ODD + 1; kind < COURSE_EMPTY; kind++) others += has(p, kind);
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++) {
        if (!has(p, kind)) continue;
        course_check *c = check_of(p, kind);
        if (kind == COURSE_ODD && others > 0) c->weight = others;
        if (!*c->why) judge_kind(p, kind, c);
        if (kind == COURSE_ODD && p->lost) unexplained = c;
    }
    return unexplained;
}

/* ---- invariants ---- */

/* Are all numbers explained by mistakes that have already cost points? Then broken invariants cost nothing more. */
static bool broken_as_known(const part *parts, int count, const course_tries *t) {
    bool any = false, as_known;
    for (int i = 0; i < count; i++) {
        if (!course_explained(t, parts[i].known, parts[i].first, parts[i].last, &as_known)) return false;
        any |= as_known;
    }
    return any;
}

static void judge_invariant(const part *parts, int count, const course_invariant *v) {
    const part *p = &parts[0];
    course_check *c = course_add_check(p->m, p->of, "invariants", v->name);
    for (course_kind kind = 0; kind < COURSE_EMPTY && !*c->why; kind++) {
        if (!has(p, kind)) continue;
        const course_tries *t = &p->tries[kind];
        for (int i = 0; i < COURSE_TRIES && !*c->why; i++) {
            course_say_end(&t->answer[i], p->seconds, c->why);
            if (*c->why || v->holds(&t->given[i], &t->got[i], c->why)) continue;
            if (!*c->why) snprintf(c->why, COURSE_WHY, "it does not hold");
            if (!broken_as_known(parts, count, t)) break;
            c->why[0] = '\0';
            c->as_known = true;
        }
    }
}

void course_judge(course_marks *m, const course_exercise *of, const course_tries *tries, double seconds,
                  course_known known[2], course_check **unexplained) {
    const int all = tries[COURSE_ODD].given[0].arrays, split = of->part == COURSE_BOTH ? of->gradients : all;
    const bool back = of->part == COURSE_BACKWARD;
    part parts[2] = {
        {m, of, tries, seconds, back ? "backward" : "forward", 0, split, false, &known[0], false},
        {m, of, tries, seconds, "backward", split, all, true, &known[1], false}};
    const int count = split < all ? 2 : 1;
    known[0] = known[1] = (course_known){0};
    *unexplained = judge_part(&parts[0]);
    if (!back) *unexplained = NULL;
    if (count > 1) {
        known[1].slips = known[0].slips;
        *unexplained = judge_part(&parts[1]);
    }
    for (const course_invariant *v = of->invariants; v && v->name; v++) judge_invariant(parts, count, v);
}
