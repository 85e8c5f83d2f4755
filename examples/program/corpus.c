/* Sentences that are made here, as files. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "program.h"

#include <stdlib.h>
#include <string.h>

static bool write_or_find(const char *path, const char *text, size_t size, tl_error *error) {
    char *old = NULL;
    size_t old_size = 0;
    bool there;
    if (!tl_file_look(path, &there, error)) return false;
    if (!there) return tl_file_write(path, text, size, error);
    if (!tl_file_read_regular(path, TL_TEXT_MOST, &old, &old_size, error)) return false;
    const bool same = size == old_size && !memcmp(text, old, size);
    free(old);
    return same ||
           tl_error_set(error, "%s is there already, and not the same: choose another --out, or remove it",
                        path);
}

bool write_once(const char *path, const tl_corpus *corpus,
                void (*put)(FILE *out, const tl_corpus *corpus, long i), tl_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return tl_error_set(error, "out of memory for %s", path);
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        put(out, corpus, i);
        fputc('\n', out);
    }
    bool ok = !ferror(out);
    if (fclose(out) || !ok) ok = tl_error_set(error, "out of memory for %s", path);
    ok = ok && write_or_find(path, text, size, error);
    free(text);
    return ok;
}
