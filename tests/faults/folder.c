/* All that is in a folder, as bytes (folder.h). */
#define _XOPEN_SOURCE 700
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void give_up(const char *what, const char *path) {
    fprintf(stderr, "faults: %s %s: %s\n", what, path, strerror(errno));
    exit(2);
}

char *file_bytes(const char *path, size_t *size) {
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    if (fstat(fd, &about) != 0) give_up("cannot read", path);
    char *bytes = malloc((size_t)about.st_size + 1);
    size_t used = 0;
    for (ssize_t n; used < (size_t)about.st_size; used += (size_t)n)
        if ((n = read(fd, bytes + used, (size_t)about.st_size - used)) <= 0) give_up("cannot read", path);
    close(fd);
    bytes[used] = 0;
    *size = used;
    return bytes;
}

/* ---- taking ---- */

/* The name without its process, if a killed process may have left it: ".NAME.PROCESS-N.tmp". Its length, otherwise
 * 0. */
static size_t stray_name(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const size_t size = strlen(name);
    if (*name != '.' || size < 5 || strcmp(name + size - 4, ".tmp")) return 0;
    const char *at = name + size - 4;
    while (at > name && strchr("0123456789-", at[-1])) at--;
    return (size_t)(at - path);
}
static void add(folder *f, const char *base, const char *path) {
    char full[4100];
    struct stat about;
    snprintf(full, sizeof full, "%s/%s", base, path);
    if (lstat(full, &about) != 0) give_up("cannot look at", full);
    f->entries = realloc(f->entries, (size_t)(f->count + 1) * sizeof *f->entries);
    entry *e = &f->entries[f->count++];
    *e = (entry){.path = strdup(path), .folder = S_ISDIR(about.st_mode), .stray = stray_name(path) > 0};
    if (!e->folder && !(e->bytes = file_bytes(full, &e->size))) give_up("cannot read", full);
}
static void walk(folder *f, const char *base, const char *under) {
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", base, under);
    DIR *opened = opendir(path);
    if (!opened && errno == ENOENT && !*under) return;
    if (!opened) give_up("cannot read", path);
    for (struct dirent *e; (e = readdir(opened)) != NULL;) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s%s%s", under, *under ? "/" : "", e->d_name);
        add(f, base, path);
        if (f->entries[f->count - 1].folder) walk(f, base, path);
    }
    closedir(opened);
}
static int by_path(const void *a, const void *b) {
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}
folder folder_take(const char *path) {
    folder f = {NULL, 0};
    walk(&f, path, "");
    if (f.count) qsort(f.entries, (size_t)f.count, sizeof *f.entries, by_path);
    return f;
}

void folder_free(folder *f) {
    for (int i = 0; i < f->count; i++) free(f->entries[i].path), free(f->entries[i].bytes);
    free(f->entries);
    *f = (folder){NULL, 0};
}

/* ---- putting back ---- */

void folder_remove(const char *path) {
    char inner[2048];
    DIR *opened = opendir(path);
    if (!opened && errno == ENOENT) return;
    if (!opened) give_up("cannot read", path);
    for (struct dirent *e; (e = readdir(opened)) != NULL;) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (unlink(inner) != 0) folder_remove(inner);
    }
    closedir(opened);
    if (rmdir(path) != 0) give_up("cannot remove", path);
}

void folder_put(const folder *f, const char *path) {
    char full[2048];
    folder_remove(path);
    if (mkdir(path, 0777) != 0) give_up("cannot make", path);
    for (int i = 0; i < f->count; i++) {
        const entry *e = &f->entries[i];
        snprintf(full, sizeof full, "%s/%s", path, e->path);
        if (e->folder && mkdir(full, 0777) != 0) give_up("cannot make", full);
        if (e->folder) continue;
        const int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
        if (fd < 0 || write(fd, e->bytes, e->size) != (ssize_t)e->size) give_up("cannot write", full);
        close(fd);
    }
}

/* ---- comparing ---- */

const entry *folder_find(const folder *f, const char *path) {
    for (int i = 0; i < f->count; i++)
        if (!strcmp(f->entries[i].path, path)) return &f->entries[i];
    return NULL;
}

bool entries_same(const entry *a, const entry *b) {
    return a && b && a->folder == b->folder && a->size == b->size &&
           (!a->size || !memcmp(a->bytes, b->bytes, a->size));
}

static const char *not_in(const folder *a, const folder *b, const char *but) {
    for (int i = 0; i < a->count; i++)
        if (!a->entries[i].stray && !(but && !strncmp(but, a->entries[i].path, strlen(but))) &&
            !entries_same(&a->entries[i], folder_find(b, a->entries[i].path)))
            return a->entries[i].path;
    return NULL;
}
const char *folders_differ(const folder *a, const folder *b, const char *but) {
    const char *path = not_in(a, b, but);
    return path ? path : not_in(b, a, but);
}

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return (hash ^ size) * 1099511628211u;
}
uint64_t folder_print(const folder *f) {
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < f->count; i++) {
        const entry *e = &f->entries[i];
        hash = mix(hash, e->path, e->stray ? stray_name(e->path) : strlen(e->path));
        hash = mix(hash, e->folder ? "d" : "f", 1);
        hash = mix(hash, e->bytes ? e->bytes : "", e->size);
    }
    return hash;
}
