/* Messages and small functions for all commands. */
#define _POSIX_C_SOURCE 200809L /* stat */
#include "program.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

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

static bool memory_was_missing;

bool lack_memory(bool lacks) {
    memory_was_missing |= lacks;
    return lacks;
}

char *shown_text(const char *text) {
    char *shown = tl_shown_text(text);
    lack_memory(!shown);
    return shown;
}

bool all_is_shown(tl_error *error) {
    return !memory_was_missing || tl_error_set(error, "out of memory: parts of what was printed are missing");
}

void print_option(const char *name, const char *word) {
    char shell[WORD_SIZE];
    printf(" --%s%s%s", name, strncmp(word, "--", 2) ? " " : "=", tl_shell_word(word, shell, sizeof shell));
}

const char *shade_of(double share, bool wide) {
    static const struct {
        double from;
        const char *one, *two;
    } shades[] = {{0.8, "█", "██"}, {0.5, "▓", "▓▓"}, {0.25, "▒", "▒▒"}, {0.1, "░", "░░"}, {0.03, "·", "·"}};
    for (size_t i = 0; i < sizeof shades / sizeof *shades; i++)
        if (share >= shades[i].from) return wide ? shades[i].two : shades[i].one;
    return "";
}

int fail_with(const char *message) {
    say_failure(message);
    return 1;
}

int status_of(const tl_run *run, const tl_error *error) {
    if (tl_failed(error)) return fail_with(error->message);
    return tl_run_error(run) ? fail_with(tl_run_error(run)) : 0;
}

int usage_with(const char *command, const char *message) {
    tl_error error = {""};
    if (leads())
        fprintf(stderr, "%s: %s; see %s %s --help\n", this_program.name, message, this_program.name, command);
    /* a single rank may find this, by a file that only its machine has */
    tl_error_set(&error, "%s", message);
    all_well(NULL, false, &error);
    return 2;
}

/* ---- for info ---- */

void print_training(const tl_run_settings *s) {
    const tl_training_settings *t = &s->training;
    if (t->accumulate > 1) printf(" x %ld", t->accumulate);
    printf(
        ", Adam, %s from %g after %ld steps of warm-up, dropout %g, label smoothing %g, clip %g, seed %ld\n",
        t->schedule, t->lr, t->warmup, s->model.dropout, t->label_smoothing, t->clip, t->seed);
    printf("            matrix precision %s (%s)\n", t->matmul_precision, tl_build_text());
}

void print_state(const tl_training_state *now, const char *score) {
    printf("so far      %ld updates, %ld epochs, %.0f s", now->step, now->epoch, now->seconds);
    if (now->validations) {
        printf("; best ");
        if (score) printf("%s %.2f, ", score, now->best_score);
        printf("loss %.3f, perplexity %.2f (update %ld)", now->best_loss, exp(now->best_loss),
               now->best_step);
    }
    printf("\n");
}

bool print_files(const char *dir, tl_error *error) {
    static const char *const files[] = {"model.safetensors", "last.safetensors", "average.safetensors",
                                        "codes.txt",         "vocab.json",       "vocab.txt",
                                        "merges.txt",        "labels.txt",       "checkpoint.safetensors",
                                        "log.csv",           "curves.svg"};
    char path[PATH_SIZE];
    printf("files      ");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat about;
        if (stat(path_in(path, dir, files[i]), &about) == 0)
            printf(" %s (%.1f kB)", files[i], (double)about.st_size / 1e3);
        else if (errno != ENOENT)
            return tl_error_set(error, "cannot look at %s: %s", path, strerror(errno));
    }
    printf("\n");
    return true;
}
