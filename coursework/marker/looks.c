/* How wrong numbers look, whatever their cause: the right ones times a factor, or in another order, or without what
 * was there before. For a gradient only the added part is compared. */
#include "marking.h"

#include <math.h>
#include <string.h>

static double made(const course_array *before, const course_array *a, long k) {
    return a->role == COURSE_ADD ? a->data[k] - before->data[k] : a->data[k];
}

/* How far a float may be from `times` the right number. The sum with what was there before was rounded, and with it the
 * added part. */
static double slack(const course_array *before, const course_array *right, double times, double tolerance) {
    double largest = 0;
    for (long k = 0; k < right->count; k++) largest = fmax(largest, fabs(made(before, right, k)));
    return tolerance * fabs(times) * largest +
           (right->role == COURSE_ADD ? 1e-6 * course_largest(before) : 0);
}

/* ---- ratios ---- */

static bool is_times(const course_array *before, const course_array *got, const course_array *right,
                     double times, double tolerance) {
    const double far = slack(before, right, times, tolerance);
    for (long k = 0; k < right->count; k++)
        if (!(fabs(made(before, got, k) - times * made(before, right, k)) <= far)) return false;
    return true;
}

bool course_constant_ratio(const course_array *given, const course_array *got, const course_array *right,
                           double *ratio) {
    long largest = 0;
    for (long k = 0; k < right->count; k++)
        if (fabs(made(given, right, k)) > fabs(made(given, right, largest))) largest = k;
    if (right->count < 2 || made(given, right, largest) == 0) return false;
    *ratio = made(given, got, largest) / made(given, right, largest);
    return isfinite(*ratio) && fabs(*ratio) > 1e-6 && is_times(given, got, right, *ratio, 1e-4);
}

static double ratio_of(const course_ratio *r, const course_case *c) {
    double value = r->times;
    for (int i = 0; i < 2; i++)
        if (r->n[i] >= 0) value *= pow((double)c->n[r->n[i]], r->power[i]);
    return value;
}

/* Does the ratio have this value in every try, and not by coincidence? A size in it must differ between tries. */
static bool has_value(const course_ratio *r, const course_tries *t, const double ratio[COURSE_TRIES]) {
    bool differs = r->n[0] < 0;
    for (int i = 0; i < COURSE_TRIES; i++) {
        const double value = ratio_of(r, &t->given[i]);
        if (!(fabs(ratio[i] / value - 1) < 1e-3)) return false;
        differs |= value != ratio_of(r, &t->given[0]);
    }
    return differs;
}

/* The only expression in that many sizes with these values; false if there is none, or more than one. */
static bool expression(const course_tries *t, const double ratio[COURSE_TRIES], int sizes,
                       course_ratio *found) {
    static const double numbers[] = {-1, 2, 0.5, -2, -0.5, 4, 0.25}, signs[] = {1, -1},
                        powers[] = {1, -1, 0.5, -0.5};
    int fitting = 0;
    for (size_t k = 0; sizes == 0 && k < sizeof numbers / sizeof *numbers; k++) {
        const course_ratio r = {numbers[k], {0, 0}, {-1, -1}};
        if (has_value(&r, t, ratio)) *found = r, fitting++;
    }
    const course_case *c = &t->given[0];
    for (int i = 0; sizes > 0 && i < COURSE_SIZES; i++)
        for (int j = sizes == 1 ? -1 : i + 1; c->n_name[i] && j < (sizes == 1 ? 0 : COURSE_SIZES); j++)
            for (int p = 0; p < 4; p++)
                for (int q = 0; q < (sizes == 1 ? 1 : 2); q++)
                    for (int s = 0; s < 2; s++) {
                        if (j >= 0 && !c->n_name[j]) continue;
                        const course_ratio r = {signs[s], {powers[p], q ? -powers[p] : powers[p]}, {i, j}};
                        if (has_value(&r, t, ratio)) *found = r, fitting++;
                    }
    return fitting == 1;
}

/* "-1/√d_k", "rows·columns", "n/m", "0.5" */
static void write_ratio(const course_ratio *r, const course_case *c, char text[96]) {
    if (r->n[0] < 0) {
        snprintf(text, 96, "%g", r->times);
        return;
    }
    const bool root = fabs(r->power[0]) < 1, both = r->n[1] >= 0, split = both && r->power[0] != r->power[1];
    char *to = text;
    const char *end = text + 96;
    to += snprintf(to, (size_t)(end - to), "%s%s%s", r->times < 0 ? "-" : "",
                   r->power[0] < 0 && !split ? "1/" : "", root ? "√" : "");
    const char *a = c->n_name[r->n[0]], *b = both ? c->n_name[r->n[1]] : NULL;
    if (!both)
        snprintf(to, (size_t)(end - to), "%s", a);
    else if (!split)
        snprintf(to, (size_t)(end - to), r->power[0] < 0 || root ? "(%s·%s)" : "%s·%s", a, b);
    else
        snprintf(to, (size_t)(end - to), root ? "(%s/%s)" : "%s/%s", r->power[0] > 0 ? a : b,
                 r->power[0] > 0 ? b : a);
}

static bool find_ratio(const course_tries *t, const course_case right[COURSE_TRIES], int i, course_ratio *r) {
    double ratio[COURSE_TRIES];
    for (int k = 0; k < COURSE_TRIES; k++)
        if (!course_constant_ratio(&t->given[k].a[i], &t->got[k].a[i], &right[k].a[i], &ratio[k]))
            return false;
    for (int sizes = 0; sizes <= 2; sizes++)
        if (expression(t, ratio, sizes, r)) return true;
    return false;
}

/* ---- another order ---- */

/* The index of the element that belongs at k if `axis` and the next one are exchanged in memory. */
static long swapped_at(const course_array *a, int axis, long k) {
    long after = 1;
    for (int i = axis + 2; i < a->rank; i++) after *= a->dim[i];
    const long m = a->dim[axis], n = a->dim[axis + 1];
    const long inner = k % after, j = k / after % n, i = k / after / n % m, outer = k / after / n / m;
    return ((outer * n + j) * m + i) * after + inner;
}

static bool is_swapped(const course_array *before, const course_array *got, const course_array *right,
                       int axis, double tolerance) {
    if (axis + 1 >= right->rank || right->dim[axis] < 2 || right->dim[axis + 1] < 2) return false;
    const double far = slack(before, right, 1, tolerance);
    for (long k = 0; k < right->count; k++)
        if (!(fabs(made(before, got, swapped_at(right, axis, k)) - made(before, right, k)) <= far))
            return false;
    return true;
}

/* ---- all looks ---- */

static bool is_overwritten(const course_array *before, const course_array *got, const course_array *right,
                           double tolerance) {
    if (right->role != COURSE_ADD) return false;
    const double far = slack(before, right, 1, tolerance);
    for (long k = 0; k < right->count; k++)
        if (!(fabs(got->data[k] - made(before, right, k)) <= far)) return false;
    return true;
}

bool course_looks_so(const course_look *look, const course_case *given, const course_case *got,
                     const course_case *right, int i) {
    const course_array *before = &given->a[i], *a = &got->a[i], *b = &right->a[i];
    const double tolerance = course_tolerance(right);
    switch (look->what) {
    case COURSE_OVERWRITTEN:
        return is_overwritten(before, a, b, tolerance);
    case COURSE_RATIO:
        return is_times(before, a, b, ratio_of(&look->ratio, given), tolerance);
    case COURSE_SWAPPED:
        return is_swapped(before, a, b, look->axis, tolerance);
    case COURSE_PLAIN:
        break;
    }
    return false;
}

static bool in_all(const course_look *look, const course_tries *t, const course_case right[COURSE_TRIES],
                   int i) {
    for (int k = 0; k < COURSE_TRIES; k++)
        if (!course_looks_so(look, &t->given[k], &t->got[k], &right[k], i)) return false;
    return true;
}

bool course_find_look(const course_tries *t, const course_case right[COURSE_TRIES], int i, course_look *look,
                      char says[COURSE_WHY]) {
    *look = (course_look){.what = COURSE_OVERWRITTEN};
    if (in_all(look, t, right, i)) {
        snprintf(says, COURSE_WHY,
                 "overwrites what was there: a gradient is added to what others have given");
        return true;
    }
    look->what = COURSE_RATIO;
    if (find_ratio(t, right, i, &look->ratio)) {
        char text[96];
        write_ratio(&look->ratio, &t->given[0], text);
        snprintf(says, COURSE_WHY, "is the right one times %s", text);
        return true;
    }
    look->what = COURSE_SWAPPED;
    for (look->axis = right[0].a[i].rank - 2; look->axis >= 0; look->axis--)
        if (in_all(look, t, right, i)) {
            if (look->axis + 2 == right[0].a[i].rank)
                snprintf(says, COURSE_WHY, "is the right one transposed");
            else
                snprintf(says, COURSE_WHY, "is the right one with axes %d and %d exchanged (the first is 0)",
                         look->axis, look->axis + 1);
            return true;
        }
    *look = (course_look){.what = COURSE_PLAIN};
    return false;
}
