/* What the marker prints about tasks: the list from which the students' folder is made, questions, predictions. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

void course_list(FILE *to) {
    for (const course_task *const *t = course_tasks; *t; t++)
        fprintf(to, "%02d|%s|%s|%g|%s|%s%s\n", (*t)->number, (*t)->name, (*t)->title, (*t)->hours,
                (*t)->optional ? "optional" : "-", (*t)->tier1 ? "1" : "", (*t)->tier2 ? "2" : "");
}

void course_questions(const course_task *task, bool answers, FILE *to) {
    for (int i = 0; i < 2; i++) {
        const course_question *q = &task->questions[i];
        if (!q->text) continue;
        fprintf(to, "%d. %s\n", i + 1, q->text);
        if (answers) fprintf(to, "   answer: %.6g (± %.3g)\n", q->answer, q->tolerance);
    }
}

/* ---- predict.txt: a number or a fraction after "1:" and "2:" ---- */

static bool read_number(const char *text, double *number) {
    char *end;
    *number = strtod(text, &end);
    if (end == text) return false;
    while (*end == ' ' || *end == '\t') end++;
    if (*end == '/') {
        const char *below = end + 1;
        *number /= strtod(below, &end);
        if (end == below) return false;
    }
    return true;
}

bool course_predictions(const char *path, bool given[2], double answer[2]) {
    FILE *from = fopen(path, "r");
    given[0] = given[1] = false;
    if (!from) return false;
    char line[1024];
    bool fresh = true; /* at the beginning of a line, not in the rest of a long one */
    while (fgets(line, sizeof line, from)) {
        const char *at = line + strspn(line, " \t");
        const int which = *at - '1';
        if (fresh && (which == 0 || which == 1)) {
            at += 1 + strspn(at + 1, " \t");
            if (*at == ':') given[which] = read_number(at + 1, &answer[which]);
        }
        fresh = strchr(line, '\n') != NULL;
    }
    fclose(from);
    return true;
}

bool course_predicted(const course_question *q, double answer) {
    return answer >= q->answer - q->tolerance && answer <= q->answer + q->tolerance;
}

void course_print_predictions(const course_task *task, const char *path, FILE *to) {
    bool given[2];
    double answer[2];
    if (!task->questions[0].text) return;
    if (!course_predictions(path, given, answer)) return;
    for (int i = 0; i < 2; i++) {
        const course_question *q = &task->questions[i];
        if (!q->text) continue;
        if (!given[i])
            fprintf(to, "  prediction %d: none yet. Write a number into %s before you look.\n", i + 1, path);
        else
            fprintf(to, "  prediction %d: %g %s\n", i + 1, answer[i],
                    course_predicted(q, answer[i]) ? "is right"
                                                   : "is not what comes out. Try it, and find out why.");
    }
}
