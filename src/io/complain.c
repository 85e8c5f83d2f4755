/* Wording errors: every message ends in what to do about it. */
#include "complain.h"

#include <errno.h>
#include <string.h>

static const char *advice(int number) {
    switch (number) {
    case ENOENT:
        return "check the path";
    case ENOTDIR:
        return "a part of the path is a file, not a folder: check the path";
    case EISDIR:
        return "this is a folder: give the path of a file";
    case EACCES:
    case EPERM:
        return "check the permissions of the file and its folder";
    case EROFS:
        return "choose a folder on a file system that can be written";
    case ENOSPC:
    case EDQUOT:
        return "free some space or choose another disk";
    case EFBIG:
        return "raise the limit for file sizes (ulimit -f)";
    case EMFILE:
    case ENFILE:
        return "close some files or raise the limit (ulimit -n)";
    case ENAMETOOLONG:
        return "choose a shorter name";
    case ELOOP:
        return "the symbolic links on this path lead in a circle: check the path";
    case EEXIST:
        return "choose another name, or remove what is there";
    case EBADF:
        return "it was closed before the program began: give it a file or a pipe";
    case ENOMEM:
        return "close other programs or use a machine with more memory";
    case EIO:
        return "the disk or the network fails: try again, or use another disk";
    case ENXIO:
    case ENODEV:
        return "there is no such device, or nobody at the other end: check the path";
    case EPIPE:
        return "whoever reads it has ended";
    case EBUSY:
    case ETXTBSY:
        return "it is in use: end what uses it, or choose another file";
    case EINVAL:
    case ENOTSUP:
        return "this file system cannot do that: choose a folder on another one";
    default:
        return "try again, or choose another file";
    }
}

bool tl_fail_errno(tl_error *error, const char *doing, const char *path, int number) {
    char shown[TL_SHOWN];
    return tl_error_set(error, "cannot %s %s: %s; %s", doing, tl_shown_path(path, shown), strerror(number),
                        advice(number));
}

bool tl_fail_memory(tl_error *error, const char *what, const char *path) {
    char shown[TL_SHOWN];
    return tl_error_set(error, "out of memory: %s %s; close other programs or use a machine with more memory",
                        what, tl_shown_path(path, shown));
}
