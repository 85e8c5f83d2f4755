/* Is a file the right one for a model? The one check of a file's tensors against those that are wanted, for
 * parameters and for checkpoints. */
#ifndef TL_IO_FITTING_H
#define TL_IO_FITTING_H

#include "tapeloom/io.h"

#define TL_SAME_MODEL "the model must be made with the configuration it was saved with"

/* Whether a tensor of this dtype can be used; false, with the error set, if not. `file` and `name` are fit for it. */
typedef bool tl_dtype_fits(const tl_safetensors_entry *entry, const char *file, const char *name,
                           tl_error *error);

/* Whether the file holds a tensor of this name and shape; NULL, with the error set, if not. */
const tl_safetensors_entry *tl_file_has(const tl_safetensors *file, const char *name, tl_shape shape,
                                        const char *shown, tl_error *error);

/* Whether the file holds every wanted tensor in its shape and a dtype that fits, and none besides. The wanted ones have
 * distinct names. `shown` is the file's path for errors. */
bool tl_file_fits(const tl_safetensors *file, const tl_safetensors_item *wanted, long count,
                  tl_dtype_fits *dtype_fits, const char *shown, tl_error *error);

#endif
