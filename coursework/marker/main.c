/* marker: marks what students wrote. */
#include "commands.h"

#include <tapeloom.h>

#include <stdio.h>
#include <string.h>

/* Whatever a command returns, results that could not be written are a failure. */
int main(int argc, char **argv) {
    tl_error error = {""};
    const bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const int status = all ? course_all(argc, argv) : course_command(argc, argv);
    if (tl_output_close(stdout, &error) || status) return status;
    fprintf(stderr, "marker: %s\n", error.message);
    return 1;
}
