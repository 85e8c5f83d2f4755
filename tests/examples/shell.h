/* Runs a shell command in a test: its output (stdout and stderr together) and its exit status. */
#ifndef TL_TESTS_SHELL_H
#define TL_TESTS_SHELL_H

#include "check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

/* An environment variable, or `otherwise` if it is not set or empty. */
static inline const char *env(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static inline const char *build_folder(void) { return env("BUILD", "build"); }

/* Reads a stream to its end; the caller frees the text. */
static inline char *read_all(FILE *in) {
    size_t size = 0, capacity = 4096, got;
    char *text = malloc(capacity);
    ck_assert_ptr_nonnull(text);
    while ((got = fread(text + size, 1, capacity - size - 1, in)) > 0) {
        size += got;
        if (size + 1 < capacity) continue;
        text = realloc(text, capacity *= 2);
        ck_assert_ptr_nonnull(text);
    }
    text[size] = 0;
    return text;
}

static inline char *read_text_file(const char *path) {
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s cannot be opened; run from the top of the repository", path);
    char *text = read_all(in);
    fclose(in);
    return text;
}

/* Runs a shell command. *status is its exit status, or 128 + n if signal n ended it. The caller frees the output. */
static inline char *shell(int *status, const char *format, ...) {
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(command, sizeof command - 8, format, arguments);
    va_end(arguments);
    ck_assert(length > 0 && length < (int)sizeof command - 8);
    strcat(command, " 2>&1");
    FILE *out = popen(command, "r");
    ck_assert_ptr_nonnull(out);
    char *text = read_all(out);
    int end = pclose(out);
    *status = WIFEXITED(end) ? WEXITSTATUS(end) : 128 + WTERMSIG(end);
    return text;
}

#endif
