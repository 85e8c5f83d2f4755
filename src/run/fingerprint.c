/* Fingerprints: FNV-1a over eight bytes at a time, because all weights are read before every pass. They are only
 * compared between ranks, never stored; fingerprints of data in checkpoints are made byte by byte (data.c, lm.c). */
#include "fingerprint.h"

#include <stdio.h>
#include <string.h>

uint64_t tl_fingerprint_add(uint64_t fingerprint, const void *data, size_t bytes) {
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i += sizeof fingerprint) {
        uint64_t word = 0;
        memcpy(&word, at + i, bytes - i < sizeof word ? bytes - i : sizeof word);
        fingerprint = (fingerprint ^ word) * 1099511628211u;
    }
    return fingerprint;
}

uint64_t tl_params_fingerprint(tl_params *params, bool values) {
    uint64_t f = TL_FINGERPRINT;
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_leaf *leaf = &tl_params_at(params, i)->leaf;
        const int64_t size = tl_numel(leaf->value);
        f = tl_fingerprint_add(f, leaf->name, strlen(leaf->name));
        f = tl_fingerprint_add(f, &size, sizeof size);
        f = tl_fingerprint_add(f, &leaf->frozen, sizeof leaf->frozen);
        if (values) f = tl_fingerprint_add(f, leaf->value.data, (size_t)size * sizeof(tl_real));
    }
    return f;
}

/* Makes "float, avx2" of "float, OpenMP 2 threads, avx2": threads change no number. */
const char *tl_build_name(char name[TL_BUILD_NAME]) {
    const char *text = tl_build_text(), *threads = strchr(text, ','),
               *rest = threads ? strchr(threads + 1, ',') : NULL;
    snprintf(name, TL_BUILD_NAME, "%.*s%s", threads ? (int)(threads - text) : (int)strlen(text), text,
             rest ? rest : "");
    return name;
}
