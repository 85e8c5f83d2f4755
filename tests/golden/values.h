/* Golden values: files of lines "name hash", one file for each precision. They fix every bit of weights, losses,
 * gradients, translations, scores and files, so that a change of the code that is not meant to change results is seen
 * to change none.
 *
 *     TL_WRITE_GOLDEN=1 build/tests/golden/test_models                              writes them again, after an intended change
 *     TL_WRITE_GOLDEN=1 BUILD=build/double build/double/tests/golden/test_runs      the same for double
 *
 * They are computed with the AVX2 kernels, which every machine with AVX-512 or AMX has too; only bfloat16 needs
 * AVX-512. They also depend on the C library's sin, pow and similar functions: where those give other bits, the tests
 * are skipped. */
#ifndef TL_TESTS_GOLDEN_VALUES_H
#define TL_TESTS_GOLDEN_VALUES_H

#include "check.h"

#include <inttypes.h>
#include <tapeloom.h>

#ifdef TL_DOUBLE
# define GOLDEN_PRECISION "double"
#else
# define GOLDEN_PRECISION "float"
#endif

/* FNV-1a (Fowler, Noll, Vo; 64 bits). */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    for (const unsigned char *byte = bytes; size > 0; size--, byte++) hash = (hash ^ *byte) * 0x100000001b3u;
    return hash;
}
static inline uint64_t hash_of(const void *bytes, size_t size) {
    return hash_bytes(0xcbf29ce484222325u, bytes, size);
}
static inline uint64_t hash_text_of(const char *text) { return hash_of(text, strlen(text)); }

static inline uint64_t hash_params(const tl_params *params) {
    uint64_t hash = hash_of("", 0);
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_tensor value = tl_param_value(tl_params_at(params, i));
        hash = hash_bytes(hash, value.data, (size_t)tl_numel(value) * sizeof(tl_real));
    }
    return hash;
}

/* ---- writing and comparing ---- */

typedef struct golden {
    const char *file;
    char *written; /* the file's text; NULL if it is being written */
    FILE *to;      /* NULL if it is only read */
} golden;

static inline golden golden_open(const char *file) {
    golden g = {.file = file};
    const char *write = getenv("TL_WRITE_GOLDEN");
    if (write && *write) {
        g.to = fopen(file, "w");
        ck_assert_msg(g.to != NULL, "cannot write %s", file);
        return g;
    }
    tl_error error = {""};
    size_t size;
    ck_assert_msg(tl_file_read(file, &g.written, &size, &error), "%s", error.message);
    return g;
}

static inline void golden_close(golden *g) {
    if (g->to) ck_assert_int_eq(fclose(g->to), 0);
    free(g->written);
}

/* The value of a name; false if the file has none. */
static inline bool golden_find(const golden *g, const char *name, uint64_t *hash) {
    const size_t n = strlen(name);
    for (const char *line = g->written; line && *line; line = strchr(line, '\n') + 1)
        if (!strncmp(line, name, n) && line[n] == ' ') return *hash = strtoull(line + n, NULL, 16), true;
    return false;
}

/* Writes the value, or compares it. */
static inline void golden_is(golden *g, const char *name, uint64_t found) {
    uint64_t written;
    if (g->to) {
        fprintf(g->to, "%s %016" PRIx64 "\n", name, found);
        return;
    }
    ck_assert_msg(golden_find(g, name, &written), "%s has no value for \"%s\"", g->file, name);
    ck_assert_msg(written == found, "%s is %016" PRIx64 ", %s says %016" PRIx64, name, found, g->file,
                  written);
}

/* ---- where they can be compared ---- */

/* Results of the C library's functions that the values depend on, at points over the range in which they are used. */
static inline uint64_t hash_libm(void) {
    uint64_t hash = hash_of("", 0);
    for (int i = 1; i <= 2000; i++) {
        const double x = 0.0371 * i;
        const double y[] = {sin(x),  cos(x),       exp(-x),     log(x),
                            sqrt(x), pow(x, -0.5), pow(x, 0.7), tanh(x - 37)};
        hash = hash_bytes(hash, y, sizeof y);
    }
    return hash;
}

/* Selects the instruction set. False, after reporting a skipped test, if the values cannot be compared here. */
static inline bool golden_holds(golden *g, const char *isa) {
    tl_error error = {""};
    uint64_t libm;
    if (!tl_set_isa(isa, &error)) {
        TL_SKIP("golden values: %s", error.message);
        return false;
    }
    if (g->to) golden_is(g, "libm", hash_libm());
    if (g->to || (golden_find(g, "libm", &libm) && libm == hash_libm())) return true;
    TL_SKIP("golden values: this C library's sin, pow, … give other bits than where they were made");
    return false;
}

#endif
