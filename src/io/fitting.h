/* Does a file fit a model? This is the one check of a file's tensors against wanted ones, for parameters, GPT-2's files
 * and checkpoints, and the one way to read them all or none. */
#ifndef TL_IO_FITTING_H
#define TL_IO_FITTING_H

#include "tapeloom/io.h"

#define TL_SAME_MODEL "the model must be made with the configuration it was saved with"

/* Can a tensor of this dtype be used? If not, returns false, with the error set. `file` and `name` are safe to
 * print. */
typedef bool tl_dtype_fits(const tl_safetensors_entry *entry, const char *file, const char *name,
                           tl_error *error);

/* The file's tensor of this name and shape. If there is none, returns NULL, with the error set. */
const tl_safetensors_entry *tl_file_has(const tl_safetensors *file, const char *name, tl_shape shape,
                                        const char *shown, tl_error *error);

/* Is it F64, F32, F16 or BF16, which tl_safetensors_read can read? */
bool tl_file_dtype_is_real(const tl_safetensors_entry *entry, const char *file, const char *name,
                           tl_error *error);

/* Does the file hold every wanted tensor, with its shape and a dtype that fits, and no others except those for whose
 * name `ignored` (may be NULL) returns true? Wanted names must be distinct. `shown` is the file's path for errors. */
bool tl_file_fits(const tl_safetensors *file, const tl_safetensors_item *wanted, long count,
                  tl_dtype_fits *dtype_fits, bool (*ignored)(const char *name), const char *shown,
                  tl_error *error);

/* Reads the wanted tensors, which must fit, to their places. All or none, unless `directly`, which needs no extra
 * memory. */
bool tl_file_fill(tl_safetensors *file, const tl_safetensors_item *wanted, long count, bool directly,
                  tl_error *error);

/* PyTorch's wrappers put a prefix before every tensor's name: "module." (DataParallel, DistributedDataParallel),
 * "_orig_mod." (torch.compile), or both. Returns the length of the prefix that all names have; 0: none. */
size_t tl_file_wrapping(const tl_safetensors *file);

#endif
