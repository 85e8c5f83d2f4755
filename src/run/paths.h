/* Paths of the files in a run's folder. */
#ifndef TL_RUN_PATHS_H
#define TL_RUN_PATHS_H

#include <stdio.h>

enum { TL_PATH = 4096, TL_LONGEST_DIR = TL_PATH - 64 };

/* "dir/file"; returns path. */
static inline char *tl_path_in(char path[TL_PATH], const char *dir, const char *file) {
    snprintf(path, TL_PATH, "%s/%s", dir, file);
    return path;
}

#endif
