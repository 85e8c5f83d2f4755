/* Reading the sources as text, for tests of includes and calls. Run from the top of the repository. */
#ifndef TL_TESTS_HOUSE_H
#define TL_TESTS_HOUSE_H

#include "shell.h"

#include <ctype.h>
#include <dirent.h>
#include <unistd.h>

static inline bool starts_with(const char *text, const char *start) {
    return !strncmp(text, start, strlen(start));
}

/* Is the file in that folder (or is it that file)? */
static inline bool is_in(const char *file, const char *folder) {
    size_t n = strlen(folder);
    return starts_with(file, folder) && (file[n] == '/' || !file[n]);
}

/* Takes "x/../" out of a path, in place. */
static inline void simplify(char *path) {
    char *up;
    while ((up = strstr(path, "/../")) && up > path) {
        char *start = up;
        while (start > path && start[-1] != '/') start--;
        memmove(start, up + 4, strlen(up + 4) + 1);
    }
}

/* The path of a header that `file` includes: beside the file, in src/ or in include/. False: a system header. */
static inline bool resolve(const char *file, const char *name, bool quoted, char path[512]) {
    int folder = (int)(strrchr(file, '/') - file);
    if (quoted) {
        snprintf(path, 512, "%.*s/%s", folder, file, name);
        if (access(path, F_OK) == 0) return simplify(path), true;
        snprintf(path, 512, "src/%s", name);
        if (access(path, F_OK) == 0) return simplify(path), true;
    }
    snprintf(path, 512, "include/%s", name);
    return access(path, F_OK) == 0;
}

static int files_seen;
typedef void visit(const char *file, char *text);

/* Calls `look` for every C file in the folder and the folders below it. */
static inline void walk(const char *folder, visit *look) {
    DIR *dir = opendir(folder);
    ck_assert_msg(dir != NULL, "%s/ is not here; run from the top of the repository", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        char path[512];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        ck_assert(length > 0 && length < (int)sizeof path);
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot) {
            walk(path, look);
        } else if (!strcmp(dot, ".c") || !strcmp(dot, ".h")) {
            char *text = read_text_file(path);
            files_seen++;
            look(path, text);
            free(text);
        }
    }
    closedir(dir);
}

/* Finds the next #include in *rest and moves *rest behind it; false when there is none. *open is '"' or '<'. */
static inline bool next_include(const char **rest, char name[256], char *open) {
    while (**rest) {
        const char *line = *rest;
        *rest += strcspn(line, "\n");
        *rest += **rest == '\n';
        if (sscanf(line, " # include %c%255[^\">\n]", open, name) != 2) continue;
        if (*open == '"' || *open == '<') return true;
    }
    return false;
}

/* Replaces comments and the contents of strings by spaces, so that only code is left. */
static inline void only_code(char *text) {
    for (char *c = text; *c; c++) {
        char *from = c;
        if (c[0] == '/' && c[1] == '*') {
            char *end = strstr(c + 2, "*/");
            c = end ? end + 1 : c + strlen(c) - 1;
        } else if (c[0] == '/' && c[1] == '/') {
            c += strcspn(c, "\n") - 1;
        } else if (*c == '"' || *c == '\'') {
            char quote = *c++;
            while (*c && *c != quote) c += *c == '\\' && c[1] ? 2 : 1;
            if (!*c) break;
        } else {
            continue;
        }
        for (; from <= c; from++)
            if (*from != '\n') *from = ' ';
    }
}

static inline bool is_word(char c) { return c && (isalnum((unsigned char)c) || c == '_'); }

#endif
