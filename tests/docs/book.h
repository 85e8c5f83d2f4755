/* Runs the commands of a page of the book. Their output must be what the page shows, and every number in the prose must
 * occur in a block.
 *
 * Kinds of blocks, by the words after the fence:
 *   c NAME           part of the program build/tutorial/NAME, which make extracts (docs/tutorial/cut) and compiles
 *   c from PATH      lines of a file of the repository
 *   sh               commands, run by sh -e in one folder for all pages of a test
 *   text             the output of the commands above; a line "..." stands for any number of lines
 *   text trained     the same, but compared exactly only in float on a processor with FMA, where all bits are the same
 *   text drawing     drawn by hand
 *
 * If TL_WRITE_DOCS is set, the output of the commands and the pictures that they draw are written into the page
 * instead. Blocks with a line "..." are not changed. */
#ifndef TL_TESTS_DOCS_BOOK_H
#define TL_TESTS_DOCS_BOOK_H

#include "docs/pages.h"
#include "translate/program.h"

#include <tapeloom.h>

/* All errors that were found in a page. */
static char faults[1 << 16];
#define fault(...) page_say(faults, sizeof faults, "\n  " __VA_ARGS__)
#define no_faults(page) ck_assert_msg(!*faults, "%s:%.6000s", (page), faults)

/* ---- comparing output ---- */

static inline bool has_avx2(void) {
    const char *build = tl_build_text();
    return strstr(build, "avx2") || strstr(build, "avx512") || strstr(build, "amx");
}

/* In float on a processor with FMA, every result has the same bits on every machine. */
static inline bool same_numbers_here(void) {
    return sizeof(tl_real) == 4 && (has_avx2() || strstr(tl_build_text(), "neon"));
}

/* Are the two texts equal except for small relative differences of their numbers? */
static inline bool nearly(const char *a, const char *b, size_t length_a, size_t length_b) {
    const char *end_a = a + length_a, *end_b = b + length_b;
    while (a < end_a && b < end_b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *to_a, *to_b;
            const double x = strtod(a, &to_a), y = strtod(b, &to_b);
            if (fabs(x - y) > 2e-3 * (1 + fabs(x))) return false;
            a = to_a, b = to_b;
        } else if (*a == *b) {
            a++, b++;
        } else {
            return false;
        }
    }
    return a == end_a && b == end_b;
}

static inline bool same_line(const char *a, const char *b, bool exact) {
    const size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");
    return exact ? m == n && !memcmp(a, b, m) : nearly(a, b, m, n);
}

/* Does the output match the page, where "..." stands for any lines? If not, *at is the first line of the page that does
 * not match. */
static inline bool says(const char *page, const char *said, bool exact, const char **at) {
    for (*at = page; *page; page = page_next(page)) {
        if (!strncmp(page, "...\n", 4)) {
            page += 4;
            if (!*page) return true;
            for (const char *first = page, *deepest = page;; said = page_next(said)) {
                if (says(first, said, exact, at)) return true;
                if (*at < deepest) *at = deepest;
                deepest = *at;
                if (!*said) return false;
            }
        }
        *at = page;
        if (!*said || !same_line(page, said, exact)) return false;
        said = page_next(said);
    }
    return !*said;
}

/* ---- numbers in the prose ---- */

typedef struct numbers {
    long count;
    double at[1 << 15];
} numbers;

static inline double number_at(const char **at, int *decimals) {
    char digits[64];
    int n = 0;
    bool point = false;
    *decimals = 0;
    for (; isdigit((unsigned char)**at) || (**at == ',' && isdigit((unsigned char)(*at)[1]) && n) ||
           (**at == '.' && isdigit((unsigned char)(*at)[1]) && !point);
         ++*at) {
        if (**at == ',') {
            if (!(isdigit((unsigned char)(*at)[2]) && isdigit((unsigned char)(*at)[3]) &&
                  !isdigit((unsigned char)(*at)[4])) ||
                point)
                break; /* "1,2" is two numbers, "1,234" is one */
            continue;
        }
        point = point || **at == '.';
        *decimals += point && **at != '.';
        if (n < 60) digits[n++] = **at;
    }
    digits[n] = '\0';
    return atof(digits);
}

static inline void collect(numbers *all, const char *text) {
    for (int decimals; *text;) {
        if (!isdigit((unsigned char)*text)) {
            text++;
            continue;
        }
        const char *from = text;
        char *power = NULL;
        double value = number_at(&text, &decimals);
        const double whole = strtod(from, &power); /* 1e-05 */
        if (power > text) value = whole, text = power;
        if (all->count < (long)(sizeof all->at / sizeof *all->at)) all->at[all->count++] = value;
    }
}

/* Is the number in the list, exactly or rounded to `decimals`, or, for a percentage, as a fraction? */
static inline bool stands(const numbers *all, double value, int decimals, bool percent) {
    const double most = decimals ? 0.5001 * pow(10, -decimals) : 1e-9;
    for (long i = 0; i < all->count; i++)
        if (fabs(all->at[i] - value) <= most ||
            (percent && fabs(100 * all->at[i] - value) <= fmax(most, 0.5001)))
            return true;
    return false;
}

/* Is the word before the number one like "section" or "table"? */
static inline bool names_a_place(const char *prose, const char *at) {
    static const char *const words[] = {"section", "sections", "equation", "equations", "figure", "table",
                                        "chapter", "chapters", "exercise", "appendix",  "task",   "page",
                                        "Section", "Chapter",  "Table",    "Figure"};
    const char *end = at;
    while (end > prose && strchr(" \n*(", end[-1])) end--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i]);
        if ((size_t)(end - prose) >= n && !memcmp(end - n, words[i], n)) return true;
    }
    return false;
}

/* Reports the numbers of the prose that occur in no block. Skipped are numbers of sections, tables and the like, years,
 * numbers that are part of a word, and the numbers of list items. */
static inline void look_for_numbers(const char *prose, const numbers *known, const char *heading) {
    bool place = false; /* was the number before one of a section? As in "sections 3.1, 3.2 and 4" */
    for (const char *at = prose, *last = prose; *at;) {
        const unsigned char before = at > prose ? (unsigned char)at[-1] : '\n';
        if (!isdigit((unsigned char)*at)) {
            at++;
            continue;
        }
        int decimals;
        const char *from = at;
        const double value = number_at(&at, &decimals);
        const bool in_word = isalpha(before) || before == '_' ||
                             ((before == '-' || before == '.') && from > prose + 1 &&
                              isalpha((unsigned char)from[-2])),
                   list = *at == '.' &&
                          (before == '\n' || (before == ' ' && from - prose > 2 && from[-2] == '\n')),
                   row = from - prose > 2 && !memcmp(from - 3, "\n| ", 3) && *at == ' ',
                   year = value >= 1900 && value <= 2099 && !decimals && at - from == 4;
        if (isalpha((unsigned char)*at) || *at == '_') { /* 2d, 3rd */
            if (!strncmp(at, "e-", 2)) {                 /* 1e-9 */
                char *end;
                const double power = strtod(from, &end);
                if (!stands(known, power, 12, false))
                    fault("%s: %.*s stands in no block", heading, (int)(end - from), from);
                at = end;
                continue;
            }
        }
        while (*at == '.' && isdigit((unsigned char)at[1])) number_at((at++, &at), &decimals); /* 3.2.1 */
        const bool after_place =
            place && at - last < 24 && !memchr(last, '.', (size_t)(from - last)) && from - last < 6;
        place = names_a_place(prose, from) || after_place;
        last = at;
        if (in_word || list || row || year || place) continue;
        if (!stands(known, value, decimals, !strncmp(at + (*at == ' '), "%", 1)))
            fault("%s: %.*s stands in no block (… %.*s)", heading, (int)(at - from), from, 40,
                  from - (from - prose > 20 ? 20 : from - prose));
    }
}

/* ---- a page ---- */

/* Makes the test's folder look like a reader's: links to the programs in build/, to docs, examples, include and src,
 * and a cc that is the compiler of this build. On processors with more than AVX2 the programs use AVX2, because AMX
 * sums in other groups. */
static inline void make_reader(void) {
    if (has_avx2()) setenv("TL_ISA", "avx2", 1);
    sh("mkdir $D/bin; case ${CC:-cc} in cc) ;; *) printf '#!/bin/sh\\nexec %s \"$@\"\\n' \"$CC\" > $D/bin/cc "
       "&& chmod +x $D/bin/cc ;; esac");
    sh("B=$(cd \"$(dirname \"$T\")\" && pwd) && mkdir -p $D/build/tutorial $D/runs && for p in $B/* "
       "$B/tutorial/*; do "
       "if [ -x $p ] && [ ! -d $p ]; then ln -s $p $D/build/${p#$B/}; fi; done; ln -s $PWD/docs "
       "$PWD/examples $PWD/include $D/; "
       "ln -s $PWD/src $D/; [ ! -e $B/libtapeloom.a ] || ln -s $B/libtapeloom.a $D/build/; "
       "ln -s $B/tutorial/*.c $D/build/tutorial/; for s in bench double; do [ ! -e $B/$s ] || ln -s $B/$s "
       "$D/build/$s; done");
}

static inline void write_new(FILE *to, const char *from, const char *end) {
    fwrite(from, 1, (size_t)(end - from), to);
}

/* Compares (or writes) the pictures that a page shows, "(pictures/x.svg)", with those that its commands left in
 * build/tutorial. */
static inline void look_at_pictures(const char *page, const char *folder, bool write) {
    for (const char *at = page; (at = strstr(at, "](pictures/")) != NULL; at++) {
        char name[128], made[256], kept[512];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 11, ")"), at + 11);
        snprintf(made, sizeof made, "build/tutorial/%s", name);
        snprintf(kept, sizeof kept, "%s/pictures/%s", folder, name);
        char command[2048];
        snprintf(command, sizeof command, "test -s $D/%s && cp $D/%s %s", made, made, kept);
        if (write) sh(command);
        size_t size_made, size_kept;
        if (access(in_folder(made), R_OK) != 0 || access(kept, R_OK) != 0) {
            fault("%s: no command of the page made it, or it is not kept", name);
            continue;
        }
        char *a = get_file(in_folder(made), &size_made), *b = get_file(kept, &size_kept);
        if (same_numbers_here() && (size_made != size_kept || memcmp(a, b, size_made)))
            fault("%s is another picture now", name);
        free(a), free(b);
    }
}

/* Runs all blocks of a page in order and compares the output. */
static inline void run_book_page(const char *path) {
    const bool write = getenv("TL_WRITE_DOCS") != NULL, exact = same_numbers_here();
    char *page = get_file(path, NULL), folder[256];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    FILE *anew = write ? fopen(in_folder(".page"), "w") : NULL;
    static numbers known;
    known.count = 0;
    const char *copied = page;
    bool ran = false;
    *faults = '\0';
    for (const char *line = page, *next; *line; line = next) {
        next = page_next(line);
        if (strncmp(line, "```", 3)) {
            if (!page_empty(line)) ran = false;
            continue;
        }
        const char *from = next;
        while (*next && strncmp(next, "```", 3)) next = page_next(next);
        char *block = page_copy(from, next), kind[128];
        snprintf(kind, sizeof kind, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
        next = page_next(next);
        if (!strcmp(kind, "sh")) {
            put_text(in_folder(".block"), block);
            const int status = try("cd $D && export OMP_NUM_THREADS=1 && PATH=$PWD/bin:$PATH sh -e .block");
            if (status) fault("```sh, line \"%.60s…\": exit status %d\n%s%s", block, status, out, err);
            ran = true;
        } else if (!strcmp(kind, "text") || !strcmp(kind, "text trained")) {
            const bool trained = !strcmp(kind, "text trained");
            const char *at = block;
            if (!ran)
                fault("a block of text follows no commands: %.60s", block);
            else if (write && strncmp(block, "...\n", 4) && !strstr(block, "\n...\n")) {
                write_new(anew, copied, from);
                fputs(out, anew);
                if (*out && out[strlen(out) - 1] != '\n') fputs("\n", anew);
                copied = from + strlen(block);
                free(block), block = page_copy(out, out + strlen(out));
            } else if ((exact || !trained) && !says(block, out, exact, &at))
                fault("the commands say otherwise from \"%.*s\" on:\n%s", (int)strcspn(at, "\n"), at, out);
            ran = false;
        } else if (!strncmp(kind, "c from ", 7)) {
            char *file = get_file(kind + 7, NULL);
            if (!strstr(file, block)) fault("%s has no such lines:\n%.300s", kind + 7, block);
            free(file);
        } else if (strncmp(kind, "c ", 2) && strcmp(kind, "text drawing"))
            fault("a block of a kind that is not known: ```%s", kind);
        if (strcmp(kind, "text drawing")) collect(&known, block);
        free(block);
    }
    if (write) {
        fputs(copied, anew), fclose(anew);
        char command[512];
        snprintf(command, sizeof command, "cmp -s $D/.page %s || cp $D/.page %s", path, path);
        sh(command);
    }
    page_sections sections = page_cut(page);
    for (int i = 0; i < sections.count; i++) {
        if (!strcmp(sections.at[i].heading, "Exercises")) continue;
        char *prose = page_unfenced(sections.at[i].text);
        look_for_numbers(prose, &known, sections.at[i].heading);
        free(prose);
    }
    page_forget(&sections);
    look_at_pictures(page, folder, write);
    free(page);
    no_faults(path);
}

#endif
