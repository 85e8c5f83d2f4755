/* marker: marks what students wrote. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) { /* a beginning: marker TASK TIER RUNNER [RUNNER] */
    const int kit = course_kit_command(argc, argv);
    if (kit >= 0) return kit;
    const course_task *task = argc > 3 ? course_task_named(argv[1]) : NULL;
    if (!task) return 2;
    course_marks *m = malloc(sizeof *m);
    if (!m) return 2;
    course_mark(m, task, atoi(argv[2]), (const char *const[]){argv[3], argc > 4 ? argv[4] : NULL, NULL}, 1,
                (course_limits){.seconds = 10, .memory = (size_t)1 << 32});
    course_print(m, stdout);
    const bool whole = m->points > 99.99;
    free(m);
    return !whole;
}
