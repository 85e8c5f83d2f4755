/* A file that appears whole or not at all.
 *
 *     tl_atomic_file f;
 *     tl_atomic_open(&f, path, error);
 *     tl_atomic_add(&f, bytes, size);  …
 *     return tl_atomic_commit(&f);
 *
 * A failure on the way is kept in `error`, makes later calls do nothing and commit return false: ask once.
 * Every open must be followed by one commit or abandon. */
#ifndef TL_IO_ATOMIC_FILE_H
#define TL_IO_ATOMIC_FILE_H

#include "tapeloom/base.h"

typedef struct tl_atomic_file {
    int fd;      /* -1 = nothing open: failed or done */
    char *block; /* bytes on their way: tensors come in small pieces, and each write costs a call */
    size_t used;
    char *path;       /* where the bytes shall be, symbolic links resolved */
    char *temporary;  /* where they are until commit: a name in the same folder */
    const char *name; /* the path as the caller gave it, for errors */
    tl_error *error;
} tl_atomic_file;

bool tl_atomic_open(tl_atomic_file *f, const char *path, tl_error *error);
bool tl_atomic_add(tl_atomic_file *f, const void *bytes, size_t size);
bool tl_atomic_commit(tl_atomic_file *f);  /* sync, close, rename, sync the folder */
void tl_atomic_abandon(tl_atomic_file *f); /* removes the temporary file; the old file stays */

/* Is this the name of a temporary file? `target`, with room for as many bytes as the name has, becomes that of the file that it
 * should have become. */
bool tl_atomic_is_stray(const char *name, char *target);

#endif
