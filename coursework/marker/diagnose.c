/* What wrong numbers look like. A mistake is named only if exactly one of the list gives these numbers in every try, and the right
 * one does not; else what can be said of the numbers themselves is said: a constant ratio, a transposition, rows that do not sum
 * to what they should; else where they are wrong first. */
#include "marking.h"

#include <math.h>
#include <string.h>

/* The model's numbers for each try. */
static bool compute(const course_exercise *of, const course_case *given, unsigned slips,
                    course_case right[COURSE_TRIES]) {
    for (int i = 0; i < COURSE_TRIES; i++) {
        if (!course_case_copy(&right[i], &given[i])) {
            while (i-- > 0) course_case_free(&right[i]);
            return false;
        }
        of->model(&right[i], slips);
    }
    return true;
}

static void forget(course_case right[COURSE_TRIES]) {
    for (int i = 0; i < COURSE_TRIES; i++) course_case_free(&right[i]);
}

static bool fits(const course_exercise *of, const course_case *given, const course_case *got, unsigned slips,
                 int first, int last) {
    course_case right[COURSE_TRIES];
    if (!compute(of, given, slips, right)) return false;
    bool all = true;
    for (int i = 0; all && i < COURSE_TRIES; i++) all = course_agrees(&got[i], &right[i], first, last, NULL);
    forget(right);
    return all;
}

/* ---- without a name ---- */

/* got = ratio · right in every element? */
static bool constant_ratio(const course_array *got, const course_array *right, double *ratio) {
    long largest = 0;
    for (long i = 0; i < right->count; i++)
        if (fabs(right->data[i]) > fabs(right->data[largest])) largest = i;
    if (right->count < 2 || right->data[largest] == 0) return false;
    *ratio = got->data[largest] / right->data[largest];
    for (long i = 0; i < right->count; i++)
        if (!(fabs(got->data[i] - *ratio * right->data[i]) <= 1e-4 * fabs(*ratio * right->data[largest])))
            return false;
    return isfinite(*ratio) && *ratio != 0;
}

/* A ratio as an expression in sizes that is the same in every try; "" if there is none. */
static void name_ratio(const course_case *given, const double ratio[COURSE_TRIES], char text[64]) {
    static const struct {
        const char *format;
        double power;
    } forms[] = {{"%s", 1}, {"1/%s", -1}, {"√%s", 0.5}, {"1/√%s", -0.5}};
    static const double numbers[] = {-1, 2, 0.5, -2, -0.5};
    text[0] = '\0';
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        bool all = true;
        for (int i = 0; i < COURSE_TRIES; i++) all &= fabs(ratio[i] / numbers[k] - 1) < 1e-3;
        if (all) snprintf(text, 64, "%g", numbers[k]);
    }
    for (int n = 0; !*text && n < COURSE_SIZES; n++)
        for (size_t f = 0; given->n_name[n] && f < sizeof forms / sizeof *forms; f++) {
            bool all = true;
            for (int i = 0; i < COURSE_TRIES; i++)
                all &= fabs(fabs(ratio[i]) / pow((double)given[i].n[n], forms[f].power) - 1) < 1e-3;
            if (!all) continue;
            char form[48];
            snprintf(form, sizeof form, forms[f].format, given->n_name[n]);
            snprintf(text, 64, "%s%s", ratio[0] < 0 ? "-" : "", form);
        }
}

static bool transposed(const course_array *got, const course_array *right, double tolerance) {
    if (right->rank < 2) return false;
    const long m = right->dim[right->rank - 2], n = right->dim[right->rank - 1];
    if (m < 2 || n < 2) return false;
    course_array turned = *right;
    bool same = true;
    double scale = 0;
    for (long i = 0; i < right->count; i++) scale = fmax(scale, fabs(right->data[i]));
    for (long at = 0; same && at < turned.count; at += m * n)
        for (long i = 0; i < m; i++)
            for (long j = 0; j < n; j++)
                same &= fabs(got->data[at + j * m + i] - right->data[at + i * n + j]) <= tolerance * scale;
    return same;
}

static double row_sum(const course_array *a, long row) {
    const long n = a->dim[a->rank - 1];
    double sum = 0;
    for (long k = 0; k < n; k++) sum += a->data[row * n + k];
    return sum;
}

/* Where all right rows have one sum and one of these has another. */
static bool row_sums(const course_array *got, const course_array *right, char *why) {
    const long n = right->rank > 0 ? right->dim[right->rank - 1] : 0, rows = n > 0 ? right->count / n : 0;
    if (n < 2 || rows < 2) return false;
    const double all = row_sum(right, 0);
    for (long r = 1; r < rows; r++)
        if (fabs(row_sum(right, r) - all) > 1e-9) return false;
    for (long r = 0; r < rows; r++)
        if (fabs(row_sum(got, r) - all) > 1e-3) {
            snprintf(why, COURSE_WHY, "row %ld of your %s sums to %.4g; each row's sum should be %.4g", r,
                     right->name, row_sum(got, r), all + 0.0);
            return true;
        }
    return false;
}

static void place(const course_array *a, long at, char text[96]) {
    size_t used = (size_t)snprintf(text, 96, "%s", a->name);
    long rest = at, size = a->count;
    for (int i = 0; i < a->rank && used < 80; i++) {
        size /= a->dim[i];
        used += (size_t)snprintf(text + used, 96 - used, "[%ld]", rest / size);
        rest %= size;
    }
}

static void describe(const course_exercise *of, const course_case *given, const course_case *got, int first,
                     int last, char *why) {
    course_case right[COURSE_TRIES];
    int wrong = -1;
    if (!compute(of, given, 0, right)) return;
    int which = 0; /* the first try that shows it */
    while (which < COURSE_TRIES && course_agrees(&got[which], &right[which], first, last, &wrong)) which++;
    if (wrong < 0) {
        forget(right);
        return;
    }
    const course_array *yours = &got[which].a[wrong], *theirs = &right[which].a[wrong];
    double ratio[COURSE_TRIES];
    bool ratios = true, turned = true, untouched = true, overwritten = theirs->role == COURSE_ADD;
    for (int i = 0; i < COURSE_TRIES; i++) {
        const course_array *a = &got[i].a[wrong], *b = &right[i].a[wrong], *before = &given[i].a[wrong];
        course_array less = *b, only = *a;
        (void)less, (void)only;
        ratios &= a->role == COURSE_OUT && constant_ratio(a, b, &ratio[i]);
        turned &= transposed(a, b, course_tolerance(&right[i]));
        for (long k = 0; k < b->count; k++) {
            untouched &= a->data[k] == before->data[k];
            overwritten &= fabs(a->data[k] + before->data[k] - b->data[k]) <= 1e-4 * (1 + fabs(b->data[k]));
        }
    }
    char name[64], at[96];
    if (ratios) name_ratio(given, ratio, name);
    long where;
    course_error(yours, theirs, &where);
    place(theirs, where, at);
    if (untouched)
        snprintf(why, COURSE_WHY, "%s is as it was before the call: nothing was written to it", theirs->name);
    else if (overwritten)
        snprintf(why, COURSE_WHY,
                 "your %s overwrites what was there: a gradient is added to what others have given",
                 theirs->name);
    else if (ratios && *name)
        snprintf(why, COURSE_WHY, "your %s is the right one times %s", theirs->name, name);
    else if (ratios)
        snprintf(why, COURSE_WHY, "your %s is the right one times a constant (%.4g here)", theirs->name,
                 ratio[0]);
    else if (turned)
        snprintf(why, COURSE_WHY, "your %s is the right one transposed", theirs->name);
    else if (!row_sums(yours, theirs, why))
        snprintf(why, COURSE_WHY, "the first array that is wrong is %s: %s is %.6g, should be %.6g",
                 theirs->name, at, yours->data[where], theirs->data[where]);
    forget(right);
}

unsigned course_fitting(const course_exercise *of, const course_case *given, const course_case *got,
                        unsigned known, int first, int last) {
    unsigned all = 0;
    for (int k = 0; of->slips && of->slips[k].name; k++)
        if (!(known & COURSE_SLIP(k)) && fits(of, given, got, known | COURSE_SLIP(k), first, last))
            all |= COURSE_SLIP(k);
    return all;
}

int course_diagnose(const course_exercise *of, const course_case *given, const course_case *got,
                    unsigned known, unsigned possible, int first, int last, char why[COURSE_WHY]) {
    why[0] = '\0';
    if (fits(of, given, got, known, first, last)) return -1;
    const unsigned fitting = possible & course_fitting(of, given, got, known, first, last);
    if (fitting && !(fitting & (fitting - 1))) { /* one */
        int named = 0;
        while (fitting >> named != 1) named++;
        snprintf(why, COURSE_WHY, "your numbers equal %s", of->slips[named].says);
        return named;
    }
    describe(of, given, got, first, last, why);
    return -1;
}
