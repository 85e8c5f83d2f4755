/* The bytes between marker and runner. Both run on one machine, so numbers are sent as they are in memory.
 *
 *     to the runner, file descriptor 3:     wire_call, then its arrays' elements as doubles
 *     from the runner, file descriptor 4:   wire_answer, then each array's guard, elements and guard as doubles
 *
 * one after another until the marker closes its end. If an answer is missing, its number says how far the runner
 * got. */
#ifndef COURSE_WIRE_H
#define COURSE_WIRE_H

#include "runner.h"

#define COURSE_GUARD_VALUE (-8.4375e8f) /* a float that no exercise computes */

typedef struct wire_call {
    char function[COURSE_NAME];
    unsigned flags, ticket; /* the answer repeats it */
    int arrays;
    long n[COURSE_SIZES], count[COURSE_ARRAYS];
    double p[COURSE_NUMBERS];
} wire_call;

typedef struct wire_answer {
    unsigned ticket; /* the call's: only a program that has read the call knows it */
    int known;       /* 0: the runner has no such function */
    long blocks;     /* blocks that the call allocated and did not free */
} wire_answer;

#endif
