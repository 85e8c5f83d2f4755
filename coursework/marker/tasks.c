/* The course's tasks in order. Each is defined in coursework/NAME/model.c. */
#include "exercise.h"

#include <string.h>

extern const course_task course_task_tape, course_task_linear, course_task_softmax, course_task_layer_norm,
    course_task_attention_forward, course_task_attention_backward, course_task_recurrence,
    course_task_training, course_task_translator;

const course_task *const course_tasks[] = {&course_task_tape,
                                           &course_task_linear,
                                           &course_task_softmax,
                                           &course_task_layer_norm,
                                           &course_task_attention_forward,
                                           &course_task_attention_backward,
                                           &course_task_recurrence,
                                           &course_task_training,
                                           &course_task_translator,
                                           NULL};

const course_task *course_task_named(const char *name) {
    for (const course_task *const *t = course_tasks; *t; t++)
        if (strcmp((*t)->name, name) == 0) return *t;
    return NULL;
}
