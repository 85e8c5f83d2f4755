/* The handouts in both languages, the students' README and the lecturer's guide agree with the tasks: examples and
 * questions word for word, the name of every mistake, hours; their links and commands exist. */
#define _XOPEN_SOURCE 700
#include "docs/pages.h"
#include "folder.h"

/* Collects all errors of a page, so that a failure shows all of them. */
static char wrong[16384];
#define expect(condition, ...)                                         \
 do {                                                                  \
  if (!(condition)) page_say(wrong, sizeof wrong, "\n  " __VA_ARGS__); \
 } while (0)
#define tell(title) must_msg(!*wrong, "%s:%.3000s", title, wrong)

/* A handout in a language, "" or ".zh-CN", to be freed; NULL, with an error in `wrong`, if there is none. */
static char *handout_in(const char *language, const course_task *task) {
    char path[256];
    snprintf(path, sizeof path, "coursework/%s/handout%s.md", task->name, language);
    if (exists("%s", path)) return read_text_file(path);
    expect(false, "%s is missing", path);
    return NULL;
}
static char *handout_of(const course_task *task) { return handout_in("", task); }
static char *chinese_of(const course_task *task) { return handout_in(".zh-CN", task); }

/* The text with every run of white space replaced by one space, so that line breaks do not matter. */
static char *in_one_line(const char *text) {
    char *line = malloc(strlen(text) + 2), *to = line;
    for (bool space = true; *text; text++) {
        if (isspace((unsigned char)*text)) {
            if (!space) *to++ = ' ';
            space = true;
        } else
            *to++ = *text, space = false;
    }
    *to = '\0';
    return line;
}

/* The text between two headings, to be freed; "" if the first is not there. */
static char *section(const char *page, const char *heading) {
    char line[128];
    snprintf(line, sizeof line, "\n## %s\n", heading);
    const char *from = strstr(page, line);
    if (!from) return calloc(1, 1);
    from += strlen(line);
    const char *to = strstr(from, "\n## ");
    const size_t length = to ? (size_t)(to - from) + 1 : strlen(from);
    char *text = calloc(length + 1, 1);
    return memcpy(text, from, length);
}

enum { HEADINGS = 8 };
static const char *const headings[HEADINGS] = {
    "What you build",         "Derivation",    "A worked example", "A drawing",
    "Predict before you run", "What to write", "Common mistakes",  "Hours and further reading"};
static const char *const chinese_headings[HEADINGS] = {
    "要实现什么", "推导", "手算一例", "图示", "先预测，再运行", "要写的代码", "常见错误", "用时与延伸阅读"};

/* Each heading occurs once, in this order. */
static void look_for_headings(const char *name, const char *page, const char *const *all) {
    char line[256];
    const char *before = page;
    for (int i = 0; i < HEADINGS; i++) {
        snprintf(line, sizeof line, "\n## %s\n", all[i]);
        const char *at = strstr(page, line);
        expect(at, "%s: no heading \"%s\"", name, all[i]);
        expect(!at || at >= before, "%s: \"%s\" comes too early", name, all[i]);
        expect(!at || !strstr(at + 1, line), "%s: \"%s\" twice", name, all[i]);
        if (at) before = at;
    }
}

/* The section lists every mistake of the task; returns how many tier 1 has. */
static int look_for_mistakes(const char *language, const char *section, const course_task *task) {
    char *line = in_one_line(section), bold[96];
    int slips = 0;
    for (int tier = 1; tier <= 2; tier++)
        for (const course_exercise *of = tier == 1 ? task->tier1 : task->tier2; of && of->function; of++)
            for (const course_slip *s = of->slips; s && s->name; s++) {
                snprintf(bold, sizeof bold, "**%s**", s->name);
                expect(strstr(line, bold), "%s%s: %s, a mistake of %s, is not listed", task->name, language,
                       bold, of->function);
                slips += tier == 1;
            }
    free(line);
    return slips;
}

START_TEST(handouts_have_one_form) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *page = handout_of(*t), line[256];
        if (!page) continue;
        snprintf(line, sizeof line, "# %d. %s\n", (*t)->number, (*t)->title);
        expect(strncmp(page, line, strlen(line)) == 0, "%s begins otherwise than with %s", (*t)->name, line);
        look_for_headings((*t)->name, page, headings);
        char *drawing = section(page, "A drawing"), *hours = section(page, "Hours and further reading"),
             *how = section(page, "What to write");
        const char *fence = strstr(drawing, "```");
        expect(fence && strstr(fence + 3, "\n```"), "%s: no drawing in a code block", (*t)->name);
        snprintf(line, sizeof line, "%g hours", (*t)->hours);
        expect(strstr(hours, line), "%s: not \"%s\"", (*t)->name, line);
        expect(strstr(how, "make"), "%s: make is not said under \"What to write\"", (*t)->name);
        expect(!strstr(page, "$"), "%s: a $ in the page: formulas are plain text", (*t)->name);
        free(drawing), free(hours), free(how), free(page);
    }
    tell("handouts");
}
END_TEST

START_TEST(handouts_hold_the_example) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *page = handout_of(*t);
        if (!page) continue;
        expect((*t)->example, "%s has no example", (*t)->name);
        if ((*t)->example) {
            FILE *to = tmpfile();
            must(to);
            (*t)->example(to);
            rewind(to);
            char *example = read_all(to), *there = section(page, "A worked example"),
                 *block = malloc(strlen(example) + 32);
            fclose(to);
            sprintf(block, "```text\n%s```\n", example);
            expect(strlen(example) > 40, "%s: the example says nothing", (*t)->name);
            expect(strstr(there, block), "%s: \"A worked example\" does not hold\n%s", (*t)->name, block);
            free(example), free(there), free(block);
        }
        free(page);
    }
    tell("handouts");
}
END_TEST

START_TEST(handouts_ask_the_questions) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *page = handout_of(*t);
        if (!page) continue;
        char *there = section(page, "Predict before you run"), *line = in_one_line(there);
        for (int i = 0; i < 2; i++) {
            const char *text = (*t)->questions[i].text;
            expect(text, "%s: question %d is missing", (*t)->name, i + 1);
            expect(!text || strstr(line, text), "%s: question %d is not in the handout: %s", (*t)->name,
                   i + 1, text);
            expect(!text || !strchr(text, '\n'), "%s: question %d is more than a line", (*t)->name, i + 1);
        }
        free(there), free(line), free(page);
    }
    tell("handouts");
}
END_TEST

START_TEST(handouts_name_the_mistakes) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *page = handout_of(*t);
        if (!page) continue;
        char *there = section(page, "Common mistakes");
        const int slips = look_for_mistakes("", there, *t);
        expect(slips >= 8 || !(*t)->tier1, "%s: %d mistakes in tier 1", (*t)->name, slips);
        free(there), free(page);
    }
    tell("handouts");
}
END_TEST

/* ---- in Chinese ---- */

START_TEST(chinese_handouts_say_the_same) {
    char *glossary = read_text_file("docs/glossary.md");
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *english = handout_of(*t), *page = chinese_of(*t), from[16], to[128], differs[4096] = "";
        if (english && page) {
            page_compare(english, page, differs, sizeof differs);
            page_words(page, glossary, differs, sizeof differs);
            expect(!*differs, "%s.zh-CN:%s", (*t)->name, differs);
            snprintf(from, sizeof from, "# %d. ", (*t)->number);
            snprintf(to, sizeof to, "（%s）", (*t)->title);
            char *title = page_copy(page, page + strcspn(page, "\n"));
            expect(strncmp(title, from, strlen(from)) == 0 && strlen(title) > strlen(from) + strlen(to) &&
                       strcmp(title + strlen(title) - strlen(to), to) == 0,
                   "%s.zh-CN begins otherwise than with %s…%s", (*t)->name, from, to);
            free(title);
            look_for_headings((*t)->name, page, chinese_headings);
            char *mistakes = section(page, "常见错误"), *hours = section(page, "用时与延伸阅读"),
                 *prose = page_prose(page);
            look_for_mistakes(".zh-CN", mistakes, *t);
            snprintf(to, sizeof to, "%g 小时", (*t)->hours);
            expect(strstr(hours, to), "%s.zh-CN: not \"%s\"", (*t)->name, to);
            expect(!strstr(page, "$"), "%s.zh-CN: a $ in the page: formulas are plain text", (*t)->name);
            expect(!strstr(prose, "你"), "%s.zh-CN: 你 for 我们 or 读者", (*t)->name);
            free(mistakes), free(hours), free(prose);
        }
        free(english), free(page);
    }
    free(glossary);
    tell("handouts in Chinese");
}
END_TEST

/* Students get the handouts in both languages. */
START_TEST(handouts_are_in_the_kit) {
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int chinese = 0; chinese < 2; chinese++) {
            char *page = chinese ? chinese_of(*t) : handout_of(*t), path[1024];
            snprintf(path, sizeof path, "%s/%s/README%s.md", getenv("K"), folder_of(*t),
                     chinese ? ".zh-CN" : "");
            char *there = exists("%s", path) ? read_text_file(path) : NULL;
            expect(page && there && strcmp(page, there) == 0, "%s is not the handout", path);
            free(page), free(there);
        }
    tell("handouts in the kit");
}
END_TEST

/* ---- links ---- */

static void follow_links(const char *name, const char *page, const char *folder) {
    page_follow_links(name, page, folder, wrong, sizeof wrong);
}

START_TEST(links_lead_somewhere) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *page = handout_of(*t), *chinese = chinese_of(*t), *folder = join(getenv("K"), folder_of(*t));
        if (page) follow_links((*t)->name, page, folder);
        if (chinese) follow_links((*t)->name, chinese, folder);
        free(page), free(chinese), free(folder);
    }
    static const char *const pages[][2] = {{"coursework/README.md", "coursework"},
                                           {"coursework/GUIDE.md", "coursework"},
                                           {"coursework/GUIDE-marks.md", "coursework"},
                                           {"coursework/kit/README.md", "coursework/kit"},
                                           {"coursework/kit/README.zh-CN.md", "coursework/kit"}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (i == 2 && !exists("%s", pages[i][0])) continue;
        char *page = read_text_file(pages[i][0]);
        follow_links(pages[i][0], page, pages[i][1]);
        free(page);
    }
    tell("links");
}
END_TEST

/* ---- tables of tasks, and the guide ---- */

/* The table's line that begins with "| `03-softmax` |" has the task's hours, in brackets if it is optional. */
static void look_for_hours(const char *name, const char *page, const course_task *task) {
    char from[96], hours[32];
    snprintf(from, sizeof from, "\n| `%s` |", folder_of(task));
    snprintf(hours, sizeof hours, task->optional ? "| (%g) |" : "| %g |", task->hours);
    const char *at = strstr(page, from), *end = at ? strchr(at + 1, '\n') : NULL;
    expect(at, "%s: no line of %s", name, folder_of(task));
    if (!at) return;
    char *line = calloc((size_t)(end - at) + 1, 1);
    memcpy(line, at, (size_t)(end - at));
    expect(strstr(line, hours), "%s: \"%s\" lacks \"%s\"", name, line + 1, hours);
    free(line);
}

START_TEST(tables_are_those_of_the_tasks) {
    static const char *const pages[] = {"coursework/kit/README.md", "coursework/GUIDE.md",
                                        "coursework/kit/README.zh-CN.md"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char *page = read_text_file(pages[i]);
        for (const course_task *const *t = course_tasks; *t; t++) look_for_hours(pages[i], page, *t);
        expect(strstr(page, strstr(pages[i], ".zh-CN.") ? "1、3、5、9" : "1, 3, 5 and 9"),
               "%s: no list of tasks for a weekend", pages[i]);
        free(page);
    }
    double hours = 0; /* the guide has their sum */
    int tasks = 0;
    for (const course_task *const *t = course_tasks; *t; t++)
        hours += (*t)->optional ? 0 : (*t)->hours, tasks++;
    char *guide = read_text_file("coursework/GUIDE.md"), sum[32];
    snprintf(sum, sizeof sum, "%g hours in all", hours);
    expect(tasks < 9 || strstr(guide, sum), "GUIDE.md: not \"%s\"", sum);
    free(guide);
    tell("tables");
}
END_TEST

START_TEST(the_guide_asks_about_every_task) {
    char *guide = read_text_file("coursework/GUIDE.md"), heading[128];
    for (const course_task *const *t = course_tasks; *t; t++) {
        snprintf(heading, sizeof heading, "\n### %d. %s\n", (*t)->number, (*t)->title);
        char *at = strstr(guide, heading);
        expect(at, "GUIDE.md: no oral questions under \"### %d. %s\"", (*t)->number, (*t)->title);
        if (!at) continue;
        int questions = 0;
        for (char *line = strchr(at + 1, '\n') + 1; *line && strncmp(line, "\n#", 2) != 0;
             line = strchr(line, '\n') + 1)
            questions += strncmp(line, "* *", 3) == 0;
        expect(questions >= 3 && questions <= 5, "GUIDE.md: %d questions about %s", questions, (*t)->name);
    }
    free(guide);
    tell("the guide");
}
END_TEST

/* The commands of the guide exist. Those with arguments also occur on a page whose commands another test runs, except
 * the marker's and the study's, which are tried here. */
START_TEST(the_guides_commands_exist) {
    sh("cat docs/attend.md docs/translate.md README.md");
    char *pages = strcpy(malloc(strlen(said) + 1), said), *guide = read_text_file("coursework/GUIDE.md");
    int commands = 0;
    for (char *line = guide, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char command[512], program[64] = "";
        snprintf(command, sizeof command, "%.*s", (int)(end - line), line);
        char *at = command + strspn(command, " ");
        if (at - command != 4 || strncmp(at, "build/", 6) != 0) continue;
        commands++;
        /* build/double has the same programs in the other precision */
        sscanf(at, strncmp(at, "build/double/", 13) == 0 ? "build/double/%63[a-z_]" : "build/%63[a-z_]",
               program);
        expect(exists("%s/%s", getenv("BUILD"), program), "GUIDE.md: there is no %s", at);
        const char *arguments = strchr(at, ' ');
        if (!arguments) continue;
        if (strcmp(program, "marker") == 0) continue; /* tried below */
        if (strcmp(program, "study") == 0) {
            char name[64];
            must_msg(sscanf(arguments, "%63s", name) == 1 && strstr(arguments, "--quick"), "%s", at);
            expect(try("$BUILD/study %s --help", name) == 0, "GUIDE.md: %s", at);
            continue;
        }
        expect(strstr(pages, at), "GUIDE.md: %s is on no page whose commands a test runs", at);
    }
    ck_assert_int_ge(commands, 10);
    for (const course_task *const *t = course_tasks; *t; t++) {
        sh("$M questions %s --answers", (*t)->name);
        assert_contains(said, "answer: ");
        sh("$M example %s", (*t)->name);
    }
    free(pages), free(guide);
    tell("the guide");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_course, leave_course);
    tcase_add_test(tc, handouts_have_one_form);
    tcase_add_test(tc, handouts_hold_the_example);
    tcase_add_test(tc, handouts_ask_the_questions);
    tcase_add_test(tc, handouts_name_the_mistakes);
    tcase_add_test(tc, chinese_handouts_say_the_same);
    tcase_add_test(tc, handouts_are_in_the_kit);
    tcase_add_test(tc, links_lead_somewhere);
    tcase_add_test(tc, tables_are_those_of_the_tasks);
    tcase_add_test(tc, the_guide_asks_about_every_task);
    tcase_add_test(tc, the_guides_commands_exist);
}
TL_TEST_MAIN("coursework: handouts and guide")
