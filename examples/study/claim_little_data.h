/* Functions of the claims "little-data", for their tests. */
#ifndef STUDY_CLAIM_LITTLE_DATA_H
#define STUDY_CLAIM_LITTLE_DATA_H

#include <stddef.h>

/* How many bytes the first `lines` lines of a text have, with their line feeds; all bytes if it has no more lines. */
size_t lines_end(const char *bytes, size_t size, long lines);

#endif
