/* The models in docs/performance.md and docs/scaling.md have the sizes of bench/configurations.h, and
 * docs/records/README.md lists every record. */
#define _XOPEN_SOURCE 700
#include "docs/book.h"
#include "../bench/configurations.h"

#include <glob.h>

/* The row of a page's table whose first cell is the name: its cells, separated by spaces; "" if there is none. */
static void row_of(const char *page, const char *name, char row[128]) {
    *row = '\0';
    for (const char *line = page; *line; line = page_next(line)) {
        char cell[32];
        const char *at = line + strspn(line, "| "), *end = line + strcspn(line, "\n");
        const size_t length = strlen(name);
        if (strncmp(at, name, length) != 0 || at[length] != ' ') continue;
        for (int used; at < end && sscanf(at, "%31[^| \n]%n", cell, &used) == 1; at += strspn(at, "| ")) {
            const size_t had = strlen(row);
            snprintf(row + had, 128 - had, "%s%s", had ? " " : "", cell);
            at += used;
        }
        return;
    }
}

START_TEST(models_have_the_sizes_of_the_sources) {
    char *performance = get_file("docs/performance.md", NULL), *scaling = get_file("docs/scaling.md", NULL);
    for (size_t i = 0; i < sizeof configurations / sizeof *configurations; i++) {
        const configuration *c = &configurations[i];
        char row[128], sizes[96], batch[128];
        snprintf(sizes, sizeof sizes, "%s %d %ld %d %ld %ld", c->name, c->layers, c->d_model, c->heads,
                 c->d_ff, c->vocab);
        snprintf(batch, sizeof batch, "%s %ld %ld", sizes, c->sentences, c->length);
        row_of(performance, c->name, row);
        ck_assert_str_eq(row, batch);
        /* In scaling.md the sentences of a batch are a column of the tables. */
        snprintf(batch, sizeof batch, "%s %ld", sizes, c->length);
        row_of(scaling, c->name, row);
        ck_assert_str_eq(row, batch);
    }
    free(performance), free(scaling);
}
END_TEST

START_TEST(the_list_has_every_record) {
    char *list = get_file("docs/records/README.md", NULL), link[300];
    glob_t found;
    ck_assert_int_eq(glob("docs/records/*.md", 0, NULL, &found), 0);
    *faults = '\0';
    for (size_t k = 0; k < found.gl_pathc; k++) {
        snprintf(link, sizeof link, "](%s)", strrchr(found.gl_pathv[k], '/') + 1);
        if (!strstr(link, "README") && !strstr(list, link)) fault("it does not list %s", link);
    }
    globfree(&found);
    free(list);
    no_faults("docs/records/README.md");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, models_have_the_sizes_of_the_sources);
    tcase_add_test(tc, the_list_has_every_record);
}

TL_TEST_MAIN("docs: performance.md and the records")
