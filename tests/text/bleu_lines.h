/* Lines cut for BLEU, for tests. */
#ifndef TL_TESTS_TEXT_BLEU_LINES_H
#define TL_TESTS_TEXT_BLEU_LINES_H

#include "check.h"
#include "text/bleu/tokens.h"

/* The line's tokens with single spaces between; the caller frees it. The line is copied to memory of exactly its size,
 * so that a sanitizer detects reading beyond its end. */
static inline char *cut_line(tl_span line, tl_bleu_tokens tokens, bool lowercase) {
    tl_bleu_cutter cutter = {{NULL}, {0}};
    tl_bleu_config config = {tokens, lowercase};
    char *exact = malloc(line.size + (line.size == 0)), *text, *at;
    tl_span rest;
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, line.text, line.size);
    ck_assert(tl_bleu_cut(&cutter, &config, (tl_span){exact, line.size}, &rest));
    ck_assert_ptr_nonnull(at = text = malloc(rest.size + 2));
    for (tl_span token; tl_next_token(&rest, &token); *at++ = ' ') {
        memcpy(at, token.text, token.size);
        at += token.size;
    }
    if (at > text) at--;
    *at = 0;
    free(exact);
    tl_bleu_cutter_free(&cutter);
    return text;
}

/* FNV-1a, for tables too large to write down. */
static inline uint64_t fnv(uint64_t hash, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}
enum { SURROGATES = 0xD800, AFTER_SURROGATES = 0xE000, AFTER_UNICODE = 0x110000 };
#define FNV_START 14695981039346656037u

/* Writes a character as UTF-8, with code independent of the library's. */
static inline size_t utf8(uint32_t code, char *out) {
    unsigned char *o = (unsigned char *)out;
    if (code < 0x80) return o[0] = (unsigned char)code, 1;
    if (code < 0x800) return o[0] = (unsigned char)(192 + code / 64), o[1] = 128 + code % 64, 2;
    if (code < 0x10000)
        return o[0] = (unsigned char)(224 + code / 4096), o[1] = 128 + code / 64 % 64, o[2] = 128 + code % 64,
               3;
    o[0] = (unsigned char)(240 + code / 262144), o[1] = 128 + code / 4096 % 64;
    return o[2] = 128 + code / 64 % 64, o[3] = 128 + code % 64, 4;
}

#endif
