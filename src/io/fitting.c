/* Compares a file's tensors with those that are wanted. First each wanted one is looked up. If the file has more, the
 * first that is not wanted is named. Tensors that fit are read into memory of their own, and copied when nothing can
 * fail any more. */
#include "fitting.h"
#include "complain.h"
#include "dtype.h"
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

const tl_safetensors_entry *tl_file_has(const tl_safetensors *file, const char *name, tl_shape shape,
                                        const char *shown, tl_error *error) {
    char text[TL_SHOWN], here[TL_SHAPE_TEXT], there[TL_SHAPE_TEXT];
    const tl_safetensors_entry *e = tl_safetensors_find(file, name);
    if (e && tl_shape_equal(e->shape, shape)) return e;
    tl_shown(name, strlen(name), 80, text);
    tl_shape_text(shape, here);
    if (!e)
        tl_error_set(error, "%s: no tensor \"%s\", expected one of shape %s; " TL_SAME_MODEL, shown, text,
                     here);
    else
        tl_error_set(error, "%s: tensor \"%s\" has shape %s, expected %s; " TL_SAME_MODEL, shown, text,
                     tl_safetensors_shape_text(e, there), here);
    return NULL;
}

static bool check_wanted(const tl_safetensors *file, const tl_safetensors_item *item,
                         tl_dtype_fits *dtype_fits, const char *shown, tl_error *error) {
    char name[TL_SHOWN];
    const tl_safetensors_entry *e = tl_file_has(file, item->name, tl_shape_of(item->tensor), shown, error);
    return e && dtype_fits(e, shown, tl_shown(item->name, strlen(item->name), 80, name), error);
}

bool tl_file_dtype_is_real(const tl_safetensors_entry *e, const char *file, const char *name,
                           tl_error *error) {
    if (tl_dtype_is_real(e->dtype)) return true;
    return tl_error_set(error, "%s: tensor \"%s\" has dtype %s, expected F64, F32, F16 or BF16; convert it",
                        file, name, tl_dtype_name(e->dtype));
}

/* Finds the first tensor of the file that is neither wanted nor ignored; NULL if there is none. All wanted ones must be
 * in the file. False when out of memory. */
static bool find_unexpected(const tl_safetensors *file, const tl_safetensors_item *wanted, long count,
                            bool (*ignored)(const char *name), const tl_safetensors_entry **found) {
    const tl_safetensors_entry *first = tl_safetensors_at(file, 0);
    const long there = tl_safetensors_count(file);
    bool *is_wanted = calloc((size_t)there, sizeof *is_wanted);
    if (!is_wanted) return false;
    for (long i = 0; i < count; i++) is_wanted[tl_safetensors_find(file, wanted[i].name) - first] = true;
    long i = 0;
    while (i < there && (is_wanted[i] || (ignored && ignored(first[i].name)))) i++;
    free(is_wanted);
    *found = i < there ? first + i : NULL;
    return true;
}

bool tl_file_fits(const tl_safetensors *file, const tl_safetensors_item *wanted, long count,
                  tl_dtype_fits *dtype_fits, bool (*ignored)(const char *name), const char *shown,
                  tl_error *error) {
    char name[TL_SHOWN], there[TL_SHAPE_TEXT];
    for (long i = 0; i < count; i++)
        if (!check_wanted(file, &wanted[i], dtype_fits, shown, error)) return false;
    if (tl_safetensors_count(file) == count) return true; /* all wanted ones, and no more */
    const tl_safetensors_entry *e;
    if (!find_unexpected(file, wanted, count, ignored, &e))
        return tl_fail_memory(error, "checking the tensors of", shown);
    return !e ||
           tl_error_set(error, "%s: tensor \"%s\" %s has no parameter in this model; " TL_SAME_MODEL, shown,
                        tl_shown(e->name, strlen(e->name), 80, name), tl_safetensors_shape_text(e, there));
}

/* ---- reading ---- */

bool tl_file_fill(tl_safetensors *file, const tl_safetensors_item *wanted, long count, bool directly,
                  tl_error *error) {
    long numel = 0;
    for (long i = 0; i < count; i++) numel += tl_numel(wanted[i].tensor);
    tl_real *values = directly ? NULL : malloc(((size_t)numel + 1) * sizeof *values), *next = values;
    if (!directly && !values) return tl_fail_memory(error, "reading", tl_safetensors_path(file));
    bool ok = true;
    for (long i = 0; ok && i < count; i++) {
        const tl_tensor place = wanted[i].tensor;
        ok = tl_safetensors_read(file, wanted[i].name,
                                 directly ? place : tl_tensor_of(next, tl_shape_of(place)), error);
        if (!directly) next += tl_numel(place);
    }
    next = values;
    for (long i = 0; ok && !directly && i < count; i++) {
        tl_tensor_copy(wanted[i].tensor, tl_tensor_of(next, tl_shape_of(wanted[i].tensor)));
        next += tl_numel(wanted[i].tensor);
    }
    free(values);
    return ok;
}

/* ---- wrappers ---- */

/* The length of the wrapper's prefix of this name; 0: none. */
static size_t wrapper_of(const char *name) {
    static const char *const wrappers[] = {"module.", "_orig_mod."};
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (strncmp(name, wrappers[i], strlen(wrappers[i])) == 0) return strlen(wrappers[i]);
    return 0;
}

size_t tl_file_wrapping(const tl_safetensors *file) {
    const tl_safetensors_entry *first = tl_safetensors_at(file, 0);
    size_t size = 0, more;
    for (; first && (more = wrapper_of(first->name + size)) > 0; size += more)
        for (long i = 1; i < tl_safetensors_count(file); i++)
            if (strncmp(first[i].name, first->name, size + more) != 0) return size;
    return size;
}
