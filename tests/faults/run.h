/* One run of a command, with a fault, and what came of it. */
#ifndef TL_TESTS_FAULTS_RUN_H
#define TL_TESTS_FAULTS_RUN_H

#include "cases.h"
#include "faults.h"
#include "folder.h"

/* Who runs commands: a folder with the empty folder "here" for the command, and beside it "world". One for each
 * process. */
typedef struct place {
    char folder[512], build[512];
    tl_faults *said;
} place;
typedef struct fault {
    fault_kind kind;
    int which;
    long at;
    long after; /* not 0: SIGKILL after so many nanoseconds instead */
    bool trace; /* the failing call's callers on standard error */
} fault;
typedef struct outcome {
    int status; /* from waitpid */
    bool late;  /* it was ended after SECONDS */
    double seconds;
    char *out, *err;
    size_t out_size, err_size;
} outcome;
enum { SECONDS = 30 };
extern long most_seconds; /* SECONDS */

/* Ends the program if there is no place for it. */
void place_open(place *p, const char *folder, const char *build);
outcome run_command(place *p, const char *command, const char *input, fault f);
void outcome_free(outcome *o);
/* A file in the place, or "here" in it. */
char *place_path(const place *p, const char *name, char path[1024]);

/* An undisturbed run: what is there before it and after it, and what it prints. */
typedef struct reference {
    const fault_case *c;
    folder before, whole;
    outcome calm;
    long calls[CLASSES];
    bool writes;
} reference;
bool reference_make(reference *r, place *p, const fault_case *c, char *why, size_t room);
void reference_free(reference *r);

typedef enum verdict { NO_FAULT, UNHARMED, WARNED, FAILED, KILLED, WRONG } verdict;
/* States of the folder that were completed before. */
typedef struct states {
    uint64_t *seen;
    long count;
} states;
/* One run with a fault. WRONG: `why` says what is wrong. */
verdict run_with_fault(const reference *r, place *p, fault f, states *seen, char *why, size_t room);

#endif
