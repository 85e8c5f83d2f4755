/* Reading a whole file: one read of the size the system reports, then further until the end, so that pipes
 * and files that grow meanwhile are read whole too. */
#define _POSIX_C_SOURCE 200809L
#include "base/format.h"
#include "base/buffer.h"
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills b up to the end of the file. Returns 0, or an errno; ENOMEM means that b could not grow. */
static int read_all(int fd, size_t expected, tl_buffer *b) {
    size_t ask = expected;
    for (;;) {
        /* One byte more than expected, so that the end shows without growing the buffer. */
        if (!tl_buffer_reserve(b, ask + 1)) return ENOMEM;
        ssize_t got = read(fd, b->text + b->size, b->room - b->size - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        b->size += (size_t)got;
        ask = b->size < expected ? expected - b->size : 4096;
    }
    b->text[b->size] = 0;
    return 0;
}

/* Reads what the open file has, up to its end; *bytes is then a text of *size bytes. */
static bool read_open(int fd, const char *path, char **bytes, size_t *size, tl_error *error) {
    struct stat about;
    if (fstat(fd, &about) != 0) return tl_fail_errno(error, "read", path, errno);
    int number = S_ISDIR(about.st_mode) ? EISDIR : 0;
    tl_buffer b = {0};
    if (number == 0) {
        size_t expected = about.st_size > 0 ? (size_t)about.st_size : 0;
        bool huge = about.st_size > 0 && (uintmax_t)about.st_size > SIZE_MAX / 2;
        number = huge ? ENOMEM : read_all(fd, expected, &b);
    }
    if (number == 0) {
        *bytes = b.text;
        *size = b.size;
        return true;
    }
    tl_buffer_free(&b);
    if (number == ENOMEM) {
        char what[80];
        tl_format(what, sizeof what, "%.1f MB are needed to read", (double)about.st_size / 1e6);
        return tl_fail_memory(error, what, path);
    }
    return tl_fail_errno(error, "read", path, number);
}

bool tl_file_read(const char *path, char **bytes, size_t *size, tl_error *error) {
    *bytes = NULL;
    *size = 0;
    if (path == NULL) return tl_error_set(error, "cannot read a file: its path is NULL; give a path");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return tl_fail_errno(error, "read", path, errno);
    bool ok = read_open(fd, path, bytes, size, error);
    close(fd);
    return ok;
}

bool tl_input_read(char **bytes, size_t *size, tl_error *error) {
    *bytes = NULL;
    *size = 0;
    return read_open(STDIN_FILENO, "standard input", bytes, size, error);
}
