/* Cases: their random numbers, their arrays, their copies. */
#include "exercise.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const course_kind_name[COURSE_KINDS] = {
    [COURSE_ODD] = "odd sizes",
    [COURSE_ONE] = "sizes of 1",
    [COURSE_PRIME] = "prime sizes",
    [COURSE_VIEWS] = "strided views",
    [COURSE_TWICE] = "an input used twice",
    [COURSE_FROZENS] = "frozen inputs",
    [COURSE_MASKED] = "masks",
    [COURSE_EMPTY] = "a size of 0",
    [COURSE_LARGE] = "numbers of 1e4",
    [COURSE_EQUAL] = "equal numbers",
    [COURSE_NOTHING] = "everything masked",
};

/* ---- random numbers: splitmix64 (Steele, Lea, Flood 2014) ---- */

static uint64_t next(course_rng *rng) {
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

course_rng course_rng_of(uint64_t seed, const char *stream) {
    course_rng rng = {seed};
    uint64_t hash = next(&rng);
    for (; *stream; stream++) hash = (hash ^ (unsigned char)*stream) * 0x100000001b3u; /* FNV-1a */
    rng.state ^= hash;
    next(&rng);
    return rng;
}

double course_uniform(course_rng *rng) { return (double)(next(rng) >> 11) / 9007199254740992.0; }

long course_between(course_rng *rng, long low, long high) {
    return low + (long)(course_uniform(rng) * (double)(high - low + 1));
}

double course_normal(course_rng *rng) { /* Box and Muller 1958 */
    const double u = 1 - course_uniform(rng), v = course_uniform(rng);
    return (double)(float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

/* ---- arrays ---- */

double *course_array_new(course_case *c, course_role role, const char *name, int rank, const long *dims) {
    if (c->arrays == COURSE_ARRAYS || rank > 4) abort(); /* a bug of the exercise */
    course_array *a = &c->a[c->arrays++];
    *a = (course_array){.role = role, .rank = rank, .count = 1};
    snprintf(a->name, sizeof a->name, "%s", name);
    for (int i = 0; i < rank; i++) a->count *= a->dim[i] = dims[i];
    a->data = calloc((size_t)a->count + 1, sizeof *a->data);
    if (!a->data) abort();
    return a->data;
}

double *course_array_normal(course_case *c, const char *name, double scale, course_rng *rng, int rank,
                            const long *dims) {
    double *data = course_array_new(c, COURSE_IN, name, rank, dims);
    const long count = c->a[c->arrays - 1].count;
    for (long i = 0; i < count; i++) data[i] = (double)(float)(scale * course_normal(rng));
    return data;
}

double *course_data(const course_case *c, const char *name) {
    for (int i = 0; i < c->arrays; i++)
        if (strcmp(c->a[i].name, name) == 0) return c->a[i].data;
    return NULL;
}

bool course_case_copy(course_case *to, const course_case *from) {
    *to = *from;
    for (int i = 0; i < from->arrays; i++) {
        const size_t bytes = (size_t)from->a[i].count * sizeof(double);
        to->a[i].data = malloc(bytes + sizeof(double));
        if (!to->a[i].data) {
            to->arrays = i;
            course_case_free(to);
            return false;
        }
        memcpy(to->a[i].data, from->a[i].data, bytes);
    }
    return true;
}

void course_case_free(course_case *c) {
    for (int i = 0; i < c->arrays; i++) free(c->a[i].data);
    c->arrays = 0;
}
