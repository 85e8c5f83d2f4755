/* A file's tensors against those that are wanted: first each wanted one is looked for; then, if the file has more,
 * the first that nobody wanted is named. */
#include "fitting.h"
#include "complain.h"
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

const tl_safetensors_entry *tl_file_has(const tl_safetensors *file, const char *name, tl_shape shape,
                                        const char *shown, tl_error *error) {
    char text[TL_SHOWN], here[TL_SHAPE_TEXT], there[TL_SHAPE_TEXT];
    const tl_safetensors_entry *e = tl_safetensors_find(file, name);
    if (e != NULL && tl_shape_equal(e->shape, shape)) return e;
    tl_shown(name, strlen(name), 80, text);
    tl_shape_text(shape, here);
    if (e == NULL)
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
    return e != NULL && dtype_fits(e, shown, tl_shown(item->name, strlen(item->name), 80, name), error);
}

/* The first of the file's tensors that is not wanted, where all that are wanted are in it; NULL when out of memory. */
static const tl_safetensors_entry *find_superfluous(const tl_safetensors *file,
                                                    const tl_safetensors_item *wanted, long count) {
    const tl_safetensors_entry *first = tl_safetensors_at(file, 0);
    long there = tl_safetensors_count(file);
    bool *is_wanted = calloc((size_t)there, sizeof *is_wanted);
    if (is_wanted == NULL) return NULL;
    for (long i = 0; i < count; i++) is_wanted[tl_safetensors_find(file, wanted[i].name) - first] = true;
    long i = 0;
    while (i + 1 < there && is_wanted[i]) i++;
    free(is_wanted);
    return first + i;
}

bool tl_file_fits(const tl_safetensors *file, const tl_safetensors_item *wanted, long count,
                  tl_dtype_fits *dtype_fits, const char *shown, tl_error *error) {
    char name[TL_SHOWN], there[TL_SHAPE_TEXT];
    for (long i = 0; i < count; i++)
        if (!check_wanted(file, &wanted[i], dtype_fits, shown, error)) return false;
    if (tl_safetensors_count(file) == count) return true; /* all of ours, and no more */
    const tl_safetensors_entry *e = find_superfluous(file, wanted, count);
    if (e == NULL) return tl_fail_memory(error, "checking the tensors of", shown);
    return tl_error_set(error, "%s: tensor \"%s\" %s has no parameter in this model; " TL_SAME_MODEL, shown,
                        tl_shown(e->name, strlen(e->name), 80, name), tl_safetensors_shape_text(e, there));
}
