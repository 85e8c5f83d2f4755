/* Folders: does a file exist, which files are there, and removing a file. */
#define _POSIX_C_SOURCE 200809L
#include "complain.h"

#include "tapeloom/io.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Looks at the name itself: a symbolic link exists even if its target does not. */
bool tl_file_look(const char *path, bool *there, tl_error *error) {
    struct stat about;
    const bool found = path && *path && lstat(path, &about) == 0;
    if (there) *there = found;
    return found || !path || !*path || errno == ENOENT || errno == ENOTDIR ||
           tl_fail_errno(error, "look at", path, errno);
}

bool tl_file_is_there(const char *path) {
    bool there;
    return !tl_file_look(path, &there, NULL) || there;
}

bool tl_file_is_regular(const char *path) {
    struct stat about;
    return path && stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

bool tl_file_remove(const char *path, tl_error *error) {
    if (!path) return tl_error_set(error, "cannot remove a file: its path is NULL; give a path");
    return unlink(path) == 0 || errno == ENOENT || tl_fail_errno(error, "remove", path, errno);
}

bool tl_folder_each(const char *path, bool (*visit)(void *context, const char *name), void *context,
                    tl_error *error) {
    char shown[TL_SHOWN];
    if (!path) return tl_error_set(error, "cannot read a folder: its path is NULL; give a path");
    if (!visit)
        return tl_error_set(error, "%s: nobody wants to know what is in it (NULL); give a function",
                            tl_shown_path(path, shown));
    DIR *folder = opendir(path);
    if (!folder) return errno == ENOENT || tl_fail_errno(error, "read", path, errno);
    bool ok = true;
    struct dirent *e;
    while (ok && (errno = 0, e = readdir(folder)) != NULL)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) ok = visit(context, e->d_name);
    if (ok && errno != 0) ok = tl_fail_errno(error, "read", path, errno);
    closedir(folder);
    return ok;
}
