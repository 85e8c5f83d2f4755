/* For tests that call every function of a public header with nothing: a function that none of the test's lines calls is one
 * that was forgotten. Run from the top of the repository. */
#ifndef TL_TESTS_NOTHING_H
#define TL_TESTS_NOTHING_H

#include "examples/house.h"

/* Is the name at c that of a type of functions? */
static inline bool is_typedef(const char *code, const char *c) {
    while (c > code && !strchr(";{}", c[-1])) c--;
    c += strspn(c, " \t\n");
    return !strncmp(c, "typedef ", strlen("typedef "));
}

/* The next "tl_name(" of code from here on, which it is moved behind; lines of the preprocessor are left out. */
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

static inline char *code_of(const char *path) {
    char *text = read_text_file(path);
    only_code(text);
    text[0] = ' '; /* so that there is something before every name */
    return text;
}

static inline void every_function_is_called(const char *header, const char *test) {
    char *declared = code_of(header), *calls = code_of(test), name[80], call[80];
    int functions = 0;
    for (const char *d = declared; next_called(&d, name); functions++) {
        bool found = false;
        for (const char *c = calls; !found && next_called(&c, call);) found = !strcmp(name, call);
        ck_assert_msg(found, "%s: %s calls it nowhere", name, test);
    }
    ck_assert_int_gt(functions, 0);
    free(declared), free(calls);
}

#endif
