/* Marks as a table. A function without mistakes takes one line; otherwise its messages follow, each with all checks
 * that have it. */
#include "marking.h"

#include <string.h>
#include <tapeloom.h>

enum { COLUMNS = 100, SAID_LINES = 12, INDENT = 12 };

/* Prints text in lines of at most COLUMNS; all but the first are indented. */
static void wrap(const char *text, int indent, FILE *to) {
    int column = indent;
    for (const char *at = text; *at;) {
        char word[COURSE_WHY];
        const size_t length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        const int wide = (int)tl_text_columns(word);
        if (column > indent && column + 1 + wide > COLUMNS)
            fprintf(to, "\n%*s", indent, ""), column = indent;
        else if (column > indent)
            fputc(' ', to), column++;
        tl_show(word, to);
        column += wide;
        at += length;
        while (*at == ' ') at++;
    }
    fputc('\n', to);
}

static bool is_of(const course_check *c, const char *function) { return strcmp(c->function, function) == 0; }

/* Prints the names of checks that failed ("odd sizes, sizes of 1") and the message, for all checks of this function
 * from i on with the same message. */
static void print_wrong(const course_marks *m, int i, FILE *to) {
    const course_check *c = &m->check[i];
    for (int k = 0; k < i; k++) /* already printed */
        if (is_of(&m->check[k], c->function) && strcmp(m->check[k].why, c->why) == 0) return;
    double lost = 0;
    char names[COURSE_WHY] = "";
    size_t used = 0;
    int checks = 0, all = 0;
    for (int k = 0; k < m->checks; k++) all += is_of(&m->check[k], c->function);
    for (int k = i; k < m->checks; k++) {
        const course_check *same = &m->check[k];
        if (!is_of(same, c->function) || strcmp(same->why, c->why) != 0) continue;
        lost += same->of;
        bool twice = false; /* y and gradients have the same kind */
        for (int j = i; j < k; j++)
            twice |= is_of(&m->check[j], c->function) && strcmp(m->check[j].why, c->why) == 0 &&
                     strcmp(m->check[j].what, same->what) == 0;
        if (!twice && used < sizeof names)
            used +=
                (size_t)snprintf(names + used, sizeof names - used, "%s%s", checks ? ", " : "", same->what);
        checks++;
    }
    fprintf(to, "    %6.1f  ", -lost);
    wrap(checks == all ? "all of it" : names, INDENT, to);
    fprintf(to, "%*s", INDENT, "");
    wrap(c->why, INDENT, to);
}

static void print_function(const course_marks *m, const char *function, FILE *to) {
    double points = 0, of = 0;
    int checks = 0, well = 0, as_known = 0;
    for (int i = 0; i < m->checks; i++) {
        const course_check *c = &m->check[i];
        if (!is_of(c, function)) continue;
        points += c->points, of += c->of, checks++;
        well += !*c->why, as_known += c->as_known && !*c->why;
    }
    fprintf(to, "  %-34s %5.1f of %4.1f   ", function, points, of);
    if (well == checks)
        fprintf(to, "ok (%d checks)\n", checks);
    else
        fprintf(to, "%d of %d checks ok%s\n", well, checks, as_known ? ", given the mistake below" : "");
    for (int i = 0; i < m->checks; i++)
        if (is_of(&m->check[i], function) && *m->check[i].why) print_wrong(m, i, to);
}

/* Prints the first lines that the student's code printed. */
static void print_said(const course_marks *m, FILE *to) {
    if (!m->says) return;
    fprintf(to, "\n  printed by %s:\n", m->says);
    const char *at = m->said;
    for (int line = 0; *at && line < SAID_LINES; line++) {
        char one[COLUMNS];
        const size_t length = strcspn(at, "\n");
        snprintf(one, sizeof one, "%.*s", (int)length, at);
        fprintf(to, "  | ");
        tl_show(one, to);
        fputc('\n', to);
        at += length;
        at += *at == '\n';
    }
    if (*at) fprintf(to, "  | …\n");
}

void course_print(const course_marks *m, FILE *to) {
    fprintf(to, "%d. %s", m->task->number, m->task->title);
    if (m->tier) fprintf(to, ", tier %d", m->tier); /* 0: the task has no tiers */
    fprintf(to, "%s%s\n\n", m->only ? ": only " : "", m->only ? m->only : "");
    for (int i = 0; i < m->checks; i++) {
        bool told = false;
        for (int k = 0; k < i && !told; k++) told = is_of(&m->check[k], m->check[i].function);
        if (!told) print_function(m, m->check[i].function, to);
    }
    print_said(m, to);
    /* 99.96 is not 100 */
    fprintf(to, "\n  %.*f of 100 points%s\n", m->points > 99.99 || m->points < 0.05 ? 0 : 1, m->points,
            m->only ? " for this function alone" : "");
}
