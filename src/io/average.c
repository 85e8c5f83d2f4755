/* The mean of several files' tensors: checkpoint averaging (Vaswani et al. 2017, 6.1). Besides the first file, whose
 * names the result has, only one is open at a time. Sums are doubles and start with the first file's numbers, so the
 * mean of one file is that file, to the bit. */
#include "complain.h"
#include "dtype.h"
#include "safetensors.h"

#include "tapeloom/io.h"

#include <stdlib.h>
#include <string.h>

/* All tensors must be of a kind that this library reads and writes without rounding. */
static bool check_kinds(const tl_safetensors *file, const char *shown, tl_error *error) {
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        bool wide = e->dtype == TL_DTYPE_F64;
        char name[TL_SHOWN];
        if (e->rank > TL_MAX_RANK)
            return tl_error_set(error, "%s: tensor \"%s\" has %d axes, expected at most %d; reshape it first",
                                shown, tl_shown(e->name, strlen(e->name), 80, name), e->rank, TL_MAX_RANK);
        if (e->dtype == TL_DTYPE_F32 || (wide && sizeof(tl_real) == 8)) continue;
        return tl_error_set(error, "%s: tensor \"%s\" has dtype %s, expected %s; %s", shown,
                            tl_shown(e->name, strlen(e->name), 80, name), tl_dtype_name(e->dtype),
                            sizeof(tl_real) == 8 ? "F64 or F32" : "F32",
                            wide ? "average it with the library built with PRECISION=double"
                                 : "convert it first");
    }
    return true;
}

/* The file must have the same tensors as the first one. */
static bool check_same(const tl_safetensors *first, const char *first_path, const tl_safetensors *file,
                       const char *shown, tl_error *error) {
    char name[TL_SHOWN], first_shown[TL_SHOWN], there[TL_SHAPE_TEXT], here[TL_SHAPE_TEXT];
    tl_shown(first_path, strlen(first_path), 80, first_shown);
    static const char advice[] = "average files of one model";
    for (long i = 0; i < tl_safetensors_count(first); i++) {
        const tl_safetensors_entry *want = tl_safetensors_at(first, i);
        const tl_safetensors_entry *e = tl_safetensors_find(file, want->name);
        tl_shown(want->name, strlen(want->name), 80, name);
        if (!e)
            return tl_error_set(error, "%s: no tensor \"%s\", which is in %s; %s", shown, name, first_shown,
                                advice);
        if (!tl_shape_equal(e->shape, want->shape))
            return tl_error_set(error, "%s: tensor \"%s\" has shape %s, in %s it has %s; %s", shown, name,
                                tl_safetensors_shape_text(e, there), first_shown,
                                tl_safetensors_shape_text(want, here), advice);
        if (e->dtype != want->dtype)
            return tl_error_set(error, "%s: tensor \"%s\" has dtype %s, in %s it has %s; %s", shown, name,
                                tl_dtype_name(e->dtype), first_shown, tl_dtype_name(want->dtype), advice);
    }
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const char *more = tl_safetensors_at(file, i)->name;
        if (tl_safetensors_find(first, more)) continue;
        return tl_error_set(error, "%s: tensor \"%s\" is not in %s; %s", shown,
                            tl_shown(more, strlen(more), 80, name), first_shown, advice);
    }
    return true;
}

typedef struct average {
    tl_safetensors *first;
    const char *first_path;
    double *sum;      /* every tensor of the first file, one after the other */
    tl_real *numbers; /* the tensors of one file; at the end the means */
    tl_safetensors_item *items;
    long count, numel;
} average;

static void average_free(average *a) {
    tl_safetensors_close(a->first);
    free(a->sum);
    free(a->numbers);
    free(a->items);
}

/* Opens the first file and takes memory for its tensors. */
static bool begin(average *a, const char *path, tl_error *error) {
    char shown[TL_SHOWN];
    a->first = tl_safetensors_open(path, error);
    if (!a->first || !check_kinds(a->first, tl_shown_path(path, shown), error)) return false;
    a->first_path = path;
    a->count = tl_safetensors_count(a->first);
    for (long i = 0; i < a->count; i++) a->numel += tl_shape_numel(tl_safetensors_at(a->first, i)->shape);
    a->sum = malloc(((size_t)a->numel + 1) * sizeof *a->sum);
    a->numbers = malloc(((size_t)a->numel + 1) * sizeof *a->numbers);
    a->items = malloc(((size_t)a->count + 1) * sizeof *a->items);
    if (!a->sum || !a->numbers || !a->items) return tl_fail_memory(error, "averaging", path);
    tl_real *next = a->numbers;
    for (long i = 0; i < a->count; i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(a->first, i);
        a->items[i] = (tl_safetensors_item){e->name, tl_tensor_of(next, e->shape), e->dtype};
        next += tl_shape_numel(e->shape);
    }
    return true;
}

static bool read_numbers(average *a, tl_safetensors *file, tl_error *error) {
    for (long i = 0; i < a->count; i++)
        if (!tl_safetensors_read(file, a->items[i].name, a->items[i].tensor, error)) return false;
    return true;
}

static bool add_file(average *a, const char *path, tl_error *error) {
    char shown[TL_SHOWN];
    tl_safetensors *file = tl_safetensors_open(path, error);
    bool ok = file && check_same(a->first, a->first_path, file, tl_shown_path(path, shown), error) &&
              read_numbers(a, file, error);
    tl_safetensors_close(file);
    for (long i = 0; ok && i < a->numel; i++) a->sum[i] += (double)a->numbers[i];
    return ok;
}

/* Computes the means into a->numbers. */
static bool take_mean(average *a, const char *const *paths, long count, tl_error *error) {
    bool ok = begin(a, paths[0], error) && read_numbers(a, a->first, error);
    for (long i = 0; ok && i < a->numel; i++) a->sum[i] = (double)a->numbers[i];
    for (long k = 1; ok && k < count; k++) ok = add_file(a, paths[k], error);
    for (long i = 0; ok && i < a->numel; i++) a->numbers[i] = (tl_real)(a->sum[i] / (double)count);
    return ok;
}

bool tl_params_average(const char *const *paths, long count, const char *out,
                       const tl_safetensors_pair *metadata, long metadata_count, tl_error *error) {
    average a = {.first = NULL};
    if (!paths || count < 1)
        return tl_error_set(error, "cannot average %ld files: expected at least one; give their paths",
                            count);
    bool ok = take_mean(&a, paths, count, error) &&
              tl_safetensors_write(out, a.items, a.count, metadata, metadata_count, error);
    average_free(&a);
    return ok;
}

/* Tensors are compared by their names: a file may hold them in another order. */
bool tl_params_average_is_saved(const char *const *paths, long count, const char *path) {
    average a = {.first = NULL};
    tl_safetensors *saved = NULL;
    tl_real *mean = NULL;
    bool same = paths && count > 0 && path && take_mean(&a, paths, count, NULL) &&
                (saved = tl_safetensors_open(path, NULL)) && check_same(a.first, paths[0], saved, path, NULL);
    const size_t bytes = (size_t)a.numel * sizeof *mean;
    same = same && (mean = malloc(bytes + 1)) != NULL;
    if (same) memcpy(mean, a.numbers, bytes);
    same = same && read_numbers(&a, saved, NULL) && memcmp(mean, a.numbers, bytes) == 0;
    free(mean);
    tl_safetensors_close(saved);
    average_free(&a);
    return same;
}
