/* Every fuzzing harness, without libFuzzer, over its seeds and over found/NAME/: the inputs that once showed a fault.
 * An input is replayed whole and cut off at each of a few places, since files often end where they should not. Run
 * from the top of the repository. */
#define _XOPEN_SOURCE 700
#include "check.h"

#include "fuzz.h"

#include "tapeloom/tensor.h"

#include <dirent.h>
#include <sys/wait.h>

#define HARNESS(name) extern const tl_fuzz_harness tl_fuzz_harness_##name;
#include "harnesses.h"
#undef HARNESS
static const tl_fuzz_harness *const harnesses[] = {
#define HARNESS(name) &tl_fuzz_harness_##name,
#include "harnesses.h"
#undef HARNESS
};
enum { HARNESSES = sizeof harnesses / sizeof *harnesses };

typedef struct replay {
    const tl_fuzz_harness *harness;
    int count;
} replay;

static void run(void *context, const void *bytes, size_t size) {
    replay *r = context;
    r->count++;
    for (int part = 0; part <= 4; part++) { /* nothing, quarters, all */
        const fuzz_part input = fuzz_part_of(bytes, size * (size_t)part / 4);
        ck_assert_int_eq(r->harness->run((const uint8_t *)input.bytes, input.size), 0);
        free(input.bytes);
    }
}

START_TEST(seeds) {
    replay r = {harnesses[_i], 0};
    tl_set_threads(1);
    r.harness->seeds(run, &r);
    ck_assert_msg(r.count > 0, "%s has no seeds", r.harness->name);
}
END_TEST

START_TEST(found_inputs) {
    replay r = {harnesses[_i], 0};
    char path[512];
    tl_set_threads(1);
    snprintf(path, sizeof path, "tests/fuzz/found/%s", r.harness->name);
    DIR *folder = opendir(path);
    if (!folder) return; /* nothing was found */
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        size_t size;
        snprintf(path, sizeof path, "tests/fuzz/found/%s/%.200s", r.harness->name, e->d_name);
        printf("%s\n", path); /* the last one is the one that failed */
        fflush(stdout);
        char *bytes = fuzz_read(path, &size);
        run(&r, bytes, size);
        free(bytes);
    }
    closedir(folder);
    ck_assert_msg(r.count > 0, "tests/fuzz/found/%s is empty", r.harness->name);
}
END_TEST

/* A folder of found inputs belongs to a harness: a renamed harness would leave its inputs without a test. */
START_TEST(every_folder_has_its_harness) {
    DIR *folder = opendir("tests/fuzz/found");
    for (struct dirent *e; folder && (e = readdir(folder)) != NULL;) {
        bool known = e->d_name[0] == '.';
        for (int i = 0; i < HARNESSES; i++) known |= !strcmp(e->d_name, harnesses[i]->name);
        ck_assert_msg(known, "tests/fuzz/found/%s: there is no harness of this name", e->d_name);
    }
    if (folder) closedir(folder);
}
END_TEST

/* What a command prints and its exit status; the caller frees the text. */
static char *output_of(const char *command, int *status) {
    char *text = calloc(1, 1 << 16);
    FILE *from = popen(command, "r");
    ck_assert(text && from);
    const size_t size = fread(text, 1, (1 << 16) - 1, from);
    text[size] = 0;
    const int end = pclose(from);
    *status = WIFEXITED(end) ? WEXITSTATUS(end) : 256;
    return text;
}

START_TEST(the_script_lists_every_harness_and_says_what_it_lacks) {
    int status;
    char *text = output_of("tests/fuzz/run --list 2>&1", &status);
    ck_assert_int_eq(status, 0);
    for (int i = 0; i < HARNESSES; i++) {
        assert_contains(text, harnesses[i]->name);
        assert_contains(text, harnesses[i]->covers);
    }
    free(text);
    text = output_of("CC_FUZZ=/no/such/clang tests/fuzz/run --seconds 1 2>&1", &status);
    ck_assert_int_eq(status, 2);
    assert_contains(text, "apt install clang");
    free(text);
    text = output_of("tests/fuzz/run --only nothing 2>&1", &status);
    ck_assert_int_eq(status, 2);
    assert_contains(text, "there is no harness nothing");
    free(text);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, seeds, 0, HARNESSES);
    tcase_add_loop_test(tc, found_inputs, 0, HARNESSES);
    tcase_add_test(tc, every_folder_has_its_harness);
    tcase_add_test(tc, the_script_lists_every_harness_and_says_what_it_lacks);
}

TL_TEST_MAIN("fuzz: seeds and found inputs")
