/* A new run that starts from another run's text and weights (settings.model.from). */
#ifndef TL_RUN_FROM_H
#define TL_RUN_FROM_H

#include "run.h"

/* Instead of learning text: reads the other run's text, which must agree with this run's settings. */
bool tl_from_text(tl_run *run);
/* Once the model exists: its parameters become the other run's best weights. Gates that the other run lacks keep
 * their initial values. */
bool tl_from_weights(tl_run *run);

#endif
