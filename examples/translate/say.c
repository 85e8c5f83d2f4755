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

void caution_of(tl_run *run) {
    if (tl_run_settings_of(run)->model.no_causal)
        fputs("translate: caution: the decoder of this run sees the words to come, which it is to foretell "
              "(--no-causal, for "
              "study): its loss and accuracy say nothing of how it translates, and while it does it sees "
              "what is "
              "written so far, computed anew for each word.\n",
              stderr);
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
