/* Commands that must fail, and how: exit status and the one line that says what to do. */
#ifndef TL_TESTS_FAILURES_H
#define TL_TESTS_FAILURES_H

#include "program.h"

/* Text with every $D replaced by the test's folder. */
static inline const char *expanded(const char *text) {
    static char result[4096];
    size_t used = 0;
    for (; *text; text++)
        if (text[0] == '$' && text[1] == 'D') {
            used += (size_t)snprintf(result + used, sizeof result - used, "%s", here.folder);
            text++;
        } else
            result[used++] = *text;
    result[used] = 0;
    return result;
}

/* Asserts that the command fails with this status and message. `text` is the whole line without the program's name. */
static inline void fails_with(int status, const char *command, const char *text) {
    char line[4200];
    int found = try(command);
    snprintf(line, sizeof line, PROGRAM ": %s\n", expanded(text));
    ck_assert_msg(found == status, "%s\nexit status %d, expected %d\n%s%s", command, found, status, out, err);
    ck_assert_msg(!strcmp(err, line), "%s\nsays     %sexpected %s", command, err, line);
    ck_assert_msg(*out == 0, "%s\nprinted %s", command, out);
}

/* The same if there is earlier output: the last line must begin with `text`. */
static inline void ends_with(int status, const char *command, const char *text) {
    int found = try(command);
    char *line = strstr(err, PROGRAM ": ");
    ck_assert_msg(found == status && line, "%s\nexit status %d, expected %d\n%s%s", command, found, status,
                  out, err);
    ck_assert_msg(!strncmp(line + sizeof PROGRAM + 1, expanded(text), strlen(expanded(text))),
                  "%s\nsays     %sexpected %s", command, line, expanded(text));
    ck_assert_msg(strchr(line, '\n') == line + strlen(line) - 1, "%s\nsays %s", command, line);
}

#endif
