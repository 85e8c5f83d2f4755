/* docs/api: generating it again gives the same pages, every link has a target, every public name has an entry, and
 * every public declaration has a comment. */
#define _XOPEN_SOURCE 700
#include "check.h"
#include "examples/shell.h"
#include "io/scratch.h"

#include <ctype.h>
#include <glob.h>
#include <unistd.h>

static glob_t files(const char *pattern, const char *and_pattern) {
    glob_t found;
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    if (and_pattern) ck_assert_int_eq(glob(and_pattern, GLOB_APPEND, NULL, &found), 0);
    return found;
}
static glob_t headers(void) { return files("include/tapeloom.h", "include/tapeloom/*.h"); }

/* ---- generated again ---- */

START_TEST(pages_are_up_to_date) {
    scratch made = scratch_new();
    int status;
    unsetenv("MAKEFLAGS");
    unsetenv("MAKELEVEL");
    char *said =
        shell(&status, "{ make -s api API=%s && diff -r -x '*.awk' docs/api %s; }", made.folder, made.folder);
    ck_assert_msg(status == 0, "docs/api is not up to date: run make api\n%.2000s", said);
    free(said);
    scratch_remove(&made);
}
END_TEST

/* ---- links ---- */

/* Does the page have the link's target, an <a id="place"> or a heading "### place"? */
static bool has_place(const char *page, const char *place) {
    char id[160], heading[160];
    snprintf(id, sizeof id, "<a id=\"%s\">", place);
    snprintf(heading, sizeof heading, "\n### %s\n", place);
    return strstr(page, id) || strstr(page, heading);
}

/* Checks one link: its file exists and has the place behind #. A line of an example, #L12, must use the library. */
static void follow(const char *page_path, const char *page, const char *link) {
    char target[512], path[1024];
    const int length = (int)strcspn(link, ")");
    snprintf(target, sizeof target, "%.*s", length, link);
    char *place = strchr(target, '#');
    if (place) *place++ = '\0';
    snprintf(path, sizeof path, "docs/api/%s", target);
    must_msg(!*target || access(path, R_OK) == 0, "%s: there is no %s", page_path, path);
    if (!place) return;
    char *there = *target ? read_text_file(path) : strdup(page);
    if (*place == 'L' && isdigit((unsigned char)place[1])) {
        const char *line = there;
        for (long n = atol(place + 1); n > 1; n--) line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "";
        const char *use = strstr(line, "tl_"), *other = strstr(line, "TL_"), *end = strchr(line, '\n');
        must_msg((use && use < end) || (other && other < end),
                 "%s: %s, line %s, uses no function of the library", page_path, path, place + 1);
    } else
        must_msg(has_place(there, place), "%s: %s has no place %s", page_path, *target ? path : page_path,
                 place);
    free(there);
}

START_TEST(links_have_targets) {
    glob_t pages = files("docs/api/*.md", NULL);
    ck_assert_uint_gt(pages.gl_pathc, 20);
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        char *page = read_text_file(pages.gl_pathv[i]);
        int links = 0;
        for (const char *at = page; (at = strstr(at, "](")) != NULL; at += 2, links++)
            follow(pages.gl_pathv[i], page, at + 2);
        ck_assert_int_gt(links, 1);
        free(page);
    }
    globfree(&pages);
}
END_TEST

/* ---- names ---- */

/* Is the name a word of a heading of the page? Values of enums (in_a_block) may be anywhere on it. */
static bool has_entry(const char *page, const char *name, bool in_a_block) {
    const size_t length = strlen(name);
    for (const char *at = page; (at = strstr(at, name)) != NULL; at += length) {
        if (isalnum((unsigned char)at[-1]) || at[-1] == '_' || isalnum((unsigned char)at[length]) ||
            at[length] == '_')
            continue;
        const char *line = at;
        while (line > page && line[-1] != '\n') line--;
        if (!strncmp(line, "### ", 4) || in_a_block) return true;
    }
    return false;
}

/* The command prints names of $HEADER, one per line: each must have an entry on the header's page and in the index.
 * Returns how many names all headers have. */
static int expect_entries(const char *command, bool in_a_block) {
    glob_t all = headers();
    char *index = read_text_file("docs/api/README.md"), path[256], linked[160];
    int status, names = 0;
    for (size_t i = 0; i < all.gl_pathc; i++) {
        const char *base = strrchr(all.gl_pathv[i], '/') + 1;
        snprintf(path, sizeof path, "docs/api/%.*s.md", (int)strcspn(base, "."), base);
        char *page = read_text_file(path), *found;
        setenv("HEADER", all.gl_pathv[i], 1);
        found = shell(&status, "%s", command);
        for (char *name = strtok(found, "\n"); name; name = strtok(NULL, "\n"), names++) {
            must_msg(has_entry(page, name, in_a_block), "%s has no entry for %s", path, name);
            snprintf(linked, sizeof linked, "[%s](", name);
            must_msg(in_a_block || strstr(index, linked), "docs/api/README.md lacks %s", name);
        }
        free(found);
        free(page);
    }
    free(index);
    globfree(&all);
    return names;
}

/* Names are the library's symbols that a header declares: found in another way than pages.awk finds them. */
START_TEST(every_symbol_has_an_entry) {
    char command[1024];
    snprintf(command, sizeof command,
             "nm -g --defined-only %s/libtapeloom*.a 2>/dev/null | sed -n 's/.* [TDRB] "
             "\\(tl_[a-z0-9_]*\\)$/\\1/p' | sed "
             "'s/_f[36][24]$//' | sort -u > $NAMES; { grep -v '^ \\*' $HEADER | sed 's|/\\*.*||' | grep -oE "
             "'tl_[a-z0-9_]+[[(]' | tr -d '[('; sed -n 's/.*TL_OP(\\([a-z0-9_]*\\), *(.*/tl_\\1/p; "
             "s/.*TL_OP(\\([a-z0-9_]*\\), "
             "*.$/tl_\\1/p' $HEADER; } | sort -u | comm -12 - $NAMES",
             build_folder());
    scratch names = scratch_new();
    setenv("NAMES", scratch_path(&names, "names"), 1);
    setenv("LC_ALL", "C", 1);
    ck_assert_int_gt(expect_entries(command, false), 700);
    scratch_remove(&names);
}
END_TEST

START_TEST(every_type_macro_and_value_has_an_entry) {
    int types = expect_entries(
        "sed -n 's/^} \\(tl_[a-z0-9_]*\\);.*/\\1/p; s/^typedef struct tl_[a-z0-9_]* "
        "\\(tl_[a-z0-9_]*\\);$/\\1/p; s/^typedef enum \\(tl_[a-z_0-9]*\\) {.*/\\1/p; s/^struct "
        "\\(tl_[a-z0-9_]*\\) {.*/\\1/p' $HEADER",
        false);
    int macros = expect_entries("sed -n 's/^# *define \\(TL_[A-Z0-9_]*\\).*/\\1/p; s/^# *define "
                                "\\(tl_[a-z_]*\\)(.*/\\1/p' $HEADER | grep -vx TL_OP",
                                false);
    int values = expect_entries(
        "sed 's|/\\*.*||' $HEADER | sed -n 's/^    \\(TL_[A-Z0-9_a-z]*\\)\\( = .*\\|\\),\\{0,1\\} *$/\\1/p'",
        true);
    ck_assert_int_gt(types, 200);
    ck_assert_int_gt(macros, 30);
    ck_assert_int_gt(values, 130);
}
END_TEST

/* ---- comments ---- */

/* Lists the declarations of a header that have no comment, and returns their number. A declaration has a comment if one
 * stands above it, or at the end of its first or last line, or if the declaration directly above has one. */
static int uncommented(const char *path, char *list, size_t room) {
    char *text = read_text_file(path), *end;
    bool covered = false, opened = false;
    int found = 0;
    for (char *line = text; line && *line; line = end) {
        end = strchr(line, '\n');
        if (end) *end++ = '\0';
        if (!strncmp(line, "/* clang-format", 15)) continue;
        if (!strncmp(line, "/*", 2)) { /* skips all lines of a comment */
            covered = strncmp(line, "/* ----", 7) != 0 || !strstr(line, "*/");
            while (!strstr(line, "*/")) {
                line = end;
                end = strchr(line, '\n');
                *end++ = '\0';
            }
            if (!opened) covered = false; /* the first comment is the header's own */
            opened = true;
            continue;
        }
        if (!*line) covered = false;
        const bool define = (*line == '#' && strstr(line, "define ") && !strstr(line, "define TAPELOOM_") &&
                             strncmp(line, "#define TL_OP(", 14));
        if (!*line || (*line == '#' && !define) || *line == '}' || !strncmp(line, "extern \"C\"", 10) ||
            !strcmp(line, "TL_OPS_LIST"))
            continue;
        /* a declaration: up to the line that ends with ; outside braces (a macro: without a backslash) */
        char first[128];
        int braces = 0;
        bool comment = strstr(line, "/*") != NULL, in_comment = false, over = false;
        snprintf(first, sizeof first, "%s", line);
        for (;;) {
            char last = 0;
            const char *behind = NULL;
            for (char *c = line; *c; c++) {
                if (in_comment) {
                    if (c[0] == '*' && c[1] == '/') in_comment = false, c++;
                } else if (c[0] == '/' && c[1] == '*')
                    in_comment = true, behind = c, c++;
                else if (!isspace((unsigned char)*c)) {
                    braces += (*c == '{') - (*c == '}');
                    last = *c;
                }
            }
            over = !in_comment && (define ? last != '\\' : last == ';' && !braces);
            if (over && behind) comment = true;
            if (over || !end) break;
            line = end;
            end = strchr(line, '\n');
            if (end) *end++ = '\0';
        }
        if (comment) covered = true;
        if (!covered) {
            found++;
            snprintf(list + strlen(list), room - strlen(list), "%s: %s\n", path, first);
        }
    }
    free(text);
    return found;
}

START_TEST(every_declaration_has_a_comment) {
    static char list[1 << 16];
    glob_t all = headers();
    int found = 0;
    for (size_t i = 0; i < all.gl_pathc; i++) found += uncommented(all.gl_pathv[i], list, sizeof list);
    ck_assert_msg(found == 0, "%d public names have no comment:\n%.3000s", found, list);
    globfree(&all);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, pages_are_up_to_date);
    tcase_add_test(tc, links_have_targets);
    tcase_add_test(tc, every_symbol_has_an_entry);
    tcase_add_test(tc, every_type_macro_and_value_has_an_entry);
    tcase_add_test(tc, every_declaration_has_a_comment);
}

TL_TEST_MAIN("docs: api/")
