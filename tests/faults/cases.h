/* The commands whose calls are made to fail, or at which they are killed. */
#ifndef TL_TESTS_FAULTS_CASES_H
#define TL_TESTS_FAULTS_CASES_H

#include <stdbool.h>

typedef struct fault_case {
    const char *name; /* program and what it does */
    /* A program of the build and its words ('…': with spaces), in an empty folder, from which ../world is what
     * `world` made. */
    const char *command;
    const char *input;  /* standard input: a file of ../world; NULL: none */
    const char *before; /* what is done first, undisturbed; NULL: nothing */
    /* A training's: what completes it, if run has a checkpoint; otherwise, and if NULL, the same command does. */
    const char *resume;
    const char *log; /* tells what was done in which order, and is not compared; NULL: none */
    /* Pictures that are drawn once: they are not there if a warning says so. NULL: none. */
    const char *warned;
} fault_case;

extern const fault_case fault_cases[];
extern const int fault_case_count;
/* A shell's commands that make what the commands read. $B is the build folder, $TOP the repository. */
extern const char fault_world[];

#endif
