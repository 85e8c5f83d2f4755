/* How many points a check has. Forward has 40 points, backward 40, invariants 10, robustness 10. A task with only
 * forward, or only backward, gives that 80; without invariants their points go to robustness. Functions share a
 * group's points equally. Within a function odd sizes have as many points as all other kinds together. */
#include "marking.h"

#include <string.h>

enum { FORWARD, BACKWARD, INVARIANTS, ROBUSTNESS, GROUPS };
static const char *const group_name[GROUPS] = {"forward", "backward", "invariants", "robustness"};

course_check *course_add_check(course_marks *m, const course_exercise *of, const char *group,
                               const char *what) {
    /* does not happen: no task has so many checks */
    if (m->checks == (int)(sizeof m->check / sizeof *m->check)) m->checks--;
    course_check *c = &m->check[m->checks++];
    *c = (course_check){.function = of->function, .what = what, .group = group, .weight = 1};
    return c;
}

static bool is_of(const course_check *c, int group) { return strcmp(c->group, group_name[group]) == 0; }

static int checks_of(const course_marks *m, int group) {
    int count = 0;
    for (int i = 0; i < m->checks; i++) count += is_of(&m->check[i], group);
    return count;
}

/* How many functions have checks of the group. */
static int functions_of(const course_marks *m, int group) {
    int count = 0;
    for (int i = 0; i < m->checks; i++) {
        bool known = !is_of(&m->check[i], group);
        for (int k = 0; k < i && !known; k++)
            known = is_of(&m->check[k], group) && strcmp(m->check[k].function, m->check[i].function) == 0;
        count += !known;
    }
    return count;
}

static double weights_of(const course_marks *m, int group, const char *function) {
    double all = 0;
    for (int i = 0; i < m->checks; i++)
        if (is_of(&m->check[i], group) && strcmp(m->check[i].function, function) == 0)
            all += m->check[i].weight;
    return all;
}

void course_share_points(course_marks *m) {
    double points[GROUPS] = {40, 40, 10, 10};
    if (!checks_of(m, FORWARD)) points[BACKWARD] += points[FORWARD];
    if (!checks_of(m, BACKWARD)) points[FORWARD] += points[BACKWARD];
    if (!checks_of(m, INVARIANTS)) points[ROBUSTNESS] += points[INVARIANTS];
    m->points = 0;
    for (int g = 0; g < GROUPS; g++) {
        const int functions = functions_of(m, g);
        for (int i = 0; i < m->checks; i++) {
            course_check *c = &m->check[i];
            if (!is_of(c, g)) continue;
            c->of = points[g] / functions * c->weight / weights_of(m, g, c->function);
            c->points = *c->why ? 0 : c->of;
            m->points += c->points;
        }
    }
}
