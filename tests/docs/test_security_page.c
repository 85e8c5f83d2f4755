/* SECURITY.md: its limits are those of the code, and the files that it names exist. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "examples/shell.h"
#include "io/safetensors.h"

#include <tapeloom.h>
#include <unistd.h>

START_TEST(limits) {
    char *page = read_text_file("SECURITY.md"), line[256];
    const struct {
        const char *of;
        size_t most;
        const char *unit;
    } cases[] = {
        {"sentences, from a file or from standard input; a run's tables (`log.csv`, `watch.csv`)",
         TL_TEXT_MOST >> 20, " MiB"},
        {"a run's vocabularies and merges, each", TL_WORDS_MOST >> 20, " MiB"},
        {"a configuration, in a file or in a checkpoint", TL_CONFIG_MOST >> 20, " MiB"},
        {"a safetensors file's header (the format's own limit)", TL_SAFETENSORS_HEADER_MAX, " bytes"}};
    for (int i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "| %s | %zu%s |", cases[i].of, cases[i].most, cases[i].unit);
        assert_contains(page, line);
    }
    free(page);
}
END_TEST

/* Each setting may have the page's largest value, and not one more. */
START_TEST(limits_of_settings) {
    char *page = read_text_file("SECURITY.md");
    assert_contains(page, "| 1000, 65536, 262144 |");
    assert_contains(page, "| 10000000, 1023 |");
    for (int i = 0; i < 10; i++) {
        tl_run_settings s = tl_run_settings_default();
        long *const value[] = {&s.model.layers, &s.model.d_model, &s.model.d_ff, &s.data.sentences,
                               &s.data.max_symbols};
        static const long most[] = {1000, 65536, 262144, 10000000, 1023};
        tl_error error = {""};
        *value[i / 2] = most[i / 2] + i % 2;
        ck_assert_msg(tl_run_settings_complete(&s, &error) == !(i % 2), "%d: %s", i, error.message);
    }
    free(page);
}
END_TEST

/* Words in `quotes` that contain a slash are files. */
START_TEST(named_files_exist) {
    char *page = read_text_file("SECURITY.md");
    int files = 0;
    for (char *word = strtok(page, "`"); word; word = strtok(NULL, "`")) {
        if (!strchr(word, '/') || strpbrk(word, " \n")) continue;
        ck_assert_msg(access(word, R_OK) == 0, "SECURITY.md names %s, which does not exist", word);
        files++;
    }
    ck_assert_int_gt(files, 20);
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, limits);
    tcase_add_test(tc, limits_of_settings);
    tcase_add_test(tc, named_files_exist);
}
TL_TEST_MAIN("docs: SECURITY.md")
