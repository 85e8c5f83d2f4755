/* Task 8, tier 2: a whole update (model_update.c). */
#ifndef COURSE_MODEL_UPDATE_H
#define COURSE_MODEL_UPDATE_H

#include "../marker/exercise.h"

extern const course_exercise course_training_tier2[];

#endif
