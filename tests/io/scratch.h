/* A folder for each test of src/io, and simple functions to write and read files in it. */
#ifndef TL_TESTS_IO_SCRATCH_H
#define TL_TESTS_IO_SCRATCH_H

#ifndef _XOPEN_SOURCE
# error "define _XOPEN_SOURCE 700 before the first include"
#endif

#include "check.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct scratch {
    char *folder;
    char *path[16]; /* results of scratch_path; freed by scratch_remove */
    int paths;
} scratch;

static inline char *join(const char *folder, const char *name) {
    char *path = malloc(strlen(folder) + strlen(name) + 2);
    ck_assert_ptr_nonnull(path);
    return strcat(strcat(strcpy(path, folder), "/"), name);
}

/* In a file system in memory, if there is one: on a disk a sync takes as long as others keep it busy. */
static inline scratch scratch_new(void) {
    scratch s = {.folder = join(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", "tapeloom-test-XXXXXX")};
    ck_assert_ptr_nonnull(mkdtemp(s.folder));
    return s;
}

static inline const char *scratch_path(scratch *s, const char *name) {
    ck_assert_int_lt(s->paths, 16);
    return s->path[s->paths++] = join(s->folder, name);
}

static inline int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static inline void scratch_remove(scratch *s) {
    ck_assert_int_eq(nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    while (s->paths > 0) free(s->path[--s->paths]);
    free(s->folder);
}

/* A folder of this name in another one. What a failed test has left there is removed first. */
static inline scratch scratch_within(const scratch *outer, const char *name) {
    scratch s = {.folder = join(outer->folder, name)};
    if (access(s.folder, F_OK) == 0) nftw(s.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    ck_assert_int_eq(mkdir(s.folder, 0755), 0);
    return s;
}

/* The number of entries in a folder, hidden ones included. */
static inline int count_files(const char *path) {
    DIR *folder = opendir(path);
    int n = 0;
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *e; (e = readdir(folder)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(folder);
    return n;
}

/* Uses stdio, so that the tested code does not make its own input. */
static inline void put_file(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
}

static inline void put_text(const char *path, const char *text) { put_file(path, text, strlen(text)); }

/* The whole file as a text; the caller frees it. */
static inline char *get_file(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
    long end = ftell(f);
    rewind(f);
    char *text = malloc((size_t)end + 1);
    ck_assert_uint_eq(fread(text, 1, (size_t)end, f), (size_t)end);
    text[end] = 0;
    fclose(f);
    if (size) *size = (size_t)end;
    return text;
}

static inline void assert_file(const char *path, const char *expected) {
    char *text = get_file(path, NULL);
    ck_assert_str_eq(text, expected);
    free(text);
}

#endif
