/* Standard streams, for programs: that they are there at the start, and that what was printed has arrived at the end. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Opened the wrong way round, so that reading and writing fail as they would if it were closed, and say so. open takes the
 * lowest number that is free: this one, as those below have been seen to. */
void tl_streams_open(void) {
    struct sigaction now;
    if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGXFSZ, SIG_IGN);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
}

/* What failed may have failed long ago, and errno be another one's by now. Where nothing was printed, it does not matter that a
 * stream was closed. */
bool tl_output_close(FILE *output, tl_error *error) {
    if (output == NULL)
        return tl_error_set(error, "cannot close an output: it is NULL; give standard output");
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
