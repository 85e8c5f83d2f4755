/* A new run that begins with another one's text and weights (settings.model.from). */
#ifndef TL_RUN_FROM_H
#define TL_RUN_FROM_H

#include "run.h"

/* In the place of learning text: reads the other folder's, which this run's settings must agree with. */
bool tl_from_text(tl_run *run);
/* Once there is a model: its parameters become the other's best weights; gates that the other has not stay as they begin. */
bool tl_from_weights(tl_run *run);

#endif
