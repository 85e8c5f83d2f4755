/* A page in a browser, for tests. One browser serves all tests of a program: browser.py is started before the first
 * test; it reads commands and writes answers, one line each. Without Chromium or Python the tests are skipped, with
 * a message. */
#ifndef TL_TESTS_LENS_BROWSER_H
#define TL_TESTS_LENS_BROWSER_H

#include "io/scratch.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

typedef struct browser {
    scratch files;
    char *answer[600];
    int asked;
} browser;

static struct {
    pid_t process;
    int to, from;
} driver; /* browser.py */

/* "chromium", …; NULL: there is none, which was reported. Can also be called in the main process, where assertions
 * are not possible. */
static inline const char *browser_program(void) {
    static const char *const names[] = {"chromium", "chromium-browser", "google-chrome", "chrome"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char command[128];
        snprintf(command, sizeof command, "{ command -v %s && python3 -c ''; } >/dev/null 2>&1", names[i]);
        if (system(command) == 0) return names[i];
    }
    TL_SKIP("pages: no Chromium, or no python3 to drive it: nothing was clicked");
    return NULL;
}

static inline void start_browser(void) {
    int to[2], from[2];
    ck_assert(pipe(to) == 0 && pipe(from) == 0);
    driver.process = fork();
    if (driver.process == 0) {
        dup2(to[0], 0), dup2(from[1], 1);
        close(to[1]), close(from[0]);
        execlp("python3", "python3", "tests/lens/browser.py", browser_program(), (char *)NULL);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    driver.to = to[1], driver.from = from[0];
}

static inline void end_browser(void) {
    close(driver.to), close(driver.from); /* it ends when its input ends */
    waitpid(driver.process, NULL, 0);
}

static inline browser browser_new(void) {
    signal(SIGPIPE, SIG_IGN);
    return (browser){.files = scratch_new()};
}

static inline const char *browser_file(browser *b, const char *name, const char *text) {
    const char *path = scratch_path(&b->files, name);
    FILE *file = fopen(path, "w");
    ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

/* Reads one line; the caller frees it. */
static inline char *line_from(int file) {
    size_t size = 0, room = 256;
    char *line = malloc(room);
    for (char c; read(file, &c, 1) == 1 && c != '\n'; line[size++] = c)
        if (size + 2 > room) line = realloc(line, room *= 2);
    line[size] = 0;
    return line;
}

/* Sends a command to browser.py; returns the number of its answer. If it fails, the test fails. */
TL_PRINTF(2, 3)
static inline int ask(browser *b, const char *format, ...) {
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(command, sizeof command - 1, format, arguments);
    va_end(arguments);
    ck_assert(size > 0 && size < (int)sizeof command - 1 && b->asked < 600);
    strcpy(command + size, "\n");
    ck_assert_msg(write(driver.to, command, (size_t)size + 1) == size + 1, "browser.py has gone");
    b->answer[b->asked] = line_from(driver.from);
    ck_assert_msg(b->answer[b->asked][0] && strncmp(b->answer[b->asked], "failed:", 7), "%s%s", command,
                  b->answer[b->asked]);
    return b->asked++;
}

static inline void browser_free(browser *b) {
    while (b->asked > 0) free(b->answer[--b->asked]);
    scratch_remove(&b->files);
}

/* Asserts an answer. */
#define says(b, number, expected) ck_assert_str_eq((b)->answer[number], expected)

#endif
