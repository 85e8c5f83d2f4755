/* How far numbers are from what they should be. */
#include "marking.h"

#include <math.h>

double course_tolerance(const course_case *c) {
    return c->tolerance > 0 ? c->tolerance : c->of->tolerance > 0 ? c->of->tolerance : 1e-4;
}

static bool same_beyond(double a, double b) { /* of two numbers that are not both finite */
    return (isnan(a) && isnan(b)) || a == b;
}

double course_error(const course_array *got, const course_array *right, long *where) {
    double scale = 0, worst = 0;
    *where = 0;
    for (long i = 0; i < right->count; i++)
        if (isfinite(right->data[i])) scale = fmax(scale, fabs(right->data[i]));
    if (!(scale > 0)) scale = 1;
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
