/* Sentences that are made here, as files. */
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
                void (*put)(growing *out, const tl_corpus *corpus, long i), tl_error *error) {
    growing out = {0};
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        put(&out, corpus, i);
        grow(&out, "\n");
    }
    const bool ok = out.failed ? tl_error_set(error, "out of memory for %s", path)
                               : write_or_find(path, out.bytes ? out.bytes : "", out.size, error);
    free(out.bytes);
    return ok;
}
