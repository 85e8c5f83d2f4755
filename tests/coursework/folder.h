/* The students' folder, made by `make coursework`, and commands that run in it. In commands $T is the test's folder, $K
 * the course, $S the answers, $TOP the repository, $M the marker. */
#ifndef TL_TESTS_COURSEWORK_FOLDER_H
#define TL_TESTS_COURSEWORK_FOLDER_H

#ifndef _XOPEN_SOURCE
# define _XOPEN_SOURCE 700
#endif
#include "coursework/marker/kit.h"
#include "examples/shell.h"
#include "io/scratch.h"

#include <tapeloom.h>

static scratch all; /* the program's folder: the course and the answers, made once */
static char *said;  /* both streams of the last command */

/* Runs a command; its output is in `said`. Returns its exit status. */
static inline int try(const char *format, ...) {
    char command[3072];
    va_list arguments;
    va_start(arguments, format);
    must(vsnprintf(command, sizeof command, format, arguments) < (int)sizeof command);
    va_end(arguments);
    int status;
    free(said);
    said = shell(&status, "{ %s\n}", command);
    return status;
}
#define sh(...)                                                                  \
 do {                                                                            \
  const int status_ = try(__VA_ARGS__);                                          \
  must_msg(status_ == 0, "%s\nexit status %d\n%s", #__VA_ARGS__, status_, said); \
 } while (0)

/* `make test` puts its options and variables into the environment. They are removed, so that they do not reach the
 * makes that the tests run. */
static inline void clear_make_environment(void) {
    static const char *const names[] = {
        "MAKEFLAGS", "GNUMAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",  "MAKEFILES",
        "B",         "PRECISION",    "SAN",    "DEBUG",     "OPENMP",         "HARDEN",
        "PREFIX",    "DESTDIR",      "CFLAGS", "CPPFLAGS",  "LDFLAGS",        "STUDENT",
        "SEED",      "TIER",         "MARKER", "TAPELOOM",  "TAPELOOM_BUILD", "OUT",
        "ISAS",      "AR",           "RUN",    "V",         "PKG_CONFIG_PATH"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

static inline void enter_course(void) {
    char top[1024], marker[2048];
    all = scratch_new();
    must(getcwd(top, sizeof top));
    setenv("CC", env("CC", "cc"), 1);
    setenv("BUILD", build_folder(), 1);
    snprintf(marker, sizeof marker, "%s/%s/marker", top, build_folder());
    must_msg(access(marker, X_OK) == 0, "%s is not there; run from the top, after make all", marker);
    setenv("M", marker, 1);
    setenv("TOP", top, 1);
    setenv("T", all.folder, 1);
    setenv("K", scratch_path(&all, "the course"), 1); /* with a space, so that every command must quote it */
    setenv("S", scratch_path(&all, "answers"), 1);
    clear_make_environment();
    /* -o: the library and the marker of this build are not made again, whatever its options were */
    setenv("MAKE_TOP", "make -s -o lib -o $BUILD/marker B=$BUILD CC=\"$CC\"", 1);
    sh("eval \"$MAKE_TOP\" coursework 'OUT=\"$K\"' && eval \"$MAKE_TOP\" coursework-solutions 'OUT=\"$S\"'");
}
static inline void leave_course(void) { scratch_remove(&all); }

/* Tier 2 needs the library in float, because runners exchange floats. */
#define has_tier2 (sizeof(tl_real) == sizeof(float))

/* "03-softmax" */
static inline const char *folder_of(const course_task *task) {
    static char name[64];
    snprintf(name, sizeof name, "%02d-%s", task->number, task->name);
    return name;
}

static inline bool exists(const char *format, ...) {
    char path[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    return access(path, F_OK) == 0;
}

#endif
