/* What lies in folders: is a file there, what else is, and away with it. */
#define _POSIX_C_SOURCE 200809L
#include "complain.h"

#include "tapeloom/io.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool tl_file_is_there(const char *path) { return path && access(path, R_OK) == 0; }

bool tl_file_is_missing(const char *path) {
    struct stat about;
    return !path || (stat(path, &about) != 0 && (errno == ENOENT || errno == ENOTDIR));
}

bool tl_file_remove(const char *path, tl_error *error) {
    if (path == NULL) return tl_error_set(error, "cannot remove a file: its path is NULL; give a path");
    return remove(path) == 0 || errno == ENOENT || tl_fail_errno(error, "remove", path, errno);
}

bool tl_folder_each(const char *path, bool (*visit)(void *context, const char *name), void *context,
                    tl_error *error) {
    DIR *folder = path ? opendir(path) : NULL;
    if (!folder)
        return (path && errno == ENOENT) ||
               tl_fail_errno(error, "read", path ? path : "", path ? errno : ENOENT);
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(folder)) != NULL;)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) ok = visit(context, e->d_name);
    closedir(folder);
    return ok;
}
