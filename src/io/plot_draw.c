/* Running gnuplot on a script, without a shell. It is searched on the PATH, started in the script's folder, and its
 * output is kept for the error. Between fork and exec the child makes only system calls, because the parent may have
 * threads. */
#define _XOPEN_SOURCE 700
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- finding gnuplot ---- */

/* Is there no such program for this user, or does the system not tell? */
static bool means_none(int number) {
    return number == ENOENT || number == ENOTDIR || number == EACCES || number == ELOOP ||
           number == ENAMETOOLONG;
}

/* Is this a program? Returns 0 or an errno; *found is its absolute path, which the caller frees, or NULL. */
static int look_for(const char *path, char **found) {
    struct stat about;
    if (access(path, X_OK) != 0) return means_none(errno) ? 0 : errno;
    if (stat(path, &about) != 0) return errno == ENOENT ? 0 : errno;
    if (!S_ISREG(about.st_mode)) return 0;
    *found = realpath(path, NULL);
    return *found ? 0 : errno;
}

/* *found becomes the absolute path of gnuplot, which the caller frees, or NULL if there is none. The current folder (an
 * empty part of the PATH) is not searched. False, and an error, on failure. */
static bool find_gnuplot(const char *script, char **found, tl_error *error) {
    const char *part = getenv("PATH");
    *found = NULL;
    while (part && *part != 0 && !*found) {
        size_t size = strcspn(part, ":");
        char *path = malloc(size + sizeof "/gnuplot");
        if (!path) return tl_fail_memory(error, "drawing", script);
        memcpy(path, part, size);
        strcpy(path + size, "/gnuplot");
        const int number = size > 0 ? look_for(path, found) : 0;
        if (number == ENOMEM)
            tl_fail_memory(error, "drawing", script);
        else if (number != 0)
            tl_fail_errno(error, "look at", path, number);
        free(path);
        if (number != 0) return false;
        part += size + (part[size] == ':');
    }
    return true;
}

/* ---- running it ---- */

typedef struct run {
    char *gnuplot, *folder, *script; /* script: "./name" in the folder */
    int status;                      /* from waitpid */
    char said[4096];                 /* the beginning of its output */
} run;

/* Reads gnuplot's output to the end, and keeps what fits. */
static void read_output(int fd, run *r) {
    char block[512];
    size_t used = 0;
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size_t keep = sizeof r->said - 1 - used < (size_t)got ? sizeof r->said - 1 - used : (size_t)got;
        memcpy(r->said + used, block, keep);
        used += keep;
    }
    r->said[used] = 0;
}

/* Runs gnuplot. Returns 0 or an errno. */
static int start_and_wait(run *r) {
    int ends[2], nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0) return errno;
    if (pipe(ends) != 0) {
        int number = errno;
        close(nothing);
        return number;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    char name[] = "gnuplot", option[] = "-d"; /* -d: without the user's own settings */
    char *arguments[] = {name, option, r->script, NULL};
    pid_t child = fork();
    if (child == 0) {
        if (chdir(r->folder) == 0 && dup2(nothing, 0) == 0 && dup2(ends[1], 1) == 1 && dup2(ends[1], 2) == 2)
            execv(r->gnuplot, arguments);
        _exit(127);
    }
    int number = child < 0 ? errno : 0;
    close(nothing);
    close(ends[1]);
    if (child > 0) read_output(ends[0], r);
    close(ends[0]);
    while (child > 0 && waitpid(child, &r->status, 0) < 0)
        if (errno != EINTR) return errno;
    return number;
}

/* ---- gnuplot's output ---- */

/* The next line that contains `word` ("": any line that is not blank); NULL if there is none. */
static const char *line_with(const char *text, const char *word, size_t *size) {
    while (*text != 0) {
        text += strspn(text, " \t\r\n");
        *size = strcspn(text, "\r\n");
        const char *hit = *word != 0 ? strstr(text, word) : text;
        if (*size > 0 && hit && hit < text + *size) return text;
        text += *size;
    }
    return NULL;
}

/* For gnuplot a missing log or column is only a warning; it then draws an empty picture, or fails later for another
 * reason. Other complaints look like `"curves.gp" line 7: undefined variable: x`, with or without a comma. */
static const char *find_error(const run *r, size_t *size) {
    const char *line = line_with(r->said, "Cannot find or open file", size);
    if (!line) line = line_with(r->said, "no column with header", size);
    if (line || (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0)) return line;
    size_t any;
    for (const char *at = r->said; (at = line_with(at, " line ", size)) != NULL; at += *size)
        if (line_with(at, "warning:", &any) != at) return at;
    line = line_with(r->said, "", size);
    *size = line ? *size : strlen("it said nothing");
    return line ? line : "it said nothing";
}

static bool check_result(const run *r, const char *script, tl_error *error) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    size_t size = 0;
    tl_shown_path(script, file);
    if (WIFSIGNALED(r->status))
        return tl_error_set(error, "%s: gnuplot was killed by signal %d; run it by hand to see why", file,
                            WTERMSIG(r->status));
    if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 127 && r->said[0] == 0)
        return tl_error_set(error, "%s: %s could not be started; check that it runs, and the script's folder",
                            file, tl_shown_path(r->gnuplot, shown));
    const char *line = find_error(r, &size);
    if (!line) return true;
    return tl_error_set(error, "%s: gnuplot failed: %s; check the log and its columns, or the script", file,
                        tl_shown(line, size, 200, shown));
}

bool tl_plot_draw(const char *script, bool *drawn, tl_error *error) {
    bool unused;
    if (!drawn) drawn = &unused;
    *drawn = false;
    if (!script) return tl_error_set(error, "cannot draw a plot: the script's path is NULL; give a path");
    struct stat about;
    if (access(script, R_OK) != 0 || stat(script, &about) != 0)
        return tl_fail_errno(error, "read", script, errno);
    if (S_ISDIR(about.st_mode)) return tl_fail_errno(error, "read", script, EISDIR);
    run r = {.status = 0};
    if (!find_gnuplot(script, &r.gnuplot, error)) return false;
    if (!r.gnuplot) return true;
    const char *slash = strrchr(script, '/'), *name = slash ? slash + 1 : script;
    r.folder = slash ? strndup(script, (size_t)(slash - script) + 1) : strdup(".");
    r.script = malloc(strlen(name) + 3);
    bool ok = r.folder && r.script;
    if (ok) {
        strcat(strcpy(r.script, "./"), name);
        int number = start_and_wait(&r);
        ok = number == 0 ? check_result(&r, script, error)
                         : tl_fail_errno(error, "run gnuplot on", script, number);
        *drawn = ok;
    } else {
        tl_fail_memory(error, "drawing", script);
    }
    free(r.gnuplot);
    free(r.folder);
    free(r.script);
    return ok;
}
