/* Standard streams, for programs: they are open at the start, and at the end all output has been written. And streams into
 * memory that lose nothing unnoticed. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Opens each closed descriptor for the wrong direction, so that reading and writing fail as if it were closed. open
 * returns the lowest free number, which is this one, since those below are open. */
void tl_streams_open(void) {
    struct sigaction now;
    if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGXFSZ, SIG_IGN);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
}

/* A write may have failed long ago, with an errno that is gone. If nothing was printed, a closed stream is no
 * failure. */
bool tl_output_close(FILE *output, tl_error *error) {
    if (!output) return tl_error_set(error, "cannot close an output: it is NULL; give standard output");
    errno = 0;
    const bool before = ferror(output) != 0, now = fflush(output) != 0;
    int number = now ? errno : 0;
    if (fclose(output) != 0 && number == 0 && errno != EBADF) number = errno;
    if (number != 0) return tl_fail_errno(error, "write", "standard output", number);
    return !(before || now) ||
           tl_error_set(
               error,
               "not everything could be written to standard output; see whether the place where it goes "
               "is full or limited (ulimit -f)");
}

FILE *tl_text_open(char **text, size_t room, tl_error *error) {
    if (!text) return tl_error_set(error, "a text in memory: there is nowhere to put it (NULL)"), NULL;
    /* The stream has a byte more: where it is full, glibc overwrites the last one with 0. */
    *text = room < SIZE_MAX - 1 ? malloc(room + 2) : NULL;
    FILE *stream = *text ? fmemopen(*text, room + 1, "w") : NULL;
    if (stream) return stream;
    free(*text);
    *text = NULL;
    tl_error_set(error, "out of memory for a text of up to %zu bytes", room);
    return NULL;
}

bool tl_text_close(FILE *stream, char **text, size_t *size, tl_error *error) {
    if (!stream) {
        if (text) *text = NULL;
        return false;
    }
    if (!text) {
        fclose(stream);
        return tl_error_set(error, "a text in memory: there is nowhere to put it (NULL)");
    }
    const bool written = fflush(stream) == 0 && !ferror(stream);
    const long end = ftell(stream);
    const bool closed = fclose(stream) == 0 && written && end >= 0,
               full = closed && end > 0 && !(*text)[end - 1];
    if (closed && !full) {
        (*text)[end] = 0;
        if (size) *size = (size_t)end;
        return true;
    }
    free(*text);
    *text = NULL;
    return tl_error_set(error, "a text does not fit into the memory that was requested for it");
}
