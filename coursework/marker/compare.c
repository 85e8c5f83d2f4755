/* How far numbers are from the right ones. */
#include "marking.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

double course_tolerance(const course_case *c) {
    return c->tolerance > 0 ? c->tolerance : c->of->tolerance > 0 ? c->of->tolerance : 1e-4;
}

double course_largest(const course_array *a) {
    double largest = 0;
    for (long i = 0; i < a->count; i++)
        if (isfinite(a->data[i])) largest = fmax(largest, fabs(a->data[i]));
    return largest;
}

static bool same_beyond(double a, double b) { /* for two numbers that are not both finite */
    return (isnan(a) && isnan(b)) || a == b;
}

double course_error(const course_array *got, const course_array *right, long *where) {
    const double largest = course_largest(right), scale = largest > 0 ? largest : 1;
    double worst = 0;
    *where = 0;
    for (long i = 0; i < right->count; i++) {
        const double a = got->data[i], b = right->data[i];
        const double error = isfinite(a) && isfinite(b) ? fabs(a - b) / scale
                             : same_beyond(a, b)        ? 0
                                                        : INFINITY;
        if (error > worst) worst = error, *where = i;
    }
    return worst;
}

bool course_agrees(const course_case *got, const course_case *right, int first, int last, int *wrong) {
    long where;
    for (int i = first; i < last; i++)
        if (right->a[i].role != COURSE_IN &&
            course_error(&got->a[i], &right->a[i], &where) > course_tolerance(right)) {
            if (wrong) *wrong = i;
            return false;
        }
    return true;
}

course_case course_modelled(const course_case *given, unsigned slips) {
    course_case c;
    if (!course_case_copy(&c, given)) abort(); /* out of memory, as when drawing a case */
    c.of->model(&c, slips);
    for (int i = 0; i < c.arrays; i++) /* a number too large for float comes back as infinity */
        for (long k = 0; k < c.a[i].count; k++)
            if (fabs(c.a[i].data[k]) > FLT_MAX) c.a[i].data[k] = copysign(INFINITY, c.a[i].data[k]);
    return c;
}
