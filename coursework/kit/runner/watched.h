/* Included before the student's file: memory that it asks for is counted, so that what it never gives back is told. */
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
