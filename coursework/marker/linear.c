/* A backward is linear in dy: if dy doubles, the gradients that it adds double too. */
#include "marking.h"

#include <math.h>
#include <string.h>

/* The case with its incoming gradients doubled: input arrays whose names begin with d (dy, dh). False if the right
 * results do not double with them: then these arrays are something else. */
static bool doubled(const course_case *given, int first, int last, course_case *twice) {
    if (!course_case_copy(twice, given)) return false;
    int found = 0;
    for (int i = 0; i < given->arrays; i++) {
        const course_array *a = &twice->a[i];
        if (a->role != COURSE_IN || a->name[0] != 'd' || !a->name[1]) continue;
        for (long k = 0; k < a->count; k++) a->data[k] *= 2;
        found++;
    }
    course_case once = course_modelled(given, 0), right = course_modelled(twice, 0);
    bool linear = found > 0;
    for (int i = first; i < last; i++)
        for (long k = 0; given->a[i].role != COURSE_IN && k < given->a[i].count; k++) {
            const double before = given->a[i].role == COURSE_ADD ? given->a[i].data[k] : 0;
            const double a = once.a[i].data[k] - before, b = right.a[i].data[k] - before;
            linear &= fabs(b - 2 * a) <= 1e-9 * (1 + fabs(b));
        }
    course_case_free(&once);
    course_case_free(&right);
    if (!linear) course_case_free(twice);
    return linear;
}

/* The first element of array i that does not double; -1 if all do. */
static long not_doubled(const course_array *before, const course_array *once, const course_array *twice,
                        double tolerance) {
    const double far = tolerance * (course_largest(once) + course_largest(twice));
    for (long k = 0; k < once->count; k++) {
        const double was = once->role == COURSE_ADD ? before->data[k] : 0;
        const double a = once->data[k] - was, b = twice->data[k] - was;
        if (!isfinite(a) || !isfinite(b)) return -1;
        if (fabs(b - 2 * a) > far) return k;
    }
    return -1;
}

bool course_not_linear(const char *runner, course_limits limits, const course_case *given,
                       const course_case *got, int first, int last, char why[COURSE_WHY]) {
    course_case twice;
    course_answer answer;
    bool found = false;
    if (!doubled(given, first, last, &twice)) return false;
    course_run(runner, limits, &twice, 1, &answer, NULL, 0);
    for (int i = first; i < last && answer.end == COURSE_ANSWERED && !found; i++) {
        if (given->a[i].role == COURSE_IN) continue;
        const long k = not_doubled(&given->a[i], &got->a[i], &twice.a[i], course_tolerance(given));
        if (k < 0) continue;
        char at[96];
        course_place(&given->a[i], k, at);
        const double was = given->a[i].role == COURSE_ADD ? given->a[i].data[k] : 0;
        snprintf(
            why, COURSE_WHY,
            "your %s is not linear in dy: with dy doubled, what %s gets doubles, too, but yours goes from "
            "%.4g to %.4g",
            given->a[i].name, at, got->a[i].data[k] - was, twice.a[i].data[k] - was);
        found = true;
    }
    course_case_free(&twice);
    return found;
}
