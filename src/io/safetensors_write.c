/* Writing a safetensors file, byte for byte as the reference implementation does: the widest dtype first (so that every
 * tensor is aligned), then by name; a header without unnecessary spaces, padded with spaces to a multiple of 8. */
#include "atomic_file.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/names.h"
#include "base/utf8.h"
#include "complain.h"
#include "dtype.h"
#include "elements.h"
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

static int writing_order(const void *a, const void *b) {
    const tl_safetensors_item *x = *(const tl_safetensors_item *const *)a,
                              *y = *(const tl_safetensors_item *const *)b;
    int wide_x = tl_dtype_size(x->dtype), wide_y = tl_dtype_size(y->dtype);
    return wide_x != wide_y ? wide_y - wide_x : strcmp(x->name, y->name);
}

/* A text for the header must not be NULL and must be valid UTF-8. `what` it is, for the error. */
static bool check_text(const char *text, const char *what, const char *path, tl_error *error) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    if (!text) return tl_error_set(error, "%s: %s is NULL; give a text", tl_shown_path(path, file), what);
    if (tl_utf8_valid(text, strlen(text)) == strlen(text)) return true;
    return tl_error_set(error, "%s: %s \"%s\" is not valid UTF-8; choose another", tl_shown_path(path, file),
                        what, tl_shown(text, strlen(text), 80, shown));
}

static bool check_item(const tl_safetensors_item *item, const char *path, tl_error *error) {
    char file[TL_SHOWN], name[TL_SHOWN];
    if (!check_text(item->name, "a tensor's name", path, error)) return false;
    tl_shown_path(path, file);
    tl_shown(item->name, strlen(item->name), 80, name);
    if (strcmp(item->name, "__metadata__") == 0)
        return tl_error_set(
            error,
            "%s: no tensor can be named __metadata__, which the format reserves; choose another "
            "name",
            file);
    const long numel = tl_shape_numel(tl_shape_of(item->tensor));
    char shape[TL_SHAPE_TEXT];
    if (numel < 0)
        return tl_error_set(error, "%s: tensor \"%s\": no tensor has the shape %s", file, name,
                            tl_shape_text(tl_shape_of(item->tensor), shape));
    if (!item->tensor.data && numel > 0)
        return tl_error_set(error, "%s: tensor \"%s\" has no data; save it after it was made", file, name);
    tl_dtype dtype = tl_dtype_resolve(item->dtype);
    if (dtype != TL_DTYPE_F32 && dtype != TL_DTYPE_F64)
        return tl_error_set(error, "%s: tensor \"%s\" shall be written as %s; expected F32 or F64", file,
                            name, tl_dtype_name(dtype));
    return true;
}

static bool fail_twice(const char *what, const char *name, const char *path, tl_error *error) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    return tl_error_set(error, "%s: two %s are named \"%s\"; choose distinct names",
                        tl_shown_path(path, file), what, tl_shown(name, strlen(name), 80, shown));
}

static void add_metadata(tl_buffer *b, const tl_safetensors_pair *metadata, long count) {
    tl_buffer_text(b, "\"__metadata__\":{");
    for (long i = 0; i < count; i++) {
        if (i > 0) tl_buffer_text(b, ",");
        tl_json_add_string(b, metadata[i].key);
        tl_buffer_text(b, ":");
        tl_json_add_string(b, metadata[i].value);
    }
    tl_buffer_text(b, "}");
}

static void add_item(tl_buffer *b, const tl_safetensors_item *item, uint64_t *offset) {
    uint64_t bytes = (uint64_t)tl_numel(item->tensor) * (uint64_t)tl_dtype_size(item->dtype);
    tl_json_add_string(b, item->name);
    tl_buffer_format(b, ":{\"dtype\":\"%s\",\"shape\":[", tl_dtype_name(item->dtype));
    for (int i = 0; i < item->tensor.rank; i++)
        tl_buffer_format(b, "%s%ld", i > 0 ? "," : "", item->tensor.dim[i]);
    tl_buffer_format(b, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)*offset,
                     (unsigned long long)(*offset + bytes));
    *offset += bytes;
}

/* Writes the 8 bytes of the header's length, and the header, into an empty buffer. */
static bool make_header(tl_buffer *b, const tl_safetensors_item **order, long count,
                        const tl_safetensors_pair *metadata, long metadata_count) {
    uint64_t offset = 0;
    tl_buffer_add(b, "\0\0\0\0\0\0\0", 8);
    tl_buffer_text(b, "{");
    if (metadata_count > 0) add_metadata(b, metadata, metadata_count);
    for (long i = 0; i < count; i++) {
        if (i > 0 || metadata_count > 0) tl_buffer_text(b, ",");
        add_item(b, order[i], &offset);
    }
    tl_buffer_text(b, "}");
    while (!b->failed && b->size % 8 != 0) tl_buffer_text(b, " ");
    if (b->failed) return false;
    for (int i = 0; i < 8; i++) b->text[i] = (char)((uint64_t)(b->size - 8) >> 8 * i & 0xFF);
    return true;
}

static void add_data(tl_atomic_file *f, const tl_safetensors_item *item) {
    tl_real block[1024];
    unsigned char bytes[sizeof block / sizeof *block * 8];
    long count = tl_numel(item->tensor), room = (long)(sizeof block / sizeof *block);
    for (long first = 0; first < count; first += room) {
        long n = count - first < room ? count - first : room;
        tl_elements_get(item->tensor, first, n, block);
        tl_dtype_encode(item->dtype, block, n, bytes);
        if (!tl_atomic_add(f, bytes, (size_t)(n * tl_dtype_size(item->dtype)))) return;
    }
}

static bool check_array(const void *array, long count, const char *what, const char *path, tl_error *error) {
    char file[TL_SHOWN];
    if (count >= 0 && (array || count == 0)) return true;
    return tl_error_set(error, "%s: %ld %s%s; give them, or say 0", tl_shown_path(path, file), count, what,
                        count > 0 ? " at NULL" : "");
}

static bool check_all(const char *path, const tl_safetensors_item *items, long count,
                      const tl_safetensors_pair *metadata, long metadata_count, tl_error *error) {
    if (!check_array(items, count, "tensors", path, error) ||
        !check_array(metadata, metadata_count, "lines of metadata", path, error))
        return false;
    for (long i = 0; i < count; i++)
        if (!check_item(&items[i], path, error)) return false;
    tl_names keys = {0};
    bool ok = true;
    for (long i = 0; ok && i < metadata_count; i++) {
        ok = check_text(metadata[i].key, "a metadata key", path, error) &&
             check_text(metadata[i].value, "a metadata value", path, error);
        if (ok && tl_names_find(&keys, metadata[i].key) >= 0)
            ok = fail_twice("metadata keys", metadata[i].key, path, error);
        if (ok && !tl_names_add(&keys, metadata[i].key, i)) ok = tl_fail_memory(error, "writing", path);
    }
    tl_names_free(&keys);
    return ok;
}

static int name_order(const void *a, const void *b) {
    return strcmp((*(const tl_safetensors_item *const *)a)->name,
                  (*(const tl_safetensors_item *const *)b)->name);
}

bool tl_safetensors_write(const char *path, const tl_safetensors_item *items, long count,
                          const tl_safetensors_pair *metadata, long metadata_count, tl_error *error) {
    if (!check_all(path, items, count, metadata, metadata_count, error)) return false;
    const tl_safetensors_item **order = malloc((size_t)(count + 1) * sizeof *order);
    tl_buffer header = {0};
    bool ok = order != NULL;
    for (long i = 0; ok && i < count; i++) order[i] = &items[i];
    if (ok && count > 0) qsort(order, (size_t)count, sizeof *order, name_order);
    for (long i = 1; ok && i < count; i++)
        if (strcmp(order[i - 1]->name, order[i]->name) == 0)
            ok = fail_twice("tensors", order[i]->name, path, error);
    if (ok && count > 0) qsort(order, (size_t)count, sizeof *order, writing_order);
    if (!order || (ok && !make_header(&header, order, count, metadata, metadata_count)))
        ok = tl_fail_memory(error, "writing", path);
    if (ok && header.size - 8 > TL_SAFETENSORS_HEADER_MAX) {
        char file[TL_SHOWN];
        ok = tl_error_set(error,
                          "%s: names and metadata take %zu bytes, expected at most %u; shorten the metadata",
                          tl_shown_path(path, file), header.size - 8, TL_SAFETENSORS_HEADER_MAX);
    }
    if (ok) {
        tl_atomic_file f;
        tl_atomic_open(&f, path, error);
        tl_atomic_add(&f, header.text, header.size);
        for (long i = 0; i < count; i++) add_data(&f, order[i]);
        ok = tl_atomic_commit(&f);
    }
    tl_buffer_free(&header);
    free(order);
    return ok;
}
