/* marker: marks what students wrote. */
#include "commands.h"

#include <string.h>

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--all") == 0) return course_all(argc, argv);
    return course_command(argc, argv);
}
