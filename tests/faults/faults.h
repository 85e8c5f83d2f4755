/* What is said between the preloaded library (preload.c) and who makes the faults (sweep.c, parts.c), in shared
 * memory: the file that the environment variable TL_FAULTS names. */
#ifndef TL_TESTS_FAULTS_FAULTS_H
#define TL_TESTS_FAULTS_FAULTS_H

enum { MEMORY, FILES, CLASSES };
typedef enum fault_kind { NOTHING, ONCE, ALWAYS, KILL } fault_kind;

typedef struct tl_faults {
    long calls[CLASSES]; /* requests for memory, and file calls, of all processes of the program */
    fault_kind kind;     /* what happens at call number `at` (from 1) of `which` */
    int which;
    long at;
    int trace;                 /* not 0: the first failing call's callers go to standard error */
    long hits;                 /* how many calls have failed */
    int number;                /* errno of the first */
    char call[32], path[1024]; /* the first: which call, on what */
} tl_faults;

#endif
