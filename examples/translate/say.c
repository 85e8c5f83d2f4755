/* Small things that the commands say and need. */
#include "program.h"

char *path_in(char path[PATH_SIZE], const char *dir, const char *file) {
    snprintf(path, PATH_SIZE, "%s/%s", dir, file);
    return path;
}

int fail_with(const char *message) {
    fprintf(stderr, "translate: %s\n", message);
    return 1;
}

int status_of(const tl_run *run, const tl_error *error) {
    if (tl_failed(error)) return fail_with(error->message);
    return tl_run_error(run) ? fail_with(tl_run_error(run)) : 0;
}

int usage_with(const char *command, const char *message) {
    fprintf(stderr, "translate: %s; see translate %s --help\n", message, command);
    return 2;
}
