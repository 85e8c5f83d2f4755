/* Parameters as a safetensors file. Names and shapes are the parameters' own, which are torch.nn.Transformer's, so the
 * file is a state_dict. Loading checks everything first, reads into memory of its own, and copies at the end, when
 * nothing can fail any more; an empty set is read directly. Mapping reads nothing: the file's pages become the values.
 * The prefix of a PyTorch wrapper is removed from all names. */
#include "complain.h"
#include "dtype.h"
#include "fitting.h"
#include "safetensors.h"

#include "tapeloom/io.h"
#include "nn/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parameters as tensors of a file; the caller frees the list. NULL when out of memory. */
static tl_safetensors_item *list_items(const tl_params *params) {
    int count = tl_params_count(params);
    tl_safetensors_item *items = malloc((size_t)(count + 1) * sizeof *items);
    for (int i = 0; items && i < count; i++) {
        const tl_param *p = tl_params_at(params, i);
        items[i] = (tl_safetensors_item){p->leaf.name, p->leaf.value, TL_DTYPE_REAL};
    }
    return items;
}

bool tl_params_save(const tl_params *params, const char *path, const tl_safetensors_pair *metadata,
                    long metadata_count, tl_error *error) {
    char file[TL_SHOWN];
    if (tl_params_error(params))
        return tl_error_set(error, "%s: not written: %s", tl_shown_path(path, file), tl_params_error(params));
    tl_safetensors_item *items = list_items(params);
    if (!items) return tl_fail_memory(error, "writing", path);
    bool ok = tl_safetensors_write(path, items, tl_params_count(params), metadata, metadata_count, error);
    free(items);
    return ok;
}

/* The dtype must be that of tl_real, to the bit. */
static bool is_native(const tl_safetensors_entry *e, const char *file, const char *name, tl_error *error) {
    return tl_dtype_is_native(e->dtype) ||
           tl_error_set(error, "%s: tensor \"%s\" has dtype %s", file, name, tl_dtype_name(e->dtype));
}

/* Removes a wrapper's prefix from the file's names, unless the parameters' own names have it. */
static void unwrap(const tl_params *params, tl_safetensors *file) {
    const tl_param *first = tl_params_at(params, 0);
    if (first && !tl_safetensors_find(file, first->leaf.name))
        tl_safetensors_shorten_names(file, tl_file_wrapping(file));
}

/* Opens a file whose tensors are these parameters. If they are not, returns NULL, with an error. wrapped: a wrapper's
 * prefix is allowed, and is removed. */
static tl_safetensors *open_fitting(const tl_params *params, const char *path, tl_dtype_fits *dtype_fits,
                                    bool wrapped, tl_error *error) {
    char shown[TL_SHOWN];
    tl_shown_path(path, shown);
    if (tl_params_error(params)) {
        tl_error_set(error, "%s: not read: %s", shown, tl_params_error(params));
        return NULL;
    }
    tl_safetensors *file = tl_safetensors_open(path, error);
    if (!file) return NULL;
    if (wrapped) unwrap(params, file);
    tl_safetensors_item *items = list_items(params);
    bool fits = items ? tl_file_fits(file, items, tl_params_count(params), dtype_fits, NULL, shown, error)
                      : tl_fail_memory(error, "reading", path);
    free(items);
    if (fits) return file;
    tl_safetensors_close(file);
    return NULL;
}

/* ---- a file that limits a model ---- */

typedef struct expected {
    const tl_safetensors *file;
    const char *prefix;
    int wrapping;         /* its length */
    char shown[TL_SHOWN]; /* the file's path */
} expected;

static bool is_expected(void *context, const char *name, tl_shape shape, tl_error *error) {
    const expected *e = context;
    char full[512];
    const char *wrapping = tl_safetensors_count(e->file) > 0 ? tl_safetensors_at(e->file, 0)->name : "";
    const int size = snprintf(full, sizeof full, "%.*s%s%s", e->wrapping, wrapping, e->prefix, name);
    if (size < 0 || (size_t)size >= sizeof full)
        return tl_error_set(error, "%s: a parameter's name has %d bytes, expected fewer than %zu", e->shown,
                            size, sizeof full);
    const bool as_it_is = tl_safetensors_find(e->file, full + e->wrapping) != NULL;
    return tl_file_has(e->file, as_it_is ? full + e->wrapping : full, shape, e->shown, error) != NULL;
}

bool tl_params_expect(tl_params *params, const tl_safetensors *file, const char *prefix) {
    if (!file) return tl_params_fail(params, "params: the file of the weights is not open; open it first");
    expected *e = tl_params_memory(params, sizeof *e);
    const char *copy = tl_params_text(params, "%s", prefix ? prefix : "");
    if (!e || tl_params_error(params)) return false;
    const size_t wrapping = tl_file_wrapping(file);
    *e = (expected){.file = file, .prefix = copy, .wrapping = wrapping < 512 ? (int)wrapping : 0};
    tl_shown_path(tl_safetensors_path(file), e->shown);
    tl_params_set_guard(params, is_expected, e);
    return true;
}

/* ---- reading ---- */

static bool read_all(tl_params *params, tl_safetensors *file, const char *path, tl_error *error) {
    tl_safetensors_item *items = list_items(params);
    const bool ok = items ? tl_file_fill(file, items, tl_params_count(params), tl_params_empty(params), error)
                          : tl_fail_memory(error, "reading", path);
    free(items);
    if (ok) tl_params_changed(params);
    return ok;
}

bool tl_params_load(tl_params *params, const char *path, tl_error *error) {
    tl_safetensors *file = open_fitting(params, path, tl_file_dtype_is_real, true, error);
    const bool ok = file && read_all(params, file, path, error);
    tl_safetensors_close(file);
    return ok;
}

/* Where each parameter's value is in the mapped file. False if a tensor has another dtype, or is not aligned. */
static bool find_values(const tl_params *params, const tl_safetensors *file, char *data, tl_real **values) {
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_safetensors_entry *e = tl_safetensors_find(file, tl_params_at(params, i)->leaf.name);
        char *at = data + e->begin;
        if (!tl_dtype_is_native(e->dtype) || (uintptr_t)at % sizeof(tl_real) != 0) return false;
        values[i] = (tl_real *)(void *)at;
    }
    return true;
}

static bool map_values(tl_params *params, const tl_safetensors *file) {
    size_t size;
    char *data;
    tl_real **values = malloc((size_t)(tl_params_count(params) + 1) * sizeof *values);
    void *memory = values ? tl_safetensors_map(file, &size, &data) : NULL;
    const bool ok = memory && find_values(params, file, data, values);
    if (ok)
        tl_params_place(params, values, memory, size, tl_safetensors_unmap);
    else if (memory)
        tl_safetensors_unmap(memory, size);
    free(values);
    return ok;
}

bool tl_params_map(tl_params *params, const char *path, tl_error *error) {
    tl_safetensors *file = open_fitting(params, path, tl_file_dtype_is_real, true, error);
    const bool ok = file && (map_values(params, file) || read_all(params, file, path, error));
    tl_safetensors_close(file);
    return ok;
}

bool tl_params_are_saved(const tl_params *params, const char *path) {
    const int count = tl_params_count(params);
    tl_safetensors *file = open_fitting(params, path, is_native, false, NULL);
    tl_safetensors_item *items = file ? list_items(params) : NULL;
    tl_real *values = malloc((size_t)(tl_params_numel(params) + 1) * sizeof *values), *next = values;
    bool same = items && values;
    for (int i = 0; same && i < count; i++) {
        items[i].tensor.data = next; /* contiguous */
        next += tl_numel(items[i].tensor);
    }
    same = same && tl_file_fill(file, items, count, true, NULL);
    for (int i = 0; same && i < count; i++)
        same = memcmp(items[i].tensor.data, tl_param_value(tl_params_at(params, i)).data,
                      (size_t)tl_numel(items[i].tensor) * sizeof *values) == 0;
    tl_safetensors_close(file);
    free(items);
    free(values);
    return same;
}
