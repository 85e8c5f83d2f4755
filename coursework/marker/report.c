/* Marks as a table for people, and as JSON. */
#include "marking.h"

#include <string.h>

void course_print(const course_marks *m, FILE *to) {
    fprintf(to, "%02d %s", m->task->number, m->task->title);
    if (m->tier) fprintf(to, ", tier %d", m->tier); /* 0: a task that has none */
    fputs("\n\n", to);
    const char *function = "", *said = "";
    for (int i = 0; i < m->checks; i++) {
        const course_check *c = &m->check[i];
        if (strcmp(function, c->function) != 0) fprintf(to, "  %s\n", c->function), said = "";
        function = c->function;
        const bool again = *c->why && strcmp(said, c->why) == 0; /* a sentence is said once, not ten times */
        if (*c->why) said = c->why;
        fprintf(to, "    %-22s %-11s %4.1f / %-4.1f %s\n", c->what, c->group, c->points, c->of,
                again     ? "the same"
                : *c->why ? ""
                          : "ok");
        if (*c->why && !again) fprintf(to, "        %s\n", c->why);
    }
    fprintf(to, "\n  %.0f of 100 points\n", m->points);
}

static void json_text(const char *s, FILE *to) {
    fputc('"', to);
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            fprintf(to, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            fprintf(to, "\\u%04x", *s);
        else
            fputc(*s, to);
    fputc('"', to);
}

void course_json(const course_marks *m, FILE *to) {
    fprintf(to, "{\"task\": \"%s\", \"tier\": %d, \"points\": %.2f, \"checks\": [", m->task->name, m->tier,
            m->points);
    for (int i = 0; i < m->checks; i++) {
        const course_check *c = &m->check[i];
        fprintf(to,
                "%s\n  {\"function\": \"%s\", \"check\": \"%s\", \"group\": \"%s\", \"points\": %.3f, "
                "\"of\": %.3f, \"why\": ",
                i ? "," : "", c->function, c->what, c->group, c->points, c->of);
        json_text(c->why, to);
        fputc('}', to);
    }
    fprintf(to, "\n]}\n");
}
