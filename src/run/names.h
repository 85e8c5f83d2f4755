/* Names of the files that a run's folder holds. */
#ifndef TL_RUN_NAMES_H
#define TL_RUN_NAMES_H

#include "tapeloom/base.h"

/* Lists ended by NULL: files of a trained model, and text files of some program. */
extern const char *const tl_weight_files[], *const tl_text_files[], *const tl_other_files[];
bool tl_is_recent(const char *name, long *step); /* is it a file of recent/, and of which update? */
/* Removes the ".tmp" files that a killed run left. */
bool tl_clear_strays(const char *dir, tl_error *error);

#endif
