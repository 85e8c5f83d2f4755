/* The program build/marker: its command line, its table, its JSON, its exit status. */
#include "kit.h"

#include "base/json.h"

#include <stdarg.h>
#include <sys/wait.h>

/* ---- running it ---- */

static char out[1 << 16], err[1 << 14];
static char *good, *bad, *loud; /* runners */

static char *runner_with(const char *backward) {
    char *file = kit_student(NULL, backward), *runner = kit_runner("softmax", 1, file, 2);
    must(runner);
    free(file);
    return runner;
}

static void compile(void) {
    good = runner_with(NULL);
    bad = runner_with("for (long k = 0; k < rows * columns; k++) dx[k] += y[k] * dy[k];");
}

static void take(const char *path, char *text, size_t size) {
    FILE *f = fopen(path, "rb");
    must(f);
    text[fread(text, 1, size - 1, f)] = '\0';
    fclose(f);
}

/* Runs the marker; its output is in `out` and `err`. Returns the exit status. */
static int marker(const char *format, ...) {
    char arguments[1024], command[2048];
    va_list rest;
    va_start(rest, format);
    vsnprintf(arguments, sizeof arguments, format, rest);
    va_end(rest);
    snprintf(command, sizeof command, "%s/marker %s >%s/out 2>%s/err </dev/null",
             getenv("BUILD") ? getenv("BUILD") : "build", arguments, kit_temporary(), kit_temporary());
    const int status = system(command);
    snprintf(command, sizeof command, "%s/out", kit_temporary());
    take(command, out, sizeof out);
    snprintf(command, sizeof command, "%s/err", kit_temporary());
    take(command, err, sizeof err);
    must(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- JSON, checked with the library's strict reader ---- */

static tl_error error;

static void take_value(tl_json *r);

static void take_pairs(tl_json *r) {
    char *key;
    if (tl_json_next(r, '}')) return;
    do {
        must_msg(tl_json_string(r, &key) && tl_json_expect(r, ':', "a colon"), "%s", error.message);
        free(key);
        take_value(r);
    } while (tl_json_next(r, ','));
    must_msg(tl_json_expect(r, '}', "a brace"), "%s", error.message);
}

static void take_word(tl_json *r) {
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++)
        if (strncmp(r->text + r->at, words[i], strlen(words[i])) == 0) {
            r->at += strlen(words[i]);
            return;
        }
    char *end;
    strtod(r->text + r->at, &end);
    must_msg(end > r->text + r->at, "no value: %.40s", r->text + r->at);
    r->at = (size_t)(end - r->text);
}

static void take_value(tl_json *r) {
    char *text;
    tl_json_skip(r);
    if (r->text[r->at] == '"') {
        must_msg(tl_json_string(r, &text), "%s", error.message);
        free(text);
    } else if (tl_json_next(r, '{'))
        take_pairs(r);
    else if (tl_json_next(r, '[')) {
        if (tl_json_next(r, ']')) return;
        do take_value(r);
        while (tl_json_next(r, ','));
        must_msg(tl_json_expect(r, ']', "a bracket"), "%s", error.message);
    } else
        take_word(r);
}

static void is_json(const char *text) {
    error = (tl_error){""};
    tl_json r = {.text = text,
                 .size = strlen(text),
                 .path = "marks",
                 .document = "it",
                 .advice = "none",
                 .error = &error};
    take_value(&r);
    must_msg(tl_json_end(&r), "%s", error.message);
    for (const char *c = text; *c; c++) must_msg((unsigned char)*c < 0x80, "a byte is not ASCII: %.20s", c);
}

/* ---- the command line ---- */

START_TEST(help_is_clear) {
    must(marker("--help") == 0 && !*err);
    assert_contains(out, "marker TASK --runner FILE");
    assert_contains(out, "marker list");
    assert_contains(out, "marker example TASK");
    assert_contains(out, "marker questions TASK");
    assert_contains(out, "marker --all DIR");
    must(marker("") == 2 && !*out);
    must(marker("mark --help") == 0);
    assert_contains(out, "--student TEXT");
    must(marker("softmax --help") == 0);
    assert_contains(out, "--exercise NAME");
}
END_TEST

static void refused(const char *arguments, const char *sentence) {
    must_msg(marker("%s", arguments) == 2, "\"%s\" is accepted", arguments);
    must_msg(!*out, "it prints %s", out);
    assert_contains(err, sentence);
    must_msg(strncmp(err, "marker: ", 8) == 0, "%s", err);
}

START_TEST(errors_say_what_to_do) {
    char line[256];
    refused("no_such_task", "there is no task no_such_task; marker list shows them");
    refused("mark", "which task? marker list shows them");
    refused("softmax", "which runner? --runner FILE says it; make in the assignment's folder makes one");
    refused("softmax --runner /nowhere/at-all", "/nowhere/at-all cannot be run: No such file or directory");
    refused("softmax --bogus", "--bogus");
    refused("softmax --tier 3 --runner /bin/true", "--tier");
    refused("softmax --seconds 0 --runner /bin/true", "--seconds is 1 or more");
    refused("list softmax", "that is too much: softmax");
    refused("example", "which task?");
    refused("softmax a b c", "that is too much: c");
    refused("softmax --exercise softmax --runner /bin/true",
            "task softmax, tier 1, has no function softmax; it has softmax_forward");
    snprintf(line, sizeof line, "$(printf 'a\\033[31mb')");
    refused(line, "a\\x1b[31mb");
}
END_TEST

START_TEST(tasks_are_listed) {
    must(marker("list") == 0 && !*err);
    assert_contains(out, "03|softmax|Softmax and cross-entropy|4|-|1");
    must(marker("questions softmax") == 0);
    must(marker("tell softmax --student 7") == 0);
}
END_TEST

START_TEST(missing_tiers_are_reported) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        if ((*t)->mark_folder || ((*t)->tier1 && (*t)->tier2)) continue;
        must(marker("%s --tier %d --runner /bin/true", (*t)->name, (*t)->tier1 ? 2 : 1) == 2);
        assert_contains(err, "has no tier");
    }
}
END_TEST

/* ---- marks ---- */

START_TEST(exit_status_is_0_for_all_points_else_1) {
    must(marker("softmax --runner %s --runner %s", good, good) == 0 && !*err);
    assert_contains(out, "3. Softmax and cross-entropy, tier 1\n\n");
    assert_contains(out, "  softmax_forward  ");
    assert_contains(out, "   ok (");
    assert_contains(out, "\n  100 of 100 points\n");
    must(!strstr(out, "odd sizes")); /* a right function has one line, without its checks */
    must(marker("mark softmax %s %s", bad, bad) == 1 && !*err);
    assert_contains(
        out, "odd sizes\n            your numbers equal those of softmax's backward without its second term");
    must(marker("softmax --runner=%s --quiet", bad) == 1 && !*out && !*err);
    must(marker("softmax %s --brief", bad) == 1);
    assert_contains(out, "03 softmax            tier 1   ");
    assert_contains(out, "softmax_backward: your numbers equal");
}
END_TEST

START_TEST(one_function_can_be_marked) {
    must(marker("softmax --runner %s --exercise softmax_forward", bad) == 0);
    assert_contains(out, "tier 1: only softmax_forward");
    assert_contains(out, "100 of 100 points for this function alone");
    must(!strstr(out, "softmax_backward"));
}
END_TEST

START_TEST(printed_text_is_escaped) {
    loud = runner_with("right_backward(y, dy, dx, rows, columns);"
                       "for (long i = 0; i < rows; i++) printf(\"row %ld\\033[31m\\377\\n\", i);");
    must(loud && marker("softmax --runner %s", loud) == 0);
    assert_contains(out, "\n  printed by softmax_backward:\n  | row 0\\x1b[31m\\xff\n");
    for (const char *c = out; *c; c++) must(*c != '\033');
    int lines = 0;
    for (const char *c = out; (c = strstr(c, "\n  | ")); c++) lines++;
    must_msg(lines > 1 && lines <= 13, "%d lines", lines);
    must(marker("softmax --runner %s --json -", loud) == 0);
    is_json(out);
    assert_contains(out, "\"printed\": \"row 0\\u001b[31m\\ufffd\\n");
}
END_TEST

START_TEST(json_is_strict_and_always_the_same) {
    static char before[sizeof out];
    must(marker("softmax --runner %s --runner %s --json -", bad, bad) == 1 && !*err);
    is_json(out);
    assert_contains(
        out,
        "{\"task\": \"softmax\",\n  \"number\": 3,\n  \"tier\": 1,\n  \"seed\": \"1\",\n  \"only\": null,\n");
    assert_contains(out, "second term: y\\u00b7dy alone\"");
    assert_contains(out, "{\"function\": \"softmax_backward\", \"check\": \"odd sizes\", \"group\": "
                         "\"backward\", \"points\": 0.000,");
    strcpy(before, out);
    must(marker("softmax --runner %s --runner %s --json -", bad, bad) == 1);
    ck_assert_str_eq(out, before);
    must(marker("softmax --runner %s --json %s/marks.json --quiet", good, kit_temporary()) == 0 && !*out);
    char path[128];
    snprintf(path, sizeof path, "%s/marks.json", kit_temporary());
    take(path, out, sizeof out);
    is_json(out);
    assert_contains(out, "\"points\": 100.00,");
    must(marker("softmax --runner %s --json /nowhere/at/all", good) == 1);
    assert_contains(err, "cannot write /nowhere/at/all: No such file or directory");
}
END_TEST

/* The message about a wrong element contains its value, which shows whether the cases are the same. */
START_TEST(cases_depend_on_seed_and_student) {
    char *runner = runner_with("right_backward(y, dy, dx, rows, columns);"
                               "if (columns > 1) dx[1] += 0.5f * y[1];");
    static char first[sizeof out];
    must(marker("softmax --runner %s --seed 5", runner) == 1);
    strcpy(first, out);
    must(marker("softmax --runner %s --seed 5 --student ''", runner) == 1);
    ck_assert_str_eq(out, first);
    must(marker("softmax --runner %s --seed 6", runner) == 1 && strcmp(out, first) != 0);
    must(marker("softmax --runner %s --seed 5 --student 12345", runner) == 1 && strcmp(out, first) != 0);
    strcpy(first, out);
    must(marker("softmax --runner %s --seed 5 --student 12345", runner) == 1);
    ck_assert_str_eq(out, first);
    free(runner);
}
END_TEST

START_TEST(predictions_are_in_the_report) {
    const course_task *task = NULL; /* softmax, if it has questions */
    for (const course_task *const *t = course_tasks; *t; t++)
        if (!task && (*t)->questions[0].text && strcmp((*t)->name, "softmax") == 0) task = *t;
    if (!task) return;
    char path[128];
    snprintf(path, sizeof path, "%s/predict.txt", kit_temporary());
    FILE *f = fopen(path, "w");
    must(f && fprintf(f, "# comment\n1: %.9g\n2: 1e9\n", task->questions[0].answer) > 0 && fclose(f) == 0);
    must(marker("softmax --runner %s --predict %s", good, path) == 0);
    assert_contains(out, "prediction 1: ");
    must(marker("softmax --runner %s --predict %s --json -", good, path) == 0);
    is_json(out);
    assert_contains(out, "\"right\": true}");
    assert_contains(out, "{\"question\": 2, \"given\": 1e+09, \"right\": false}");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, compile, NULL);
    tcase_add_test(tc, help_is_clear);
    tcase_add_test(tc, errors_say_what_to_do);
    tcase_add_test(tc, tasks_are_listed);
    tcase_add_test(tc, missing_tiers_are_reported);
    tcase_add_test(tc, exit_status_is_0_for_all_points_else_1);
    tcase_add_test(tc, one_function_can_be_marked);
    tcase_add_test(tc, printed_text_is_escaped);
    tcase_add_test(tc, json_is_strict_and_always_the_same);
    tcase_add_test(tc, cases_depend_on_seed_and_student);
    tcase_add_test(tc, predictions_are_in_the_report);
}
TL_TEST_MAIN("coursework: the marker")
