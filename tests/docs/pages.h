/* Takes a Markdown page apart: sections, blocks, prose, numbers, links; and compares the two languages of a page.
 * Functions take the text of a page or of a section; the caller frees the text that they return.
 *
 * A block is the lines between two lines of ```, or lines that begin with four spaces, after an empty line. Everything
 * else is prose: headings, lists and inline code too. */
#ifndef TL_TESTS_DOCS_PAGES_H
#define TL_TESTS_DOCS_PAGES_H

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline bool page_fence(const char *line) { return strncmp(line + strspn(line, " "), "```", 3) == 0; }
static inline bool page_empty(const char *line) { return line[strspn(line, " ")] == '\n' || !*line; }
static inline const char *page_next(const char *line) {
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

/* ---- sections ---- */

/* A heading and the text up to the next heading of any level. */
typedef struct page_section {
    int level; /* 1 for "# …"; 0 for the text before the first heading */
    char *heading, *text;
} page_section;

typedef struct page_sections {
    int count;
    page_section at[128]; /* at[0] is the text before the first heading; it may be empty */
} page_sections;

static inline char *page_copy(const char *from, const char *to) {
    const size_t length = (size_t)(to - from);
    char *copy = malloc(length + 1);
    memcpy(copy, from, length);
    return copy[length] = '\0', copy;
}

/* Cuts a page into sections. A # in a fenced block begins none. */
static inline page_sections page_cut(const char *page) {
    page_sections all = {0};
    page_section now = {.heading = page_copy(page, page)};
    const char *from = page;
    bool fenced = false;
    for (const char *line = page;; line = page_next(line)) {
        const int level = (int)strspn(line, "#");
        if (page_fence(line)) fenced = !fenced;
        if (*line && (fenced || !level || line[level] != ' ')) continue;
        now.text = page_copy(from, line);
        all.at[all.count++] = now;
        if (!*line || all.count == (int)(sizeof all.at / sizeof *all.at)) return all;
        now = (page_section){.level = level,
                             .heading = page_copy(line + level + 1, line + strcspn(line, "\n"))};
        from = page_next(line);
    }
}

static inline void page_forget(page_sections *all) {
    for (int i = 0; i < all->count; i++) free(all->at[i].heading), free(all->at[i].text);
    all->count = 0;
}

/* ---- blocks and prose ---- */

/* The blocks of the text, or its prose. */
static inline char *page_part(const char *text, bool blocks) {
    char *part = malloc(2 * strlen(text) + 2), *to = part;
    bool fenced = false, indented = false, after_empty = true;
    for (const char *line = text, *next; *line; line = next) {
        next = page_next(line);
        const bool fence = page_fence(line), was_in = fenced || indented;
        if (fence) fenced = !fenced;
        if (!page_empty(line)) indented = strncmp(line, "    ", 4) == 0 && (indented || after_empty);
        after_empty = page_empty(line);
        const bool in = fence || fenced || indented;
        if (blocks && in && !was_in) *to++ = '\n';
        if (in != blocks) continue;
        memcpy(to, line, (size_t)(next - line));
        to += next - line;
    }
    return *to = '\0', part;
}

/* Removes the targets of links, in place: "[the guide](GUIDE.md)" becomes "[the guide]". */
static inline char *page_without_targets(char *text) {
    char *to = text;
    for (const char *from = text; *from;) {
        *to++ = *from++;
        if (to[-1] != ']' || *from != '(') continue;
        const size_t target = strcspn(from, " )\n");
        if (from[target] == ')') from += target + 1;
    }
    return *to = '\0', text;
}

/* The blocks, unchanged, an empty line before each. */
static inline char *page_blocks(const char *text) { return page_part(text, true); }

/* The prose, without the targets of links. */
static inline char *page_prose(const char *text) { return page_without_targets(page_part(text, false)); }

/* Everything outside fences: the prose and the indented formulas. */
static inline char *page_unfenced(const char *text) {
    char *rest = malloc(strlen(text) + 1), *to = rest;
    bool fenced = false;
    for (const char *line = text, *next; *line; line = next) {
        next = page_next(line);
        const bool fence = page_fence(line);
        if (fence) fenced = !fenced;
        if (fence || fenced) continue;
        memcpy(to, line, (size_t)(next - line));
        to += next - line;
    }
    *to = '\0';
    return page_without_targets(rest);
}

static inline int page_by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The numbers of the prose, sorted as strings and separated by spaces: "0.5 10 10 3". A number is digits with points
 * between digits: "1,000" is 1 and 000, "1e-5" is 1 and 5, "section 3.2.1" has 3.2.1. */
static inline char *page_numbers(const char *text) {
    char *prose = page_prose(text), **all = malloc((strlen(prose) / 2 + 1) * sizeof *all);
    size_t count = 0;
    for (char *at = prose; *at;) {
        if (!isdigit((unsigned char)*at)) {
            at++;
            continue;
        }
        const char *from = at;
        while (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]))) at++;
        all[count++] = page_copy(from, at);
    }
    qsort(all, count, sizeof *all, page_by_text);
    char *numbers = malloc(2 * strlen(prose) + 1), *to = numbers;
    *to = '\0';
    for (size_t i = 0; i < count; i++) {
        to += sprintf(to, i ? " %s" : "%s", all[i]);
        free(all[i]);
    }
    free(all), free(prose);
    return numbers;
}

/* ---- comparing two languages ---- */

static inline void page_say(char *wrong, size_t size, const char *format, ...) {
    const size_t used = strlen(wrong);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wrong + used, size - used, format, arguments);
    va_end(arguments);
}

/* Appends to `wrong`, a line each, the differences between a page and its translation: the number of sections and their
 * levels, and for each section its blocks and numbers. */
static inline void page_compare(const char *english, const char *chinese, char *wrong, size_t size) {
    page_sections en = page_cut(english), zh = page_cut(chinese);
    if (en.count != zh.count) page_say(wrong, size, "\n  %d sections, %d in English", zh.count, en.count);
    for (int i = 0; i < en.count && i < zh.count; i++) {
        const page_section *a = &en.at[i], *b = &zh.at[i];
        if (a->level != b->level) {
            page_say(wrong, size, "\n  \"%s\" is of level %d, \"%s\" of %d", b->heading, b->level, a->heading,
                     a->level);
            break;
        }
        char *parts[][2] = {{page_numbers(a->heading), page_numbers(b->heading)},
                            {page_numbers(a->text), page_numbers(b->text)},
                            {page_blocks(a->text), page_blocks(b->text)}};
        for (int k = 0; k < 3; k++) {
            char *one = parts[k][0], *other = parts[k][1];
            if (strcmp(one, other) != 0) {
                size_t same = 0;
                while (one[same] == other[same]) same++;
                /* back to where the line, or the number, begins */
                while (same && one[same - 1] != (k == 2 ? '\n' : ' ')) same--;
                page_say(wrong, size, "\n  \"%s\": %s differ, English has %.40s, Chinese has %.40s",
                         b->heading, k == 2 ? "blocks" : "numbers", one + same, other + same);
            }
            free(one), free(other);
        }
    }
    page_forget(&en), page_forget(&zh);
}

/* ---- links ---- */

/* Checks the links outside blocks: those to files or folders must exist, relative to `folder`, in which the page lies.
 * Appends those that do not to `wrong`. Returns the number of links to files and folders. */
static inline int page_follow_links(const char *name, const char *page, const char *folder, char *wrong,
                                    size_t size) {
    char *text = page_part(page, false);
    int followed = 0;
    for (const char *at = text; (at = strstr(at, "](")) != NULL;) {
        char target[512], there[2048];
        at += 2;
        snprintf(target, sizeof target, "%.*s", (int)strcspn(at, ")#\n"), at);
        if (!strncmp(target, "http://", 7) || !strncmp(target, "https://", 8)) {
            if (strchr(target, ' ') || !strchr(target + 8, '.'))
                page_say(wrong, size, "\n  %s: %s is no address", name, target);
            continue;
        }
        if (!*target) continue;
        snprintf(there, sizeof there, "%s/%s", folder, target);
        if (access(there, F_OK)) page_say(wrong, size, "\n  %s: %s leads nowhere", name, target);
        followed++;
    }
    free(text);
    return followed;
}

/* ---- the glossary ---- */

/* Appends to `wrong` the words of the prose that the glossary lists as variants not to be used: those in full-width
 * brackets in its second column. */
static inline void page_words(const char *text, const char *glossary, char *wrong, size_t size) {
    char *prose = page_prose(text);
    for (const char *line = glossary; *line; line = page_next(line)) {
        if (strncmp(line, "| ", 2) != 0) continue;
        const char *cell = strchr(line + 1, '|');
        const char *from = cell ? strstr(cell, "（") : NULL, *to = from ? strstr(from, "）") : NULL;
        const char *end = cell ? strchr(cell + 1, '|') : NULL;
        if (!to || !end || to > end) continue;
        from += strlen("（");
        char *word = page_copy(from, to);
        if (strstr(prose, word))
            page_say(wrong, size, "\n  \"%s\" is a word that the glossary leaves to others:%.*s", word,
                     (int)(from - strlen("（") - cell - 1), cell + 1);
        free(word);
    }
    free(prose);
}

#endif
