/* The C library's file calls for a whole program or, preloaded, for any program: each asks first whether it shall fail.
 * Who includes this defines before
 *     static bool is_refused(const char *call, const char *path, int fd);     if so, errno is set. path or fd: on what;
 *                                                                             NULL and -1 if on nothing
 *     static bool is_last_write(void);                                        will the next call kill the process?
 * and has _GNU_SOURCE and no _FORTIFY_SOURCE, which would turn some of these functions into inline ones. */
#ifndef TL_TESTS_FAULTS_CALLS_H
#define TL_TESTS_FAULTS_CALLS_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A call whose meaning is the C library's. */
#define TAKEN(type, name, parameters, arguments, path, fd, failure) \
 type name parameters {                                             \
  static type(*real) parameters;                                    \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);             \
  return is_refused(#name, path, fd) ? failure : real arguments;    \
 }

TAKEN(int, fsync, (int fd), (fd), NULL, fd, -1)
TAKEN(int, ftruncate, (int fd, off_t size), (fd, size), NULL, fd, -1)
TAKEN(int, fchmod, (int fd, mode_t mode), (fd, mode), NULL, fd, -1)
TAKEN(int, flock, (int fd, int how), (fd, how), NULL, fd, -1)
TAKEN(int, mkdir, (const char *path, mode_t mode), (path, mode), path, -1, -1)
TAKEN(int, rmdir, (const char *path), (path), path, -1, -1)
TAKEN(int, unlink, (const char *path), (path), path, -1, -1)
TAKEN(int, rename, (const char *from, const char *to), (from, to), to, -1, -1)
TAKEN(int, access, (const char *path, int how), (path, how), path, -1, -1)
TAKEN(int, stat, (const char *path, struct stat *to), (path, to), path, -1, -1)
TAKEN(int, lstat, (const char *path, struct stat *to), (path, to), path, -1, -1)
TAKEN(int, fstat, (int fd, struct stat *to), (fd, to), NULL, fd, -1)
TAKEN(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size), NULL, fd, -1)
TAKEN(ssize_t, pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at), NULL, fd, -1)
TAKEN(off_t, lseek, (int fd, off_t at, int from), (fd, at, from), NULL, fd, -1)
TAKEN(void *, mmap, (void *at, size_t size, int may, int how, int fd, off_t from),
      (at, size, may, how, fd, from), NULL, fd, MAP_FAILED)
TAKEN(DIR *, opendir, (const char *path), (path), path, -1, NULL)
TAKEN(struct dirent *, readdir, (DIR * folder), (folder), NULL, dirfd(folder), NULL)
TAKEN(char *, realpath, (const char *path, char *to), (path, to), path, -1, NULL)
TAKEN(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size), path, -1, -1)
TAKEN(char *, mkdtemp, (char *path), (path), path, -1, NULL)
TAKEN(int, chdir, (const char *path), (path), path, -1, -1)
TAKEN(int, pipe, (int ends[2]), (ends), NULL, -1, -1)
TAKEN(int, dup2, (int from, int to), (from, to), NULL, -1, -1)
TAKEN(pid_t, fork, (void), (), NULL, -1, -1)

/* What a hardened program calls instead. */
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __read_chk(int fd, void *to, size_t size, size_t room) {
    return size > room ? (abort(), -1) : read(fd, to, size);
}
ssize_t __pread_chk(int fd, void *to, size_t size, off_t at, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t size, off_t at, size_t room) {
    return size > room ? (abort(), -1) : pread(fd, to, size, at);
}
ssize_t __readlink_chk(const char *path, char *to, size_t size, size_t room);
ssize_t __readlink_chk(const char *path, char *to, size_t size, size_t room) {
    return size > room ? (abort(), -1) : readlink(path, to, size);
}
char *__realpath_chk(const char *path, char *to, size_t room);
char *__realpath_chk(const char *path, char *to, size_t room) { return (void)room, realpath(path, to); }

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return is_refused("open", path, -1) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) { return open(path, flags); }

/* A process that is killed here has written half of the bytes. */
ssize_t write(int fd, const void *from, size_t size) {
    if (is_last_write()) syscall(SYS_write, fd, from, size / 2);
    return is_refused("write", NULL, fd) ? -1 : (ssize_t)syscall(SYS_write, fd, from, size);
}

/* Also a failing close closes the file. */
int close(int fd) {
    const bool refused_it = is_refused("close", NULL, fd);
    const int number = errno, result = (int)syscall(SYS_close, fd);
    if (refused_it) errno = number;
    return refused_it ? -1 : result;
}

#endif
