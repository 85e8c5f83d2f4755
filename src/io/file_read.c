/* Reading a whole file: one read of the size that the system reports, then further reads until the end. So pipes, and
 * files that are growing, are read whole too. There is always a limit, since a device may have no end. */
#define _POSIX_C_SOURCE 200809L
#include "base/buffer.h"
#include "base/format.h"
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct reading {
    int fd;
    const char *path; /* for errors */
    size_t most;      /* the most bytes to read */
    bool regular;     /* refuse anything but a regular file */
} reading;

static bool fail_large(const reading *r, const char *found, double megabytes, tl_error *error) {
    char shown[TL_SHOWN];
    return tl_error_set(error,
                        "%s: %s %.0f MB, expected at most %.0f MB; check the path, or give less at once",
                        tl_shown_path(r->path, shown), found, megabytes, (double)r->most / 1e6);
}

/* Reads into b up to the end of the file. Returns 0, an errno (ENOMEM: b could not grow), or -1 if there is more than
 * `most`. */
static int read_all(const reading *r, size_t expected, tl_buffer *b) {
    size_t ask = expected;
    for (;;) {
        /* One byte more than expected, so that the end is seen without growing the buffer. */
        if (!tl_buffer_reserve(b, ask + 1)) return ENOMEM;
        ssize_t got = read(r->fd, b->text + b->size, b->room - b->size - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        b->size += (size_t)got;
        if (b->size > r->most) return -1;
        ask = b->size < expected ? expected - b->size : 4096;
    }
    b->text[b->size] = 0;
    return 0;
}

/* May this file be read? *expected becomes its size, as far as the system knows it. */
static bool check_kind(const reading *r, size_t *expected, tl_error *error) {
    struct stat about;
    char shown[TL_SHOWN];
    if (fstat(r->fd, &about) != 0) return tl_fail_errno(error, "read", r->path, errno);
    if (S_ISDIR(about.st_mode)) return tl_fail_errno(error, "read", r->path, EISDIR);
    if (r->regular && !S_ISREG(about.st_mode))
        return tl_error_set(error, "%s is a device, a pipe or a socket, expected a regular file; remove it",
                            tl_shown_path(r->path, shown));
    if (about.st_size > 0 && (uintmax_t)about.st_size > r->most)
        return fail_large(r, "a file of", (double)about.st_size / 1e6, error);
    *expected = about.st_size > 0 ? (size_t)about.st_size : 0;
    return true;
}

static bool fail_nowhere(const reading *r, tl_error *error) {
    char shown[TL_SHOWN];
    return tl_error_set(error, "%s: there is nowhere to put what it holds (NULL); give a char *",
                        tl_shown_path(r->path, shown));
}

/* Sets the results to none. */
static void clear_results(char **bytes, size_t *size) {
    if (bytes) *bytes = NULL;
    if (size) *size = 0;
}

/* Reads the open file to its end; *bytes becomes a text of *size bytes. */
static bool read_open(const reading *r, char **bytes, size_t *size, tl_error *error) {
    size_t expected = 0;
    tl_buffer b = {0};
    if (!bytes) return fail_nowhere(r, error);
    if (!check_kind(r, &expected, error)) return false;
    const int number = read_all(r, expected, &b);
    if (number == 0) {
        *bytes = b.text;
        if (size) *size = b.size;
        return true;
    }
    tl_buffer_free(&b);
    if (number < 0) return fail_large(r, "more than", (double)r->most / 1e6, error);
    if (number != ENOMEM) return tl_fail_errno(error, "read", r->path, number);
    char what[80];
    tl_format(what, sizeof what, "%.1f MB are needed to read", (double)expected / 1e6);
    return tl_fail_memory(error, what, r->path);
}

static bool read_path(reading r, char **bytes, size_t *size, tl_error *error) {
    clear_results(bytes, size);
    if (!r.path) return tl_error_set(error, "cannot read a file: its path is NULL; give a path");
    /* Opening a pipe waits for a writer, unless O_NONBLOCK is given. */
    r.fd = open(r.path, O_RDONLY | O_CLOEXEC | (r.regular ? O_NONBLOCK | O_NOCTTY : 0));
    if (r.fd < 0) return tl_fail_errno(error, "read", r.path, errno);
    bool ok = read_open(&r, bytes, size, error);
    close(r.fd);
    return ok;
}

bool tl_file_read(const char *path, char **bytes, size_t *size, tl_error *error) {
    return read_path((reading){.path = path, .most = TL_TEXT_MOST}, bytes, size, error);
}

bool tl_file_read_regular(const char *path, size_t most, char **bytes, size_t *size, tl_error *error) {
    return read_path((reading){.path = path, .most = most, .regular = true}, bytes, size, error);
}

bool tl_input_read(char **bytes, size_t *size, tl_error *error) {
    const reading r = {.fd = STDIN_FILENO, .path = "standard input", .most = TL_TEXT_MOST};
    clear_results(bytes, size);
    return read_open(&r, bytes, size, error);
}
