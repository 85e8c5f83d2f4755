/* A case as the runner gets it: the exercise's numbers, and the contents of outputs before the call. */
#include "marking.h"

uint64_t course_seed_of(uint64_t seed, const char *student) {
    return student && *student ? course_rng_of(seed, student).state : seed;
}

void course_draw(course_case *c, const course_exercise *of, course_kind kind, uint64_t seed, int number) {
    char stream[96];
    snprintf(stream, sizeof stream, "%s/%s/%d", of->function, course_kind_name[kind], number);
    course_rng rng = course_rng_of(seed, stream);
    *c = (course_case){.of = of, .kind = (int)kind};
    if (kind == COURSE_VIEWS) c->flags |= COURSE_STRIDED;
    if (kind == COURSE_TWICE) c->flags |= COURSE_SHARED;
    of->draw(c, kind, &rng);
    for (int i = 0; i < c->arrays; i++) /* garbage differs from call to call, so that using it shows */
        if (c->a[i].role != COURSE_IN)
            for (long k = 0; k < c->a[i].count; k++) c->a[i].data[k] = course_normal(&rng);
}
