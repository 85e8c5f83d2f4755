/* The wording of errors in src/io: what was being done, to which file, what the system said, what to do about it. */
#ifndef TL_IO_COMPLAIN_H
#define TL_IO_COMPLAIN_H

#include "base/quote.h"

/* "cannot read x/y: No such file or directory; check the path". Returns false. */
bool tl_fail_errno(tl_error *error, const char *doing, const char *path, int number);

/* "out of memory: …". Returns false. */
bool tl_fail_memory(tl_error *error, const char *what, const char *path);

#endif
