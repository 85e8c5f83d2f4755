/* Between the marker's own files: drawing, running, comparing, diagnosing, reporting. */
#ifndef COURSE_MARKING_H
#define COURSE_MARKING_H

#include "exercise.h"

enum { COURSE_WHY = 512 };

/* ---- draw.c ---- */

/* A case of that kind, complete: the draw's inputs, garbage in what is to be written, random numbers in what is added to. The
 * same for the same seed, exercise, kind and number. course_case_free. */
void course_draw(course_case *c, const course_exercise *of, course_kind kind, uint64_t seed, int number);

/* ---- child.c: the student's function runs in a process of its own ---- */

typedef enum course_end {
    COURSE_ANSWERED,
    COURSE_CRASHED,
    COURSE_LEFT,
    COURSE_LATE,
    COURSE_UNKNOWN,
    COURSE_SYSTEM
} course_end;

typedef struct course_answer {
    course_end end;
    int signal;     /* COURSE_CRASHED: which; COURSE_LEFT: the exit status */
    long blocks;    /* that were never given back */
    bool touched;   /* a guard is not as it was */
    char where[24]; /* the array whose guard it was */
} course_answer;

/* What the runner may use: seconds of processor and of the clock, bytes of memory (0: no limit, as sanitizers need). */
typedef struct course_limits {
    double seconds;
    size_t memory;
} course_limits;

/* Has the program at `runner` answer `calls` cases one after another in one process; their arrays are replaced by what came
 * back. answers [calls]. What the program printed goes to `said` [said_size], harmless for a terminal; NULL: nowhere. */
void course_run(const char *runner, course_limits limits, course_case *cases, int calls,
                course_answer *answers, char *said, size_t said_size);

/* ---- compare.c ---- */

/* Largest |got - right| over the array, by its largest |right|; NaN equals NaN, infinity infinity; any other that is not finite is
 * infinitely far. *where: the element. */
double course_error(const course_array *got, const course_array *right, long *where);
/* Do all outputs from array `first` to `last` (not included) agree? If not, *wrong is the first array that does not. */
bool course_agrees(const course_case *got, const course_case *right, int first, int last, int *wrong);
double course_tolerance(const course_case *c);

/* ---- diagnose.c ---- */

enum { COURSE_TRIES = 3 }; /* cases that a name must fit */

/* Bits of the slips which, made besides those in `known`, give arrays first … last in every try. given[i] as drawn, got[i] as the student's
 * function left it, COURSE_TRIES of each. */
unsigned course_fitting(const course_exercise *of, const course_case *given, const course_case *got,
                        unsigned known, int first, int last);

/* Says in `why` what the numbers look like; nothing if they are right but for the slips in `known`. Only slips in `possible` are named:
 * those that fit what has been seen elsewhere. Returns the slip that it named, -1 if none fits or more than one. */
int course_diagnose(const course_exercise *of, const course_case *given, const course_case *got,
                    unsigned known, unsigned possible, int first, int last, char why[COURSE_WHY]);

/* ---- mark.c ---- */

typedef struct course_check {
    const char *function, *what; /* "softmax_backward", "odd sizes" */
    const char *group;           /* "forward", "backward", "invariants", "robustness" */
    double points, of;
    char why[COURSE_WHY]; /* "" if all is well */
} course_check;

typedef struct course_marks {
    const course_task *task;
    int tier, checks;
    course_check check[256];
    double points; /* of 100 */
} course_marks;

/* runners: the same code at -O0 and at -O2 (NULL-terminated). */
void course_mark(course_marks *m, const course_task *task, int tier, const char *const *runners,
                 uint64_t seed, course_limits limits);

/* ---- report.c ---- */

void course_print(const course_marks *m, FILE *to);
void course_json(const course_marks *m, FILE *to);

#endif
