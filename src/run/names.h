/* Names of the files that a run's folder holds. */
#ifndef TL_RUN_NAMES_H
#define TL_RUN_NAMES_H

#include "tapeloom/base.h"

/* Ended by NULL. Where one of the first is, something has been trained; the second ones are some program's text. */
extern const char *const tl_weight_files[], *const tl_text_files[], *const tl_other_files[];
bool tl_is_recent(const char *name, long *step); /* one of those in recent/, and of which update */
/* Removes the ".tmp" files of a run that was killed. */
bool tl_clear_strays(const char *dir, tl_error *error);

#endif
