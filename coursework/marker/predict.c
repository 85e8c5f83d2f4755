/* "Predict before you run": a file of the student's with a line "1: NUMBER" for each question. It is worth no points: who has guessed wrong
 * has found something to think about. */
#include "marking.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <tapeloom.h>

static void judge(const course_question *q, const char *answer, course_prediction *p) {
    char word[64];
    size_t length = 0;
    while (isspace((unsigned char)*answer)) answer++;
    while (answer[length] && !isspace((unsigned char)answer[length]) && answer[length] != '#') length++;
    if (length == 0) return;
    p->state = COURSE_NO_NUMBER;
    if (length >= sizeof word) return;
    memcpy(word, answer, length);
    word[length] = '\0';
    for (char *c = word; *c; c++)
        if (*c == ',') *c = '.'; /* as many a country writes it */
    if (!tl_double_parse(word, &p->value) || !isfinite(p->value)) return;
    p->state = fabs(p->value - q->answer) <= q->tolerance ? COURSE_PREDICTED : COURSE_MISSED;
}

bool course_predictions(const course_task *task, const char *path, course_prediction p[2]) {
    p[0] = p[1] = (course_prediction){0};
    FILE *f = fopen(path, "r");
    if (!f) return false;
    char line[512];
    while (fgets(line, sizeof line, f)) {
        const char *at = line;
        while (isspace((unsigned char)*at)) at++;
        if ((*at == '1' || *at == '2') && at[1] == ':') {
            const int which = *at - '1';
            judge(&task->questions[which], at + 2, &p[which]);
        }
    }
    fclose(f);
    return true;
}

void course_print_predictions(const course_task *task, const course_prediction p[2], FILE *to) {
    fprintf(to, "\n  predicted before it ran (worth no points):\n");
    for (int i = 0; i < 2; i++) {
        if (!task->questions[i].text) continue;
        switch (p[i].state) {
        case COURSE_UNANSWERED:
            fprintf(to, "    %d: not answered yet\n", i + 1);
            break;
        case COURSE_NO_NUMBER:
            fprintf(to, "    %d: what stands there is no number; write one behind \"%d:\"\n", i + 1, i + 1);
            break;
        case COURSE_PREDICTED:
            fprintf(to, "    %d: predicted %g: right\n", i + 1, p[i].value);
            break;
        case COURSE_MISSED:
            fprintf(to, "    %d: predicted %g: not so; compute it and see why\n", i + 1, p[i].value);
            break;
        }
    }
}
