/* Included before the student's file: counts its allocations, so that memory that was never freed is reported. */
#ifndef COURSE_WATCHED_H
#define COURSE_WATCHED_H

#include <stdlib.h>

void *course_malloc(size_t bytes);
void *course_calloc(size_t count, size_t bytes);
void *course_realloc(void *memory, size_t bytes);
void course_free(void *memory);

#define malloc course_malloc
#define calloc course_calloc
#define realloc course_realloc
#define free course_free

#endif
