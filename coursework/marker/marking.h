/* What the marker's files share: drawing, running, comparing, diagnosing, judging, reporting. */
#ifndef COURSE_MARKING_H
#define COURSE_MARKING_H

#include "exercise.h"

enum { COURSE_WHY = 640, COURSE_SAID = 8192, COURSE_JSON = 1 << 22 /* bytes of marks as JSON */ };

/* ---- draw.c ---- */

/* Draws a complete case of that kind: the exercise's inputs, garbage in arrays to be written, random numbers in
 * arrays to be added to. The same for the same seed, exercise, kind and number. Free it with course_case_free. */
void course_draw(course_case *c, const course_exercise *of, course_kind kind, uint64_t seed, int number);
/* The seed of a student's cases: different for each student's number, and always the same. student: "" or any text. */
uint64_t course_seed_of(uint64_t seed, const char *student);

/* ---- child.c: a student's function in a process of its own ---- */

typedef enum course_end {
    COURSE_ANSWERED,
    COURSE_CRASHED,
    COURSE_LEFT,
    COURSE_LATE,
    COURSE_UNKNOWN, /* the runner has no such function */
    COURSE_SYSTEM,  /* no process, or no such program */
    COURSE_FORGED   /* it wrote more than one answer to each call, or other bytes */
} course_end;

typedef struct course_answer {
    course_end end;
    int signal;     /* COURSE_CRASHED: the signal; COURSE_LEFT: the exit status */
    long blocks;    /* blocks that were never freed */
    bool touched;   /* a guard was overwritten */
    char where[24]; /* the array whose guard it was */
    /* if it did not answer, the last line that it printed, or what a sanitizer reported; harmless for a terminal */
    char note[240];
} course_answer;

/* Limits of the runner: seconds of processor and clock time, bytes of memory (0: no limit, as sanitizers need). */
typedef struct course_limits {
    double seconds;
    size_t memory;
} course_limits;

/* Lets the program `runner` answer `calls` cases, one after another in one process; their arrays are replaced by the
 * answers' ones. answers [calls]. What the program printed goes to `said` [said_size] without zero bytes, otherwise
 * unchanged (foreign bytes); NULL: nowhere. */
void course_run(const char *runner, course_limits limits, course_case *cases, int calls,
                course_answer *answers, char *said, size_t said_size);
/* Was the program built with a sanitizer? Then it needs unlimited memory, and more time. */
bool course_is_sanitized(const char *runner);

/* ---- wire.c: calls and answers as bytes ---- */

typedef struct course_bytes {
    unsigned char *data;
    size_t size, room;
} course_bytes;
bool course_append(course_bytes *b, const void *more, size_t size);
/* Packs all calls as the runner reads them; `ticket` comes back with each answer. */
bool course_pack(course_bytes *to, const course_case *cases, int calls, unsigned ticket);
size_t course_answer_size(const course_case *cases, int calls);
/* Unpacks the answers into the cases. Returns how many calls were answered completely. *forged: there are further or
 * other bytes. */
int course_unpack(const course_bytes *from, course_case *cases, int calls, unsigned ticket,
                  course_answer *answers, bool *forged);

/* ---- compare.c ---- */

/* The largest |got - right| over the array, relative to its largest |right|. NaN equals NaN, and infinity infinity;
 * any other number that is not finite is infinitely far. *where: the element. */
double course_error(const course_array *got, const course_array *right, long *where);
/* Do all outputs in arrays `first` … `last`-1 agree? If not, *wrong is the first array that does not. */
bool course_agrees(const course_case *got, const course_case *right, int first, int last, int *wrong);
double course_tolerance(const course_case *c);
double course_largest(const course_array *a); /* the largest finite |element|; 0 if there is none */
/* A copy of `given` after the model with these slips. Free it with course_case_free. */
course_case course_modelled(const course_case *given, unsigned slips);

/* ---- looks.c: how wrong numbers look, whatever their cause ---- */

enum { COURSE_TRIES = 3 }; /* cases of a kind; a diagnosis must fit all of them */

/* Cases of one kind, as drawn and as answered. */
typedef struct course_tries {
    course_kind kind;
    course_case given[COURSE_TRIES], got[COURSE_TRIES];
    course_answer answer[COURSE_TRIES];
} course_tries;

/* times · n[i]^power, or times · n[i]^power · n[j]^power_j */
typedef struct course_ratio {
    double times, power[2];
    int n[2]; /* -1: no size */
} course_ratio;

typedef struct course_look {
    enum { COURSE_PLAIN, COURSE_OVERWRITTEN, COURSE_RATIO, COURSE_SWAPPED } what;
    course_ratio ratio;
    int axis; /* COURSE_SWAPPED: this axis and the next */
} course_look;

/* Does array i of `got` have this look, relative to `right`? */
bool course_looks_so(const course_look *look, const course_case *given, const course_case *got,
                     const course_case *right, int i);
/* The look that array i has in every try; false if there is none. `says` continues "your y …". */
bool course_find_look(const course_tries *t, const course_case right[COURSE_TRIES], int i, course_look *look,
                      char says[COURSE_WHY]);
/* Is got = ratio · right in every element? (For a gradient, in the added part.) */
bool course_constant_ratio(const course_array *given, const course_array *got, const course_array *right,
                           double *ratio);

/* ---- describe.c ---- */

/* Describes numbers that nothing explains. right: the right ones. */
void course_describe(const course_tries *t, const course_case right[COURSE_TRIES], int first, int last,
                     char why[COURSE_WHY]);
/* "dx[1][0]" */
void course_place(const course_array *a, long at, char text[96]);
/* Is every output, in all tries, unchanged, never set, 0, or a copy of an input? Then nothing was computed. */
bool course_untouched(const course_tries *t);

/* ---- diagnose.c ---- */

/* What is known of a function's numbers. */
typedef struct course_known {
    unsigned slips;   /* bits of the named slips */
    course_look look; /* a look besides the slips */
} course_known;

/* Is each of arrays first … last, in every try, right or as the known mistakes make it? *as_known: not all are
 * right. */
bool course_explained(const course_tries *t, const course_known *known, int first, int last, bool *as_known);
/* Bits of the slips each of which, together with the known ones, gives these arrays in every try. */
unsigned course_fitting(const course_tries *t, unsigned known, int first, int last);
/* Explains the numbers in `why` (nothing if known mistakes explain them), and adds what it finds to `known`. Names only
 * slips in `possible`, those that agree with the numbers of other kinds. False: there is no explanation, and `why` only
 * says where the numbers are wrong. */
bool course_diagnose(const course_tries *t, course_known *known, unsigned possible, int first, int last,
                     char why[COURSE_WHY]);

/* ---- linear.c ---- */

/* True, and a message, if the added gradients do not double when dy does. got: the answer to given. */
bool course_not_linear(const char *runner, course_limits limits, const course_case *given,
                       const course_case *got, int first, int last, char why[COURSE_WHY]);

/* ---- points.c ---- */

typedef struct course_check {
    const char *function, *what; /* "softmax_backward", "odd sizes" */
    const char *group;           /* "forward", "backward", "invariants", "robustness" */
    double weight;               /* relative to the other checks of its function and group */
    double points, of;
    bool as_known;        /* wrong only by a mistake that has already cost another check */
    char why[COURSE_WHY]; /* "" if all is right */
} course_check;

typedef struct course_marks {
    const course_task *task;
    int tier, checks;
    course_check check[256];
    double points; /* of 100 */
    uint64_t seed;
    const char *only;       /* the one function that was marked; NULL: all */
    const char *says;       /* the function that printed something; NULL: none */
    char said[COURSE_SAID]; /* foreign bytes */
} course_marks;

course_check *course_add_check(course_marks *m, const course_exercise *of, const char *group,
                               const char *what);
void course_share_points(course_marks *m);

/* ---- judge.c ---- */

/* Judges an exercise's numbers: a check for each kind of case that it has, and for each invariant. tries
 * [COURSE_KINDS]; unused for kinds that the exercise lacks. known: what was found of y and of gradients (for all
 * arrays unless the exercise is COURSE_BOTH). *unexplained: the check on odd sizes of wrong gradients that nothing
 * explains; NULL if there is none. */
void course_judge(course_marks *m, const course_exercise *of, const course_tries *tries, double seconds,
                  course_known known[2], course_check **unexplained);
/* The sentence about a missing answer; "" if it came. */
void course_say_end(const course_answer *a, double seconds, char why[COURSE_WHY]);

/* ---- mark.c ---- */

typedef struct course_order {
    const course_task *task;
    int tier;
    const char *const *runners; /* the same code at -O0 and at -O2, then NULL */
    uint64_t seed;
    course_limits limits;
    const char *only; /* this exercise; NULL: all */
    /* called after each kind of each exercise; may be NULL */
    void (*progress)(void *context, long done, long all);
    void *context;
} course_order;
long course_order_length(const course_order *order); /* how often progress is called */
void course_mark_order(course_marks *m, const course_order *order);
/* The same with these fields, for all exercises and without progress. */
void course_mark(course_marks *m, const course_task *task, int tier, const char *const *runners,
                 uint64_t seed, course_limits limits);

/* ---- report.c, json.c ---- */

void course_print(const course_marks *m, FILE *to);
/* predict: the file of predictions; NULL: none. */
void course_json_all(const course_marks *m, const char *predict, FILE *to);
void course_json(const course_marks *m, FILE *to);

/* ---- all.c: marker --all DIR …; the exit status ---- */

int course_all(int argc, char **argv);

#endif
