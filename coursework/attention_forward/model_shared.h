/* What the models of attention forward and backward (tasks 5 and 6) share: lists of mistakes, sizes and how they are
 * drawn, and printing the worked example, which is the same. */
#ifndef COURSE_ATTENTION_SHARED_H
#define COURSE_ATTENTION_SHARED_H

#include "../marker/exercise.h"

#define ID(id, name, says) id,
#define LINE(id, name, says) {name, says},

/* A set of mistakes from the whole list. An exercise's own bits are converted to it by the exercise's list. */
typedef uint64_t mistakes;
#define IS(id) (m >> (id)&1)

static inline mistakes chosen(const int *list, unsigned slips) {
    mistakes m = 0;
    for (int k = 0; slips; k++, slips >>= 1)
        if (slips & 1) m |= (mistakes)1 << list[k];
    return m;
}

/* ---- sizes ---- */

typedef struct sizes {
    long B, H, T, S, d, e; /* e: numbers of a value; tier 1: d */
} sizes;

static inline sizes sizes_of(const course_case *c) {
    return (sizes){c->n[0], c->n[1], c->n[2], c->n[3], c->n[4], c->n[5]};
}

/* Draws the sizes of a case of that kind. For odd sizes S - T is at least 2 · apart, and d is not H. */
static inline void draw_sizes(course_case *c, course_kind kind, long apart, course_rng *rng) {
    sizes n = {.B = course_between(rng, 2, 3), .H = 3, .T = 2 * course_between(rng, 1, 2) + 1};
    n.S = n.T + 2 * course_between(rng, apart, 3);
    n.d = 2 * course_between(rng, 2, 3) + 1;
    if (kind == COURSE_MASKED) n.S = n.T + course_between(rng, -2, 2);
    if (kind == COURSE_ONE) n = (sizes){1, 1, 1, 1, 1, 0};
    if (kind == COURSE_PRIME) n = (sizes){2, 5, 11, 7, 13, 0};
    if (kind == COURSE_EMPTY) {
        const long which = course_between(rng, 0, 2);
        *(which == 0 ? &n.B : which == 1 ? &n.T : &n.S) = 0;
    }
    const long all[6] = {n.B, n.H, n.T, n.S, n.d, n.d};
    const char *const names[5] = {"B", "H", "T", "S", "d"};
    for (int i = 0; i < 6; i++) c->n[i] = all[i];
    for (int i = 0; i < 5; i++) c->n_name[i] = names[i];
}

/* ---- the worked example ---- */

static inline void print_matrix(FILE *to, const char *name, const double *x, long rows, long columns) {
    for (long i = 0; i < rows; i++) {
        fprintf(to, "%-8s", i ? "" : name);
        for (long j = 0; j < columns; j++) fprintf(to, "%8.4f", x[i * columns + j] + 0.0); /* never -0 */
        fputc('\n', to);
    }
}

#endif
