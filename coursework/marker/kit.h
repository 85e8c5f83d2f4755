/* What the students' kit asks of the marker: lists of tasks, marks of one task, a run under sanitizers. */
#ifndef COURSE_KIT_H
#define COURSE_KIT_H

#include "marking.h"

/* ---- tell.c ---- */

/* Prints a line for each task, between bars: number, name, title, hours, "optional" or "-", tiers ("1", "12"). */
void course_list(FILE *to);
void course_questions(const course_task *task, bool answers, FILE *to);

/* Reads the numbers or fractions after "1:" and "2:" in a predict.txt. False: there is no such file. */
bool course_predictions(const char *path, bool given[2], double answer[2]);
bool course_predicted(const course_question *q, double answer);
/* Prints a line for each question, without the right answers. */
void course_print_predictions(const course_task *task, const char *path, FILE *to);

/* ---- watch.c ---- */

/* Lets a runner that was compiled with sanitizers answer a case of every kind, and prints what they report. True:
 * nothing. */
bool course_watch(const course_task *task, int tier, const char *runner, uint64_t seed, double seconds,
                  FILE *to);

#endif
