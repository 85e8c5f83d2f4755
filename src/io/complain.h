/* How this room words its errors: what was being done, to which file, what the system said, what to do about
 * it. */
#ifndef TL_IO_COMPLAIN_H
#define TL_IO_COMPLAIN_H

#include "tapeloom/base.h"

#define TL_SHOWN 260

/* Foreign bytes made fit for an error line: control characters and invalid UTF-8 become \x1b, and of what is
 * longer than `most` bytes (at most 240 are shown) the start is shown, then "…". out has most + 4 bytes.
 * Returns out. */
char *tl_shown(const char *text, size_t size, size_t most, char *out);

/* The same for a path, of which the end is the telling part. */
char *tl_shown_path(const char *path, char out[TL_SHOWN]);

/* "cannot read x/y: No such file or directory; check the path". Returns false. */
bool tl_fail_errno(tl_error *error, const char *doing, const char *path, int number);

/* "out of memory: …". Returns false. */
bool tl_fail_memory(tl_error *error, const char *what, const char *path);

/* The bytes of the valid UTF-8 character at text (1 to 4), or 0: cut off, over-long, a surrogate, above
 * U+10FFFF. */
size_t tl_utf8_step(const char *text, size_t size);
/* The offset of the first byte that is not part of valid UTF-8; size if all is well. */
size_t tl_utf8_valid(const char *text, size_t size);

#endif
