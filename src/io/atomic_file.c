/* Writing atomically: a temporary file in the same folder, fsync, rename, fsync of the folder.
 *
 * This order makes it safe. The bytes are on the disk before the name points at them, and the name is on the disk
 * before success is reported. At any moment the name leads to the whole old file or the whole new one. A killed process
 * leaves at worst a stray file ".<name>.<process>-<n>.tmp". */
#define _XOPEN_SOURCE 700
#include "atomic_file.h"
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 16 };

static void release(tl_atomic_file *f) {
    free(f->path);
    free(f->temporary);
    free(f->block);
    f->path = f->temporary = f->block = NULL;
}

static bool fail(tl_atomic_file *f, int number) {
    tl_fail_errno(f->error, "write", f->name, number);
    tl_atomic_abandon(f);
    return false;
}

/* Opens a new file "<folder>/.<name>.<process>-<n>.tmp", with the first n for which no file exists. */
static int open_temporary(tl_atomic_file *f) {
    const char *slash = strrchr(f->path, '/');
    int folder = slash ? (int)(slash - f->path) + 1 : 0;
    const char *base = f->path + folder;
    size_t room = strlen(f->path) + 64;
    f->temporary = malloc(room);
    if (!f->temporary) return ENOMEM;
    for (int n = 0; n < 10000; n++) {
        /* A name may have 255 bytes. A long name is cut, so that the temporary name fits. */
        snprintf(f->temporary, room, "%.*s.%.200s.%ld-%d.tmp", folder, f->path, base, (long)getpid(), n);
        f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd >= 0) return 0;
        if (errno != EEXIST) break;
    }
    int number = errno;
    free(f->temporary);
    f->temporary = NULL;
    return number;
}

/* Steps back over decimal digits; NULL if there is not at least one. */
static const char *before_digits(const char *begin, const char *end) {
    const char *at = end;
    while (at > begin && at[-1] >= '0' && at[-1] <= '9') at--;
    return at < end ? at : NULL;
}

bool tl_atomic_is_stray(const char *name, char *target) {
    const size_t size = strlen(name), tail = strlen(".tmp");
    if (*name != '.' || size < tail || strcmp(name + size - tail, ".tmp") != 0) return false;
    const char *at = before_digits(name, name + size - tail);
    if (!at || at[-1] != '-' || (at = before_digits(name, at - 1)) == NULL) return false;
    if (at[-1] != '.' || at - 1 <= name + 1) return false;
    const size_t length = (size_t)(at - 1 - (name + 1));
    memcpy(target, name + 1, length);
    target[length] = 0;
    return true;
}

bool tl_atomic_open(tl_atomic_file *f, const char *path, tl_error *error) {
    *f = (tl_atomic_file){.fd = -1, .name = path, .error = error};
    if (!path || *path == 0)
        return tl_error_set(error, "cannot write a file: its path is empty; give a path");
    struct stat old;
    bool exists = stat(path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode)) return fail(f, EISDIR);
    if (exists && !S_ISREG(old.st_mode)) {
        char shown[TL_SHOWN];
        return tl_error_set(error,
                            "cannot write %s: it is a device or a pipe, which cannot be replaced; give the "
                            "path of a regular file",
                            tl_shown_path(path, shown));
    }
    f->path = exists ? realpath(path, NULL) : strdup(path);
    if (!f->path) return fail(f, errno);
    f->block = malloc(BLOCK);
    int number = f->block ? open_temporary(f) : ENOMEM;
    if (number != 0) return fail(f, number);
    /* The new file can be read by the same people as the old one. Not every file system has permissions. */
    if (exists && fchmod(f->fd, old.st_mode & 0777) != 0 && errno != EPERM) return fail(f, errno);
    return true;
}

static bool put(tl_atomic_file *f, const char *next, size_t size) {
    while (size > 0) {
        ssize_t put = write(f->fd, next, size < (1u << 30) ? size : (1u << 30));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail(f, errno);
        next += put;
        size -= (size_t)put;
    }
    return true;
}

static bool flush(tl_atomic_file *f) {
    const size_t used = f->used;
    f->used = 0;
    return put(f, f->block, used);
}

bool tl_atomic_add(tl_atomic_file *f, const void *bytes, size_t size) {
    if (f->fd < 0) return false;
    if (size > BLOCK - f->used && !flush(f)) return false;
    if (size > BLOCK) return put(f, bytes, size);
    if (size > 0) memcpy(f->block + f->used, bytes, size);
    f->used += size;
    return true;
}

/* Makes the rename durable. Some file systems cannot sync a folder and report so; that is no failure. */
static int sync_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!folder) return ENOMEM;
    int number = 0, fd = open(folder, O_RDONLY | O_CLOEXEC);
    free(folder);
    if (fd < 0) return errno == EACCES ? 0 : errno; /* a folder may be writable but not readable */
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) number = errno;
    close(fd);
    return number;
}

bool tl_atomic_commit(tl_atomic_file *f) {
    if (f->fd < 0) {
        release(f);
        return false;
    }
    if (!flush(f)) return false;
    if (fsync(f->fd) != 0) return fail(f, errno);
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) != 0 && errno != EINTR) return fail(f, errno);
    if (rename(f->temporary, f->path) != 0) return fail(f, errno);
    int number = sync_folder(f->path);
    release(f);
    if (number != 0) return tl_fail_errno(f->error, "make sure of", f->name, number);
    return true;
}

void tl_atomic_abandon(tl_atomic_file *f) {
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
    if (f->temporary) unlink(f->temporary);
    release(f);
}

bool tl_file_write(const char *path, const void *bytes, size_t size, tl_error *error) {
    tl_atomic_file f;
    if (!bytes && size > 0)
        return tl_error_set(
            error, "cannot write a file: there are no bytes to write (NULL), but %zu are asked for", size);
    tl_atomic_open(&f, path, error);
    tl_atomic_add(&f, bytes, size);
    return tl_atomic_commit(&f);
}

/* As mkdir -p: makes every prefix that ends before a '/', then the whole path. */
bool tl_make_dirs(const char *path, tl_error *error) {
    if (!path || *path == 0)
        return tl_error_set(error, "cannot make a folder: its path is empty; give a path");
    char *part = strdup(path);
    if (!part) return tl_fail_memory(error, "making the folder", path);
    bool ok = true;
    for (char *end = part + 1; ok; end++) {
        if (*end != '/' && *end != 0) continue;
        char kept = *end;
        *end = 0;
        struct stat about;
        if (mkdir(part, 0777) != 0) {
            /* EEXIST is the usual error; with others (EROFS, EACCES) the folder may exist too */
            int number = errno;
            bool there = stat(part, &about) == 0;
            if (there && !S_ISDIR(about.st_mode)) number = ENOTDIR;
            /* it exists, but cannot be looked at: report why */
            if (!there && number == EEXIST) number = errno;
            if (!there || !S_ISDIR(about.st_mode)) ok = tl_fail_errno(error, "make the folder", part, number);
        }
        *end = kept;
        if (kept == 0) break;
    }
    free(part);
    return ok;
}
