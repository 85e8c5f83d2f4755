/* A harness as a program of libFuzzer; built once for each harness, with -DTL_FUZZ_NAME=json and the like.
 *
 *     build/fuzz/json -max_total_time=60 FOLDER …     searches, from the inputs in the folders
 *     build/fuzz/json FILE                            runs one input
 *     build/fuzz/json --seeds FOLDER                  writes the harness's seeds */
#include "fuzz.h"

#include <stdio.h>

#define JOINED(a, b) a##b
#define HARNESS(name) JOINED(tl_fuzz_harness_, name)
extern const tl_fuzz_harness HARNESS(TL_FUZZ_NAME);

/* LLVM's OpenMP runtime loses memory of its own when the number of threads changes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libomp.so"; }

static int seeds_written;

static void write_seed(void *context, const void *bytes, size_t size) {
    char path[1024];
    snprintf(path, sizeof path, "%s/seed-%03d", (const char *)context, ++seeds_written);
    FILE *to = fopen(path, "wb");
    FUZZ_MUST(to && fwrite(bytes, 1, size, to) == size && fclose(to) == 0, "cannot write %s", path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (*argc == 3 && !strcmp((*argv)[1], "--seeds")) {
        HARNESS(TL_FUZZ_NAME).seeds(write_seed, (*argv)[2]);
        exit(0);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    return HARNESS(TL_FUZZ_NAME).run(bytes, size);
}
