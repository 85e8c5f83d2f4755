/* Disguised copies are found; independent solutions are not called alike. */
#include "class.h"

#include <dirent.h>

#define SOLUTION "coursework/softmax/softmax.c"

static course_prints starter_of(const course_task *task) {
    course_prints p;
    char name[128], *text = NULL;
    if (course_file_name(class_open(task, 1), task, 1, 0, name))
        text = course_starter(&class_shop, task, name);
    must(text && course_prints_of(&p, text, strlen(text), NULL));
    free(text);
    return p;
}

static course_prints prints_of(const char *text, const course_prints *starter) {
    course_prints p;
    must(course_prints_of(&p, text, strlen(text), starter));
    return p;
}

/* The text with other names, other white space and other comments. */
static char *disguised(const char *text) {
    course_tokens all;
    must(course_tokens_of(&all, text, strlen(text)));
    char *to = calloc(8 * strlen(text) + 64, 1), *at = to;
    must(to);
    for (long i = 0; i < all.count; i++) {
        const course_token *t = &all.token[i];
        static const char *const kept[] = {"void",   "float",   "long",   "const", "for",   "include",
                                           "math",   "softmax", "h",      "if",    "else",  "return",
                                           "int",    "double",  "static", "while", "break", "continue",
                                           "stdlib", "do",      "sizeof", NULL};
        bool keep = t->kind != COURSE_WORD;
        for (int k = 0; kept[k]; k++) keep |= course_token_is(t, kept[k]);
        at += sprintf(at,
                      t->first && course_token_is(t, "#") ? "\n#"
                      : i % 9 == 0                        ? "\n  /* %ld */\n"
                                                          : " ",
                      i);
        if (t->first && course_token_is(t, "#")) continue;
        at += keep ? sprintf(at, "%.*s", t->length, t->at) : sprintf(at, "my_%.*s_", t->length, t->at);
        if (course_token_is(t, ">") || t->kind == COURSE_STRING) at += sprintf(at, "\n");
    }
    course_tokens_free(&all);
    return to;
}

/* The text with its two functions exchanged. */
static char *reordered(const char *text) {
    const char *second = strstr(text, "void softmax_backward"), *first = strstr(text, "void softmax_forward");
    must(first && second && first < second);
    char *to = calloc(2 * strlen(text) + 1, 1);
    must(to);
    sprintf(to, "%.*s%s%.*s", (int)(first - text), text, second, (int)(second - first), first);
    return to;
}

START_TEST(disguised_copies_are_found) {
    const course_task *task = course_task_named("softmax");
    course_prints starter = starter_of(task);
    char *solution = kit_read(SOLUTION), *other_names = disguised(solution),
         *other_order = reordered(solution), *both = disguised(other_order),
         *patched = class_changed(both, "0", "0.0f");
    const char *const copies[] = {solution, other_names, other_order, both, patched};
    course_prints own = prints_of(solution, &starter);
    must(own.prints >= 20);
    for (int i = 0; i < 5; i++) {
        course_prints copy = prints_of(copies[i], &starter);
        const double share = course_alike(&own, &copy);
        must_msg(share >= (i < 2 ? 1 : 0.8), "copy %d is only %g alike", i, share);
        must(share == course_alike(&copy, &own));
        course_prints_free(&copy);
    }
    course_prints_free(&own), course_prints_free(&starter);
    free(solution), free(other_names), free(other_order), free(both), free(patched);
}
END_TEST

/* The solutions of every task in different styles are not alike. The starter's own text, which all students have, is
 * not counted. */
START_TEST(independent_solutions_are_not_alike) {
    long compared = 0;
    for (const course_task *const *t = course_tasks; *t; t++) {
        if (!(*t)->tier1) continue;
        enum { MOST = 16 };
        course_prints starter = starter_of(*t), p[MOST];
        char name[MOST][512];
        int count = 0;
        snprintf(name[count++], sizeof *name, "coursework/%s/%s.c", (*t)->name, (*t)->name);
        snprintf(name[count], sizeof *name, "coursework/%s/other", (*t)->name);
        DIR *folder = opendir(name[count]);
        for (struct dirent *e; folder && (e = readdir(folder)) && count < MOST;)
            if (strstr(e->d_name, ".c") && !strstr(e->d_name, "_op"))
                snprintf(name[count++], sizeof *name, "coursework/%s/other/%s", (*t)->name, e->d_name);
        if (folder) closedir(folder);
        for (int i = 0; i < count; i++) {
            char *text = kit_read(name[i]);
            p[i] = prints_of(text, &starter);
            must_msg(p[i].prints >= 8, "%s: %ld prints", name[i], p[i].prints);
            free(text);
        }
        for (int i = 0; i < count; i++)
            for (int k = 0; k < i; k++, compared++)
                must_msg(course_alike(&p[i], &p[k]) < 0.8 * COURSE_ALIKE, "%s and %s: %g", name[i], name[k],
                         course_alike(&p[i], &p[k]));
        char *empty = course_starter(&class_shop, *t, strrchr(name[0], '/') + 1);
        course_prints nothing = prints_of(empty, &starter);
        must_msg(course_alike(&nothing, &nothing) == 0 && nothing.prints == 0, "%s", name[0]);
        for (int i = 0; i < count; i++) course_prints_free(&p[i]);
        course_prints_free(&nothing), course_prints_free(&starter);
        free(empty);
    }
    printf("%ld pairs of solutions compared\n", compared);
}
END_TEST

/* Lines `from` to `to` of a text; to be freed. */
static char *lines(const char *text, int from, int to) {
    for (int line = 1; line < from; line++) text = strchr(text, '\n') + 1;
    const char *end = text;
    for (int line = from; line <= to; line++) end = strchr(end, '\n') + 1;
    char *copy = calloc((size_t)(end - text) + 1, 1);
    must(copy);
    return memcpy(copy, text, (size_t)(end - text));
}

START_TEST(a_table_says_who_and_where) {
    char why[COURSE_WHY], path[256], folder[256], file[512];
    const course_task *task = course_task_named("softmax");
    const course_workshop *shop = class_open(task, 1);
    char *solution = kit_read(SOLUTION), *copy = reordered(solution),
         *begun = course_starter(shop, task, "softmax.c");
    const char *const names[] = {"+7", "8", "9"}, *const texts[] = {solution, copy, begun};
    snprintf(folder, sizeof folder, "%s/alike", kit_temporary());
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/%s/softmax.c", folder, names[i]);
        class_write(file, texts[i]);
    }
    course_sheet *sheets;
    must(course_find_sheets(shop, folder, "softmax", 1, NULL, &sheets, why) == 3);
    snprintf(path, sizeof path, "%s/alike.csv", kit_temporary());
    FILE *nowhere = fopen("/dev/null", "w");
    must(nowhere);
    must_msg(course_similarity(shop, sheets, 3, path, nowhere, why), "%s", why);
    char *table = kit_read(path);
    const char *header = "share,task,tier,student_a,student_b,first_a,first_b,second_a,second_b\n";
    must_msg(strncmp(table, header, strlen(header)) == 0, "%s", table);
    const char *row = table + strlen(header);
    double share;
    int at[8],
        n = sscanf(row, "%lf,softmax,1,'+7,8,lines %d to %d,lines %d to %d,lines %d to %d,lines %d to %d\n",
                   &share, &at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &at[6], &at[7]);
    must_msg(n == 9 && share > 0.8, "%d: %s", n, row);
    must_msg(!*(strchr(row, '\n') + 1), "one pair is alike, not: %s", table);
    /* The copy's functions are in other lines, but with the same text. */
    for (int i = 0; i < 8; i += 4) {
        char *a = lines(solution, at[i], at[i + 1]), *b = lines(copy, at[i + 2], at[i + 3]);
        must_msg(strcmp(a, b) == 0, "%s\n---\n%s", a, b);
        free(a), free(b);
    }
    for (int i = 0; i < 8; i += 2) must_msg(at[i] < at[i + 1] && at[i] > 2, "%s", row);
    fclose(nowhere);
    free(sheets), free(table), free(solution), free(copy), free(begun);
}
END_TEST

START_TEST(tokens_are_those_of_a_compiler) {
    static const struct {
        const char *text;
        int count;
        const char *last;
    } texts[] = {{"a+++b", 4, "b"},        {"x /* y \n z */ = 1.5e-3f;", 4, ";"},
                 {"\"a\\\"b\" c", 2, "c"}, {"L'x' 'y'", 2, "'y'"},
                 {"a\\\nb", 1, "ab"},      {"?\?=line", 2, "line"},
                 {"// no\n%:x", 2, "x"},   {"\"no end", 1, "\"no end"},
                 {"/* no end", 0, NULL},   {"0x1p-3+", 2, "+"},
                 {"1e", 1, "1e"},          {"", 0, NULL}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        course_tokens t;
        must(course_tokens_of(&t, texts[i].text, strlen(texts[i].text)));
        must_msg(t.count == texts[i].count &&
                     (t.count == 0 || course_token_is(&t.token[t.count - 1], texts[i].last)),
                 "%s: %ld", texts[i].text, t.count);
        course_tokens_free(&t);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, disguised_copies_are_found);
    tcase_add_test(tc, independent_solutions_are_not_alike);
    tcase_add_test(tc, a_table_says_who_and_where);
    tcase_add_test(tc, tokens_are_those_of_a_compiler);
}
TL_TEST_MAIN("coursework: similarity")
