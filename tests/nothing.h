/* For tests that call every function of a public header with NULL or empty arguments: checks that the test's source
 * calls every function that the header declares. Run from the top of the repository. */
#ifndef TL_TESTS_NOTHING_H
#define TL_TESTS_NOTHING_H

#include "examples/house.h"

/* Does the statement in which c stands begin with typedef? Then the name at c is a function type's. */
static inline bool is_typedef(const char *code, const char *c) {
    while (c > code && !strchr(";{}", c[-1])) c--;
    c += strspn(c, " \t\n");
    return !strncmp(c, "typedef ", strlen("typedef "));
}

/* Finds the next "tl_name(" and moves *code behind the name. Skips preprocessor lines. */
static inline bool next_called(const char **code, char name[80]) {
    for (const char *c = *code; *c; c++) {
        if (*c == '#') {
            while (*c && *c != '\n') c += *c == '\\' && c[1] ? 2 : 1;
            if (!*c) break;
        }
        if (strncmp(c, "tl_", 3) != 0 || is_word(c[-1])) continue;
        size_t size = 0;
        while (is_word(c[size])) size++;
        if (c[size] != '(' || is_typedef(*code, c)) continue;
        ck_assert_uint_lt(size, 80);
        snprintf(name, 80, "%.*s", (int)size, c);
        *code = c + size;
        return true;
    }
    return false;
}

/* The file's text without comments and strings. */
static inline char *code_of(const char *path) {
    char *text = read_text_file(path);
    only_code(text);
    /* next_called looks at the byte before each name. */
    text[0] = ' ';
    return text;
}

static inline void every_function_is_called(const char *header, const char *test) {
    char *declared = code_of(header), *calls = code_of(test), name[80], call[80];
    int functions = 0;
    for (const char *d = declared; next_called(&d, name); functions++) {
        bool found = false;
        for (const char *c = calls; !found && next_called(&c, call);) found = !strcmp(name, call);
        ck_assert_msg(found, "%s does not call %s", test, name);
    }
    ck_assert_int_gt(functions, 0);
    free(declared), free(calls);
}

#endif
