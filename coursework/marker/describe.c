/* Describes wrong numbers that no known mistake explains: what they have in common, and the first wrong element. */
#include "marking.h"

#include <math.h>
#include <string.h>

void course_place(const course_array *a, long at, char text[96]) {
    size_t used = (size_t)snprintf(text, 96, "%s", a->name);
    long rest = at, size = a->count;
    for (int i = 0; i < a->rank && a->count > 0 && used < 72; i++) {
        size /= a->dim[i];
        used += (size_t)snprintf(text + used, 96 - used, "[%ld]", rest / size);
        rest %= size;
    }
}

/* One try, and its first wrong array. */
typedef struct view {
    const course_case *given, *got, *right;
    int first, wrong;
    const course_array *before, *yours, *theirs;
    double far; /* an element further than this from the right one is wrong */
} view;

static bool is_wrong(const view *v, long k) {
    const double a = v->yours->data[k], b = v->theirs->data[k];
    if (isfinite(a) && isfinite(b)) return fabs(a - b) > v->far;
    return !(a == b || (isnan(a) && isnan(b)));
}

/* " (rows 3, columns 7)" */
static void say_sizes(const course_case *c, char text[128]) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < COURSE_SIZES; i++)
        if (c->n_name[i] && used < 96)
            used += (size_t)snprintf(text + used, 128 - used, "%s%s %ld", used ? ", " : " (", c->n_name[i],
                                     c->n[i]);
    if (used > 0 && used < 127) strcpy(text + used, ")");
}

/* ---- what all tries have in common ---- */

static bool nothing_written(const course_tries *t, int i) {
    long elements = 0;
    for (int k = 0; k < COURSE_TRIES; k++)
        for (long e = 0; e < t->got[k].a[i].count; e++, elements++)
            if (t->got[k].a[i].data[e] != t->given[k].a[i].data[e]) return false;
    return elements > 0;
}

static bool all_zero(const course_tries *t, int i) {
    for (int k = 0; k < COURSE_TRIES; k++)
        if (course_largest(&t->got[k].a[i]) != 0) return false;
    return true;
}

/* Is it allocated memory that was never written? child.c has new memory filled with one byte. */
static bool never_set(const course_array *a) {
    float left[2];
    memset(&left[0], 0x5a, sizeof *left), memset(&left[1], 0xaa, sizeof *left);
    for (long k = 0; k < a->count; k++)
        if (a->data[k] != (double)left[0] && a->data[k] != (double)left[1]) return false;
    return a->count > 0;
}

static bool is_a_copy(const course_case *c, int i) { /* of an input */
    const course_array *a = &c->a[i];
    for (int k = 0; k < c->arrays; k++)
        if (c->a[k].role == COURSE_IN && c->a[k].count == a->count &&
            memcmp(c->a[k].data, a->data, (size_t)a->count * sizeof(double)) == 0)
            return true;
    return false;
}

bool course_untouched(const course_tries *t) {
    for (int i = 0; i < t->got[0].arrays; i++) {
        if (t->got[0].a[i].role == COURSE_IN || nothing_written(t, i) || all_zero(t, i)) continue;
        for (int k = 0; k < COURSE_TRIES; k++)
            if (!never_set(&t->got[k].a[i]) && !is_a_copy(&t->got[k], i)) return false;
    }
    return true;
}

/* ---- descriptions of one try ---- */

static bool not_finite(const view *v, char *why) {
    char at[96], sizes[128];
    for (long k = 0; k < v->theirs->count; k++) {
        if (isfinite(v->yours->data[k]) || !is_wrong(v, k)) continue;
        course_place(v->theirs, k, at);
        say_sizes(v->given, sizes);
        if (isnan(v->yours->data[k]))
            snprintf(why, COURSE_WHY,
                     "%s is NaN, should be %.6g: 0/0, or infinity minus infinity, or what was never set%s",
                     at, v->theirs->data[k], sizes);
        else
            snprintf(why, COURSE_WHY,
                     "%s is %sinfinity, should be %.6g: something overflows, or is divided by 0%s", at,
                     v->yours->data[k] < 0 ? "-" : "", v->theirs->data[k], sizes);
        return true;
    }
    return false;
}

/* Every wrong element is as it was before the call. */
static bool partly_written(const view *v, char *why) {
    long left = 0, at = -1;
    for (long k = 0; k < v->theirs->count; k++) {
        if (!is_wrong(v, k)) continue;
        if (v->yours->data[k] != v->before->data[k]) return false;
        if (at < 0) at = k;
        left++;
    }
    if (at < 0) return false;
    char place[96], sizes[128];
    course_place(v->theirs, at, place);
    say_sizes(v->given, sizes);
    snprintf(why, COURSE_WHY, "part of %s was never written, %ld of %ld elements, the first of them %s%s",
             v->theirs->name, left, v->theirs->count, place, sizes);
    return true;
}

/* A row's sum; for a gradient, of what was added. */
static double row_sum(const view *v, const course_array *a, long row) {
    const long n = a->dim[a->rank - 1];
    double sum = 0;
    for (long k = row * n; k < (row + 1) * n; k++)
        sum += a->data[k] - (a->role == COURSE_ADD ? v->before->data[k] : 0);
    return sum;
}

/* All right rows have the same sum, but one of these has another. */
static bool row_sums(const view *v, char *why) {
    const course_array *a = v->theirs;
    const long n = a->rank > 0 ? a->dim[a->rank - 1] : 0, rows = n > 0 ? a->count / n : 0;
    if (n < 2 || rows < 2) return false;
    const double all = row_sum(v, a, 0);
    for (long r = 1; r < rows; r++)
        if (!(fabs(row_sum(v, a, r) - all) <= 1e-9 * (1 + course_largest(a)))) return false;
    for (long r = 0; r < rows; r++) {
        const double sum = row_sum(v, v->yours, r);
        if (fabs(sum - all) <= 1e-3 * (1 + course_largest(a))) continue;
        snprintf(why, COURSE_WHY, "row %ld of %s%s sums to %.4g; each row's sum should be %.4g", r,
                 a->role == COURSE_ADD ? "what you add to " : "your ", a->name, sum,
                 round(all * 1e6) / 1e6 + 0.0);
        return true;
    }
    return false;
}

/* "scores, mask are right; the first array that is wrong is p: " */
static void say_stages(const view *v, char text[256]) {
    size_t used = 0;
    int before = 0;
    text[0] = '\0';
    for (int i = v->first; i < v->wrong; i++)
        if (v->right->a[i].role != COURSE_IN && used < 160)
            used +=
                (size_t)snprintf(text + used, 256 - used, "%s%s", before++ ? ", " : "", v->right->a[i].name);
    snprintf(text + used, 256 - used, "%sthe first array that is wrong is %s: ",
             before > 1 ? " are right; "
             : before   ? " is right; "
                        : "",
             v->theirs->name);
}

static void say_where(const view *v, char *why) {
    long wrong = 0, at = -1;
    for (long k = 0; k < v->theirs->count; k++)
        if (is_wrong(v, k)) {
            if (at < 0) at = k;
            wrong++;
        }
    if (at < 0) at = 0;
    char place[96], stages[256], sizes[128];
    course_place(v->theirs, at, place);
    say_stages(v, stages);
    say_sizes(v->given, sizes);
    if (wrong > 1)
        snprintf(why, COURSE_WHY, "%s%s is %.6g, should be %.6g, and %ld more of %ld elements are wrong%s",
                 stages, place, v->yours->data[at], v->theirs->data[at], wrong - 1, v->theirs->count, sizes);
    else
        snprintf(why, COURSE_WHY, "%s%s is %.6g, should be %.6g%s", stages, place, v->yours->data[at],
                 v->theirs->data[at], sizes);
}

/* ---- all descriptions, the most specific first ---- */

static bool unnamed_ratio(const course_tries *t, const course_case right[COURSE_TRIES], int i, char *why) {
    double ratio[COURSE_TRIES];
    for (int k = 0; k < COURSE_TRIES; k++)
        if (!course_constant_ratio(&t->given[k].a[i], &t->got[k].a[i], &right[k].a[i], &ratio[k]))
            return false;
    snprintf(why, COURSE_WHY,
             "your %s is the right one times a constant (%.4g, %.4g and %.4g in three cases)",
             right[0].a[i].name, ratio[0], ratio[1], ratio[2]);
    return true;
}

void course_describe(const course_tries *t, const course_case right[COURSE_TRIES], int first, int last,
                     char why[COURSE_WHY]) {
    int which = 0, i = first; /* the first try that shows it, and its array */
    while (which < COURSE_TRIES && course_agrees(&t->got[which], &right[which], first, last, &i)) which++;
    if (which == COURSE_TRIES) return;
    const course_array *theirs = &right[which].a[i];
    const double largest = course_largest(theirs);
    const view v = {.given = &t->given[which],
                    .got = &t->got[which],
                    .right = &right[which],
                    .first = first,
                    .wrong = i,
                    .before = &t->given[which].a[i],
                    .yours = &t->got[which].a[i],
                    .theirs = theirs,
                    .far = course_tolerance(&right[which]) * (largest > 0 ? largest : 1)};
    if (nothing_written(t, i))
        snprintf(why, COURSE_WHY, "%s is as it was before the call: nothing was written to it", theirs->name);
    else if (never_set(v.yours))
        snprintf(why, COURSE_WHY, "nothing was written to %s: it holds what its memory held before",
                 theirs->name);
    else if (not_finite(&v, why) || partly_written(&v, why))
        return;
    else if (all_zero(t, i))
        snprintf(why, COURSE_WHY, "your %s is 0 everywhere", theirs->name);
    else if (!unnamed_ratio(t, right, i, why) && !row_sums(&v, why))
        say_where(&v, why);
}
