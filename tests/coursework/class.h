/* For tests of marker --all: writes students' files and marks them. */
#ifndef TL_TESTS_COURSEWORK_CLASS_H
#define TL_TESTS_COURSEWORK_CLASS_H

#include "kit.h"
#include "coursework/marker/lecturing.h"

#include <sys/stat.h>
#include <tapeloom/io.h>

/* A workshop in this checkout, with the library of this build. */
static course_workshop class_shop;

static inline void class_close(void) { course_workshop_close(&class_shop); }

static inline const course_workshop *class_open(const course_task *task, int tier) {
    char why[COURSE_WHY] = "";
    if (!*class_shop.folder) {
        must_msg(course_workshop_open(&class_shop, getenv("CC"), NULL, NULL, why), "%s", why);
        char *library = realpath(getenv("BUILD") ? getenv("BUILD") : "build", NULL);
        must(library);
        snprintf(class_shop.library, sizeof class_shop.library, "%.4000s/libtapeloom.a", library);
        must(realpath("include", class_shop.include));
        free(library);
        course_workshop_link(&class_shop);
        atexit(class_close);
    }
    must_msg(course_workshop_prepare(&class_shop, task, tier, why), "%s", why);
    return &class_shop;
}

/* Writes a file, and the folders above it. */
static inline void class_write(const char *path, const char *text) {
    char folder[2 * COURSE_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    if (strrchr(folder, '/')) *strrchr(folder, '/') = '\0';
    tl_error error = {{0}};
    must_msg(tl_make_dirs(folder, &error) && tl_file_write(path, text, strlen(text), &error), "%s",
             error.message);
}

/* `text` with its first `from` replaced by `to`; to be freed. */
static inline char *class_changed(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    must_msg(at, "the file does not hold \"%s\"", from);
    char *changed = calloc(strlen(text) + strlen(to) + 1, 1);
    must(changed);
    sprintf(changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return changed;
}

/* Writes `text` as a student's file of that task and tier, and marks it. */
static inline course_result class_result(const course_task *task, int tier, const char *text, uint64_t seed,
                                         course_limits limits) {
    static int number;
    const volatile int stop = 0;
    const course_workshop *shop = class_open(task, tier);
    char name[128], path[COURSE_PATH + 256], work[256];
    course_sheet sheet = {.student = "4711", .task = task, .tier = tier};
    must(course_file_name(shop, task, tier, 0, name));
    snprintf(sheet.folder, sizeof sheet.folder, "%s/student-%d", kit_temporary(), number);
    snprintf(path, sizeof path, "%s/%s", sheet.folder, name);
    class_write(path, text);
    snprintf(work, sizeof work, "%s/work-%d", kit_temporary(), number++);
    must(mkdir(work, 0700) == 0);
    const course_exam exam = {.shop = shop, .seed = seed, .limits = limits, .jobs = 1, .stop = &stop};
    course_result result;
    course_mark_sheet(&exam, &sheet, work, &result);
    return result;
}

#define CLASS_LIMITS ((course_limits){.seconds = 20})

#endif
