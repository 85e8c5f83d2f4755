/* A folder for one writer: the folder itself is opened and locked (flock). So no lock file can be left behind, or be
 * deleted by somebody who tidies up. The lock belongs to the open folder, which the system closes when the process
 * ends, however it ends. The open folder also shows whether its name has come to mean another folder. */
#define _XOPEN_SOURCE 700
#include "atomic_file.h"
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct tl_folder {
    int fd;
    bool locked;
    char *path;
};

/* Tries, 20 ms apart, before a folder counts as in use. If a process is killed while it starts gnuplot, its child holds
 * the lock until it has become gnuplot. */
enum { TRIES = 50 };

/* Returns 0 or an errno. A file system without locks, or without locks for folders (above all network file systems), is
 * no failure. */
static int lock(tl_folder *f) {
    f->locked = flock(f->fd, LOCK_EX | LOCK_NB) == 0;
    for (int i = 1; i < TRIES && !f->locked && errno == EWOULDBLOCK; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        f->locked = flock(f->fd, LOCK_EX | LOCK_NB) == 0;
    }
    const bool has_none =
        errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == EBADF;
    return f->locked || has_none ? 0 : errno;
}

static bool open_and_lock(tl_folder *f, tl_error *error) {
    char shown[TL_SHOWN];
    f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0) return tl_fail_errno(error, "open the folder", f->path, errno);
    const int number = lock(f);
    if (number == EWOULDBLOCK)
        return tl_error_set(error,
                            "%s is in use: another program is training there; wait until it has ended, or "
                            "choose another folder",
                            tl_shown_path(f->path, shown));
    if (number != 0) return tl_fail_errno(error, "lock", f->path, number);
    return tl_folder_check(f, error); /* it may have been removed while it was being locked */
}

tl_folder *tl_folder_lock(const char *path, tl_error *error) {
    if (!path || *path == 0) {
        tl_error_set(error, "cannot lock a folder: its path is empty; give a path");
        return NULL;
    }
    tl_folder *f = calloc(1, sizeof *f);
    char *copy = strdup(path);
    if (!f || !copy) {
        tl_fail_memory(error, "locking", path);
        free(f);
        free(copy);
        return NULL;
    }
    *f = (tl_folder){.fd = -1, .path = copy};
    if (open_and_lock(f, error)) return f;
    tl_folder_unlock(f);
    return NULL;
}

bool tl_folder_is_locked(const tl_folder *folder) { return folder && folder->locked; }

bool tl_folder_check(const tl_folder *folder, tl_error *error) {
    struct stat ours, there;
    char shown[TL_SHOWN];
    if (!folder) return true;
    if (fstat(folder->fd, &ours) != 0) return tl_fail_errno(error, "look at", folder->path, errno);
    const bool found = stat(folder->path, &there) == 0;
    if (!found && errno != ENOENT && errno != ENOTDIR)
        return tl_fail_errno(error, "look at", folder->path, errno);
    if (found && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) return true;
    return tl_error_set(
        error,
        found ? "%s was replaced: this is another folder than the one that was written to, and is left "
                "alone; put that one back, or start again"
              : "%s was removed or renamed while it was written to; put it back, or start again",
        tl_shown_path(folder->path, shown));
}

void tl_folder_unlock(tl_folder *folder) {
    if (!folder) return;
    if (folder->fd >= 0) close(folder->fd);
    free(folder->path);
    free(folder);
}

/* ---- files that killed writers have left ---- */

typedef struct sweep {
    const char *path;
    bool (*ours)(const char *name);
    tl_error *error;
} sweep;

static bool remove_stray(void *context, const char *name) {
    const sweep *s = context;
    char *target = strdup(name);
    if (!target) return tl_fail_memory(s->error, "clearing", s->path);
    bool ok = true;
    if (tl_atomic_is_stray(name, target) && s->ours(target)) {
        char *path = malloc(strlen(s->path) + strlen(name) + 2);
        ok = path ? tl_file_remove(strcat(strcat(strcpy(path, s->path), "/"), name), s->error)
                  : tl_fail_memory(s->error, "clearing", s->path);
        free(path);
    }
    free(target);
    return ok;
}

bool tl_folder_clear_strays(const char *path, bool (*ours)(const char *name), tl_error *error) {
    char shown[TL_SHOWN];
    if (!ours)
        return tl_error_set(error, "%s: it is not said which files are ours (NULL); give a function",
                            tl_shown_path(path, shown));
    sweep s = {path, ours, error};
    return tl_folder_each(path, remove_stray, &s, error);
}
