/* What the marker knows of an exercise: how its cases are drawn, the right numbers, and the mistakes that people make.
 *
 * One function in double, the model, computes the right numbers, or with slip k those of a program that makes mistake
 * k, or with several slips those of a program that makes them all. A mistake is one line in the model, next to the
 * right one, and the tests can try every mistake and every pair without compiling a student's file.
 *
 * A case is one call of the student's function: sizes, numbers and arrays, in the order in which the runner gets them
 * (kit/runner/runner.h). All arrays are row-major. */
#ifndef COURSE_EXERCISE_H
#define COURSE_EXERCISE_H

#include "../kit/runner/runner.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* ---- random numbers: the same for the same seed everywhere ---- */

typedef struct course_rng {
    uint64_t state;
} course_rng;
/* A separate stream for each text (a task, a kind of case, a student's number). */
course_rng course_rng_of(uint64_t seed, const char *stream);
double course_uniform(course_rng *rng);                    /* [0, 1) */
long course_between(course_rng *rng, long low, long high); /* both included */
double course_normal(course_rng *rng);                     /* mean 0, variance 1, rounded to float */

/* ---- cases ---- */

typedef enum course_role {
    COURSE_IN,  /* must not change */
    COURSE_OUT, /* every element must be written; garbage before */
    COURSE_ADD  /* a gradient to add to; random numbers before */
} course_role;

typedef struct course_array {
    char name[24]; /* as in the handout and the student's prototype: "dx" */
    course_role role;
    int rank;
    long dim[4], count;
    double *data; /* [count], all values representable as float */
} course_array;

typedef struct course_case {
    const struct course_exercise *of;
    int kind;
    unsigned flags; /* COURSE_STRIDED … */
    long n[COURSE_SIZES];
    const char *n_name[COURSE_SIZES]; /* "d_k", for sentences; NULL: not a size */
    double p[COURSE_NUMBERS];
    int arrays;
    course_array a[COURSE_ARRAYS];
    /* 0: the exercise's. A draw sets another one if float itself is less exact (rows of 1e4 plus noise). */
    double tolerance;
} course_case;

/* A new array of the case, zeroed. The exercise's draw fills it if it is COURSE_IN; others are filled by the caller
 * of the draw (garbage, random numbers). dims: `rank` sizes, which may be 0. */
double *course_array_new(course_case *c, course_role role, const char *name, int rank, const long *dims);
#define COURSE_DIMS(...) \
 (int)(sizeof(long[]){__VA_ARGS__} / sizeof(long)), (const long[]) { __VA_ARGS__ }
/* A COURSE_IN array of independent normal numbers times scale. */
double *course_array_normal(course_case *c, const char *name, double scale, course_rng *rng, int rank,
                            const long *dims);
/* the array of that name; NULL if there is none */
double *course_data(const course_case *c, const char *name);
bool course_case_copy(course_case *to, const course_case *from); /* false: out of memory */
void course_case_free(course_case *c);

/* ---- kinds of cases; an exercise says which ones it has ---- */

typedef enum course_kind {
    /* cases that give forward or backward points: */
    COURSE_ODD,     /* unequal odd sizes, batch above 1; used for diagnosis */
    COURSE_ONE,     /* every size 1 */
    COURSE_PRIME,   /* larger primes */
    COURSE_VIEWS,   /* tier 2: inputs are strided views (COURSE_STRIDED is set) */
    COURSE_TWICE,   /* tier 2: one variable as two inputs (COURSE_SHARED is set) */
    COURSE_FROZENS, /* tier 2: inputs frozen in turn */
    COURSE_MASKED,  /* partly masked, if the exercise has a mask */
    /* cases that give robustness points: */
    COURSE_EMPTY,   /* a size is 0 */
    COURSE_LARGE,   /* numbers of ±1e4 */
    COURSE_EQUAL,   /* all numbers equal */
    COURSE_NOTHING, /* everything masked */
    COURSE_KINDS
} course_kind;
extern const char *const course_kind_name[COURSE_KINDS];
#define COURSE_HAS(kind) (1u << (kind))

/* ---- exercises and tasks ---- */

/* Mistake k of the list is bit k of a model's `slips`. */
typedef struct course_slip {
    const char *name; /* "no second term": its name in the handout */
    /* the rest of "your numbers equal …": "those of softmax's backward without its second term" */
    const char *says;
} course_slip;
#define COURSE_SLIP(k) (1u << (k))

typedef struct course_invariant {
    const char *name; /* "rows sum to 1" */
    /* Checks the student's result: true if the invariant holds, otherwise a sentence in `why` [256]. `given` is the
     * case as drawn, `got` the same case after the call. */
    bool (*holds)(const course_case *given, const course_case *got, char *why);
} course_invariant;

typedef enum course_part {
    COURSE_FORWARD,
    COURSE_BACKWARD,
    COURSE_BOTH /* a tier 2 operation: y, then gradients */
} course_part;

typedef struct course_exercise {
    const char *function; /* "softmax_backward": the student's function, or in tier 2 the operation */
    course_part part;
    unsigned kinds; /* COURSE_HAS(…) of its kinds; always has COURSE_ODD */
    /* Makes sizes, numbers and arrays of a case of that kind. Everything follows from rng. */
    void (*draw)(course_case *c, course_kind kind, course_rng *rng);
    /* Fills the COURSE_OUT arrays, and adds to the COURSE_ADD ones, in double. Outputs are in the order of their
     * stages (scores, probabilities, y): the first wrong one is reported. */
    void (*model)(course_case *c, unsigned slips);
    const course_slip *slips;           /* ended by {0}; at most 31 */
    const course_invariant *invariants; /* ended by {0}; NULL: none */
    int gradients;                      /* COURSE_BOTH: arrays from this one on belong to backward */
    double tolerance;                   /* |yours - right| / the array's largest |right|; 0: 1e-4 */
} course_exercise;

typedef struct course_question { /* predict before you run */
    const char *text;            /* one line, as in the handout */
    double answer, tolerance;
} course_question;

struct course_marks; /* marking.h */

typedef struct course_task {
    int number;
    const char *name;  /* "softmax": folder 03-softmax, files softmax.c and softmax_op.c */
    const char *title; /* "Softmax and cross-entropy" */
    double hours;
    bool optional;
    const course_exercise *tier1, *tier2; /* ended by {0}; NULL: this task has none */
    /* tier 2: operations that the student's file replaces, without tl_, ended by NULL */
    const char *const *operations;
    /* besides what every file of that tier may call (allowed.c); ended by NULL */
    const char *const *allowed[2];
    course_question questions[2];
    void (*example)(FILE *to); /* prints the worked example's numbers, as in the handout */
    /* For a task whose folder is marked instead of functions (task 9): fills checks and points. */
    void (*mark_folder)(struct course_marks *m, const char *folder, uint64_t seed, const char *student);
    /* prints this student's questions; NULL: all students have the same */
    void (*tell)(const char *student, FILE *to);
} course_task;

extern const course_task *const course_tasks[];         /* in order, ended by NULL (tasks.c) */
const course_task *course_task_named(const char *name); /* NULL if there is none */

#endif
