/* The safetensors format, inside src/io.
 *
 *     8 bytes      N, little-endian
 *     N bytes      JSON, padded with spaces:
 *                  {"__metadata__": {"key": "value", …},
 *                   "name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, …}
 *     the rest     data, row-major, little-endian; offsets count from here
 *
 * The tensors' bytes follow each other without gap or overlap, and fill the rest of the file exactly. */
#ifndef TL_IO_SAFETENSORS_H
#define TL_IO_SAFETENSORS_H

#include "tapeloom/io.h"

#define TL_SAFETENSORS_HEADER_MAX 100000000u /* the reference implementation's limit */

/* The contents of a header that was checked. */
typedef struct tl_safetensors_index {
    tl_safetensors_entry *entries; /* in the order of their bytes */
    long count;
    const tl_safetensors_entry **by_name; /* sorted, for finding */
    tl_safetensors_pair *metadata;        /* sorted by key, for finding */
    long metadata_count;
} tl_safetensors_index;

/* Reads a header of `size` bytes, after which there are `data` bytes of tensors. path is for errors. The caller frees
 * *out; on failure it is empty. */
bool tl_safetensors_parse(const char *text, size_t size, uint64_t data, const char *path,
                          tl_safetensors_index *out, tl_error *error);
/* Sets an error: the file ends after `size` bytes, `but` (its header speaks of, …) more are expected. Returns false. */
bool tl_safetensors_cut_off(tl_error *error, const char *path, uint64_t size, const char *but,
                            uint64_t expected);
/* tl_shape_text for shapes of any rank: of more than TL_MAX_RANK axes only the first, and how many there are. Returns
 * text. */
char *tl_safetensors_shape_text(const tl_safetensors_entry *entry, char text[TL_SHAPE_TEXT]);
void tl_safetensors_index_free(tl_safetensors_index *index);

/* The path that the file was opened by, for errors. */
const char *tl_safetensors_path(const tl_safetensors *file);

/* Removes the first `size` bytes from every tensor's name; they must be the same in all names. */
void tl_safetensors_shorten_names(tl_safetensors *file, size_t size);

/* Maps the whole file into memory: returns *size bytes, and in *data where offsets count from. The memory is private:
 * writing to it does not change the file. NULL if this system or file system cannot do it. */
void *tl_safetensors_map(const tl_safetensors *file, size_t *size, char **data);
void tl_safetensors_unmap(void *memory, size_t size);

#endif
