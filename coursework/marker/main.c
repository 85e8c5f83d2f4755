/* marker: marks what students wrote. */
#include "commands.h"

#include <string.h>

/* Stands in for all.c until there is one. */
__attribute__((weak)) int course_all(int argc, char **argv) {
    (void)argc, (void)argv;
    fputs("marker: --all is not there yet\n", stderr);
    return 2;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--all") == 0) return course_all(argc, argv);
    return course_command(argc, argv);
}
