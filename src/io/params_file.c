/* Parameters as a safetensors file: names and shapes are the parameters' own, which are
 * torch.nn.Transformer's, so the file is a state_dict. Loading checks everything first, reads into memory
 * beside the parameters, and copies at the end, where nothing can fail any more; into a set that is still empty it
 * reads directly. Mapping reads nothing: the file's pages become the values. */
#include "complain.h"
#include "dtype.h"
#include "fitting.h"
#include "safetensors.h"

#include "tapeloom/io.h"
#include "nn/params.h"

#include <stdlib.h>
#include <string.h>

/* The parameters as a file's tensors, for the caller to free; NULL when out of memory. */
static tl_safetensors_item *list_items(const tl_params *params) {
    int count = tl_params_count(params);
    tl_safetensors_item *items = malloc((size_t)(count + 1) * sizeof *items);
    for (int i = 0; items != NULL && i < count; i++) {
        const tl_param *p = tl_params_at(params, i);
        items[i] = (tl_safetensors_item){p->leaf.name, p->leaf.value, TL_DTYPE_REAL};
    }
    return items;
}

bool tl_params_save(const tl_params *params, const char *path, const tl_safetensors_pair *metadata,
                    long metadata_count, tl_error *error) {
    char file[TL_SHOWN];
    if (tl_params_error(params) != NULL)
        return tl_error_set(error, "%s: not written: %s", tl_shown_path(path, file), tl_params_error(params));
    tl_safetensors_item *items = list_items(params);
    if (items == NULL) return tl_fail_memory(error, "writing", path);
    bool ok = tl_safetensors_write(path, items, tl_params_count(params), metadata, metadata_count, error);
    free(items);
    return ok;
}

static bool is_readable(const tl_safetensors_entry *e, const char *file, const char *name, tl_error *error) {
    if (tl_dtype_is_real(e->dtype)) return true;
    return tl_error_set(error, "%s: tensor \"%s\" has dtype %s, expected F64, F32, F16 or BF16; convert it",
                        file, name, tl_dtype_name(e->dtype));
}

/* The very bits that this library computes with. */
static bool is_native(const tl_safetensors_entry *e, const char *file, const char *name, tl_error *error) {
    return tl_dtype_is_native(e->dtype) ||
           tl_error_set(error, "%s: tensor \"%s\" has dtype %s", file, name, tl_dtype_name(e->dtype));
}

/* Reads all parameters one behind the other into `values`, or with NULL to their own places. */
static bool read_values(const tl_params *params, tl_safetensors *file, tl_real *values, tl_error *error) {
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        tl_tensor to = tl_param_value(p);
        if (values != NULL) to = tl_tensor_of(values, tl_shape_of(to)), values += tl_numel(to);
        if (!tl_safetensors_read(file, p->leaf.name, to, error)) return false;
    }
    return true;
}

static bool read_aside(tl_params *params, tl_safetensors *file, const char *path, tl_error *error) {
    tl_real *values = malloc((size_t)(tl_params_numel(params) + 1) * sizeof *values);
    if (values == NULL) return tl_fail_memory(error, "reading", path);
    const bool ok = read_values(params, file, values, error);
    const tl_real *next = values;
    for (int i = 0; ok && i < tl_params_count(params); i++) {
        tl_tensor value = tl_param_value(tl_params_at(params, i)); /* contiguous */
        memcpy(value.data, next, (size_t)tl_numel(value) * sizeof *next);
        next += tl_numel(value);
    }
    free(values);
    return ok;
}

/* A file whose tensors are these parameters; NULL, and an error, if there is none. */
static tl_safetensors *open_fitting(const tl_params *params, const char *path, tl_dtype_fits *dtype_fits,
                                    tl_error *error) {
    char shown[TL_SHOWN];
    tl_shown_path(path, shown);
    if (tl_params_error(params) != NULL) {
        tl_error_set(error, "%s: not read: %s", shown, tl_params_error(params));
        return NULL;
    }
    tl_safetensors *file = tl_safetensors_open(path, error);
    if (file == NULL) return NULL;
    tl_safetensors_item *items = list_items(params);
    bool fits = items != NULL ? tl_file_fits(file, items, tl_params_count(params), dtype_fits, shown, error)
                              : tl_fail_memory(error, "reading", path);
    free(items);
    if (fits) return file;
    tl_safetensors_close(file);
    return NULL;
}

/* ---- a file that bounds a model ---- */

typedef struct expected {
    const tl_safetensors *file;
    const char *prefix;
} expected;

static bool is_expected(void *context, const char *name, tl_shape shape, tl_error *error) {
    const expected *e = context;
    char shown[TL_SHOWN], full[512];
    const int size = snprintf(full, sizeof full, "%s%s", e->prefix, name);
    tl_shown_path(tl_safetensors_path(e->file), shown);
    if (size < 0 || (size_t)size >= sizeof full)
        return tl_error_set(error, "%s: a parameter's name has %d bytes, expected fewer than %zu", shown,
                            size, sizeof full);
    return tl_file_has(e->file, full, shape, shown, error) != NULL;
}

bool tl_params_expect(tl_params *params, const tl_safetensors *file, const char *prefix) {
    if (file == NULL)
        return tl_params_fail(params, "params: the file of the weights is not open; open it first");
    expected *e = tl_params_memory(params, sizeof *e);
    const char *copy = tl_params_text(params, "%s", prefix == NULL ? "" : prefix);
    if (e == NULL || tl_params_error(params) != NULL) return false;
    *e = (expected){file, copy};
    tl_params_set_guard(params, is_expected, e);
    return true;
}

/* ---- reading ---- */

static bool read_all(tl_params *params, tl_safetensors *file, const char *path, tl_error *error) {
    if (!(tl_params_empty(params) ? read_values(params, file, NULL, error)
                                  : read_aside(params, file, path, error)))
        return false;
    tl_params_changed(params);
    return true;
}

bool tl_params_load(tl_params *params, const char *path, tl_error *error) {
    tl_safetensors *file = open_fitting(params, path, is_readable, error);
    const bool ok = file != NULL && read_all(params, file, path, error);
    tl_safetensors_close(file);
    return ok;
}

/* Where each parameter's value lies in the mapped file; false if it is of another dtype, or lies askew. */
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
    void *memory = values != NULL ? tl_safetensors_map(file, &size, &data) : NULL;
    const bool ok = memory != NULL && find_values(params, file, data, values);
    if (ok)
        tl_params_place(params, values, memory, size, tl_safetensors_unmap);
    else if (memory != NULL)
        tl_safetensors_unmap(memory, size);
    free(values);
    return ok;
}

bool tl_params_map(tl_params *params, const char *path, tl_error *error) {
    tl_safetensors *file = open_fitting(params, path, is_readable, error);
    const bool ok = file != NULL && (map_values(params, file) || read_all(params, file, path, error));
    tl_safetensors_close(file);
    return ok;
}

bool tl_params_are_saved(const tl_params *params, const char *path) {
    tl_safetensors *file = NULL;
    tl_real *values = malloc((size_t)(tl_params_numel(params) + 1) * sizeof *values);
    if (values != NULL) file = open_fitting(params, path, is_native, NULL);
    bool same = file != NULL && read_values(params, file, values, NULL);
    const tl_real *next = values;
    for (int i = 0; same && i < tl_params_count(params); i++) {
        const tl_tensor value = tl_param_value(tl_params_at(params, i)); /* contiguous */
        same = memcmp(value.data, next, (size_t)tl_numel(value) * sizeof *next) == 0;
        next += tl_numel(value);
    }
    tl_safetensors_close(file);
    free(values);
    return same;
}
