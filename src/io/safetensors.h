/* The safetensors format, inside this room.
 *
 *     8 bytes      N, little-endian
 *     N bytes      JSON, padded with spaces:
 *                  {"__metadata__": {"key": "value", …},
 *                   "name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, …}
 *     the rest     data, row-major, little-endian; offsets count from here
 *
 * The tensors' bytes follow each other without hole or overlap and fill the rest of the file exactly. */
#ifndef TL_IO_SAFETENSORS_H
#define TL_IO_SAFETENSORS_H

#include "tapeloom/io.h"

#define TL_SAFETENSORS_HEADER_MAX 100000000u /* the reference implementation's limit */

typedef struct tl_safetensors_index { /* a header that was found to be right */
    tl_safetensors_entry *entries;    /* in the order of their bytes */
    long count;
    const tl_safetensors_entry **by_name; /* sorted, for finding */
    tl_safetensors_pair *metadata;        /* sorted by key, for finding */
    long metadata_count;
} tl_safetensors_index;

/* Reads a header of `size` bytes that `data` bytes of tensors follow; path is for errors. On failure *out is
 * empty; else it is the caller's to free. */
bool tl_safetensors_parse(const char *text, size_t size, uint64_t data, const char *path,
                          tl_safetensors_index *out, tl_error *error);
/* The file ends after `size` bytes, `but` (its header speaks of, …) more are expected. Returns false. */
bool tl_safetensors_cut_off(tl_error *error, const char *path, uint64_t size, const char *but,
                            uint64_t expected);
/* tl_shape_text for shapes of any rank: of more than TL_MAX_RANK axes the first ones, and how many there are. Returns text. */
char *tl_safetensors_shape_text(const tl_safetensors_entry *entry, char text[TL_SHAPE_TEXT]);
void tl_safetensors_index_free(tl_safetensors_index *index);

const char *tl_safetensors_path(const tl_safetensors *file); /* as it was opened, for errors */

/* From now on every tensor's name begins `size` bytes later, which are the same in all of them. */
void tl_safetensors_shorten_names(tl_safetensors *file, size_t size);

/* The whole file in memory, *size bytes, and in *data where offsets count from. The memory is this process' own: what is
 * written to it does not reach the file. NULL if this system or this file's does not do that. */
void *tl_safetensors_map(const tl_safetensors *file, size_t *size, char **data);
void tl_safetensors_unmap(void *memory, size_t size);

#endif
