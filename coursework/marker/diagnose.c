/* Which mistake gives these numbers. A mistake is named only if it alone gives them in every try, and differs from
 * the right numbers. Otherwise the numbers themselves are described: how they look (looks.c), or where they are
 * wrong first (describe.c). */
#include "marking.h"

#include <string.h>

static void compute(const course_tries *t, unsigned slips, course_case made[COURSE_TRIES]) {
    for (int i = 0; i < COURSE_TRIES; i++) made[i] = course_modelled(&t->given[i], slips);
}

static void free_cases(course_case made[COURSE_TRIES]) {
    for (int i = 0; i < COURSE_TRIES; i++) course_case_free(&made[i]);
}

static bool fits(const course_tries *t, unsigned slips, int first, int last) {
    bool all = true;
    for (int i = 0; all && i < COURSE_TRIES; i++) {
        course_case made = course_modelled(&t->given[i], slips);
        all = course_agrees(&t->got[i], &made, first, last, NULL);
        course_case_free(&made);
    }
    return all;
}

/* Is every array what the named slips make of it, or does it have the known look? */
static bool explains(const course_known *known, const course_case *given, const course_case *got, int first,
                     int last) {
    course_case made = course_modelled(given, known->slips);
    bool all = true;
    for (int i = first; all && i < last; i++)
        all =
            course_agrees(got, &made, i, i + 1, NULL) || course_looks_so(&known->look, given, got, &made, i);
    course_case_free(&made);
    return all;
}

bool course_explained(const course_tries *t, const course_known *known, int first, int last, bool *as_known) {
    *as_known = false;
    for (int i = 0; i < COURSE_TRIES; i++) {
        course_case right = course_modelled(&t->given[i], 0);
        const bool agrees = course_agrees(&t->got[i], &right, first, last, NULL);
        course_case_free(&right);
        if (agrees) continue;
        if (!known->slips && known->look.what == COURSE_PLAIN) return false;
        if (!explains(known, &t->given[i], &t->got[i], first, last)) return false;
        *as_known = true;
    }
    return true;
}

unsigned course_fitting(const course_tries *t, unsigned known, int first, int last) {
    const course_slip *slips = t->given[0].of->slips;
    unsigned all = 0;
    for (int k = 0; slips && slips[k].name; k++)
        if (!(known & COURSE_SLIP(k)) && fits(t, known | COURSE_SLIP(k), first, last)) all |= COURSE_SLIP(k);
    return all;
}

static int only_one(unsigned slips) { /* the number of the only slip; -1 if there is none or more than one */
    if (!slips || (slips & (slips - 1))) return -1;
    int k = 0;
    while (slips >> k != 1) k++;
    return k;
}

/* Searches for a look in the first wrong array, and accepts it if it explains all arrays. */
static bool look_at(const course_tries *t, course_known *known, const course_case made[COURSE_TRIES],
                    int first, int last, char why[COURSE_WHY]) {
    int wrong = -1;
    for (int i = 0; i < COURSE_TRIES && wrong < 0; i++)
        course_agrees(&t->got[i], &made[i], first, last, &wrong);
    if (wrong < 0) return false;
    course_known with = *known;
    char says[COURSE_WHY];
    if (!course_find_look(t, made, wrong, &with.look, says)) {
        course_describe(t, made, first, last, why);
        return false;
    }
    snprintf(why, COURSE_WHY, "your %s %.440s", made[0].a[wrong].name, says);
    bool as_known;
    if (!course_explained(t, &with, first, last, &as_known)) return false;
    *known = with;
    return true;
}

bool course_diagnose(const course_tries *t, course_known *known, unsigned possible, int first, int last,
                     char why[COURSE_WHY]) {
    bool as_known;
    why[0] = '\0';
    if (course_explained(t, known, first, last, &as_known)) return true;
    const int named = only_one(possible & course_fitting(t, known->slips, first, last));
    if (named >= 0) {
        snprintf(why, COURSE_WHY, "your numbers equal %s", t->given[0].of->slips[named].says);
        known->slips |= COURSE_SLIP(named);
        return true;
    }
    course_case made[COURSE_TRIES];
    compute(t, known->slips, made);
    const bool seen = look_at(t, known, made, first, last, why);
    free_cases(made);
    return seen;
}
