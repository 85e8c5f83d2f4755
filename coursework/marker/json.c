/* Marks as JSON (RFC 8259): always the same keys in the same order, in ASCII. */
#include "kit.h"

#include <math.h>
#include <string.h>

/* The UTF-8 character at `at`, and its length in *bytes. An invalid byte is U+FFFD, of length 1. */
static unsigned long character(const unsigned char *at, int *bytes) {
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    const int length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 0;
    unsigned long c = length == 1   ? at[0]
                      : length == 4 ? at[0] & 0x07u
                      : length == 3 ? at[0] & 0x0fu
                                    : at[0] & 0x1fu;
    *bytes = 1;
    if (length == 0 || at[0] > 0xf4) return 0xfffd;
    for (int i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0xfffd;
        c = c << 6 | (at[i] & 0x3fu);
    }
    if (length > 1 && (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))) return 0xfffd;
    *bytes = length;
    return c;
}

static void text(const char *s, FILE *to) {
    fputc('"', to);
    for (int bytes; *s; s += bytes) {
        const unsigned long c = character((const unsigned char *)s, &bytes);
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", (int)c);
        else if (c == '\n')
            fputs("\\n", to);
        else if (c >= 0x20 && c < 0x7f)
            fputc((int)c, to);
        else if (c < 0x10000)
            fprintf(to, "\\u%04lx", c);
        else
            fprintf(to, "\\u%04lx\\u%04lx", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    fputc('"', to);
}

static void number(double x, FILE *to) { /* JSON has only finite numbers */
    if (isfinite(x))
        fprintf(to, "%.9g", x);
    else
        fputs("null", to);
}

static void key_text(const char *key, const char *value, FILE *to) {
    fprintf(to, "\"%s\": ", key);
    if (value)
        text(value, to);
    else
        fputs("null", to);
}

static void write_predictions(const course_task *task, const char *path, FILE *to) {
    bool given[2];
    double answer[2];
    course_predictions(path, given, answer);
    for (int i = 0; i < 2; i++) {
        fprintf(to, "%s\n    {\"question\": %d, \"given\": ", i ? "," : "", i + 1);
        number(given[i] ? answer[i] : NAN, to);
        fprintf(to, ", \"right\": %s}",
                !given[i]                                          ? "null"
                : course_predicted(&task->questions[i], answer[i]) ? "true"
                                                                   : "false");
    }
}

void course_json_all(const course_marks *m, const char *predict, FILE *to) {
    fputs("{", to);
    key_text("task", m->task->name, to);
    fprintf(to, ",\n  \"number\": %d,\n  \"tier\": %d,\n  \"seed\": \"%llu\",\n  ", m->task->number, m->tier,
            (unsigned long long)m->seed);
    key_text("only", m->only, to);
    fprintf(to, ",\n  \"points\": %.2f,\n  \"checks\": [", m->points);
    for (int i = 0; i < m->checks; i++) {
        const course_check *c = &m->check[i];
        fprintf(to, "%s\n    {", i ? "," : "");
        key_text("function", c->function, to), fputs(", ", to);
        key_text("check", c->what, to), fputs(", ", to);
        key_text("group", c->group, to);
        fprintf(to, ", \"points\": %.3f, \"of\": %.3f, \"as_known\": %s, ", c->points, c->of,
                c->as_known && !*c->why ? "true" : "false");
        key_text("why", c->why, to);
        fputc('}', to);
    }
    fputs("\n  ],\n  \"predictions\": [", to);
    if (predict) write_predictions(m->task, predict, to);
    fputs(predict ? "\n  ],\n  " : "],\n  ", to);
    key_text("printed", m->says ? m->said : "", to);
    fputs("\n}\n", to);
}

void course_json(const course_marks *m, FILE *to) { course_json_all(m, NULL, to); }
