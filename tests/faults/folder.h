/* All that is in a folder, as bytes: taken, put back, compared. */
#ifndef TL_TESTS_FAULTS_FOLDER_H
#define TL_TESTS_FAULTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct entry {
    char *path;         /* relative to the folder */
    bool folder, stray; /* stray: a temporary file that a killed process may leave, ".NAME.PROCESS-N.tmp" */
    char *bytes;
    size_t size;
} entry;
typedef struct folder {
    entry *entries; /* sorted by path */
    int count;
} folder;

/* These end the program with a message if a file cannot be read or written. */
folder folder_take(const char *path);
/* Removes what is at `path` first. */
void folder_put(const folder *f, const char *path);
void folder_remove(const char *path);
void folder_free(folder *f);

const entry *folder_find(const folder *f, const char *path);
bool entries_same(const entry *a, const entry *b);
/* The first path in which two folders differ, strays and paths that begin with `but` (NULL: none) left out; NULL if
 * they are the same. */
const char *folders_differ(const folder *a, const folder *b, const char *but);
/* A number for the folder's whole contents; names of strays without their process. */
uint64_t folder_print(const folder *f);

/* A file's bytes, with a 0 behind; NULL if there is no such file. */
char *file_bytes(const char *path, size_t *size);
/* Ends the program, with the file's name and errno. */
void give_up(const char *what, const char *path);

#endif
