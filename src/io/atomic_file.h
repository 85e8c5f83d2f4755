/* A file that appears whole or not at all.
 *
 *     tl_atomic_file f;
 *     tl_atomic_open(&f, path, error);
 *     tl_atomic_add(&f, bytes, size);  …
 *     return tl_atomic_commit(&f);
 *
 * A failure is kept in `error`; later calls then do nothing, and commit returns false. So one check is enough. Every
 * open must be followed by one commit or abandon. */
#ifndef TL_IO_ATOMIC_FILE_H
#define TL_IO_ATOMIC_FILE_H

#include "tapeloom/base.h"

typedef struct tl_atomic_file {
    int fd;      /* -1: nothing is open, after a failure or at the end */
    char *block; /* collects bytes, because tensors come in small pieces, and every write is a system call */
    size_t used;
    char *path;       /* the final path, symbolic links resolved */
    char *temporary;  /* the path until commit, in the same folder */
    const char *name; /* the path as the caller gave it, for errors */
    tl_error *error;
} tl_atomic_file;

bool tl_atomic_open(tl_atomic_file *f, const char *path, tl_error *error);
bool tl_atomic_add(tl_atomic_file *f, const void *bytes, size_t size);
/* Syncs, closes and renames the file, and syncs the folder. */
bool tl_atomic_commit(tl_atomic_file *f);
/* Removes the temporary file; the old file stays. */
void tl_atomic_abandon(tl_atomic_file *f);

/* Is this the name of a temporary file? If so, `target` becomes the name of its final file; it needs room for as many
 * bytes as the name has. */
bool tl_atomic_is_stray(const char *name, char *target);

#endif
