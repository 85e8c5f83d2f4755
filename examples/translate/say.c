/* Small things that the commands say and need. */
#include "program.h"

char *path_in(char path[PATH_SIZE], const char *dir, const char *file) {
    snprintf(path, PATH_SIZE, "%s/%s", dir, file);
    return path;
}

void print_line(const char *before, const char *text, const char *after) {
    fputs(before, stdout);
    tl_put_text(text, stdout);
    fputs(after, stdout);
}

void print_name(const char *before, const char *name, const char *after) {
    fputs(before, stdout);
    tl_show(name, stdout);
    fputs(after, stdout);
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
