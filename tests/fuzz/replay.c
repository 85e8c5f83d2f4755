/* Runs a harness over every file of a folder, with any compiler: build/tests/fuzz/replay NAME FOLDER. tests/fuzz/run
 * measures by it which lines inputs have run. */
#define _XOPEN_SOURCE 700
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

#define HARNESS(name) extern const tl_fuzz_harness tl_fuzz_harness_##name;
#include "harnesses.h"
#undef HARNESS
static const tl_fuzz_harness *const harnesses[] = {
#define HARNESS(name) &tl_fuzz_harness_##name,
#include "harnesses.h"
#undef HARNESS
};
enum { HARNESSES = sizeof harnesses / sizeof *harnesses };

int main(int argc, char **argv) {
    const tl_fuzz_harness *harness = NULL;
    for (int i = 0; argc == 3 && i < HARNESSES; i++)
        if (!strcmp(harnesses[i]->name, argv[1])) harness = harnesses[i];
    DIR *folder = harness ? opendir(argv[2]) : NULL;
    if (!folder) return fprintf(stderr, "usage: replay HARNESS FOLDER\n"), 2;
    long count = 0;
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        char path[4096];
        size_t size;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", argv[2], e->d_name);
        char *bytes = fuzz_read(path, &size);
        const fuzz_part input = fuzz_part_of(bytes, size);
        harness->run((const uint8_t *)input.bytes, size);
        free(input.bytes), free(bytes);
        count++;
    }
    closedir(folder);
    printf("%s: %ld inputs\n", argv[1], count);
    return 0;
}
