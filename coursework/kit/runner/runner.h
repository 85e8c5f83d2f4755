/* The runner: a small program that contains the student's function. The marker starts it, sends it the numbers of a
 * call, and gets raw arrays back. The runner never knows the right answers, so nothing in it can give them away.
 *
 * Each exercise has a file beside this one that unpacks a call into the student's own arguments:
 *
 *     static void forward(const course_call *c) { softmax_forward(c->a[0], c->a[1], c->n[0], c->n[1]); }
 *     const course_function course_functions[] = {{"softmax_forward", forward}, {0}};
 * */
#ifndef COURSE_RUNNER_H
#define COURSE_RUNNER_H

#include <stddef.h>

enum {
    COURSE_SIZES = 12,  /* the most integers of a call; sizes come first */
    COURSE_NUMBERS = 6, /* the most other numbers of a call: an epsilon, a rate */
    COURSE_ARRAYS = 16, /* the most arrays of a call */
    COURSE_NAME = 40,   /* bytes of a function's name, the last one 0 */
    COURSE_GUARD = 16   /* floats before and after each array, which must not be changed */
};

/* Special cases of an operation on a tape (tier 2). */
enum {
    COURSE_STRIDED = 1, /* inputs are strided views */
    COURSE_SHARED = 2,  /* one variable is used as two inputs */
    COURSE_FROZEN = 4   /* shifted by i: input i needs no gradient */
};

typedef struct course_call {
    const char *function;
    unsigned flags;
    const long *n;     /* [COURSE_SIZES] */
    const double *p;   /* [COURSE_NUMBERS] */
    float *const *a;   /* the arrays, in the order of the exercise's declaration; never NULL */
    const long *count; /* elements of each */
    int arrays;
} course_call;

typedef struct course_function {
    const char *name;
    void (*call)(const course_call *c);
} course_function;

extern const course_function course_functions[]; /* ended by {0} */

/* Array i as integers (targets, lengths), valid until the call returns. */
const int *course_ints(const course_call *c, int i);

#endif
