/* The tensors of a safetensors file, to be renamed, left out, reshaped, and written again. */
#ifndef TL_TESTS_IO_CONTENT_H
#define TL_TESTS_IO_CONTENT_H

#include "scratch.h"

#include <tapeloom.h>

enum { MOST = 160 };
typedef struct content {
    tl_safetensors_item items[MOST];
    char names[MOST][128];
    long count;
} content;

static inline void content_add(content *c, const char *name, tl_shape shape) {
    must(c->count < MOST);
    snprintf(c->names[c->count], sizeof c->names[0], "%s", name);
    tl_real *data = calloc((size_t)tl_shape_numel(shape) + 1, sizeof *data);
    c->items[c->count] = (tl_safetensors_item){c->names[c->count], tl_tensor_of(data, shape), TL_DTYPE_REAL};
    c->count++;
}

static inline content content_of(const char *path) {
    content c = {.count = 0};
    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        content_add(&c, e->name, e->shape);
        must(tl_safetensors_read(file, e->name, c.items[i].tensor, &error));
    }
    tl_safetensors_close(file);
    return c;
}

static inline void content_write(content *c, const char *path) {
    tl_error error = {""};
    for (long i = 0; i < c->count; i++) c->items[i].name = c->names[i];
    ck_assert_msg(tl_safetensors_write(path, c->items, c->count, NULL, 0, &error), "%s", error.message);
    for (long i = 0; i < c->count; i++) free(c->items[i].tensor.data);
}

static inline long at(const content *c, const char *name) {
    for (long i = 0; i < c->count; i++)
        if (!strcmp(c->names[i], name)) return i;
    ck_abort_msg("no tensor %s", name);
}

static inline void drop(content *c, const char *beginning) {
    long kept = 0;
    for (long i = 0; i < c->count; i++) {
        if (!strncmp(c->names[i], beginning, strlen(beginning))) {
            free(c->items[i].tensor.data);
            continue;
        }
        c->items[kept] = c->items[i];
        memmove(c->names[kept++], c->names[i], sizeof c->names[0]);
    }
    must(kept < c->count);
    c->count = kept;
}

/* Gives a tensor another shape with the same elements, or an empty shape. */
static inline void reshape(content *c, const char *name, tl_shape shape) {
    const long i = at(c, name);
    must(tl_shape_numel(shape) == tl_numel(c->items[i].tensor));
    c->items[i].tensor = tl_tensor_of(c->items[i].tensor.data, shape);
}
static inline void replace(content *c, const char *name, tl_shape shape) {
    drop(c, name);
    content_add(c, name, shape);
}

#endif
