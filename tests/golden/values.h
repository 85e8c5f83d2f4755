/* Golden values: a text of lines "name hash" for each precision, written once and compared ever after. What a change of shape
 * must not change stands here to the bit: weights, losses, gradients, translations, scores, files.
 *
 *     TL_WRITE_GOLDEN=1 build/tests/golden/test_models      writes them anew, for a change that is meant
 *     TL_WRITE_GOLDEN=1 BUILD=build/double build/double/tests/golden/test_runs      likewise
 *
 * All of it is computed with the kernels for AVX2, which every machine that has AVX-512 or AMX has too, but for what only
 * bfloat16 shows. The numbers also depend on the C library's sin, pow and the like; where those differ from the ones that
 * the values were made with, the tests say so and compare nothing. */
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

/* ---- the values that were written, and those that are found ---- */

typedef struct golden {
    const char *file;
    char *written; /* the file's text; NULL: it is being written */
    FILE *to;
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

/* What was written for a name; false if nothing was. */
static inline bool golden_find(const golden *g, const char *name, uint64_t *hash) {
    const size_t n = strlen(name);
    for (const char *line = g->written; line && *line; line = strchr(line, '\n') + 1)
        if (!strncmp(line, name, n) && line[n] == ' ') return *hash = strtoull(line + n, NULL, 16), true;
    return false;
}

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

/* ---- where they hold ---- */

/* The C library's functions that the numbers go through, at points spread over where they are used. */
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

/* Forces the instruction set; false, having said so aloud, where the values cannot be compared. */
static inline bool golden_holds(golden *g, const char *isa) {
    tl_error error = {""};
    uint64_t libm;
    if (!tl_set_isa(isa, &error)) {
        TL_SKIP("golden values: %s", error.message);
        return false;
    }
    if (g->to) golden_is(g, "libm", hash_libm());
    if (g->to || (golden_find(g, "libm", &libm) && libm == hash_libm())) return true;
    TL_SKIP(
        "golden values: this C library's sin, pow, … give other last bits than the one they were made with");
    return false;
}

#endif
