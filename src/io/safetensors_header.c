/* Reading a safetensors header. The result is checked: names are distinct, every entry has exactly the bytes that its
 * shape and dtype need, and together the entries cover the data once. So readers need no further checks. */
#include "base/json.h"
#include "base/memory.h"
#include "complain.h"
#include "dtype.h"
#include "safetensors.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The header that is being read. */
typedef struct header {
    tl_json json;
    tl_safetensors_index index;
    size_t entries_room, metadata_room;
} header;

static bool fail_memory(const header *h) {
    return tl_fail_memory(h->json.error, "reading the header of", h->json.path);
}

static bool read_metadata(header *h) {
    tl_json *r = &h->json;
    if (!tl_json_expect(r, '{', "'{' (metadata is an object of texts)")) return false;
    if (tl_json_next(r, '}')) return true;
    do {
        tl_safetensors_index *x = &h->index;
        if (!TL_RESERVE(x->metadata, h->metadata_room, (size_t)x->metadata_count + 1)) return fail_memory(h);
        char *key, *value;
        if (!tl_json_string(r, &key)) return false;
        if (!tl_json_expect(r, ':', "':' after a key") || !tl_json_string(r, &value)) {
            free(key);
            return false;
        }
        x->metadata[x->metadata_count++] = (tl_safetensors_pair){key, value};
    } while (tl_json_next(r, ','));
    return tl_json_expect(r, '}', "',' or '}' in the metadata");
}

static bool read_dtype(tl_json *r, tl_dtype *out) {
    char *name, shown[TL_SHOWN], path[TL_SHOWN];
    size_t at = r->at;
    if (!tl_json_string(r, &name)) return false;
    bool known = tl_dtype_find(name, out);
    if (!known) /* damage, or a later version of the format; without its size nothing more can be checked */
        tl_error_set(
            r->error,
            "%s: byte %zu: unknown dtype \"%s\"; expected F32, F64 or another of the format's; convert "
            "the file, fetch it again, or use a newer release of Tapeloom",
            tl_shown_path(r->path, path), r->base + at, tl_shown(name, strlen(name), 20, shown));
    free(name);
    return known;
}

/* Reads any number of axes; a shape that fits tl_shape is in e->shape too. */
static bool read_shape(tl_json *r, tl_safetensors_entry *e) {
    size_t room = 0;
    long *dim = NULL;
    if (!tl_json_expect(r, '[', "'[' (a shape)")) return false;
    if (tl_json_next(r, ']')) return true;
    do {
        size_t at = r->at;
        uint64_t size;
        if (!tl_json_whole(r, &size)) return false;
        if (size > LONG_MAX) return tl_json_fail(r, at, "an axis is too long");
        if (e->rank == INT_MAX) return tl_json_fail(r, at, "a shape has too many axes");
        if (!TL_RESERVE(dim, room, (size_t)e->rank + 1))
            return tl_fail_memory(r->error, "reading the header of", r->path);
        e->dim = dim;
        dim[e->rank++] = (long)size;
    } while (tl_json_next(r, ','));
    e->shape.rank = e->rank <= TL_MAX_RANK ? e->rank : -1;
    for (int i = 0; i < e->shape.rank; i++) e->shape.dim[i] = dim[i];
    return tl_json_expect(r, ']', "',' or ']' in a shape");
}

static bool read_offsets(tl_json *r, tl_safetensors_entry *e) {
    return tl_json_expect(r, '[', "'[' (two offsets)") && tl_json_whole(r, &e->begin) &&
           tl_json_expect(r, ',', "',' between two offsets") && tl_json_whole(r, &e->end) &&
           tl_json_expect(r, ']', "']' after two offsets");
}

/* Reads {"dtype": …, "shape": …, "data_offsets": …}, in any order, each once, and nothing else. */
static bool read_entry(tl_json *r, tl_safetensors_entry *e) {
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    size_t start = r->at;
    unsigned seen = 0;
    if (!tl_json_expect(r, '{', "'{' (a tensor's description)")) return false;
    if (!tl_json_next(r, '}')) {
        do {
            char *key, shown[TL_SHOWN];
            size_t at = r->at;
            if (!tl_json_string(r, &key)) return false;
            int which = 0;
            while (which < 3 && strcmp(key, keys[which]) != 0) which++;
            bool ok = which < 3 && !(seen & 1u << which);
            if (!ok)
                tl_json_fail(
                    r, at, "%s key \"%s\" in a tensor's description; expected dtype, shape and data_offsets",
                    which < 3 ? "repeated" : "unknown", tl_shown(key, strlen(key), 40, shown));
            free(key);
            if (!ok || !tl_json_expect(r, ':', "':' after a key")) return false;
            seen |= 1u << which;
            ok = which == 0 ? read_dtype(r, &e->dtype) : which == 1 ? read_shape(r, e) : read_offsets(r, e);
            if (!ok) return false;
        } while (tl_json_next(r, ','));
        if (!tl_json_expect(r, '}', "',' or '}' in a tensor's description")) return false;
    }
    for (int i = 0; i < 3; i++)
        if (!(seen & 1u << i)) return tl_json_fail(r, start, "a tensor's description has no \"%s\"", keys[i]);
    return true;
}

/* The bytes that a shape needs. False if they cannot be counted in a long, or if the last byte is not full. The other
 * axes are checked even if one has size 0: multiplying the sizes in any order must not overflow. */
static bool bytes_of(const tl_safetensors_entry *e, uint64_t *out) {
    const uint64_t bits = (uint64_t)tl_dtype_bits(e->dtype);
    uint64_t numel = 1;
    bool none = false;
    for (int i = 0; i < e->rank; i++) {
        uint64_t size = (uint64_t)e->dim[i];
        none |= size == 0;
        if (size == 0) continue;
        if (numel > (uint64_t)LONG_MAX / size) return false;
        numel *= size;
    }
    if (numel / 8 > (uint64_t)LONG_MAX / bits) return false;
    *out = none ? 0 : numel / 8 * bits + numel % 8 * bits / 8;
    return none || numel % 8 * bits % 8 == 0;
}

char *tl_safetensors_shape_text(const tl_safetensors_entry *e, char text[TL_SHAPE_TEXT]) {
    if (e->rank <= TL_MAX_RANK) return tl_shape_text(e->shape, text);
    tl_shape first = {TL_MAX_RANK, {0}};
    char axes[TL_SHAPE_TEXT];
    for (int i = 0; i < TL_MAX_RANK; i++) first.dim[i] = e->dim[i];
    tl_shape_text(first, axes);
    axes[strlen(axes) - 1] = 0;
    snprintf(text, TL_SHAPE_TEXT, "%.*s,…] (%d axes)", TL_SHAPE_TEXT - 32, axes, e->rank);
    return text;
}

static bool check_entry(const tl_json *r, const tl_safetensors_entry *e, size_t at, uint64_t data) {
    char name[TL_SHOWN], shape[TL_SHAPE_TEXT];
    uint64_t need;
    tl_shown(e->name, strlen(e->name), 80, name);
    if (!bytes_of(e, &need))
        return tl_json_fail(r, at, "\"%s\": shape %s of %s is too large, or fills no whole bytes", name,
                            tl_safetensors_shape_text(e, shape), tl_dtype_name(e->dtype));
    bool fits = e->end - e->begin == need;
    /* otherwise the file was cut off */
    if (e->begin > e->end || e->end > LONG_MAX || (e->end > data && !fits))
        return tl_json_fail(
            r, at, "\"%s\": data_offsets [%llu,%llu], expected them within [0,%llu], the file's data", name,
            (unsigned long long)e->begin, (unsigned long long)e->end, (unsigned long long)data);
    if (!fits)
        return tl_json_fail(
            r, at, "\"%s\": data_offsets [%llu,%llu] are %llu bytes, expected %llu for %s of %s", name,
            (unsigned long long)e->begin, (unsigned long long)e->end, (unsigned long long)(e->end - e->begin),
            (unsigned long long)need, tl_safetensors_shape_text(e, shape), tl_dtype_name(e->dtype));
    return true;
}

static bool read_header(header *h, uint64_t data) {
    tl_json *r = &h->json;
    tl_safetensors_index *x = &h->index;
    bool metadata_seen = false;
    /* The reference implementation requires '{' as the first byte, so that the format is recognised. */
    if (r->size == 0 || r->text[0] != '{') return tl_json_fail(r, 0, "expected '{', the start of a header");
    tl_json_next(r, '{');
    if (tl_json_next(r, '}')) return tl_json_end(r);
    do {
        if (!TL_RESERVE(x->entries, h->entries_room, (size_t)x->count + 1)) return fail_memory(h);
        char *name;
        size_t at = r->at;
        if (!tl_json_string(r, &name)) return false;
        bool metadata = strcmp(name, "__metadata__") == 0;
        if (metadata) {
            free(name);
            if (metadata_seen) return tl_json_fail(r, at, "__metadata__ appears twice");
            metadata_seen = true;
            if (!tl_json_expect(r, ':', "':' after __metadata__") || !read_metadata(h)) return false;
            continue;
        }
        tl_safetensors_entry *e = &x->entries[x->count++];
        *e = (tl_safetensors_entry){.name = name};
        if (!tl_json_expect(r, ':', "':' after a name") || !read_entry(r, e) || !check_entry(r, e, at, data))
            return false;
    } while (tl_json_next(r, ','));
    return tl_json_expect(r, '}', "',' or '}' after a tensor") && tl_json_end(r);
}

static int by_place(const void *a, const void *b) {
    const tl_safetensors_entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(const tl_safetensors_entry *const *)a)->name,
                  (*(const tl_safetensors_entry *const *)b)->name);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const tl_safetensors_pair *)a)->key, ((const tl_safetensors_pair *)b)->key);
}

/* Sorts, then compares neighbours: data without gap or overlap, names and keys without repetition. */
static bool check_together(header *h, uint64_t data) {
    tl_safetensors_index *x = &h->index;
    const char *path = h->json.path;
    char file[TL_SHOWN], name[TL_SHOWN];
    uint64_t at = 0;
    tl_shown_path(path, file);
    x->by_name = malloc((size_t)(x->count + 1) * sizeof *x->by_name);
    if (!x->by_name) return tl_fail_memory(h->json.error, "reading the header of", path);
    if (x->count > 0) qsort(x->entries, (size_t)x->count, sizeof *x->entries, by_place);
    if (x->metadata_count > 0) qsort(x->metadata, (size_t)x->metadata_count, sizeof *x->metadata, by_key);
    for (long i = 0; i < x->count; i++) {
        const tl_safetensors_entry *e = x->by_name[i] = &x->entries[i];
        if (e->begin != at)
            return tl_error_set(h->json.error,
                                "%s: the data of \"%s\" begins at %llu, expected %llu: tensors %s; the "
                                "header is damaged: make or fetch the file again",
                                file, tl_shown(e->name, strlen(e->name), 80, name),
                                (unsigned long long)e->begin, (unsigned long long)at,
                                e->begin < at ? "overlap" : "leave a hole");
        at = e->end;
    }
    if (at > data) {
        uint64_t before = 8 + (uint64_t)h->json.size;
        return tl_safetensors_cut_off(h->json.error, path, before + data, "its header speaks of",
                                      before + at);
    }
    if (at < data)
        return tl_error_set(h->json.error,
                            "%s: %llu bytes of data, expected %llu by the header; the file is damaged: "
                            "make or fetch it again",
                            file, (unsigned long long)data, (unsigned long long)at);
    if (x->count > 0) qsort(x->by_name, (size_t)x->count, sizeof *x->by_name, by_name);
    const char *twice = NULL;
    for (long i = 1; i < x->count; i++)
        if (strcmp(x->by_name[i - 1]->name, x->by_name[i]->name) == 0) twice = x->by_name[i]->name;
    for (long i = 1; i < x->metadata_count; i++)
        if (strcmp(x->metadata[i - 1].key, x->metadata[i].key) == 0) twice = x->metadata[i].key;
    if (twice)
        return tl_error_set(h->json.error,
                            "%s: the name \"%s\" appears twice in the header; names must be distinct: "
                            "make or fetch the file again",
                            file, tl_shown(twice, strlen(twice), 80, name));
    return true;
}

bool tl_safetensors_cut_off(tl_error *error, const char *path, uint64_t size, const char *but,
                            uint64_t expected) {
    char shown[TL_SHOWN];
    return tl_error_set(
        error,
        "%s: the file ends after %llu bytes, but %s %llu; it was cut off: copy, make or fetch the file again",
        tl_shown_path(path, shown), (unsigned long long)size, but, (unsigned long long)expected);
}

bool tl_safetensors_parse(const char *text, size_t size, uint64_t data, const char *path,
                          tl_safetensors_index *out, tl_error *error) {
    header h = {.json = {.text = text,
                         .size = size,
                         .path = path,
                         .base = 8,
                         .document = "the header",
                         .advice = "the header is damaged: make or fetch the file again",
                         .error = error}};
    bool ok = read_header(&h, data) && check_together(&h, data);
    if (ok)
        *out = h.index;
    else {
        tl_safetensors_index_free(&h.index);
        *out = (tl_safetensors_index){0};
    }
    return ok;
}

void tl_safetensors_index_free(tl_safetensors_index *index) {
    for (long i = 0; i < index->count; i++) {
        free((char *)index->entries[i].name);
        free((long *)index->entries[i].dim);
    }
    for (long i = 0; i < index->metadata_count; i++) {
        free((char *)index->metadata[i].key);
        free((char *)index->metadata[i].value);
    }
    free(index->entries);
    free(index->by_name);
    free(index->metadata);
    *index = (tl_safetensors_index){0};
}
