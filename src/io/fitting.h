/* Is a file the right one for a model? The one check of a file's tensors against those that are wanted, for
 * parameters, GPT-2's files and checkpoints; and the one way to read them all or none. */
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

/* F64, F32, F16 or BF16: what tl_safetensors_read reads. */
bool tl_file_dtype_is_real(const tl_safetensors_entry *entry, const char *file, const char *name,
                           tl_error *error);

/* Whether the file holds every wanted tensor in its shape and a dtype that fits, and none besides but those whose names
 * `ignored` (may be NULL) says yes to. The wanted ones have distinct names. `shown` is the file's path for errors. */
bool tl_file_fits(const tl_safetensors *file, const tl_safetensors_item *wanted, long count,
                  tl_dtype_fits *dtype_fits, bool (*ignored)(const char *name), const char *shown,
                  tl_error *error);

/* Reads the wanted tensors, which were found to fit, to where they are to be: all or none, unless `directly`, without memory
 * beside them. */
bool tl_file_fill(tl_safetensors *file, const tl_safetensors_item *wanted, long count, bool directly,
                  tl_error *error);

/* PyTorch's wrappers put a name of their own before every tensor's: "module." (DataParallel, DistributedDataParallel),
 * "_orig_mod." (torch.compile), or both. How many bytes of that all names begin with; 0: none. */
size_t tl_file_wrapping(const tl_safetensors *file);

#endif
