/* English pages and their Chinese translations have the same sections, and each section the same blocks and numbers;
 * the translations use the words of docs/glossary.md. (docs/test_study_page compares the study's two pages,
 * coursework/test_handouts the handouts.) */
#define _XOPEN_SOURCE 700
#include "docs/book.h"

#include <glob.h>

/* Markdown does not close bold text in "**词（word）**的": after a bracket, ** must be followed by a space or
 * punctuation. */
static void look_for_open_bold(const char *path, const char *page) {
    static const char *const may_follow[] = {"，", "。", "；", "：", "、", "）", "（", "”",
                                             "！", "？", " ",  "\n", ".",  ",",  "|"};
    char *prose = page_prose(page);
    for (const char *at = prose; (at = strstr(at, "）**")) != NULL;) {
        at += strlen("）**");
        bool closes = false;
        for (size_t i = 0; i < sizeof may_follow / sizeof *may_follow; i++)
            closes = closes || !strncmp(at, may_follow[i], strlen(may_follow[i]));
        if (!closes) fault("%s: bold text is not closed before \"%.12s\"", path, at);
    }
    free(prose);
}

static void compare(const char *english, const char *chinese) {
    if (access(chinese, R_OK)) {
        fault("%s is missing", chinese);
        return;
    }
    char *en = get_file(english, NULL), *zh = get_file(chinese, NULL),
         *glossary = get_file("docs/glossary.md", NULL);
    char wrong[8192] = "";
    page_compare(en, zh, wrong, sizeof wrong);
    page_words(zh, glossary, wrong, sizeof wrong);
    if (*wrong) fault("%s:%s", chinese, wrong);
    look_for_open_bold(chinese, zh);
    free(en), free(zh), free(glossary);
}

START_TEST(translations_match) {
    *faults = '\0';
    compare("README.md", "README.zh-CN.md");
    compare("coursework/kit/README.md", "coursework/kit/README.zh-CN.md");
    char *study = get_file("docs/study.zh-CN.md", NULL), *glossary = get_file("docs/glossary.md", NULL),
         wrong[8192] = "";
    page_words(study, glossary, wrong, sizeof wrong);
    if (*wrong) fault("docs/study.zh-CN.md:%s", wrong);
    free(study), free(glossary);
    glob_t chapters;
    ck_assert_int_eq(glob("docs/tutorial/*.md", 0, NULL, &chapters), 0);
    for (size_t i = 0; i < chapters.gl_pathc; i++) {
        char chinese[256];
        snprintf(chinese, sizeof chinese, "docs/tutorial.zh-CN/%s", strrchr(chapters.gl_pathv[i], '/') + 1);
        compare(chapters.gl_pathv[i], chinese);
    }
    globfree(&chapters);
    no_faults("two languages");
}
END_TEST

/* Does the text contain the whole word? */
static bool has_word(const char *text, const char *word) {
    const size_t n = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += n) {
        const unsigned char before = at > text ? (unsigned char)at[-1] : ' ', after = (unsigned char)at[n];
        if (!isalnum(before) && before != '_' && !isalnum(after) && after != '_') return true;
    }
    return false;
}

/* A row of the glossary names a header and a name: the header must have that name. */
START_TEST(glossary_names_exist) {
    char *page = get_file("docs/glossary.md", NULL), header[64], name[64], path[128];
    int rows = 0;
    *faults = '\0';
    for (const char *line = page; *line; line = page_next(line)) {
        const char *place = strstr(line, "| `");
        if (strncmp(line, "| ", 2) || !place) continue;
        while (place && place < line + strcspn(line, "\n") &&
               sscanf(place, "| `%63[a-z].h`: `%63[A-Za-z0-9_]`", header, name) != 2)
            place = strstr(place + 1, "| `");
        if (!place || place > line + strcspn(line, "\n")) continue;
        rows++;
        snprintf(path, sizeof path, "include/tapeloom/%s.h", header);
        char *text = get_file(path, NULL), listed[96];
        snprintf(listed, sizeof listed, "TL_OP(%s,", !strncmp(name, "tl_", 3) ? name + 3 : name);
        if (!has_word(text, name) && !strstr(text, listed)) fault("%s does not have %s", path, name);
        free(text);
    }
    ck_assert_int_ge(rows, 30);
    free(page);
    no_faults("docs/glossary.md");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, translations_match);
    tcase_add_test(tc, glossary_names_exist);
}

TL_TEST_MAIN("docs: two languages")
