/* The marker's commands. */
#ifndef COURSE_COMMANDS_H
#define COURSE_COMMANDS_H

#include "kit.h"

/* The options of all commands. */
typedef struct course_asked {
    const course_task *task;
    long tier, seed;
    const char *runner[3]; /* then NULL */
    const char *student, *predict, *exercise, *json;
    long seconds;
    bool quiet, brief, answers, sanitized;
} course_asked;

/* Runs any command except --all. Exit status: 0 all points; 1 marks lost or an error; 2 a wrong command line. */
int course_command(int argc, char **argv);

/* ---- command_mark.c ---- */

int course_command_mark(const course_asked *a);
int course_command_watch(const course_asked *a);

#endif
