/* Fuzzing: a harness is a function that takes any bytes, gives them to a part of the library as a stranger would, and
 * checks what must hold for all bytes. Nothing in it knows libFuzzer:
 *
 *     tests/fuzz/run      (make fuzz) finds new bytes with libFuzzer, main.c is its entry
 *     test_found.c        runs every harness over its seeds and over found/NAME/, with any compiler
 *
 * To add a harness: a file fuzz_NAME.c that ends with TL_FUZZ(NAME, "what it covers"), and a line in harnesses.h. */
#ifndef TL_TESTS_FUZZ_H
#define TL_TESTS_FUZZ_H

#include <tapeloom/base.h>

#include <stdlib.h>
#include <string.h>

/* ---- harnesses ---- */

/* Takes an input that the fuzzer starts from. */
typedef void tl_fuzz_put(void *context, const void *bytes, size_t size);

typedef struct tl_fuzz_harness {
    const char *name, *covers;
    int (*run)(const uint8_t *bytes, size_t size); /* always 0; a fault ends the process */
    void (*seeds)(tl_fuzz_put *put, void *context);
} tl_fuzz_harness;

/* The file has tl_fuzz_NAME, and before this line `static void seeds(tl_fuzz_put *put, void *context)`. */
#define TL_FUZZ(name, covers)                         \
 extern const tl_fuzz_harness tl_fuzz_harness_##name; \
 const tl_fuzz_harness tl_fuzz_harness_##name = {#name, covers, tl_fuzz_##name, seeds}

/* ---- faults ---- */

/* Prints where and why, and aborts. */
_Noreturn void fuzz_fault(const char *file, int line, const char *format, ...) TL_PRINTF(3, 4);
#define FUZZ_MUST(condition, ...)                                                \
 do {                                                                            \
  if (!(condition)) fuzz_fault(__FILE__, __LINE__, #condition ": " __VA_ARGS__); \
 } while (0)

/* Memory that the harness cannot do without. */
void *fuzz_memory(size_t size);

/* A message of the library: not empty, one line of UTF-8 without control characters. */
void fuzz_message(const char *message);
/* After a function that can fail: it has failed exactly if there is a message, which is a good one. */
void fuzz_outcome(bool ok, const tl_error *error);

/* ---- reading the input ---- */

typedef struct fuzz_bytes {
    const uint8_t *at, *end;
} fuzz_bytes;

static inline fuzz_bytes fuzz_bytes_of(const uint8_t *bytes, size_t size) {
    return (fuzz_bytes){bytes, bytes + size};
}
static inline bool fuzz_ended(const fuzz_bytes *in) { return in->at == in->end; }
/* The next byte; 0 at the end. */
static inline unsigned fuzz_byte(fuzz_bytes *in) { return in->at < in->end ? *in->at++ : 0; }
/* The next 8 bytes, the first one lowest. */
static inline uint64_t fuzz_word(fuzz_bytes *in) {
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) word |= (uint64_t)fuzz_byte(in) << 8 * i;
    return word;
}

/* Parts of an input end at this byte, which no UTF-8 text has, or at the input's end. */
enum { FUZZ_END = 0xFE };
#define FUZZ_CUT "\xFE"

/* A part of the input, in memory of exactly its size: a sanitizer sees every byte that is read beyond it. The caller
 * frees `bytes`, which is never NULL. */
typedef struct fuzz_part {
    char *bytes;
    size_t size;
} fuzz_part;
fuzz_part fuzz_next(fuzz_bytes *in);                    /* up to FUZZ_END, which is taken too */
fuzz_part fuzz_rest(fuzz_bytes *in);                    /* all that is left */
char *fuzz_string(fuzz_bytes *in);                      /* fuzz_next up to its first NUL, as a string */
char *fuzz_string_of(const char *bytes, size_t size);   /* the same of any bytes */
fuzz_part fuzz_part_of(const void *bytes, size_t size); /* a copy */

/* ---- files ---- */

/* A folder of this process, in memory where the system has such a file system; removed at exit. */
const char *fuzz_folder(void);
/* The path of a file there. Valid until the eighth call after this one. */
const char *fuzz_path(const char *name);
/* Writes it and returns its path. */
const char *fuzz_file(const char *name, const void *bytes, size_t size);
/* All bytes of a file, which the caller frees; a fault if there is none. */
char *fuzz_read(const char *path, size_t *size);

#endif
