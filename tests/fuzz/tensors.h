/* Inputs that are safetensors files. A file begins with its header's length, which the fuzzer would have to keep right
 * by chance; so an input is a byte of choices and, unless that is odd, the header as text, FUZZ_CUT, and the data. An
 * odd byte means: the rest is the file. */
#ifndef TL_TESTS_FUZZ_TENSORS_H
#define TL_TESTS_FUZZ_TENSORS_H

#include "fuzz.h"

#include <stdio.h>

/* The file of all that is left of the input. */
static inline fuzz_part fuzz_tensors(fuzz_bytes *in, unsigned choice) {
    if (choice & 1) return fuzz_rest(in);
    fuzz_part header = fuzz_next(in), data = fuzz_rest(in);
    const size_t size = 8 + header.size + data.size;
    fuzz_part file = {fuzz_memory(size), size};
    for (int i = 0; i < 8; i++) file.bytes[i] = (char)(header.size >> 8 * i & 255);
    memcpy(file.bytes + 8, header.bytes, header.size);
    memcpy(file.bytes + 8 + header.size, data.bytes, data.size);
    free(header.bytes), free(data.bytes);
    return file;
}

/* A good file as such an input, with that byte of choices, which is even. Cut if it has more than `most` bytes. */
static inline void fuzz_put_tensors(tl_fuzz_put *put, void *context, unsigned choice, const char *path) {
    size_t size, header = 0;
    char *file = fuzz_read(path, &size), *seed = fuzz_memory(size);
    for (int i = 0; i < 8; i++) header |= (size_t)(unsigned char)file[i] << 8 * i;
    seed[0] = (char)choice;
    memcpy(seed + 1, file + 8, header);
    seed[1 + header] = (char)FUZZ_END;
    memcpy(seed + 2 + header, file + 8 + header, size - 8 - header);
    put(context, seed, size - 6);
    free(seed), free(file);
}

static inline void fuzz_put_header(tl_fuzz_put *put, void *context, unsigned choice, const char *header,
                                   size_t data) {
    char seed[4096];
    const int length = snprintf(seed, sizeof seed - 256, "%c%s" FUZZ_CUT, (int)choice, header);
    memset(seed + length, 1, data);
    put(context, seed, (size_t)length + data);
}

#endif
