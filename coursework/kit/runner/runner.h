/* The runner: a small program with the student's function in it. The marker starts it, sends it the numbers of a call, and
 * gets raw arrays back. It never holds what would be right, so nothing here can give it away.
 *
 * Each exercise has a file beside this one that unpacks a call into the student's own arguments:
 *
 *     static void forward(const course_call *c) { softmax_forward(c->a[0], c->a[1], c->n[0], c->n[1]); }
 *     const course_function course_functions[] = {{"softmax_forward", forward}, {0}};
 */
#ifndef COURSE_RUNNER_H
#define COURSE_RUNNER_H

#include <stddef.h>

enum {
    COURSE_SIZES = 12,  /* whole numbers of a call: sizes first */
    COURSE_NUMBERS = 6, /* its other numbers: an epsilon, a rate */
    COURSE_ARRAYS = 16, /* at most */
    COURSE_NAME = 40,   /* bytes of a function's name, the last one 0 */
    COURSE_GUARD = 16   /* floats before and behind each array that nobody may touch */
};

/* What a case asks of an operation on a tape (tier 2). */
enum {
    COURSE_STRIDED = 1, /* inputs are views whose elements do not lie side by side */
    COURSE_SHARED = 2,  /* one variable stands in two places */
    COURSE_FROZEN = 4   /* times 1 << i: input i wants no gradient */
};

typedef struct course_call {
    const char *function;
    unsigned flags;
    const long *n;     /* [COURSE_SIZES] */
    const double *p;   /* [COURSE_NUMBERS] */
    float *const *a;   /* the arrays, in the order in which the exercise declares them; never NULL */
    const long *count; /* elements of each */
    int arrays;
} course_call;

typedef struct course_function {
    const char *name;
    void (*call)(const course_call *c);
} course_function;

extern const course_function course_functions[]; /* ends with {0} */

/* The whole numbers that array i holds (targets, lengths), until the call returns. */
const int *course_ints(const course_call *c, int i);

#endif
