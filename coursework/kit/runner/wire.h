/* What passes between marker and runner, byte for byte: both run on one machine, so numbers go as memory has them.
 *
 *     to the runner, file descriptor 3:     wire_call, then its arrays' elements as doubles
 *     from the runner, file descriptor 4:   wire_answer, then each array's guard, elements and guard as doubles
 *
 * one after another until the marker closes its end. An answer that does not come says how far the runner got. */
#ifndef COURSE_WIRE_H
#define COURSE_WIRE_H

#include "runner.h"

#define COURSE_GUARD_VALUE (-8.4375e8f) /* a float that no exercise computes */

typedef struct wire_call {
    char function[COURSE_NAME];
    unsigned flags, ticket; /* the answer brings it back */
    int arrays;
    long n[COURSE_SIZES], count[COURSE_ARRAYS];
    double p[COURSE_NUMBERS];
} wire_call;

typedef struct wire_answer {
    unsigned ticket; /* the call's: who has not read the call does not know it */
    int known;       /* 0: the runner has no such function */
    long blocks;     /* that the call asked for and did not give back */
} wire_answer;

#endif
